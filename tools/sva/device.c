// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that use PASIDs, or could: those that the kernel names, joined with
 * what sysfs, udev and PCI's configuration space know of them.
 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

/* The last part of what a link in a device's directory points to. */
static void link_name(const char *syspath, const char *link,
		      char name[SVA_NAME_MAX])
{
	char path[PATH_MAX], target[PATH_MAX];

	*name = '\0';
	snprintf(path, sizeof(path), "%.4000s/%s", syspath, link);
	if (realpath(path, target))
		snprintf(name, SVA_NAME_MAX, "%.63s", strrchr(target, '/') + 1);
}

/* A device's name says nothing about its bus. */
static void find_syspath(struct device *device)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct dirent *entry;
	DIR *buses = opendir("/sys/bus");

	while (buses && (entry = readdir(buses))) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s",
			 entry->d_name, device->name);
		if (*entry->d_name == '.' || !realpath(path, real))
			continue;
		memcpy(device->syspath, real, strlen(real) + 1);
		device->is_pci = !strcmp(entry->d_name, "pci");
		break;
	}
	if (buses)
		closedir(buses);
}

static void find_node(struct device *device, struct udev *udev)
{
	struct udev_enumerate *below = udev_enumerate_new(udev);
	struct udev_device *parent, *child;
	struct udev_list_entry *entry;
	const char *path, *node;

	parent = udev_device_new_from_syspath(udev, device->syspath);
	if (!below || !parent)
		goto out;
	udev_enumerate_add_match_parent(below, parent);
	udev_enumerate_scan_devices(below);
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(below)) {
		path = udev_list_entry_get_name(entry);
		child = udev_device_new_from_syspath(udev, path);
		node = child ? udev_device_get_devnode(child) : NULL;
		if (node && !*device->node)
			snprintf(device->node, sizeof(device->node), "%s", node);
		udev_device_unref(child);
	}
out:
	udev_device_unref(parent);
	udev_enumerate_unref(below);
}

/* What the kernel says about a device whose driver can attach PASIDs. */
static void read_registered(struct device *device)
{
	char path[PATH_MAX];
	uint64_t number = 0;

	snprintf(path, sizeof(path), "%.4000s/sva/pasid_bits", device->syspath);
	device->registered = !read_number(path, &number);
	device->pasid_bits = (unsigned int)number;
	snprintf(path, sizeof(path), "%.4000s/sva/bonds", device->syspath);
	if (!read_number(path, &number))
		device->bonds = (unsigned int)number;
	snprintf(path, sizeof(path), "%.4000s/sva/iommu", device->syspath);
	if (device->registered)
		read_text(path, device->iommu, sizeof(device->iommu));
	snprintf(path, sizeof(path), "%.4000s/sva/capabilities", device->syspath);
	read_text(path, device->can, sizeof(device->can));
}

static struct device *add(struct devices *devices, struct udev *udev,
			  const char *name)
{
	struct device *list, *device;

	list = realloc(devices->list,
		       (devices->count + 1) * sizeof(*devices->list));
	if (!list)
		return NULL;
	devices->list = list;
	device = &list[devices->count++];
	memset(device, 0, sizeof(*device));
	snprintf(device->name, sizeof(device->name), "%s", name);
	find_syspath(device);
	if (!*device->syspath)
		return device;
	link_name(device->syspath, "iommu", device->iommu);
	link_name(device->syspath, "driver", device->driver);
	if (device->is_pci)
		pci_read_state(device->syspath, &device->pci);
	read_registered(device);
	find_node(device, udev);
	return device;
}

/**
 * devices_find() - one of the devices, by its name or its node
 * @devices: The devices
 * @name: A name as the kernel writes it, or the path of a node
 *
 * Return: the device or NULL.
 */
struct device *devices_find(const struct devices *devices, const char *name)
{
	size_t i;

	for (i = 0; i < devices->count; i++)
		if (!strcmp(devices->list[i].name, name) ||
		    !strcmp(devices->list[i].node, name))
			return &devices->list[i];
	return NULL;
}

/**
 * devices_add_registered() - add those whose drivers can attach PASIDs
 * @devices: Where to
 * @udev: libudev
 *
 * No right is needed for it.
 *
 * Return: 0 or a negative errno.
 */
int devices_add_registered(struct devices *devices, struct udev *udev)
{
	static const char attribute[] = "/sva/pasid_bits";
	char *path, *name;
	int err = 0;
	glob_t found;
	size_t i;

	if (glob("/sys/bus/*/devices/*/sva/pasid_bits", 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && !err; i++) {
		path = found.gl_pathv[i];
		path[strlen(path) - strlen(attribute)] = '\0';
		name = strrchr(path, '/') + 1;
		if (!add(devices, udev, name))
			err = -ENOMEM;
	}
	globfree(&found);
	return err;
}

/**
 * devices_add_pci() - add PCI devices that have a PASID capability
 * @devices: Where to; those that it has already are left alone
 * @udev: libudev
 *
 * Return: 0 or a negative errno.
 */
int devices_add_pci(struct devices *devices, struct udev *udev)
{
	struct udev_enumerate *all = udev_enumerate_new(udev);
	struct udev_list_entry *entry;
	struct pci_state state;
	const char *path, *name;
	int err = 0;

	if (!all)
		return -ENOMEM;
	udev_enumerate_add_match_subsystem(all, "pci");
	udev_enumerate_scan_devices(all);
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all)) {
		path = udev_list_entry_get_name(entry);
		name = strrchr(path, '/') + 1;
		if (pci_read_state(path, &state) || devices_find(devices, name))
			continue;
		devices->hidden += state.header_only;
		if (state.has_pasid && !add(devices, udev, name))
			err = -ENOMEM;
	}
	udev_enumerate_unref(all);
	return err;
}

/**
 * devices_add_named() - add a device, whatever it is
 * @devices: Where to
 * @udev: libudev
 * @name: Its name, as the kernel writes it
 *
 * Return: 0, or -ENODEV there is none of that name; -ENOMEM.
 */
int devices_add_named(struct devices *devices, struct udev *udev,
		      const char *name)
{
	struct device *device;

	if (strchr(name, '/'))
		return -ENODEV;
	device = add(devices, udev, name);
	if (!device)
		return -ENOMEM;
	if (*device->syspath)
		return 0;
	devices->count--;
	return -ENODEV;
}

void devices_free(struct devices *devices)
{
	free(devices->list);
}

static struct json_object *capability_list(const char *can)
{
	struct json_object *list = json_object_new_array();
	size_t n;

	while (*can) {
		n = strcspn(can, " ");
		if (n)
			json_object_array_add(list, json_object_new_string_len(can, (int)n));
		can += n + (can[n] == ' ');
	}
	return list;
}

/* Of a PCI capability; null where there is none to look at. */
static void put_pci_state(struct json_object *row, const char *key,
			  const struct device *device, bool has, bool on)
{
	const char *state = !has ? "absent" : on ? "on" : "off";

	put_text(row, key,
		 device->is_pci && !device->pci.header_only ? state : NULL);
}

/* A width; null if it is unknown. */
static void put_bits(struct json_object *row, const char *key, unsigned int bits)
{
	put(row, key, bits ? json_object_new_int((int)bits) : NULL);
}

/**
 * device_json() - a device as a row
 * @device: The device
 *
 * Return: the object, the caller's.
 */
struct json_object *device_json(const struct device *device)
{
	struct json_object *row = json_object_new_object();
	const struct pci_state *pci = &device->pci;

	put_text(row, "name", device->name);
	put_text(row, "driver", device->driver);
	put_text(row, "iommu", device->iommu);
	put_bool(row, "usable", device->registered);
	put_bits(row, "pasid_bits", device->registered ? device->pasid_bits :
							 pci->pasid_bits);
	put_number(row, "bonds", device->bonds);
	put(row, "can", capability_list(device->can));
	put_text(row, "node", device->node);
	put_pci_state(row, "pasid", device, pci->has_pasid, pci->pasid_on);
	put_pci_state(row, "ats", device, pci->has_ats, pci->ats_on);
	put_pci_state(row, "pri", device, pci->has_pri, pci->pri_on);
	return row;
}
