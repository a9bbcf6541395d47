// SPDX-License-Identifier: GPL-2.0-only
/* Checks of the module, the node, and what the caller may have. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup.h"
#include "doctor.h"

#define NODE "/dev/sva"

/* --- the module ------------------------------------------------------------ */

enum verdict check_module_present(struct machine *m, struct finding *f)
{
	const char *path = m->module ? kmod_module_get_path(m->module) : NULL;

	if (path && !access(path, F_OK))
		return ok(f, "%s", path);
	if (module_is_loaded())
		return ok(f, "it is loaded or a part of the kernel");
	fix(f, "build and install it: make install KERNEL=%.*s, then depmod",
	    (int)strcspn(m->uts.release, "+-"), m->uts.release);
	return problem(f, "there is no module sva for Linux %s", m->uts.release);
}

/* From the module's own information; "" without one. */
static void module_info(struct kmod_module *module, const char *key, char *value,
			size_t len)
{
	struct kmod_list *list = NULL, *item;

	*value = '\0';
	if (!module || kmod_module_get_info(module, &list) < 0)
		return;
	kmod_list_foreach(item, list)
		if (!strcmp(kmod_module_info_get_key(item), key))
			snprintf(value, len, "%s",
				 kmod_module_info_get_value(item));
	kmod_module_info_free_list(list);
}

/* What forbids modules that are not signed, or NULL. */
static const char *signatures_wanted(const struct machine *m)
{
	char text[128];

	if (m->options && machine_option(m, "MODULE_SIG_FORCE"))
		return "this kernel (CONFIG_MODULE_SIG_FORCE)";
	if (!read_text("/sys/module/module/parameters/sig_enforce", text,
		       sizeof(text)) && *text == 'Y')
		return "the kernel's command line (module.sig_enforce)";
	if (!read_text("/sys/kernel/security/lockdown", text, sizeof(text)) &&
	    !strstr(text, "[none]"))
		return "lockdown (Secure Boot)";
	return NULL;
}

enum verdict check_module_signed(struct machine *m, struct finding *f)
{
	const char *wanted = signatures_wanted(m);
	char signer[128];

	if (!m->module || !kmod_module_get_path(m->module))
		return not_applicable(f, "there is no module file");
	module_info(m->module, "signer", signer, sizeof(signer));
	if (*signer)
		return ok(f, "by %s", signer);
	if (!wanted || module_is_loaded())
		return ok(f, "no, and no signature is wanted");
	fix(f,
	    "sign it with a key that the machine trusts (mokutil --import, then scripts/sign-file), or switch Secure Boot off");
	return problem(f, "no, and %s demands it", wanted);
}

enum verdict check_module_loaded(struct machine *m, struct finding *f)
{
	char magic[128];

	if (module_is_loaded())
		return ok(f, "yes");
	module_info(m->module, "vermagic", magic, sizeof(magic));
	if (*magic && strncmp(magic, m->uts.release, strcspn(magic, " "))) {
		fix(f, "build it again for the running kernel");
		return problem(f, "no, and it was built for Linux %.*s",
			       (int)strcspn(magic, " "), magic);
	}
	if (m->module)
		fix(f,
		    "load your device's driver, or run \"modprobe sva\" as root; if that refuses: dmesg | tail");
	else
		fix(f, "install it first, see above");
	return problem(f, "no");
}

/* --- the node and its rights ----------------------------------------------- */

enum verdict check_node(struct machine *m, struct finding *f)
{
	struct stat st;

	(void)m;
	if (stat(NODE, &st)) {
		if (module_is_loaded())
			fix(f,
			    "have udev make it: udevadm trigger /sys/class/misc/sva; else see whether /dev is a devtmpfs");
		else
			fix(f, "load the module first, see above");
		return problem(f, "there is no " NODE);
	}
	if (!S_ISCHR(st.st_mode)) {
		fix(f, "remove it, then: udevadm trigger /sys/class/misc/sva");
		return problem(f, NODE " is not a device node");
	}
	return ok(f, NODE);
}

static bool session_has(gid_t gid)
{
	gid_t list[256];
	int i, count = getgroups(256, list);

	for (i = 0; i < count; i++)
		if (list[i] == gid)
			return true;
	return getegid() == gid;
}

static bool is_member(const struct group *group, const char *user)
{
	char *const *member;

	for (member = group->gr_mem; *member; member++)
		if (!strcmp(*member, user))
			return true;
	return false;
}

static enum verdict no_right(struct finding *f, const struct stat *st)
{
	const struct group *group = getgrgid(st->st_gid);
	const char *name = group ? group->gr_name : "?";
	const char *user = user_name(geteuid());
	unsigned int mode = st->st_mode & 0777;

	if ((mode & 0060) != 0060 || !st->st_gid) {
		fix(f, "install udev/60-sva.rules, run systemd-sysusers, then: udevadm trigger "
		    NODE);
		return problem(f, "mode %04o, group %s: the udev rules have not been applied to "
			       NODE, mode, name);
	}
	if (group && is_member(group, user) && !session_has(st->st_gid)) {
		fix(f, "log out and in again");
		return problem(f, "%s is in the group %s, but not yet in this session",
			       user, group->gr_name);
	}
	fix(f, "as root: usermod -a -G %s %s, then log in again", name, user);
	return problem(f, "%s may not open " NODE ", which is the group %s's",
		       user, name);
}

enum verdict check_rights(struct machine *m, struct finding *f)
{
	struct stat st;

	if (stat(NODE, &st))
		return not_applicable(f, "there is no " NODE);
	if (!m->sva && euidaccess(NODE, R_OK | W_OK))
		return no_right(f, &st);
	if (m->sva || !module_is_loaded())
		return ok(f, "%s may open " NODE, user_name(geteuid()));
	fix(f, "see dmesg, and whether a container or SELinux is in the way");
	return problem(f, NODE " cannot be opened: %s",
		       sva_strerror(SVA_CALL_OPEN, m->sva_error));
}

/* --- PASIDs ---------------------------------------------------------------- */

enum verdict check_pool(struct machine *m, struct finding *f)
{
	uint64_t used = 0, size = 0;

	(void)m;
	if (read_number("/sys/class/misc/sva/pasids", &used) ||
	    read_number("/sys/class/misc/sva/pool_size", &size))
		return not_applicable(f, "the module is not loaded");
	if (used < size)
		return ok(f, "%llu of %llu are free",
			  (unsigned long long)(size - used),
			  (unsigned long long)size);
	fix(f,
	    "end programs that have many (\"sva list\"), or make the pool larger: options sva pool_share=80 in /etc/modprobe.d/sva.conf");
	return problem(f, "all %llu are in use", (unsigned long long)size);
}

static bool is_used_up(const struct sva *sva, const char *path)
{
	struct sva_quota quota;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return false;
	err = sva_quota_cgroup(sva, fd, &quota, sizeof(quota));
	close(fd);
	return !err && quota.max != SVA_QUOTA_NO_LIMIT && quota.used >= quota.max;
}

/* Of the caller's cgroup and those above it, the one whose limit is reached. */
static bool find_limit(const struct sva *sva, char *path, size_t len)
{
	char root[4096];

	if (cgroup_root(root, sizeof(root)) || cgroup_own(path, len))
		return false;
	while (strlen(path) > strlen(root)) {
		if (is_used_up(sva, path))
			return true;
		*strrchr(path, '/') = '\0';
	}
	return false;
}

static enum verdict cgroup_is_full(struct machine *m, struct finding *f)
{
	char path[4096];

	if (!find_limit(m->sva, path, sizeof(path))) {
		fix(f,
		    "have it raised outside of this container: sva quota tree shows where it is");
		return problem(f, "a cgroup above this one may have no more PASIDs");
	}
	fix(f,
	    "end programs that have some (\"sva list\"), or as root: sva quota set %s NUMBER",
	    path);
	return problem(f, "the cgroup %s may have no more PASIDs", path);
}

static enum verdict user_is_full(struct finding *f, const struct sva_quota *quota)
{
	const char *user = user_name(geteuid());

	fix(f,
	    "end programs that have some (\"sva list\"), or as root: sva quota set --user %s NUMBER",
	    user);
	return problem(f, "%s may have %u PASIDs, and has them", user, quota->max);
}

static bool is_limited(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &header, data) ||
	       !(data[0].effective & 1U << CAP_SYS_RESOURCE);
}

enum verdict check_quota(struct machine *m, struct finding *f)
{
	struct sva_quota cgroup, user;
	uint32_t left;
	int err;

	if (!m->sva)
		return not_applicable(f, "not known, as " NODE " cannot be opened");
	err = sva_quota_cgroup(m->sva, -1, &cgroup, sizeof(cgroup));
	if (!err)
		err = sva_quota_user(m->sva, geteuid(), &user, sizeof(user));
	if (err)
		return not_applicable(f, "%s", sva_strerror(SVA_CALL_QUOTA, err));
	if (!cgroup.left)
		return cgroup_is_full(m, f);
	left = cgroup.left;
	if (is_limited()) {
		if (!user.left)
			return user_is_full(f, &user);
		if (user.left < left)
			left = user.left;
	}
	if (left == SVA_QUOTA_NO_LIMIT)
		return ok(f, "no limit");
	return ok(f, "%u PASIDs", left);
}

/* The proof of what the other checks conclude. */
enum verdict check_allocation(struct machine *m, struct finding *f)
{
	uint32_t pasid;
	int err;

	if (!m->sva)
		return not_applicable(f, "not tried, as " NODE " cannot be opened");
	err = sva_pasid_alloc(m->sva, &pasid);
	if (!err) {
		sva_pasid_free(m->sva, pasid);
		return ok(f, "a PASID was given out and taken back");
	}
	fix(f, "%s", err == -EDQUOT ? "have the quota raised, see above" :
				      "see the checks above");
	return problem(f, "a PASID is refused: %s",
		       sva_strerror(SVA_CALL_PASID_ALLOC, err));
}
