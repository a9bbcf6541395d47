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
 * sva_quota_misc_get() - Where an account of the calling task is charged
 * @account: The account, for sva_quota_misc_put() in the end
 */
void sva_quota_misc_get(struct sva_account *account)
{
	account->misc = get_current_misc_cg();
}

void sva_quota_misc_put(struct sva_account *account)
{
	put_misc_cg(account->misc);
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
