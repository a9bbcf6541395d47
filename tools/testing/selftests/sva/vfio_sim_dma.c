// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA with PASIDs through VFIO, end to end: a software engine as a VFIO device.
 */
#include "vfio_util.h"
#include "kselftest_harness.h"

FIXTURE(vfio_sim_dma) {
	struct core_counts before;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct vfio_as as;
};

FIXTURE_SETUP(vfio_sim_dma)
{
	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	sva_sim_name(self->name, sizeof(self->name), "vfio");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	ASSERT_EQ(0, vfio_as_make(&self->as));
}

FIXTURE_TEARDOWN(vfio_sim_dma)
{
	vfio_close(&self->dev);
	vfio_as_end(&self->as);
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(vfio_sim_dma, vfio_sim_info)
{
	struct sva_vfio_info info;

	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(20, info.pasid_bits);
	EXPECT_TRUE(info.caps & SVA_DEVICE_CAP_PAGE_REQUESTS);
	EXPECT_TRUE(info.caps & SVA_DEVICE_CAP_NESTED);
	EXPECT_NE(0, info.dev_id);
	EXPECT_NE(0, info.hw_info_type);
	EXPECT_EQ(0, info.attached);
	EXPECT_EQ(0, info.__reserved);

	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(1, info.attached);
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(0, info.attached);
}

TEST_F(vfio_sim_dma, vfio_sim_copies)
{
	uint32_t number;

	EXPECT_EQ(SVA_SIM_MAGIC, vfio_reg(&self->dev, SVA_SIM_REG_MAGIC));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid,
				 &number));
	EXPECT_EQ(self->as.pasid, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, number, self->as.mem));
	/* What is not mapped cannot be reached. */
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, number,
			   sva_sim_fill((uintptr_t)self->as.mem->hole, 1, 8)));
	EXPECT_EQ(0, vfio_detach(self->dev.fd, number));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 0, number, self->as.mem));
}

/* Whatever the user writes to the register, it has what it attached. */
TEST_F(vfio_sim_dma, vfio_sim_not_attached)
{
	int sim = sva_sim_open(0);
	uint32_t pasid;

	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_attach(sim, self->as.fd, self->as.pasid, NULL));
	for (pasid = 0; pasid < 300; pasid++)
		ASSERT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev, 1, pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 1, self->as.pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 1, ~0u, self->as.mem));
	close(sim);
}

/* The container's map and PASIDs have nothing to do with each other. */
TEST_F(vfio_sim_dma, vfio_sim_beside_type1)
{
	struct bond_mem *mem = self->as.mem;
	uint64_t *page = sva_mem(CORE_PAGE);
	const uint64_t iova = 1ULL << 32;

	ASSERT_NE(NULL, page);
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, SVA_SIM_REG_PASID_NONE,
			   sva_sim_fill(iova, 5, 8)));
	ASSERT_EQ(0, vfio_type1_map(&self->dev, page, CORE_PAGE, iova));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_run(&self->dev, 0, SVA_SIM_REG_PASID_NONE,
			   sva_sim_fill(iova, 5, 8)));
	EXPECT_EQ(5, page[0]);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, self->as.pasid,
			   sva_sim_fill(iova, 6, 8)));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, SVA_SIM_REG_PASID_NONE,
			   sva_sim_fill((uintptr_t)mem->dst, 6, 8)));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, self->as.pasid, mem));
	EXPECT_EQ(5, page[0]);
	munmap(page, CORE_PAGE);
}

/* Several at a time, of several contexts, on several queues. */
TEST_F(vfio_sim_dma, vfio_sim_many)
{
	struct vfio_as as[8];
	struct sva_vfio_info info;
	int i;

	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, vfio_as_make(&as[i]));
		ASSERT_EQ(0, vfio_attach(self->dev.fd, as[i].fd, as[i].pasid,
					 NULL));
	}
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(8, info.attached);
	for (i = 0; i < 8; i++) {
		struct bond_mem *mem = as[i].mem;
		struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)mem->dst,
							  (uintptr_t)mem->src,
							  sizeof(mem->src));

		ASSERT_EQ(0, vfio_start(&self->dev, i, as[i].pasid, &desc));
	}
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_wait(&self->dev, i));
		EXPECT_EQ(0, memcmp(as[i].mem->dst, as[i].mem->src,
				    sizeof(as[i].mem->src)));
	}
	/* Nobody else's */
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev, i, as[i].pasid,
				    as[(i + 1) % 8].mem));
	}
	for (i = 0; i < 8; i++) {
		if (i % 2) {
			EXPECT_EQ(0, vfio_detach(self->dev.fd, as[i].pasid));
		}
		vfio_as_end(&as[i]);
	}
}

/* The memory of the process itself, with page requests. */
TEST_F(vfio_sim_dma, vfio_sim_process)
{
	struct bond_mem *mem = bond_mem();
	uint32_t handle, number;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, pasid_alloc_handle(self->as.fd, SVA_PASID_F_MM, &handle));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, handle, &number));
	EXPECT_NE(0, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, number, mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_run(&self->dev, 0, number,
			   sva_sim_fill((uintptr_t)mem->hole, 7, 8)));
	EXPECT_EQ(7, mem->hole[0]);
	EXPECT_EQ(0, vfio_detach(self->dev.fd, number));
	EXPECT_EQ(0, pasid_free(self->as.fd, handle, 1));
	munmap(mem, sizeof(*mem));
}

/* What is bound while it is attached is what the device reaches. */
TEST_F(vfio_sim_dma, vfio_sim_rebind)
{
	struct bond_mem *other = bond_mem();
	uint32_t as;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, bond_as(self->as.fd, other, &as));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->as.pasid, as));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, other));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->as.pasid, SVA_AS_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 0, self->as.pasid, other));
	munmap(other, sizeof(*other));
}

TEST_F(vfio_sim_dma, vfio_sim_interrupt)
{
	int32_t fds[8], none = -1;
	int i;

	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	for (i = 0; i < 8; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, 0, 0, 8, fds));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 3, self->as.pasid, self->as.mem));
	EXPECT_TRUE(vfio_signalled(fds[3], SVA_TIMEOUT_MS));
	for (i = 0; i < 8; i++)
		EXPECT_FALSE(vfio_signalled(fds[i], 0));
	ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, 0, 3, 1, &none));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 3, self->as.pasid, self->as.mem));
	EXPECT_FALSE(vfio_signalled(fds[3], 10));
	/* Refused ones change nothing. */
	none = self->as.fd;
	EXPECT_EQ(-EINVAL, vfio_set_irqs(self->dev.fd, 0, 4, 1, &none));
	EXPECT_EQ(-EINVAL, vfio_set_irqs(self->dev.fd, 0, 7, 2, fds));
	EXPECT_EQ(-EINVAL, vfio_set_irqs(self->dev.fd, 2, 0, 1, fds));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 4, self->as.pasid, self->as.mem));
	EXPECT_TRUE(vfio_signalled(fds[4], SVA_TIMEOUT_MS));
	for (i = 0; i < 8; i++)
		close(fds[i]);
}

/* Closing is detaching: whoever opens it next finds nothing. */
/* @data is NULL for VFIO_IRQ_SET_DATA_NONE, else @count bools. */
static int trigger(int fd, uint32_t start, uint32_t count, const uint8_t *data)
{
	union {
		struct vfio_irq_set header;
		char room[sizeof(struct vfio_irq_set) + 8];
	} cmd = {
		.header.argsz = sizeof(cmd.header) + (data ? count : 0),
		.header.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
			(data ? VFIO_IRQ_SET_DATA_BOOL : VFIO_IRQ_SET_DATA_NONE),
		.header.start = start,
		.header.count = count,
	};

	if (data)
		memcpy(cmd.header.data, data, count);
	return sva_ioctl(fd, VFIO_DEVICE_SET_IRQS, &cmd);
}

/* How often it was signalled since */
static uint64_t signals(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

TEST_F(vfio_sim_dma, vfio_sim_interrupt_by_hand)
{
	const uint8_t which[3] = { 1, 0, 1 };
	int32_t fds[3];
	int i;

	for (i = 0; i < 3; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, 0, 1, 3, fds));
	ASSERT_EQ(0, trigger(self->dev.fd, 1, 3, which));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(which[i], signals(fds[i]));
	ASSERT_EQ(0, trigger(self->dev.fd, 2, 1, NULL));
	EXPECT_EQ(0, signals(fds[0]));
	EXPECT_EQ(1, signals(fds[1]));
	EXPECT_EQ(0, signals(fds[2]));

	/* None at all: nobody is told any more. */
	ASSERT_EQ(0, trigger(self->dev.fd, 0, 0, NULL));
	ASSERT_EQ(0, trigger(self->dev.fd, 0, 8, NULL));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, signals(fds[i]));
		close(fds[i]);
	}
}

/* All of them are set, or none. */
TEST_F(vfio_sim_dma, vfio_sim_interrupt_without_eventfd)
{
	int32_t old = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fds[4];

	ASSERT_LE(0, old);
	ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, 0, 0, 1, &old));
	fds[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, fds[0]);
	fds[1] = -1;
	fds[2] = fds[0];
	fds[3] = self->as.fd;
	EXPECT_EQ(-EINVAL, vfio_set_irqs(self->dev.fd, 0, 0, 4, fds));
	fds[3] = 9999;
	EXPECT_EQ(-EBADF, vfio_set_irqs(self->dev.fd, 0, 0, 4, fds));
	ASSERT_EQ(0, trigger(self->dev.fd, 0, 4, NULL));
	EXPECT_EQ(1, signals(old));
	EXPECT_EQ(0, signals(fds[0]));
	close(fds[0]);
	close(old);
}

TEST_F(vfio_sim_dma, vfio_sim_counters)
{
	char *nowhere = (char *)(uintptr_t)CORE_PAGE;
	uint32_t misses;

	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	misses = vfio_reg(&self->dev, SVA_SIM_REG_MISSES);
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	EXPECT_LT(misses, vfio_reg(&self->dev, SVA_SIM_REG_MISSES));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	EXPECT_LT(0, vfio_reg(&self->dev, SVA_SIM_REG_HITS));
	EXPECT_EQ(-1, pread(self->dev.fd, nowhere, 4, self->dev.regs));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pwrite(self->dev.fd, nowhere, 4, self->dev.regs));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
}

/* The region has room for more queues than there are. */
TEST_F(vfio_sim_dma, vfio_sim_no_more_queues)
{
	uint32_t words[(SVA_SIM_REG_QUEUE(16) - SVA_SIM_REG_QUEUE(8)) / 4];
	const off_t at = self->dev.regs + SVA_SIM_REG_QUEUE(8);
	const ssize_t size = sizeof(words);
	size_t i;

	ASSERT_EQ(8, vfio_reg(&self->dev, SVA_SIM_REG_QUEUES));
	memset(words, 0xff, sizeof(words));
	EXPECT_EQ(size, pwrite(self->dev.fd, words, sizeof(words), at));
	ASSERT_EQ(size, pread(self->dev.fd, words, sizeof(words), at));
	for (i = 0; i < sizeof(words) / 4; i++)
		ASSERT_EQ(0, words[i]);
}

TEST_F(vfio_sim_dma, vfio_sim_close)
{
	struct sva_vfio_info info;
	struct sva_pasid_info pasid;

	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->as.pasid, &pasid));
	EXPECT_EQ(1, pasid.bonds);
	vfio_close(&self->dev);
	ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->as.pasid, &pasid));
	EXPECT_EQ(0, pasid.bonds);

	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(0, info.attached);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	EXPECT_EQ(-ENOENT, vfio_detach(self->dev.fd, self->as.pasid));
	EXPECT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
}

/* A second descriptor of the same device: the last one closes it. */
TEST_F(vfio_sim_dma, vfio_sim_opened_twice)
{
	int second = ioctl(self->dev.group, VFIO_GROUP_GET_DEVICE_FD,
			   self->hw.name);

	ASSERT_LE(0, second);
	ASSERT_EQ(0, vfio_attach(second, self->as.fd, self->as.pasid, NULL));
	close(second);
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
}

/* The context's descriptor goes first; the bond keeps what is left of it. */
TEST_F(vfio_sim_dma, vfio_sim_context_closed)
{
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	close(self->as.fd);
	self->as.fd = -1;
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
}

/* The container goes first: the group's owner stays until the device is closed. */
TEST_F(vfio_sim_dma, vfio_sim_closing_order)
{
	int order;

	for (order = 0; order < 6; order++) {
		static const int orders[6][3] = {
			{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
			{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
		};
		int i;

		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd,
					 self->as.pasid, NULL));
		for (i = 0; i < 3; i++) {
			int *fds[3] = { &self->dev.container, &self->dev.group,
					&self->dev.fd };
			int *fd = fds[orders[order][i]];

			if (self->dev.fd >= 0) {
				EXPECT_EQ(SVA_SIM_STATUS_OK,
					  vfio_copy(&self->dev, 0, self->as.pasid,
						    self->as.mem));
			}
			close(*fd);
			*fd = -1;
		}
		ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	}
}

TEST_F(vfio_sim_dma, vfio_sim_reset)
{
	struct sva_sim_desc forever = sva_sim_fill((uintptr_t)self->as.mem->dst, 1,
						   sizeof(self->as.mem->dst));

	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, vfio_start(&self->dev, 2, self->as.pasid, &forever));
	ASSERT_EQ(0, sva_ioctl(self->dev.fd, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(SVA_SIM_STATE_IDLE,
		  vfio_queue_reg(&self->dev, 2, SVA_SIM_REG_STATE));
	EXPECT_EQ(SVA_SIM_REG_PASID_NONE,
		  vfio_queue_reg(&self->dev, 2, SVA_SIM_REG_PASID));
	/* What was attached is. */
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 2, self->as.pasid, self->as.mem));
}

TEST_HARNESS_MAIN
