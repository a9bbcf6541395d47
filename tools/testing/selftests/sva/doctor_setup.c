// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva doctor on a machine without an IOMMU, in broken set-ups: each is told as
 * what it is, with its fix, and only a set-up that works ends with status 0.
 *
 * Seconds: 400
 */
#include <sys/sysmacros.h>

#include "kselftest_harness.h"

#include "bond_util.h"
#include "doctor_util.h"
#include "sva_modules.h"

/* Modules may be unloaded, files hidden; afterwards all is as it was. */
FIXTURE(doctor_setup) {
	bool modules;
};

FIXTURE_SETUP(doctor_setup)
{
	ASSERT_EQ(0, tool_private());
}

FIXTURE_TEARDOWN_PARENT(doctor_setup)
{
	if (!modules_loaded("sva") || !modules_loaded("sva_sim"))
		EXPECT_EQ(0, modules_restore());
}

TEST_F(doctor_setup, doctor_works)
{
	struct visit visit = doctor_visit(TOOL_ROOT, "");
	struct json_object *rows, *row;
	const char *verdict;
	size_t i;

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(0, visit.status);
	EXPECT_TRUE(doctor_works(&visit));
	rows = tool_get(visit.json, "checks");
	for (i = 0; i < json_object_array_length(rows); i++) {
		row = json_object_array_get_idx(rows, i);
		verdict = json_object_get_string(tool_get(row, "verdict"));
		EXPECT_STRNE("problem", verdict) {
			TH_LOG("%s", json_object_to_json_string(row));
		}
	}
	EXPECT_STREQ("ok", doctor_found(&visit, "sva_sim.0", "device-pasid",
					"verdict"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_works_for_a_member)
{
	struct visit visit = doctor_visit(TOOL_MEMBER, "/dev/sva_sim1");

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(0, visit.status);
	EXPECT_EQ(1, json_object_array_length(tool_get(visit.json, "devices")));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_text_says_the_same)
{
	struct tool tool = tool_run("sva doctor");

	EXPECT_EQ(0, tool.status);
	EXPECT_NE(NULL, strstr(tool.out, "An attach would work."));
	EXPECT_NE(NULL, strstr(tool.out, "module loaded"));
	/* not a terminal */
	EXPECT_EQ(NULL, strchr(tool.out, '\033'));
	EXPECT_STREQ("", tool.err);
	tool_free(&tool);
}

TEST_F(doctor_setup, doctor_no_iommu)
{
	struct visit visit;

	ASSERT_EQ(0, modules_unload_one("sva_sim"));
	ASSERT_EQ(0, modules_unload_one("sva_sim_iommu"));
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_FALSE(doctor_works(&visit));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "firmware"));
	EXPECT_TRUE(doctor_fix_has(&visit, "firmware", "VT-d"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "iommu"));
	EXPECT_STREQ("ok", doctor_verdict(&visit, "module-loaded"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_no_device)
{
	struct visit visit;

	ASSERT_EQ(0, modules_unload_one("sva_sim"));
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "devices"));
	EXPECT_TRUE(doctor_fix_has(&visit, "devices", "modprobe"));
	doctor_end(&visit);

	/* a user is told that he cannot see */
	visit = doctor_visit(TOOL_MEMBER, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_TRUE(doctor_fix_has(&visit, "devices", "sudo"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_device_without_pasid)
{
	struct visit visit = doctor_visit(TOOL_ROOT, "0000:00:01.0");

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_found(&visit, "0000:00:01.0",
					     "device-pasid", "verdict"));
	/* what is on the machine is no longer enough */
	EXPECT_STREQ("problem", doctor_verdict(&visit, "iommu"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_unknown_device)
{
	struct tool tool = tool_run("sva doctor 0000:ff:1f.7");

	EXPECT_EQ(1, tool.status);
	EXPECT_STREQ("", tool.out);
	EXPECT_TRUE(tool_one_line(tool.err));
	EXPECT_NE(NULL, strstr(tool.err, "sva devices"));
	tool_free(&tool);
}

TEST_F(doctor_setup, doctor_not_loaded)
{
	struct visit visit;

	ASSERT_EQ(0, modules_unload());
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "module-present"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "module-loaded"));
	EXPECT_TRUE(doctor_fix_has(&visit, "module-loaded", "modprobe sva"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "node"));
	/* it only looked */
	EXPECT_FALSE(modules_loaded("sva"));
	doctor_end(&visit);
}

/* A static node: who opened it would have the module loaded. */
TEST_F(doctor_setup, doctor_does_not_load)
{
	struct visit visit;
	struct tool tool;

	ASSERT_EQ(0, modules_unload());
	/* any number: the node must not be opened */
	ASSERT_EQ(0, mknod("/dev/sva", S_IFCHR | 0666, makedev(10, 250)));
	EXPECT_EQ(0, chmod("/dev/sva", 0666));
	visit = doctor_visit(TOOL_MEMBER, "");
	tool = tool_run("sva list");
	EXPECT_EQ(0, unlink("/dev/sva"));
	EXPECT_FALSE(modules_loaded("sva"));
	EXPECT_EQ(1, tool.status);
	tool_free(&tool);
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "module-loaded"));
	EXPECT_STREQ("ok", doctor_verdict(&visit, "node"));
	EXPECT_STREQ("ok", doctor_verdict(&visit, "rights"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_no_module)
{
	struct visit visit;
	char path[128];

	ASSERT_EQ(0, modules_unload());
	tool_module_path(path, sizeof(path), "");
	ASSERT_EQ(0, tool_hide(path));
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "module-present"));
	EXPECT_TRUE(doctor_fix_has(&visit, "module-present", "make install"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "module-loaded"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_signature_demanded)
{
	const char *demand = "/sys/module/module/parameters/sig_enforce";
	struct visit visit;

	if (access(demand, F_OK))
		SKIP(return, "this kernel cannot demand signatures");
	ASSERT_EQ(0, modules_unload());
	ASSERT_EQ(0, tool_fake_text(demand, "Y\n"));
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "module-signed"));
	EXPECT_TRUE(doctor_fix_has(&visit, "module-signed", "sign it"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_no_rights)
{
	struct visit visit = doctor_visit(TOOL_STRANGER, "");

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "node"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "rights"));
	/* in the machine's group file, not in the session */
	EXPECT_TRUE(doctor_fix_has(&visit, "rights", "in again"));
	/* devices can be looked at all the same */
	EXPECT_STREQ("ok", doctor_found(&visit, "sva_sim.0", "device-driver",
					"verdict"));
	EXPECT_STREQ("problem", doctor_found(&visit, "sva_sim.0", "device-node",
					     "verdict"));
	doctor_end(&visit);

	ASSERT_EQ(0, tool_fake_text("/etc/group", "root:x:0:\nsva:x:990:\n"));
	visit = doctor_visit(TOOL_STRANGER, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_TRUE(doctor_fix_has(&visit, "rights", "usermod -a -G"));
	doctor_end(&visit);
}

/* A node as the kernel makes it, before any rule of udev's. */
TEST_F(doctor_setup, doctor_no_udev_rule)
{
	struct visit visit;
	struct stat st;

	ASSERT_EQ(0, stat("/dev/sva", &st));
	ASSERT_EQ(0, mknod("/dev/sva-test", S_IFCHR | 0600, st.st_rdev));
	EXPECT_EQ(0, mount("/dev/sva-test", "/dev/sva", NULL, MS_BIND, NULL));
	EXPECT_EQ(0, unlink("/dev/sva-test"));
	visit = doctor_visit(TOOL_MEMBER, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "rights"));
	EXPECT_TRUE(doctor_fix_has(&visit, "rights", "60-sva.rules"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_no_node)
{
	struct visit visit;

	ASSERT_EQ(0, tool_hide("/dev"));
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "module-loaded"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "node"));
	EXPECT_TRUE(doctor_fix_has(&visit, "node", "udevadm trigger"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_pool_empty)
{
	struct visit visit;
	uint32_t pasid;
	int fd;

	ASSERT_EQ(0, modules_unload());
	ASSERT_EQ(0, modules_load("pool_bits=4"));
	fd = sva_open();
	ASSERT_LE(0, fd);
	while (!sva_pasid_alloc(fd, 0, 0, 0, &pasid))
		;
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "pool"));
	EXPECT_TRUE(doctor_fix_has(&visit, "pool", "sva list"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "allocation"));
	doctor_end(&visit);
	close(fd);
	/* with the usual pool again */
	EXPECT_EQ(0, modules_restore());
}

TEST_F(doctor_setup, doctor_quota_zero)
{
	static const char top[] = "/sys/fs/cgroup/doctor-quota";
	static const char leave[] = "/sys/fs/cgroup/cgroup.procs";
	static const char enter[] = "/sys/fs/cgroup/doctor-quota/in/cgroup.procs";
	struct visit visit;
	struct tool tool;

	tool = tool_run("mkdir -p /sys/fs/cgroup/doctor-quota/in && sva quota set doctor-quota 0");
	ASSERT_EQ(0, tool.status);
	tool_free(&tool);
	ASSERT_EQ(0, sva_write_file(enter, "0"));
	visit = doctor_visit(TOOL_ROOT, "");
	EXPECT_EQ(0, sva_write_file(leave, "0"));
	EXPECT_EQ(0, rmdir("/sys/fs/cgroup/doctor-quota/in"));
	EXPECT_EQ(0, rmdir(top));
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "pool"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "quota"));
	/* that of the cgroup above is the one to raise */
	EXPECT_TRUE(doctor_fix_has(&visit, "quota",
				   "sva quota set /sys/fs/cgroup/doctor-quota NUMBER"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "allocation"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_quota_of_a_user)
{
	struct visit visit;
	struct tool tool;

	tool = tool_run("sva quota set --user 1000 0");
	ASSERT_EQ(0, tool.status);
	tool_free(&tool);
	visit = doctor_visit(TOOL_MEMBER, "");
	tool = tool_run("sva quota set --user 1000 max");
	EXPECT_EQ(0, tool.status);
	tool_free(&tool);
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "quota"));
	EXPECT_TRUE(doctor_fix_has(&visit, "quota", "sva quota set --user"));
	doctor_end(&visit);

	visit = doctor_visit(TOOL_MEMBER, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(0, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "quota"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_kernel_options)
{
	struct visit visit;
	char path[128];

	tool_module_path(path, sizeof(path), "/config");
	ASSERT_EQ(0, tool_fake_text(path, "# CONFIG_IOMMU_SVA is not set\n"
					  "CONFIG_PCI_ATS=y\nCONFIG_PCI_PRI=y\n"
					  "XCONFIG_PCI_PASID=y\n"));
	visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("problem", doctor_verdict(&visit, "kernel"));
	EXPECT_TRUE(doctor_fix_has(&visit, "kernel", "CONFIG_IOMMU_SVA"));
	EXPECT_TRUE(doctor_fix_has(&visit, "kernel", "CONFIG_PCI_PASID"));
	EXPECT_EQ(NULL, strstr(doctor_found(&visit, NULL, "kernel", "fix"),
			       "CONFIG_PCI_ATS"));
	doctor_end(&visit);
}

TEST_F(doctor_setup, doctor_boot_parameters)
{
	static const char *const off[] = {
		"iommu=off", "intel_iommu=off", "amd_iommu=off", "pci=noats",
	};
	char cmdline[64];
	struct visit visit;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(off); i++) {
		snprintf(cmdline, sizeof(cmdline), "quiet %s\n", off[i]);
		ASSERT_EQ(0, tool_fake_text("/proc/cmdline", cmdline));
		visit = doctor_visit(TOOL_ROOT, "0000:00:01.0");
		ASSERT_NE(NULL, visit.json);
		EXPECT_STREQ("problem", doctor_verdict(&visit, "boot"));
		EXPECT_TRUE(doctor_fix_has(&visit, "boot", off[i]));
		doctor_end(&visit);
	}
	/* the last word holds, and another's is not taken for it */
	ASSERT_EQ(0, tool_fake_text("/proc/cmdline",
				    "intel_iommu=off intel_iommu=on xiommu=off\n"));
	visit = doctor_visit(TOOL_ROOT, "0000:00:01.0");
	ASSERT_NE(NULL, visit.json);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "boot"));
	doctor_end(&visit);
}

TEST_HARNESS_MAIN
