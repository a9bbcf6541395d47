// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: attaching to an engine, giving it work and waiting for it.
 *
 * Machine: plain engine
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "lib_util.h"
#include "kselftest_harness.h"

FIXTURE(lib_sim) {
	struct sva *sva;
	struct sva_sim *sim;
	uint32_t process;
};

FIXTURE_SETUP(lib_sim)
{
	if (access(LIB_ENGINE, F_OK))
		SKIP(return, "there is no " LIB_ENGINE);
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, sva_sim_open(&self->sim, LIB_ENGINE, 0));
	ASSERT_EQ(0, sva_pasid_alloc_process(self->sva, &self->process));
}

FIXTURE_TEARDOWN(lib_sim)
{
	sva_sim_close(self->sim);
	sva_close(self->sva);
}

static struct sva_sim_desc memcpy_desc(void *dst, const void *src, size_t len,
				       struct sva_sim_completion *done)
{
	return (struct sva_sim_desc){
		.op = SVA_SIM_OP_MEMCPY,
		.src = (uintptr_t)src,
		.dst = (uintptr_t)dst,
		.len = len,
		.completion = (uintptr_t)done,
	};
}

TEST_F(lib_sim, open)
{
	struct sva_sim *sim = NULL;

	EXPECT_EQ(FD_CLOEXEC, fcntl(sva_sim_fd(self->sim), F_GETFD));
	EXPECT_TRUE(fcntl(sva_sim_fd(self->sim), F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EINVAL, sva_sim_open(&sim, LIB_ENGINE, 1));
	EXPECT_EQ(-ENOENT, sva_sim_open(&sim, "/dev/sva_sim_none", 0));
	EXPECT_EQ(NULL, sim);
	sva_sim_close(NULL);
}

TEST_F(lib_sim, info)
{
	struct {
		struct sva_sim_info known;
		uint64_t future;
	} info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, sva_sim_info(self->sim, &info.known, sizeof(info)));
	EXPECT_LT(0, info.known.pasid_max);
	EXPECT_LT(0, info.known.queue_depth);
	EXPECT_EQ(0, info.known.number);
	EXPECT_EQ(0, info.known.completed);
	EXPECT_EQ(0, info.future);
	EXPECT_EQ(-EINVAL, sva_sim_info(self->sim, &info.known, 4));
}

TEST_F(lib_sim, attach_detach)
{
	struct sva_pasid_info info;
	uint32_t number = LIB_UNSET;

	EXPECT_EQ(-EINVAL, sva_sim_detach(self->sim));
	EXPECT_EQ(-ENOENT, sva_sim_attach(self->sim, self->sva, 0x7fffffff,
					  &number));
	EXPECT_EQ(LIB_UNSET, number);
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process,
				    &number));
	EXPECT_NE(0, number);
	ASSERT_EQ(0, sva_pasid_info(self->sva, self->process, &info,
				    sizeof(info)));
	EXPECT_EQ(number, info.number);
	EXPECT_EQ(1, info.bonds);
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim, self->sva, self->process,
					 NULL));
	EXPECT_EQ(-EBUSY, sva_pasid_free(self->sva, self->process));
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(-EINVAL, sva_sim_detach(self->sim));
	EXPECT_EQ(0, sva_pasid_free(self->sva, self->process));
}

struct foreign {
	struct sva *sva;
	uint32_t process;
};

static int attach_foreign(void *arg)
{
	struct foreign *foreign = arg;
	struct sva_sim *sim;

	if (sva_sim_open(&sim, LIB_ENGINE, 0))
		return 255;
	return -sva_sim_attach(sim, foreign->sva, foreign->process, NULL);
}

TEST_F(lib_sim, attach_from_child_refused)
{
	struct foreign foreign = { self->sva, self->process };

	EXPECT_EQ(EPERM, lib_in_child(attach_foreign, &foreign));
}

TEST_F(lib_sim, submit_refusals)
{
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };
	struct sva_sim_desc bad = { .op = 0x7fffffff };

	EXPECT_EQ(-ENOLINK, sva_sim_submit(self->sim, &desc, 1));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	EXPECT_EQ(-EINVAL, sva_sim_submit(self->sim, &bad, 1));
	EXPECT_EQ(-EINVAL, sva_sim_submit(self->sim, &desc, UINT32_MAX));
	EXPECT_EQ(-EFAULT, sva_sim_submit(self->sim, NULL, 1));
	EXPECT_EQ(0, sva_sim_submit(self->sim, &desc, 0));
	EXPECT_EQ(1, sva_sim_submit(self->sim, &desc, 1));
}

TEST_F(lib_sim, run)
{
	char src[1000], dst[1000] = "";
	struct sva_sim_completion done;
	struct sva_sim_desc desc = memcpy_desc(dst, src, sizeof(src), NULL);

	memset(src, 'y', sizeof(src));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	/* where the descriptor says is not looked at */
	desc.completion = 0x123450;
	ASSERT_EQ(0, sva_sim_run(self->sim, &desc, &done));
	EXPECT_EQ(SVA_SIM_STATUS_OK, done.status);
	EXPECT_EQ(sizeof(src), done.bytes);
	EXPECT_EQ(0, memcmp(src, dst, sizeof(src)));
}

/* That the engine failed is not an error of the call. */
TEST_F(lib_sim, run_fault)
{
	struct sva_sim_completion done;
	struct sva_sim_desc desc;
	void *hole;

	hole = mmap(NULL, LIB_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, hole);
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	desc = memcpy_desc(hole, "12345678", 8, NULL);
	ASSERT_EQ(0, sva_sim_run(self->sim, &desc, &done));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, done.status);
	EXPECT_EQ((uintptr_t)hole, done.fault_addr);
	munmap(hole, LIB_PAGE);
}

/*
 * Wait until so many descriptors of a queue are counted, which they are after
 * their records were written.
 *
 * Return: 0; -ETIME they are fewer, or more.
 */
static int wait_counted(struct sva_sim *sim, uint64_t count,
			struct sva_sim_info *info)
{
	int i, err;

	for (i = 0; i < LIB_TIMEOUT_MS; i++) {
		err = sva_sim_info(sim, info, sizeof(*info));
		if (err || info->completed == count)
			return err;
		usleep(1000);
	}
	return -ETIME;
}

/* More than a queue holds, or one write(2) is given: submitting waits for room. */
TEST_F(lib_sim, submit_more_than_fit)
{
	struct sva_sim_completion done = { 0 };
	struct sva_sim_info info;
	struct sva_sim_desc *desc;
	unsigned int count, i;

	ASSERT_EQ(0, sva_sim_info(self->sim, &info, sizeof(info)));
	count = 5 * info.queue_depth + 5000;
	desc = calloc(count, sizeof(*desc));
	ASSERT_NE(NULL, desc);
	for (i = 0; i < count; i++)
		desc[i].op = SVA_SIM_OP_NOP;
	desc[count - 1].completion = (uintptr_t)&done;
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	ASSERT_EQ((int)count, sva_sim_submit(self->sim, desc, count));
	ASSERT_EQ(0, sva_sim_wait(self->sim, &done, LIB_TIMEOUT_MS));
	EXPECT_EQ(0, wait_counted(self->sim, count, &info));
	free(desc);
}

TEST_F(lib_sim, submit_partly)
{
	struct sva_sim_completion done = { 0 };
	struct sva_sim_desc desc[3] = {
		{ .op = SVA_SIM_OP_NOP },
		{ .op = SVA_SIM_OP_NOP, .completion = (uintptr_t)&done },
		{ .op = 0x7fffffff },
	};
	int taken;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	/* those before the bad one are taken, or nothing is */
	taken = sva_sim_submit(self->sim, desc, 3);
	if (taken != -EINVAL) {
		EXPECT_EQ(2, taken);
		EXPECT_EQ(0, sva_sim_wait(self->sim, &done, LIB_TIMEOUT_MS));
	}
}

TEST_F(lib_sim, wait_timeout)
{
	struct sva_sim_completion never = { 0 };
	struct timespec start, end;
	int64_t ms;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	EXPECT_EQ(-ETIMEDOUT, sva_sim_wait(self->sim, &never, 0));
	clock_gettime(CLOCK_MONOTONIC, &start);
	EXPECT_EQ(-ETIMEDOUT, sva_sim_wait(self->sim, &never, 50));
	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (end.tv_sec - start.tv_sec) * 1000 +
	     (end.tv_nsec - start.tv_nsec) / 1000000;
	EXPECT_LE(49, ms);
}

TEST_F(lib_sim, wait_done_before)
{
	struct sva_sim_completion done = { .status = SVA_SIM_STATUS_OK };

	EXPECT_EQ(0, sva_sim_wait(self->sim, &done, 0));
	EXPECT_EQ(0, sva_sim_wait(self->sim, &done, -1));
}

TEST_F(lib_sim, wait_interrupted)
{
	struct sva_sim_completion never = { 0 };
	timer_t timer;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	ASSERT_EQ(0, lib_signal_often(&timer));
	EXPECT_EQ(-EINTR, sva_sim_wait(self->sim, &never, LIB_TIMEOUT_MS));
	timer_delete(timer);
}

TEST_F(lib_sim, eventfd)
{
	struct sva_sim_completion done = { 0 };
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };
	struct pollfd pfd = { .events = POLLIN };
	uint64_t count;

	pfd.fd = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, pfd.fd);
	EXPECT_EQ(-EBADF, sva_sim_set_eventfd(self->sim, 9999));
	ASSERT_EQ(0, sva_sim_set_eventfd(self->sim, pfd.fd));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	ASSERT_EQ(0, sva_sim_run(self->sim, &desc, &done));
	ASSERT_EQ(1, poll(&pfd, 1, LIB_TIMEOUT_MS));
	ASSERT_EQ(8, read(pfd.fd, &count, 8));
	EXPECT_EQ(1, count);
	ASSERT_EQ(0, sva_sim_set_eventfd(self->sim, -1));
	ASSERT_EQ(0, sva_sim_run(self->sim, &desc, &done));
	EXPECT_EQ(0, poll(&pfd, 1, 20));
	close(pfd.fd);
}

/* --- many threads, one queue: each waits for its own records */

#define THREADS	8
#define ROUNDS	50

struct worker {
	pthread_t thread;
	struct sva_sim *sim;
	int number;
	int err;
};

static int copy_once(struct worker *worker, int round)
{
	uint64_t src = (uint64_t)worker->number << 32 | (unsigned int)round;
	uint64_t dst = 0;
	struct sva_sim_completion done = { 0 };
	struct sva_sim_desc desc = memcpy_desc(&dst, &src, sizeof(src), &done);
	int err;

	if (round % 2) {
		err = sva_sim_run(worker->sim, &desc, &done);
	} else {
		err = sva_sim_submit(worker->sim, &desc, 1);
		if (err == 1)
			err = sva_sim_wait(worker->sim, &done, LIB_TIMEOUT_MS);
	}
	if (!err && (done.status != SVA_SIM_STATUS_OK || dst != src))
		err = -EIO;
	return err;
}

static void *copy_often(void *arg)
{
	struct worker *worker = arg;
	int round;

	for (round = 0; round < ROUNDS && !worker->err; round++)
		worker->err = copy_once(worker, round);
	return NULL;
}

TEST_F(lib_sim, threads)
{
	struct worker worker[THREADS] = { 0 };
	struct sva_sim_info info;
	int i;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	for (i = 0; i < THREADS; i++) {
		worker[i].sim = self->sim;
		worker[i].number = i;
		ASSERT_EQ(0, pthread_create(&worker[i].thread, NULL, copy_often,
					    &worker[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(worker[i].thread, NULL);
		EXPECT_EQ(0, worker[i].err);
	}
	EXPECT_EQ(0, wait_counted(self->sim, THREADS * ROUNDS, &info));
	EXPECT_EQ(0, info.failed);
}

/* One whose time runs out leaves those alone that wait with it. */
TEST_F(lib_sim, threads_one_times_out)
{
	struct sva_sim_completion never = { 0 };
	struct worker worker = { .sim = self->sim, .number = 1 };

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, self->process, NULL));
	ASSERT_EQ(0, pthread_create(&worker.thread, NULL, copy_often, &worker));
	EXPECT_EQ(-ETIMEDOUT, sva_sim_wait(self->sim, &never, 20));
	pthread_join(worker.thread, NULL);
	EXPECT_EQ(0, worker.err);
}

/* --- an engine of our own, which can be taken away */

#define CONFIGFS "/sys/kernel/config/sva_sim"

FIXTURE(lib_sim_gone) {
	char dir[64];
	struct sva *sva;
	struct sva_sim *sim;
};

static int engine_attr(const char *dir, const char *attr, const char *value)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, attr);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int engine_path(const char *dir, char *device, size_t len)
{
	char path[128], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/dev", dir);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%31s", name) != 1)
		name[0] = '\0';
	fclose(file);
	snprintf(device, len, "/dev/%s", name);
	return name[0] ? 0 : -ENOENT;
}

FIXTURE_SETUP(lib_sim_gone)
{
	char device[64];
	uint32_t process;
	int i, err = -1;

	if (access(CONFIGFS, W_OK))
		SKIP(return, "no right to make engines in " CONFIGFS);
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	snprintf(self->dir, sizeof(self->dir), CONFIGFS "/lib_sim-%d", getpid());
	ASSERT_EQ(0, mkdir(self->dir, 0700));
	ASSERT_EQ(0, engine_attr(self->dir, "enable", "1"));
	ASSERT_EQ(0, engine_path(self->dir, device, sizeof(device)));
	/* who makes nodes may be slower than we are */
	for (i = 0; i < 200 && err; i++) {
		err = sva_sim_open(&self->sim, device, 0);
		if (err)
			usleep(10000);
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, sva_pasid_alloc_process(self->sva, &process));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->sva, process, NULL));
}

FIXTURE_TEARDOWN(lib_sim_gone)
{
	sva_sim_close(self->sim);
	EXPECT_EQ(0, rmdir(self->dir));
	sva_close(self->sva);
}

static void *wait_for_ever(void *arg)
{
	struct worker *worker = arg;
	struct sva_sim_completion never = { 0 };

	worker->err = sva_sim_wait(worker->sim, &never, -1);
	return NULL;
}

TEST_F(lib_sim_gone, all_who_wait_are_told)
{
	struct worker worker[THREADS] = { 0 };
	int i;

	for (i = 0; i < THREADS; i++) {
		worker[i].sim = self->sim;
		ASSERT_EQ(0, pthread_create(&worker[i].thread, NULL,
					    wait_for_ever, &worker[i]));
	}
	/* most of them wait by now, and who comes later is told as well */
	usleep(20000);
	ASSERT_EQ(0, engine_attr(self->dir, "enable", "0"));
	for (i = 0; i < THREADS; i++) {
		pthread_join(worker[i].thread, NULL);
		EXPECT_EQ(-ENOLINK, worker[i].err);
	}
}

TEST_F(lib_sim_gone, calls_say_so)
{
	struct sva_sim_completion done = { .status = SVA_SIM_STATUS_OK };
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };
	int err;

	ASSERT_EQ(0, engine_attr(self->dir, "enable", "0"));
	err = sva_sim_submit(self->sim, &desc, 1);
	EXPECT_TRUE(err == -ENODEV || err == -ENOLINK);
	err = sva_sim_run(self->sim, &desc, &done);
	EXPECT_TRUE(err == -ENODEV || err == -ENOLINK);
	/* what was completed before is */
	done.status = SVA_SIM_STATUS_OK;
	EXPECT_EQ(0, sva_sim_wait(self->sim, &done, -1));
}

TEST_HARNESS_MAIN
