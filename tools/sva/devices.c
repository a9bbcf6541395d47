// SPDX-License-Identifier: GPL-2.0-only
/* sva devices: which devices can use PASIDs. */
#include <stdio.h>
#include <string.h>

#include "device.h"

struct options {
	bool all;
};

static const struct argp_option argp_options[] = {
	{ "all", 'a', NULL, 0,
	  "also PCI devices with a PASID capability whose drivers do not use /dev/sva",
	  0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 'a':
		opt->all = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "it takes no argument, and this is one: %s", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Lists the devices that can use PASIDs: what they can do, their IOMMU and their\n"
	       "node.",
	.children = common_options,
};

static void print(const struct devices *devices)
{
	static const struct column columns[] = {
		{ "NAME", "name", false },
		{ "DRIVER", "driver", false },
		{ "IOMMU", "iommu", false },
		{ "USABLE", "usable", false },
		{ "BITS", "pasid_bits", true },
		{ "BONDS", "bonds", true },
		{ "NODE", "node", false },
		{ "CAN", "can", false },
	};
	struct json_object *rows = json_object_new_array();
	struct json_object *all;
	size_t i;

	for (i = 0; i < devices->count; i++)
		json_object_array_add(rows, device_json(&devices->list[i]));
	if (out_is_json()) {
		all = json_object_new_object();
		put(all, "devices", rows);
		out_json(all);
		return;
	}
	if (devices->count)
		out_table(rows, columns, ARRAY_SIZE(columns));
	else
		puts("No device here can use PASIDs; \"sva doctor\" says why.");
	json_object_put(rows);
}

int command_devices(int argc, char **argv)
{
	struct options opt = { 0 };
	struct devices devices = { 0 };
	struct udev *udev;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	udev = udev_new();
	err = devices_add_registered(&devices, udev);
	if (!err && opt.all)
		err = devices_add_pci(&devices, udev);
	if (err)
		complain("the devices cannot be listed: %s", strerror(-err));
	else
		print(&devices);
	if (!err && opt.all && devices.hidden)
		complain("only root may look at the capabilities of %zu PCI devices: use sudo",
			 devices.hidden);
	devices_free(&devices);
	udev_unref(udev);
	return err ? STATUS_FAILED : STATUS_OK;
}
