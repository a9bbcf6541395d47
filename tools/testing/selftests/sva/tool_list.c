// SPDX-License-Identifier: GPL-2.0-only
/* sva list: who sees what of whose. */
#include <sys/resource.h>

#include "kselftest_harness.h"

#include "sva_core.h"
#include "tool_util.h"

#define MANY	10000

FIXTURE(tool_list) {
	struct core_counts before;
	struct json_object *json;
	char pid[16];
	int fd;
};

FIXTURE_SETUP(tool_list)
{
	self->before = core_counts();
	snprintf(self->pid, sizeof(self->pid), "%d", (int)getpid());
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(tool_list)
{
	json_object_put(self->json);
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

/* The rows of a view. */
static struct json_object *look(FIXTURE_DATA(tool_list) *self, enum tool_who who,
				const char *arguments, const char *view)
{
	char command[128];
	struct tool tool;

	snprintf(command, sizeof(command), "sva list --json %s", arguments);
	tool = tool_run_as(who, command);
	json_object_put(self->json);
	self->json = tool.status ? NULL : tool_json(&tool);
	if (!self->json)
		fprintf(stderr, "# %s: %s", command, tool.err);
	tool_free(&tool);
	return tool_get(self->json, view);
}

static long long number(struct json_object *row, const char *key)
{
	return json_object_get_int64(tool_get(row, key));
}

static const char *text(struct json_object *row, const char *key)
{
	return json_object_get_string(tool_get(row, key)) ?: "";
}

TEST_F(tool_list, tool_list_processes)
{
	struct json_object *rows, *row;
	uint32_t pasid;
	int other, i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid));
	other = sva_open();
	ASSERT_LE(0, other);
	ASSERT_EQ(0, sva_pasid_alloc(other, SVA_PASID_F_RID, 0, 0, &pasid));

	rows = look(self, TOOL_ROOT, "", "processes");
	row = tool_row(rows, "pid", self->pid);
	ASSERT_NE(NULL, row);
	EXPECT_EQ(2, number(row, "contexts"));
	EXPECT_EQ(4, number(row, "pasids"));
	EXPECT_EQ(0, number(row, "bonds"));
	EXPECT_STREQ("root", text(row, "user"));
	EXPECT_STREQ("tool_list", text(row, "command"));
	EXPECT_TRUE(json_object_get_boolean(tool_get(self->json, "all")));
	close(other);
}

TEST_F(tool_list, tool_list_contexts)
{
	struct json_object *rows, *row;
	uint64_t iova = 0;
	uint32_t as;
	void *mem;

	mem = sva_mem(4 * CORE_PAGE);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_map(self->fd, as, CORE_RW, mem, 4 * CORE_PAGE, &iova));

	rows = look(self, TOOL_ROOT, "contexts --pid $PPID", "contexts");
	row = tool_row(rows, "pid", self->pid);
	ASSERT_NE(NULL, row);
	EXPECT_EQ(1, json_object_array_length(rows));
	EXPECT_EQ(1, number(row, "address_spaces"));
	EXPECT_EQ(1, number(row, "maps"));
	EXPECT_EQ(4 * CORE_PAGE, number(row, "pinned_bytes"));
	EXPECT_TRUE(json_object_get_boolean(tool_get(row, "open")));

	/* the tool's own is not among them */
	rows = look(self, TOOL_ROOT, "contexts", "contexts");
	EXPECT_EQ(NULL, tool_row(rows, "command", "sva"));
	munmap(mem, 4 * CORE_PAGE);
}

TEST_F(tool_list, tool_list_pasids_and_bonds)
{
	uint32_t as, bound, process, rid, given;
	struct json_object *rows, *row;
	char name[16];
	int sim;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &bound));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, bound, as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_MM, 0, 0, &process));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_RID, 0, 0, &rid));
	sim = sva_sim_open(0);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, process, &given));

	rows = look(self, TOOL_ROOT, "pasids -p $PPID", "pasids");
	EXPECT_EQ(3, json_object_array_length(rows));
	snprintf(name, sizeof(name), "%u", bound);
	row = tool_row(rows, "number", name);
	EXPECT_STREQ("number", text(row, "kind"));
	EXPECT_EQ(as, number(row, "address_space"));
	row = tool_row(rows, "kind", "process");
	EXPECT_EQ(given, number(row, "number"));
	EXPECT_EQ(1, number(row, "bonds"));
	row = tool_row(rows, "kind", "rid");
	EXPECT_EQ(NULL, tool_get(row, "number"));
	EXPECT_EQ(NULL, tool_get(row, "address_space"));

	rows = look(self, TOOL_ROOT, "bonds -p $PPID", "bonds");
	ASSERT_EQ(1, json_object_array_length(rows));
	row = json_object_array_get_idx(rows, 0);
	EXPECT_STREQ("sva_sim.0", text(row, "device"));
	EXPECT_STREQ("sva_sim", text(row, "driver"));
	EXPECT_STREQ("live", text(row, "status"));
	EXPECT_EQ(given, number(row, "number"));
	close(sim);
}

/* Nobody has it open any more, and a device uses it all the same. */
TEST_F(tool_list, tool_list_context_of_a_bond)
{
	struct json_object *rows, *row;
	uint32_t pasid;
	int sim, fd;

	fd = sva_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sva_pasid_alloc(fd, 0, 0, 0, &pasid));
	sim = sva_sim_open(0);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_attach(sim, fd, pasid, NULL));
	close(fd);

	rows = look(self, TOOL_ROOT, "contexts -p $PPID", "contexts");
	EXPECT_EQ(2, json_object_array_length(rows));
	row = tool_row(rows, "open", "false");
	ASSERT_NE(NULL, row);
	EXPECT_EQ(1, number(row, "bonds"));
	close(sim);
}

/* What makes IOMMUs forget is counted. */
TEST_F(tool_list, tool_list_invalidations)
{
	struct json_object *rows;
	uint32_t as, pasid;
	uint64_t iova = 0;
	void *mem;
	int sim;

	mem = sva_mem(CORE_PAGE);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	/* without a device there is nothing to forget */
	ASSERT_EQ(0, sva_map(self->fd, as, CORE_RW, mem, CORE_PAGE, &iova));
	ASSERT_EQ(0, sva_unmap(self->fd, as, iova, CORE_PAGE));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	sim = sva_sim_open(0);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	ASSERT_EQ(0, sva_map(self->fd, as, CORE_RW, mem, CORE_PAGE, &iova));
	ASSERT_EQ(0, sva_unmap(self->fd, as, iova, CORE_PAGE));

	rows = look(self, TOOL_ROOT, "-p $PPID", "processes");
	ASSERT_EQ(1, json_object_array_length(rows));
	EXPECT_EQ(1, number(json_object_array_get_idx(rows, 0), "invalidations"));
	close(sim);
	munmap(mem, CORE_PAGE);
}

/* A user finds the contexts of his processes, and nobody else's. */
TEST_F(tool_list, tool_list_user)
{
	struct json_object *rows, *row;

	rows = look(self, TOOL_MEMBER, "contexts", "contexts");
	EXPECT_EQ(0, json_object_array_length(rows));
	EXPECT_FALSE(json_object_get_boolean(tool_get(self->json, "all")));

	rows = look(self, TOOL_MEMBER, "contexts -p $$ 5<>/dev/sva; :", "contexts");
	ASSERT_EQ(1, json_object_array_length(rows));
	row = json_object_array_get_idx(rows, 0);
	EXPECT_STREQ("user", text(row, "user"));
	EXPECT_EQ(0, number(row, "pasids"));
}

TEST_F(tool_list, tool_list_user_is_told)
{
	static const char *const commands[] = {
		"sva list pasids", "sva list bonds --json",
	};
	struct tool tool;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		tool = tool_run_as(TOOL_MEMBER, commands[i]);
		EXPECT_EQ(1, tool.status);
		EXPECT_STREQ("", tool.out);
		EXPECT_TRUE(tool_one_line(tool.err));
		EXPECT_NE(NULL, strstr(tool.err, "sudo"));
		tool_free(&tool);
	}
}

TEST_F(tool_list, tool_list_no_node)
{
	struct tool tool;

	ASSERT_EQ(0, tool_private());
	ASSERT_EQ(0, tool_hide("/dev"));
	tool = tool_run("sva list");
	EXPECT_EQ(1, tool.status);
	EXPECT_TRUE(tool_one_line(tool.err));
	EXPECT_NE(NULL, strstr(tool.err, "sva doctor"));
	tool_free(&tool);
}

TEST_F(tool_list, tool_list_text)
{
	static const char *const titles[] = {
		"processes", "PID ", "contexts", "CONTEXT ", "pasids", "CONTEXT ",
		"bonds", "DEVICE ",
	};
	char command[64];
	struct tool tool;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i += 2) {
		snprintf(command, sizeof(command), "sva list %s", titles[i]);
		tool = tool_run(command);
		EXPECT_EQ(0, tool.status);
		/* Numbers, and the titles above them, stand to the right. */
		EXPECT_EQ(tool.out + strspn(tool.out, " "),
			  strstr(tool.out, titles[i + 1])) {
			TH_LOG("%s: %s", command, tool.out);
		}
		tool_free(&tool);
	}
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

TEST_F(tool_list, tool_list_ten_thousand)
{
	struct rlimit limit = { MANY + 100, MANY + 100 };
	int *fd = calloc(MANY, sizeof(*fd));
	struct tool tool;
	double start;
	uint32_t pasid;
	int i;

	ASSERT_NE(NULL, fd);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < MANY; i++) {
		fd[i] = sva_open();
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, sva_pasid_alloc(fd[i], 0, 0, 0, &pasid));
	}
	start = seconds();
	tool = tool_run("sva list contexts | tail -n +2 | wc -l");
	TH_LOG("sva list contexts, %d of them: %.2f s", MANY, seconds() - start);
	EXPECT_EQ(MANY + 1, atoi(tool.out));
	tool_free(&tool);
	start = seconds();
	tool = tool_run("sva list | wc -l");
	TH_LOG("sva list, one process with %d contexts: %.2f s", MANY,
	       seconds() - start);
	EXPECT_EQ(2, atoi(tool.out));
	tool_free(&tool);
	start = seconds();
	tool = tool_run("sva list pasids --json | grep -c '\"number\": [0-9]'");
	TH_LOG("sva list pasids --json, %d of them: %.2f s", MANY,
	       seconds() - start);
	EXPECT_EQ(MANY, atoi(tool.out));
	tool_free(&tool);
	for (i = 0; i < MANY; i++)
		close(fd[i]);
	free(fd);
}

TEST_HARNESS_MAIN
