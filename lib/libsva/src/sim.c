// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The software DMA engines: attach, submit, wait. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sva/sim.h>

#include "internal.h"

/* Bounds what one write(2) is asked to take. */
#define BATCH_MAX 4096u

/*
 * A read(2) takes the completions of all that wait. Therefore one waiting
 * thread at a time reads, and wakes the others to look at their own records.
 */
struct sva_sim {
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t read_done;
	bool reading;
};

/* None of these can fail on Linux: they get no memory, and it has that clock. */
static void init_sync(struct sva_sim *sim)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sim->read_done, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&sim->lock, NULL);
}

SVA_EXPORT int sva_sim_open(struct sva_sim **sim, const char *device,
			    unsigned int flags)
{
	struct sva_sim *new;
	int err;

	if (flags)
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (new->fd < 0) {
		err = -errno;
		free(new);
		return err;
	}
	init_sync(new);
	*sim = new;
	return 0;
}

SVA_EXPORT int sva_sim_fd(const struct sva_sim *sim)
{
	return sim->fd;
}

SVA_EXPORT void sva_sim_close(struct sva_sim *sim)
{
	if (!sim)
		return;
	close(sim->fd);
	pthread_mutex_destroy(&sim->lock);
	pthread_cond_destroy(&sim->read_done);
	free(sim);
}

static int attach(struct sva_sim *sim, int fd, uint32_t pasid, uint32_t *number)
{
	struct sva_sim_attach arg = {
		.size = sizeof(arg),
		.sva_fd = fd,
		.pasid = pasid,
	};
	int err = sva_ioctl(sim->fd, SVA_SIM_ATTACH, &arg);

	if (!err && number)
		*number = arg.number;
	return err;
}

SVA_EXPORT int sva_sim_attach(struct sva_sim *sim, const struct sva *sva,
			      uint32_t pasid, uint32_t *number)
{
	return attach(sim, sva->fd, pasid, number);
}

SVA_EXPORT int sva_sim_attach_fd(struct sva_sim *sim, int fd, uint32_t *number)
{
	/* the one PASID that it carries */
	return attach(sim, fd, 0, number);
}

SVA_EXPORT int sva_sim_attach_guest(struct sva_sim *sim, const struct sva *sva,
				    uint32_t rid, uint32_t guest)
{
	struct sva_sim_attach arg = {
		.size = sizeof(arg),
		.flags = SVA_SIM_ATTACH_F_GUEST_PASID,
		.sva_fd = sva->fd,
		.pasid = rid,
		.guest_pasid = guest,
	};

	return sva_ioctl(sim->fd, SVA_SIM_ATTACH, &arg);
}

SVA_EXPORT int sva_sim_detach(struct sva_sim *sim)
{
	return sva_ioctl(sim->fd, SVA_SIM_DETACH, NULL);
}

SVA_EXPORT int sva_sim_info(const struct sva_sim *sim, struct sva_sim_info *info,
			    size_t size)
{
	int err = sva_result_init(info, size,
				  offsetof(struct sva_sim_info, pasid_max));

	return err ? err : sva_ioctl(sim->fd, SVA_SIM_GET_INFO, info);
}

SVA_EXPORT int sva_sim_set_eventfd(struct sva_sim *sim, int fd)
{
	struct sva_sim_eventfd arg = { .size = sizeof(arg), .fd = fd };

	return sva_ioctl(sim->fd, SVA_SIM_SET_EVENTFD, &arg);
}

/* One write(2), once there is room: descriptors taken, or a negative errno. */
static int submit_some(int fd, const struct sva_sim_desc *desc,
		       unsigned int count)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	if (count > BATCH_MAX)
		count = BATCH_MAX;
	for (;;) {
		n = write(fd, desc, count * sizeof(*desc));
		if (n >= 0)
			return (int)((size_t)n / sizeof(*desc));
		if (errno != EAGAIN)
			return -errno;
		if (poll(&pfd, 1, -1) < 0)
			return -errno;
	}
}

SVA_EXPORT int sva_sim_submit(struct sva_sim *sim,
			      const struct sva_sim_desc *desc,
			      unsigned int count)
{
	unsigned int done = 0;
	int n;

	if (count > INT32_MAX)
		return -EINVAL;
	while (done < count) {
		n = submit_some(sim->fd, desc + done, count - done);
		if (n <= 0)
			return done ? (int)done : n;
		done += (unsigned int)n;
	}
	return (int)done;
}

/* The engine writes the status last, hence what it says is read after it. */
static bool is_done(const struct sva_sim_completion *done)
{
	return __atomic_load_n(&done->status, __ATOMIC_ACQUIRE) !=
	       SVA_SIM_STATUS_PENDING;
}

static struct timespec deadline_in(int timeout_ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += timeout_ms % 1000 * 1000000L;
	ts.tv_sec += timeout_ms / 1000 + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/* Milliseconds until then, rounded up, so that 0 means it has passed. */
static int time_left(const struct timespec *deadline)
{
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (int64_t)(deadline->tv_sec - now.tv_sec) * 1000000000 +
	     (deadline->tv_nsec - now.tv_nsec);
	return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

/* Takes the completions that there are, or waits for some. */
static int read_completions(int fd, const struct timespec *deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t count;
	int n;

	n = poll(&pfd, 1, deadline ? time_left(deadline) : -1);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	/*
	 * Without POLLIN it is POLLHUP. Then nothing will come any more, but
	 * the caller has yet to look at what came last.
	 */
	if (!(pfd.revents & POLLIN))
		return -ENOLINK;
	/* Another process that has the queue may have taken them. */
	n = (int)read(fd, &count, sizeof(count));
	return n < 0 && errno != EAGAIN ? -errno : 0;
}

/* Called, and returns, with the lock held. */
static int wait_for_reader(struct sva_sim *sim, const struct timespec *deadline)
{
	if (deadline)
		return -pthread_cond_timedwait(&sim->read_done, &sim->lock,
					       deadline);
	return -pthread_cond_wait(&sim->read_done, &sim->lock);
}

SVA_EXPORT int sva_sim_wait(struct sva_sim *sim,
			    const struct sva_sim_completion *done,
			    int timeout_ms)
{
	struct timespec at, *deadline = NULL;
	int err = 0;

	if (timeout_ms >= 0) {
		at = deadline_in(timeout_ms);
		deadline = &at;
	}

	pthread_mutex_lock(&sim->lock);
	while (!is_done(done) && !err) {
		if (sim->reading) {
			err = wait_for_reader(sim, deadline);
			continue;
		}
		sim->reading = true;
		pthread_mutex_unlock(&sim->lock);
		err = read_completions(sim->fd, deadline);
		pthread_mutex_lock(&sim->lock);
		sim->reading = false;
		pthread_cond_broadcast(&sim->read_done);
	}
	pthread_mutex_unlock(&sim->lock);
	return is_done(done) ? 0 : err;
}

SVA_EXPORT int sva_sim_run(struct sva_sim *sim, const struct sva_sim_desc *desc,
			   struct sva_sim_completion *done)
{
	struct sva_sim_desc copy = *desc;
	int err;

	*done = (struct sva_sim_completion){ .status = SVA_SIM_STATUS_PENDING };
	copy.completion = sva_ptr(done);
	do {
		err = sva_sim_submit(sim, &copy, 1);
	} while (err == -EINTR);
	if (err < 0)
		return err;
	do {
		err = sva_sim_wait(sim, done, -1);
	} while (err == -EINTR);
	return err;
}
