// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that have a PASID, and who is charged for it.
 *
 * The number is the mm's: the IOMMU core gives it at the first attach, perhaps
 * even at one that fails, and takes it back when the mm is freed. It is charged
 * from before that until the process has ended and no PASID object keeps its mm.
 * The mmu notifier is one per mm: it hears of the end, and is the place to count.
 *
 * The mm, and the number with it, can be kept by others after that: by an idle CPU,
 * or on purpose, by a descriptor of /proc/PID/mem or a userfaultfd. That is no use,
 * and not charged; but how many may be kept so is limited, too.
 */
#include <linux/cleanup.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "sva_private.h"

/* For how long the end of a process is waited for that nobody uses any more. */
#define END_TIMEOUT	(5 * HZ)
/* How often to look whether others have let go of what they keep. */
#define KEPT_INTERVAL	HZ

struct sva_process {
	struct mmu_notifier mn;		/* used by the mm until its end, by PASIDs */
	struct list_head node;		/* of processes, or of those that are kept */
	struct completion ended;	/* the mm's use has; processes_lock */
	bool late;			/* the end did not come in time */
	struct sva_account *account;	/* charged; NULL: not yet. mmap_lock */
};

/* How many have been charged and not given back. */
atomic_t sva_nr_processes;

static void free_unkept(struct work_struct *work);

static DEFINE_SPINLOCK(processes_lock);
static LIST_HEAD(processes);
static LIST_HEAD(kept_processes);
static DECLARE_WAIT_QUEUE_HEAD(no_processes);
static DECLARE_DELAYED_WORK(kept_work, free_unkept);

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

/* Nobody else has the mm any more, or the module ends. */
static void free_kept(struct sva_process *process)
{
	sva_account_unkeep(process->account);
	sva_account_put(process->account, 1);
	mmdrop(process->mn.mm);
	kfree(process);
}

static void free_unkept(struct work_struct *work)
{
	struct sva_process *process, *next;
	LIST_HEAD(unkept);

	scoped_guard(spinlock, &processes_lock) {
		list_for_each_entry_safe(process, next, &kept_processes, node)
			if (atomic_read(&process->mn.mm->mm_count) == 1)
				list_move(&process->node, &unkept);
		if (!list_empty(&kept_processes))
			queue_delayed_work(system_dfl_wq, &kept_work, KEPT_INTERVAL);
	}
	list_for_each_entry_safe(process, next, &unkept, node)
		free_kept(process);
}

/* Whether it stays for what its mm is kept for. Our caller has one use of that. */
static bool keep_process(struct sva_process *process)
{
	struct mm_struct *mm = process->mn.mm;

	if (atomic_read(&mm->mm_count) == 1)
		return false;
	mmgrab(mm);
	sva_account_keep(process->account);
	return true;
}

static void free_process(struct mmu_notifier *mn)
{
	struct sva_process *process = to_process(mn);
	bool kept = false;

	if (process->account) {
		kept = keep_process(process);
		sva_account_uncharge(process->account, 1);
		if (!kept)
			sva_account_put(process->account, 1);
		atomic_dec(&sva_nr_processes);
	}
	scoped_guard(spinlock, &processes_lock) {
		list_del(&process->node);
		if (kept) {
			list_add(&process->node, &kept_processes);
			queue_delayed_work(system_dfl_wq, &kept_work, KEPT_INTERVAL);
		}
		if (list_empty(&processes))
			wake_up_all(&no_processes);
	}
	if (!kept)
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
	ret = sva_account_charge_process(account);
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
 * But who ends a process waits first until its asynchronous I/O is over, and a device
 * must not stay because of somebody's storage. The wait is for what the end itself
 * takes, once for a process. After a longer one, no request is under way any more:
 * the device has been stopped before, and none is handled while nobody has the memory.
 *
 * Context: Sleeps. What ends the memory takes none of our locks but processes_lock.
 * Return: true if it is held, to be given up by mmput_async(); false if it has ended,
 * or does so late.
 */
bool sva_process_hold(struct sva_process *process, struct mm_struct *mm)
{
	if (mmget_not_zero(mm))
		return true;
	if (!READ_ONCE(process->late) &&
	    !wait_for_completion_timeout(&process->ended, END_TIMEOUT))
		WRITE_ONCE(process->late, true);
	mmu_notifier_synchronize();
	return false;
}

static bool no_process_left(void)
{
	guard(spinlock)(&processes_lock);
	return list_empty(&processes);
}

/**
 * sva_processes_exit() - The module ends; some processes that had PASIDs live on
 *
 * There are no PASID objects any more.
 */
void sva_processes_exit(void)
{
	struct sva_process *process, *next;

	scoped_guard(spinlock, &processes_lock)
		list_for_each_entry(process, &processes, node)
			end_process(process);
	wait_event(no_processes, no_process_left());
	/* The last one is freed with bottom halves disabled; that has to be over. */
	synchronize_rcu();
	cancel_delayed_work_sync(&kept_work);
	list_for_each_entry_safe(process, next, &kept_processes, node)
		free_kept(process);
}
