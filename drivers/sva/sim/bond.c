// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that this driver has to do with /dev/sva, apart from registering its
 * device (engine.c). A driver of real hardware looks the same: where this one
 * notes the PASID in its queue, that one programs it into a queue's registers.
 */
#include <linux/err.h>

#include "engine.h"

static void sim_bond_revoke(void *priv)
{
	sim_queue_stop(priv, true);
}

static const struct sva_bond_ops sim_bond_ops = {
	.revoke = sim_bond_revoke,
};

/*
 * Only a PASID table has PASIDs that are not the host's. Whether the RID handle is
 * bound to one is looked at in each access: that may change.
 */
static int check_guest_pasid(struct sim_queue *queue,
			     const struct sva_sim_attach *cmd)
{
	struct sim_engine *engine = queue->engine;

	if (!(cmd->flags & SVA_SIM_ATTACH_F_GUEST_PASID))
		return 0;
	return engine->ops->check_guest_pasid(engine, cmd->guest_pasid);
}

/**
 * sim_bond_attach() - Give a queue the PASID that its user chose
 * @queue: The queue; its lock is held
 * @cmd: What the user wants
 *
 * Return: 0 or the error of sva_attach(), or one that SVA_SIM_ATTACH documents.
 */
int sim_bond_attach(struct sim_queue *queue, const struct sva_sim_attach *cmd)
{
	bool guest = cmd->flags & SVA_SIM_ATTACH_F_GUEST_PASID;
	struct sva_bond *bond;
	u32 number;
	int ret;

	ret = check_guest_pasid(queue, cmd);
	if (ret)
		return ret;

	/* From inside sva_attach() on, it can be revoked. */
	sim_queue_prepare(queue);
	bond = sva_attach(queue->engine->sva, cmd->sva_fd, cmd->pasid,
			  &sim_bond_ops, queue);
	if (IS_ERR(bond))
		return PTR_ERR(bond);

	number = sva_bond_pasid(bond);
	if (guest) {
		if (number) {
			sva_detach(bond);
			return -EINVAL;
		}
		number = cmd->guest_pasid;
	}
	queue->bond = bond;
	sim_queue_start(queue, number, guest);
	return 0;
}

/**
 * sim_bond_detach() - Take the PASID away again
 * @queue: The queue; its lock is held, and it has a bond
 */
void sim_bond_detach(struct sim_queue *queue)
{
	/* No DMA may be under way when the bond goes. */
	sim_queue_stop(queue, false);
	sva_detach(queue->bond);
	queue->bond = NULL;
}
