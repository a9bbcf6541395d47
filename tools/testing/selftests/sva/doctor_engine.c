// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva doctor about a PCI function with PASIDs, ATS and page requests, behind an
 * IOMMU that can: everything is well.
 *
 * Machine: engine
 */
#include <limits.h>

#include "kselftest_harness.h"

#include "doctor_util.h"
#include "sva_core.h"

#define DEVICE	"0000:01:00.0"
#define DRIVER	"/sys/bus/pci/devices/" DEVICE "/driver"

FIXTURE(doctor_engine) {
	struct visit visit;
};

FIXTURE_SETUP(doctor_engine)
{
}

FIXTURE_TEARDOWN(doctor_engine)
{
	doctor_end(&self->visit);
}

#define VERDICT(_id) doctor_found(&self->visit, DEVICE, _id, "verdict")

TEST_F(doctor_engine, doctor_all_well)
{
	static const char *const checks[] = {
		"kernel", "boot", "firmware", "iommu", "iommu-pasid",
		"iommu-process", "module-loaded", "node", "rights", "pool",
		"allocation", "devices",
	};
	size_t i;

	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_EQ(0, self->visit.status);
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		EXPECT_STREQ("ok", doctor_verdict(&self->visit, checks[i])) {
			TH_LOG("%s", checks[i]);
		}
	}
	EXPECT_STREQ("ok", VERDICT("device-iommu"));
	EXPECT_STREQ("ok", VERDICT("device-pasid"));
	EXPECT_STREQ("ok", VERDICT("device-ats"));
	EXPECT_STREQ("ok", VERDICT("device-pri"));
	EXPECT_STREQ("ok", VERDICT("device-driver"));
	EXPECT_STREQ("ok", VERDICT("device-node"));
}

/* What he cannot see does not keep it from working. */
TEST_F(doctor_engine, doctor_well_for_a_member)
{
	self->visit = doctor_visit(TOOL_MEMBER, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_EQ(0, self->visit.status);
	EXPECT_STREQ("ok", VERDICT("device-pasid"));
	EXPECT_STREQ("not-applicable", VERDICT("device-ats"));
}

static int write_name(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, DEVICE, strlen(DEVICE));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -errno : 0;
}

TEST_F(doctor_engine, doctor_no_driver)
{
	char driver[PATH_MAX], path[PATH_MAX];

	ASSERT_NE(NULL, realpath(DRIVER, driver));
	snprintf(path, sizeof(path), "%.4000s/unbind", driver);
	ASSERT_EQ(0, write_name(path));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	snprintf(path, sizeof(path), "%.4000s/bind", driver);
	EXPECT_EQ(0, write_name(path));
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_EQ(1, self->visit.status);
	EXPECT_STREQ("ok", VERDICT("device-pasid"));
	EXPECT_STREQ("problem", VERDICT("device-driver"));
}

TEST_F(doctor_engine, doctor_devices_show_capabilities)
{
	struct tool tool = tool_run("sva devices --json");
	struct json_object *json = tool_json(&tool), *row;

	ASSERT_NE(NULL, json);
	row = tool_row(tool_get(json, "devices"), "name", DEVICE);
	EXPECT_STREQ("on", json_object_get_string(tool_get(row, "pasid")));
	EXPECT_STREQ("on", json_object_get_string(tool_get(row, "ats")));
	json_object_put(json);
	tool_free(&tool);
}

TEST_HARNESS_MAIN
