// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests through the kernel's Intel IOMMU driver: when there are none, and
 * when there are more than the IOMMU has room for.
 *
 * Machine: engine
 */
#include <limits.h>

#include "bond_util.h"
#include "kselftest_harness.h"

/* Registers for tests: the engine's source in tools/testing/qemu says what they are */
#define REG_FAULTS	0x0c
#define REG_REQUESTS	0x1c
#define FAULT_FLOOD	8

/* How many the IOMMU's queue takes, as the kernel sets it up */
#define ROOM		2047

#define PAGES		16
#define IOVA		(1ULL << 30)

FIXTURE(engine_requests) {
	struct core_counts before;
	int fd;
	int sim;
	int log;
	uint32_t *regs;
	char *mem;		/* nobody has touched it */
	struct sva_sim_completion *done;
};

static uint32_t *map_registers(void)
{
	int fd = open("/sys/class/sva_sim/sva_sim0/device/resource0",
		      O_RDWR | O_CLOEXEC);
	void *regs = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);

	close(fd);
	return regs;
}

static uint32_t get_reg(FIXTURE_DATA(engine_requests) *self, unsigned int reg)
{
	return __atomic_load_n(&self->regs[reg / 4], __ATOMIC_RELAXED);
}

static void set_faults(FIXTURE_DATA(engine_requests) *self, uint32_t faults)
{
	__atomic_store_n(&self->regs[REG_FAULTS / 4], faults, __ATOMIC_RELAXED);
}

FIXTURE_SETUP(engine_requests)
{
	self->before = core_counts();
	self->log = core_log_open();
	ASSERT_LE(0, self->log);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->sim = sva_sim_open(0);
	ASSERT_LE(0, self->sim);
	self->regs = map_registers();
	ASSERT_NE(MAP_FAILED, self->regs);
	self->mem = sva_mem(PAGES * CORE_PAGE);
	ASSERT_NE(NULL, self->mem);
	self->done = sva_mem(CORE_PAGE);
	ASSERT_NE(NULL, self->done);
}

FIXTURE_TEARDOWN(engine_requests)
{
	set_faults(self, 0);
	munmap(self->regs, CORE_PAGE);
	munmap(self->mem, PAGES * CORE_PAGE);
	munmap(self->done, CORE_PAGE);
	close(self->sim);
	close(self->fd);
	close(self->log);
	EXPECT_TRUE(core_settles(&self->before));
}

static uint32_t requests(FIXTURE_DATA(engine_requests) *self)
{
	return get_reg(self, REG_REQUESTS);
}

/* --- none ------------------------------------------------------------------------ */

/* Where there is no PASID entry a request would reach nobody. */
TEST_F(engine_requests, no_request_without_an_address_space)
{
	struct sva_sim_desc desc = sva_sim_fill(IOVA, 1, 8);
	uint32_t pasid, as, before = requests(self);
	struct sva_sim_info info;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(before, requests(self));
	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(0, info.page_requests);

	/* With an entry it asks, and is told that there is no such page. */
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(before + 1, requests(self));

	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(before + 1, requests(self));
}

/* Unbound under requests: when that is done, none comes any more. */
TEST_F(engine_requests, no_request_after_unbind)
{
	struct sva_sim_desc desc = sva_sim_fill(IOVA, 1, 8);
	uint32_t pasid, as, before;
	int i, j;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
		for (j = 0; j < 50; j++)
			ASSERT_EQ(0, sva_sim_submit(self->sim, &desc));
		usleep(500 * i);
		ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
		before = requests(self);
		EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
		EXPECT_EQ(before, requests(self));
		while (sva_sim_submit(self->sim, &desc) == -EAGAIN)
			usleep(1000);
	}
}

/* --- too many -------------------------------------------------------------------- */

static int submit_read(FIXTURE_DATA(engine_requests) *self, int page)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_CRC32C,
		.src = (uintptr_t)self->mem + page * CORE_PAGE, .len = CORE_PAGE,
		.completion = (uintptr_t)self->done,
	};

	memset(self->done, 0, sizeof(*self->done));
	return sva_sim_submit(self->sim, &desc);
}

static int read_page(FIXTURE_DATA(engine_requests) *self, int page)
{
	int ret = submit_read(self, page);

	return ret ? ret : sva_sim_wait(self->sim, self->done);
}

/* Until the queue is empty again, all that is asked for is lost, and reads fail. */
static int read_page_at_last(FIXTURE_DATA(engine_requests) *self, int page)
{
	int i, ret;

	for (i = 0; i < SVA_TIMEOUT_MS / 10; i++) {
		ret = read_page(self, page);
		if (ret != SVA_SIM_STATUS_FAULT)
			break;
		usleep(10000);
	}
	return ret;
}

/* What is lost is answered, and asked for again. */
TEST_F(engine_requests, overflow_is_recovered_from)
{
	uint32_t before = requests(self);
	int page;

	ASSERT_EQ(0, bond_attach_process(self->sim));
	for (page = 0; page < 4; page++) {
		set_faults(self, FAULT_FLOOD);
		EXPECT_EQ(SVA_SIM_STATUS_OK, read_page_at_last(self, page));
		EXPECT_EQ(0, get_reg(self, REG_FAULTS));
	}
	EXPECT_LE(before + 4 * ROOM, requests(self));
	EXPECT_LE(1, core_logged(self->log, "PRQ overflow cleared", ""));

	before = requests(self);
	EXPECT_EQ(SVA_SIM_STATUS_OK, read_page(self, page));
	EXPECT_EQ(before + 1, requests(self));
}

TEST_F(engine_requests, overflow_at_the_end_of_a_bond)
{
	int round;

	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, bond_attach_process(self->sim));
		set_faults(self, FAULT_FLOOD);
		ASSERT_EQ(0, submit_read(self, round));
		usleep(500 * round);
		close(self->sim);
		self->sim = sva_sim_open(0);
		ASSERT_LE(0, self->sim);
	}
	set_faults(self, 0);
	ASSERT_EQ(0, bond_attach_process(self->sim));
	EXPECT_EQ(SVA_SIM_STATUS_OK, read_page_at_last(self, PAGES - 1));
}

TEST_HARNESS_MAIN
