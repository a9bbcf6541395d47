// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of life on the side of the process: descriptors, memory, the process
 * itself, while an engine is at work in it.
 *
 * Machine: plain engine
 */
#include <pthread.h>
#include <sched.h>

#include "bond_util.h"
#include "kselftest_harness.h"

FIXTURE(bond_life) {
	struct core_counts before;
	struct bond_mem *mem;
	bool stop;
};

FIXTURE_SETUP(bond_life)
{
	self->before = core_counts();
	self->stop = false;
	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(bond_life)
{
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_TRUE(core_settles(&self->before));
}

/* A queue that has the process PASID, and no sva fd any more. */
static int process_queue(int engine)
{
	int sim = sva_sim_open(engine), ret = bond_attach_process(sim);

	if (ret) {
		close(sim);
		return ret;
	}
	return sim;
}

/* --- descriptors -------------------------------------------------------------- */

TEST_F(bond_life, bond_outlives_sva_fd)
{
	uint32_t pasid, as, mm;
	int fd = sva_open(), number, process;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bond_as(fd, self->mem, &as));
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(fd, pasid, as));
	ASSERT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm));
	number = bond_attached("sva_sim0", fd, pasid);
	ASSERT_LE(0, number);
	process = bond_attached("sva_sim1", fd, mm);
	ASSERT_LE(0, process);

	close(fd);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(number, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(process, self->mem));
	EXPECT_EQ(self->before.contexts + 1, core_counts().contexts);
	EXPECT_EQ(self->before.bonds + 2, core_counts().bonds);
	EXPECT_EQ(self->before.pasids + 1, core_counts().pasids);
	EXPECT_LT(self->before.pinned, core_counts().pinned);

	ASSERT_EQ(0, sva_sim_detach(process));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(number, self->mem));
	EXPECT_EQ(self->before.contexts + 1, core_counts().contexts);
	/* The last bond takes all with it. */
	ASSERT_EQ(0, sva_sim_detach(number));
	EXPECT_TRUE(core_settles(&self->before));
	close(number);
	close(process);
}

/* --- memory -------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	int sim;
	uint64_t *page;		/* where the engine is at work */
	struct bond_mem *mem;
	uint64_t round;
	bool *stop;
	unsigned long ok;
	unsigned long faults;
	unsigned long wrong;
	int error;
};

static void count(struct worker *w, int status)
{
	if (status == SVA_SIM_STATUS_OK)
		w->ok++;
	else if (status == SVA_SIM_STATUS_FAULT &&
		 w->mem->done.fault_addr == (uintptr_t)w->page)
		w->faults++;
	else
		w->error = status ? status : -EPROTO;
}

static bool going_on(const struct worker *w)
{
	return !w->error && !__atomic_load_n(w->stop, __ATOMIC_RELAXED);
}

/* What is read was there when the read began, or came later. */
static void *reads(void *data)
{
	struct worker *w = data;

	while (going_on(w)) {
		uint64_t then = __atomic_load_n(&w->round, __ATOMIC_ACQUIRE);
		unsigned long ok = w->ok;

		w->mem->dst[0] = 0;
		count(w, bond_run(w->sim, sva_sim_memcpy((uintptr_t)w->mem->dst,
							 (uintptr_t)w->page, 8),
				  &w->mem->done));
		if (w->ok > ok && w->mem->dst[0] && w->mem->dst[0] < then)
			w->wrong++;
	}
	return NULL;
}

static void *writes(void *data)
{
	struct worker *w = data;

	while (going_on(w)) {
		unsigned long ok = w->ok;
		uint64_t round = ++w->round;

		count(w, bond_run(w->sim, sva_sim_fill((uintptr_t)w->page, round,
						       4096), &w->mem->done));
		/* The process sees what was written, and all of it. */
		if (w->ok > ok && (w->page[0] != round || w->page[511] != round))
			w->wrong++;
	}
	return NULL;
}

static void *writes_blindly(void *data)
{
	struct worker *w = data;

	while (going_on(w))
		count(w, bond_run(w->sim, sva_sim_fill((uintptr_t)w->page,
						       ++w->round, 4096),
				  &w->mem->done));
	return NULL;
}

static void *new_page(uint64_t *at)
{
	return mmap(at, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

TEST_F(bond_life, bond_munmap_gives_a_fault)
{
	int sim = process_queue(0);
	uint64_t *page = new_page(NULL);

	ASSERT_LE(0, sim);
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  bond_run(sim, sva_sim_fill((uintptr_t)page, 1, 4096),
			   &self->mem->done));
	EXPECT_EQ(1, page[511]);
	munmap(page, 4096);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  bond_run(sim, sva_sim_fill((uintptr_t)page, 2, 4096),
			   &self->mem->done));
	EXPECT_EQ((uintptr_t)page, self->mem->done.fault_addr);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	close(sim);
}

TEST_F_TIMEOUT(bond_life, bond_remap_under_reads, 60)
{
	struct worker w = {
		.sim = process_queue(0), .mem = self->mem, .stop = &self->stop,
		.page = new_page(NULL),
	};
	struct bond_mem *mem = bond_mem();
	int i, sim = process_queue(0);

	ASSERT_LE(0, w.sim);
	ASSERT_LE(0, sim);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, reads, &w));
	for (i = 1; i <= 500; i++) {
		/* Every other time there is a gap. */
		if (i % 2)
			munmap(w.page, 4096);
		ASSERT_EQ(w.page, new_page(w.page));
		w.page[0] = i;
		__atomic_store_n(&w.round, i, __ATOMIC_RELEASE);
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  bond_run(sim, sva_sim_memcpy((uintptr_t)mem->dst,
						       (uintptr_t)w.page, 8),
				   &mem->done));
		EXPECT_EQ(i, mem->dst[0]);
	}
	self->stop = true;
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	TH_LOG("%lu good, %lu faults", w.ok, w.faults);
	EXPECT_EQ(0, w.error);
	EXPECT_EQ(0, w.wrong);
	EXPECT_LT(0, w.ok);
	close(w.sim);
	close(sim);
	munmap(w.page, 4096);
	munmap(mem, sizeof(*mem));
}

TEST_F_TIMEOUT(bond_life, bond_replaced_memory_is_left_alone, 60)
{
	int file = memfd_create("replaced", MFD_CLOEXEC);
	struct worker w = {
		.sim = process_queue(0), .mem = self->mem, .stop = &self->stop,
		.page = new_page(NULL),
	};
	uint64_t *still, seen[512];
	int i;

	ASSERT_LE(0, w.sim);
	ASSERT_EQ(0, ftruncate(file, 4096));
	still = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, still);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, writes_blindly, &w));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(w.page, mmap(w.page, 4096, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_FIXED, file, 0));
		usleep(i % 16 * 100);
		ASSERT_EQ(w.page, new_page(w.page));
		/* From now on nobody writes to the file. */
		memcpy(seen, still, sizeof(seen));
		usleep(500);
		EXPECT_EQ(0, memcmp(seen, still, sizeof(seen)));
	}
	self->stop = true;
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.error);
	EXPECT_NE(0, still[0]);
	close(w.sim);
	close(file);
	munmap(still, 4096);
	munmap(w.page, 4096);
}

TEST_F_TIMEOUT(bond_life, bond_mprotect_under_writes, 60)
{
	struct worker w = {
		.sim = process_queue(0), .mem = self->mem, .stop = &self->stop,
		.page = new_page(NULL),
	};
	struct bond_mem *mem = bond_mem();
	int i, sim = process_queue(1);
	uint64_t seen[512];

	ASSERT_LE(0, w.sim);
	ASSERT_LE(0, sim);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, writes_blindly, &w));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, mprotect(w.page, 4096, PROT_READ));
		memcpy(seen, w.page, sizeof(seen));
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  bond_run(sim, sva_sim_fill((uintptr_t)w.page, 7, 8),
				   &mem->done));
		EXPECT_EQ((uintptr_t)w.page, mem->done.fault_addr);
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  bond_run(sim, sva_sim_memcpy((uintptr_t)mem->dst,
						       (uintptr_t)w.page, 4096),
				   &mem->done));
		EXPECT_EQ(0, memcmp(seen, mem->dst, sizeof(seen)));
		EXPECT_EQ(0, memcmp(seen, w.page, sizeof(seen)));
		ASSERT_EQ(0, mprotect(w.page, 4096, PROT_READ | PROT_WRITE));
		usleep(200);
	}
	self->stop = true;
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	TH_LOG("%lu good, %lu faults", w.ok, w.faults);
	EXPECT_EQ(0, w.error);
	EXPECT_LT(0, w.ok);
	EXPECT_LT(0, w.faults);
	close(w.sim);
	close(sim);
	munmap(w.page, 4096);
	munmap(mem, sizeof(*mem));
}

/* The parent's engine must not be seen here, nor we there. */
static void watch(uint64_t *page)
{
	uint64_t seen[512];
	int i;

	memcpy(seen, page, sizeof(seen));
	for (i = 0; i < 10; i++) {
		usleep(300);
		if (memcmp(seen, page, sizeof(seen)))
			_exit(1);
	}
	memset(page, 0xcc, 4096);
	usleep(300);
	for (i = 0; i < 512; i++)
		if (page[i] != 0xcccccccccccccccc)
			_exit(2);
	_exit(0);
}

TEST_F_TIMEOUT(bond_life, bond_fork_under_writes, 60)
{
	struct worker w = {
		.sim = process_queue(0), .mem = self->mem, .stop = &self->stop,
		.page = new_page(NULL),
	};
	int i;

	ASSERT_LE(0, w.sim);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, writes, &w));
	for (i = 0; i < 50; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			watch(w.page);
		EXPECT_EQ(0, bond_join_child(pid));
	}
	self->stop = true;
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.error);
	EXPECT_EQ(0, w.wrong);
	EXPECT_EQ(0, w.faults);
	EXPECT_LT(0, w.ok);
	close(w.sim);
	munmap(w.page, 4096);
}

/* --- processes --------------------------------------------------------------------- */

#define BUSY_LEN	(256 * 1024)

/* Keeps two engines at work, through its own memory and through an IOVA AS. */
static void keep_busy(int ready, int rounds)
{
	char *mem = sva_mem(BUSY_LEN * 2);
	struct sva_sim_desc desc;
	uint32_t pasid, as, mm;
	int fd = sva_open(), sim[2];

	if (!mem || fd < 0 || sva_as_alloc(fd, &as) ||
	    iova_map_at(fd, as, CORE_RW, mem, BUSY_LEN * 2, (uintptr_t)mem) ||
	    pasid_alloc(fd, 0, 0, 1, &pasid) || sva_pasid_bind(fd, pasid, as) ||
	    pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm))
		_exit(1);
	sim[0] = bond_attached("sva_sim0", fd, mm);
	sim[1] = bond_attached("sva_sim1", fd, pasid);
	if (sim[0] < 0 || sim[1] < 0 || write(ready, "", 1) != 1)
		_exit(2);
	desc = sva_sim_memcpy((uintptr_t)mem, (uintptr_t)mem + BUSY_LEN, BUSY_LEN);
	while (rounds--)
		if (sva_sim_submit(sim[rounds % 2], &desc))
			_exit(3);
	_exit(0);
}

TEST_F_TIMEOUT(bond_life, bond_kill_under_dma, 60)
{
	uint32_t state = 1;
	int i, status, ready[2];
	char c;

	ASSERT_EQ(0, pipe(ready));
	for (i = 0; i < 100; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			keep_busy(ready[1], 1000000);
		/* Now and then before it is so far. */
		if (i % 10)
			ASSERT_EQ(1, read(ready[0], &c, 1));
		usleep(bond_random(&state) % 5000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("it exited by itself with %d", WEXITSTATUS(status));
		}
		if (i % 10)
			continue;
		ASSERT_EQ(0, fcntl(ready[0], F_SETFL, O_NONBLOCK));
		while (read(ready[0], &c, 1) == 1)
			;
		ASSERT_EQ(0, fcntl(ready[0], F_SETFL, 0));
	}
	close(ready[0]);
	close(ready[1]);
}

TEST_F_TIMEOUT(bond_life, bond_exit_under_dma, 60)
{
	uint32_t state = 2;
	int i, null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, null);
	for (i = 0; i < 50; i++) {
		int rounds = bond_random(&state) % 100;
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			keep_busy(null, rounds);
		EXPECT_EQ(0, bond_join_child(pid));
	}
	close(null);
}

static void exec_busy(bool cloexec, int i)
{
	char *mem = sva_mem(BUSY_LEN * 2);
	struct sva_sim_desc desc;
	int sim = process_queue(i % 2);

	if (!mem || sim < 0 || (!cloexec && fcntl(sim, F_SETFD, 0)))
		_exit(1);
	desc = sva_sim_memcpy((uintptr_t)mem, (uintptr_t)mem + BUSY_LEN, BUSY_LEN);
	for (i = 0; i < 20; i++)
		if (sva_sim_submit(sim, &desc))
			_exit(2);
	execl("/bin/true", "true", NULL);
	_exit(3);
}

TEST_F_TIMEOUT(bond_life, bond_exec_under_dma, 60)
{
	int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			exec_busy(i % 4 < 2, i);
		EXPECT_EQ(0, bond_join_child(pid));
	}
}

/* A process dies, but not its queues. */
static void leave_queues(int sock)
{
	char *mem = sva_mem(BUSY_LEN * 2);
	struct sva_sim_desc desc;
	int i, sim[2];

	sim[0] = process_queue(0);
	sim[1] = process_queue(1);
	if (!mem || sim[0] < 0 || sim[1] < 0)
		_exit(1);
	desc = sva_sim_memcpy((uintptr_t)mem, (uintptr_t)mem + BUSY_LEN, BUSY_LEN);
	for (i = 0; i < 50; i++)
		if (sva_sim_submit(sim[0], &desc))
			_exit(2);
	_exit(bond_send(sock, sim, 2, 0) ? 3 : 0);
}

TEST_F(bond_life, bond_memory_of_the_dead)
{
	struct sva_sim_desc desc;
	int i, round, sock[2], sim[2];
	uint32_t word;
	pid_t pid;

	for (round = 0; round < 10; round++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			leave_queues(sock[1]);
		ASSERT_EQ(0, bond_receive(sock[0], sim, 2, &word));
		ASSERT_EQ(0, bond_join_child(pid));

		/* Our addresses, which it had as well. */
		desc = sva_sim_fill((uintptr_t)self->mem->dst, 0x666, 4096);
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(0, sva_sim_submit(sim[i], &desc));
			EXPECT_EQ(0, sva_sim_detach(sim[i]));
		}
		bond_drain(sim[1]);
		EXPECT_NE(0x666, self->mem->dst[0]);

		/* A queue is reusable, in memory that lives. */
		close(sim[0]);
		sim[0] = sva_open();
		ASSERT_EQ(0, pasid_alloc_handle(sim[0], SVA_PASID_F_MM, &word));
		ASSERT_EQ(0, sva_sim_attach(sim[1], sim[0], word, NULL));
		EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim[1], self->mem));
		close(sim[0]);
		close(sim[1]);
		close(sock[0]);
		close(sock[1]);
	}
}

TEST_HARNESS_MAIN
