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
	if (options->quiet || out_is_json())
		return false;
	return !detail || options->verbose;
}

void report_line_end(void)
{
	putchar('\n');
	/* in order with what goes to stderr, also into a pipe */
	fflush(stdout);
}

static struct json_object *engine_json(const struct engine *engine,
				       const struct sva_sim_info *info)
{
	struct json_object *row = json_object_new_object();

	put_text(row, "device", engine->path);
	put_number(row, "iommu", engine->iommu);
	put_number(row, "pasid", engine->number);
	put_number(row, "descriptors", info->completed);
	put_number(row, "failed", info->failed);
	put_number(row, "bytes", info->bytes);
	put_number(row, "page_requests", info->page_requests);
	put_number(row, "iotlb_hits", info->iotlb_hits);
	put_number(row, "iotlb_misses", info->iotlb_misses);
	return row;
}

static struct json_object *step_json(const struct step *step)
{
	struct json_object *row = json_object_new_object();

	put_text(row, "name", step->name);
	put_number(row, "bytes", step->bytes);
	put_number(row, "page_requests", step->page_requests);
	put_bool(row, "ok", step->ok);
	return row;
}

static void json_end(const struct demo *demo,
		     const struct sva_sim_info info[ENGINES_MAX], bool good)
{
	struct json_object *all = json_object_new_object();
	struct json_object *engines = json_object_new_array();
	struct json_object *steps = json_object_new_array();
	unsigned int i;

	for (i = 0; i < demo->engines; i++)
		json_object_array_add(engines,
				      engine_json(&demo->engine[i], &info[i]));
	for (i = 0; i < demo->steps; i++)
		json_object_array_add(steps, step_json(&demo->step[i]));
	put_number(all, "uid", geteuid());
	put(all, "engines", engines);
	put(all, "steps", steps);
	put_bool(all, "ok", good);
	out_json(all);
}

static void text_end(const struct demo *demo,
		     const struct sva_sim_info info[ENGINES_MAX], bool good)
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
	if (good)
		say("\nEverything matched: %s by DMA, %llu page requests served.",
		    out_size(size, sizeof(size), bytes),
		    (unsigned long long)requests);
	else
		say("\nNOT everything was as it should be.");
}

void report_end(const struct demo *demo, bool good)
{
	struct sva_sim_info info[ENGINES_MAX] = { 0 };
	unsigned int i;

	for (i = 0; i < demo->engines; i++)
		sva_sim_info(demo->engine[i].sim, &info[i], sizeof(info[i]));
	if (out_is_json())
		json_end(demo, info, good);
	else
		text_end(demo, info, good);
}
