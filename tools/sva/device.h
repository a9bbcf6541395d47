/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that use PASIDs, or could. */
#ifndef SVA_TOOL_DEVICE_H
#define SVA_TOOL_DEVICE_H

#include <libudev.h>
#include <limits.h>

#include "pci.h"
#include "tool.h"

/**
 * struct device - one device
 * @name: Its name on its bus
 * @syspath: Its directory in sysfs, or "" if there is none
 * @iommu: The IOMMU instance it is behind, or ""
 * @driver: Its driver, or ""
 * @node: A device node that it or its driver made, or ""
 * @registered: Its driver can attach PASIDs
 * @pasid_bits: Width of those, 0 if it has none
 * @bonds: How many it has now
 * @can: What it and its IOMMU can do, words with blanks between them
 * @is_pci: A PCI device; @pci is valid
 * @pci: What its configuration space says
 */
struct device {
	char name[SVA_NAME_MAX];
	char syspath[PATH_MAX];
	char iommu[SVA_NAME_MAX];
	char driver[SVA_NAME_MAX];
	char node[SVA_NAME_MAX];
	bool registered;
	unsigned int pasid_bits;
	unsigned int bonds;
	char can[128];
	bool is_pci;
	struct pci_state pci;
};

/**
 * struct devices - some of them
 * @list: They
 * @count: How many
 * @hidden: PCI devices whose capabilities the caller may not see
 */
struct devices {
	struct device *list;
	size_t count;
	size_t hidden;
};

int devices_add_registered(struct devices *devices, struct udev *udev);
int devices_add_pci(struct devices *devices, struct udev *udev);
int devices_add_named(struct devices *devices, struct udev *udev,
		      const char *name);
struct device *devices_find(const struct devices *devices, const char *name);
void devices_free(struct devices *devices);
struct json_object *device_json(const struct device *device);

#endif /* SVA_TOOL_DEVICE_H */
