// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: the shared library, with its symbol versions.
 *
 * Machine: plain engine
 */
#include <dlfcn.h>

#include "lib_util.h"
#include "kselftest_harness.h"

static const char * const names[] = {
	"sva_as_alloc_iova", "sva_as_destroy", "sva_close", "sva_fd",
	"sva_from_fd", "sva_get_info", "sva_iova_copy", "sva_iova_map",
	"sva_iova_map_file", "sva_iova_ranges", "sva_iova_unmap",
	"sva_iova_unmap_all", "sva_open", "sva_pasid_alloc",
	"sva_pasid_alloc_fixed", "sva_pasid_alloc_max",
	"sva_pasid_alloc_process", "sva_pasid_alloc_range",
	"sva_pasid_alloc_rid", "sva_pasid_bind", "sva_pasid_free",
	"sva_pasid_free_range", "sva_pasid_info", "sva_pasid_unbind",
	"sva_recv", "sva_send", "sva_strerror",
};

static const char * const sim_names[] = {
	"sva_sim_attach", "sva_sim_close", "sva_sim_detach", "sva_sim_fd",
	"sva_sim_info", "sva_sim_open", "sva_sim_run", "sva_sim_set_eventfd",
	"sva_sim_submit", "sva_sim_wait",
};

FIXTURE(lib_shared) {
	void *lib;
};

FIXTURE_SETUP(lib_shared)
{
	self->lib = dlopen("libsva.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!self->lib)
		SKIP(return, "libsva.so.1 is not where libraries are");
}

FIXTURE_TEARDOWN(lib_shared)
{
	dlclose(self->lib);
}

/* The first name that is not there, or NULL. */
static const char *missing(void *lib, const char * const *name, size_t count,
			   const char *version)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!dlvsym(lib, name[i], version))
			return name[i];
	return NULL;
}

TEST_F(lib_shared, versions)
{
	EXPECT_EQ(NULL, missing(self->lib, names, ARRAY_SIZE(names), "SVA_1.0"));
	EXPECT_EQ(NULL, missing(self->lib, sim_names, ARRAY_SIZE(sim_names),
				"SVA_SIM_1.0"));
	EXPECT_EQ(NULL, dlvsym(self->lib, "sva_open", "SVA_0.9"));
}

TEST_F(lib_shared, inner_names_are_hidden)
{
	EXPECT_EQ(NULL, dlsym(self->lib, "sva_load_module"));
	EXPECT_EQ(NULL, dlsym(self->lib, "sva_result_init"));
}

TEST_F(lib_shared, works)
{
	int (*open_context)(struct sva **sva, unsigned int flags);
	void (*close_context)(struct sva *sva);
	int (*fd_of)(const struct sva *sva);
	struct sva *sva;

	*(void **)&open_context = dlsym(self->lib, "sva_open");
	*(void **)&close_context = dlsym(self->lib, "sva_close");
	*(void **)&fd_of = dlsym(self->lib, "sva_fd");
	ASSERT_NE(NULL, open_context);
	ASSERT_NE(NULL, close_context);
	ASSERT_NE(NULL, fd_of);
	ASSERT_EQ(0, open_context(&sva, 0));
	EXPECT_LE(0, fd_of(sva));
	close_context(sva);
}

TEST_HARNESS_MAIN
