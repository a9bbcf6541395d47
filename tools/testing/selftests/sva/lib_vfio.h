/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of libsva with VFIO devices.
 */
#ifndef LIB_VFIO_H
#define LIB_VFIO_H

/* Helpers of the tests that are called as the library's functions are */
#define sva_open(...)		util_open(__VA_ARGS__)
#define sva_pasid_alloc(...)	util_pasid_alloc(__VA_ARGS__)
#define sva_pasid_free(...)	util_pasid_free(__VA_ARGS__)
#define sva_pasid_info(...)	util_pasid_info(__VA_ARGS__)
#define sva_pasid_bind(...)	util_pasid_bind(__VA_ARGS__)
#define sva_sim_open(...)	util_sim_open(__VA_ARGS__)
#define sva_sim_attach(...)	util_sim_attach(__VA_ARGS__)
#define sva_sim_detach(...)	util_sim_detach(__VA_ARGS__)
#define sva_sim_info(...)	util_sim_info(__VA_ARGS__)
#define sva_sim_submit(...)	util_sim_submit(__VA_ARGS__)
#define sva_sim_wait(...)	util_sim_wait(__VA_ARGS__)
#define sva_sim_run(...)	util_sim_run(__VA_ARGS__)
#include "vfio_util.h"
#undef sva_open
#undef sva_pasid_alloc
#undef sva_pasid_free
#undef sva_pasid_info
#undef sva_pasid_bind
#undef sva_sim_open
#undef sva_sim_attach
#undef sva_sim_detach
#undef sva_sim_info
#undef sva_sim_submit
#undef sva_sim_wait
#undef sva_sim_run

#include <sva/vfio.h>

#endif /* LIB_VFIO_H */
