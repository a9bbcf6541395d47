// SPDX-License-Identifier: GPL-2.0-only
/* The engines: finding, attaching and giving them work. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"

/* Copies are cut up, so that the queue is seen to work as one. */
#define CHUNK	((size_t)1 << 20)
#define WINDOW	16u

static int open_engine(struct engine *engine, const char *path)
{
	struct sva_sim_info info;
	int err;

	err = sva_sim_open(&engine->sim, path, 0);
	if (!err) {
		err = sva_sim_info(engine->sim, &info, sizeof(info));
		if (err)
			sva_sim_close(engine->sim);
	}
	if (err) {
		complain("%s: %s", path, sva_strerror(SVA_CALL_SIM_OPEN, err));
		return -1;
	}
	engine->path = path;
	engine->iommu = info.iommu;
	engine->pasid_max = info.pasid_max;
	return 0;
}

static int open_named(struct demo *demo)
{
	for (; demo->engines < demo->opt.devices; demo->engines++)
		if (open_engine(&demo->engine[demo->engines],
				demo->opt.device[demo->engines]))
			return -1;
	return 0;
}

static bool same_iommu(const struct demo *demo, const struct engine *engine)
{
	unsigned int i;

	for (i = 0; i < demo->engines; i++)
		if (demo->engine[i].iommu == engine->iommu)
			return true;
	return false;
}

/* The first engine of each of two IOMMUs. */
static int open_found(struct demo *demo)
{
	struct engine engine;
	static glob_t found;
	size_t i;

	if (glob("/dev/sva_sim[0-9]*", 0, NULL, &found)) {
		complain("%s", sva_strerror(SVA_CALL_SIM_OPEN, -ENOENT));
		return -1;
	}
	/* the names live on in demo->engine: found is never freed */
	for (i = 0; i < found.gl_pathc && demo->engines < 2; i++) {
		if (open_engine(&engine, found.gl_pathv[i]))
			return -1;
		if (same_iommu(demo, &engine))
			sva_sim_close(engine.sim);
		else
			demo->engine[demo->engines++] = engine;
	}
	if (demo->engines < 2) {
		complain("all engines are behind one IOMMU: with --device one will do");
		return -1;
	}
	return 0;
}

int engines_open(struct demo *demo)
{
	return demo->opt.devices ? open_named(demo) : open_found(demo);
}

int engines_attach(struct demo *demo)
{
	struct engine *engine;
	unsigned int i;
	int err;

	for (i = 0; i < demo->engines; i++) {
		engine = &demo->engine[i];
		err = sva_sim_attach(engine->sim, demo->sva, demo->process,
				     &engine->number);
		if (err) {
			complain("attach %s: %s", engine->path,
				 sva_strerror(SVA_CALL_ATTACH, err));
			return -1;
		}
		say("  %s, behind IOMMU %u, uses PASID %u", engine->path,
		    engine->iommu, engine->number);
		if (engine->number != demo->engine[0].number) {
			complain("%s does not have the PASID of %s",
				 engine->path, demo->engine[0].path);
			return -1;
		}
	}
	return 0;
}

void engines_close(struct demo *demo)
{
	while (demo->engines)
		sva_sim_close(demo->engine[--demo->engines].sim);
}

static int check_done(const struct engine *engine,
		      const struct sva_sim_completion *done)
{
	switch (done->status) {
	case SVA_SIM_STATUS_OK:
		return 0;
	case SVA_SIM_STATUS_FAULT:
		complain("%s: cannot reach address %#llx", engine->path,
			 (unsigned long long)done->fault_addr);
		return -1;
	default:
		complain("%s: descriptor ended with status %u", engine->path,
			 done->status);
		return -1;
	}
}

int engine_crc32c(const struct engine *engine, const void *data, size_t len,
		  uint32_t *crc)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_CRC32C,
		.src = (uintptr_t)data,
		.len = len,
	};
	struct sva_sim_completion done;
	int err;

	err = sva_sim_run(engine->sim, &desc, &done);
	if (err) {
		complain("%s: %s", engine->path,
			 sva_strerror(SVA_CALL_SIM_WAIT, err));
		return -1;
	}
	*crc = done.result;
	return check_done(engine, &done);
}

static int wait_all(const struct engine *engine,
		    const struct sva_sim_completion *done, unsigned int count)
{
	unsigned int i;
	int err;

	for (i = 0; i < count; i++) {
		err = sva_sim_wait(engine->sim, &done[i], -1);
		if (err) {
			complain("%s: %s", engine->path,
				 sva_strerror(SVA_CALL_SIM_WAIT, err));
			return -1;
		}
		if (check_done(engine, &done[i]))
			return -1;
	}
	return 0;
}

/* One queue full of copies. The completion records must outlive the DMA. */
static int copy_window(const struct engine *engine, unsigned char *dst,
		       const unsigned char *src, size_t len)
{
	static struct sva_sim_completion done[WINDOW];
	struct sva_sim_desc desc[WINDOW] = { 0 };
	unsigned int count = 0;
	size_t pos;
	int taken;

	memset(done, 0, sizeof(done));
	for (pos = 0; pos < len; pos += CHUNK, count++)
		desc[count] = (struct sva_sim_desc){
			.op = SVA_SIM_OP_MEMCPY,
			.src = (uintptr_t)(src + pos),
			.dst = (uintptr_t)(dst + pos),
			.len = len - pos < CHUNK ? len - pos : CHUNK,
			.completion = (uintptr_t)&done[count],
		};

	taken = sva_sim_submit(engine->sim, desc, count);
	if (taken != (int)count) {
		complain("%s: %s", engine->path,
			 taken < 0 ? sva_strerror(SVA_CALL_SIM_SUBMIT, taken) :
				     "not all descriptors were taken");
		return -1;
	}
	return wait_all(engine, done, count);
}

int engine_copy(const struct engine *engine, void *dst, const void *src,
		size_t len)
{
	size_t pos, n;

	for (pos = 0; pos < len; pos += n) {
		n = len - pos < WINDOW * CHUNK ? len - pos : WINDOW * CHUNK;
		if (copy_window(engine, (unsigned char *)dst + pos,
				(const unsigned char *)src + pos, n))
			return -1;
	}
	return 0;
}

uint64_t engines_sum_page_requests(const struct demo *demo)
{
	struct sva_sim_info info;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < demo->engines; i++)
		if (!sva_sim_info(demo->engine[i].sim, &info, sizeof(info)))
			sum += info.page_requests;
	return sum;
}
