// SPDX-License-Identifier: GPL-2.0-only
/* The story as it happens, and the summary: for people, or as JSON. */
#include <stdio.h>
#include <unistd.h>

#include "demo.h"

static const struct options *options;

void report_init(const struct options *opt)
{
	options = opt;
}

bool report_wanted(bool detail)
{
	if (options->quiet || options->json)
		return false;
	return !detail || options->verbose;
}

void report_line_end(void)
{
	putchar('\n');
	/* in order with what goes to stderr, also into a pipe */
	fflush(stdout);
}

const char *size_text(char *buf, size_t len, uint64_t bytes)
{
	const unsigned long long mib = 1 << 20;

	if (bytes >= 10 * mib || (bytes && bytes % mib == 0))
		snprintf(buf, len, "%llu MiB", bytes / mib);
	else if (bytes >= 10 << 10)
		snprintf(buf, len, "%llu KiB", (unsigned long long)bytes >> 10);
	else
		snprintf(buf, len, "%llu bytes", (unsigned long long)bytes);
	return buf;
}

static void json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void json_engine(const struct engine *engine,
			const struct sva_sim_info *info)
{
	printf("    {\"device\": ");
	json_string(engine->path);
	printf(", \"iommu\": %u, \"pasid\": %u, \"descriptors\": %llu, ",
	       engine->iommu, engine->number,
	       (unsigned long long)info->completed);
	printf("\"failed\": %llu, \"bytes\": %llu, \"page_requests\": %llu, ",
	       (unsigned long long)info->failed,
	       (unsigned long long)info->bytes,
	       (unsigned long long)info->page_requests);
	printf("\"iotlb_hits\": %llu, \"iotlb_misses\": %llu}",
	       (unsigned long long)info->iotlb_hits,
	       (unsigned long long)info->iotlb_misses);
}

static void json_end(const struct demo *demo,
		     const struct sva_sim_info info[ENGINES_MAX], bool ok)
{
	unsigned int i;

	printf("{\n  \"uid\": %u,\n  \"engines\": [\n", (unsigned int)geteuid());
	for (i = 0; i < demo->engines; i++) {
		json_engine(&demo->engine[i], &info[i]);
		puts(i + 1 < demo->engines ? "," : "");
	}
	puts("  ],\n  \"steps\": [");
	for (i = 0; i < demo->steps; i++) {
		const struct step *step = &demo->step[i];

		printf("    {\"name\": \"%s\", \"bytes\": %llu, ", step->name,
		       (unsigned long long)step->bytes);
		printf("\"page_requests\": %llu, \"ok\": %s}%s\n",
		       (unsigned long long)step->page_requests,
		       step->ok ? "true" : "false",
		       i + 1 < demo->steps ? "," : "");
	}
	printf("  ],\n  \"ok\": %s\n}\n", ok ? "true" : "false");
}

static void text_end(const struct demo *demo,
		     const struct sva_sim_info info[ENGINES_MAX], bool ok)
{
	uint64_t bytes = 0, requests = 0;
	char size[32];
	unsigned int i;

	say("\nEngines");
	for (i = 0; i < demo->engines; i++)
		say("  %s: IOMMU %u, %llu descriptor%s, %llu failed; IOTLB: %llu hits, %llu misses",
		    demo->engine[i].path, demo->engine[i].iommu,
		    (unsigned long long)info[i].completed,
		    info[i].completed == 1 ? "" : "s",
		    (unsigned long long)info[i].failed,
		    (unsigned long long)info[i].iotlb_hits,
		    (unsigned long long)info[i].iotlb_misses);
	for (i = 0; i < demo->steps; i++) {
		bytes += demo->step[i].bytes;
		requests += demo->step[i].page_requests;
	}
	if (ok)
		say("\nEverything matched: %s by DMA, %llu page requests served.",
		    size_text(size, sizeof(size), bytes),
		    (unsigned long long)requests);
	else
		say("\nNOT everything was as it should be.");
}

void report_end(const struct demo *demo, bool ok)
{
	struct sva_sim_info info[ENGINES_MAX] = { 0 };
	unsigned int i;

	for (i = 0; i < demo->engines; i++)
		sva_sim_info(demo->engine[i].sim, &info[i], sizeof(info[i]));
	if (options->json)
		json_end(demo, info, ok);
	else
		text_end(demo, info, ok);
}
