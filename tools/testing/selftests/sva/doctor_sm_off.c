// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva doctor on a machine whose IOMMU could, but was told not to.
 *
 * Machine: vtd-sm-off
 */
#include "kselftest_harness.h"

#include "doctor_util.h"

#define DEVICE	"0000:01:00.0"

TEST(doctor_scalable_mode_off)
{
	struct visit visit = doctor_visit(TOOL_ROOT, DEVICE);

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "iommu"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "iommu-pasid"));
	EXPECT_TRUE(doctor_fix_has(&visit, "iommu-pasid", "remove \"sm_off\""));
	doctor_end(&visit);
}

/* It does not matter to those that are behind another IOMMU. */
TEST(doctor_software_iommu_beside)
{
	struct visit visit = doctor_visit(TOOL_ROOT, "");

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(0, visit.status);
	EXPECT_STREQ("not-applicable", doctor_verdict(&visit, "iommu-pasid"));
	doctor_end(&visit);
}

TEST_HARNESS_MAIN
