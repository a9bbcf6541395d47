/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a software engine that executes descriptors, for whoever has the
 * queues: /dev/sva_simN, or the VFIO driver.
 */
#ifndef __SVA_SIM_EXEC_H
#define __SVA_SIM_EXEC_H

#include <linux/types.h>
#include <uapi/linux/sva_sim.h>

struct device;
struct sva_sim_exec;

/**
 * struct sva_sim_run - a descriptor and what goes with it
 * @desc: The descriptor
 * @pasid: PASID of its accesses, 0 for none
 * @guest: @pasid is a guest's, for a PASID table only
 * @private_data: What its page requests carry
 * @stop: Once set, it ends as aborted; who sets it calls sva_sim_exec_stop() then
 */
struct sva_sim_run {
	struct sva_sim_desc desc;
	u32 pasid;
	bool guest;
	u64 private_data[2];
	const bool *stop;
};

struct sva_sim_exec *sva_sim_exec_new(struct device *dev);
void sva_sim_exec_free(struct sva_sim_exec *exec);
bool sva_sim_exec_run(struct sva_sim_exec *exec, const struct sva_sim_run *run,
		      struct sva_sim_completion *result);
void sva_sim_exec_stop(struct sva_sim_exec *exec);

#endif /* __SVA_SIM_EXEC_H */
