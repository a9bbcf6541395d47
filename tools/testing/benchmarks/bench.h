/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What benchmarks have in common: how they measure and how they print.
 *
 * "make bench" runs them in a virtual machine whose clock counts instructions,
 * so that the same program gives the same figures. Elsewhere they are ticks of
 * the time stamp counter. Each is the median of many calls: what else a system
 * does now and then, the timer's tick for example, is not in it.
 */
#ifndef BENCH_H
#define BENCH_H

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

static struct {
	bool json;
	bool first;
} out = { .first = true };

static inline __attribute__((noreturn)) void die(const char *what, int ret)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(-ret));
	exit(1);
}

static inline void must(const char *what, int ret)
{
	if (ret < 0)
		die(what, ret);
}

static inline uint64_t now(void)
{
	_mm_lfence();
	return __rdtsc();
}

struct samples {
	size_t n;
	uint64_t value[1000];
};

static inline void sample(struct samples *s, uint64_t start)
{
	s->value[s->n++] = now() - start;
}

static inline int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline double median(struct samples *s)
{
	qsort(s->value, s->n, sizeof(s->value[0]), compare);
	return s->value[s->n / 2];
}

/* @peer: what iommufd needs for the like, in instructions, or 0. */
static inline void figure(const char *name, double value, const char *unit, double peer)
{
	if (out.json) {
		printf("%s\n  {\"name\": \"%s\", \"value\": %.1f, \"unit\": \"%s\"",
		       out.first ? "[" : ",", name, value, unit);
		if (peer)
			printf(", \"iommufd\": %.0f", peer);
		printf("}");
	} else {
		if (out.first)
			printf("%-44s %14s %-6s %14s\n", "", "/dev/sva", "",
			       "iommufd 7.2");
		printf("%-44s %14.0f %-6s", name, value, unit);
		if (peer)
			printf(" %14.0f", peer);
		printf("\n");
	}
	out.first = false;
	fflush(stdout);
}

static inline int bench_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	(void)state;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	out.json = true;
	return 0;
}

/* Reads the options. @doc: what the program is for. */
static inline void bench_begin(int argc, char **argv, const char *doc)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "Print JSON", 0 },
		{ }
	};
	struct argp argp = {
		.options = options, .parser = bench_option, .doc = doc,
	};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
}

static inline void bench_end(void)
{
	if (out.json)
		printf("\n]\n");
}

#endif /* BENCH_H */
