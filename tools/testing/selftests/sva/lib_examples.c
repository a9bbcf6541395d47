// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: the examples of the man pages, just as they are there. Each is run in
 * a process of its own, with its output out of the way.
 */
#include "lib_util.h"
#include "kselftest_harness.h"

#define main example_libsva
#include "../../../../lib/libsva/examples/libsva.c"
#undef main
#define main example_sva
#include "../../../../lib/libsva/examples/sva.c"
#undef main
#define main example_sva_as_alloc_iova
#include "../../../../lib/libsva/examples/sva_as_alloc_iova.c"
#undef main
#define main example_sva_as_alloc_nested
#include "../../../../lib/libsva/examples/sva_as_alloc_nested.c"
#undef main
#undef GPA
#undef GVA
#undef PTE
#define main example_sva_device_info
#include "../../../../lib/libsva/examples/sva_device_info.c"
#undef main
#define main example_sva_faultq_alloc
#include "../../../../lib/libsva/examples/sva_faultq_alloc.c"
#undef main
#undef DATA
#undef RECORD
#undef FLAGS
#define main example_sva_get_info
#include "../../../../lib/libsva/examples/sva_get_info.c"
#undef main
#define main example_sva_invalidate
#include "../../../../lib/libsva/examples/sva_invalidate.c"
#undef main
#define main example_sva_iova_copy
#include "../../../../lib/libsva/examples/sva_iova_copy.c"
#undef main
#undef SIZE
#define main example_sva_iova_map
#include "../../../../lib/libsva/examples/sva_iova_map.c"
#undef main
#undef SIZE
#define main example_sva_iova_ranges
#include "../../../../lib/libsva/examples/sva_iova_ranges.c"
#undef main
#define main example_sva_iova_unmap
#include "../../../../lib/libsva/examples/sva_iova_unmap.c"
#undef main
#undef SIZE
#define main example_sva_list_begin
#include "../../../../lib/libsva/examples/sva_list_begin.c"
#undef main
#define main example_sva_open
#include "../../../../lib/libsva/examples/sva_open.c"
#undef main
#define main example_sva_pasid_alloc
#include "../../../../lib/libsva/examples/sva_pasid_alloc.c"
#undef main
#define main example_sva_pasid_bind
#include "../../../../lib/libsva/examples/sva_pasid_bind.c"
#undef main
#define main example_sva_pasid_fd
#include "../../../../lib/libsva/examples/sva_pasid_fd.c"
#undef main
#define main example_sva_pasid_free
#include "../../../../lib/libsva/examples/sva_pasid_free.c"
#undef main
#define main example_sva_pasid_guest_set
#include "../../../../lib/libsva/examples/sva_pasid_guest_set.c"
#undef main
#define main example_sva_pasid_info
#include "../../../../lib/libsva/examples/sva_pasid_info.c"
#undef main
#define main example_sva_send
#include "../../../../lib/libsva/examples/sva_send.c"
#undef main
#define main example_sva_sim_attach
#include "../../../../lib/libsva/examples/sva_sim_attach.c"
#undef main
#define main example_sva_sim_open
#include "../../../../lib/libsva/examples/sva_sim_open.c"
#undef main
#define main example_sva_sim_submit
#include "../../../../lib/libsva/examples/sva_sim_submit.c"
#undef main
#undef SIZE
#undef PARTS
#define main example_sva_strerror
#include "../../../../lib/libsva/examples/sva_strerror.c"
#undef main
#define main example_sva_veventq_alloc
#include "../../../../lib/libsva/examples/sva_veventq_alloc.c"
#undef main
#define main example_sva_viommu_alloc
#include "../../../../lib/libsva/examples/sva_viommu_alloc.c"
#undef main
#undef VIRT_ID

struct run {
	int (*example)(void);
	FILE *output;
};

static int run_child(void *arg)
{
	struct run *run = arg;
	int status;

	dup2(fileno(run->output), STDOUT_FILENO);
	dup2(fileno(run->output), STDERR_FILENO);
	status = run->example();
	fflush(NULL);
	return status;
}

/* 0, or its exit status after what it said. */
static int run_example(int (*example)(void))
{
	struct run run = { .example = example, .output = tmpfile() };
	char line[256];
	int status;

	if (!run.output)
		return -1;
	status = lib_in_child(run_child, &run);
	rewind(run.output);
	while (status && fgets(line, sizeof(line), run.output))
		printf("# %s", line);
	fclose(run.output);
	return status;
}

FIXTURE(lib_example) {
};

FIXTURE_VARIANT(lib_example) {
	int (*example)(void);
	bool engine;
};

FIXTURE_SETUP(lib_example)
{
	if (variant->engine && access(LIB_ENGINE, F_OK))
		SKIP(return, "there is no " LIB_ENGINE);
}

FIXTURE_TEARDOWN(lib_example)
{
}

FIXTURE_VARIANT_ADD(lib_example, libsva) {
	.example = example_libsva,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva) {
	.example = example_sva,
};

FIXTURE_VARIANT_ADD(lib_example, sva_as_alloc_iova) {
	.example = example_sva_as_alloc_iova,
};

FIXTURE_VARIANT_ADD(lib_example, sva_as_alloc_nested) {
	.example = example_sva_as_alloc_nested,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_device_info) {
	.example = example_sva_device_info,
};

FIXTURE_VARIANT_ADD(lib_example, sva_faultq_alloc) {
	.example = example_sva_faultq_alloc,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_get_info) {
	.example = example_sva_get_info,
};

FIXTURE_VARIANT_ADD(lib_example, sva_invalidate) {
	.example = example_sva_invalidate,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_iova_copy) {
	.example = example_sva_iova_copy,
};

FIXTURE_VARIANT_ADD(lib_example, sva_iova_map) {
	.example = example_sva_iova_map,
};

FIXTURE_VARIANT_ADD(lib_example, sva_iova_ranges) {
	.example = example_sva_iova_ranges,
};

FIXTURE_VARIANT_ADD(lib_example, sva_iova_unmap) {
	.example = example_sva_iova_unmap,
};

FIXTURE_VARIANT_ADD(lib_example, sva_list_begin) {
	.example = example_sva_list_begin,
};

FIXTURE_VARIANT_ADD(lib_example, sva_open) {
	.example = example_sva_open,
};

FIXTURE_VARIANT_ADD(lib_example, sva_pasid_alloc) {
	.example = example_sva_pasid_alloc,
};

FIXTURE_VARIANT_ADD(lib_example, sva_pasid_bind) {
	.example = example_sva_pasid_bind,
};

FIXTURE_VARIANT_ADD(lib_example, sva_pasid_fd) {
	.example = example_sva_pasid_fd,
};

FIXTURE_VARIANT_ADD(lib_example, sva_pasid_free) {
	.example = example_sva_pasid_free,
};

FIXTURE_VARIANT_ADD(lib_example, sva_pasid_guest_set) {
	.example = example_sva_pasid_guest_set,
};

FIXTURE_VARIANT_ADD(lib_example, sva_pasid_info) {
	.example = example_sva_pasid_info,
};

FIXTURE_VARIANT_ADD(lib_example, sva_send) {
	.example = example_sva_send,
};

FIXTURE_VARIANT_ADD(lib_example, sva_sim_attach) {
	.example = example_sva_sim_attach,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_sim_open) {
	.example = example_sva_sim_open,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_sim_submit) {
	.example = example_sva_sim_submit,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_strerror) {
	.example = example_sva_strerror,
};

FIXTURE_VARIANT_ADD(lib_example, sva_veventq_alloc) {
	.example = example_sva_veventq_alloc,
	.engine = true,
};

FIXTURE_VARIANT_ADD(lib_example, sva_viommu_alloc) {
	.example = example_sva_viommu_alloc,
	.engine = true,
};

TEST_F(lib_example, runs)
{
	EXPECT_EQ(0, run_example(variant->example));
}

TEST_HARNESS_MAIN
