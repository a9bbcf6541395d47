// SPDX-License-Identifier: GPL-2.0-only
/*
 * An engine in the memory of a process: demand faults, bad addresses, and every
 * way in which memory changes under the engine.
 *
 * Machine: plain engine
 */
#include <sys/wait.h>

#include "sva_util.h"
#include "kselftest_harness.h"

FIXTURE(sim_mm) {
	int fd;
	int sim;
	uint32_t pasid;
	size_t page;
	unsigned char *mem;
	struct sva_sim_completion *done;
};

#define PAGES 16

FIXTURE_SETUP(sim_mm)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->sim = sva_sim_open(0);
	ASSERT_LE(0, self->sim);
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_MM, 0, 0, &self->pasid));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	self->mem = sva_mem(PAGES * self->page);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, madvise(self->mem, PAGES * self->page, MADV_NOHUGEPAGE));
	self->done = sva_mem(self->page);
	ASSERT_NE(NULL, self->done);
	memset(self->done, 0, self->page);
}

FIXTURE_TEARDOWN(sim_mm)
{
	munmap(self->mem, PAGES * self->page);
	munmap(self->done, self->page);
	close(self->sim);
	close(self->fd);
}

#define RUN(desc) sva_sim_run(self->sim, &(desc), self->done)

static struct sva_sim_desc crc(void *p, size_t len)
{
	return (struct sva_sim_desc) {
		.op = SVA_SIM_OP_CRC32C, .src = (uintptr_t)p, .len = len,
	};
}

TEST_F(sim_mm, sim_demand_write)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 3,
						PAGES * self->page);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(PAGES, self->done->page_requests);
	EXPECT_EQ(3, self->mem[(PAGES - 1) * self->page]);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(0, self->done->page_requests);
}

TEST_F(sim_mm, sim_demand_read)
{
	struct sva_sim_desc desc = crc(self->mem, PAGES * self->page);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(PAGES, self->done->page_requests);
	EXPECT_EQ(sva_crc32c(self->mem, PAGES * self->page), self->done->result);
}

/* What was only read so far has a page that must not be written. */
TEST_F(sim_mm, sim_demand_write_after_read)
{
	struct sva_sim_desc read = crc(self->mem, self->page);
	struct sva_sim_desc write = sva_sim_fill((uintptr_t)self->mem, 9,
						 self->page);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(read));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(write));
	EXPECT_EQ(1, self->done->page_requests);
	EXPECT_EQ(9, self->mem[0]);
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(read));
	EXPECT_EQ(sva_crc32c(self->mem, self->page), self->done->result);
}

TEST_F(sim_mm, sim_demand_huge)
{
	const size_t len = 8 << 20;
	unsigned char *p = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)p, 0x0101010101010101,
						len);

	ASSERT_NE(NULL, p);
	madvise(p, len, MADV_HUGEPAGE);
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(len, self->done->bytes);
	EXPECT_EQ(1, p[0]);
	EXPECT_EQ(1, p[len - 1]);
	munmap(p, len);
}

TEST_F(sim_mm, sim_bad_address)
{
	struct sva_sim_desc desc;

	/* Nothing there; the very end of user space; the kernel's; no address. */
	desc = sva_sim_fill(16, 1, 8);
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(16, self->done->fault_addr);
	EXPECT_EQ(0, self->done->bytes);
	desc = sva_sim_fill(0x7ffffffff000, 1, 8);
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(0x7ffffffff000, self->done->fault_addr);
	desc = sva_sim_fill(0xffffffff81000000, 1, 8);
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(0xffffffff81000000, self->done->fault_addr);
	desc = crc(NULL, 8);
	desc.src = 0xffffffffff600000;
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	desc.src = 0x123456789abcdef0;
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(0x123456789abcdef0, self->done->fault_addr);

	desc = sva_sim_fill((uintptr_t)self->mem, 1, 8);
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
}

TEST_F(sim_mm, sim_fault_in_the_middle)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem + 100, 5,
						8 * self->page);

	ASSERT_EQ(0, munmap(self->mem + 4 * self->page, self->page));
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ((uintptr_t)self->mem + 4 * self->page, self->done->fault_addr);
	EXPECT_EQ(4 * self->page - 100, self->done->bytes);
	EXPECT_EQ(0, self->mem[5 * self->page]);

	/* The bad one is that descriptor, not the queue. */
	desc.len = 3 * self->page;
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
}

TEST_F(sim_mm, sim_fault_in_scatter_list)
{
	struct sva_sim_sge *sge = (void *)self->mem;
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_SGCOPY, .src = (uintptr_t)sge,
		.dst = (uintptr_t)self->mem + 8 * self->page, .len = 3,
	};

	sge[0] = (struct sva_sim_sge) { (uintptr_t)self->mem + self->page, 100 };
	sge[1] = (struct sva_sim_sge) { 40, 8 };
	sge[2] = sge[0];
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(40, self->done->fault_addr);
	EXPECT_EQ(100, self->done->bytes);

	desc.src = 8;
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(8, self->done->fault_addr);
}

TEST_F(sim_mm, sim_munmap_faults)
{
	struct sva_sim_desc read = crc(self->mem, self->page);
	struct sva_sim_desc write = sva_sim_fill((uintptr_t)self->mem, 2, 8);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(write));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(read));
	ASSERT_EQ(0, munmap(self->mem, self->page));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(read));
	EXPECT_EQ((uintptr_t)self->mem, self->done->fault_addr);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(write));
}

TEST_F(sim_mm, sim_remap_shows_new_data)
{
	struct sva_sim_desc desc = crc(self->mem, self->page);
	int i;

	for (i = 0; i < 300; i++) {
		memset(self->mem, i, self->page);
		ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
		ASSERT_EQ(sva_crc32c(self->mem, self->page), self->done->result);
		ASSERT_EQ(self->mem, mmap(self->mem, self->page,
					  PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
					  -1, 0));
	}
}

TEST_F(sim_mm, sim_mremap_moves)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 7, 8);
	unsigned char *to = sva_mem(self->page);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	ASSERT_EQ(to, mremap(self->mem, self->page, self->page,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	desc.src = 8;
	desc.dst = (uintptr_t)to;
	EXPECT_EQ(7, to[0]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(8, to[0]);
	munmap(to, self->page);
}

TEST_F(sim_mm, sim_discard_shows_zeros)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 7, 8);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	ASSERT_EQ(0, madvise(self->mem, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, self->mem[0]);
	desc = crc(self->mem, self->page);
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(sva_crc32c(self->mem, self->page), self->done->result);
}

TEST_F(sim_mm, sim_mprotect)
{
	struct sva_sim_desc read = crc(self->mem, self->page);
	struct sva_sim_desc write = sva_sim_fill((uintptr_t)self->mem, 2, 8);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(write));
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ));
	write.src = 3;
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(write));
	EXPECT_EQ((uintptr_t)self->mem, self->done->fault_addr);
	EXPECT_EQ(2, self->mem[0]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(read));

	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(read));

	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(write));
	EXPECT_EQ(3, self->mem[0]);
}

/* Each process has its own page after a fork, whichever of them writes first. */
static int child_sees(unsigned char *mem, int value, int go)
{
	char c;

	if (read(go, &c, 1) != 1)
		return 2;
	return mem[0] == value ? 0 : 1;
}

TEST_F(sim_mm, sim_fork_copies)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 21, 8);
	int go[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(child_sees(self->mem, 21, go[0]));

	desc.src = 22;
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(22, self->mem[0]);
	ASSERT_EQ(1, write(go[1], "x", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(go[0]);
	close(go[1]);
}

TEST_F(sim_mm, sim_fork_then_cpu_writes)
{
	struct sva_sim_desc desc = crc(self->mem, self->page);
	int go[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	self->mem[0] = 31;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(child_sees(self->mem, 31, go[0]));

	/* Cached while shared, and then it is not ours any more. */
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	self->mem[0] = 32;
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(sva_crc32c(self->mem, self->page), self->done->result);
	ASSERT_EQ(1, write(go[1], "x", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(go[0]);
	close(go[1]);
}

TEST_F(sim_mm, sim_file)
{
	char name[] = "/tmp/sim_mm.XXXXXX";
	int file = mkstemp(name);
	struct sva_sim_desc desc;
	unsigned char *map;

	ASSERT_LE(0, file);
	unlink(name);
	ASSERT_EQ(0, ftruncate(file, 2 * self->page));
	map = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE, MAP_SHARED,
		   file, 0);
	ASSERT_NE(MAP_FAILED, map);
	desc = sva_sim_fill((uintptr_t)map, 'x', 8);
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	ASSERT_EQ(1, pread(file, self->mem, 1, 0));
	EXPECT_EQ('x', self->mem[0]);

	/* Behind the end of the file there is nothing. */
	ASSERT_EQ(0, ftruncate(file, self->page));
	desc.dst += self->page;
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	munmap(map, 2 * self->page);

	map = mmap(NULL, self->page, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, map);
	desc = crc(map, self->page);
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	desc = sva_sim_fill((uintptr_t)map, 'y', 8);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	munmap(map, self->page);
	close(file);
}

/* Memory of a device: can be faulted in, but is not the engine's. */
TEST_F(sim_mm, sim_device_memory)
{
	struct sva_sim_desc desc = crc(self->mem, 8);
	int file = open("/dev/mem", O_RDONLY);
	void *map = MAP_FAILED;

	if (file >= 0)
		map = mmap(NULL, self->page, PROT_READ, MAP_SHARED, file,
			   0xfee00000);
	if (map == MAP_FAILED)
		SKIP(return, "/dev/mem cannot be mapped here");
	desc.src = (uintptr_t)map;
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	munmap(map, self->page);
	close(file);
}

/* The engine writes while the memory comes and goes: all of it or a fault. */
TEST_F(sim_mm, sim_munmap_while_writing)
{
	struct sva_sim_desc desc[32];
	int round, i;

	for (round = 0; round < 50; round++) {
		memset(self->done, 0, sizeof(*self->done) * 32);
		for (i = 0; i < 32; i++) {
			desc[i] = sva_sim_fill((uintptr_t)self->mem, round,
					       PAGES * self->page);
			desc[i].completion = (uintptr_t)&self->done[i];
		}
		ASSERT_EQ((ssize_t)sizeof(desc),
			  write(self->sim, desc, sizeof(desc)));
		ASSERT_EQ(0, munmap(self->mem, PAGES * self->page));
		usleep(100 * round);
		ASSERT_EQ(self->mem, mmap(self->mem, PAGES * self->page,
					  PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
					  -1, 0));
		for (i = 0; i < 32; i++) {
			int status = sva_sim_wait(self->sim, &self->done[i]);

			ASSERT_TRUE(status == SVA_SIM_STATUS_OK ||
				    status == SVA_SIM_STATUS_FAULT);
			if (status == SVA_SIM_STATUS_OK)
				continue;
			ASSERT_LE((uintptr_t)self->mem, self->done[i].fault_addr);
			ASSERT_GT((uintptr_t)self->mem + PAGES * self->page,
				  self->done[i].fault_addr);
		}
	}
}

TEST_HARNESS_MAIN
