// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva-fuzz: options, the loop, and what it leaves behind. See
 * Documentation/dev-tools/sva-debug.rst.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define CORPUS_MAX	1024
#define COVER_MAX	100	/* programs that are written at the end */
#define LAST		16	/* programs that are known after a crash */
#define STATUS_SECONDS	10
#define THOROUGH_EVERY	50	/* programs */
#define MINIMISE_RUNS	8

static struct {
	unsigned long seconds;
	unsigned long times;
	uint64_t seed;
	const char *corpus, *out;
	char **replay;
	int num_replay;
	struct limits limits;
	bool unguided, verbose;
} opt = {
	.times = 1,
	.limits = { .threads = 4, .calls = 40 },
};

struct entry {
	struct program program;
	struct places places;
};

static struct entry *corpus;
static unsigned int corpus_num;
static struct places known;
static unsigned long programs, killed;
static bool guided;

/* --- programs on disk, where they survive the machine -------------------------------- */

static void write_program(const struct program *p, const char *dir, const char *name)
{
	static char text[MAX_TEXT];
	char path[256];
	size_t len;
	FILE *f;

	if (!opt.out)
		return;
	snprintf(path, sizeof(path), "%s/%s", opt.out, dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", opt.out, dir, name);
	f = fopen(path, "we");
	if (!f)
		return;
	len = program_print(p, text);
	fprintf(f, "# %s: GPL-2.0-only\n", "SPDX-License-Identifier");
	fwrite(text, 1, len, f);
	fflush(f);
	fdatasync(fileno(f));
	fclose(f);
}

static char last_text[MAX_TEXT + PAGE] __attribute__((aligned(PAGE)));

/* A file that has all its blocks already, written past all caches if that is possible. */
static int open_last(unsigned int n)
{
	const int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
	char path[256];
	int fd, ours;

	snprintf(path, sizeof(path), "%s/last-%02u", opt.out, n);
	fd = open(path, flags | O_DIRECT | O_DSYNC, 0644);
	if (fd < 0)
		fd = open(path, flags, 0644);
	if (fd < 0)
		return -1;
	ours = fcntl(fd, F_DUPFD_CLOEXEC, FD_OURS);
	close(fd);
	memset(last_text, '\n', sizeof(last_text));
	if (pwrite(ours, last_text, sizeof(last_text), 0) < 0 || fsync(ours))
		return -1;
	return ours;
}

/* The latest programs: whichever brings the machine down is among them. */
static void write_last(const struct program *p)
{
	static int fd[LAST];
	unsigned int n = programs % LAST;
	size_t len;

	if (!opt.out)
		return;
	if (!fd[n])
		fd[n] = open_last(n);
	if (fd[n] < 0)
		return;
	len = program_print(p, last_text);
	len += snprintf(last_text + len, 64, "# end of program %lu\n", programs);
	memset(last_text + len, '\n', -len % PAGE);
	len += -len % PAGE;
	if (pwrite(fd[n], last_text, len, 0) < 0)
		fd[n] = -1;
}

/* --- one program --------------------------------------------------------------------- */

static void finding(const struct program *p, const char *what, const char *detail)
{
	static char text[MAX_TEXT];

	write_program(p, ".", "finding");
	program_print(p, text);
	printf("FOUND: %s: %s\n%s# seed of the run: %llu, program %lu\n", what, detail, text,
	       (unsigned long long)opt.seed, programs);
	fflush(stdout);
	exit(1);
}

/* Says where the kernel's tasks are, in its log. */
static void show_tasks(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd >= 0 && write(fd, "w", 1) == 1)
		sleep(1);
}

static void run_one(const struct program *p, struct places *places,
		    unsigned int *new_places, unsigned int *new_edges)
{
	const char *problem;

	write_last(p);
	switch (run_program(p, opt.verbose)) {
	case RUN_STUCK:
		show_tasks();
		finding(p, "stuck", "a process that was killed does not end");
		break;
	case RUN_KILLED:
		killed++;
		break;
	case RUN_ENDED:
		break;
	}
	programs++;
	cover_collect(places, new_places, new_edges);
	engines_remove();
	problem = watch_splats(programs % THOROUGH_EVERY == 0);
	if (problem)
		finding(p, "the kernel complained", problem);
	problem = watch_counts();
	if (problem) {
		show_tasks();
		finding(p, "left behind", problem);
	}
}

/* Which places are new; they are known from now on. */
static unsigned int add_known(const struct places *places, struct places *fresh)
{
	unsigned int i, num = 0;

	for (i = 0; i < ARRAY_SIZE(known.bits); i++) {
		fresh->bits[i] = places->bits[i] & ~known.bits[i];
		known.bits[i] |= places->bits[i];
		num += __builtin_popcountll(fresh->bits[i]);
	}
	return num;
}

static bool reaches(const struct places *places, const struct places *wanted)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wanted->bits); i++)
		if (wanted->bits[i] & ~places->bits[i])
			return false;
	return true;
}

/* --- the corpus ---------------------------------------------------------------------- */

static void add_entry(const struct program *p, const struct places *places)
{
	unsigned int n = corpus_num;

	if (n == CORPUS_MAX)
		n = programs % CORPUS_MAX;
	else
		corpus_num++;
	corpus[n].program = *p;
	corpus[n].places = *places;
}

/* Whether a program reaches what it is kept for; where it gets is in @places. */
static bool still_reaches(const struct program *p, const struct places *wanted,
			  struct places *places)
{
	struct places ignored;
	unsigned int a, b;

	run_one(p, places, &a, &b);
	add_known(places, &ignored);
	return reaches(places, wanted);
}

/*
 * Takes away what is not needed to reach what nobody else has reached: large pieces
 * first, and not for longer than it is worth.
 */
static void minimise(struct program *p, const struct places *wanted, struct places *places)
{
	unsigned int chunk, at, i, runs = 0;
	struct program smaller = *p;
	struct places reached;

	smaller.repeat = 1;
	smaller.delay = 0;
	smaller.processes = 0;
	smaller.seed = 1;
	if (!still_reaches(&smaller, wanted, &reached))
		return;		/* by chance, or by many */
	*p = smaller;
	*places = reached;
	for (chunk = p->num / 2; chunk; chunk /= 2) {
		for (at = 0; at + chunk <= p->num && chunk < p->num; ) {
			if (runs++ == MINIMISE_RUNS)
				return;
			smaller = *p;
			for (i = 0; i < chunk; i++)
				program_remove(&smaller, at);
			if (still_reaches(&smaller, wanted, &reached)) {
				*p = smaller;
				*places = reached;
			} else {
				at += chunk;
			}
		}
	}
}

static void try_program(struct program *p)
{
	struct places places, fresh;
	unsigned int new_places, new_edges;
	char name[32];

	run_one(p, &places, &new_places, &new_edges);
	if (!guided)
		return;
	if (add_known(&places, &fresh)) {
		minimise(p, &fresh, &places);
		snprintf(name, sizeof(name), "new-%05lu", programs);
		write_program(p, "new", name);
	} else if (!new_edges) {
		return;
	}
	add_entry(p, &places);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_program(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Runs all of a directory. Returns whether it could be read. */
static bool load_corpus(const char *dir)
{
	struct dirent **names;
	int i, num = scandir(dir, &names, is_program, by_name);
	struct places places, ignored;
	unsigned int a, b;
	struct program p;
	char path[512];

	if (num < 0) {
		fprintf(stderr, "sva-fuzz: %s: %s\n", dir, strerror(errno));
		return false;
	}
	for (i = 0; i < num; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (!program_load(&p, path))
			return false;
		if (opt.verbose)
			printf("%s\n", path);
		run_one(&p, &places, &a, &b);
		add_known(&places, &ignored);
		add_entry(&p, &places);
		free(names[i]);
	}
	free(names);
	printf("corpus: %u programs, %u places\n", corpus_num, cover_places);
	return true;
}

/* How many places of @places are not yet among @covered, and makes them so. */
static unsigned int cover_more(const struct places *places, struct places *covered, bool add)
{
	unsigned int i, num = 0;

	for (i = 0; i < ARRAY_SIZE(places->bits); i++) {
		num += __builtin_popcountll(places->bits[i] & ~covered->bits[i]);
		if (add)
			covered->bits[i] |= places->bits[i];
	}
	return num;
}

/* Writes few programs that together reach all that any of them has: the next corpus. */
static void write_cover(void)
{
	static struct places covered;
	unsigned int i, n, gain, best, best_gain;
	char name[32];

	for (n = 0; n < COVER_MAX; n++) {
		best_gain = 0;
		best = 0;
		for (i = 0; i < corpus_num; i++) {
			gain = cover_more(&corpus[i].places, &covered, false);
			if (gain > best_gain) {
				best_gain = gain;
				best = i;
			}
		}
		if (!best_gain)
			break;
		cover_more(&corpus[best].places, &covered, true);
		snprintf(name, sizeof(name), "%02u", n);
		write_program(&corpus[best].program, "corpus", name);
	}
}

/* --- the loop ------------------------------------------------------------------------ */

static void status(time_t since, bool end)
{
	if (end)
		printf("end: ");
	printf("%ld s, %lu programs (%lu killed), %lu calls (%lu%% succeeded), ",
	       (long)(time(NULL) - since), programs, killed, run_total.made,
	       run_total.made ? 100 * run_total.succeeded / run_total.made : 0);
	if (guided)
		printf("%u places, %u edges, ", cover_places, cover_edges);
	printf("corpus %u, splats 0\n", corpus_num);
	fflush(stdout);
}

/* How often each call was made and has succeeded; those that never have are told. */
static void write_calls(void)
{
	const struct call *call;
	const char *before = "never succeeded: ";
	char path[256];
	FILE *f = NULL;
	unsigned int i;

	if (opt.out) {
		snprintf(path, sizeof(path), "%s/calls", opt.out);
		f = fopen(path, "we");
	}
	for (i = 0; (call = call_at(i)); i++) {
		if (f)
			fprintf(f, "%-20s %9lu %9lu\n", call->name, run_counts[i].made,
				run_counts[i].succeeded);
		if (run_counts[i].succeeded)
			continue;
		printf("%s%s (%lu)", before, call->name, run_counts[i].made);
		before = ", ";
	}
	if (*before == ',')
		printf("\n");
	if (f)
		fclose(f);
}

static const struct program *pick(struct rng *rng)
{
	unsigned int n = rng_below(rng, corpus_num);

	/* What is new is more likely to lead on. */
	if (rng_one_in(rng, 2))
		n = corpus_num - 1 - rng_below(rng, (corpus_num + 3) / 4);
	return &corpus[n].program;
}

static void fuzz(void)
{
	struct rng rng = { .state = opt.seed };
	time_t start = time(NULL), told = start, now;
	struct program p;

	for (now = start; now < start + (time_t)opt.seconds; now = time(NULL)) {
		if (!corpus_num || rng_one_in(&rng, 10)) {
			program_random(&p, &rng, &opt.limits);
		} else {
			p = *pick(&rng);
			program_mutate(&p, pick(&rng), &rng, &opt.limits);
		}
		try_program(&p);
		if (now >= told + STATUS_SECONDS) {
			status(start, false);
			told = now;
		}
	}
	status(start, true);
}

static bool replay(void)
{
	struct places places;
	unsigned int a, b;
	unsigned long n;
	struct program p;
	int i;

	for (i = 0; i < opt.num_replay; i++) {
		if (!program_load(&p, opt.replay[i]))
			return false;
		for (n = 0; n < opt.times; n++)
			run_one(&p, &places, &a, &b);
		printf("%s: run %lu times, nothing found\n", opt.replay[i], opt.times);
	}
	return true;
}

/* --- options ------------------------------------------------------------------------- */

static const struct argp_option options[] = {
	{ "seconds", 's', "N", 0, "Make and run programs for so long (0: only the corpus)", 0 },
	{ "seed", 'S', "N", 0, "Begin chance with this number", 0 },
	{ "threads", 't', "N", 0,
	  "At most so many threads and processes in a program, 1 to 8 (4)", 0 },
	{ "calls", 'c', "N", 0, "At most so many calls in a program, 4 to 64 (40)", 0 },
	{ "corpus", 'C', "DIRECTORY", 0, "Run what is there, and begin with it", 0 },
	{ "out", 'o', "DIRECTORY", 0,
	  "Keep there: the latest programs, what is found, and a new corpus", 0 },
	{ "replay", 'r', NULL, 0, "Run only the programs in FILE...", 0 },
	{ "times", 'n', "N", 0, "... so often (1)", 0 },
	{ "unguided", 'u', NULL, 0, "Do not use KCOV: the seed alone decides then", 0 },
	{ "verbose", 'v', NULL, 0, "Print what each call returns", 0 },
	{}
};

static unsigned long parse_number(const char *arg, unsigned long min, unsigned long max,
				  struct argp_state *state)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 0);
	if (errno || *end || end == arg || *arg == '-' || n < min || n > max)
		argp_error(state, "%s: not a number from %lu to %lu", arg, min, max);
	return n;
}

static bool replaying;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 's':
		opt.seconds = parse_number(arg, 0, 1000000, state);
		break;
	case 'S':
		opt.seed = parse_number(arg, 0, -1UL, state);
		break;
	case 't':
		opt.limits.threads = parse_number(arg, 1, MAX_LANES - 1, state);
		break;
	case 'c':
		opt.limits.calls = parse_number(arg, 4, MAX_OPS, state);
		break;
	case 'C':
		opt.corpus = arg;
		break;
	case 'o':
		opt.out = arg;
		break;
	case 'r':
		replaying = true;
		break;
	case 'n':
		opt.times = parse_number(arg, 1, -1UL, state);
		break;
	case 'u':
		opt.unguided = true;
		break;
	case 'v':
		opt.verbose = true;
		break;
	case ARGP_KEY_ARGS:
		opt.replay = state->argv + state->next;
		opt.num_replay = state->argc - state->next;
		break;
	case ARGP_KEY_END:
		if (replaying != !!opt.num_replay)
			argp_error(state, "--replay and files go together");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[--replay FILE...]",
	.doc = "Looks for bugs in /dev/sva with programs of calls made by chance.",
};

int main(int argc, char **argv)
{
	if (getrandom(&opt.seed, sizeof(opt.seed), 0) < 0)
		opt.seed = time(NULL);
	opt.seed >>= 32;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (opt.out)
		mkdir(opt.out, 0755);
	corpus = mmap(NULL, CORPUS_MAX * sizeof(*corpus), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* What programs need not see makes their fork slower. */
	if (corpus == MAP_FAILED || madvise(corpus, CORPUS_MAX * sizeof(*corpus), MADV_DONTFORK) ||
	    run_init() || engines_init() || watch_init()) {
		fprintf(stderr, "sva-fuzz: there is no /dev/sva here, or no right to it\n");
		return 2;
	}
	guided = !opt.unguided && cover_init();
	printf("seed %llu, %s\n", (unsigned long long)opt.seed,
	       guided ? "guided by KCOV" :
	       opt.unguided ? "unguided" : "unguided: this kernel has no KCOV");
	fflush(stdout);
	if (opt.num_replay)
		return replay() ? 0 : 2;
	if (opt.corpus && !load_corpus(opt.corpus))
		return 2;
	fuzz();
	write_calls();
	if (guided)
		write_cover();
	return 0;
}
