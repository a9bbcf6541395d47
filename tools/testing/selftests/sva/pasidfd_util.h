/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of PASID fds: making them, and becoming somebody who is trusted with
 * nothing else.
 */
#ifndef PASIDFD_UTIL_H
#define PASIDFD_UTIL_H

#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "bond_util.h"

/* Answers the descriptor or a negative errno; @id may be NULL. */
static inline int pasidfd_make(int fd, uint32_t pasid, uint32_t *id)
{
	struct sva_pasid_fd cmd = { .size = sizeof(cmd), .pasid = pasid };
	int ret = sva_ioctl(fd, SVA_PASID_FD, &cmd);

	if (id)
		*id = cmd.id;
	return ret ? ret : cmd.fd;
}

/* One more queue of an engine, attached by a PASID fd; or a negative errno. */
static inline int pasidfd_attached(unsigned int engine, int pasidfd)
{
	char name[16];

	snprintf(name, sizeof(name), "sva_sim%u", engine);
	return bond_attached(name, pasidfd, 0);
}

static inline uint32_t pasidfd_bonds(int fd, uint32_t pasid)
{
	struct sva_pasid_info info;

	return sva_pasid_info(fd, pasid, &info) ? ~0u : info.bonds;
}

/* Nobody's user and group, no others, and by that no capabilities. */
static inline int pasidfd_drop_rights(void)
{
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		return -errno;
	return 0;
}

#endif /* PASIDFD_UTIL_H */
