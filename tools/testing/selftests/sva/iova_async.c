// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that hang in a page fault, threads, and processes that are killed.
 */
#include <pthread.h>
#include <signal.h>

#include "sva_core.h"
#include "sva_uffd.h"
#include "kselftest_harness.h"

#define IOVA	(1ULL << 30)

FIXTURE(iova_async) {
	struct core_counts before;
	int fd;
	uint32_t as;
	char *p;			/* 16 pages */
	struct slow_memory slow;	/* 4 pages */
};

FIXTURE_SETUP(iova_async)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->p = sva_mem(16 * CORE_PAGE);
	ASSERT_NE(NULL, self->p);
	ASSERT_EQ(0, slow_memory_init(&self->slow, 4 * CORE_PAGE));
}

FIXTURE_TEARDOWN(iova_async)
{
	slow_memory_exit(&self->slow);
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

#define MAP(_page, _n) \
	iova_map_at(self->fd, self->as, CORE_RW, self->p, (_n) * CORE_PAGE, \
		    IOVA + (_page) * CORE_PAGE)
#define UNMAP(_page, _n) \
	iova_unmap(self->fd, self->as, IOVA + (_page) * CORE_PAGE, \
		   (_n) * CORE_PAGE)

/* --- a map that hangs ---------------------------------------------------------- */

TEST_F(iova_async, a_map_that_hangs_blocks_nobody)
{
	uint64_t iova = 0, copy = 0;
	struct sva_iova_range range;
	struct slow_map map;
	uint32_t num = 1, pasid;

	ASSERT_EQ(0, slow_map_start(&map, self->fd, self->as, &self->slow,
				    IOVA));
	ASSERT_EQ(0, slow_memory_wait(&self->slow));

	/* The same address space, everything but that range. */
	EXPECT_EQ(0, MAP(4, 4));
	EXPECT_EQ(0, sva_map(self->fd, self->as, CORE_RW, self->p, CORE_PAGE,
			     &iova));
	EXPECT_EQ(0, iova_copy(self->fd, CORE_RW, self->as, self->as, iova,
			       CORE_PAGE, &copy));
	EXPECT_EQ(0, iova_ranges(self->fd, self->as, &range, &num));
	EXPECT_EQ(4 * CORE_PAGE, UNMAP(4, 4));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, pasid, self->as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));

	ASSERT_EQ(0, slow_memory_fill(&self->slow));
	EXPECT_EQ(0, slow_map_end(&map));
	EXPECT_EQ(4 * CORE_PAGE, UNMAP(0, 4));
}

TEST_F(iova_async, the_range_of_a_map_that_hangs)
{
	struct slow_map map;
	uint64_t dst = 0;

	ASSERT_EQ(0, slow_map_start(&map, self->fd, self->as, &self->slow,
				    IOVA));
	ASSERT_EQ(0, slow_memory_wait(&self->slow));

	EXPECT_EQ(-EEXIST, MAP(0, 1));
	EXPECT_EQ(-EEXIST, MAP(3, 2));
	EXPECT_EQ(-EBUSY, UNMAP(0, 4));
	EXPECT_EQ(-EBUSY, UNMAP(0, 100));
	EXPECT_EQ(-EBUSY, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(-ERANGE, UNMAP(1, 1));
	EXPECT_EQ(-EBUSY, iova_copy(self->fd, CORE_RW, self->as, self->as, IOVA,
				    CORE_PAGE, &dst));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->as));

	ASSERT_EQ(0, slow_memory_fill(&self->slow));
	EXPECT_EQ(0, slow_map_end(&map));
	EXPECT_EQ(-EEXIST, MAP(0, 1));
	EXPECT_EQ(4 * CORE_PAGE, UNMAP(0, 4));
	EXPECT_EQ(0, MAP(0, 1));
}

/* What goes away under it: the map fails and leaves nothing. */
TEST_F(iova_async, memory_unmapped_while_a_map_hangs)
{
	struct slow_map map;

	ASSERT_EQ(0, slow_map_start(&map, self->fd, self->as, &self->slow,
				    IOVA));
	ASSERT_EQ(0, slow_memory_wait(&self->slow));
	ASSERT_EQ(0, munmap(self->slow.base, self->slow.length));
	ASSERT_EQ(0, slow_memory_wake(&self->slow));
	EXPECT_EQ(-EFAULT, slow_map_end(&map));
	EXPECT_EQ(-ENOENT, UNMAP(0, 4));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	EXPECT_EQ(0, MAP(0, 4));
}

/* --- killed -------------------------------------------------------------------- */

static void hang_in_map(void)
{
	struct slow_memory slow;
	uint64_t iova = 0;
	uint32_t as;
	int fd = sva_open();

	if (fd < 0 || slow_memory_init(&slow, 4 * CORE_PAGE) ||
	    sva_as_alloc(fd, &as))
		_exit(1);
	sva_map(fd, as, CORE_RW, slow.base, slow.length, &iova);
	_exit(2);
}

TEST_F(iova_async, killed_while_a_map_hangs)
{
	struct core_counts want = core_counts();
	int status;
	pid_t pid = fork();

	if (!pid)
		hang_in_map();
	ASSERT_LT(0, pid);
	while (core_count("contexts") == want.contexts)
		core_sleep_ms(10);
	core_sleep_ms(200);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(core_settles(&want));
}

static void map_for_ever(void)
{
	size_t length = 256UL << 20;
	char *p = sva_mem(length);
	uint64_t iova = 0;
	uint32_t as;
	int fd = sva_open();

	if (fd < 0 || !p || sva_as_alloc(fd, &as))
		_exit(1);
	for (;;) {
		madvise(p, length, MADV_DONTNEED);
		if (sva_map(fd, as, CORE_RW, p, length, &iova))
			_exit(2);
		if (iova_unmap(fd, as, iova, length) < 0)
			_exit(3);
	}
}

TEST_F_TIMEOUT(iova_async, killed_while_mapping_much, 100)
{
	struct core_counts want = core_counts();
	int i, status;
	pid_t pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		if (!pid)
			map_for_ever();
		ASSERT_LT(0, pid);
		while (core_count("pinned_pages") == want.pinned)
			core_sleep_ms(1);
		core_sleep_ms(i * 10);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_TRUE(core_settles(&want));
	}
}

/* A parent that mapped exits, its child has the descriptor. */
TEST_F(iova_async, process_that_mapped_is_gone)
{
	struct core_counts want = core_counts();
	int status, in[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(in));
	pid = fork();
	if (!pid) {
		char *p = sva_mem(16 * CORE_PAGE);
		char byte;
		int fd = sva_open();
		uint32_t as;

		if (fd < 0 || sva_as_alloc(fd, &as) ||
		    iova_map_at(fd, as, CORE_RW, p, 16 * CORE_PAGE, IOVA))
			_exit(1);
		if (fork())
			_exit(0);
		close(in[1]);
		/* Until the test says so. */
		if (read(in[0], &byte, 1) != 1)
			_exit(2);
		_exit(iova_unmap(fd, as, IOVA, CORE_PAGE * 16) < 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(in[0]);
	EXPECT_EQ(want.contexts + 1, core_count("contexts"));
	EXPECT_EQ(want.pinned + 16, core_count("pinned_pages"));
	ASSERT_EQ(1, write(in[1], "", 1));
	close(in[1]);
	EXPECT_TRUE(core_settles(&want));
}

/* --- threads ------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	int fd;
	uint32_t as;
	unsigned int seed;
	char *p;
	int wrong;
};

/* All want the same few places. */
static void *map_and_unmap(void *arg)
{
	struct worker *w = arg;
	uint64_t iova, dst;
	int i;

	for (i = 0; i < 1500; i++) {
		uint64_t n = 1 + rand_r(&w->seed) % 16;
		int64_t ret;

		iova = IOVA + rand_r(&w->seed) % 64 * CORE_PAGE;
		switch (rand_r(&w->seed) % 4) {
		case 0:
			ret = iova_map_at(w->fd, w->as, CORE_RW, w->p,
					  n * CORE_PAGE, iova);
			if (ret && ret != -EEXIST)
				w->wrong++;
			break;
		case 1:
			ret = sva_map(w->fd, w->as, CORE_RW, w->p,
				      n * CORE_PAGE, &iova);
			if (ret)
				w->wrong++;
			break;
		case 2:
			dst = 0;
			ret = iova_copy(w->fd, CORE_RW, w->as, w->as, iova,
					CORE_PAGE, &dst);
			if (ret && ret != -ENOENT && ret != -EBUSY)
				w->wrong++;
			break;
		default:
			ret = iova_unmap(w->fd, w->as, iova, n * CORE_PAGE);
			if (ret < 0 && ret != -ENOENT && ret != -ERANGE &&
			    ret != -EBUSY)
				w->wrong++;
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(iova_async, threads, 60)
{
	static struct worker workers[4];
	int i;

	for (i = 0; i < 4; i++) {
		workers[i].fd = self->fd;
		workers[i].as = self->as;
		workers[i].seed = i;
		workers[i].p = self->p;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    map_and_unmap, &workers[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
		EXPECT_EQ(0, workers[i].wrong);
	}
	EXPECT_LT(0, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
}

/* The process changes its memory meanwhile. */
static void *change_memory(void *arg)
{
	struct worker *w = arg;
	int i;

	for (i = 0; i < 2000; i++) {
		size_t at = rand_r(&w->seed) % 15 * CORE_PAGE;

		mprotect(w->p + at, CORE_PAGE, i % 3 ? PROT_READ : PROT_NONE);
		madvise(w->p + at, 2 * CORE_PAGE, MADV_DONTNEED);
		mprotect(w->p + at, CORE_PAGE, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

TEST_F_TIMEOUT(iova_async, memory_that_changes, 60)
{
	struct worker w = {
		.fd = self->fd, .as = self->as, .seed = 1, .p = self->p,
	};
	int i, ret, good = 0;

	ASSERT_EQ(0, pthread_create(&w.thread, NULL, change_memory, &w));
	for (i = 0; i < 1000; i++) {
		ret = MAP(0, 16);
		ASSERT_TRUE(ret == 0 || ret == -EFAULT);
		good += !ret;
		if (!ret) {
			ASSERT_EQ(16 * CORE_PAGE, UNMAP(0, 16));
		}
	}
	pthread_join(w.thread, NULL);
	EXPECT_LT(0, good);
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
}

TEST_HARNESS_MAIN
