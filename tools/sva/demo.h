/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of "sva demo" share. */
#ifndef SVA_TOOL_DEMO_H
#define SVA_TOOL_DEMO_H

#include <stdio.h>
#include <sys/types.h>

#include <sva/sim.h>

#include "tool.h"

#define ENGINES_MAX	8
#define STEPS_MAX	8

struct options {
	const char *file;
	const char *device[ENGINES_MAX];
	unsigned int devices;
	size_t size;
	bool quiet;
	bool verbose;
};

/* An engine, through the queue of it that this process has open. */
struct engine {
	const char *path;
	struct sva_sim *sim;
	uint32_t iommu;
	uint32_t pasid_max;
	uint32_t number;
};

/* What one part of the demonstration moved, for the summary. */
struct step {
	const char *name;
	uint64_t bytes;
	uint64_t page_requests;
	bool ok;
};

struct demo {
	struct options opt;
	struct sva *sva;
	uint32_t process;
	struct engine engine[ENGINES_MAX];
	unsigned int engines;
	pid_t child;
	int child_sock;
	struct step step[STEPS_MAX];
	unsigned int steps;
};

/* demo_report.c: all that is printed goes through these */
void report_init(const struct options *opt);
bool report_wanted(bool detail);
void report_line_end(void);
void report_end(const struct demo *demo, bool ok);

#define say(...)					\
	do {						\
		if (report_wanted(false)) {		\
			printf(__VA_ARGS__);		\
			report_line_end();		\
		}					\
	} while (0)

#define detail(...)					\
	do {						\
		if (report_wanted(true)) {		\
			printf("      " __VA_ARGS__);	\
			report_line_end();		\
		}					\
	} while (0)

/* demo_engine.c: 0, or -1 after having complained */
int engines_open(struct demo *demo);
int engines_attach(struct demo *demo);
void engines_close(struct demo *demo);
int engine_crc32c(const struct engine *engine, const void *data, size_t len,
		  uint32_t *crc);
int engine_copy(const struct engine *engine, void *dst, const void *src,
		size_t len);
uint64_t engines_sum_page_requests(const struct demo *demo);

/* demo_crc32c.c: the CPU's opinion */
uint32_t crc32c(const void *data, size_t len);

/* The parts of the demonstration: true if everything was as it should be. */
bool demo_file(struct demo *demo, struct step *step);
bool demo_buffer(struct demo *demo, struct step *step);
bool demo_child(struct demo *demo, struct step *step);

/*
 * demo_child.c: the other process is started before there is a context, so that it
 * has nothing but what it is sent.
 */
int child_start(struct demo *demo);
int child_end(struct demo *demo);

#endif /* SVA_TOOL_DEMO_H */
