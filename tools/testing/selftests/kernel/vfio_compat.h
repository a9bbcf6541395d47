/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library of the kernel's VFIO tests calls, and releases of its source
 * do not have. Included before everything else.
 */
#ifndef VFIO_COMPAT_H
#define VFIO_COMPAT_H

#include <stdio.h>
#include <stdlib.h>

static inline void *calloc_assert(size_t count, size_t size)
{
	void *mem = calloc(count, size);

	if (!mem) {
		perror("calloc");
		exit(EXIT_FAILURE);
	}
	return mem;
}

#endif /* VFIO_COMPAT_H */
