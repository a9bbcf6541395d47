// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of life while a page request of a process PASID is being served, and for
 * as long as the test likes: the page is of a file whose file system is a
 * process of ours, which does not answer until told to.
 *
 * Machine: plain engine
 */
#include <limits.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "bond_util.h"
#include "kselftest_harness.h"

#define FILE_PAGES	16
#define FILE_SIZE	(FILE_PAGES * 4096)
#define FILE_NODE	2
#define PATTERN		0x42

FIXTURE(bond_fault) {
	struct core_counts before;
	char dir[32];
	bool mounted;
	pid_t server;
	int asked;		/* a byte per read request */
	int answer;		/* a byte lets one go */
	char *file;
	struct bond_mem *mem;
	char name[32];		/* of an engine of our own, if it is software */
	char path[PATH_MAX];	/* of the PCI function in sysfs, if it is one */
	int sim;
};

/* --- the file system ------------------------------------------------------------ */

struct reply {
	struct fuse_out_header head;
	union {
		struct fuse_init_out init;
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
		struct fuse_open_out open;
		char data[FILE_SIZE];
	};
};

static void fill_attr(struct fuse_attr *attr, uint64_t node)
{
	attr->ino = node;
	attr->nlink = 1;
	attr->mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755;
	attr->size = node == FILE_NODE ? FILE_SIZE : 0;
	attr->blksize = 4096;
}

static size_t read_file(const struct fuse_read_in *in, char *data, int asked,
			int answer)
{
	size_t len = in->offset < FILE_SIZE ? FILE_SIZE - in->offset : 0;
	char c;

	if (len > in->size)
		len = in->size;
	memset(data, PATTERN, len);
	if (write(asked, "", 1) != 1 || read(answer, &c, 1) != 1)
		_exit(0);
	return len;
}

/* Fills in the reply. Returns the length of what it says, or an error. */
static int serve_one(const struct fuse_in_header *in, struct reply *reply,
		     int asked, int answer)
{
	const void *arg = in + 1;

	switch (in->opcode) {
	case FUSE_INIT:
		reply->init.major = FUSE_KERNEL_VERSION;
		reply->init.minor = FUSE_KERNEL_MINOR_VERSION;
		reply->init.max_write = 4096;
		return sizeof(reply->init);
	case FUSE_LOOKUP:
		reply->entry.nodeid = FILE_NODE;
		reply->entry.attr_valid = 1000;
		reply->entry.entry_valid = 1000;
		fill_attr(&reply->entry.attr, FILE_NODE);
		return sizeof(reply->entry);
	case FUSE_GETATTR:
		reply->attr.attr_valid = 1000;
		fill_attr(&reply->attr.attr, in->nodeid);
		return sizeof(reply->attr);
	case FUSE_OPEN:
		return sizeof(reply->open);
	case FUSE_READ:
		return read_file(arg, reply->data, asked, answer);
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static void serve(int fuse, int asked, int answer)
{
	static union {
		struct fuse_in_header head;
		char room[FUSE_MIN_READ_BUFFER + FILE_SIZE];
	} in;
	static struct reply reply;
	ssize_t n;
	int ret;

	while ((n = read(fuse, &in, sizeof(in))) > 0 || errno == EINTR ||
	       errno == ENOENT) {
		if (n <= 0 || in.head.opcode == FUSE_FORGET ||
		    in.head.opcode == FUSE_BATCH_FORGET ||
		    in.head.opcode == FUSE_INTERRUPT)
			continue;
		memset(&reply, 0, sizeof(reply));
		ret = serve_one(&in.head, &reply, asked, answer);
		reply.head.unique = in.head.unique;
		reply.head.error = ret < 0 ? ret : 0;
		reply.head.len = sizeof(reply.head) + (ret < 0 ? 0 : ret);
		n = write(fuse, &reply, reply.head.len);
		if (n < 0 && errno == ENODEV)
			break;
	}
	_exit(0);
}

/* Each in its own process: the one must not need what the other waits for. */
static pid_t start_server(int fuse, int *asked, int *answer)
{
	int out[2], in[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(in, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		/* Whoever waits for it is not to wait for ever. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(out[0]);
		close(in[1]);
		serve(fuse, out[1], in[0]);
	}
	close(out[1]);
	close(in[0]);
	*asked = out[0];
	*answer = in[1];
	return pid;
}

static char *map_file(const char *dir)
{
	char path[64];
	char *file;
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return MAP_FAILED;
	file = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return file;
}

/* --- the test ------------------------------------------------------------------------ */

static int open_engine(FIXTURE_DATA(bond_fault) *self)
{
	int sim = sva_sim_open(0);

	if (sim < 0 || !sva_sim_is_software(sim)) {
		if (!realpath("/sys/class/sva_sim/sva_sim0/device", self->path))
			return -errno;
		return sim;
	}
	close(sim);
	sva_sim_name(self->name, sizeof(self->name), "faulty");
	return sva_sim_create(self->name, NULL, NULL, NULL);
}

static int remove_engine(FIXTURE_DATA(bond_fault) *self)
{
	return self->path[0] ? bond_pci(self->path, "remove") :
			       sva_sim_remove(self->name);
}

/* As it was before the test. */
static void put_engine(FIXTURE_DATA(bond_fault) *self)
{
	if (!self->path[0])
		sva_sim_remove(self->name);
	else if (access(self->path, F_OK))
		sva_write_file("/sys/bus/pci/rescan", "1");
}

FIXTURE_SETUP(bond_fault)
{
	char options[64];
	int fuse;

	self->before = core_counts();
	snprintf(self->dir, sizeof(self->dir), "/tmp/sva-fault-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		SKIP(rmdir(self->dir); return, "this kernel has no FUSE");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	ASSERT_EQ(0, mount("sva", self->dir, "fuse", MS_NOSUID | MS_NODEV,
			   options));
	self->mounted = true;
	self->server = start_server(fuse, &self->asked, &self->answer);
	ASSERT_LE(0, self->server);
	close(fuse);
	self->file = map_file(self->dir);
	ASSERT_NE(MAP_FAILED, self->file);

	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
	self->sim = open_engine(self);
	ASSERT_LE(0, self->sim);
}

FIXTURE_TEARDOWN(bond_fault)
{
	if (!self->mounted)
		return;
	kill(self->server, SIGKILL);
	waitpid(self->server, NULL, 0);
	close(self->sim);
	put_engine(self);
	munmap(self->file, FILE_SIZE);
	munmap(self->mem, sizeof(*self->mem));
	close(self->asked);
	close(self->answer);
	EXPECT_EQ(0, umount2(self->dir, MNT_DETACH));
	EXPECT_EQ(0, rmdir(self->dir));
	EXPECT_TRUE(core_settles(&self->before));
}

static int submit_read_page(FIXTURE_DATA(bond_fault) *self, int page)
{
	struct sva_sim_desc desc =
		sva_sim_memcpy((uintptr_t)self->mem->dst,
			       (uintptr_t)self->file + page * CORE_PAGE,
			       CORE_PAGE);

	self->mem->done.status = SVA_SIM_STATUS_PENDING;
	desc.completion = (uintptr_t)&self->mem->done;
	return sva_sim_submit(self->sim, &desc);
}

static int submit_read(FIXTURE_DATA(bond_fault) *self)
{
	return submit_read_page(self, 0);
}

/* Until the fault handler waits for the file system. */
static bool is_served(FIXTURE_DATA(bond_fault) *self)
{
	struct pollfd pfd = { .fd = self->asked, .events = POLLIN };
	char c;

	return poll(&pfd, 1, SVA_TIMEOUT_MS) == 1 &&
	       read(self->asked, &c, 1) == 1;
}

static bool answer_all(FIXTURE_DATA(bond_fault) *self)
{
	static const char many[64];

	return write(self->answer, many, sizeof(many)) == sizeof(many);
}

/*
 * The fault handler holds the mmap_lock of the process: nobody maps anything
 * meanwhile, and the thread is made before.
 */
struct ending {
	FIXTURE_DATA(bond_fault) *self;
	pthread_t thread;
	int start[2];
	int (*end)(FIXTURE_DATA(bond_fault) *self);
	int ret;
};

static void *ends(void *data)
{
	struct ending *e = data;
	char c;

	e->ret = -EPIPE;
	if (read(e->start[0], &c, 1) == 1)
		e->ret = e->end(e->self);
	return NULL;
}

static int end_by_remove(FIXTURE_DATA(bond_fault) *self)
{
	return remove_engine(self);
}

static int end_by_close(FIXTURE_DATA(bond_fault) *self)
{
	int sim = self->sim;

	self->sim = -1;
	return close(sim);
}

/* Ends it during the fault, and looks whether all of it is over afterwards. */
static void end_during_fault(struct __test_metadata *_metadata,
			     FIXTURE_DATA(bond_fault) *self,
			     int (*end)(FIXTURE_DATA(bond_fault) *self))
{
	struct ending e = { .self = self, .end = end };
	uint32_t pasid;
	int fd;

	ASSERT_EQ(0, pipe(e.start));
	ASSERT_EQ(0, pthread_create(&e.thread, NULL, ends, &e));
	ASSERT_EQ(0, bond_attach_process(self->sim));
	ASSERT_EQ(0, submit_read(self));
	ASSERT_TRUE(is_served(self));
	ASSERT_EQ(1, write(e.start[1], "", 1));
	core_sleep_ms(200);

	/* Others are not concerned. */
	fd = sva_open();
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	EXPECT_EQ(0, pasid_free(fd, pasid, 1));
	close(fd);

	ASSERT_TRUE(answer_all(self));
	ASSERT_EQ(0, pthread_join(e.thread, NULL));
	EXPECT_EQ(0, e.ret);
	close(e.start[0]);
	close(e.start[1]);
}

TEST_F(bond_fault, bond_fault_is_served)
{
	ASSERT_EQ(0, bond_attach_process(self->sim));
	ASSERT_EQ(0, submit_read(self));
	ASSERT_TRUE(is_served(self));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING,
		  __atomic_load_n(&self->mem->done.status, __ATOMIC_ACQUIRE));
	ASSERT_TRUE(answer_all(self));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_wait(self->sim, &self->mem->done));
	EXPECT_EQ(0x4242424242424242, self->mem->dst[511]);
}

TEST_F(bond_fault, bond_fault_fails)
{
	ASSERT_EQ(0, bond_attach_process(self->sim));
	ASSERT_EQ(0, submit_read(self));
	ASSERT_TRUE(is_served(self));
	/* The file system dies without an answer. */
	kill(self->server, SIGKILL);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, bond_wait(self->sim, &self->mem->done));
	EXPECT_EQ((uintptr_t)self->file, self->mem->done.fault_addr);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
}

TEST_F(bond_fault, bond_fault_and_remove)
{
	end_during_fault(_metadata, self, end_by_remove);
	EXPECT_TRUE(bond_hangs_up(self->sim));
	EXPECT_EQ(-ENODEV, submit_read(self));
}

TEST_F(bond_fault, bond_fault_and_close)
{
	end_during_fault(_metadata, self, end_by_close);
	/* The engine is none the worse for it. */
	EXPECT_EQ(0, remove_engine(self));
}

TEST_F(bond_fault, bond_fault_and_kill)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (bond_attach_process(self->sim) || submit_read(self))
			_exit(1);
		pause();
		_exit(2);
	}
	ASSERT_TRUE(is_served(self));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	core_sleep_ms(100);
	ASSERT_TRUE(answer_all(self));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* The queue was the child's, but is open here too. */
	bond_drain(self->sim);
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	bond_drain(self->sim);
	ASSERT_EQ(0, bond_attach_process(self->sim));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
}

#define DEAD_MEMORY	(256UL << 20)

/* Memory that it takes a while to free */
static bool has_much(void)
{
	char *much = sva_mem(DEAD_MEMORY);

	if (!much || madvise(much, DEAD_MEMORY, MADV_NOHUGEPAGE))
		return false;
	memset(much, 1, DEAD_MEMORY);
	return true;
}

static int another_queue(int sim)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", sim);
	return open(path, O_RDWR | O_CLOEXEC);
}

/*
 * The page fault is the last user of the memory, and ends it, which takes a while.
 * It is still to be answered then, when the last descriptor of the queue is closed.
 */
TEST_F_TIMEOUT(bond_fault, bond_fault_outlives_process, 60)
{
	int i, status, sim = self->sim;
	pid_t pid;

	for (i = 0; i < 4; i++) {
		self->sim = another_queue(sim);
		ASSERT_LE(0, self->sim);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (!has_much() || bond_attach_process(self->sim) ||
			    submit_read_page(self, i))
				_exit(1);
			pause();
			_exit(2);
		}
		ASSERT_TRUE(is_served(self));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(1, write(self->answer, "", 1));
		usleep(10000 * i);
		close(self->sim);
	}
	self->sim = sim;
	ASSERT_EQ(0, bond_attach_process(self->sim));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
}

TEST_HARNESS_MAIN
