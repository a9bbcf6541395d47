// SPDX-License-Identifier: GPL-2.0-only
/* Checks of one device: from its IOMMU to its node. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

enum verdict check_any_device(struct machine *m, struct finding *f)
{
	if (m->devices.count)
		return ok(f, "%zu to look at, see below", m->devices.count);
	if (!module_is_loaded())
		return not_applicable(f, "which there are can be told once the module is loaded");
	if (m->devices.hidden)
		fix(f,
		    "run \"sudo sva doctor\": only root may look at the capabilities of the %zu PCI devices here",
		    m->devices.hidden);
	else
		fix(f,
		    "put in a device with PASIDs and load its driver; to try it without: modprobe -a sva_sim_iommu sva_sim");
	return problem(f, "no driver has a device that can use PASIDs, and %s",
		       m->devices.hidden ? "others cannot be seen" :
		       "no PCI device has a PASID capability");
}

/* How many others share the device's IOMMU group. */
static unsigned int group_others(const struct device *d)
{
	char path[PATH_MAX];
	struct dirent *entry;
	unsigned int count = 0;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s/iommu_group/devices", d->syspath) >=
	    (int)sizeof(path))
		return 0;
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		count += *entry->d_name != '.';
	if (dir)
		closedir(dir);
	return count ? count - 1 : 0;
}

enum verdict check_device_iommu(struct machine *m, const struct device *d,
				struct finding *f)
{
	unsigned int others = group_others(d);

	(void)m;
	if (!*d->iommu) {
		fix(f, "see the checks of the IOMMU above");
		return problem(f, "it is behind no IOMMU");
	}
	if (others)
		return ok(f, "behind %s; %u more in its group, which must not be another user's",
			  d->iommu, others);
	return ok(f, "behind %s", d->iommu);
}

static enum verdict cannot_see(struct finding *f)
{
	fix(f, "run it as root to see");
	return not_applicable(f, "only root may look at the capabilities of PCI devices");
}

/* Why the kernel has not enabled a capability that is there. */
static enum verdict pasid_is_off(const struct machine *m,
				 const struct device *d, struct finding *f)
{
	const struct iommu *iommu = machine_iommu(m, d->iommu);

	if (!iommu) {
		fix(f, "see the checks of the IOMMU above");
		return problem(f, "off: the IOMMU enables it, and the device is behind none");
	}
	if (*d->pci.no_prefix) {
		fix(f, "put the device into a slot that is connected to the CPU directly");
		return problem(f,
			       "off: %s cannot forward requests with a PASID (no end-to-end TLP prefixes)",
			       d->pci.no_prefix);
	}
	if (*d->pci.no_acs) {
		fix(f, "switch on ACS in the firmware's setup, or use another slot");
		return problem(f,
			       "off: %s may turn requests round before they reach the IOMMU (no ACS)",
			       d->pci.no_acs);
	}
	fix(f, "see the checks of the IOMMU above, and: dmesg | grep -e DMAR -e AMD-Vi");
	return problem(f, "off: %s did not enable it", iommu->name);
}

enum verdict check_device_pasid(struct machine *m, const struct device *d,
				struct finding *f)
{
	if (d->registered && d->pasid_bits)
		return ok(f, "%u bits", d->pasid_bits);
	if (!d->is_pci && d->registered) {
		fix(f, "no setting brings it: another device is needed");
		return problem(f, "it has no PASIDs");
	}
	if (!d->is_pci)
		return not_applicable(f, "not a PCI device");
	if (d->pci.header_only)
		return cannot_see(f);
	if (!d->pci.has_pasid) {
		fix(f,
		    "no setting brings it: another device is needed; \"sva devices --all\" lists those that have it");
		return problem(f, "it has no PASID capability");
	}
	if (!d->pci.pasid_on)
		return pasid_is_off(m, d, f);
	return ok(f, "on, %u bits", d->pci.pasid_bits);
}

/*
 * Devices with an interconnect of their own do without ATS and PRI, and drivers
 * that map memory do as well: what is missing is told, and is no problem.
 */
enum verdict check_device_ats(struct machine *m, const struct device *d,
			      struct finding *f)
{
	(void)m;
	if (!d->is_pci)
		return not_applicable(f, "not a PCI device");
	if (d->pci.header_only)
		return cannot_see(f);
	if (!d->pci.has_ats)
		return not_applicable(f,
				      "it has no ATS capability: no page requests, so no process memory on most platforms");
	if (!d->pci.ats_on) {
		fix(f, "see dmesg; external devices and \"pci=noats\" have it off");
		return problem(f, "the kernel has not enabled it");
	}
	return ok(f, "on");
}

enum verdict check_device_pri(struct machine *m, const struct device *d,
			      struct finding *f)
{
	(void)m;
	if (d->registered)
		return strstr(d->can, "page-requests") ?
		       ok(f, "it makes them and its IOMMU delivers them") :
		       not_applicable(f,
				      "it makes none: it can use memory that programs map, not whole processes");
	if (!d->is_pci)
		return not_applicable(f, "not a PCI device");
	if (d->pci.header_only)
		return cannot_see(f);
	if (!d->pci.has_pri)
		return not_applicable(f,
				      "it has no PRI capability: it can use memory that programs map, not whole processes");
	return ok(f, d->pci.pri_on ? "on" : "off until the first process uses it");
}

enum verdict check_device_driver(struct machine *m, const struct device *d,
				 struct finding *f)
{
	(void)m;
	if (d->registered)
		return ok(f, "%s, which uses /dev/sva", d->driver);
	if (!*d->driver) {
		fix(f, "load its driver: modprobe $(cat %s/modalias)", d->syspath);
		return problem(f, "it has no driver");
	}
	if (!module_is_loaded())
		return not_applicable(f,
				      "whether %s uses /dev/sva can be told once the module is loaded",
				      d->driver);
	fix(f, "a driver that calls sva_device_register() is needed");
	return problem(f, "%s does not use /dev/sva", d->driver);
}

enum verdict check_device_node(struct machine *m, const struct device *d,
			       struct finding *f)
{
	(void)m;
	if (!d->registered)
		return not_applicable(f, "which one it would have depends on the driver");
	if (!*d->node)
		return not_applicable(f, "it has no device node");
	if (!access(d->node, R_OK | W_OK))
		return ok(f, "%s may be opened", d->node);
	fix(f, "join the group that owns it (ls -l %s), or add a udev rule for it",
	    d->node);
	return problem(f, "no right to open %s", d->node);
}
