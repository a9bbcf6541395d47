// SPDX-License-Identifier: GPL-2.0-only
/* libsva: errors in words. Needs no device. */
#include <limits.h>
#include <pthread.h>

#include "lib_util.h"
#include "kselftest_harness.h"

#define CALLS	(SVA_CALL_VEVENTQ_ALLOC + 1)

TEST(lib_error_says_what_to_do)
{
	EXPECT_NE(NULL, strstr(sva_strerror(SVA_CALL_IOVA_MAP, -EDQUOT),
			       "RLIMIT_MEMLOCK"));
	EXPECT_NE(NULL, strstr(sva_strerror(SVA_CALL_OPEN, -EPERM), "modprobe"));
	EXPECT_NE(NULL, strstr(sva_strerror(SVA_CALL_OPEN, -EACCES), "group"));
	EXPECT_NE(NULL, strstr(sva_strerror(SVA_CALL_PASID_FREE, -EBUSY),
			       "detach"));
}

TEST(lib_error_depends_on_call)
{
	EXPECT_STRNE(sva_strerror(SVA_CALL_IOVA_MAP_FILE, -EPERM),
		     sva_strerror(SVA_CALL_ATTACH, -EPERM));
	EXPECT_STRNE(sva_strerror(SVA_CALL_PASID_ALLOC, -EBUSY),
		     sva_strerror(SVA_CALL_PASID_FREE, -EBUSY));
}

TEST(lib_error_sign_does_not_matter)
{
	EXPECT_EQ(sva_strerror(SVA_CALL_IOVA_MAP, -EDQUOT),
		  sva_strerror(SVA_CALL_IOVA_MAP, EDQUOT));
}

/* Mapping a file fails as mapping memory does, in these words. */
TEST(lib_error_variants_share)
{
	EXPECT_EQ(sva_strerror(SVA_CALL_IOVA_MAP, -EDQUOT),
		  sva_strerror(SVA_CALL_IOVA_MAP_FILE, -EDQUOT));
	EXPECT_EQ(sva_strerror(SVA_CALL_IOVA_MAP, -EEXIST),
		  sva_strerror(SVA_CALL_IOVA_COPY, -EEXIST));
	EXPECT_EQ(sva_strerror(SVA_CALL_SIM_SUBMIT, -EINVAL),
		  sva_strerror(SVA_CALL_SIM_WAIT, -EINVAL));
}

TEST(lib_error_falls_back_on_system)
{
	EXPECT_STREQ(strerrordesc_np(EISDIR),
		     sva_strerror(SVA_CALL_OPEN, -EISDIR));
	EXPECT_STREQ("success", sva_strerror(SVA_CALL_OPEN, 0));
}

/* Whatever one passes, there is an answer, one line that can be printed. */
TEST(lib_error_total)
{
	static const int odd[] = { INT_MIN, INT_MAX, -4096, 4096, 100000 };
	unsigned int call, i;
	const char *text;
	int err;

	for (call = 0; call < CALLS + 3; call++) {
		for (err = -200; err <= 200; err++) {
			text = sva_strerror(call, err);
			ASSERT_NE(NULL, text);
			ASSERT_NE('\0', text[0]);
			ASSERT_EQ(NULL, strchr(text, '\n'));
		}
		for (i = 0; i < ARRAY_SIZE(odd); i++)
			ASSERT_NE(NULL, sva_strerror(call, odd[i]));
	}
	EXPECT_NE(NULL, sva_strerror((enum sva_call)-1, -EPERM));
	EXPECT_NE(NULL, sva_strerror((enum sva_call)INT_MAX, -EPERM));
}

/* Every errno that the uAPI names has words of ours. */
TEST(lib_error_uapi_is_explained)
{
	static const struct {
		enum sva_call call;
		int err;
	} named[] = {
		{ SVA_CALL_AS_DESTROY, ENOENT }, { SVA_CALL_AS_DESTROY, EBUSY },
		{ SVA_CALL_PASID_ALLOC, EINVAL }, { SVA_CALL_PASID_ALLOC, EBUSY },
		{ SVA_CALL_PASID_ALLOC, ENOSPC },
		{ SVA_CALL_PASID_FREE, EINVAL }, { SVA_CALL_PASID_FREE, ENOENT },
		{ SVA_CALL_PASID_FREE, EBUSY }, { SVA_CALL_PASID_INFO, ENOENT },
		{ SVA_CALL_PASID_BIND, ENOENT }, { SVA_CALL_PASID_BIND, EINVAL },
		{ SVA_CALL_PASID_BIND, EADDRINUSE },
		{ SVA_CALL_PASID_BIND, ENOTRECOVERABLE },
		{ SVA_CALL_AS_ALLOC, EOPNOTSUPP },
		{ SVA_CALL_IOVA_RANGES, ENOENT }, { SVA_CALL_IOVA_RANGES, EMSGSIZE },
		{ SVA_CALL_IOVA_MAP, EINVAL }, { SVA_CALL_IOVA_MAP, EOVERFLOW },
		{ SVA_CALL_IOVA_MAP, EEXIST }, { SVA_CALL_IOVA_MAP, EADDRNOTAVAIL },
		{ SVA_CALL_IOVA_MAP, ENOSPC }, { SVA_CALL_IOVA_MAP, EFAULT },
		{ SVA_CALL_IOVA_MAP, ENXIO }, { SVA_CALL_IOVA_MAP, EOPNOTSUPP },
		{ SVA_CALL_IOVA_MAP, EDQUOT }, { SVA_CALL_IOVA_MAP, EINTR },
		{ SVA_CALL_IOVA_MAP_FILE, EBADF }, { SVA_CALL_IOVA_MAP_FILE, ENODEV },
		{ SVA_CALL_IOVA_MAP_FILE, EACCES }, { SVA_CALL_IOVA_MAP_FILE, EPERM },
		{ SVA_CALL_IOVA_MAP_FILE, ERANGE },
		{ SVA_CALL_IOVA_UNMAP, EINVAL }, { SVA_CALL_IOVA_UNMAP, EOVERFLOW },
		{ SVA_CALL_IOVA_UNMAP, ENOENT }, { SVA_CALL_IOVA_UNMAP, ERANGE },
		{ SVA_CALL_IOVA_UNMAP, EBUSY }, { SVA_CALL_IOVA_COPY, ENOENT },
		{ SVA_CALL_IOVA_COPY, EACCES }, { SVA_CALL_IOVA_COPY, EBUSY },
		{ SVA_CALL_ATTACH, EBADF }, { SVA_CALL_ATTACH, ENOENT },
		{ SVA_CALL_ATTACH, ESTALE }, { SVA_CALL_ATTACH, ESRCH },
		{ SVA_CALL_PASID_FD, ENOENT }, { SVA_CALL_PASID_FD, EMFILE },
		{ SVA_CALL_PASID_FD, EPERM }, { SVA_CALL_PASID_FD_REVOKE, ENOENT },
		{ SVA_CALL_ATTACH, ENODEV }, { SVA_CALL_ATTACH, ERANGE },
		{ SVA_CALL_ATTACH, EPERM }, { SVA_CALL_ATTACH, EBUSY },
		{ SVA_CALL_ATTACH, EADDRINUSE }, { SVA_CALL_ATTACH, EOPNOTSUPP },
		{ SVA_CALL_SIM_SUBMIT, EINVAL }, { SVA_CALL_SIM_SUBMIT, ENOLINK },
		{ SVA_CALL_SIM_SUBMIT, ENODEV }, { SVA_CALL_SIM_SUBMIT, EFAULT },
		{ SVA_CALL_ATTACH, EXDEV }, { SVA_CALL_PASID_BIND, EXDEV },
		{ SVA_CALL_PASID_BIND, ERANGE },
		{ SVA_CALL_AS_ALLOC, EBADF }, { SVA_CALL_AS_ALLOC, EINVAL },
		{ SVA_CALL_DEVICE_INFO, ENOENT }, { SVA_CALL_DEVICE_INFO, EFAULT },
		{ SVA_CALL_AS_ALLOC_NESTED, EOPNOTSUPP },
		{ SVA_CALL_AS_ALLOC_NESTED, ENOENT },
		{ SVA_CALL_AS_ALLOC_NESTED, EINVAL },
		{ SVA_CALL_AS_ALLOC_NESTED, ENODEV },
		{ SVA_CALL_AS_ALLOC_NESTED, EXDEV },
		{ SVA_CALL_AS_ALLOC_NESTED, EBADF },
		{ SVA_CALL_AS_ALLOC_NESTED, E2BIG },
		{ SVA_CALL_AS_ALLOC_NESTED, EFAULT },
		{ SVA_CALL_INVALIDATE, ENOENT }, { SVA_CALL_INVALIDATE, ENODEV },
		{ SVA_CALL_INVALIDATE, EINVAL }, { SVA_CALL_INVALIDATE, E2BIG },
		{ SVA_CALL_INVALIDATE, EOPNOTSUPP }, { SVA_CALL_INVALIDATE, EFAULT },
		{ SVA_CALL_PASID_GUEST, EINVAL }, { SVA_CALL_PASID_GUEST, ENOENT },
		{ SVA_CALL_PASID_GUEST, EEXIST }, { SVA_CALL_FAULTQ_ALLOC, EINVAL },
		{ SVA_CALL_FAULTQ_ALLOC, EMFILE },
		{ SVA_CALL_FAULTQ_RESPOND, ENOENT },
		{ SVA_CALL_FAULTQ_RESPOND, EINVAL },
		{ SVA_CALL_FAULTQ_RESPOND, EFAULT },
		{ SVA_CALL_QUEUE_READ, EAGAIN }, { SVA_CALL_QUEUE_READ, EINVAL },
		{ SVA_CALL_QUEUE_READ, EFAULT }, { SVA_CALL_QUEUE_READ, ETIMEDOUT },
		{ SVA_CALL_VIOMMU_ALLOC, ENOENT }, { SVA_CALL_VIOMMU_ALLOC, EINVAL },
		{ SVA_CALL_VIOMMU_ALLOC, ENODEV },
		{ SVA_CALL_VIOMMU_ALLOC, EOPNOTSUPP },
		{ SVA_CALL_VIOMMU_DESTROY, ENOENT },
		{ SVA_CALL_VIOMMU_DESTROY, EBUSY },
		{ SVA_CALL_VDEVICE_ALLOC, ENOENT }, { SVA_CALL_VDEVICE_ALLOC, ENODEV },
		{ SVA_CALL_VDEVICE_ALLOC, EXDEV }, { SVA_CALL_VDEVICE_ALLOC, EEXIST },
		{ SVA_CALL_VEVENTQ_ALLOC, ENOENT }, { SVA_CALL_VEVENTQ_ALLOC, EINVAL },
		{ SVA_CALL_VEVENTQ_ALLOC, EEXIST }, { SVA_CALL_VEVENTQ_ALLOC, EMFILE },
		{ SVA_CALL_GET_INFO, ENOTTY }, { SVA_CALL_GET_INFO, E2BIG },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(named); i++)
		EXPECT_STRNE(strerrordesc_np(named[i].err),
			     sva_strerror(named[i].call, named[i].err)) {
			TH_LOG("call %u, errno %d", named[i].call, named[i].err);
		}
}

static void *ask(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 10000; i++)
		if (!sva_strerror(i % CALLS, -(i % 140)))
			return "null";
	return NULL;
}

TEST(lib_error_threads)
{
	pthread_t thread[4];
	void *result;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, ask, NULL));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &result));
		EXPECT_EQ(NULL, result);
	}
}

TEST_HARNESS_MAIN
