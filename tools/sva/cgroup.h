/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the cgroups are. */
#ifndef SVA_TOOL_CGROUP_H
#define SVA_TOOL_CGROUP_H

#include <stddef.h>

int cgroup_root(char *path, size_t len);
int cgroup_own(char *path, size_t len);
int cgroup_find(const char *name, char *path, size_t len);

#endif /* SVA_TOOL_CGROUP_H */
