// SPDX-License-Identifier: GPL-2.0-only
/* libsva: lists. */
#include "lib_util.h"
#include "kselftest_harness.h"

FIXTURE(lib_list) {
	struct sva *sva;
	struct sva_list_iter *iter;
};

FIXTURE_SETUP(lib_list)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	self->iter = NULL;
}

FIXTURE_TEARDOWN(lib_list)
{
	sva_list_end(self->iter);
	sva_close(self->sva);
}

TEST_F(lib_list, list_pasids)
{
	const void *entry;
	uint32_t first, i;

	/* More than are fetched at a time. */
	ASSERT_EQ(0, sva_pasid_alloc_range(self->sva, 0, 0, 200, &first));
	ASSERT_EQ(0, sva_list_begin(self->sva, SVA_LIST_PASIDS, 0,
				    sizeof(struct sva_list_pasid), &self->iter));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(1, sva_list_next(self->iter, &entry));
		EXPECT_EQ(first + i, ((const struct sva_list_pasid *)entry)->pasid);
	}
	EXPECT_EQ(0, sva_list_next(self->iter, &entry));
	EXPECT_EQ(0, sva_list_next(self->iter, &entry));
}

TEST_F(lib_list, list_nothing)
{
	const void *entry;

	ASSERT_EQ(0, sva_list_begin(self->sva, SVA_LIST_BONDS, 0,
				    sizeof(struct sva_list_bond), &self->iter));
	EXPECT_EQ(0, sva_list_next(self->iter, &entry));
}

TEST_F(lib_list, list_everybody)
{
	const struct sva_list_context *ctx;
	const void *entry;
	bool self_seen = false;

	ASSERT_EQ(0, sva_list_begin(self->sva, SVA_LIST_CONTEXTS, SVA_LIST_F_ALL,
				    sizeof(*ctx), &self->iter));
	while (sva_list_next(self->iter, &entry) == 1) {
		ctx = entry;
		if (ctx->state & SVA_CONTEXT_S_SELF) {
			self_seen = true;
			EXPECT_EQ((uint32_t)getpid(), ctx->tgid);
		}
	}
	EXPECT_TRUE(self_seen);
}

/* Contexts of this process that are left on a list, and why it ends. */
static int count_own(struct sva_list_iter *iter, int *err)
{
	const struct sva_list_context *ctx;
	const void *entry;
	int count = 0;

	while ((*err = sva_list_next(iter, &entry)) == 1) {
		ctx = entry;
		count += ctx->tgid == (uint32_t)getpid();
	}
	return count;
}

/* The right is looked at whenever the kernel is asked for more. */
TEST_F(lib_list, list_goes_on_after_an_error)
{
	struct sva *sva[200];
	int i, err, count;

	if (geteuid())
		SKIP(return, "needs root, to have rights and to give them up");
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, sva_open(&sva[i], 0));
	ASSERT_EQ(0, sva_list_begin(self->sva, SVA_LIST_CONTEXTS, SVA_LIST_F_ALL,
				    sizeof(struct sva_list_context),
				    &self->iter));
	ASSERT_EQ(0, seteuid(65534));
	count = count_own(self->iter, &err);
	EXPECT_LT(0, count);
	EXPECT_GT(200, count);
	EXPECT_EQ(-EPERM, err);
	EXPECT_EQ(0, count_own(self->iter, &err));
	EXPECT_EQ(-EPERM, err);
	ASSERT_EQ(0, seteuid(0));
	count += count_own(self->iter, &err);
	EXPECT_EQ(0, err);
	EXPECT_EQ(201, count);
	for (i = 0; i < 200; i++)
		sva_close(sva[i]);
}

TEST_F(lib_list, list_refuses)
{
	EXPECT_EQ(-EINVAL, sva_list_begin(self->sva, SVA_LIST_PASIDS, 0, 0,
					  &self->iter));
	EXPECT_EQ(-EINVAL, sva_list_begin(self->sva, SVA_LIST_PASIDS, 0, 20,
					  &self->iter));
	EXPECT_EQ(-EINVAL, sva_list_begin(self->sva, SVA_LIST_PASIDS, 0, 8192,
					  &self->iter));
	EXPECT_EQ(-EOPNOTSUPP, sva_list_begin(self->sva, 77, 0, 8, &self->iter));
	EXPECT_EQ(-EOPNOTSUPP, sva_list_begin(self->sva, SVA_LIST_PASIDS, 1 << 9,
					      8, &self->iter));
	EXPECT_EQ(NULL, self->iter);
	sva_list_end(NULL);
}

TEST_HARNESS_MAIN
