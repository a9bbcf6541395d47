// SPDX-License-Identifier: GPL-2.0-only
/*
 * The resource sva_pasid of the misc cgroup controller, in a kernel that has it:
 * misc.max, misc.current and the like. It is charged beside the tree of SVA_QUOTA.
 */
#include <linux/misc_cgroup.h>

#include "sva_private.h"

int sva_quota_misc_init(void)
{
	return misc_cg_set_capacity(MISC_CG_RES_SVA_PASID,
				    BIT(SVA_PASID_WIDTH_MAX));
}

void sva_quota_misc_exit(void)
{
	misc_cg_set_capacity(MISC_CG_RES_SVA_PASID, 0);
}

/**
 * sva_quota_misc_id() - Where the calling task is charged
 *
 * Not always where its cgroup is: the controller may be enabled above that only, or
 * be in a hierarchy of its own, and both change.
 *
 * Context: The RCU read lock is held.
 * Return: what no other misc cgroup was or will be called.
 */
u64 sva_quota_misc_id(void)
{
	return task_css(current, misc_cgrp_id)->serial_nr;
}

/**
 * sva_quota_misc_get() - The misc cgroup that the calling task is charged to
 * @id: Set to its id
 *
 * Return: it, to be given to sva_quota_misc_put().
 */
struct misc_cg *sva_quota_misc_get(u64 *id)
{
	struct misc_cg *misc = get_current_misc_cg();

	*id = misc->css.serial_nr;
	return misc;
}

void sva_quota_misc_put(struct misc_cg *misc)
{
	put_misc_cg(misc);
}

/**
 * sva_quota_misc_charge() - Charge PASIDs to the misc controller
 * @account: The account
 * @count: How many
 *
 * Return: whether there was room.
 */
bool sva_quota_misc_charge(struct sva_account *account, u32 count)
{
	return !misc_cg_try_charge(MISC_CG_RES_SVA_PASID, account->misc, count);
}

void sva_quota_misc_uncharge(struct sva_account *account, u32 count)
{
	misc_cg_uncharge(MISC_CG_RES_SVA_PASID, account->misc, count);
}
