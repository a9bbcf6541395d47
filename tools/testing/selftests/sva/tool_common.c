// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all commands of sva have in common: wrong usage, errors, output, colours,
 * and that help, manual page and completion say the same.
 */
#include "kselftest_harness.h"

#include "tool_pty.h"

/* Says where help, page and completion differ. */
#define CHECK	TOOL_DIR "/check-man "

/* Runs a shell script that says what is wrong and nothing else. */
#define EXPECT_SILENT(_script)						\
	do {								\
		struct tool _tool = tool_run(_script);			\
									\
		EXPECT_EQ(0, _tool.status);				\
		EXPECT_STREQ("", _tool.out);				\
		EXPECT_STREQ("", _tool.err);				\
		tool_free(&_tool);					\
	} while (0)

TEST(tool_wrong_usage)
{
	static const char *const wrong[] = {
		"sva", "sva nothing", "sva --nothing", "sva doctor --nothing",
		"sva doctor a b", "sva devices a", "sva demo --size=x",
		"sva demo a b",
	};
	struct tool tool;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		tool = tool_run(wrong[i]);
		EXPECT_EQ(64, tool.status) {
			TH_LOG("%s", wrong[i]);
		}
		EXPECT_STREQ("", tool.out);
		EXPECT_NE(NULL, strstr(tool.err, "--help"));
		tool_free(&tool);
	}
}

TEST(tool_version)
{
	struct tool tool = tool_run("sva --version && sva doctor --version");

	EXPECT_EQ(0, tool.status);
	EXPECT_STREQ("sva 1.0\nsva 1.0\n", tool.out);
	tool_free(&tool);
}

/* Without rights: one line, that says what to do. */
TEST(tool_no_rights)
{
	struct tool tool = tool_run_as(TOOL_STRANGER, "sva demo");

	EXPECT_EQ(1, tool.status);
	EXPECT_TRUE(tool_one_line(tool.err));
	EXPECT_NE(NULL, strstr(tool.err, "usermod -aG sva"));
	tool_free(&tool);
}

TEST(tool_full_disk)
{
	struct tool tool = tool_run("sva devices >/dev/full");

	EXPECT_EQ(1, tool.status);
	EXPECT_TRUE(tool_one_line(tool.err));
	tool_free(&tool);
}

/* --json in front of the command is the command's. */
TEST(tool_json_anywhere)
{
	struct tool before = tool_run("sva --json devices");
	struct tool behind = tool_run("sva devices -j");
	struct json_object *json = tool_json(&before);

	EXPECT_NE(NULL, json);
	EXPECT_STREQ(before.out, behind.out);
	json_object_put(json);
	tool_free(&before);
	tool_free(&behind);
}

TEST(tool_devices)
{
	/* no right is needed */
	struct tool tool = tool_run_as(TOOL_STRANGER, "sva devices --json");
	struct json_object *json, *row;

	ASSERT_EQ(0, tool.status);
	json = tool_json(&tool);
	ASSERT_NE(NULL, json);
	row = tool_row(tool_get(json, "devices"), "name", "sva_sim.0");
	ASSERT_NE(NULL, row);
	EXPECT_STREQ("/dev/sva_sim0",
		     json_object_get_string(tool_get(row, "node")));
	EXPECT_STREQ("sva_sim_iommu0",
		     json_object_get_string(tool_get(row, "iommu")));
	EXPECT_EQ(20, json_object_get_int(tool_get(row, "pasid_bits")));
	EXPECT_EQ(0, json_object_get_int(tool_get(row, "bonds")));
	EXPECT_TRUE(json_object_get_boolean(tool_get(row, "usable")));
	json_object_put(json);
	tool_free(&tool);

	tool = tool_run("sva devices");
	EXPECT_EQ(0, tool.status);
	EXPECT_EQ(tool.out, strstr(tool.out, "NAME "));
	EXPECT_NE(NULL, strstr(tool.out, "\nsva_sim.0 "));
	tool_free(&tool);
}

TEST(tool_devices_says_what_it_cannot_see)
{
	struct tool tool = tool_run_as(TOOL_MEMBER, "sva devices --all");

	EXPECT_EQ(0, tool.status);
	EXPECT_TRUE(tool_one_line(tool.err));
	EXPECT_NE(NULL, strstr(tool.err, "sudo"));
	tool_free(&tool);
}

TEST(tool_demo)
{
	struct tool tool = tool_run_as(TOOL_MEMBER, "sva demo --json -s 1M");
	struct json_object *json;

	EXPECT_EQ(0, tool.status);
	json = tool_json(&tool);
	ASSERT_NE(NULL, json);
	EXPECT_TRUE(json_object_get_boolean(tool_get(json, "ok")));
	EXPECT_EQ(2, json_object_array_length(tool_get(json, "engines")));
	json_object_put(json);
	tool_free(&tool);
}

TEST(tool_colours)
{
	static const struct {
		const char *command;
		bool colours;
	} cases[] = {
		{ "TERM=xterm sva devices", true },
		{ "TERM=xterm NO_COLOR= sva devices", true },
		{ "TERM=xterm NO_COLOR=1 sva devices", false },
		{ "TERM=dumb sva devices", false },
		{ "TERM=xterm sva devices | cat", false },
		{ "TERM=xterm sva devices --json", false },
	};
	struct pty pty;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, pty_start(&pty, cases[i].command, 24, 80));
		EXPECT_EQ(0, pty_end(&pty));
		EXPECT_NE(NULL, strstr(pty.text, "sva_sim.0"));
		EXPECT_EQ(cases[i].colours, !!strchr(pty.text, '\033')) {
			TH_LOG("%s", cases[i].command);
		}
		free(pty.text);
	}
}

TEST(tool_page_has_the_commands)
{
	EXPECT_SILENT(CHECK "commands");
}

TEST(tool_page_has_the_options)
{
	EXPECT_SILENT(CHECK "options");
}

FIXTURE(tool_page) {
};

FIXTURE_SETUP(tool_page)
{
}

FIXTURE_TEARDOWN(tool_page)
{
}

/* The command, as often as its page shows it: many times longer on a debug kernel */
TEST_F_TIMEOUT(tool_page, tool_page_examples_run, 120)
{
	EXPECT_SILENT(CHECK "examples");
}

TEST(tool_completion_has_everything)
{
	EXPECT_SILENT(CHECK "completion");
}

TEST(tool_completion)
{
	static const struct {
		const char *line;
		const char *offer;
	} cases[] = {
		{ "sva doc", "doctor\n" },
		{ "sva --j", "--json\n" },
		{ "sva --json dev", "devices\n" },
		{ "sva devices --a", "--all\n" },
		{ "sva doctor sva_sim.0", "sva_sim.0\n" },
		{ "sva demo --v", "--verbose\n" },
		{ "sva demo -d /dev/sva_sim0", "/dev/sva_sim0\n" },
	};
	char script[128];
	struct tool tool;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(script, sizeof(script), CHECK "offer %s", cases[i].line);
		tool = tool_run(script);
		EXPECT_EQ(0, tool.status);
		EXPECT_STREQ(cases[i].offer, tool.out) {
			TH_LOG("%s", cases[i].line);
		}
		EXPECT_STREQ("", tool.err);
		tool_free(&tool);
	}
}

TEST_HARNESS_MAIN
