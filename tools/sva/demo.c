// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva demo: a program without privileges hands plain pointers to DMA engines,
 * by "sva fd plus PASID", and compares what they did with what the CPU does.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define SIZE_DEFAULT	((size_t)64 << 20)
#define SIZE_MAX_GIB	16

static const char doc[] =
	"Lets software DMA engines checksum and copy FILE (default: this program) and a\n"
	"buffer from malloc(), by plain pointers, and compares the result with the CPU's.\n"
	"SIZE may end with K, M or G. The exit status is 0 if everything matched.";

static const struct argp_option argp_options[] = {
	{ "size", 's', "SIZE", 0, "size of the buffer (64M)", 0 },
	{ "device", 'd', "PATH", 0,
	  "use this engine; may be given more than once (default: /dev/sva_sim*, one for each of two IOMMUs)",
	  0 },
	{ "quiet", 'q', NULL, 0, "print nothing but errors", 0 },
	{ "verbose", 'v', NULL, 0, "print times as well", 0 },
	{ 0 },
};

/* Returns 0 for what is not a size. */
static size_t parse_size(const char *arg)
{
	static const char units[] = "KMG";
	unsigned long long size;
	unsigned int shift = 0;
	const char *unit;
	char *end;

	errno = 0;
	size = strtoull(arg, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (errno || *end || *arg == '-' ||
	    size > ((unsigned long long)SIZE_MAX_GIB << 30) >> shift)
		return 0;
	/* whole words, for who fills it */
	return (size_t)(size << shift) & ~(size_t)7;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 's':
		opt->size = parse_size(arg);
		if (!opt->size)
			argp_error(state, "%s is not a size from 8 to %dG", arg,
				   SIZE_MAX_GIB);
		break;
	case 'd':
		if (opt->devices == ENGINES_MAX)
			argp_error(state, "more than %d engines", ENGINES_MAX);
		opt->device[opt->devices++] = arg;
		break;
	case 'q':
		opt->quiet = true;
		break;
	case 'v':
		opt->verbose = true;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_usage(state);
		opt->file = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "[FILE]",
	.doc = doc,
	.children = common_options,
};

static void say_who(void)
{
	char line[128], caps[32] = "";
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %31s", caps) == 1)
			break;
	if (status)
		fclose(status);
	say("Running as uid %u, %s.", (unsigned int)geteuid(),
	    strspn(caps, "0") == strlen(caps) ? "without capabilities" :
						"with capabilities");
}

static int open_context(struct demo *demo)
{
	int err;

	err = sva_open(&demo->sva, 0);
	if (err) {
		complain("/dev/sva: %s", sva_strerror(SVA_CALL_OPEN, err));
		return -1;
	}
	err = sva_pasid_alloc_process(demo->sva, &demo->process);
	if (err) {
		complain("process PASID: %s",
			 sva_strerror(SVA_CALL_PASID_ALLOC, err));
		return -1;
	}
	return 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool run_step(struct demo *demo,
		     bool (*run)(struct demo *demo, struct step *step))
{
	struct step *step = &demo->step[demo->steps++];
	uint64_t before = engines_sum_page_requests(demo);
	double start = now();

	step->ok = run(demo, step);
	step->page_requests += engines_sum_page_requests(demo) - before;
	detail("%s: %.3f s, %llu page requests", step->name, now() - start,
	       (unsigned long long)step->page_requests);
	return step->ok;
}

/* Everything is shown, also after something went wrong. */
static bool run_steps(struct demo *demo)
{
	bool ok;

	say("\nThe memory of this process, for %u engine%s", demo->engines,
	    demo->engines == 1 ? "" : "s");
	if (engines_attach(demo))
		return false;
	ok = run_step(demo, demo_file);
	ok = run_step(demo, demo_buffer) && ok;
	return run_step(demo, demo_child) && ok;
}

int command_demo(int argc, char **argv)
{
	struct demo demo = {
		.opt = { .file = "/proc/self/exe", .size = SIZE_DEFAULT },
	};
	bool good = false;

	argp_parse(&argp, argc, argv, 0, NULL, &demo.opt);
	report_init(&demo.opt);

	if (child_start(&demo))
		return STATUS_FAILED;
	say_who();
	if (!open_context(&demo) && !engines_open(&demo)) {
		good = run_steps(&demo);
		report_end(&demo, good);
	}
	if (child_end(&demo))
		good = false;
	engines_close(&demo);
	sva_close(demo.sva);
	return good ? STATUS_OK : STATUS_FAILED;
}
