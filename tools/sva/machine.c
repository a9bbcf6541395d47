// SPDX-License-Identifier: GPL-2.0-only
/* What sva doctor looks at before its checks begin. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

/* --- the kernel's configuration and command line --------------------------- */

static char *read_all(FILE *file)
{
	size_t used = 0, room = 0, n;
	char *text = NULL, *more;

	do {
		if (room - used < 4096) {
			room += 512 * 1024;
			more = realloc(text, room);
			if (!more)
				break;
			text = more;
		}
		n = fread(text + used, 1, 4095, file);
		used += n;
		text[used] = '\0';
	} while (n);
	if (used)
		return text;
	free(text);
	return NULL;
}

static void read_options(struct machine *m)
{
	static const char *const places[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
	};
	FILE *file = NULL;
	size_t i;

	snprintf(m->options_path, sizeof(m->options_path), "/proc/config.gz");
	if (!access(m->options_path, R_OK)) {
		file = popen("exec gzip -dc /proc/config.gz 2>/dev/null", "re");
		m->options = file ? read_all(file) : NULL;
		if (file)
			pclose(file);
	}
	for (i = 0; i < ARRAY_SIZE(places) && !m->options; i++) {
		snprintf(m->options_path, sizeof(m->options_path), places[i],
			 m->uts.release);
		file = fopen(m->options_path, "re");
		m->options = file ? read_all(file) : NULL;
		if (file)
			fclose(file);
	}
}

/**
 * machine_option() - an option of the kernel's configuration
 * @m: The machine, whose configuration is known
 * @option: Its name, without "CONFIG_"
 *
 * Return: its value, up to the end of the line, or NULL if it is not set.
 */
const char *machine_option(const struct machine *m, const char *option)
{
	const char *at = m->options;
	size_t len = strlen(option);

	while ((at = strstr(at, "CONFIG_"))) {
		bool begins = at == m->options || at[-1] == '\n';

		at += strlen("CONFIG_");
		if (begins && !strncmp(at, option, len) && at[len] == '=')
			return at + len + 1;
	}
	return NULL;
}

/**
 * machine_parameter() - a parameter on the kernel's command line
 * @m: The machine
 * @name: The parameter
 * @from: Where to go on from, NULL to begin; out: where to go on from
 *
 * Return: its value, up to a blank ("" if it has none), or NULL.
 */
const char *machine_parameter(const struct machine *m, const char *name,
			      const char **from)
{
	const char *at = *from ? *from : m->cmdline;
	size_t len = strlen(name), n;

	while (*at) {
		at += strspn(at, " ");
		n = strcspn(at, " ");
		*from = at + n;
		if (n >= len && !strncmp(at, name, len) &&
		    (n == len || at[len] == '='))
			return at + len + (n > len);
		at += n;
	}
	return NULL;
}

/* --- firmware and IOMMUs --------------------------------------------------- */

static bool acpi_table(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/firmware/acpi/tables/%s", name);
	return !access(path, F_OK);
}

static enum iommu_kind iommu_kind(const char *path, const char *name)
{
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s/intel-iommu", path);
	if (!access(file, F_OK))
		return IOMMU_INTEL;
	snprintf(file, sizeof(file), "%s/amd-iommu", path);
	if (!access(file, F_OK))
		return IOMMU_AMD;
	if (!strncmp(name, "smmu3.", strlen("smmu3.")))
		return IOMMU_SMMU;
	if (!strncmp(name, "sva_sim_iommu", strlen("sva_sim_iommu")))
		return IOMMU_SOFTWARE;
	/* what kernels for tests have for iommufd */
	if (!strncmp(name, "iommufd_selftest", strlen("iommufd_selftest")))
		return IOMMU_SOFTWARE;
	return IOMMU_OTHER;
}

/* The kernel writes them in hexadecimal digits, without 0x. */
static uint64_t iommu_register(const char *path, const char *file)
{
	char name[PATH_MAX], text[32];

	snprintf(name, sizeof(name), "%s/%s", path, file);
	if (read_text(name, text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 16);
}

static void read_iommu(struct machine *m, const char *path)
{
	struct iommu *iommu = &m->iommu[m->iommus];
	const char *name = strrchr(path, '/') + 1;

	if (m->iommus == IOMMUS_MAX)
		return;
	m->iommus++;
	snprintf(iommu->name, sizeof(iommu->name), "%s", name);
	iommu->kind = iommu_kind(path, name);
	if (iommu->kind == IOMMU_INTEL) {
		iommu->cap = iommu_register(path, "intel-iommu/cap");
		iommu->ecap = iommu_register(path, "intel-iommu/ecap");
	} else if (iommu->kind == IOMMU_AMD) {
		iommu->ecap = iommu_register(path, "amd-iommu/features");
	}
}

static void read_iommus(struct machine *m)
{
	struct udev_enumerate *all = udev_enumerate_new(m->udev);
	struct udev_list_entry *entry;

	if (!all)
		return;
	udev_enumerate_add_match_subsystem(all, "iommu");
	udev_enumerate_scan_devices(all);
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all))
		read_iommu(m, udev_list_entry_get_name(entry));
	udev_enumerate_unref(all);
}

bool iommu_is_hardware(const struct iommu *iommu)
{
	return iommu->kind != IOMMU_SOFTWARE;
}

bool machine_has(const struct machine *m, enum iommu_kind kind)
{
	unsigned int i;

	for (i = 0; i < m->iommus; i++)
		if (m->iommu[i].kind == kind)
			return true;
	return false;
}

/* The instance of that name, or NULL. */
const struct iommu *machine_iommu(const struct machine *m, const char *name)
{
	unsigned int i;

	for (i = 0; i < m->iommus; i++)
		if (!strcmp(m->iommu[i].name, name))
			return &m->iommu[i];
	return NULL;
}

/* --- the module and the devices -------------------------------------------- */

/* What libkmod has to say is said by the checks. */
static void no_log(void *data, int priority, const char *file, int line,
		   const char *fn, const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

static void find_module(struct machine *m)
{
	struct kmod_list *list = NULL;

	m->kmod = kmod_new(NULL, NULL);
	if (!m->kmod)
		return;
	kmod_set_log_fn(m->kmod, no_log, NULL);
	if (kmod_module_new_from_lookup(m->kmod, "sva", &list) >= 0 && list)
		m->module = kmod_module_get_module(list);
	kmod_module_unref_list(list);
}

/* Whether there is one behind a software IOMMU, to be seen without any rights. */
static bool software_device(const struct machine *m)
{
	unsigned int i;
	char path[128];
	glob_t found;
	bool any = false;

	for (i = 0; i < m->iommus && !any; i++) {
		if (iommu_is_hardware(&m->iommu[i]))
			continue;
		snprintf(path, sizeof(path), "/sys/class/iommu/%s/devices/*",
			 m->iommu[i].name);
		any = !glob(path, GLOB_NOSORT, NULL, &found);
		globfree(&found);
	}
	return any;
}

static bool behind_software(const struct machine *m, const struct device *d)
{
	const struct iommu *iommu = machine_iommu(m, d->iommu);

	return iommu && !iommu_is_hardware(iommu);
}

/* Leaves only the one that was asked for. */
static int only_wanted(struct machine *m)
{
	struct device *device = devices_find(&m->devices, m->wanted);

	if (!device) {
		int err = devices_add_named(&m->devices, m->udev, m->wanted);

		if (err)
			return err;
		device = &m->devices.list[m->devices.count - 1];
	}
	m->devices.list[0] = *device;
	m->devices.count = 1;
	return 0;
}

static int find_devices(struct machine *m)
{
	int err;

	err = devices_add_registered(&m->devices, m->udev);
	if (!err)
		err = devices_add_pci(&m->devices, m->udev);
	if (!err && m->wanted)
		err = only_wanted(m);
	if (!err)
		m->software = m->wanted ?
			      behind_software(m, &m->devices.list[0]) :
			      software_device(m);
	return err;
}

/**
 * machine_look() - look at everything that the checks need
 * @m: Out: to be given to machine_forget(), also on failure
 * @wanted: The device that was asked for, or NULL
 *
 * Return: 0 or a negative errno; -ENODEV there is no such device.
 */
int machine_look(struct machine *m, const char *wanted)
{
	memset(m, 0, sizeof(*m));
	m->wanted = wanted;
	uname(&m->uts);
	read_text("/proc/cmdline", m->cmdline, sizeof(m->cmdline));
	read_options(m);
	m->acpi = !access("/sys/firmware/acpi/tables", F_OK);
	m->acpi_dmar = acpi_table("DMAR");
	m->acpi_ivrs = acpi_table("IVRS");
	m->acpi_iort = acpi_table("IORT");
	m->udev = udev_new();
	if (!m->udev)
		return -ENOMEM;
	read_iommus(m);
	find_module(m);
	/* A doctor changes nothing: opening the node may load the module. */
	m->sva_error = module_is_loaded() ? sva_open(&m->sva, SVA_OPEN_NO_LOAD) :
					    -ENOENT;
	if (m->sva_error)
		m->sva = NULL;
	return find_devices(m);
}

void machine_forget(struct machine *m)
{
	sva_close(m->sva);
	devices_free(&m->devices);
	kmod_module_unref(m->module);
	kmod_unref(m->kmod);
	udev_unref(m->udev);
	free(m->options);
}
