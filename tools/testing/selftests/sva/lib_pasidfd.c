// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: PASID fds, and handing them over.
 *
 * Machine: plain engine
 */
#include <sys/socket.h>

#include "lib_util.h"
#include "kselftest_harness.h"

FIXTURE(lib_pasidfd) {
	struct sva *sva;
	struct sva_sim *sim;
	int sock[2];
	int fds;
	uint32_t pasid;
};

FIXTURE_VARIANT(lib_pasidfd) {
	int type;
};

FIXTURE_VARIANT_ADD(lib_pasidfd, stream) {
	.type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(lib_pasidfd, seqpacket) {
	.type = SOCK_SEQPACKET,
};

FIXTURE_VARIANT_ADD(lib_pasidfd, dgram) {
	.type = SOCK_DGRAM,
};

FIXTURE_SETUP(lib_pasidfd)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, sva_sim_open(&self->sim, LIB_ENGINE, 0));
	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &self->pasid));
	ASSERT_EQ(0, socketpair(AF_UNIX, variant->type | SOCK_CLOEXEC, 0,
				self->sock));
	self->fds = lib_count_fds();
}

FIXTURE_TEARDOWN(lib_pasidfd)
{
	EXPECT_EQ(self->fds, lib_count_fds());
	close(self->sock[0]);
	close(self->sock[1]);
	sva_sim_close(self->sim);
	sva_close(self->sva);
}

TEST_F(lib_pasidfd, attach_and_revoke)
{
	uint32_t id = LIB_UNSET, number = LIB_UNSET;
	int fd = -1;

	ASSERT_EQ(0, sva_pasid_fd(self->sva, self->pasid, &fd, &id));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, sva_sim_attach_fd(self->sim, fd, &number));
	EXPECT_EQ(self->pasid, number);
	EXPECT_EQ(-EBUSY, sva_pasid_free(self->sva, self->pasid));
	EXPECT_EQ(0, sva_pasid_fd_revoke(self->sva, id));
	EXPECT_EQ(-ENOENT, sva_pasid_fd_revoke(self->sva, id));
	EXPECT_EQ(0, sva_pasid_free(self->sva, self->pasid));
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(-ESTALE, sva_sim_attach_fd(self->sim, fd, NULL));
	close(fd);
}

TEST_F(lib_pasidfd, outputs_untouched)
{
	uint32_t id = LIB_UNSET, number = LIB_UNSET;
	int fd = -77;

	EXPECT_EQ(-ENOENT, sva_pasid_fd(self->sva, 0, &fd, &id));
	EXPECT_EQ(-77, fd);
	EXPECT_EQ(LIB_UNSET, id);
	EXPECT_EQ(-EBADF, sva_sim_attach_fd(self->sim, -1, &number));
	EXPECT_EQ(-ENOENT, sva_sim_attach_fd(self->sim, sva_fd(self->sva),
					     &number));
	EXPECT_EQ(LIB_UNSET, number);
	EXPECT_EQ(-ENOENT, sva_pasid_fd_revoke(self->sva, 0));
	EXPECT_EQ(-EBADF, sva_pasid_fd_send(-1, self->sock[0]));
}

TEST_F(lib_pasidfd, handed_over)
{
	uint32_t number;
	int fd, got;

	ASSERT_EQ(0, sva_pasid_fd(self->sva, self->pasid, &fd, NULL));
	ASSERT_EQ(0, sva_pasid_fd_send(fd, self->sock[0]));
	close(fd);
	ASSERT_EQ(0, sva_pasid_fd_recv(&got, self->sock[1]));
	EXPECT_EQ(FD_CLOEXEC, fcntl(got, F_GETFD));
	EXPECT_EQ(0, sva_sim_attach_fd(self->sim, got, &number));
	EXPECT_EQ(self->pasid, number);
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	close(got);
}

/* Each receiver takes what it was meant to get, and nothing else. */
TEST_F(lib_pasidfd, not_mistaken)
{
	struct sva *sva = NULL;
	uint32_t pasid = LIB_UNSET;
	int fd, got = -77;

	ASSERT_EQ(0, sva_pasid_fd(self->sva, self->pasid, &fd, NULL));
	ASSERT_EQ(0, sva_pasid_fd_send(fd, self->sock[0]));
	EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], &pasid));
	EXPECT_EQ(NULL, sva);
	EXPECT_EQ(LIB_UNSET, pasid);
	ASSERT_EQ(0, sva_send(self->sva, self->sock[0], self->pasid));
	EXPECT_EQ(-EPROTO, sva_pasid_fd_recv(&got, self->sock[1]));
	EXPECT_EQ(-77, got);
	/* It cannot be made a context. */
	EXPECT_EQ(-EBADF, sva_from_fd(&sva, fd));
	EXPECT_EQ(NULL, sva);
	close(fd);
}

TEST_HARNESS_MAIN
