// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVA_LIST: each field of each kind, refusals, and lists while things change.
 *
 * Machine: plain engine
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bond_util.h"
#include "kselftest_harness.h"
#include "sva_list.h"

#define NOBODY	65534

FIXTURE(list) {
	struct core_counts before;
	int fd;
	uint64_t id;
};

FIXTURE_SETUP(list)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->id = fdinfo_get(self->fd, "sva-context");
}

FIXTURE_TEARDOWN(list)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

/* The entry of a context among all, or -ENOENT. */
static int find_context(int fd, uint64_t id, struct sva_list_context *found)
{
	struct sva_list_context *all = calloc(20000, sizeof(*all));
	int i, n;

	n = list_all_of(fd, SVA_LIST_F_ALL, SVA_LIST_CONTEXTS, all,
			sizeof(*all), 20000, 256);
	for (i = 0; i < n && all[i].ctx_id != id; i++)
		;
	if (n >= 0 && i < n)
		*found = all[i];
	free(all);
	return n < 0 ? n : i < n ? 0 : -ENOENT;
}

TEST_F(list, list_own_context)
{
	char *mem = sva_mem(3 * CORE_PAGE), name[16] = "";
	struct sva_list_context ctx[2];
	uint32_t pasid, mm, rid, as;
	int sim;

	prctl(PR_GET_NAME, name);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 5, &pasid));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, iova_map_at(self->fd, as, CORE_RW, mem, 3 * CORE_PAGE,
				 0x10000000));
	sim = bond_attached("sva_sim0", self->fd, pasid);
	ASSERT_LE(0, sim);

	memset(ctx, 0xee, sizeof(ctx));
	ASSERT_EQ(1, list_all_of(self->fd, 0, SVA_LIST_CONTEXTS, ctx,
				 sizeof(*ctx), 2, 2));
	EXPECT_EQ(self->id, ctx->ctx_id);
	EXPECT_EQ(getpid(), ctx->tgid);
	EXPECT_EQ(getuid(), ctx->uid);
	EXPECT_STREQ(name, ctx->comm);
	EXPECT_EQ(SVA_CONTEXT_S_SELF, ctx->state);
	EXPECT_EQ(5, ctx->pasids);
	EXPECT_EQ(1, ctx->processes);
	EXPECT_EQ(1, ctx->rids);
	EXPECT_EQ(1, ctx->bonds);
	EXPECT_EQ(1, ctx->iovas);
	EXPECT_EQ(0, ctx->nested);
	EXPECT_EQ(0, ctx->pasid_tables);
	EXPECT_EQ(0, ctx->viommus);
	EXPECT_EQ(0, ctx->vdevices);
	EXPECT_EQ(1, ctx->maps);
	EXPECT_EQ(0, ctx->page_requests);
	EXPECT_EQ(3, ctx->pinned_pages);
	close(sim);
	munmap(mem, 3 * CORE_PAGE);
}

TEST_F(list, list_pasids)
{
	struct sva_list_pasid list[16];
	struct sva_pasid_guest guest = {
		.size = sizeof(guest), .flags = SVA_GUEST_F_SET,
		.guest_pasid = 77,
	};
	uint32_t first, mm, rid, as, step, number;
	int sim;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 4, &first));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, first + 1, as));
	guest.pasid = first + 2;
	ASSERT_EQ(0, sva_ioctl(self->fd, SVA_PASID_GUEST, &guest));
	sim = bond_attached("sva_sim0", self->fd, mm);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_detach(sim));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, mm, &number));

	for (step = 1; step < 8; step++) {
		ASSERT_EQ(6, list_all_of(self->fd, 0, SVA_LIST_PASIDS, list,
					 sizeof(*list), 16, step));
		EXPECT_EQ(self->id, list[0].ctx_id);
		EXPECT_EQ(first, list[0].pasid);
		EXPECT_EQ(first, list[0].number);
		EXPECT_EQ(SVA_PASID_KIND_NUMBER, list[0].kind);
		EXPECT_EQ(SVA_AS_NONE, list[0].as_id);
		EXPECT_EQ(0, list[0].state);
		EXPECT_EQ(SVA_GUEST_PASID_NONE, list[0].guest_pasid);
		EXPECT_EQ(as, list[1].as_id);
		EXPECT_EQ(SVA_PASID_S_BOUND, list[1].state);
		EXPECT_EQ(77, list[2].guest_pasid);
		EXPECT_EQ(first + 3, list[3].pasid);
		EXPECT_EQ(mm, list[4].pasid);
		EXPECT_EQ(SVA_PASID_KIND_MM, list[4].kind);
		EXPECT_EQ(number, list[4].number);
		EXPECT_EQ(1, list[4].bonds);
		EXPECT_EQ(SVA_PASID_S_BOUND, list[4].state);
		EXPECT_EQ(rid, list[5].pasid);
		EXPECT_EQ(SVA_PASID_KIND_RID, list[5].kind);
		EXPECT_EQ(0, list[5].number);
	}
	close(sim);
}

TEST_F(list, list_bonds)
{
	struct sva_list_bond list[8];
	uint32_t pasid, step;
	int sim[3], i;

	ASSERT_EQ(0, list_all_of(self->fd, 0, SVA_LIST_BONDS, list,
				 sizeof(*list), 8, 8));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	for (i = 0; i < 3; i++) {
		sim[i] = bond_attached(i ? "sva_sim0" : "sva_sim1", self->fd,
				       pasid);
		ASSERT_LE(0, sim[i]);
	}
	for (step = 1; step < 5; step++) {
		ASSERT_EQ(3, list_all_of(self->fd, 0, SVA_LIST_BONDS, list,
					 sizeof(*list), 8, step));
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(self->id, list[i].ctx_id);
			EXPECT_EQ(3 - i, list[i].bond_id);
			EXPECT_EQ(pasid, list[i].pasid);
			EXPECT_EQ(pasid, list[i].number);
			EXPECT_EQ(SVA_BOND_S_LIVE, list[i].status);
			EXPECT_LT(0, strlen(list[i].driver));
		}
		EXPECT_EQ(list[0].dev_id, list[1].dev_id);
		EXPECT_NE(list[0].dev_id, list[2].dev_id);
		EXPECT_STREQ(list[0].device, list[1].device);
		EXPECT_STRNE(list[0].device, list[2].device);
	}
	close(sim[1]);
	ASSERT_EQ(2, list_all_of(self->fd, 0, SVA_LIST_BONDS, list,
				 sizeof(*list), 8, 1));
	EXPECT_EQ(3, list[0].bond_id);
	EXPECT_EQ(1, list[1].bond_id);
	close(sim[0]);
	close(sim[2]);
	ASSERT_EQ(0, list_all_of(self->fd, 0, SVA_LIST_BONDS, list,
				 sizeof(*list), 8, 8));
}

TEST_F(list, list_objects_and_maps)
{
	struct sva_list_object obj[4];
	struct sva_list_map map[8];
	char *mem = sva_mem(CORE_PAGE);
	uint32_t as[2], pasid, step;
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, sva_as_alloc(self->fd, &as[i]));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as[1]));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, iova_map_at(self->fd, as[0], SVA_IOVA_F_READ, mem,
					 CORE_PAGE, 0x10000000 + i * 0x10000));
	/* The last page of all: there is no address behind it. */
	ASSERT_EQ(0, iova_map_at(self->fd, as[0], CORE_RW, mem, CORE_PAGE,
				 -CORE_PAGE));
	ASSERT_EQ(0, iova_map_at(self->fd, as[1], CORE_RW, mem, CORE_PAGE, 0));

	for (step = 1; step < 8; step++) {
		ASSERT_EQ(2, list_all_of(self->fd, 0, SVA_LIST_OBJECTS, obj,
					 sizeof(*obj), 4, step));
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(self->id, obj[i].ctx_id);
			EXPECT_EQ(as[i], obj[i].id);
			EXPECT_EQ(SVA_OBJECT_IOVA, obj[i].kind);
			EXPECT_EQ(i, obj[i].users);
			EXPECT_EQ(i ? 1 : 4, obj[i].maps);
		}
		ASSERT_EQ(5, list_all_of(self->fd, 0, SVA_LIST_MAPS, map,
					 sizeof(*map), 8, step));
		for (i = 0; i < 5; i++) {
			EXPECT_EQ(self->id, map[i].ctx_id);
			EXPECT_EQ(as[i == 4], map[i].as_id);
			EXPECT_EQ(CORE_PAGE, map[i].length);
			EXPECT_EQ(i < 3 ? SVA_IOVA_F_READ : CORE_RW,
				  map[i].flags);
		}
		EXPECT_EQ(0x10020000, map[2].iova);
		EXPECT_EQ(-CORE_PAGE, map[3].iova);
		EXPECT_EQ(0, map[4].iova);
	}
	munmap(mem, CORE_PAGE);
}

TEST_F(list, list_refuses)
{
	struct sva_list_pasid entry;
	const struct sva_list good = {
		.kind = SVA_LIST_PASIDS,
		.entry_size = sizeof(entry),
		.num = 1,
		.entries = (uintptr_t)&entry,
	};
	struct sva_get_info info;
	struct sva_list list;
	uint32_t pasid;

	ASSERT_EQ(0, core_info(self->fd, &info));
	EXPECT_NE(0, info.features & SVA_FEATURE_LIST);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
#define REFUSED(_errno, ...) do {					\
		list = good;						\
		__VA_ARGS__;						\
		EXPECT_EQ(-(_errno), list_call(self->fd, &list));	\
	} while (0)
	REFUSED(EOPNOTSUPP, list.flags = 2);
	REFUSED(EOPNOTSUPP, list.kind = 0);
	REFUSED(EOPNOTSUPP, list.kind = 6);
	REFUSED(EOPNOTSUPP, list.kind = UINT32_MAX);
	REFUSED(EINVAL, list.num = 0);
	REFUSED(EINVAL, list.entry_size = 0);
	REFUSED(EINVAL, list.entry_size = 12);
	REFUSED(E2BIG, list.entry_size = 4104);
	REFUSED(EFAULT, list.entries = 8);
	/* It can go on from where it failed. */
	EXPECT_EQ(0, list.cursor[1]);
	list = good;
	ASSERT_EQ(0, list_call(self->fd, &list));
	EXPECT_EQ(1, list.num);
	EXPECT_EQ(1, list.more);
	EXPECT_EQ(pasid, entry.pasid);
	/* A cursor out of nowhere is nowhere. */
	memset(list.cursor, 0xff, sizeof(list.cursor));
	list.num = 1;
	EXPECT_EQ(0, list_call(self->fd, &list));
	EXPECT_EQ(0, list.num);
	EXPECT_EQ(0, list.more);
}

TEST_F(list, list_entry_sizes)
{
	struct {
		struct sva_list_pasid entry;
		uint64_t tail[2];
	} big[3];
	uint64_t small[4] = { 1, 2, 3, 4 };
	struct sva_list list = {
		.kind = SVA_LIST_PASIDS,
		.entry_size = sizeof(*big),
		.num = 3,
		.entries = (uintptr_t)big,
	};
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	memset(big, 0xee, sizeof(big));
	ASSERT_EQ(0, list_call(self->fd, &list));
	ASSERT_EQ(2, list.num);
	EXPECT_EQ(pasid, big[0].entry.pasid);
	EXPECT_EQ(pasid + 1, big[1].entry.pasid);
	EXPECT_EQ(0, big[1].tail[0] | big[1].tail[1] | big[0].tail[1]);
	EXPECT_EQ(0xeeeeeeeeeeeeeeee, big[2].entry.ctx_id);

	list = (struct sva_list) {
		.kind = SVA_LIST_PASIDS,
		.entry_size = 8,
		.num = 4,
		.entries = (uintptr_t)small,
	};
	ASSERT_EQ(0, list_call(self->fd, &list));
	ASSERT_EQ(2, list.num);
	EXPECT_EQ(self->id, small[0]);
	EXPECT_EQ(self->id, small[1]);
	EXPECT_EQ(3, small[2]);
}

/* Runs @fn in a child without privileges; its result. */
static int as_nobody(int (*fn)(int fd), int fd)
{
	pid_t pid = fork();

	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		_exit(-fn(fd));
	}
	return -bond_join_child(pid);
}

static int list_everything(int fd)
{
	struct sva_list_context ctx[4];
	int ret = list_all_of(fd, SVA_LIST_F_ALL, SVA_LIST_CONTEXTS, ctx,
			      sizeof(*ctx), 4, 4);

	return ret < 0 ? ret : 0;
}

static int list_mine(int fd)
{
	struct sva_list_context ctx[4];
	int n = list_all_of(fd, 0, SVA_LIST_CONTEXTS, ctx, sizeof(*ctx), 4, 4);

	return n == 1 && (ctx->state & SVA_CONTEXT_S_SELF) ? 0 : -EIO;
}

TEST_F(list, list_all_needs_privilege)
{
	int other = sva_open();

	EXPECT_EQ(0, list_everything(self->fd));
	EXPECT_EQ(-EPERM, as_nobody(list_everything, self->fd));
	EXPECT_EQ(0, as_nobody(list_mine, self->fd));
	close(other);
}

TEST_F(list, list_held_by_bond)
{
	struct sva_list_context ctx;
	int fd = sva_open(), sim;
	uint64_t id = fdinfo_get(fd, "sva-context");
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	sim = bond_attached("sva_sim0", fd, pasid);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, find_context(self->fd, id, &ctx));
	EXPECT_EQ(0, ctx.state);
	close(fd);
	ASSERT_EQ(0, find_context(self->fd, id, &ctx));
	EXPECT_EQ(SVA_CONTEXT_S_CLOSED, ctx.state);
	EXPECT_EQ(1, ctx.bonds);
	EXPECT_EQ(1, ctx.pasids);
	EXPECT_EQ(getpid(), ctx.tgid);
	close(sim);
	EXPECT_EQ(-ENOENT, find_context(self->fd, id, &ctx));
}

/* What the core has ended stays listed until its driver lets go. */
TEST_F(list, list_ended_bond)
{
	struct sva_list_bond bond = { 0 };
	uint32_t pasid;
	char name[32];
	int sim;

	sva_sim_name(name, sizeof(name), "list");
	sim = sva_sim_create(name, "0", NULL, NULL);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	ASSERT_EQ(1, list_all_of(self->fd, 0, SVA_LIST_BONDS, &bond,
				 sizeof(bond), 1, 1));
	EXPECT_EQ(SVA_BOND_S_LIVE, bond.status);
	EXPECT_NE('\0', bond.driver[0]);
	ASSERT_EQ(0, sva_sim_set(name, "enable", "0"));
	ASSERT_EQ(1, list_all_of(self->fd, 0, SVA_LIST_BONDS, &bond,
				 sizeof(bond), 1, 1));
	EXPECT_EQ(SVA_BOND_S_REVOKED, bond.status);
	EXPECT_EQ(pasid, bond.pasid);
	EXPECT_NE('\0', bond.device[0]);
	EXPECT_EQ('\0', bond.driver[0]);
	close(sim);
	EXPECT_EQ(0, list_all_of(self->fd, 0, SVA_LIST_BONDS, &bond,
				 sizeof(bond), 1, 1));
	EXPECT_EQ(0, sva_sim_remove(name));
}

TEST_F(list, list_pasid_fd)
{
	struct sva_pasid_fd right = { .size = sizeof(right) };
	struct sva_list_context ctx;
	struct sva_list_object obj;
	struct sva_list_bond bond;
	int sim;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &right.pasid));
	ASSERT_EQ(0, sva_ioctl(self->fd, SVA_PASID_FD, &right));
	ASSERT_EQ(1, list_all_of(self->fd, 0, SVA_LIST_OBJECTS, &obj,
				 sizeof(obj), 1, 1));
	EXPECT_EQ(right.id, obj.id);
	EXPECT_EQ(SVA_OBJECT_PASID_FD, obj.kind);
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-pasid-fds"));
	/* The bond tells the PASID, though nobody said it. */
	sim = bond_attached("sva_sim0", right.fd, 0);
	ASSERT_LE(0, sim);
	ASSERT_EQ(1, list_all_of(self->fd, 0, SVA_LIST_BONDS, &bond,
				 sizeof(bond), 1, 1));
	EXPECT_EQ(right.pasid, bond.pasid);
	ASSERT_EQ(0, sva_destroy(self->fd, right.id));
	ASSERT_EQ(1, list_all_of(self->fd, 0, SVA_LIST_CONTEXTS, &ctx,
				 sizeof(ctx), 1, 1));
	EXPECT_EQ(0, ctx.pasid_fds);
	close(sim);
	close(right.fd);
}

TEST_F(list, list_in_flight)
{
	uint64_t *id = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sva_list_context ctx;
	int sock[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	if (!pid) {
		int fd;

		prctl(PR_SET_NAME, "in-flight");
		fd = sva_open();
		*id = fdinfo_get(fd, "sva-context");
		_exit(bond_send(sock[0], &fd, 1, 0) ? 1 : 0);
	}
	ASSERT_EQ(0, bond_join_child(pid));

	/* Nobody has a descriptor; the message does. */
	ASSERT_EQ(0, find_context(self->fd, *id, &ctx));
	EXPECT_EQ(0, ctx.state);
	EXPECT_EQ(0, ctx.tgid);
	EXPECT_STREQ("in-flight", ctx.comm);
	close(sock[0]);
	close(sock[1]);
	EXPECT_EQ(-ENOENT, find_context(self->fd, *id, &ctx));
	munmap(id, CORE_PAGE);
}

/* --- while things change ------------------------------------------------------ */

static atomic_bool stop;

static void *storm(void *arg)
{
	int fd = *(int *)arg;
	uint32_t seed = (uintptr_t)&fd;
	char *mem = sva_mem(CORE_PAGE);

	while (!stop) {
		uint32_t pasid, rid, as, n = bond_random(&seed) % 20 + 1;
		int other = sva_open();

		pasid_alloc(fd, 0, 0, n, &pasid);
		pasid_alloc_handle(fd, SVA_PASID_F_RID, &rid);
		sva_as_alloc(fd, &as);
		iova_map_at(fd, as, CORE_RW, mem, CORE_PAGE, 0x1000);
		if (sva_destroy(fd, as))
			abort();
		pasid_free(fd, rid, 1);
		pasid_free(fd, pasid, n);
		close(other);
	}
	munmap(mem, CORE_PAGE);
	return NULL;
}

/*
 * How many of the @num ids that were there all the time, at @stride bytes from
 * each other in the @n entries, were listed exactly once.
 */
static int listed_once(const char *entries, int n, size_t stride, size_t offset,
		       const uint32_t *ids, int num)
{
	int i, j, good = 0;

	for (j = 0; j < num; j++) {
		int seen = 0;

		for (i = 0; i < n; i++) {
			uint32_t id;

			memcpy(&id, entries + i * stride + offset, sizeof(id));
			seen += id == ids[j];
		}
		good += seen == 1;
	}
	return good;
}

#define KEPT	40

TEST_F(list, list_while_storming)
{
	static char entries[4096 * sizeof(struct sva_list_pasid)];
	uint32_t pasid[KEPT], as[KEPT], i;
	char *mem = sva_mem(CORE_PAGE);
	pthread_t thread[2];
	int n, round;

	for (i = 0; i < KEPT; i++) {
		uint32_t gap;

		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid[i]));
		ASSERT_EQ(0, sva_as_alloc(self->fd, &as[i]));
		ASSERT_EQ(0, iova_map_at(self->fd, as[i], CORE_RW, mem,
					 CORE_PAGE, 0x1000));
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 3, &gap));
		ASSERT_EQ(0, pasid_free(self->fd, gap, 3));
	}
	stop = false;
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, storm, &self->fd));

	for (round = 0; round < 100; round++) {
		uint32_t step = round % 7 + 1, flags = round % 2;

		n = list_all_of(self->fd, flags, SVA_LIST_PASIDS, entries,
				sizeof(struct sva_list_pasid), 4096, step);
		EXPECT_EQ(KEPT, listed_once(entries, n,
					    sizeof(struct sva_list_pasid),
					    offsetof(struct sva_list_pasid, pasid),
					    pasid, KEPT));
		n = list_all_of(self->fd, flags, SVA_LIST_OBJECTS, entries,
				sizeof(struct sva_list_object), 4096, step);
		EXPECT_EQ(KEPT, listed_once(entries, n,
					    sizeof(struct sva_list_object),
					    offsetof(struct sva_list_object, id),
					    as, KEPT));
		n = list_all_of(self->fd, flags, SVA_LIST_MAPS, entries,
				sizeof(struct sva_list_map), 4096, step);
		EXPECT_EQ(KEPT, listed_once(entries, n,
					    sizeof(struct sva_list_map),
					    offsetof(struct sva_list_map, as_id),
					    as, KEPT));
	}
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	munmap(mem, CORE_PAGE);
}

#define MANY	10000

TEST_F(list, list_many_contexts)
{
	struct sva_list_context *all = calloc(MANY + 100, sizeof(*all));
	struct rlimit limit = { MANY + 100, MANY + 100 };
	int *fds = calloc(MANY, sizeof(*fds));
	struct timespec a, b;
	uint32_t pasid;
	int i, n, mine;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < MANY; i++) {
		fds[i] = sva_open();
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, pasid_alloc(fds[0], 0, 0, 1, &pasid));
	clock_gettime(CLOCK_MONOTONIC, &a);
	n = list_all_of(self->fd, SVA_LIST_F_ALL, SVA_LIST_CONTEXTS, all,
			sizeof(*all), MANY + 100, 256);
	clock_gettime(CLOCK_MONOTONIC, &b);
	TH_LOG("%d contexts listed in %ld us", n,
	       (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
	ASSERT_LE(MANY, n);
	for (i = 0, mine = 0; i < n; i++) {
		if (i)
			EXPECT_GT(all[i - 1].ctx_id, all[i].ctx_id);
		mine += all[i].ctx_id > self->id && all[i].tgid == (uint32_t)getpid();
	}
	EXPECT_EQ(MANY, mine);
	/* One among thousands that have none. */
	{
		struct sva_list_pasid one[64];
		int found = 0;

		n = list_all_of(self->fd, SVA_LIST_F_ALL, SVA_LIST_PASIDS, one,
				sizeof(*one), 64, 64);
		for (i = 0; i < n && i < 64; i++)
			found += one[i].pasid == pasid;
		EXPECT_EQ(1, found);
	}
	for (i = 0; i < MANY; i++)
		close(fds[i]);
	free(fds);
	free(all);
}

TEST_HARNESS_MAIN
