// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva doctor on a machine whose IOMMU has no scalable mode.
 *
 * Machine: vtd-legacy
 */
#include "kselftest_harness.h"

#include "doctor_util.h"

TEST(doctor_no_scalable_mode)
{
	struct visit visit = doctor_visit(TOOL_ROOT, "0000:00:01.0");

	ASSERT_NE(NULL, visit.json);
	EXPECT_EQ(1, visit.status);
	EXPECT_STREQ("ok", doctor_verdict(&visit, "firmware"));
	EXPECT_STREQ("ok", doctor_verdict(&visit, "iommu"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "iommu-pasid"));
	EXPECT_NE(NULL, strstr(doctor_found(&visit, NULL, "iommu-pasid", "text"),
			       "no scalable mode"));
	EXPECT_STREQ("problem", doctor_verdict(&visit, "iommu-process"));
	doctor_end(&visit);
}

TEST_HARNESS_MAIN
