// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO devices in other hands: one process has the sva fd, as a VMM does, another
 * has the device and nothing else but a PASID fd; and how that is taken back.
 */
#include "pasidfd_util.h"
#include "vfio_util.h"
#include "kselftest_harness.h"

FIXTURE(vfio_revoke) {
	struct core_counts before;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct vfio_as as;
	int event;
	int sock[2];
};

FIXTURE_SETUP(vfio_revoke)
{
	struct bond_mem *shared;

	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	sva_sim_name(self->name, sizeof(self->name), "vfio");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	ASSERT_EQ(0, vfio_as_make(&self->as));
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				self->sock));

	/* Where our children see it too: in place of what is private. */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	memcpy(shared->src, self->as.mem->src, sizeof(shared->src));
	munmap(self->as.mem, sizeof(*self->as.mem));
	self->as.mem = shared;
	ASSERT_EQ(0, bond_as(self->as.fd, shared, &self->as.as));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->as.pasid, self->as.as));
}

FIXTURE_TEARDOWN(vfio_revoke)
{
	close(self->event);
	close(self->sock[0]);
	close(self->sock[1]);
	vfio_close(&self->dev);
	vfio_as_end(&self->as);
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(vfio_revoke, vfio_revoked)
{
	uint32_t id, number, pasid = self->as.pasid;
	int again, fd = self->dev.fd;
	struct sva_vfio_info info;
	int pf = pasidfd_make(self->as.fd, pasid, &id);

	ASSERT_LE(0, pf);
	ASSERT_EQ(0, vfio_attach_event(fd, pf, 0, self->event, &number));
	EXPECT_EQ(pasid, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, pasid, self->as.mem));
	EXPECT_FALSE(vfio_signalled(self->event, 0));

	ASSERT_EQ(0, sva_destroy(self->as.fd, id));
	EXPECT_TRUE(vfio_signalled(self->event, 0));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&self->dev, 0, pasid, self->as.mem));
	EXPECT_EQ(0, pasidfd_bonds(self->as.fd, pasid));
	/* It is there until the user has seen that it is dead. */
	ASSERT_EQ(0, vfio_sva_info(fd, &info));
	EXPECT_EQ(1, info.attached);
	EXPECT_EQ(-ESTALE, vfio_attach(fd, pf, 0, NULL));
	again = pasidfd_make(self->as.fd, pasid, NULL);
	ASSERT_LE(0, again);
	EXPECT_EQ(-EEXIST, vfio_attach(fd, again, 0, NULL));
	EXPECT_EQ(0, vfio_detach(fd, pasid));
	EXPECT_EQ(0, vfio_attach(fd, again, 0, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, pasid, self->as.mem));
	EXPECT_FALSE(vfio_signalled(self->event, 0));
	close(pf);
	close(again);
}

/* Whatever is being executed ends, and the revoker need not wait for its user. */
TEST_F(vfio_revoke, vfio_revoked_under_dma)
{
	const size_t len = 16 << 20;
	char *mem = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, len);
	uint32_t id, pasid = self->as.pasid;
	int i, pf, fd = self->dev.fd;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, iova_map_at(self->as.fd, self->as.as, CORE_RW, mem, len,
				 (uintptr_t)mem));
	for (i = 0; i < 20; i++) {
		pf = pasidfd_make(self->as.fd, pasid, &id);
		ASSERT_LE(0, pf);
		ASSERT_EQ(0, vfio_attach_event(fd, pf, 0, self->event, NULL));
		close(pf);
		ASSERT_EQ(0, vfio_start(&self->dev, 0, pasid, &desc));
		ASSERT_EQ(0, vfio_start(&self->dev, 1, pasid, &desc));
		usleep(100 * i);
		ASSERT_EQ(0, sva_destroy(self->as.fd, id));
		/* By now nothing is written any more. */
		memset(mem, 0, len);
		EXPECT_TRUE(vfio_signalled(self->event, 0));
		EXPECT_LT(0, vfio_wait(&self->dev, 0));
		EXPECT_LT(0, vfio_wait(&self->dev, 1));
		EXPECT_EQ(NULL, memchr(mem, 1, len));
		ASSERT_EQ(0, vfio_detach(fd, pasid));
	}
	munmap(mem, len);
}

/* The same by the user's own hand */
TEST_F(vfio_revoke, vfio_detached_under_dma)
{
	const size_t len = 16 << 20;
	char *mem = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, len);
	uint32_t pasid = self->as.pasid;
	int i;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, iova_map_at(self->as.fd, self->as.as, CORE_RW, mem, len,
				 (uintptr_t)mem));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, pasid, NULL));
		ASSERT_EQ(0, vfio_start(&self->dev, 0, pasid, &desc));
		usleep(100 * i);
		ASSERT_EQ(0, vfio_detach(self->dev.fd, pasid));
		memset(mem, 0, len);
		EXPECT_LT(0, vfio_wait(&self->dev, 0));
		EXPECT_EQ(NULL, memchr(mem, 1, len));
	}
	munmap(mem, len);
}

/* A page request that nobody answers does not keep anybody from ending. */
TEST_F(vfio_revoke, vfio_revoked_in_page_request)
{
	struct sva_sim_desc desc = sva_sim_fill(0x10000, 1, 8);
	int pf, q, fd = self->dev.fd;
	uint32_t id, pasid;

	q = sva_pasid_asking(self->as.fd, 0, 16, &pasid);
	ASSERT_LE(0, q);
	pf = pasidfd_make(self->as.fd, pasid, &id);
	ASSERT_LE(0, pf);
	ASSERT_EQ(0, vfio_attach_event(fd, pf, 0, self->event, NULL));
	ASSERT_EQ(0, vfio_start(&self->dev, 0, pasid, &desc));
	EXPECT_EQ(1, poll(&(struct pollfd) { .fd = q, .events = POLLIN }, 1,
			  SVA_TIMEOUT_MS));
	EXPECT_EQ(0, sva_destroy(self->as.fd, id));
	EXPECT_LT(0, vfio_wait(&self->dev, 0));
	EXPECT_EQ(0, vfio_detach(fd, pasid));

	ASSERT_EQ(0, vfio_attach(fd, self->as.fd, pasid, NULL));
	ASSERT_EQ(0, vfio_start(&self->dev, 0, pasid, &desc));
	EXPECT_EQ(1, poll(&(struct pollfd) { .fd = q, .events = POLLIN }, 1,
			  SVA_TIMEOUT_MS));
	vfio_close(&self->dev);
	close(q);
	close(pf);
}

/* --- two processes ------------------------------------------------------------------ */

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "# line %d: not: %s\n", __LINE__, #cond);	\
		_exit(1);						\
	}								\
} while (0)

/*
 * Has the device, and is trusted with one PASID. It is told by a byte when to go
 * on, and tells so when it has.
 */
static void be_device_process(FIXTURE_DATA(vfio_revoke) *self)
{
	struct vfio_dev *dev = &self->dev;
	uint32_t pasid, number;
	struct sva_vfio_info info;
	int pf, event;

	close(self->as.fd);
	close(self->sock[0]);
	CHECK(!pasidfd_drop_rights());
	CHECK(sva_open() == -EACCES);
	event = eventfd(0, EFD_CLOEXEC);
	CHECK(event >= 0);
	CHECK(!bond_receive(self->sock[1], &pf, 1, &pasid));

	CHECK(!vfio_sva_info(dev->fd, &info));
	CHECK(info.pasid_bits == 20 && info.dev_id && !info.attached);
	CHECK(vfio_attach(dev->fd, pf, pasid + 1, NULL) == -ENOENT);
	CHECK(!vfio_attach_event(dev->fd, pf, 0, event, &number));
	CHECK(number == pasid);
	CHECK(vfio_copy(dev, 0, pasid, self->as.mem) == SVA_SIM_STATUS_OK);
	CHECK(vfio_run(dev, 0, pasid,
		       sva_sim_fill((uintptr_t)self->as.mem->hole, 1, 8)) ==
	      SVA_SIM_STATUS_FAULT);
	CHECK(write(self->sock[1], "1", 1) == 1);

	CHECK(vfio_signalled(event, SVA_TIMEOUT_MS));
	CHECK(vfio_copy(dev, 0, pasid, self->as.mem) == SVA_SIM_STATUS_FAULT);
	CHECK(!vfio_detach(dev->fd, number));
	CHECK(vfio_attach(dev->fd, pf, 0, NULL) == -ESTALE);
	_exit(0);
}

TEST_F(vfio_revoke, vfio_sim_two_processes)
{
	uint32_t id;
	int pf = pasidfd_make(self->as.fd, self->as.pasid, &id);
	pid_t pid;
	char c;

	ASSERT_LE(0, pf);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pf);
		be_device_process(self);
	}
	/* The VMM keeps nothing of the device. */
	vfio_close(&self->dev);
	ASSERT_EQ(0, bond_send(self->sock[0], &pf, 1, self->as.pasid));
	close(pf);
	ASSERT_EQ(1, read(self->sock[0], &c, 1));
	EXPECT_EQ(1, pasidfd_bonds(self->as.fd, self->as.pasid));
	EXPECT_EQ(0, sva_destroy(self->as.fd, id));
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_EQ(0, pasid_free(self->as.fd, self->as.pasid, 1));
}

/* The VMM is killed; its guest's memory stays pinned until the device is closed. */
TEST_F(vfio_revoke, vfio_sim_maker_killed)
{
	int pf, status, fd = self->dev.fd;
	uint32_t pasid;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		struct vfio_as as = { .fd = sva_open(), .mem = self->as.mem };

		/* Ours would stay open for as long as we live. */
		vfio_close(&self->dev);
		CHECK(as.fd >= 0);
		CHECK(!bond_as(as.fd, as.mem, &as.as));
		CHECK(!pasid_alloc(as.fd, 0, 0, 1, &as.pasid));
		CHECK(!sva_pasid_bind(as.fd, as.pasid, as.as));
		pf = pasidfd_make(as.fd, as.pasid, NULL);
		CHECK(pf >= 0);
		CHECK(!bond_send(self->sock[1], &pf, 1, as.pasid));
		for (;;)
			pause();
	}
	ASSERT_EQ(0, bond_receive(self->sock[0], &pf, 1, &pasid));
	ASSERT_EQ(0, vfio_attach(fd, pf, pasid, NULL));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, pasid, self->as.mem));
	EXPECT_EQ(0, vfio_detach(fd, pasid));
	EXPECT_EQ(-ESTALE, vfio_attach(fd, pf, pasid, NULL));
	close(pf);
}

TEST_HARNESS_MAIN
