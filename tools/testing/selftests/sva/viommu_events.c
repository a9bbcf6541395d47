// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual event queues: translations that failed for good, by the guest's names.
 *
 * Machine: plain engine
 */
#include <pthread.h>

#include "viommu.h"
#include "kselftest_harness.h"

#define DEPTH	3

FIXTURE(viommu_events) {
	struct core_counts before;
	struct guest g;
	struct viommu v;
	struct guest_space s;
	int events;
};

FIXTURE_SETUP(viommu_events)
{
	self->before = core_counts();
	ASSERT_EQ(0, guest_init_with(&self->g, "sva_sim0"));
	ASSERT_EQ(0, viommu_init(&self->v, &self->g, 0));
	ASSERT_EQ(0, vdevice_alloc(self->g.fd, self->v.id, self->v.dev, VIRT_ID,
				   &self->v.vdev));
	guest_space_init(&self->s, &self->g, 4);
	self->events = veventq_alloc(self->g.fd, self->v.id,
				     SVA_VEVENTQ_F_NONBLOCK, DEPTH);
	ASSERT_LE(0, self->events);
	ASSERT_EQ(0, viommu_start(&self->v, &self->s, 7));
}

FIXTURE_TEARDOWN(viommu_events)
{
	close(self->events);
	EXPECT_EQ(0, viommu_exit(&self->v));
	EXPECT_EQ(0, guest_exit(&self->g));
	EXPECT_TRUE(core_settles(&self->before));
}

/* Makes an event by an access to page @n, where there is nothing. */
#define FAULT(n) EXPECT_EQ(SVA_SIM_STATUS_FAULT,			\
			   guest_fill(&self->v.s, self->v.sim,		\
				      GVA + (n) * CORE_PAGE, 1))

/* How many were read, or a negative errno. */
static int read_events(int fd, struct sva_vevent *events, unsigned int room)
{
	ssize_t n = read(fd, events, room * sizeof(*events));

	return n < 0 ? -errno : (int)(n / sizeof(*events));
}

static bool readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && pfd.revents & POLLIN;
}

TEST_F(viommu_events, viommu_event_says_who_and_where)
{
	struct sva_vevent events[DEPTH];

	EXPECT_FALSE(readable(self->events));
	EXPECT_EQ(-EAGAIN, read_events(self->events, events, DEPTH));
	FAULT(0);
	EXPECT_TRUE(readable(self->events));
	ASSERT_EQ(1, read_events(self->events, events, DEPTH));
	EXPECT_EQ(SVA_VEVENT_FAULT, events[0].type);
	EXPECT_EQ(1, events[0].sequence);
	EXPECT_EQ(VIRT_ID, events[0].virt_id);
	EXPECT_EQ(GVA, events[0].addr);
	EXPECT_EQ(SVA_FAULT_PERM_WRITE, events[0].perm);
	EXPECT_EQ(0, events[0].__reserved);
	EXPECT_FALSE(readable(self->events));

	EXPECT_EQ(-EFAULT, guest_reads(&self->v.s, self->v.sim, GVA, 1));
	ASSERT_EQ(1, read_events(self->events, events, DEPTH));
	EXPECT_EQ(2, events[0].sequence);
	EXPECT_EQ(SVA_FAULT_PERM_READ, events[0].perm);
}

static void *fault_later(void *arg)
{
	struct viommu *v = arg;

	usleep(50000);
	guest_fill(&v->s, v->sim, GVA, 1);
	return NULL;
}

TEST_F(viommu_events, viommu_event_read_waits)
{
	struct sva_vevent event;
	pthread_t thread;

	ASSERT_EQ(0, fcntl(self->events, F_SETFL, 0));
	EXPECT_EQ(-EINTR,
		  sva_read_interrupted(self->events, &event, sizeof(event)));

	ASSERT_EQ(0, pthread_create(&thread, NULL, fault_later, &self->v));
	EXPECT_EQ(1, read_events(self->events, &event, 1));
	pthread_join(thread, NULL);
	EXPECT_EQ(SVA_VEVENT_FAULT, event.type);
	EXPECT_EQ(GVA, event.addr);
}

TEST_F(viommu_events, viommu_event_lost)
{
	struct sva_vevent events[DEPTH + 2];
	int i;

	for (i = 0; i < DEPTH + 2; i++)
		FAULT(i);
	ASSERT_EQ(DEPTH + 1, read_events(self->events, events, DEPTH + 2));
	for (i = 0; i < DEPTH; i++) {
		EXPECT_EQ(SVA_VEVENT_FAULT, events[i].type);
		EXPECT_EQ(i + 1, events[i].sequence);
	}
	EXPECT_EQ(SVA_VEVENT_LOST, events[DEPTH].type);
	EXPECT_EQ(DEPTH + 2, events[DEPTH].sequence);
	EXPECT_EQ(-EAGAIN, read_events(self->events, events, DEPTH));

	FAULT(0);
	ASSERT_EQ(1, read_events(self->events, events, DEPTH));
	EXPECT_EQ(DEPTH + 3, events[0].sequence);
}

TEST_F(viommu_events, viommu_event_after_lost_ones)
{
	struct sva_vevent events[DEPTH + 2];
	int i;

	for (i = 0; i < DEPTH + 1; i++)
		FAULT(i);
	/* There is room again, and the next one's number tells of the gap. */
	ASSERT_EQ(1, read_events(self->events, events, 1));
	FAULT(0);
	ASSERT_EQ(DEPTH, read_events(self->events, events, DEPTH + 2));
	EXPECT_EQ(DEPTH, events[DEPTH - 2].sequence);
	EXPECT_EQ(SVA_VEVENT_FAULT, events[DEPTH - 1].type);
	EXPECT_EQ(DEPTH + 2, events[DEPTH - 1].sequence);
}

TEST_F(viommu_events, viommu_event_read_in_parts)
{
	struct sva_vevent event;
	char small[sizeof(event) - 1];

	FAULT(0);
	FAULT(1);
	EXPECT_EQ(-1, read(self->events, small, sizeof(small)));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(1, read_events(self->events, &event, 1));
	EXPECT_EQ(1, event.sequence);
	ASSERT_EQ(1, read_events(self->events, &event, 1));
	EXPECT_EQ(2, event.sequence);
}

/* One more than was read, for several times round the queue */
TEST_F(viommu_events, viommu_event_order)
{
	struct sva_vevent event;
	int i;

	FAULT(0);
	for (i = 1; i < 5 * DEPTH; i++) {
		FAULT(i % 8);
		ASSERT_EQ(1, read_events(self->events, &event, 1));
		EXPECT_EQ(i, event.sequence);
		EXPECT_EQ(GVA + (i - 1) % 8 * CORE_PAGE, event.addr);
	}
	ASSERT_EQ(1, read_events(self->events, &event, 1));
	EXPECT_EQ(i, event.sequence);
	EXPECT_EQ(-EAGAIN, read_events(self->events, &event, 1));
}

/* Nor does what could not be told get lost, the lost mark included. */
TEST_F(viommu_events, viommu_event_stays_if_it_cannot_be_read)
{
	struct sva_vevent events[DEPTH + 1], *nowhere;
	int i;

	nowhere = mmap(NULL, CORE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, nowhere);
	for (i = 0; i < DEPTH + 1; i++)
		FAULT(i);
	EXPECT_EQ(-EFAULT, read_events(self->events, nowhere, DEPTH + 1));
	munmap(nowhere, CORE_PAGE);
	ASSERT_EQ(DEPTH + 1, read_events(self->events, events, DEPTH + 1));
	EXPECT_EQ(1, events[0].sequence);
	EXPECT_EQ(SVA_VEVENT_LOST, events[DEPTH].type);
}

TEST_F(viommu_events, viommu_event_only_of_devices_with_a_name)
{
	struct sva_vevent event;

	ASSERT_EQ(0, sva_destroy(self->g.fd, self->v.vdev));
	FAULT(0);
	EXPECT_EQ(-EAGAIN, read_events(self->events, &event, 1));
}

TEST_F(viommu_events, viommu_event_not_of_what_worked)
{
	struct sva_vevent event;

	guest_map_new(&self->v.s, GVA);
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&self->v.s, self->v.sim, GVA, 1));
	EXPECT_EQ(-EAGAIN, read_events(self->events, &event, 1));
}

TEST_F(viommu_events, viommu_event_queue_refused)
{
	struct sva_veventq_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = self->v.id, .depth = 1,
		.flags = 1 << 5,
	};
	int fd = self->g.fd;

	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(fd, SVA_VEVENTQ_ALLOC, &cmd));
	cmd.flags = 0;
	cmd.__reserved = 1;
	EXPECT_EQ(-EINVAL, sva_ioctl(fd, SVA_VEVENTQ_ALLOC, &cmd));
	EXPECT_EQ(-EINVAL, veventq_alloc(fd, self->v.id, 0, 0));
	EXPECT_EQ(-EINVAL, veventq_alloc(fd, self->v.id, 0,
					 SVA_VEVENTQ_DEPTH_MAX + 1));
	EXPECT_EQ(-ENOENT, veventq_alloc(fd, self->g.parent, 0, 1));
	EXPECT_EQ(-EEXIST, veventq_alloc(fd, self->v.id, 0, 1));
	ASSERT_EQ(0, sva_limit_fds(3));
	EXPECT_EQ(-EMFILE, veventq_alloc(fd, self->v.id, 0, 1));
	ASSERT_EQ(0, sva_limit_fds(RLIM_INFINITY));
	/* Closing one makes room for another. */
	close(self->events);
	self->events = veventq_alloc(fd, self->v.id, SVA_VEVENTQ_F_NONBLOCK,
				     SVA_VEVENTQ_DEPTH_MAX);
	ASSERT_LE(0, self->events);
	FAULT(0);
	EXPECT_TRUE(readable(self->events));
}

TEST_F(viommu_events, viommu_event_outlives_the_context)
{
	struct sva_vevent event;

	FAULT(0);
	/* The engine keeps the context; then there is nothing left of it. */
	close(self->g.fd);
	FAULT(1);
	close(self->v.sim);
	self->v.sim = -1;
	ASSERT_EQ(1, read_events(self->events, &event, 1));
	EXPECT_EQ(1, event.sequence);
	ASSERT_EQ(1, read_events(self->events, &event, 1));
	EXPECT_EQ(-EAGAIN, read_events(self->events, &event, 1));
	self->g.fd = sva_open();
}

TEST_HARNESS_MAIN
