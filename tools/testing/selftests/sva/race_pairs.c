// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation against each other one, on the same context, PASID, queue, engine
 * and fault queue at the same time: attach, detach, close, free, rebind, unmap,
 * revoke, remove, fault, invalidate and the like. When an operation that ends DMA
 * has returned, no more may arrive; and afterwards all counts are what they were.
 *
 * When the two begin is drawn anew in each round. SVA_SECONDS in the environment
 * says how long it all takes, SVA_SEED which delays, see
 * Documentation/dev-tools/sva-debug.rst.
 *
 * Seconds: 60
 */
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>

#define GUEST_SIZE	(512ULL << 10)
#include "guest.h"
#include "kselftest_harness.h"

/* Long enough on the debug kernel, where what goes wrong is seen. */
#define SECONDS		(SVA_SLOWER > 1 ? 60 : 10)
#define TIMEOUT		3600

#define QUEUES		3
#define PAGES		16		/* that each queue fills */
#define GVA		0x123456789000ULL
#define MISSING		(GVA + 256 * CORE_PAGE)
#define DELAY_NS	400000		/* between the two, at most */

/*
 * What two threads act upon. Queue 0 is attached by a PASID fd, queue 1 by the
 * context, in every other round to the process's own PASID; queue 2 waits for the
 * answer to a page request. What is closed is -1.
 */
struct world {
	struct guest g;
	struct guest_space s[2];
	char *mem[QUEUES];		/* where the program sees what a queue fills */
	int queue[QUEUES];
	int faultq;
	int grant;
	uint32_t grant_id;
	uint32_t pasid;
	uint32_t mm;
	uint32_t plain;			/* an address space with nothing in it */
	unsigned int stopped;		/* queues that cannot do DMA any more */
	bool forked;			/* another process may have all descriptors */
};

struct side {
	struct world *w;
	pthread_t thread;
	uint64_t state;
	int (*op)(struct side *side);
	int *ready;
	int ret;
};

static uint64_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* --- operations ------------------------------------------------------------------ */

/* Descriptors are taken by whoever closes them. */
static int take(int *fd)
{
	return __atomic_exchange_n(fd, -1, __ATOMIC_ACQ_REL);
}

static int get(const int *fd)
{
	return __atomic_load_n(fd, __ATOMIC_ACQUIRE);
}

/* From now on a queue fills nothing: what it has filled is wiped, and stays so. */
static void stopped(struct side *side, unsigned int queues)
{
	struct world *w = side->w;
	int i;

	for (i = 0; i < QUEUES; i++)
		if (queues & 1u << i)
			memset(w->mem[i], 0, PAGES * CORE_PAGE);
	__atomic_fetch_or(&w->stopped, queues, __ATOMIC_ACQ_REL);
}

static int close_one(int *fd)
{
	int old = take(fd);

	return old < 0 ? -EBADF : close(old);
}

/* Does not wait for a node that may be gone. */
static int open_node(const struct world *w)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", w->g.node);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int op_attach(struct side *side)
{
	struct world *w = side->w;
	struct sva_sim_desc desc = sva_sim_fill(MISSING + CORE_PAGE, 1, 8);
	int ret, sim = open_node(w);

	if (sim < 0)
		return sim;
	ret = sva_sim_attach(sim, get(&w->g.fd), w->pasid, NULL);
	if (!ret)
		ret = sva_sim_submit(sim, &desc);
	close(sim);
	return ret;
}

static int op_detach(struct side *side)
{
	int ret = sva_sim_detach(get(&side->w->queue[1]));

	if (!ret)
		stopped(side, 1u << 1);
	return ret;
}

static int op_close_queue(struct side *side)
{
	int ret = close_one(&side->w->queue[0]);

	/* Not if it was not the last one. */
	if (!ret && !__atomic_load_n(&side->w->forked, __ATOMIC_SEQ_CST))
		stopped(side, 1u << 0);
	return ret;
}

static int op_free(struct side *side)
{
	return sva_pasid_free(get(&side->w->g.fd), side->w->pasid);
}

static int op_close_context(struct side *side)
{
	return close_one(&side->w->g.fd);
}

static int op_remove(struct side *side)
{
	int ret = sva_sim_set(side->w->g.engine, "enable", "0");

	if (!ret)
		stopped(side, (1u << QUEUES) - 1);
	return ret;
}

static int op_fault(struct side *side)
{
	struct sva_sim_desc desc = sva_sim_fill(MISSING, 1, 8);
	struct world *w = side->w;
	struct sva_fault fault;
	int ret;

	ret = sva_sim_submit(get(&w->queue[2]), &desc);
	if (read(get(&w->faultq), &fault, sizeof(fault)) != sizeof(fault))
		return ret;
	return guest_respond(get(&w->faultq), fault.cookie, draw(&side->state) & 1);
}

static int op_invalidate(struct side *side)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .npages = UINT64_MAX };
	struct world *w = side->w;
	int i, ret = 0;

	for (i = 0; i < 4 && !ret; i++) {
		uint32_t num = 1;

		ret = guest_invalidate_raw(get(&w->g.fd), w->s[i & 1].as,
					   IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, &inv,
					   sizeof(inv), &num);
	}
	return ret;
}

/* Through all kinds of translations, to none. */
static int op_rebind(struct side *side)
{
	struct world *w = side->w;
	const uint32_t spaces[] = { w->s[1].as, w->plain, w->g.parent, SVA_AS_NONE };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 4 && !ret; i++)
		ret = sva_pasid_bind(get(&w->g.fd), w->pasid, spaces[i]);
	return ret;
}

static int op_unmap(struct side *side)
{
	int64_t ret = iova_unmap_all(get(&side->w->g.fd), side->w->g.parent);

	/* But not what queue 1 may reach as the process itself. */
	if (ret > 0)
		stopped(side, 1u << 0 | 1u << 2);
	return ret < 0 ? ret : 0;
}

static int op_revoke(struct side *side)
{
	int ret = sva_destroy(get(&side->w->g.fd), side->w->grant_id);

	if (!ret)
		stopped(side, 1u << 0);
	return ret;
}

static int op_close_faultq(struct side *side)
{
	return close_one(&side->w->faultq);
}

static int op_destroy(struct side *side)
{
	struct world *w = side->w;
	int ret = sva_destroy(get(&w->g.fd), w->s[1].as);

	if (!ret)
		ret = sva_destroy(get(&w->g.fd), w->s[0].as);
	return ret;
}

/* Another process has all descriptors too, attaches itself, and is killed. */
static int op_kill(struct side *side)
{
	struct world *w = side->w;
	uint32_t mm;
	int sim, ret;
	pid_t pid;

	__atomic_store_n(&w->forked, true, __ATOMIC_SEQ_CST);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		sim = open_node(w);
		ret = sva_pasid_alloc(get(&w->g.fd), SVA_PASID_F_MM, 0, 0, &mm);
		if (!ret)
			sva_sim_attach(sim, get(&w->g.fd), mm, NULL);
		for (;;)
			op_fault(side);
	}
	usleep(draw(&side->state) % 3000);
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
}

static int op_list(struct side *side)
{
	struct sva_list_bond bonds[4];
	struct sva_list cmd = {
		.size = sizeof(cmd), .kind = SVA_LIST_BONDS, .entry_size = sizeof(bonds[0]),
		.num = 4, .entries = (uintptr_t)bonds,
	};
	struct sva_pasid_info info;
	int ret = sva_ioctl(get(&side->w->g.fd), SVA_LIST, &cmd);

	return ret ? ret : sva_pasid_info(get(&side->w->g.fd), side->w->pasid, &info);
}

static const struct {
	const char *name;
	int (*op)(struct side *side);
} ops[] = {
	{ "attach", op_attach },
	{ "detach", op_detach },
	{ "close_queue", op_close_queue },
	{ "free", op_free },
	{ "close_context", op_close_context },
	{ "remove", op_remove },
	{ "fault", op_fault },
	{ "invalidate", op_invalidate },
	{ "rebind", op_rebind },
	{ "unmap", op_unmap },
	{ "revoke", op_revoke },
	{ "close_faultq", op_close_faultq },
	{ "destroy", op_destroy },
	{ "kill", op_kill },
	{ "list", op_list },
};

#define OPS	ARRAY_SIZE(ops)
#define PAIRS	(OPS * (OPS + 1) / 2)

/* What an operation may answer that finds that the other one was there first. */
static bool may_answer(int ret)
{
	switch (ret) {
	case 0:
	case -EBADF:	/* closed */
	case -ENOTTY:	/* closed, and the number is that of another file by now */
	case -EINVAL:	/* detached, or it is another fault queue's */
	case -ENOENT:
	case -EBUSY:
	case -ENODEV:
	case -ENXIO:
	case -ENOLINK:
	case -ESTALE:
	case -EAGAIN:
		return true;
	default:
		return false;
	}
}

/* --- rounds ------------------------------------------------------------------------ */

static int make_spaces(struct world *w)
{
	uint64_t gpa;
	int i, p, ret;

	for (i = 0; i < 2; i++)
		guest_space_init(&w->s[i], &w->g, 4);
	for (i = 0; i < QUEUES; i++) {
		gpa = guest_alloc(&w->g, PAGES * CORE_PAGE);
		w->mem[i] = guest_ptr(&w->g, gpa);
		for (p = 0; p < PAGES; p++) {
			uint64_t gva = GVA + (i * PAGES + p) * CORE_PAGE;

			guest_map(&w->s[0], gva, gpa + p * CORE_PAGE, PTE_RWU, 0);
			guest_map(&w->s[1], gva, gpa + p * CORE_PAGE, PTE_RWU, 0);
		}
	}
	ret = guest_nest(&w->s[0], w->faultq) ?: guest_nest(&w->s[1], w->faultq);
	return ret ? ret : sva_as_alloc(w->g.fd, &w->plain);
}

static int make_grant(struct world *w)
{
	struct sva_pasid_fd cmd = { .size = sizeof(cmd), .pasid = w->pasid };
	int ret = sva_ioctl(w->g.fd, SVA_PASID_FD, &cmd);

	w->grant = cmd.fd;
	w->grant_id = cmd.id;
	return ret;
}

/* Each has enough to do for a while. */
static int make_queues(struct world *w, bool own)
{
	struct sva_sim_desc desc;
	int i, n, ret = 0;

	for (i = 0; i < QUEUES && !ret; i++) {
		bool process = own && i == 1;

		w->queue[i] = sva_sim_open_name(w->g.node);
		if (w->queue[i] < 0)
			return w->queue[i];
		fcntl(w->queue[i], F_SETFL, O_NONBLOCK);
		ret = sva_sim_attach(w->queue[i], i ? w->g.fd : w->grant,
				     process ? w->mm : w->pasid, NULL);
		desc = sva_sim_fill(process ? (uintptr_t)w->mem[i] :
				    i == 2 ? MISSING : GVA + i * PAGES * CORE_PAGE,
				    -1ULL, i == 2 ? 8 : PAGES * CORE_PAGE);
		for (n = 0; n < 16 && !ret; n++)
			ret = sva_sim_submit(w->queue[i], &desc);
	}
	return ret;
}

static int make_world(struct world *w, const char *engine, const char *node, bool own)
{
	int ret;

	*w = (struct world) { .g = { .sim = -1 }, .queue = { -1, -1, -1 }, .grant = -1 };
	snprintf(w->g.engine, sizeof(w->g.engine), "%s", engine);
	snprintf(w->g.node, sizeof(w->g.node), "%s", node);
	ret = guest_init_rest(&w->g);
	if (ret)
		return ret;
	w->faultq = sva_faultq(w->g.fd, SVA_FAULTQ_F_NONBLOCK, 8);
	ret = make_spaces(w) ?:
	      sva_pasid_alloc(w->g.fd, 0, 0, 0, &w->pasid) ?:
	      sva_pasid_alloc(w->g.fd, SVA_PASID_F_MM, 0, 0, &w->mm) ?:
	      sva_pasid_bind(w->g.fd, w->pasid, w->s[0].as) ?:
	      make_grant(w);
	return ret ? ret : make_queues(w, own);
}

static void unmake_world(struct world *w)
{
	int i;

	close_one(&w->g.fd);
	for (i = 0; i < QUEUES; i++)
		close_one(&w->queue[i]);
	close_one(&w->grant);
	close_one(&w->faultq);
	munmap(w->g.ram, GUEST_SIZE);
	close(w->g.file);
}

static void spin_ns(uint64_t ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000ULL + now.tv_nsec < start.tv_nsec + ns);
}

static void *run_side(void *data)
{
	struct side *side = data;
	/* As often short as long. */
	uint64_t delay = draw(&side->state) % DELAY_NS >> draw(&side->state) % 8;

	__atomic_fetch_add(side->ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(side->ready, __ATOMIC_ACQUIRE) < 2)
		sched_yield();
	spin_ns(delay);
	side->ret = side->op(side);
	return NULL;
}

/* Queues that have done DMA after they were stopped. */
static unsigned int not_stopped(const struct world *w)
{
	unsigned int bad = 0;
	size_t n;
	int i;

	for (i = 0; i < QUEUES; i++)
		for (n = 0; w->stopped & 1u << i && n < PAGES * CORE_PAGE; n++)
			if (w->mem[i][n])
				bad |= 1u << i;
	return bad;
}

FIXTURE(race_pairs) {
	struct core_counts before;
	char engine[32];
	char node[32];
	uint64_t seed;
	unsigned long rounds;
};

FIXTURE_VARIANT(race_pairs) {
	unsigned int op;
};

#define VARIANT(_name, _op)				\
	FIXTURE_VARIANT_ADD(race_pairs, _name) {	\
		.op = _op,				\
	}

VARIANT(attach, 0);
VARIANT(detach, 1);
VARIANT(close_queue, 2);
VARIANT(free, 3);
VARIANT(close_context, 4);
VARIANT(remove, 5);
VARIANT(fault, 6);
VARIANT(invalidate, 7);
VARIANT(rebind, 8);
VARIANT(unmap, 9);
VARIANT(revoke, 10);
VARIANT(close_faultq, 11);
VARIANT(destroy, 12);
VARIANT(kill, 13);
VARIANT(list, 14);

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

FIXTURE_SETUP(race_pairs)
{
	int sim;

	if (getrandom(&self->seed, sizeof(self->seed), 0) < 0)
		self->seed = time(NULL);
	self->seed = number("SVA_SEED", self->seed >> 32);
	TH_LOG("SVA_SEED=%llu", (unsigned long long)self->seed);
	self->before = core_counts();
	sva_sim_name(self->engine, sizeof(self->engine), "race");
	sim = sva_sim_create(self->engine, "0", NULL, NULL);
	ASSERT_LE(0, sim);
	close(sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", self->node, sizeof(self->node)));
}

FIXTURE_TEARDOWN(race_pairs)
{
	EXPECT_EQ(0, sva_sim_remove(self->engine));
	EXPECT_TRUE(core_settles(&self->before));
}

/* Gets it back if it was removed. */
static int restore_engine(FIXTURE_DATA(race_pairs) *self)
{
	int ret = sva_sim_set(self->engine, "enable", "1");

	return ret ? ret : sva_sim_get(self->engine, "dev", self->node, sizeof(self->node));
}

static void race(struct __test_metadata *_metadata, FIXTURE_DATA(race_pairs) *self,
		 unsigned int a, unsigned int b)
{
	struct world w;
	uint64_t state = self->seed + self->rounds++;
	int i, ready = 0;
	struct side side[2];

	ASSERT_EQ(0, make_world(&w, self->engine, self->node, self->rounds & 1));
	for (i = 0; i < 2; i++) {
		side[i] = (struct side) {
			.w = &w, .state = draw(&state), .op = ops[i ? b : a].op,
			.ready = &ready,
		};
		ASSERT_EQ(0, pthread_create(&side[i].thread, NULL, run_side, &side[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(side[i].thread, NULL));
		EXPECT_TRUE(may_answer(side[i].ret)) {
			TH_LOG("%s answered %d", ops[i ? b : a].name, side[i].ret);
		}
	}
	EXPECT_EQ(0, not_stopped(&w)) {
		TH_LOG("%s and %s: stopped %#x", ops[a].name, ops[b].name, w.stopped);
	}
	unmake_world(&w);
	if (a == 5 || b == 5)
		ASSERT_EQ(0, restore_engine(self));
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* With all that come after it; with the others it was paired there. */
TEST_F_TIMEOUT(race_pairs, race, TIMEOUT)
{
	uint64_t share = number("SVA_SECONDS", SECONDS) * 1000 / PAIRS, end;
	struct core_counts idle = core_counts();
	unsigned int b;

	for (b = variant->op; b < OPS; b++) {
		end = now_ms() + share;
		do {
			race(_metadata, self, variant->op, b);
		} while (now_ms() < end);
		EXPECT_TRUE(core_settles(&idle)) {
			TH_LOG("after %s and %s", ops[variant->op].name, ops[b].name);
		}
	}
	TH_LOG("%lu rounds", self->rounds);
}

TEST_HARNESS_MAIN
