// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program in a process of its own. Its first lane prepares, then the others
 * run at the same time, each as a thread or a process. Whatever it has open or
 * mapped goes with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <linux/sva_sim.h>

#include "fuzz.h"

#define INTERRUPT_MS	(20 * SVA_SLOWER)	/* what waits in the first lane */
#define IDLE_MS		(20 * SVA_SLOWER)	/* no lane makes a call any more */
#define RUN_MS		(1000 * SVA_SLOWER)	/* a program */
#define DEATH_MS	(30000 * SVA_SLOWER)	/* that was killed */

struct run_count run_counts[MAX_CALLS], run_total;
int run_socket[2], run_guest;

/* What the processes of a program share. */
static struct shared {
	int64_t result[MAX_OPS][MAX_RESULTS];
	uint64_t calls;
	struct run_count count[MAX_CALLS];
	int running;		/* lanes */
	bool go;
	pid_t pid[MAX_LANES];
} *shared;

static struct lane lanes[MAX_LANES];
static const struct program *program;
static int log_fd = -1;

#define GET(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define SET(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define ADD(x, n)	__atomic_fetch_add(&(x), n, __ATOMIC_RELAXED)

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* --- once ---------------------------------------------------------------------------- */

static int move_up(int fd)
{
	int ours = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_OURS);

	close(fd);
	return ours;
}

/* A page for buffers, one for structures, nothing; and the second one read-only. */
static bool lane_init(struct lane *lane)
{
	int file = memfd_create("lane", MFD_CLOEXEC);
	char *p = mmap(NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool ok;

	ok = file >= 0 && !ftruncate(file, 2 * PAGE) && p != MAP_FAILED &&
	     mmap(p, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == p &&
	     mmap(p + 3 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file,
		  PAGE) == p + 3 * PAGE;
	close(file);
	lane->data = p;
	lane->page = p + PAGE;
	lane->read_only = p + 3 * PAGE;
	return ok;
}

int run_init(void)
{
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	for (i = 0; i < MAX_LANES; i++) {
		lanes[i].index = i;
		if (!lane_init(&lanes[i]))
			return -errno;
	}
	run_guest = move_up(memfd_create("guest", MFD_CLOEXEC));
	if (run_guest < 0 || ftruncate(run_guest, GUEST_SIZE))
		return -errno;
	log_fd = move_up(dup(STDERR_FILENO));
	/* What a program leaves when it is killed becomes ours, and ours to wait for. */
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

/* --- the memory of a program --------------------------------------------------------- */

static uint64_t guest_pte(unsigned int page)
{
	return (GUEST_BASE + page * PAGE) | 7;	/* present, writable, user */
}

/* Tables of four and five levels that share all but the root, and a PASID table. */
static void make_tables(char *ram)
{
	struct sva_sim_table_entry *table = (void *)(ram + GUEST_TABLE * PAGE);
	uint64_t (*page)[PAGE / 8] = (void *)ram;
	unsigned int i;

	memset(ram, 0, GUEST_DATA * PAGE);
	for (i = 0; i < 3; i++)
		page[i][0] = guest_pte(i + 1);
	page[GUEST_ROOT5][0] = guest_pte(GUEST_ROOT4);
	for (i = 0; i < GUEST_PAGES; i += 2)
		page[3][i] = guest_pte(GUEST_DATA + i);
	for (i = 0; i < 16; i += 3)
		table[i] = (struct sva_sim_table_entry) {
			.pgtbl = GUEST_BASE | SVA_SIM_TABLE_VALID, .addr_width = 48,
		};
}

static bool map_at(uint64_t offset, size_t len, int prot, int flags, int fd)
{
	void *at = (void *)(MEM_BASE + offset);

	return mmap(at, len, prot, flags | MAP_FIXED, fd, 0) == at;
}

static bool make_memory(void)
{
	bool ok;

	ok = map_at(MEM_PRIVATE, MEM_GUEST, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1) &&
	     map_at(MEM_GUEST, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, run_guest) &&
	     map_at(MEM_READ_ONLY, MEM_SIZE - MEM_READ_ONLY, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (ok)
		make_tables((char *)MEM_BASE + MEM_GUEST);
	return ok;
}

/* --- a call -------------------------------------------------------------------------- */

static uint64_t resolve(const struct lane *lane, const struct field *field, struct value v)
{
	uint64_t n = v.number;

	switch (v.how) {
	case V_MEMORY:
		return MEM_BASE + n;
	case V_BUFFER:
		return (uintptr_t)lane->data;
	case V_RESULT:
		n = GET(shared->result[v.op][v.result]);
		break;
	default:
		break;
	}
	if (field->kinds & K_FDS && n >= FD_OURS && n < FD_OURS + 1000)
		return -1ULL;
	return n;
}

static char *structure(const struct lane *lane, const struct call *call, uint64_t where)
{
	switch (where) {
	case PLACE_END:
		return lane->page + PAGE - call->size;
	case PLACE_READ_ONLY:
		return (char *)lane->read_only;
	case PLACE_NOWHERE:
		return (char *)8;
	default:
		return lane->page;
	}
}

static long run_ioctl(struct lane *lane, const struct call *call, const uint64_t *arg,
		      int64_t *results)
{
	char *base = structure(lane, call, arg[ARG_PLACE]);
	char *page = arg[ARG_PLACE] == PLACE_END ? base : lane->page;
	unsigned int a, r, i;
	long ret;

	memset(lane->page, 0, PAGE);
	if (call->data_size)
		memset(lane->data, 0, PAGE);
	for (a = ARG_MEMBERS; a < MAX_ARGS && call->field[a].name; a++) {
		const struct field *field = &call->field[a];

		memcpy((field->data ? lane->data : page) + field->offset, &arg[a], field->size);
	}
	/* As many entries as fit, all the same. */
	for (i = 1; call->data_size && (i + 1) * call->data_size <= PAGE; i++)
		memcpy(lane->data + i * call->data_size, lane->data, call->data_size);

	ret = ioctl(arg[ARG_FD], call->request, base);
	if (ret < 0)
		return -errno;
	for (r = 0; r < MAX_RESULTS && call->result[r].name; r++) {
		results[r] = 0;
		memcpy(&results[r], page + call->result[r].offset, call->result[r].size);
	}
	return ret;
}

static void run_op(struct lane *lane, unsigned int n)
{
	const struct op *op = &program->op[n];
	const struct call *call = op->call;
	int64_t results[MAX_RESULTS] = {};
	uint64_t arg[MAX_ARGS] = {};
	unsigned int a, r;
	long ret;

	for (a = 0; a < MAX_ARGS && call->field[a].name; a++)
		arg[a] = resolve(lane, &call->field[a], op->arg[a]);
	if (call->run) {
		memset(lane->result, 0xff, sizeof(lane->result));
		ret = call->run(lane, arg);
		memcpy(results, lane->result, sizeof(results));
		results[0] = ret;
	} else {
		ret = run_ioctl(lane, call, arg, results);
	}
	ADD(shared->calls, 1);
	ADD(shared->count[call_number(call)].made, 1);
	if (ret >= 0) {
		ADD(shared->count[call_number(call)].succeeded, 1);
		for (r = 0; r < MAX_RESULTS; r++)
			SET(shared->result[n][r], results[r]);
	}
	if (log_fd < 0)
		return;
	if (ret < 0)
		dprintf(log_fd, "%u: r%u %s: %s\n", lane->index, n, call->name, strerror(-ret));
	else
		dprintf(log_fd, "%u: r%u %s: %#llx %#llx\n", lane->index, n, call->name,
			(unsigned long long)results[0], (unsigned long long)results[1]);
}

/* --- lanes --------------------------------------------------------------------------- */

static void pause_some(struct lane *lane)
{
	uint64_t us = rng_below(&lane->rng, program->delay + 1);

	if (!us)
		return;
	if (us % 4)
		usleep(us);
	else
		sched_yield();
}

static void run_calls_of(struct lane *lane)
{
	unsigned int i;

	for (i = 0; i < program->num; i++) {
		if (program->op[i].lane != lane->index)
			continue;
		pause_some(lane);
		run_op(lane, i);
	}
}

static void *run_lane(void *data)
{
	struct lane *lane = data;
	unsigned int i;

	lane->rng.state = program->seed + lane->index;
	cover_begin(lane->index);
	while (!GET(shared->go))
		sched_yield();
	for (i = 0; i < program->repeat; i++)
		run_calls_of(lane);
	ADD(shared->running, -1);
	return NULL;
}

static bool is_process(unsigned int lane)
{
	return program->processes >> lane & 1;
}

static unsigned int lanes_used(void)
{
	unsigned int i, used = 0;

	for (i = 0; i < program->num; i++)
		used |= 1u << program->op[i].lane;
	return used;
}

/* Processes first: those have no threads to lose. */
static void start_lanes(unsigned int used)
{
	pthread_t thread;
	unsigned int i;

	for (i = 1; i < MAX_LANES; i++) {
		if (!(used >> i & 1) || !is_process(i))
			continue;
		ADD(shared->running, 1);
		shared->pid[i] = fork();
		if (!shared->pid[i]) {
			run_lane(&lanes[i]);
			_exit(0);
		}
	}
	for (i = 1; i < MAX_LANES; i++) {
		if (!(used >> i & 1) || is_process(i))
			continue;
		ADD(shared->running, 1);
		if (pthread_create(&thread, NULL, run_lane, &lanes[i]))
			ADD(shared->running, -1);
	}
	SET(shared->go, true);
}

/* Until all lanes have ended, or wait for what will not come. */
static void wait_for_lanes(void)
{
	uint64_t calls = GET(shared->calls), since = now_ms();

	while (GET(shared->running) && now_ms() < since + IDLE_MS) {
		usleep(250);
		if (GET(shared->calls) == calls)
			continue;
		calls = GET(shared->calls);
		since = now_ms();
	}
}

static void interrupted(int sig)
{
	(void)sig;
}

/* What waits too long while it prepares gets a signal, as it may in real life. */
static void interrupt_regularly(bool on)
{
	struct itimerval timer = {
		.it_value.tv_usec = on ? 1000 * INTERRUPT_MS : 0,
		.it_interval.tv_usec = on ? 1000 * INTERRUPT_MS : 0,
	};
	struct sigaction act = { .sa_handler = interrupted };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void run_in_child(void)
{
	struct rlimit files = { FD_OURS, FD_OURS };
	int null = open("/dev/null", O_RDWR), i;

	setpgid(0, 0);
	for (i = 0; i < 3; i++)
		dup2(null, i);
	close(null);
	setrlimit(RLIMIT_NOFILE, &files);
	if (!make_memory() ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, run_socket))
		_exit(1);
	interrupt_regularly(true);
	lanes[0].rng.state = program->seed;
	cover_begin(0);
	run_calls_of(&lanes[0]);
	interrupt_regularly(false);
	start_lanes(lanes_used());
	wait_for_lanes();
	/* By itself half of the time, by exit_files() else. */
	if (program->seed & 1)
		syscall(SYS_close_range, 3, FD_OURS - 1, 0);
	_exit(0);
}

/* --- from outside -------------------------------------------------------------------- */

int run_kill_lane(unsigned int lane)
{
	pid_t pid = lane < MAX_LANES ? GET(shared->pid[lane]) : 0;

	return pid > 0 && !kill(pid, SIGKILL) ? 0 : -ESRCH;
}

static bool ended(int pidfd, int ms)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

/* Waits for everything that is a child of ours by now. */
static bool reap_all(pid_t group)
{
	uint64_t until = now_ms() + DEATH_MS;
	pid_t pid;

	kill(-group, SIGKILL);
	for (;;) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			return true;
		if (pid > 0)
			continue;
		if (now_ms() >= until)
			return false;
		/* A fork may just have been under way. */
		kill(-group, SIGKILL);
		usleep(1000);
	}
}

static void add_counts(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++) {
		run_counts[i].made += shared->count[i].made;
		run_counts[i].succeeded += shared->count[i].succeeded;
		run_total.made += shared->count[i].made;
		run_total.succeeded += shared->count[i].succeeded;
	}
}

enum outcome run_program(const struct program *p, bool verbose)
{
	bool in_time;
	pid_t pid;
	int pidfd;

	program = p;
	memset(shared, 0, sizeof(*shared));
	memset(shared->result, 0xff, sizeof(shared->result));
	pid = fork();
	if (!pid) {
		if (!verbose)
			log_fd = -1;
		run_in_child();
	}
	if (pid < 0)
		return RUN_KILLED;
	setpgid(pid, pid);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	in_time = ended(pidfd, RUN_MS);
	close(pidfd);
	if (!reap_all(pid))
		return RUN_STUCK;
	add_counts();
	return in_time ? RUN_ENDED : RUN_KILLED;
}
