// SPDX-License-Identifier: GPL-2.0-only
/* Where the cgroups are: the mount, the caller's own, one by its name. */
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup.h"

/**
 * cgroup_root() - find the cgroup v2 hierarchy
 * @path: Out: where it is mounted
 * @len: Room at @path in bytes
 *
 * Return: 0, or -ENOENT it is not mounted.
 */
int cgroup_root(char *path, size_t len)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	int err = -ENOENT;

	if (!mounts)
		return -ENOENT;
	while (err && (entry = getmntent(mounts))) {
		if (!strcmp(entry->mnt_type, "cgroup2")) {
			snprintf(path, len, "%s", entry->mnt_dir);
			err = 0;
		}
	}
	endmntent(mounts);
	return err;
}

static int join(const char *root, const char *name, char *path, size_t len)
{
	name += strspn(name, "/");
	if (snprintf(path, len, "%s%s%s", root, *name ? "/" : "", name) >=
	    (int)len)
		return -ENAMETOOLONG;
	return 0;
}

/**
 * cgroup_own() - find the cgroup of the caller
 * @path: Out: its directory
 * @len: Room at @path in bytes
 *
 * Return: 0, or -ENOENT it cannot be seen from here.
 */
int cgroup_own(char *path, size_t len)
{
	char root[4096], line[4096], *name = NULL;
	FILE *file;
	int err;

	err = cgroup_root(root, sizeof(root));
	if (err)
		return err;
	file = fopen("/proc/self/cgroup", "re");
	if (!file)
		return -ENOENT;
	while (!name && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4) && !strstr(line, "/../"))
			name = line + 3;
	}
	fclose(file);
	return name ? join(root, name, path, len) : -ENOENT;
}

/**
 * cgroup_find() - find a cgroup by its name
 * @name: A directory, or as /proc/PID/cgroup has it
 * @path: Out: its directory
 * @len: Room at @path in bytes
 *
 * Return: 0, or -ENOENT there is none.
 */
int cgroup_find(const char *name, char *path, size_t len)
{
	char root[4096];
	struct stat st;
	int err;

	err = cgroup_root(root, sizeof(root));
	if (err)
		return err;
	if (!strncmp(name, root, strlen(root)))
		err = join("", name, path, len);
	else
		err = join(root, name, path, len);
	if (!err && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		err = -ENOENT;
	return err;
}
