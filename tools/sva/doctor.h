/* SPDX-License-Identifier: GPL-2.0-only */
/* sva doctor: what its checks look at, and what they find. */
#ifndef SVA_TOOL_DOCTOR_H
#define SVA_TOOL_DOCTOR_H

#include <libkmod.h>
#include <sys/utsname.h>

#include "device.h"

#define IOMMUS_MAX	64

enum iommu_kind {
	IOMMU_INTEL,
	IOMMU_AMD,
	IOMMU_SMMU,
	IOMMU_SOFTWARE,
	IOMMU_OTHER,
};

/**
 * struct iommu - an IOMMU instance
 * @name: Its name in /sys/class/iommu
 * @kind: Which driver's
 * @cap: Intel: its capability register
 * @ecap: Intel: its extended capability register; AMD: its extended features
 */
struct iommu {
	char name[SVA_NAME_MAX];
	enum iommu_kind kind;
	uint64_t cap;
	uint64_t ecap;
};

/**
 * struct machine - what is looked at before the checks begin
 * @uts: The running kernel
 * @cmdline: Its command line
 * @options: Its configuration, a line for each option that is set, or NULL
 * @options_path: Where that comes from
 * @acpi_dmar: The firmware describes Intel IOMMUs
 * @acpi_ivrs: The firmware describes AMD IOMMUs
 * @acpi_iort: The firmware describes Arm IOMMUs
 * @acpi: There are tables of the firmware at all
 * @iommu: IOMMU instances
 * @iommus: How many
 * @udev: libudev
 * @kmod: libkmod, or NULL
 * @module: The module sva, or NULL if there is none for this kernel
 * @sva: A context, or NULL
 * @sva_error: Why there is none: what sva_open() returned
 * @devices: Those to look at
 * @wanted: The one that was asked for, or NULL
 * @software: There is a device behind the software IOMMU, and none with another
 *            was asked for: nothing about hardware stands in the way
 */
struct machine {
	struct utsname uts;
	char cmdline[4096];
	char *options;
	char options_path[128];
	bool acpi_dmar;
	bool acpi_ivrs;
	bool acpi_iort;
	bool acpi;
	struct iommu iommu[IOMMUS_MAX];
	unsigned int iommus;
	struct udev *udev;
	struct kmod_ctx *kmod;
	struct kmod_module *module;
	struct sva *sva;
	int sva_error;
	struct devices devices;
	const char *wanted;
	bool software;
};

int machine_look(struct machine *m, const char *wanted);
void machine_forget(struct machine *m);
const char *machine_option(const struct machine *m, const char *option);
const char *machine_parameter(const struct machine *m, const char *name,
			      const char **from);
const struct iommu *machine_iommu(const struct machine *m, const char *name);
bool machine_has(const struct machine *m, enum iommu_kind kind);
bool iommu_is_hardware(const struct iommu *iommu);

enum verdict {
	VERDICT_OK,
	VERDICT_PROBLEM,
	VERDICT_NA,
};

/**
 * struct finding - what a check found
 * @text: What is the case
 * @fix: What to do, or ""
 */
struct finding {
	char text[512];
	char fix[512];
};

/* Each fills in a finding and returns its verdict, for "return ok(...)". */
enum verdict ok(struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum verdict problem(struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum verdict not_applicable(struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Says what to do about a problem: to be called before it. */
void fix(struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The checks, in the order in which they are made. */
enum verdict check_kernel(struct machine *m, struct finding *f);
enum verdict check_boot(struct machine *m, struct finding *f);
enum verdict check_firmware(struct machine *m, struct finding *f);
enum verdict check_iommu(struct machine *m, struct finding *f);
enum verdict check_iommu_pasid(struct machine *m, struct finding *f);
enum verdict check_page_requests(struct machine *m, struct finding *f);
enum verdict check_module_present(struct machine *m, struct finding *f);
enum verdict check_module_signed(struct machine *m, struct finding *f);
enum verdict check_module_loaded(struct machine *m, struct finding *f);
enum verdict check_node(struct machine *m, struct finding *f);
enum verdict check_rights(struct machine *m, struct finding *f);
enum verdict check_pool(struct machine *m, struct finding *f);
enum verdict check_quota(struct machine *m, struct finding *f);
enum verdict check_allocation(struct machine *m, struct finding *f);
enum verdict check_any_device(struct machine *m, struct finding *f);

enum verdict check_device_iommu(struct machine *m, const struct device *d,
				struct finding *f);
enum verdict check_device_pasid(struct machine *m, const struct device *d,
				struct finding *f);
enum verdict check_device_ats(struct machine *m, const struct device *d,
			      struct finding *f);
enum verdict check_device_pri(struct machine *m, const struct device *d,
			      struct finding *f);
enum verdict check_device_driver(struct machine *m, const struct device *d,
				 struct finding *f);
enum verdict check_device_node(struct machine *m, const struct device *d,
			       struct finding *f);

#endif /* SVA_TOOL_DOCTOR_H */
