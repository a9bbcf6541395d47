// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI engine that is reset, or goes away, with PASIDs attached and DMA under
 * way.
 *
 * Machine: engine
 */
#include <glob.h>
#include <limits.h>
#include <stdio.h>

#include "bond_util.h"
#include "kselftest_harness.h"

#define BUF	(1ULL << 20)
#define SLOTS	"/sys/bus/pci/slots/*/address"

FIXTURE(engine_remove) {
	struct core_counts before;
	char path[PATH_MAX];	/* of the function in sysfs */
	int fd;
	int sim;
	uint32_t pasid;
	char *mem;
	struct sva_sim_completion *done;
	bool cold;
};

/* Whether the engine finds the memory as it is, or asks for each page. */
FIXTURE_VARIANT(engine_remove) {
	bool cold;
};

FIXTURE_VARIANT_ADD(engine_remove, in_memory) {
	.cold = false,
};

FIXTURE_VARIANT_ADD(engine_remove, page_requests) {
	.cold = true,
};

FIXTURE_SETUP(engine_remove)
{
	self->before = core_counts();
	self->cold = variant->cold;
	ASSERT_NE(NULL, realpath("/sys/class/sva_sim/sva_sim0/device", self->path));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->sim = sva_sim_open(0);
	ASSERT_LE(0, self->sim);
	ASSERT_FALSE(sva_sim_is_software(self->sim));
	self->mem = sva_mem(2 * BUF);
	self->done = sva_mem(CORE_PAGE);
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_MM, 0, 0, &self->pasid));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
}

FIXTURE_TEARDOWN(engine_remove)
{
	close(self->sim);
	close(self->fd);
	munmap(self->mem, 2 * BUF);
	munmap(self->done, CORE_PAGE);
	EXPECT_TRUE(core_settles(&self->before));
}

static int copy(FIXTURE_DATA(engine_remove) *self)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)self->mem + BUF,
						  (uintptr_t)self->mem, BUF);

	memset(self->mem, 0x5a, BUF);
	memset(self->mem + BUF, 0, BUF);
	if (self->cold)
		madvise(self->mem, 2 * BUF, MADV_DONTNEED);
	desc.completion = (uintptr_t)self->done;
	memset(self->done, 0, sizeof(*self->done));
	return sva_sim_submit(self->sim, &desc);
}

/* A function level reset ends what is being executed, and nothing else. */
TEST_F(engine_remove, engine_reset_under_dma)
{
	uint64_t count;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, copy(self));
		usleep(1000 * i);
		ASSERT_EQ(0, bond_pci(self->path, "reset"));
		ASSERT_EQ(sizeof(count), read(self->sim, &count, sizeof(count)));
		EXPECT_EQ(1, count);
		ASSERT_EQ(0, copy(self));
		ASSERT_EQ(sizeof(count), read(self->sim, &count, sizeof(count)));
		EXPECT_EQ(1, count);
		EXPECT_EQ(SVA_SIM_STATUS_OK, self->done->status);
		EXPECT_EQ(0, memcmp(self->mem, self->mem + BUF, BUF));
	}
}

static int remove_function(const char *path)
{
	return bond_pci(path, "remove");
}

static int scan_again(void)
{
	return sva_write_file("/sys/bus/pci/rescan", "1");
}

/* Whether the function is in the slot that the file is about */
static bool is_address_of(const char *file, const char *path)
{
	char slot[32] = "";
	FILE *f = fopen(file, "r");
	bool read = f && fscanf(f, "%31s", slot) == 1;

	if (f)
		fclose(f);
	return read && strstr(path, slot) && !strchr(strstr(path, slot), '/');
}

/* -ENOENT: none that can be switched off */
static int slot_off(const char *path)
{
	int ret = -ENOENT;
	glob_t found;
	size_t i;

	if (glob(SLOTS, 0, NULL, &found))
		return ret;
	for (i = 0; i < found.gl_pathc && ret; i++) {
		if (!is_address_of(found.gl_pathv[i], path))
			continue;
		strcpy(strrchr(found.gl_pathv[i], '/'), "/power");
		ret = sva_write_file(found.gl_pathv[i], "0");
	}
	globfree(&found);
	return ret;
}

/* Whoever runs the machine plugs it in again, see tools/testing/vm/hotplug.py. */
static int plugged_in(void)
{
	int i;

	for (i = 0; i < SVA_TIMEOUT_MS / 10; i++) {
		if (!access("/dev/sva_sim0", F_OK))
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/* It comes back with the same number while somebody has what it was open. */
static void goes_under_dma(struct __test_metadata *_metadata,
			   FIXTURE_DATA(engine_remove) *self,
			   int (*away)(const char *path), int (*back)(void))
{
	struct pollfd pfd = { .fd = self->sim };
	struct sva_sim_info info;
	int i, old;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, copy(self));
		usleep(500 * i);
		ASSERT_EQ(0, away(self->path));
		ASSERT_EQ(1, poll(&pfd, 1, SVA_TIMEOUT_MS));
		EXPECT_TRUE(pfd.revents & POLLHUP);
		EXPECT_EQ(-ENODEV, sva_sim_info(self->sim, &info));
		EXPECT_EQ(-ENODEV, copy(self));
		ASSERT_EQ(0, sva_sim_detach(self->sim));

		ASSERT_EQ(0, back());
		old = self->sim;
		self->sim = sva_sim_open(0);
		close(old);
		ASSERT_LE(0, self->sim);
		pfd.fd = self->sim;
		ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid,
					    NULL));
		ASSERT_EQ(0, copy(self));
		EXPECT_EQ(SVA_SIM_STATUS_OK, sva_sim_wait(self->sim, self->done));
	}
}

TEST_F(engine_remove, engine_removed_under_dma)
{
	goes_under_dma(_metadata, self, remove_function, scan_again);
}

TEST_F(engine_remove, engine_unplugged_under_dma)
{
	glob_t found;

	if (glob(SLOTS, 0, NULL, &found))
		SKIP(return, "this kernel drives no slots that can be switched off");
	globfree(&found);
	goes_under_dma(_metadata, self, slot_off, plugged_in);
}

/* Hardware has so many queues, and each belongs to an open file. */
TEST_F(engine_remove, engine_queues_run_out)
{
	int sim[32], i, n;

	for (n = 0; n < 32; n++) {
		sim[n] = open("/dev/sva_sim0", O_RDWR | O_CLOEXEC);
		if (sim[n] < 0)
			break;
		ASSERT_EQ(0, sva_sim_attach(sim[n], self->fd, self->pasid, NULL));
	}
	ASSERT_GT(32, n);
	EXPECT_LT(0, n);
	EXPECT_EQ(EBUSY, errno);
	close(sim[--n]);
	sim[n] = open("/dev/sva_sim0", O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, sim[n]);
	for (i = 0; i <= n; i++)
		close(sim[i]);
}

TEST_HARNESS_MAIN
