// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that have a PASID, and who is charged for it.
 *
 * The number is the mm's: the IOMMU core gives it at the first attach, perhaps
 * even at one that fails, and takes it back when the mm is freed. It is charged
 * from before that until the process has ended and no PASID object keeps its mm.
 * The mmu notifier is one per mm: it hears of the end, and is the place to count.
 */
#include <linux/cleanup.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "sva_private.h"

struct sva_process {
	struct mmu_notifier mn;		/* used by the mm until its end, by PASIDs */
	struct list_head node;
	struct completion ended;	/* the mm's use has; processes_lock */
	struct sva_account *account;	/* charged; NULL: not yet. mmap_lock */
};

/* How many have been charged and not given back. */
atomic_t sva_nr_processes;

static DEFINE_SPINLOCK(processes_lock);
static LIST_HEAD(processes);

static struct sva_process *to_process(struct mmu_notifier *mn)
{
	return container_of(mn, struct sva_process, mn);
}

static struct mmu_notifier *alloc_process(struct mm_struct *mm)
{
	struct sva_process *process;

	process = kzalloc_obj(*process, GFP_KERNEL_ACCOUNT);
	if (!process)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&process->node);
	init_completion(&process->ended);
	return &process->mn;
}

static void free_process(struct mmu_notifier *mn)
{
	struct sva_process *process = to_process(mn);

	scoped_guard(spinlock, &processes_lock)
		list_del(&process->node);
	if (process->account) {
		sva_account_uncharge(process->account, 1);
		sva_account_put(process->account, 1);
		atomic_dec(&sva_nr_processes);
	}
	kfree(process);
}

/* Either the mm ends or the module. */
static void end_process(struct sva_process *process)
{
	lockdep_assert_held(&processes_lock);
	if (completion_done(&process->ended))
		return;
	complete_all(&process->ended);
	mmu_notifier_put(&process->mn);
}

static void release_process(struct mmu_notifier *mn, struct mm_struct *mm)
{
	guard(spinlock)(&processes_lock);
	end_process(to_process(mn));
}

static const struct mmu_notifier_ops process_ops = {
	.release = release_process,
	.alloc_notifier = alloc_process,
	.free_notifier = free_process,
};

/* The first one gets another use, which is the mm's. */
static struct sva_process *get_process(struct mm_struct *mm)
{
	struct mmu_notifier *mn = mmu_notifier_get_locked(&process_ops, mm);
	struct sva_process *process = to_process(mn);

	if (IS_ERR(mn))
		return ERR_CAST(mn);
	if (list_empty(&process->node)) {
		mmu_notifier_get_locked(&process_ops, mm);
		guard(spinlock)(&processes_lock);
		list_add(&process->node, &processes);
	}
	return process;
}

static int charge_process(struct sva_process *process,
			  struct sva_account *account)
{
	int ret;

	if (process->account)
		return 0;
	ret = sva_account_charge(account, 1);
	if (ret)
		return ret;
	sva_account_hold(account, 1);
	process->account = account;
	atomic_inc(&sva_nr_processes);
	return 0;
}

/**
 * sva_process_get() - Have the PASID of a process charged, once
 * @mm: Of the process; the caller holds a user of it
 * @account: Who is charged if nobody is yet
 *
 * Context: May sleep; takes the mmap lock.
 * Return: the process, to be given to sva_process_put(), or ERR_PTR: -EDQUOT;
 * -EINTR killed while waiting; -ENOMEM.
 */
struct sva_process *sva_process_get(struct mm_struct *mm,
				    struct sva_account *account)
{
	struct sva_process *process;
	int ret;

	if (mmap_write_lock_killable(mm))
		return ERR_PTR(-EINTR);
	process = get_process(mm);
	if (!IS_ERR(process)) {
		ret = charge_process(process, account);
		if (ret) {
			sva_process_put(process);
			process = ERR_PTR(ret);
		}
	}
	mmap_write_unlock(mm);
	return process;
}

/**
 * sva_process_put() - A PASID object of a process is freed
 * @process: From sva_process_get()
 *
 * Context: Does not sleep.
 */
void sva_process_put(struct sva_process *process)
{
	mmu_notifier_put(&process->mn);
}

/**
 * sva_process_hold() - Keep the memory of a process, or wait until it has ended
 * @process: The process
 * @mm: Its memory
 *
 * The end is when everybody who registered for it was told, an IOMMU driver that
 * translates through this memory among them. What is done after this function does
 * not meet them half-way.
 *
 * Context: Sleeps. What ends the memory takes none of our locks but processes_lock.
 * Return: true if it is held, to be given up by mmput_async(); false if it has ended.
 */
bool sva_process_hold(struct sva_process *process, struct mm_struct *mm)
{
	if (mmget_not_zero(mm))
		return true;
	wait_for_completion(&process->ended);
	mmu_notifier_synchronize();
	return false;
}

/**
 * sva_processes_exit() - The module ends; some processes that had PASIDs live on
 *
 * There are no PASID objects any more.
 */
void sva_processes_exit(void)
{
	struct sva_process *process;

	scoped_guard(spinlock, &processes_lock)
		list_for_each_entry(process, &processes, node)
			end_process(process);
	mmu_notifier_synchronize();
}
