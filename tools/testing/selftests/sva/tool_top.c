// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva top: on a terminal that changes its size, and without one.
 *
 * Machine: plain engine
 */
#include "kselftest_harness.h"

#include "sva_core.h"
#include "tool_pty.h"

FIXTURE(tool_top) {
	char pid[16];
	struct pty pty;
	int fd;
};

FIXTURE_SETUP(tool_top)
{
	snprintf(self->pid, sizeof(self->pid), "%d", (int)getpid());
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(tool_top)
{
	free(self->pty.text);
	close(self->fd);
}

#define START(_rows, _columns)						\
	ASSERT_EQ(0, pty_start(&self->pty,				\
			       "TERM=xterm exec sva top --delay 0.2",	\
			       _rows, _columns))
/* A screen is drawn where it has changed; "\f" has all of it drawn. */
#define TYPE(_keys)	ASSERT_EQ(0, pty_type(&self->pty, _keys))
#define SEE(_text)	EXPECT_TRUE(pty_expect(&self->pty, _text))

/* Ends, and leaves the terminal's other screen. */
#define QUIT()								\
	do {								\
		TYPE("q");						\
		EXPECT_EQ(0, pty_end(&self->pty));			\
		EXPECT_NE(NULL, strstr(self->pty.text, "\033[?1049l"));	\
	} while (0)

TEST_F(tool_top, tool_top_screen)
{
	START(24, 80);
	SEE("PASIDS");
	SEE(self->pid);
	SEE("tool_top");
	QUIT();
}

TEST_F(tool_top, tool_top_keys)
{
	START(24, 100);
	SEE("by faults");
	TYPE("p\f");
	SEE("by pasids");
	TYPE("m\f");
	SEE("by memory");
	TYPE("h");
	SEE("sort by pinned memory");
	pty_forget(&self->pty);
	TYPE("h");
	SEE(self->pid);
	TYPE(" ");
	SEE("paused");
	TYPE(" +\f");
	SEE("every 0.4 s");
	TYPE("--\f");
	SEE("every 0.1 s");
	/* what is no key is none */
	TYPE("x~\033[A");
	QUIT();
}

TEST_F(tool_top, tool_top_resize)
{
	static const struct {
		int rows;
		int columns;
	} sizes[] = {
		{ 10, 40 }, { 1, 1 }, { 2, 10 }, { 60, 200 }, { 4, 20 }, { 24, 80 },
	};
	size_t i;
	int n;

	START(24, 80);
	SEE(self->pid);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pty_forget(&self->pty);
		ASSERT_EQ(0, pty_resize(&self->pty, sizes[i].rows,
					sizes[i].columns));
		if (sizes[i].columns >= 20)
			SEE("sva top");
		if (sizes[i].rows >= 10)
			SEE(self->pid);
	}
	/* faster than it can draw */
	for (n = 0; n < 200; n++) {
		ASSERT_EQ(0, pty_resize(&self->pty, 5 + n % 50, 10 + n % 150));
		pty_read(&self->pty, 0);
	}
	pty_forget(&self->pty);
	ASSERT_EQ(0, pty_resize(&self->pty, 30, 90));
	SEE(self->pid);
	QUIT();
}

/* Processes come and go while it runs. */
TEST_F(tool_top, tool_top_processes_end)
{
	pid_t pid;

	START(24, 80);
	SEE(self->pid);
	close(self->fd);
	SEE("Nobody uses a PASID.");
	self->fd = sva_open();
	pid = fork();
	if (!pid) {
		/* a context of another process */
		_exit(sva_open() < 0);
	}
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	QUIT();
}

TEST_F(tool_top, tool_top_terminal_gone)
{
	START(24, 80);
	SEE(self->pid);
	close(self->pty.fd);
	self->pty.fd = -1;
	/* it must not go on for ever */
	EXPECT_EQ(self->pty.pid, waitpid(self->pty.pid, NULL, 0));
}

TEST_F(tool_top, tool_top_once)
{
	struct tool tool = tool_run("sva top --delay 0.1");

	EXPECT_EQ(0, tool.status);
	EXPECT_NE(NULL, strstr(tool.out, "FAULTS/S"));
	EXPECT_NE(NULL, strstr(tool.out, self->pid));
	EXPECT_EQ(NULL, strchr(tool.out, '\033'));
	tool_free(&tool);
}

/* A process that unmaps all the time has a rate. */
TEST_F(tool_top, tool_top_rates)
{
	struct json_object *json, *row;
	uint32_t as, pasid;
	struct tool tool;
	pid_t pid;
	int sim;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	sim = sva_sim_open(0);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	pid = fork();
	if (!pid) {
		void *mem = sva_mem(CORE_PAGE);
		uint64_t iova = 0;

		for (;;)
			if (sva_map(self->fd, as, CORE_RW, mem, CORE_PAGE, &iova) ||
			    sva_unmap(self->fd, as, iova, CORE_PAGE))
				_exit(1);
	}
	tool = tool_run("sva top --json --delay 0.5 --sort invalidations");
	EXPECT_EQ(0, tool.status);
	json = tool_json(&tool);
	ASSERT_NE(NULL, json);
	row = tool_row(tool_get(json, "processes"), "pid", self->pid);
	ASSERT_NE(NULL, row);
	EXPECT_LT(10, json_object_get_double(tool_get(row,
						      "invalidations_per_second")));
	EXPECT_EQ(1, json_object_get_int(tool_get(row, "bonds")));
	json_object_put(json);
	tool_free(&tool);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(sim);
}

TEST_F(tool_top, tool_top_wrong_usage)
{
	static const char *const wrong[] = {
		"sva top --delay 0", "sva top --delay x", "sva top --delay nan",
		"sva top --sort colour", "sva top x",
	};
	struct tool tool;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		tool = tool_run(wrong[i]);
		EXPECT_EQ(64, tool.status) {
			TH_LOG("%s", wrong[i]);
		}
		tool_free(&tool);
	}
}

TEST_HARNESS_MAIN
