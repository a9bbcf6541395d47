// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked with the kernel's VFIO tests, so that they can be run in other ways than
 * those that are written in them. The environment says how.
 *
 * VFIO_DEFAULT_MODE  the mode of tests that know no other than the default of their
 *                    library, iommufd
 * VFIO_DRIVER        the driver that is meant where "vfio-pci" is expected
 */
#include <stdlib.h>
#include <string.h>

extern const char *default_iommu_mode;

static void __attribute__((constructor)) set_default_mode(void)
{
	const char *mode = getenv("VFIO_DEFAULT_MODE");

	if (mode)
		default_iommu_mode = mode;
}

char *__real_sysfs_driver_get(const char *bdf);
char *__wrap_sysfs_driver_get(const char *bdf);

/* The linker has the tests call this one. */
char *__wrap_sysfs_driver_get(const char *bdf)
{
	const char *meant = getenv("VFIO_DRIVER");
	char *name = __real_sysfs_driver_get(bdf);

	if (!name || !meant || strcmp(name, meant))
		return name;
	free(name);
	return strdup("vfio-pci");
}
