// SPDX-License-Identifier: GPL-2.0-only
/*
 * A million live PASIDs, and the kernel's own users of PASIDs beside them:
 * neither takes what the other needs.
 *
 * Seconds: 300
 */
#include <signal.h>
#include <sys/prctl.h>

#include "sva_modules.h"
#include "kselftest_harness.h"

/* A slow kernel keeps much about each of them besides, and has no memory for it. */
#define BITS	(SVA_SLOWER > 1 ? 14 : SVA_PASID_WIDTH_MAX)
#define SHARE	96
#define NARROW	256

FIXTURE(pasid_million) {
	bool skipped;
	int fd;
	int sim;		/* an engine of 8 bits */
	char engine[32];
	char dev[32];
	uint32_t live;
};

/* Everything that there is, in pieces as large as possible. */
static uint32_t take_all(int fd, unsigned char *seen)
{
	uint32_t count = 65536, first, i, n = 0;

	while (count) {
		if (pasid_alloc(fd, 0, 0, count, &first)) {
			count /= 2;
			continue;
		}
		for (i = first; i < first + count; i++)
			n += !seen[i]++;
	}
	return n;
}

/* [number]: how often it was given out. */
static unsigned char seen[1 << BITS];

FIXTURE_SETUP(pasid_million)
{
	char params[40];

	self->fd = -1;
	self->sim = -1;
	if (!modules_are()) {
		self->skipped = true;
		SKIP(return, "/dev/sva is not made of modules");
	}
	ASSERT_EQ(0, modules_unload());
	snprintf(params, sizeof(params), "pool_share=%d pool_bits=%d", SHARE, BITS);
	ASSERT_EQ(0, modules_load(params));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->live = take_all(self->fd, seen);

	sva_sim_name(self->engine, sizeof(self->engine), "narrow");
	self->sim = sva_sim_create(self->engine, "0", "8", NULL);
	ASSERT_LE(0, self->sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", self->dev,
				 sizeof(self->dev)));
}

FIXTURE_TEARDOWN(pasid_million)
{
	if (self->skipped)
		return;
	close(self->sim);
	sva_sim_remove(self->engine);
	close(self->fd);
	EXPECT_EQ(0, core_count("pasids"));
	EXPECT_EQ(0, core_count("contexts"));
	EXPECT_EQ(0, core_count("bonds"));
	EXPECT_EQ(modules_pool_size(BITS, SHARE), core_count("pool_size"));
	EXPECT_EQ(0, modules_restore());
}

TEST_F_TIMEOUT(pasid_million, all_live_at_once, 100)
{
	uint32_t pasid, first, i;
	struct sva_pasid_info info;

	EXPECT_LT((1 << BITS) / 100 * 95, self->live);
	EXPECT_EQ(modules_pool_size(BITS, SHARE), self->live);
	EXPECT_EQ(self->live, core_count("pasids"));
	for (i = 0; i < 1 << BITS; i++)
		ASSERT_GE(1, seen[i]);
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, 0, 0, 1, &pasid));

	/* One that is freed is found among them at once. */
	for (i = 1; i < 1 << BITS; i = i * 3 / 2 + 1) {
		if (!seen[i])
			continue;
		ASSERT_EQ(0, sva_pasid_info(self->fd, i, &info));
		ASSERT_EQ(0, pasid_free(self->fd, i, 1));
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &first));
		EXPECT_EQ(i, first);
	}
}

/* Uses it for something, so that it is certain that it is one. */
static bool works(int sim)
{
	static char src[CORE_PAGE], dst[CORE_PAGE];
	static struct sva_sim_completion done;
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)dst, (uintptr_t)src,
						  sizeof(src));

	memset(src, 0x5a, sizeof(src));
	memset(dst, 0, sizeof(dst));
	return sva_sim_run(sim, &desc, &done) == SVA_SIM_STATUS_OK &&
	       !memcmp(src, dst, sizeof(src));
}

TEST_F_TIMEOUT(pasid_million, narrow_device_gets_a_process_pasid, 100)
{
	uint32_t handle, number;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &handle));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, handle, &number));
	EXPECT_LT(0, number);
	EXPECT_GT(NARROW, number);
	EXPECT_EQ(0, seen[number]);
	EXPECT_TRUE(works(self->sim));
	EXPECT_EQ(0, sva_sim_detach(self->sim));
}

/* --- many processes -------------------------------------------------------------- */

#define PROCESSES	40

struct process {
	pid_t pid;
	int ret;
	uint32_t number;
};

static void run_process(const char *dev, int from)
{
	struct process me = { .pid = getpid(), .ret = -EIO };
	int fd = sva_open(), sim = sva_sim_open_name(dev);
	uint32_t handle;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!pasid_alloc_handle(fd, SVA_PASID_F_MM, &handle))
		me.ret = sva_sim_attach(sim, fd, handle, &me.number);
	if (!me.ret && !works(sim))
		me.ret = -EPROTO;
	if (write(from, &me, sizeof(me)) != sizeof(me))
		_exit(1);
	for (;;)
		pause();
}

static int start_process(struct process *p, const char *dev)
{
	int from[2];

	if (pipe2(from, O_CLOEXEC))
		return -errno;
	p->pid = fork();
	if (!p->pid)
		run_process(dev, from[1]);
	close(from[1]);
	if (read(from[0], p, sizeof(*p)) != sizeof(*p))
		p->ret = -EPIPE;
	close(from[0]);
	return p->ret;
}

static void end_process(struct process *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

/* Each gets a number of the kernel's own share, until that is used up. */
TEST_F_TIMEOUT(pasid_million, many_processes_on_a_narrow_device, 100)
{
	static struct process p[PROCESSES];
	uint32_t free_narrow = 0, i, j, n;

	for (i = 1; i < NARROW; i++)
		free_narrow += !seen[i];
	ASSERT_LT(0, free_narrow);
	ASSERT_GT(PROCESSES, free_narrow);

	for (n = 0; n < PROCESSES; n++) {
		if (start_process(&p[n], self->dev))
			break;
		EXPECT_GT(NARROW, p[n].number);
		EXPECT_EQ(0, seen[p[n].number]);
		for (j = 0; j < n; j++)
			EXPECT_NE(p[j].number, p[n].number);
	}
	EXPECT_EQ(free_narrow, n);
	EXPECT_EQ(-ENOSPC, p[n].ret);
	end_process(&p[n]);

	/* A wider device has numbers for more of them. */
	EXPECT_EQ(0, start_process(&p[n], "sva_sim0"));
	EXPECT_LE(NARROW, p[n].number);
	EXPECT_EQ(0, seen[p[n].number]);
	for (i = 0; i <= n; i++)
		end_process(&p[i]);

	/* Their numbers come back when they are gone. */
	for (i = 0; i < 100; i++) {
		int ret = start_process(&p[0], self->dev);

		end_process(&p[0]);
		if (!ret)
			break;
		core_sleep_ms(50);
	}
	EXPECT_GT(100, i);
}

/* All at the same time, while the pool is emptied and filled beside them. */
TEST_F_TIMEOUT(pasid_million, processes_come_and_go_meanwhile, 100)
{
	static struct process p[8];
	uint32_t first, i, round;
	pid_t pid = fork();
	int status;

	if (!pid) {
		for (round = 0; round < 10; round++) {
			for (i = 0; i < 8; i++)
				if (start_process(&p[i], self->dev) ||
				    p[i].number >= NARROW || seen[p[i].number])
					_exit(1 + i);
			for (i = 0; i < 8; i++)
				end_process(&p[i]);
			/* A number is the process' until its memory is gone. */
			core_sleep_ms(50);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) != pid) {
		for (i = 1; i < 1 << BITS; i = i * 3 / 2 + 1) {
			if (!seen[i])
				continue;
			ASSERT_EQ(0, pasid_free(self->fd, i, 1));
			ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &first));
			ASSERT_EQ(i, first);
		}
	}
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
