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

/**
 * sim_bond_attach() - Give a queue the PASID that its user chose
 * @queue: The queue; its lock is held
 * @sva_fd: The user's fd of /dev/sva
 * @pasid: PASID or handle of that context
 *
 * Return: 0 or the error of sva_attach().
 */
int sim_bond_attach(struct sim_queue *queue, int sva_fd, u32 pasid)
{
	struct sva_bond *bond;

	/* From inside sva_attach() on, it can be revoked. */
	sim_queue_prepare(queue);
	bond = sva_attach(queue->engine->sva, sva_fd, pasid, &sim_bond_ops,
			  queue);
	if (IS_ERR(bond))
		return PTR_ERR(bond);

	queue->bond = bond;
	sim_queue_start(queue, sva_bond_pasid(bond));
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
