// SPDX-License-Identifier: GPL-2.0-only
/* sva quota: what it shows is what was set and charged, by whom it may be set. */
#include "kselftest_harness.h"

#include "tool_util.h"

#define TOP "/sys/fs/cgroup/tool-quota"

FIXTURE(tool_quota) {
};

FIXTURE_SETUP(tool_quota)
{
	ASSERT_EQ(0, mkdir(TOP, 0755));
	ASSERT_EQ(0, mkdir(TOP "/inner", 0755));
	ASSERT_EQ(0, mkdir(TOP "/idle", 0755));
}

FIXTURE_TEARDOWN(tool_quota)
{
	EXPECT_EQ(0, rmdir(TOP "/idle"));
	EXPECT_EQ(0, rmdir(TOP "/inner"));
	EXPECT_EQ(0, rmdir(TOP));
}

static struct json_object *json_of(const char *command)
{
	struct tool tool = tool_run(command);
	struct json_object *json = tool.status ? NULL : tool_json(&tool);

	if (!json)
		fprintf(stderr, "# %s: %s", command, tool.err);
	tool_free(&tool);
	return json;
}

static int status_as(enum tool_who who, const char *command)
{
	struct tool tool = tool_run_as(who, command);
	int status = tool.status;

	if (status && !tool_one_line(tool.err)) {
		fprintf(stderr, "# %s: %s", command, tool.err);
		status = -1;
	}
	tool_free(&tool);
	return status;
}

static int number(struct json_object *row, const char *key)
{
	return json_object_get_int(tool_get(row, key));
}

TEST_F(tool_quota, tool_quota_set_get)
{
	struct json_object *json, *row;

	ASSERT_EQ(0, status_as(TOOL_ROOT, "sva quota set tool-quota 12"));
	json = json_of("sva quota get --json " TOP "/inner");
	ASSERT_NE(NULL, json);
	row = tool_row(tool_get(json, "cgroups"), "cgroup", TOP "/inner");
	ASSERT_NE(NULL, row);
	EXPECT_TRUE(json_object_object_get_ex(row, "max", NULL));
	EXPECT_EQ(NULL, tool_get(row, "max"));
	EXPECT_EQ(12, number(row, "left"));
	EXPECT_EQ(0, number(row, "current"));
	EXPECT_EQ(0, number(row, "peak"));
	EXPECT_EQ(0, number(row, "events"));
	json_object_put(json);

	ASSERT_EQ(0, status_as(TOOL_ROOT, "sva quota set /tool-quota max"));
	json = json_of("sva quota get -j tool-quota");
	ASSERT_NE(NULL, json);
	row = tool_row(tool_get(json, "cgroups"), "cgroup", TOP);
	EXPECT_EQ(NULL, tool_get(row, "max"));
	EXPECT_EQ(NULL, tool_get(row, "left"));
	json_object_put(json);
}

/* The command itself is refused one in the cgroup, which counts. */
TEST_F(tool_quota, tool_quota_tree)
{
	struct json_object *json, *rows, *row;
	struct tool tool;

	ASSERT_EQ(0, status_as(TOOL_ROOT, "sva quota set tool-quota/inner 0"));
	tool = tool_run("echo $$ >" TOP "/inner/cgroup.procs; exec sva doctor");
	EXPECT_EQ(1, tool.status);
	tool_free(&tool);

	json = json_of("sva quota tree --json tool-quota");
	ASSERT_NE(NULL, json);
	rows = tool_get(json, "cgroups");
	EXPECT_EQ(2, json_object_array_length(rows));
	row = tool_row(rows, "cgroup", TOP "/inner");
	ASSERT_NE(NULL, row);
	EXPECT_NE(NULL, tool_get(row, "max"));
	EXPECT_EQ(0, number(row, "max"));
	EXPECT_EQ(0, number(row, "left"));
	EXPECT_EQ(1, number(row, "events"));
	EXPECT_EQ(1, number(tool_row(rows, "cgroup", TOP), "events"));
	EXPECT_EQ(NULL, tool_row(rows, "cgroup", TOP "/idle"));
	json_object_put(json);

	json = json_of("sva quota tree --json --all");
	ASSERT_NE(NULL, json);
	EXPECT_NE(NULL, tool_row(tool_get(json, "cgroups"), "cgroup",
				 TOP "/idle"));
	json_object_put(json);
}

TEST_F(tool_quota, tool_quota_user)
{
	struct json_object *json, *row;

	ASSERT_EQ(0, status_as(TOOL_ROOT, "sva quota set --user 4711 9"));
	json = json_of("sva quota get --json --user 4711");
	ASSERT_NE(NULL, json);
	row = tool_row(tool_get(json, "users"), "user", "4711");
	ASSERT_NE(NULL, row);
	EXPECT_EQ(9, number(row, "max"));
	EXPECT_EQ(9, number(row, "left"));
	json_object_put(json);
}

TEST_F(tool_quota, tool_quota_rights)
{
	/* Everybody sees; only who may write above sets. */
	EXPECT_EQ(0, status_as(TOOL_MEMBER, "sva quota get"));
	EXPECT_EQ(0, status_as(TOOL_MEMBER, "sva quota tree"));
	EXPECT_EQ(0, status_as(TOOL_MEMBER, "sva quota get -u $(id -u)"));
	EXPECT_EQ(1, status_as(TOOL_MEMBER, "sva quota get -u root"));
	EXPECT_EQ(1, status_as(TOOL_MEMBER, "sva quota set -u $(id -u) max"));
	EXPECT_EQ(1, status_as(TOOL_MEMBER, "sva quota set tool-quota 5"));
	EXPECT_EQ(1, status_as(TOOL_STRANGER, "sva quota get"));
	ASSERT_EQ(0, chown(TOP, TOOL_USER, TOOL_USER));
	EXPECT_EQ(0, status_as(TOOL_MEMBER, "sva quota set tool-quota/inner 5"));
	EXPECT_EQ(1, status_as(TOOL_MEMBER, "sva quota set tool-quota 5"));
}

TEST_F(tool_quota, tool_quota_mistakes)
{
	static const char *const wrong[] = {
		"sva quota", "sva quota nothing", "sva quota set tool-quota",
		"sva quota set --user root", "sva quota set a b c",
		"sva quota get a b", "sva quota tree a b",
		"sva quota tree --user root",
	};
	struct tool tool;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		tool = tool_run(wrong[i]);
		EXPECT_EQ(64, tool.status) {
			TH_LOG("%s", wrong[i]);
		}
		tool_free(&tool);
	}
	EXPECT_EQ(1, status_as(TOOL_ROOT, "sva quota get no/such/cgroup"));
	EXPECT_EQ(1, status_as(TOOL_ROOT, "sva quota set tool-quota many"));
	EXPECT_EQ(1, status_as(TOOL_ROOT, "sva quota set -- tool-quota -1"));
	EXPECT_EQ(1, status_as(TOOL_ROOT, "sva quota set / 5"));
	EXPECT_EQ(1, status_as(TOOL_ROOT, "sva quota get --user no-such-user"));
}

TEST_HARNESS_MAIN
