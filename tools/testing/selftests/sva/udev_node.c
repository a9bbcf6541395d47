// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device nodes: what the kernel makes, what the udev rules make of it, who
 * can open it then, and that opening it loads the module.
 *
 * Seconds: 120
 */
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/sysmacros.h>

#include "sva_modules.h"
#include "kselftest_harness.h"

#define RULES	"60-sva.rules"
#define UDEVD	"/usr/lib/systemd/systemd-udevd"
#define NODE	"/dev/sva"
#define OUTPUT_MAX 65536
/* Where udevd tells logind of tags of nodes that no driver stands behind. */
#define STATIC_TAG "/run/udev/static_node-tags/uaccess/sva"

/* Somebody who is in the group sva, and somebody who is in no group at all. */
struct person {
	uid_t uid;
	gid_t gid;
	gid_t groups[1];
	int ngroups;
};

static bool find_member(struct person *person)
{
	struct group *group = getgrnam("sva");
	struct passwd *user;

	if (!group || !group->gr_mem[0])
		return false;
	person->groups[0] = group->gr_gid;
	person->ngroups = 1;
	user = getpwnam(group->gr_mem[0]);
	if (!user)
		return false;
	person->uid = user->pw_uid;
	person->gid = user->pw_gid;
	return true;
}

static const struct person stranger = { .uid = 65534, .gid = 65534 };

/* By leaving root's uid, all capabilities go. */
static int become(const struct person *person)
{
	if (setgroups(person->ngroups, person->groups) ||
	    setgid(person->gid) || setuid(person->uid))
		return -errno;
	return 0;
}

/* Opens a node as somebody, and uses it if it is /dev/sva. 0 or an errno. */
static int opened_by(const struct person *person, const char *path)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct sva_get_info info;
		int fd;

		if (become(person))
			_exit(255);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			_exit(errno);
		if (!strcmp(path, NODE) && core_info(fd, &info))
			_exit(254);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Runs a command as somebody, or as we are; its output, and its exit status. */
static int run_as(const struct person *person, const char *command, char *out,
		  size_t size)
{
	size_t len = 0;
	int status, to[2];
	ssize_t n;
	pid_t pid;

	if (pipe(to))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(to[1], 1);
		dup2(to[1], 2);
		close(to[0]);
		close(to[1]);
		if (person && become(person))
			_exit(255);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(254);
	}
	close(to[1]);
	while (len < size - 1) {
		n = read(to[0], out + len, size - 1 - len);
		if (n <= 0)
			break;
		len += n;
	}
	out[len] = '\0';
	close(to[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

FIXTURE(udev_node) {
	struct person member;
	struct group *group;
	char out[OUTPUT_MAX];
};

FIXTURE_VARIANT(udev_node) {
	const char *node;
	const char *sysfs;
};

FIXTURE_VARIANT_ADD(udev_node, sva) {
	.node = NODE,
	.sysfs = "/sys/class/misc/sva",
};

FIXTURE_VARIANT_ADD(udev_node, engine) {
	.node = "/dev/sva_sim0",
	.sysfs = "/sys/class/sva_sim/sva_sim0",
};

static bool udevd_runs(void)
{
	return !access(UDEVD, X_OK) && !access("/run/udev/control", F_OK);
}

FIXTURE_SETUP(udev_node)
{
	if (!udevd_runs())
		SKIP(return, "no systemd-udevd is running");
	if (!find_member(&self->member))
		SKIP(return, "nobody is in the group sva");
	self->group = getgrnam("sva");
	ASSERT_EQ(0, system("udevadm settle --timeout=20"));
}

FIXTURE_TEARDOWN(udev_node)
{
}

/* --- the rules ----------------------------------------------------------------- */

TEST_F(udev_node, udev_rules_are_well_formed)
{
	EXPECT_EQ(0, run_as(&self->member,
			    "udevadm verify /usr/lib/udev/rules.d/" RULES,
			    self->out, sizeof(self->out))) {
		TH_LOG("%s", self->out);
	}
}

/* Somebody without privileges asks what the rules would do. */
TEST_F(udev_node, udev_rules_say)
{
	char command[128], group[64];

	snprintf(command, sizeof(command), "udevadm test %s", variant->sysfs);
	ASSERT_EQ(0, run_as(&self->member, command, self->out,
			    sizeof(self->out)));
	snprintf(group, sizeof(group), "sva (gid=%u)", self->group->gr_gid);
	EXPECT_NE(NULL, strstr(self->out, RULES));
	EXPECT_NE(NULL, strstr(self->out, group));
	EXPECT_NE(NULL, strstr(self->out, "0660"));
	EXPECT_NE(NULL, strstr(self->out, "uaccess"));
}

TEST_F(udev_node, udev_node_is_as_they_say)
{
	char command[128];
	struct stat st;

	ASSERT_EQ(0, stat(variant->node, &st));
	EXPECT_EQ(S_IFCHR | 0660, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(self->group->gr_gid, st.st_gid);

	/* What logind gives to who sits at the machine. */
	snprintf(command, sizeof(command), "udevadm info %s", variant->node);
	ASSERT_EQ(0, run_as(NULL, command, self->out, sizeof(self->out)));
	EXPECT_NE(NULL, strstr(self->out, "CURRENT_TAGS=:uaccess:"));
}

TEST_F(udev_node, udev_who_can_open)
{
	EXPECT_EQ(0, opened_by(&self->member, variant->node));
	EXPECT_EQ(EACCES, opened_by(&stranger, variant->node));
}

/* As long as no rule has been applied, root alone. */
TEST_F(udev_node, udev_kernel_gives_to_root_only)
{
	char path[64], line[64];
	bool other = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/uevent", variant->sysfs);
	f = fopen(path, "re");
	ASSERT_NE(NULL, f);
	/* Without a mode of its own, a node gets 0600. */
	while (fgets(line, sizeof(line), f))
		other |= !strncmp(line, "DEVMODE=", 8) &&
			 strcmp(line, "DEVMODE=0600\n");
	fclose(f);
	EXPECT_FALSE(other);
}

/* --- the node without the module -------------------------------------------------- */

FIXTURE(udev_module) {
	struct person member;
	struct group *group;
	char out[OUTPUT_MAX];
};

FIXTURE_SETUP(udev_module)
{
	if (!udevd_runs())
		SKIP(return, "no systemd-udevd is running");
	if (!find_member(&self->member))
		SKIP(return, "nobody is in the group sva");
	if (!modules_are())
		SKIP(return, "sva is built into the kernel");
	self->group = getgrnam("sva");
	ASSERT_EQ(0, modules_unload());
	ASSERT_NE(0, access(NODE, F_OK));
}

FIXTURE_TEARDOWN(udev_module)
{
	EXPECT_EQ(0, modules_restore());
	EXPECT_EQ(0, system("udevadm settle --timeout=20"));
	EXPECT_EQ(0, opened_by(&self->member, NODE));
}

/* The number that the module's file announces: "c! /dev/sva 0600 - - - 10:250". */
static int static_node(char *out, size_t size, dev_t *dev)
{
	unsigned int major, minor;
	char *line;

	if (run_as(NULL, "kmod static-nodes --format=tmpfiles", out, size))
		return -1;
	line = strstr(out, " " NODE " ");
	if (!line || sscanf(line, " " NODE " %*s - - - %u:%u", &major, &minor) != 2)
		return -1;
	*dev = makedev(major, minor);
	return 0;
}

static int restart_udevd(void)
{
	int i;

	if (system("udevadm control --exit"))
		return -1;
	for (i = 0; i < 500 && !access("/run/udev/control", F_OK); i++)
		core_sleep_ms(10);
	return system(UDEVD " --daemon 2>/dev/null");
}

static bool has_rights(gid_t gid)
{
	struct stat st;
	int i;

	for (i = 0; i < 500; i++) {
		if (!stat(NODE, &st) && st.st_mode == (S_IFCHR | 0660) &&
		    st.st_gid == gid)
			return true;
		core_sleep_ms(10);
	}
	return false;
}

/* What systemd does at boot, by hand. */
TEST_F(udev_module, udev_opening_loads_the_module)
{
	dev_t dev;

	ASSERT_EQ(0, static_node(self->out, sizeof(self->out), &dev));
	ASSERT_EQ(0, mknod(NODE, S_IFCHR | 0600, dev));
	EXPECT_EQ(0, restart_udevd());
	EXPECT_TRUE(has_rights(self->group->gr_gid));
	EXPECT_EQ(0, access(STATIC_TAG, F_OK));

	EXPECT_EQ(EACCES, opened_by(&stranger, NODE));
	EXPECT_FALSE(modules_loaded("sva"));
	EXPECT_EQ(0, opened_by(&self->member, NODE));
	EXPECT_TRUE(modules_loaded("sva"));
	/* The driver's own event must not take the rights away again. */
	EXPECT_EQ(0, system("udevadm settle --timeout=20"));
	EXPECT_TRUE(has_rights(self->group->gr_gid));
	EXPECT_EQ(0, opened_by(&self->member, NODE));

	EXPECT_EQ(0, modules_unload());
	EXPECT_EQ(0, unlink(NODE));
}

/* With a small pool, which is made quickly. */
static int load_with_minor(const char *minor)
{
	char params[64];

	snprintf(params, sizeof(params), "minor=%s pool_bits=8", minor);
	return modules_load_sva(params);
}

static dev_t node_number(void)
{
	struct stat st;

	return stat(NODE, &st) ? 0 : st.st_rdev;
}

TEST_F(udev_module, udev_other_minors)
{
	EXPECT_EQ(0, load_with_minor("254"));
	EXPECT_EQ(makedev(10, 254), node_number());
	EXPECT_EQ(0, modules_unload_one("sva"));
	EXPECT_EQ(0, load_with_minor("255"));
	EXPECT_LT(255, minor(node_number()));
	EXPECT_EQ(0, modules_unload_one("sva"));
	EXPECT_NE(0, load_with_minor("0"));
	EXPECT_NE(0, load_with_minor("242"));
	EXPECT_NE(0, load_with_minor("256"));
	EXPECT_FALSE(modules_loaded("sva"));
	EXPECT_EQ(0, load_with_minor("250"));
	EXPECT_EQ(makedev(10, 250), node_number());
}

TEST_HARNESS_MAIN
