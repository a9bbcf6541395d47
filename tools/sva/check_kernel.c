// SPDX-License-Identifier: GPL-2.0-only
/* Checks of the kernel's configuration, its command line and the firmware. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"

#define GRUB "in /etc/default/grub (GRUB_CMDLINE_LINUX), then run update-grub and restart"

/* Appends an option to a list if it is not set; "=m" counts as set. */
static void want(const struct machine *m, const char *option, char *missing,
		 size_t len)
{
	size_t used = strlen(missing);

	if (!machine_option(m, option))
		snprintf(missing + used, len - used, "%sCONFIG_%s",
			 used ? ", " : "", option);
}

enum verdict check_kernel(struct machine *m, struct finding *f)
{
	char missing[256] = "";

	if (!m->options)
		return not_applicable(f,
				      "Linux %s; its configuration is neither in /proc/config.gz nor in /boot",
				      m->uts.release);
	want(m, "IOMMU_SVA", missing, sizeof(missing));
	want(m, "PCI_ATS", missing, sizeof(missing));
	want(m, "PCI_PRI", missing, sizeof(missing));
	want(m, "PCI_PASID", missing, sizeof(missing));
	if (m->acpi_dmar)
		want(m, "INTEL_IOMMU_SVM", missing, sizeof(missing));
	if (m->acpi_ivrs)
		want(m, "AMD_IOMMU", missing, sizeof(missing));
	if (!strcmp(m->uts.machine, "aarch64"))
		want(m, "ARM_SMMU_V3_SVA", missing, sizeof(missing));
	if (!*missing)
		return ok(f, "Linux %s has all that is needed (%s)",
			  m->uts.release, m->options_path);
	fix(f, "use a kernel with %s (Debian's has them)", missing);
	return problem(f, "Linux %s was built without %s", m->uts.release,
		       missing);
}

/* What intel_iommu= says last about two words of which the last one holds. */
static const char *last_of(const struct machine *m, const char *on,
			   const char *off)
{
	const char *from = NULL, *value, *last = NULL;

	while ((value = machine_parameter(m, "intel_iommu", &from))) {
		if (in_list(value, on))
			last = on;
		if (in_list(value, off))
			last = off;
	}
	return last;
}

static bool has_parameter(const struct machine *m, const char *name,
			  const char *word)
{
	const char *from = NULL, *value;

	while ((value = machine_parameter(m, name, &from)))
		if (in_list(value, word))
			return true;
	return false;
}

/* Intel's driver is off unless configuration or command line say "on". */
static bool intel_not_on(const struct machine *m, const char *last)
{
	return !last && m->acpi_dmar && m->options &&
	       machine_option(m, "INTEL_IOMMU") &&
	       machine_option(m, "INTEL_IOMMU_DEFAULT_OFF");
}

enum verdict check_boot(struct machine *m, struct finding *f)
{
	const char *last = last_of(m, "on", "off");
	const char *off = NULL;

	if (has_parameter(m, "iommu", "off"))
		off = "iommu=off";
	else if (last && !strcmp(last, "off"))
		off = "intel_iommu=off";
	else if (has_parameter(m, "amd_iommu", "off"))
		off = "amd_iommu=off";
	else if (has_parameter(m, "pci", "noats"))
		off = "pci=noats";
	if (off) {
		fix(f, "remove \"%s\" " GRUB, off);
		return problem(f, "\"%s\" is on the kernel's command line", off);
	}
	if (intel_not_on(m, last)) {
		fix(f, "add \"intel_iommu=on,sm_on\" " GRUB);
		return problem(f,
			       "this kernel leaves the Intel IOMMU off unless its command line says otherwise");
	}
	return ok(f, "nothing on the kernel's command line switches an IOMMU off");
}

enum verdict check_firmware(struct machine *m, struct finding *f)
{
	const char *table = m->acpi_dmar ? "DMAR (Intel)" :
			    m->acpi_ivrs ? "IVRS (AMD)" :
			    m->acpi_iort ? "IORT (Arm)" : NULL;

	if (table)
		return ok(f, "ACPI describes IOMMUs: %s", table);
	if (!m->acpi)
		return not_applicable(f, "this machine has no ACPI");
	fix(f,
	    "switch on VT-d (Intel) or IOMMU (AMD) in the firmware's setup; a virtual machine needs a virtual IOMMU (QEMU: -device intel-iommu,scalable-mode=on,...)");
	return problem(f, "the firmware describes no IOMMU (no ACPI table DMAR, IVRS or IORT)");
}

/* --- the IOMMU's own part -------------------------------------------------- */

enum verdict check_iommu(struct machine *m, struct finding *f)
{
	char names[256] = "";
	unsigned int i, found = 0;

	for (i = 0; i < m->iommus; i++) {
		size_t used = strlen(names);

		if (!iommu_is_hardware(&m->iommu[i]))
			continue;
		snprintf(names + used, sizeof(names) - used, "%s%s",
			 found++ ? ", " : "", m->iommu[i].name);
	}
	if (found)
		return ok(f, "the kernel drives %s", names);
	if (m->acpi_dmar || m->acpi_ivrs || m->acpi_iort)
		fix(f,
		    "see what the kernel says about it: dmesg | grep -e DMAR -e AMD-Vi -e arm-smmu");
	else
		fix(f, "switch it on in the firmware's setup first, see above");
	return problem(f, "the kernel drives no IOMMU: there is none in /sys/class/iommu");
}

/* Virtualization Technology for Directed I/O 4.1, 11.4.2 and 11.4.3 */
#define CAP_FL1GP	(1ull << 56)
#define CAP_FL5LP	(1ull << 60)
#define ECAP_DT		(1ull << 2)
#define ECAP_PRS	(1ull << 29)
#define ECAP_PASID	(1ull << 40)
#define ECAP_PDS	(1ull << 42)
#define ECAP_SMTS	(1ull << 43)
#define ECAP_FSTS	(1ull << 47)

/* AMD I/O Virtualization Technology 3.10, Extended Feature Register */
#define EFR_PPR		(1ull << 1)
#define EFR_GT		(1ull << 4)

static bool scalable_default(const struct machine *m)
{
	/* Without the configuration: as Debian's and mainline's defaults are. */
	return !m->options ||
	       machine_option(m, "INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON");
}

static enum verdict intel_pasid(struct machine *m, struct finding *f,
				const struct iommu *iommu)
{
	const char *last = last_of(m, "sm_on", "sm_off");

	if (!(iommu->ecap & ECAP_SMTS)) {
		fix(f,
		    "no setting brings it: PASIDs need an Intel platform with scalable mode; in a virtual machine: -device intel-iommu,scalable-mode=on,fsts=on,pasid-bits=20");
		return problem(f, "%s has no scalable mode (extended capabilities %#llx)",
			       iommu->name, (unsigned long long)iommu->ecap);
	}
	if (last && !strcmp(last, "sm_off")) {
		fix(f, "remove \"sm_off\" from intel_iommu= " GRUB);
		return problem(f,
			       "%s can do scalable mode, but the kernel's command line says \"sm_off\"",
			       iommu->name);
	}
	if (!last && !scalable_default(m)) {
		fix(f, "add \"intel_iommu=on,sm_on\" " GRUB);
		return problem(f,
			       "%s can do scalable mode, but this kernel uses it only with \"sm_on\"",
			       iommu->name);
	}
	if (!(iommu->ecap & ECAP_PASID) || !(iommu->ecap & ECAP_FSTS)) {
		fix(f,
		    "no setting brings it; in a virtual machine: -device intel-iommu,scalable-mode=on,fsts=on,pasid-bits=20");
		return problem(f, "%s is in scalable mode, but has no %s",
			       iommu->name, iommu->ecap & ECAP_PASID ?
			       "first-stage translation" : "PASIDs");
	}
	return ok(f, "%s is in scalable mode, with PASIDs", iommu->name);
}

static enum verdict amd_pasid(struct finding *f, const struct iommu *iommu)
{
	if (iommu->ecap & EFR_GT)
		return ok(f, "%s translates for PASIDs", iommu->name);
	fix(f, "no setting brings it: PASIDs need an AMD IOMMU with guest translation");
	return problem(f, "%s has no guest translation, which PASIDs need (features %#llx)",
		       iommu->name, (unsigned long long)iommu->ecap);
}

/*
 * One IOMMU that can do it will do; which one a device is behind is looked at
 * with the device. The last problem is told.
 */
static enum verdict any_iommu(struct machine *m, struct finding *f,
			      enum verdict (*one)(struct machine *m,
						  struct finding *f,
						  const struct iommu *iommu))
{
	enum verdict verdict = VERDICT_NA;
	unsigned int i;

	not_applicable(f, "there is no IOMMU to ask");
	for (i = 0; i < m->iommus; i++) {
		if (!iommu_is_hardware(&m->iommu[i]))
			continue;
		*f->fix = '\0';
		verdict = one(m, f, &m->iommu[i]);
		if (verdict == VERDICT_OK)
			break;
	}
	return verdict;
}

static enum verdict one_pasid(struct machine *m, struct finding *f,
			      const struct iommu *iommu)
{
	if (iommu->kind == IOMMU_INTEL)
		return intel_pasid(m, f, iommu);
	if (iommu->kind == IOMMU_AMD)
		return amd_pasid(f, iommu);
	return not_applicable(f, "%s does not show in sysfs what it can do; see dmesg",
			      iommu->name);
}

enum verdict check_iommu_pasid(struct machine *m, struct finding *f)
{
	return any_iommu(m, f, one_pasid);
}

static bool cpu_flag(const char *flag)
{
	char line[8192], *list;
	bool found = false;
	FILE *info = fopen("/proc/cpuinfo", "re");

	while (info && fgets(line, sizeof(line), info)) {
		if (strncmp(line, "flags", strlen("flags")))
			continue;
		list = strstr(line, flag);
		found = list && list[-1] == ' ' && isspace(list[strlen(flag)]);
		break;
	}
	if (info)
		fclose(info);
	return found;
}

/* The page tables of a process are the CPU's: the IOMMU must know all of them. */
static const char *intel_lacks(const struct iommu *iommu)
{
	if (!(iommu->ecap & ECAP_PRS) || !(iommu->ecap & ECAP_PDS))
		return "page requests";
	if (!(iommu->ecap & ECAP_DT))
		return "device TLBs (ATS)";
	if (!(iommu->cap & CAP_FL1GP) && cpu_flag("pdpe1gb"))
		return "pages of 1 GiB, which the CPU uses";
	if (!(iommu->cap & CAP_FL5LP) && cpu_flag("la57"))
		return "page tables of 5 levels, which the CPU uses";
	return NULL;
}

static enum verdict one_process(struct machine *m, struct finding *f,
				const struct iommu *iommu)
{
	const char *lacks = NULL;

	(void)m;
	if (iommu->kind == IOMMU_INTEL)
		lacks = intel_lacks(iommu);
	else if (iommu->kind == IOMMU_AMD)
		lacks = iommu->ecap & EFR_PPR ? NULL : "page requests";
	else
		return not_applicable(f, "%s does not show in sysfs what it can do; see dmesg",
				      iommu->name);
	if (!lacks)
		return ok(f, "%s can share the memory of processes", iommu->name);
	if (strstr(lacks, "5 levels"))
		fix(f, "add \"no5lvl\" " GRUB);
	else
		fix(f,
		    "no setting brings it: use PASIDs with address spaces that programs map (sva_as_alloc_iova(3)), or another machine");
	return problem(f, "%s cannot share the memory of processes: it has no %s",
		       iommu->name, lacks);
}

enum verdict check_page_requests(struct machine *m, struct finding *f)
{
	return any_iommu(m, f, one_process);
}
