/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sva-fuzz: programs of calls of /dev/sva and its engines, made at random, run by
 * several threads and processes, and kept if they reach code that none reached
 * before. What a call is like is said once, in calls.c and calls-vfio.c.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MAX_OPS		64
#define MAX_ARGS	14
#define MAX_RESULTS	3
#define MAX_LANES	9	/* the first one prepares, alone */
#define MAX_TEXT	(64 * 1024)	/* of the longest program */

/* How much slower than usual the kernel is. */
#ifndef SVA_SLOWER
#define SVA_SLOWER	1
#endif

#define PAGE		4096UL

/* --- random numbers: the same ones for the same seed --------------------------------- */

struct rng {
	uint64_t state;
};

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" */
static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return n ? rng_next(rng) % n : 0;
}

static inline bool rng_one_in(struct rng *rng, uint64_t n)
{
	return !rng_below(rng, n);
}

/* --- what calls are like: calls*.c, describe.h ---------------------------------------- */

/* Kinds of results, a bit each; an argument says which ones it is made for. */
enum kind {
	K_SVA = 1 << 0,		/* descriptors */
	K_SIM = 1 << 1,
	K_GRANT = 1 << 2,
	K_FAULTQ = 1 << 3,
	K_VEVENTQ = 1 << 4,
	K_MEMFD = 1 << 5,
	K_EVENTFD = 1 << 6,
	K_VFIO_GROUP = 1 << 7,
	K_CONTAINER = 1 << 8,
	K_VFIO = 1 << 9,
	K_IOMMUFD = 1 << 10,
	K_FDS = (1 << 11) - 1,
	K_PASID = 1 << 11,	/* names */
	K_RID = 1 << 12,
	K_AS = 1 << 13,
	K_PARENT = 1 << 14,
	K_NESTED = 1 << 15,
	K_VIOMMU = 1 << 16,
	K_VDEVICE = 1 << 17,
	K_GRANT_ID = 1 << 18,
	K_DEV = 1 << 19,
	K_IOVA = 1 << 20,
	K_VFIO_ENGINE = 1 << 21,
	K_NUMBER = 1 << 22,
	K_IOAS = 1 << 23,
	K_HWPT = 1 << 24,
	K_IOMMUFD_DEV = 1 << 25,
};

enum type {
	T_NUMBER,	/* values[0] to values[1] */
	T_CHOICE,	/* one of values */
	T_FLAGS,	/* bits of values[0] */
	T_ZERO,		/* reserved, or an output */
	T_SIZE,		/* of the structure */
	T_DATA_SIZE,	/* of what is in the buffer */
	T_RESULT,	/* of another call, of one of kinds; values if there is none */
	T_MEMORY,	/* of the program */
	T_LENGTH,	/* in bytes */
	T_ADDRESS,	/* for DMA */
	T_BUFFER,	/* of the call's own: what fields with "data" are in */
};

struct field {
	const char *name;
	enum type type;
	uint32_t kinds;
	const uint64_t *values;
	unsigned int count;	/* of values */
	uint16_t offset;	/* in the structure, or in the buffer */
	uint8_t size;		/* 0: an argument of the call, in no structure */
	bool data;		/* in the buffer */
};

struct result {
	const char *name;
	uint32_t kind;
	uint8_t size;		/* 0: what the call returns */
	uint16_t offset;
};

struct lane;

struct call {
	const char *name;
	const char *needs;	/* a file; where there is none, it is not made by chance */
	unsigned int weight;
	unsigned long request;	/* of an ioctl; else there is @run */
	size_t size;		/* of its structure */
	size_t data_size;	/* of an entry in its buffer */
	long (*run)(struct lane *lane, const uint64_t *arg);
	struct field field[MAX_ARGS];
	struct result result[MAX_RESULTS];
};

/* What there is beside /dev/sva: calls-vfio.c */
extern const struct call vfio_calls[];
extern const unsigned int nr_vfio_calls;

/* Of all tables together */
#define MAX_CALLS	128

/**
 * call_at() - the calls that there are
 * @n: number of a call, from 0 on
 *
 * Return: the call, or NULL if there are no more.
 */
const struct call *call_at(unsigned int n);

/**
 * call_number() - the number of a call, below %MAX_CALLS
 * @call: from call_at()
 */
unsigned int call_number(const struct call *call);

/* Arguments of an ioctl that stand before its structure's members. */
enum { ARG_FD, ARG_PLACE, ARG_MEMBERS };

/* Where an ioctl's structure is. */
enum place {
	PLACE_NORMAL,
	PLACE_END,	/* nothing is mapped behind it */
	PLACE_READ_ONLY,
	PLACE_NOWHERE,
};

/* --- programs: program.c ------------------------------------------------------------- */

enum how {
	V_NUMBER,
	V_MEMORY,	/* number is an offset in the program's memory */
	V_BUFFER,
	V_RESULT,
};

struct value {
	enum how how;
	uint64_t number;
	uint8_t op, result;
};

struct op {
	const struct call *call;
	uint8_t lane;
	struct value arg[MAX_ARGS];
};

struct program {
	uint64_t seed;		/* of the delays */
	uint32_t repeat;	/* how often the lanes but the first are run */
	uint32_t delay;		/* between calls, up to so many microseconds */
	uint32_t processes;	/* bits: lanes that are processes, not threads */
	unsigned int num;
	struct op op[MAX_OPS];
};

/**
 * program_default() - the value of an argument that is not written down
 * @call: the call
 * @field: its argument
 *
 * Return: the value.
 */
struct value program_default(const struct call *call, const struct field *field);

/**
 * program_print() - write a program as text
 * @p: the program
 * @text: room for %MAX_TEXT bytes
 *
 * Return: the length of the text.
 */
size_t program_print(const struct program *p, char *text);

/**
 * program_parse() - read a program
 * @p: where it goes
 * @text: the text, which is changed
 * @error: set to what is wrong
 *
 * Return: 0, or the number of the line that is wrong.
 */
int program_parse(struct program *p, char *text, const char **error);

/**
 * program_load() - read a program from a file
 * @p: where it goes
 * @path: the file; what is wrong with it is said on stderr
 *
 * Return: whether it is one.
 */
bool program_load(struct program *p, const char *path);

/**
 * program_remove() - take a call out; what refers to its results gets defaults
 * @p: the program
 * @n: the call
 */
void program_remove(struct program *p, unsigned int n);

/**
 * program_insert() - make room for a call
 * @p: the program, which has fewer than %MAX_OPS
 * @n: where; later ones, and what refers to them, move
 *
 * Return: the new one, for the caller to fill in.
 */
struct op *program_insert(struct program *p, unsigned int n);

/* --- chance: mutate.c ---------------------------------------------------------------- */

struct limits {
	unsigned int threads;	/* lanes beside the first, 1 to 8 */
	unsigned int calls;	/* of a program, up to %MAX_OPS */
};

/**
 * program_random() - make a program out of nothing
 * @p: where it goes
 * @rng: decides
 * @limits: how large it may be
 */
void program_random(struct program *p, struct rng *rng, const struct limits *limits);

/**
 * program_mutate() - change a program in one or several places
 * @p: the program
 * @other: one to take calls from
 * @rng: decides
 * @limits: how large it may get
 */
void program_mutate(struct program *p, const struct program *other,
		    struct rng *rng, const struct limits *limits);

/* --- running: run.c ------------------------------------------------------------------ */

/**
 * run_init() - prepare what all runs use
 *
 * Return: 0 or a negative errno.
 */
int run_init(void);

/* Milliseconds, for limits of time: a loop that counts its naps takes longer. */
uint64_t now_ms(void);

enum outcome {
	RUN_ENDED,
	RUN_KILLED,	/* it waited for something that did not come */
	RUN_STUCK,	/* and could not even be killed */
};

/**
 * run_program() - run a program in processes of its own
 * @p: the program
 * @verbose: print what each call returns
 *
 * Return: how it ended. All its processes have ended, unless it is %RUN_STUCK.
 */
enum outcome run_program(const struct program *p, bool verbose);

/* Calls made so far, and those of them that succeeded: of each, and of all. */
struct run_count {
	unsigned long made, succeeded;
};

extern struct run_count run_counts[MAX_CALLS], run_total;

/* What run_program() and the implementation of calls share. */
struct lane {
	unsigned int index;
	struct rng rng;
	char *page;		/* the structure; a page that is not mapped follows */
	const char *read_only;	/* the same page again */
	char *data;
	int64_t result[MAX_RESULTS];	/* of a call that is no ioctl, beside the first */
};

/* Memory of programs: private, of a file ("guest memory"), and read-only. */
#define MEM_BASE	0x200000000UL
#define MEM_PRIVATE	0UL
#define MEM_GUEST	(2UL << 20)
#define MEM_READ_ONLY	(3UL << 20)
#define MEM_SIZE	(4UL << 20)

#define GUEST_SIZE	(MEM_READ_ONLY - MEM_GUEST)
#define GUEST_BASE	0x100000000UL	/* where a guest has it */
/* Pages of guest memory that are tables. */
#define GUEST_ROOT4	0
#define GUEST_ROOT5	4
#define GUEST_TABLE	5
#define GUEST_DATA	16
#define GUEST_PAGES	128	/* of guest-virtual memory; every other one is there */

/* Descriptors above this are not the program's. */
#define FD_OURS		900

/* Sockets over which the descriptors of a program travel, and guest memory. */
extern int run_socket[2], run_guest;

/**
 * run_kill_lane() - end a lane that is a process
 * @lane: which
 *
 * Return: 0 or a negative errno.
 */
int run_kill_lane(unsigned int lane);

/* --- engines: engines.c --------------------------------------------------------------- */

/* Engines that programs can name; the first ones are there from the beginning. */
#define ENGINES		7
#define OWN_ENGINES	2	/* those from this one on are made and removed */
#define FUNCTION	6	/* a PCI function, in machines that have one */

/**
 * engines_init() - find those that are there
 *
 * Return: 0 or a negative errno.
 */
int engines_init(void);

/**
 * engines_remove() - remove what engines a program has left; the PCI function has its
 *                    own driver again
 */
void engines_remove(void);

/**
 * engine_device() - the device of an engine
 * @engine: number of the engine
 * @name: set to the name of what it had last
 * @len: room there
 *
 * Return: 0 or a negative errno.
 */
int engine_device(uint64_t engine, char *name, size_t len);

/**
 * engine_node() - the node of an engine in /dev, as engine_device()
 */
int engine_node(uint64_t engine, char *node, size_t len);

/**
 * engine_vfio_group() - the node of its group in /dev/vfio, as engine_device()
 */
int engine_vfio_group(uint64_t engine, char *node, size_t len);

/**
 * engine_vfio_node() - its own one in /dev/vfio/devices, as engine_device()
 */
int engine_vfio_node(uint64_t engine, char *node, size_t len);

/* Calls. What takes too long is -EINPROGRESS, and goes on. */
long run_engine_make(struct lane *lane, const uint64_t *arg);
long run_engine_remove(struct lane *lane, const uint64_t *arg);
long run_engine_set(struct lane *lane, const uint64_t *arg);
long run_engine_rebind(struct lane *lane, const uint64_t *arg);
long run_vfio_make(struct lane *lane, const uint64_t *arg);
long run_vfio_take(struct lane *lane, const uint64_t *arg);

/* --- coverage: kcov.c ---------------------------------------------------------------- */

/**
 * cover_init() - begin to use KCOV
 *
 * Return: whether the kernel has it, for us.
 */
bool cover_init(void);

/* In place of a lane: one of the processes that administer engines */
#define COVER_ADMIN	MAX_LANES
#define COVER_LANES	(MAX_LANES + 1)

/**
 * cover_begin() - note from now on where the calling task gets in the kernel
 * @lane: the lane it runs, or %COVER_ADMIN
 */
void cover_begin(unsigned int lane);

/* Places in the kernel's code, by the order in which they were reached first. */
#define MAX_PLACES	16384

struct places {
	uint64_t bits[MAX_PLACES / 64];
};

/**
 * cover_collect() - add up where the lanes of a program got
 * @places: set to the places that were reached
 * @new_places: set to how many none had reached before
 * @new_edges: set to how many ways from one to another none had gone before
 */
void cover_collect(struct places *places, unsigned int *new_places,
		   unsigned int *new_edges);

extern unsigned int cover_places, cover_edges;

/* --- the kernel: watch.c ------------------------------------------------------------- */

/**
 * watch_init() - note how the kernel is now
 *
 * Return: 0 or a negative errno.
 */
int watch_init(void);

/**
 * watch_counts() - wait until nothing is left of a program
 *
 * Return: NULL, or what is left.
 */
const char *watch_counts(void);

/**
 * watch_splats() - ask whether the kernel has complained since the beginning
 * @thorough: ask lockdep too
 *
 * Return: NULL, or what about.
 */
const char *watch_splats(bool thorough);

#endif /* FUZZ_H */
