// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of life: of the queue, the process and the engine, all while the engine
 * is at work.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sva_util.h"
#include "kselftest_harness.h"

#define LEN (4 << 20)
#define JOBS 200

FIXTURE(sim_life) {
	int fd;
	int sim;
	uint32_t pasid;
	char engine[32];
	char dev[32];
	unsigned char *mem;
	struct sva_sim_completion *done;
};

FIXTURE_SETUP(sim_life)
{
	sva_sim_name(self->engine, sizeof(self->engine), "life");
	self->sim = sva_sim_create(self->engine, NULL, NULL, NULL);
	ASSERT_LE(0, self->sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", self->dev,
				 sizeof(self->dev)));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_MM, 0, 0, &self->pasid));
	self->mem = sva_mem(LEN);
	ASSERT_NE(NULL, self->mem);
	self->done = sva_mem(JOBS * sizeof(*self->done));
	ASSERT_NE(NULL, self->done);
	memset(self->done, 0, JOBS * sizeof(*self->done));
}

FIXTURE_TEARDOWN(sim_life)
{
	munmap(self->mem, LEN);
	munmap(self->done, JOBS * sizeof(*self->done));
	close(self->sim);
	close(self->fd);
	EXPECT_EQ(0, sva_sim_remove(self->engine));
}

/* More than can be done before what comes next. */
static int keep_busy(int sim, unsigned char *mem,
		     struct sva_sim_completion *done)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, LEN);
	int i, ret;

	for (i = 0; i < JOBS; i++) {
		desc.completion = done ? (uintptr_t)&done[i] : 0;
		ret = sva_sim_submit(sim, &desc);
		if (ret)
			return ret;
	}
	return 0;
}

static int works(int sim, unsigned char *mem, struct sva_sim_completion *done)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 5, 64);

	return sva_sim_run(sim, &desc, done) == SVA_SIM_STATUS_OK;
}

TEST_F(sim_life, sim_close_while_busy)
{
	int i, aborted = 0;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	ASSERT_EQ(0, keep_busy(self->sim, self->mem, self->done));
	ASSERT_TRUE(sva_sim_wait(self->sim, &self->done[0]) == SVA_SIM_STATUS_OK);
	ASSERT_EQ(0, close(self->sim));
	/* When close has returned, the engine writes no more. */
	for (i = 0; i < JOBS; i++)
		aborted += self->done[i].status == SVA_SIM_STATUS_ABORTED;
	EXPECT_LT(0, aborted);
	memset(self->mem, 0, LEN);
	usleep(20000);
	for (i = 0; i < LEN; i++)
		ASSERT_EQ(0, self->mem[i]);

	EXPECT_EQ(0, sva_pasid_free(self->fd, self->pasid));
	self->sim = sva_sim_open_name(self->dev);
	ASSERT_LE(0, self->sim);
}

TEST_F(sim_life, sim_detach_waits)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 1, LEN);
	const int jobs = 20;
	struct sva_sim_info info;
	int i;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	for (i = 0; i < jobs; i++) {
		desc.completion = (uintptr_t)&self->done[i];
		ASSERT_EQ(0, sva_sim_submit(self->sim, &desc));
	}
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(jobs, info.completed);
	EXPECT_EQ(0, info.failed);
	EXPECT_EQ((uint64_t)jobs * LEN, info.bytes);
	EXPECT_EQ(SVA_SIM_STATUS_OK, self->done[jobs - 1].status);
}

TEST_F(sim_life, sim_sva_fd_closed_while_attached)
{
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	close(self->fd);
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	self->fd = sva_open();
}

/* A process with an engine at work in its memory. */
static pid_t busy_child(const char *dev, int how)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		unsigned char *mem = sva_mem(LEN);
		int fd = sva_open();
		int sim = sva_sim_open_name(dev);
		uint32_t pasid;

		if (sva_pasid_alloc(fd, SVA_PASID_F_MM, 0, 0, &pasid) ||
		    sva_sim_attach(sim, fd, pasid, NULL) ||
		    keep_busy(sim, mem, NULL) || write(ready[1], &c, 1) != 1)
			_exit(1);
		if (how == SIGKILL)
			pause();
		_exit(0);
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

TEST_F(sim_life, sim_exit_while_busy)
{
	int i, status;

	for (i = 0; i < 10; i++) {
		pid_t pid = busy_child(self->dev, 0);

		ASSERT_LT(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
}

TEST_F(sim_life, sim_kill_while_busy)
{
	int i, status;

	for (i = 0; i < 10; i++) {
		pid_t pid = busy_child(self->dev, SIGKILL);

		ASSERT_LT(0, pid);
		usleep(i * 1000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
	}
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
}

/* The queue outlives the memory: somebody else has the file. */
TEST_F(sim_life, sim_memory_dies_first)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 1, 8);
	uint32_t pasid;
	int status, go[2];
	char c = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = sva_open();

		_exit(sva_pasid_alloc(fd, SVA_PASID_F_MM, 0, 0, &pasid) ||
		      sva_sim_attach(self->sim, fd, pasid, NULL) ||
		      !works(self->sim, self->mem, self->done) ||
		      read(go[0], &c, 1) != 1);
	}
	ASSERT_EQ(1, write(go[1], &c, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(0, self->mem[0]);
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	close(go[0]);
	close(go[1]);
}

static void expect_gone(struct __test_metadata *_metadata, int sim)
{
	struct pollfd pfd = { .fd = sim, .events = POLLIN | POLLOUT };
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };
	struct sva_sim_eventfd efd = { .size = sizeof(efd), .fd = -1 };
	struct sva_sim_info info;
	uint64_t count;

	EXPECT_EQ(1, poll(&pfd, 1, SVA_TIMEOUT_MS));
	EXPECT_TRUE(pfd.revents & POLLHUP);
	EXPECT_FALSE(pfd.revents & POLLOUT);
	if (pfd.revents & POLLIN)
		EXPECT_EQ((ssize_t)sizeof(count), read(sim, &count, sizeof(count)));
	EXPECT_EQ(-1, read(sim, &count, sizeof(count)));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-ENODEV, sva_sim_submit(sim, &desc));
	EXPECT_EQ(-ENODEV, sva_sim_info(sim, &info));
	EXPECT_EQ(-ENODEV, sva_ioctl(sim, SVA_SIM_SET_EVENTFD, &efd));
}

TEST_F(sim_life, sim_disable_while_busy)
{
	int i, aborted = 0;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	ASSERT_EQ(0, keep_busy(self->sim, self->mem, self->done));
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	for (i = 0; i < JOBS; i++)
		aborted += self->done[i].status == SVA_SIM_STATUS_ABORTED;
	EXPECT_LT(0, aborted);
	memset(self->mem, 0, LEN);
	usleep(20000);
	for (i = 0; i < LEN; i++)
		ASSERT_EQ(0, self->mem[i]);

	expect_gone(_metadata, self->sim);
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(-ENODEV, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_EQ(0, sva_pasid_free(self->fd, self->pasid));
}

/* Not detached by its user: the bond is the file's until it is closed. */
TEST_F(sim_life, sim_remove_while_busy)
{
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	ASSERT_EQ(0, keep_busy(self->sim, self->mem, NULL));
	ASSERT_EQ(0, sva_sim_remove(self->engine));
	expect_gone(_metadata, self->sim);
	close(self->sim);

	self->sim = sva_sim_create(self->engine, NULL, NULL, NULL);
	ASSERT_LE(0, self->sim);
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
}

TEST_F(sim_life, sim_unbind_while_busy)
{
	char path[96], link[256], *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/sva_sim/%s/device", self->dev);
	n = readlink(path, link, sizeof(link) - 1);
	ASSERT_LT(0, n);
	link[n] = '\0';
	name = strrchr(link, '/') + 1;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	ASSERT_EQ(0, keep_busy(self->sim, self->mem, NULL));
	ASSERT_EQ(0, sva_write_file("/sys/bus/platform/drivers/sva_sim/unbind", name));
	expect_gone(_metadata, self->sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", self->dev,
				 sizeof(self->dev)));
	EXPECT_EQ('\0', self->dev[0]);

	ASSERT_EQ(0, sva_write_file("/sys/bus/platform/drivers/sva_sim/bind", name));
	close(self->sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", self->dev,
				 sizeof(self->dev)));
	self->sim = sva_sim_open_name(self->dev);
	ASSERT_LE(0, self->sim);
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
}

/* Somebody sleeps in read, and is told. */
TEST_F(sim_life, sim_disable_wakes_reader)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		uint64_t count;

		_exit(read(self->sim, &count, sizeof(count)) == -1 &&
		      errno == ENODEV ? 0 : 1);
	}
	usleep(50000);
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* It is for engines only, whatever driver_override says. */
TEST_F(sim_life, sim_foreign_device)
{
	const char *name = "serial8250", *dev = "/sys/bus/platform/devices/serial8250";
	char override[96], unbind[96];

	snprintf(override, sizeof(override), "%s/driver_override", dev);
	snprintf(unbind, sizeof(unbind), "%s/driver/unbind", dev);
	if (sva_write_file(override, "sva_sim"))
		SKIP(return, "no other platform device");
	sva_write_file(unbind, name);
	EXPECT_EQ(-ENODEV,
		  sva_write_file("/sys/bus/platform/drivers/sva_sim/bind", name));
	EXPECT_EQ(0, sva_write_file(override, "\n"));
	EXPECT_EQ(0, sva_write_file("/sys/bus/platform/drivers_probe", name));
}

/* --- descriptors that have not begun ------------------------------------------- */

/* So many queues are executed at a time (WQ_MAX_ACTIVE); here are some more. */
#define ACTIVE 2048
#define CROWD (ACTIVE + 52)

static int fill_crowd(const char *dev, int fd, uint32_t pasid)
{
	struct sva_sim_desc desc = sva_sim_fill(0x10000, 1, 8);
	int i, sim, ret;

	ret = sva_limit_fds(CROWD + 100);
	for (i = 0; !ret && i < CROWD; i++) {
		sim = sva_sim_open_name(dev);
		if (sim < 0)
			return sim;
		ret = sva_sim_attach(sim, fd, pasid, NULL);
		if (!ret)
			ret = sva_sim_submit(sim, &desc);
	}
	return ret;
}

/* A process with many queues, of which the last that it opened have not begun. */
static pid_t crowd(FIXTURE_DATA(sim_life) *self, uint32_t pasid)
{
	pid_t parent = getpid(), pid;
	int waited, ready[2];
	char c = 0;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || fill_crowd(self->dev, self->fd, pasid) ||
		    write(ready[1], &c, 1) != 1)
			_exit(1);
		pause();
		_exit(2);
	}
	close(ready[1]);
	waited = pid > 0 && read(ready[0], &c, 1) == 1 ? 0 : SVA_TIMEOUT_MS;
	close(ready[0]);
	for (; waited < SVA_TIMEOUT_MS; waited += 10) {
		if (sva_sim_count(self->engine, "page_requests") >= ACTIVE)
			return pid;
		usleep(10000);
	}
	return -1;
}

/* Whether a process ends soon. */
static bool ends(pid_t pid, int *status)
{
	int waited;

	for (waited = 0; waited < SVA_TIMEOUT_MS; waited += 10) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

/* Closes a queue whose descriptor has not begun. Returns whether it says so. */
static bool closed_is_aborted(const char *dev)
{
	struct sva_sim_completion *done = sva_mem(sizeof(*done));
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };
	int sim = sva_sim_open_name(dev), fd = sva_open();
	uint32_t pasid;

	if (!done || sim < 0 || fd < 0)
		return false;
	memset(done, 0, sizeof(*done));
	desc.completion = (uintptr_t)done;
	if (sva_pasid_alloc(fd, SVA_PASID_F_MM, 0, 0, &pasid) ||
	    sva_sim_attach(sim, fd, pasid, NULL) || sva_sim_submit(sim, &desc))
		return false;
	close(sim);
	return __atomic_load_n(&done->status, __ATOMIC_ACQUIRE) ==
	       SVA_SIM_STATUS_ABORTED;
}

/* Whoever hangs does so until the page requests are answered, for which @q is kept. */
TEST_F_TIMEOUT(sim_life, sim_end_before_begin, 100)
{
	int q, status = 0;
	uint32_t pasid;
	pid_t pid, closer;

	q = sva_pasid_asking(self->fd, 0, CROWD, &pasid);
	ASSERT_LE(0, q);
	pid = crowd(self, pasid);
	ASSERT_LT(0, pid);

	closer = fork();
	ASSERT_LE(0, closer);
	if (!closer) {
		close(q);
		_exit(!closed_is_aborted(self->dev));
	}
	EXPECT_TRUE(ends(closer, &status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(ends(pid, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(q);
	while (wait(NULL) > 0)
		;
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
}

/* Queues are revoked, the first one first, and closed, the last one first. */
TEST_F_TIMEOUT(sim_life, sim_disable_before_begin, 100)
{
	int q, status = 0;
	pid_t pid, disabler;
	uint32_t pasid;

	q = sva_pasid_asking(self->fd, 0, CROWD, &pasid);
	ASSERT_LE(0, q);
	pid = crowd(self, pasid);
	ASSERT_LT(0, pid);

	disabler = fork();
	ASSERT_LE(0, disabler);
	if (!disabler) {
		close(q);
		_exit(!!sva_sim_set(self->engine, "enable", "0"));
	}
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(ends(disabler, &status));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(ends(pid, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(q);
	while (wait(NULL) > 0)
		;
	expect_gone(_metadata, self->sim);
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* None of them goes while an engine is open. */
TEST_F(sim_life, sim_unload_refused)
{
	EXPECT_EQ(-EWOULDBLOCK, unload("sva_sim"));
	EXPECT_EQ(-EWOULDBLOCK, unload("sva_sim_iommu"));
	EXPECT_EQ(-EWOULDBLOCK, unload("sva"));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_TRUE(works(self->sim, self->mem, self->done));
}

TEST_HARNESS_MAIN
