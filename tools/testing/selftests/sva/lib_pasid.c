// SPDX-License-Identifier: GPL-2.0-only
/* libsva: PASIDs, process PASIDs and RID handles, and what they are bound to. */
#include <pthread.h>

#include "lib_util.h"
#include "kselftest_harness.h"

FIXTURE(lib_pasid) {
	struct sva *sva;
};

FIXTURE_SETUP(lib_pasid)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
}

FIXTURE_TEARDOWN(lib_pasid)
{
	sva_close(self->sva);
}

TEST_F(lib_pasid, any)
{
	uint32_t a, b;

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &a));
	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &b));
	EXPECT_NE(a, b);
	EXPECT_FALSE(a & SVA_PASID_HANDLE);
	EXPECT_EQ(0, sva_pasid_free(self->sva, a));
	EXPECT_EQ(-ENOENT, sva_pasid_free(self->sva, a));
	EXPECT_EQ(0, sva_pasid_free(self->sva, b));
}

TEST_F(lib_pasid, max)
{
	uint32_t pasid = LIB_UNSET;

	ASSERT_EQ(0, sva_pasid_alloc_max(self->sva, 255, &pasid));
	EXPECT_GE(255, pasid);
	EXPECT_LT(0, pasid);
	/* not "no limit" */
	EXPECT_EQ(-EINVAL, sva_pasid_alloc_max(self->sva, 0, &pasid));
}

TEST_F(lib_pasid, range)
{
	struct sva_get_info info;
	uint32_t first, i;

	ASSERT_EQ(0, sva_get_info(self->sva, &info, sizeof(info)));
	ASSERT_EQ(0, sva_pasid_alloc_range(self->sva, 0, 0, 8, &first));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(-EBUSY, sva_pasid_alloc_fixed(self->sva, first + i));
	EXPECT_EQ(0, sva_pasid_free_range(self->sva, first, 8));
	EXPECT_EQ(-EINVAL, sva_pasid_alloc_range(self->sva, 0, 0, 0, &first));
	EXPECT_EQ(-EINVAL, sva_pasid_alloc_range(self->sva, 0, 0,
						 info.range_max + 1, &first));
	EXPECT_EQ(-EINVAL, sva_pasid_alloc_range(self->sva, 20, 10, 1, &first));
	EXPECT_EQ(-EINVAL, sva_pasid_alloc_range(self->sva, 10, 20, 12, &first));
}

TEST_F(lib_pasid, free_range_all_or_none)
{
	uint32_t first;

	ASSERT_EQ(0, sva_pasid_alloc_range(self->sva, 0, 0, 4, &first));
	ASSERT_EQ(0, sva_pasid_free(self->sva, first + 2));
	EXPECT_EQ(-ENOENT, sva_pasid_free_range(self->sva, first, 4));
	EXPECT_EQ(-EINVAL, sva_pasid_free_range(self->sva, first, 0));
	EXPECT_EQ(0, sva_pasid_free_range(self->sva, first, 2));
	EXPECT_EQ(0, sva_pasid_free(self->sva, first + 3));
}

TEST_F(lib_pasid, fixed)
{
	uint32_t pasid;

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	EXPECT_EQ(-EBUSY, sva_pasid_alloc_fixed(self->sva, pasid));
	ASSERT_EQ(0, sva_pasid_free(self->sva, pasid));
	EXPECT_EQ(0, sva_pasid_alloc_fixed(self->sva, pasid));
	EXPECT_EQ(0, sva_pasid_free(self->sva, pasid));
	/* not "any" */
	EXPECT_EQ(-EINVAL, sva_pasid_alloc_fixed(self->sva, 0));
}

TEST_F(lib_pasid, handles)
{
	struct sva_pasid_info info;
	uint32_t process, rid;

	ASSERT_EQ(0, sva_pasid_alloc_process(self->sva, &process));
	ASSERT_EQ(0, sva_pasid_alloc_rid(self->sva, &rid));
	EXPECT_TRUE(process & SVA_PASID_HANDLE);
	EXPECT_TRUE(rid & SVA_PASID_HANDLE);
	ASSERT_EQ(0, sva_pasid_info(self->sva, process, &info, sizeof(info)));
	EXPECT_EQ(SVA_PASID_KIND_MM, info.kind);
	EXPECT_EQ(0, info.number);
	ASSERT_EQ(0, sva_pasid_info(self->sva, rid, &info, sizeof(info)));
	EXPECT_EQ(SVA_PASID_KIND_RID, info.kind);
	EXPECT_EQ(0, sva_pasid_free(self->sva, process));
	EXPECT_EQ(0, sva_pasid_free(self->sva, rid));
	EXPECT_EQ(-ENOENT, sva_pasid_free(self->sva, rid));
}

TEST_F(lib_pasid, output_untouched_on_failure)
{
	uint32_t pasid = LIB_UNSET;

	EXPECT_EQ(-EINVAL, sva_pasid_alloc_range(self->sva, 2, 1, 1, &pasid));
	EXPECT_EQ(LIB_UNSET, pasid);
}

TEST_F(lib_pasid, info)
{
	struct {
		struct sva_pasid_info known;
		uint64_t future;
	} info;
	uint32_t pasid;

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, sva_pasid_info(self->sva, pasid, &info.known, sizeof(info)));
	EXPECT_EQ(SVA_PASID_KIND_NUMBER, info.known.kind);
	EXPECT_EQ(pasid, info.known.number);
	EXPECT_EQ(SVA_AS_NONE, info.known.as_id);
	EXPECT_EQ(0, info.known.bonds);
	EXPECT_EQ(0, info.known.state);
	EXPECT_EQ(0, info.future);
	EXPECT_EQ(-EINVAL, sva_pasid_info(self->sva, pasid, &info.known, 8));
	ASSERT_EQ(0, sva_pasid_free(self->sva, pasid));
	EXPECT_EQ(-ENOENT, sva_pasid_info(self->sva, pasid, &info.known,
					  sizeof(info.known)));
}

TEST_F(lib_pasid, bind)
{
	struct sva_pasid_info info;
	uint32_t pasid, as[2];

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &as[0]));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &as[1]));
	EXPECT_EQ(0, sva_pasid_bind(self->sva, pasid, as[0]));
	EXPECT_EQ(0, sva_pasid_bind(self->sva, pasid, as[1]));
	ASSERT_EQ(0, sva_pasid_info(self->sva, pasid, &info, sizeof(info)));
	EXPECT_EQ(as[1], info.as_id);
	EXPECT_TRUE(info.state & SVA_PASID_S_BOUND);
	EXPECT_EQ(0, sva_as_destroy(self->sva, as[0]));
	EXPECT_EQ(-EBUSY, sva_as_destroy(self->sva, as[1]));
	EXPECT_EQ(0, sva_pasid_unbind(self->sva, pasid));
	EXPECT_EQ(0, sva_as_destroy(self->sva, as[1]));
}

TEST_F(lib_pasid, bind_refusals)
{
	uint32_t pasid, process, as;

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	ASSERT_EQ(0, sva_pasid_alloc_process(self->sva, &process));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &as));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->sva, pasid, SVA_AS_NONE));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->sva, process, as));
	EXPECT_EQ(-ENOENT, sva_pasid_bind(self->sva, pasid, 0x7fffffff));
	EXPECT_EQ(-ENOENT, sva_pasid_unbind(self->sva, 0x7fffffff));
}

/* --- many threads, one handle */

#define THREADS	8
#define ROUNDS	200

struct worker {
	pthread_t thread;
	struct sva *sva;
	int err;
};

static void *alloc_and_free(void *arg)
{
	struct worker *worker = arg;
	struct sva_pasid_info info;
	uint32_t pasid[4];
	int round, i;

	for (round = 0; round < ROUNDS && !worker->err; round++) {
		for (i = 0; i < 4 && !worker->err; i++)
			worker->err = sva_pasid_alloc(worker->sva, &pasid[i]);
		for (i = 0; i < 4 && !worker->err; i++) {
			worker->err = sva_pasid_info(worker->sva, pasid[i],
						     &info, sizeof(info));
			/* another thread's -ENOENT if two got the same one */
			if (!worker->err)
				worker->err = sva_pasid_free(worker->sva,
							     pasid[i]);
		}
	}
	return NULL;
}

TEST_F(lib_pasid, threads)
{
	struct worker worker[THREADS] = { 0 };
	int i;

	for (i = 0; i < THREADS; i++) {
		worker[i].sva = self->sva;
		ASSERT_EQ(0, pthread_create(&worker[i].thread, NULL,
					    alloc_and_free, &worker[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(worker[i].thread, NULL);
		EXPECT_EQ(0, worker[i].err);
	}
}

TEST_HARNESS_MAIN
