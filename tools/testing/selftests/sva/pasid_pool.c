// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of numbers: its parameters, and that it takes and gives back the
 * same ones however often the module comes and goes.
 */
#include <signal.h>
#include <sys/prctl.h>

#include "sva_modules.h"
#include "kselftest_harness.h"

#define BITS	SVA_PASID_WIDTH_MAX
/* Seconds: loading takes a while on a busy machine without KVM. */
#define LIMIT	100

FIXTURE(pasid_pool) {
	bool skipped;
};

FIXTURE_SETUP(pasid_pool)
{
	if (!modules_are()) {
		self->skipped = true;
		SKIP(return, "/dev/sva is not made of modules");
	}
	ASSERT_EQ(0, modules_unload());
}

FIXTURE_TEARDOWN(pasid_pool)
{
	if (!self->skipped) {
		EXPECT_EQ(0, modules_restore());
	}
}

TEST_F_TIMEOUT(pasid_pool, bad_parameters, LIMIT)
{
	static const char * const bad[] = {
		"pool_bits=0", "pool_bits=1", "pool_bits=21", "pool_bits=4294967295",
		"pool_bits=x", "pool_share=0", "pool_share=100",
		"pool_share=-1", "pool_share=5000000000",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_NE(0, modules_load_sva(bad[i]));
		EXPECT_FALSE(modules_loaded("sva"));
		EXPECT_NE(0, access("/dev/sva", F_OK));
	}
	/* No number was lost on the way. */
	ASSERT_EQ(0, modules_load_sva("pool_share=99"));
	EXPECT_EQ(modules_pool_size(BITS, 99), core_count("pool_size"));
}

TEST_F_TIMEOUT(pasid_pool, shares, LIMIT)
{
	static const unsigned int shares[] = { 1, 96 };
	char params[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		snprintf(params, sizeof(params), "pool_share=%u", shares[i]);
		ASSERT_EQ(0, modules_load_sva(params));
		EXPECT_EQ(modules_pool_size(BITS, shares[i]),
			  core_count("pool_size"));
		ASSERT_EQ(0, modules_unload());
	}
}

TEST_F_TIMEOUT(pasid_pool, widths, LIMIT)
{
	static const unsigned int widths[] = { 2, 8, 16 };
	struct sva_get_info info;
	char params[32];
	uint32_t pasid;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		snprintf(params, sizeof(params), "pool_bits=%u", widths[i]);
		ASSERT_EQ(0, modules_load_sva(params));
		fd = sva_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, core_info(fd, &info));
		EXPECT_EQ((1U << widths[i]) - 1, info.pasid_max);
		EXPECT_EQ(modules_pool_size(widths[i], 50), info.pool_size);
		/* Wider ones can be asked for, and are not there. */
		ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
		EXPECT_GE(info.pasid_max, pasid);
		EXPECT_EQ(-ENOSPC, pasid_alloc(fd, 1U << widths[i], 0, 1,
					       &pasid));
		EXPECT_EQ(-EBUSY, pasid_alloc(fd, 1U << widths[i],
					      1U << widths[i], 1, &pasid));
		close(fd);
		ASSERT_EQ(0, modules_unload());
	}
}

TEST_F_TIMEOUT(pasid_pool, reloaded_often, LIMIT)
{
	uint32_t pasid;
	int i, fd;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, modules_load(""));
		EXPECT_EQ(modules_pool_size(BITS, 50), core_count("pool_size"));
		EXPECT_EQ(0, core_count("pasids"));
		fd = sva_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1000 * i + 1, &pasid));
		close(fd);
		ASSERT_EQ(0, modules_unload());
		EXPECT_FALSE(modules_loaded("sva"));
	}
}

TEST_F_TIMEOUT(pasid_pool, unload_refused_while_used, LIMIT)
{
	uint32_t pasid;
	int fd, sim;

	ASSERT_EQ(0, modules_load(""));
	fd = sva_open();
	ASSERT_LE(0, fd);
	sim = sva_sim_open(0);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_sim_attach(sim, fd, pasid, NULL));
	/* The context outlives its descriptor with the engine that is attached. */
	close(fd);
	EXPECT_EQ(-EAGAIN, modules_delete("sva_sim"));
	EXPECT_EQ(-EAGAIN, modules_delete("sva"));
	EXPECT_EQ(1, core_count("contexts"));
	EXPECT_EQ(1, core_count("bonds"));
	EXPECT_EQ(1, core_count("pasids"));
	close(sim);
	EXPECT_EQ(0, core_count("contexts"));

	/* A context alone, with and without anything in it. */
	fd = sva_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, modules_unload_one("sva_sim"));
	ASSERT_EQ(0, modules_unload_one("sva_sim_iommu"));
	EXPECT_EQ(-EAGAIN, modules_delete("sva"));
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 100, &pasid));
	EXPECT_EQ(-EAGAIN, modules_delete("sva"));
	close(fd);
	EXPECT_EQ(0, modules_unload());
	EXPECT_FALSE(modules_loaded("sva"));
}

/* --- numbers that others have -------------------------------------------------- */

#define OTHERS	12

struct other {
	pid_t pid;
	uint32_t number;
};

/* A process that has the number of its memory, from the kernel's own share. */
static int start_other(struct other *other)
{
	int from[2];

	if (pipe2(from, O_CLOEXEC))
		return -errno;
	other->number = 0;
	other->pid = fork();
	if (!other->pid) {
		uint32_t handle, number = 0;
		int fd = sva_open(), sim = sva_sim_open(0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!pasid_alloc_handle(fd, SVA_PASID_F_MM, &handle))
			sva_sim_attach(sim, fd, handle, &number);
		/* The number stays the process' when all this is closed. */
		close(sim);
		close(fd);
		if (write(from[1], &number, sizeof(number)) != sizeof(number))
			_exit(1);
		for (;;)
			pause();
	}
	close(from[1]);
	if (read(from[0], &other->number, sizeof(other->number)) !=
	    sizeof(other->number))
		other->number = 0;
	close(from[0]);
	return other->number ? 0 : -ESRCH;
}

static void end_other(struct other *other)
{
	kill(other->pid, SIGKILL);
	waitpid(other->pid, NULL, 0);
}

/* What others have when the module is loaded is not in the pool. */
TEST_F_TIMEOUT(pasid_pool, numbers_that_others_have, LIMIT)
{
	uint32_t pasid, missing = 0, i, j;
	struct other others[OTHERS];
	int fd;

	/* Of 1 to 20 the pool has hardly any: the others get those. */
	ASSERT_EQ(0, modules_load("pool_share=1"));
	for (i = 0; i < OTHERS; i++) {
		ASSERT_EQ(0, start_other(&others[i]));
		for (j = 0; j < i; j++)
			EXPECT_NE(others[j].number, others[i].number);
	}
	ASSERT_EQ(0, modules_unload());

	ASSERT_EQ(0, modules_load_sva("pool_share=96"));
	fd = sva_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < OTHERS; i++)
		EXPECT_EQ(-EBUSY, pasid_alloc(fd, others[i].number,
					      others[i].number, 1, &pasid));
	missing = modules_pool_size(BITS, 96) - core_count("pool_size");
	EXPECT_LT(0, missing);
	EXPECT_GE(OTHERS, missing);
	for (i = 0; i < OTHERS; i++)
		end_other(&others[i]);
	close(fd);
	ASSERT_EQ(0, modules_unload());

	/* When they are gone their numbers are found again. */
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, modules_load_sva("pool_share=96"));
		if (core_count("pool_size") == (long)modules_pool_size(BITS, 96))
			break;
		ASSERT_EQ(0, modules_unload());
		core_sleep_ms(50);
	}
	EXPECT_GT(100, i);
}

TEST_HARNESS_MAIN
