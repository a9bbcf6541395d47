// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned memory. Bookkeeping is by physically contiguous runs, not by pages: a
 * huge page is one run, and so is unpinned and mapped as one.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/kref.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "sva_private.h"

#define RUN_MAX		(BIT(24) - 1)
#define BATCH_MAX	512
#define BATCH_ON_STACK	8
#define SG_BATCH	64

struct run {
	u64 pfn:40;
	u64 nr:24;
};

struct sva_pages {
	struct kref kref;
	bool writable;
	struct sva_ctx *ctx;		/* which has them, and outlives them */
	struct user_struct *user;	/* to whom they are charged */
	unsigned long npages;
	unsigned long nr_runs;
	unsigned long max_runs;
	struct run *runs;		/* &first, or allocated */
	struct run first;
};

/* --- who pays --------------------------------------------------------------- */

/* The same account as that of io_uring and iommufd: all that a user pins. */
static int charge(struct user_struct *user, unsigned long npages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	unsigned long old = atomic_long_read(&user->locked_vm);
	unsigned long new;

	do {
		new = old + npages;
		if (new < old || (new > limit && !capable(CAP_IPC_LOCK)))
			return -EDQUOT;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, new));
	return 0;
}

static void uncharge(struct user_struct *user, unsigned long npages)
{
	atomic_long_sub(npages, &user->locked_vm);
}

/* --- the object ------------------------------------------------------------- */

static struct sva_pages *new_pages(struct sva_ctx *ctx, unsigned long npages,
				   bool writable)
{
	struct sva_pages *pages;
	int ret;

	pages = kzalloc_obj(*pages, GFP_KERNEL_ACCOUNT);
	if (!pages)
		return ERR_PTR(-ENOMEM);

	ret = charge(current_user(), npages);
	if (ret) {
		kfree(pages);
		return ERR_PTR(ret);
	}
	kref_init(&pages->kref);
	pages->ctx = ctx;
	atomic_long_add(npages, &ctx->nr_pinned);
	pages->user = get_uid(current_user());
	pages->npages = npages;
	pages->writable = writable;
	pages->runs = &pages->first;
	pages->max_runs = 1;
	return pages;
}

static void unpin_run(const struct run *run, bool dirty)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(run->pfn), run->nr, dirty);
	percpu_counter_sub(&sva_nr_pinned, run->nr);
}

static void free_pages_object(struct kref *kref)
{
	struct sva_pages *pages = container_of(kref, struct sva_pages, kref);
	unsigned long i;

	for (i = 0; i < pages->nr_runs; i++) {
		unpin_run(&pages->runs[i], pages->writable);
		cond_resched();
	}
	atomic_long_sub(pages->npages, &pages->ctx->nr_pinned);
	uncharge(pages->user, pages->npages);
	free_uid(pages->user);
	if (pages->runs != &pages->first)
		kvfree(pages->runs);
	kfree(pages);
}

/**
 * sva_pages_get() - Keep pinned memory for one more user
 * @pages: The memory
 *
 * Return: @pages.
 */
struct sva_pages *sva_pages_get(struct sva_pages *pages)
{
	kref_get(&pages->kref);
	return pages;
}

/**
 * sva_pages_put() - Unpin memory when its last user has done so
 * @pages: The memory
 *
 * Context: May sleep.
 */
void sva_pages_put(struct sva_pages *pages)
{
	kref_put(&pages->kref, free_pages_object);
}

static int grow_runs(struct sva_pages *pages)
{
	unsigned long max = pages->max_runs * 4;
	bool first = pages->runs == &pages->first;
	struct run *runs;

	runs = kvrealloc(first ? NULL : pages->runs, array_size(max, sizeof(*runs)),
			 GFP_KERNEL_ACCOUNT);
	if (!runs)
		return -ENOMEM;
	if (first)
		runs[0] = pages->first;
	pages->runs = runs;
	pages->max_runs = max;
	return 0;
}

/* Takes over the pins of @nr contiguous pages, if there is room to note them. */
static int add_run(struct sva_pages *pages, unsigned long pfn, unsigned long nr)
{
	struct run *last = pages->nr_runs ? &pages->runs[pages->nr_runs - 1] : NULL;
	int ret;

	if (last && last->pfn + last->nr == pfn && last->nr + nr <= RUN_MAX) {
		last->nr += nr;
	} else {
		if (pages->nr_runs == pages->max_runs) {
			ret = grow_runs(pages);
			if (ret)
				return ret;
		}
		pages->runs[pages->nr_runs++] = (struct run) {
			.pfn = pfn,
			.nr = nr,
		};
	}
	percpu_counter_add(&sva_nr_pinned, nr);
	return 0;
}

/* --- memory of a process ---------------------------------------------------- */

static unsigned long count_contiguous(struct page **batch, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(batch[0]);
	unsigned long i;

	for (i = 1; i < nr; i++)
		if (page_to_pfn(batch[i]) != pfn + i)
			break;
	return i;
}

static int add_batch(struct sva_pages *pages, struct page **batch,
		     unsigned long nr)
{
	int ret = 0;

	while (nr) {
		unsigned long n = count_contiguous(batch, nr);

		ret = add_run(pages, page_to_pfn(batch[0]), n);
		if (ret)
			break;
		batch += n;
		nr -= n;
	}
	unpin_user_pages(batch, nr);
	return ret;
}

/* GUP says -EFAULT of device memory too, where no access right would help. */
static int explain_fault(u64 va)
{
	struct vm_area_struct *vma;
	int ret = -EFAULT;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, va);
	if (vma && (vma->vm_flags & (VM_IO | VM_PFNMAP)))
		ret = -ENXIO;
	mmap_read_unlock(current->mm);
	return ret;
}

static int pin_user_range(struct sva_pages *pages, u64 va, struct page **batch,
			  unsigned long batch_max)
{
	unsigned int flags = FOLL_LONGTERM | (pages->writable ? FOLL_WRITE : 0);
	unsigned long left = pages->npages;
	long nr;
	int ret;

	while (left) {
		if (fatal_signal_pending(current))
			return -EINTR;
		nr = pin_user_pages_fast(va, min(left, batch_max), flags, batch);
		if (nr <= 0)
			return nr == -EFAULT || !nr ? explain_fault(va) : nr;
		ret = add_batch(pages, batch, nr);
		if (ret)
			return ret;
		va += (u64)nr * PAGE_SIZE;
		left -= nr;
		cond_resched();
	}
	return 0;
}

/**
 * sva_pages_pin_user() - Pin memory of the calling process
 * @ctx: The context that has it pinned
 * @va: Address, page aligned
 * @npages: Pages, not 0; the range does not wrap
 * @write: Whether it will be written
 *
 * Context: May sleep, for as long as user space likes: no lock is held.
 * Return: the memory, or ERR_PTR as SVA_IOVA_MAP documents it.
 */
struct sva_pages *sva_pages_pin_user(struct sva_ctx *ctx, u64 va,
				     unsigned long npages, bool write)
{
	struct page *few[BATCH_ON_STACK];
	unsigned long max = ARRAY_SIZE(few);
	struct page **batch = few;
	struct sva_pages *pages;
	int ret;

	if (!access_ok(u64_to_user_ptr(va), npages * PAGE_SIZE))
		return ERR_PTR(-EFAULT);
	if (npages > ARRAY_SIZE(few)) {
		max = BATCH_MAX;
		batch = kmalloc_objs(*batch, max, GFP_KERNEL_ACCOUNT);
		if (!batch)
			return ERR_PTR(-ENOMEM);
	}

	pages = new_pages(ctx, npages, write);
	if (!IS_ERR(pages)) {
		ret = pin_user_range(pages, va, batch, max);
		if (ret) {
			sva_pages_put(pages);
			pages = ERR_PTR(ret);
		}
	}
	if (batch != few)
		kfree(batch);
	return pages;
}

/* --- memory of a file ------------------------------------------------------- */

static unsigned int file_seals(struct inode *inode)
{
	if (shmem_mapping(inode->i_mapping))
		return SHMEM_I(inode)->seals;
#ifdef CONFIG_HUGETLBFS
	return HUGETLBFS_I(inode)->seals;
#else
	return 0;
#endif
}

/* memfd_pin_folios() asks for nothing but the kind of file. */
static int check_file(struct file *file, u64 start, unsigned long npages,
		      bool write)
{
	struct inode *inode = file_inode(file);
	u64 end = start + (u64)npages * PAGE_SIZE;

	if (!shmem_file(file) && !is_file_hugepages(file))
		return -ENODEV;
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (write && !(file->f_mode & FMODE_WRITE))
		return -EACCES;
	if (write && (file_seals(inode) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	if (end - 1 > MAX_LFS_FILESIZE || end > i_size_read(inode))
		return -ERANGE;
	return 0;
}

/*
 * Of each folio, makes one pin for each page that is wanted out of the single
 * one that there is, so that all memory is unpinned alike.
 */
static int add_folios(struct sva_pages *pages, struct folio **folios, long nr,
		      unsigned long offset, unsigned long *left)
{
	int ret = 0;
	long i;

	for (i = 0; i < nr; i++) {
		unsigned long first = i ? 0 : offset / PAGE_SIZE;
		unsigned long n = min(folio_nr_pages(folios[i]) - first, *left);

		ret = n > 1 ? folio_add_pins(folios[i], n - 1) : 0;
		if (ret)
			break;
		ret = add_run(pages, folio_pfn(folios[i]) + first, n);
		if (ret) {
			unpin_user_page_range_dirty_lock(folio_page(folios[i], first),
							 n, false);
			i++;
			break;
		}
		*left -= n;
	}
	unpin_folios(folios + i, nr - i);
	return ret;
}

static int pin_file_range(struct sva_pages *pages, struct file *file, u64 start,
			  struct folio **batch, unsigned int max)
{
	u64 last = start + (u64)pages->npages * PAGE_SIZE - 1;
	unsigned long left = pages->npages;
	pgoff_t offset;
	long nr;
	int ret;

	while (left) {
		if (fatal_signal_pending(current))
			return -EINTR;
		nr = memfd_pin_folios(file, last + 1 - left * PAGE_SIZE, last,
				      batch, max, &offset);
		if (nr <= 0)
			return nr ?: -EFAULT;
		ret = add_folios(pages, batch, nr, offset, &left);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/**
 * sva_pages_pin_file() - Pin memory of a file
 * @ctx: The context that has it pinned
 * @fd: A descriptor of the calling process
 * @start: Offset in the file, page aligned
 * @npages: Pages, not 0; the range does not wrap
 * @write: Whether it will be written
 *
 * Context: May sleep. The inode is locked against sealing in between.
 * Return: the memory, or ERR_PTR as SVA_IOVA_MAP_FILE documents it.
 */
struct sva_pages *sva_pages_pin_file(struct sva_ctx *ctx, int fd, u64 start,
				     unsigned long npages, bool write)
{
	struct folio *few[BATCH_ON_STACK];
	unsigned int max = ARRAY_SIZE(few);
	struct folio **batch = few;
	struct sva_pages *pages;
	int ret;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	if (npages > ARRAY_SIZE(few)) {
		max = BATCH_MAX;
		batch = kmalloc_objs(*batch, max, GFP_KERNEL_ACCOUNT);
		if (!batch)
			return ERR_PTR(-ENOMEM);
	}

	inode_lock_shared(file_inode(fd_file(f)));
	ret = check_file(fd_file(f), start, npages, write);
	if (!ret) {
		pages = new_pages(ctx, npages, write);
		ret = PTR_ERR_OR_ZERO(pages);
	}
	if (!ret) {
		ret = pin_file_range(pages, fd_file(f), start, batch, max);
		if (ret)
			sva_pages_put(pages);
	}
	inode_unlock_shared(file_inode(fd_file(f)));

	if (batch != few)
		kfree(batch);
	return ret ? ERR_PTR(ret) : pages;
}

/* --- into the IOMMU ---------------------------------------------------------- */

/* Where to go on in the runs of some memory. */
struct cursor {
	const struct run *run;
	u64 skip;		/* pages of it that are done */
};

static unsigned long next_piece(struct cursor *cur, unsigned long max,
				phys_addr_t *phys)
{
	unsigned long nr = min_t(u64, cur->run->nr - cur->skip, max);

	*phys = PFN_PHYS(cur->run->pfn + cur->skip);
	cur->skip += nr;
	if (cur->skip == cur->run->nr) {
		cur->run++;
		cur->skip = 0;
	}
	return nr;
}

/* A scatterlist entry holds less than 4 GiB; iommu_map_sg() joins neighbours. */
#define SG_PAGES_MAX	(SZ_2G / PAGE_SIZE)

static unsigned long fill_sg(struct sg_table *sgt, struct cursor *cur,
			     unsigned long npages)
{
	struct scatterlist *sg = sgt->sgl;
	unsigned long done = 0;

	sg_init_table(sg, SG_BATCH);
	for (sgt->nents = 0; sgt->nents < SG_BATCH && done < npages; sgt->nents++) {
		phys_addr_t phys;
		unsigned long nr = next_piece(cur, min(npages - done, SG_PAGES_MAX),
					      &phys);

		sg_set_page(sg, pfn_to_page(PHYS_PFN(phys)), nr * PAGE_SIZE, 0);
		sg = sg_next(sg);
		done += nr;
	}
	return done;
}

static int map_many(struct cursor *cur, unsigned long npages,
		    struct iommu_domain *domain, u64 iova, int prot)
{
	struct sg_table sgt = {};
	u64 start = iova;
	ssize_t mapped = 0;

	sgt.sgl = kmalloc_objs(*sgt.sgl, SG_BATCH, GFP_KERNEL_ACCOUNT);
	if (!sgt.sgl)
		return -ENOMEM;

	while (npages) {
		unsigned long nr = fill_sg(&sgt, cur, npages);

		mapped = iommu_map_sg(domain, iova, sgt.sgl, sgt.nents, prot,
				      GFP_KERNEL_ACCOUNT);
		if (mapped < 0)
			break;
		iova += nr * PAGE_SIZE;
		npages -= nr;
		cond_resched();
	}
	kfree(sgt.sgl);
	if (mapped < 0 && iova > start)
		iommu_unmap(domain, start, iova - start);
	return mapped < 0 ? mapped : 0;
}

/**
 * sva_pages_map() - Map part of some memory into an IOMMU domain
 * @pages: The memory
 * @first_page: First of its pages to map
 * @npages: How many
 * @domain: The domain
 * @iova: Where
 * @prot: IOMMU_READ and so on
 *
 * Return: 0, or what the IOMMU driver answered, and nothing is mapped.
 */
int sva_pages_map(const struct sva_pages *pages, u64 first_page,
		  unsigned long npages, struct iommu_domain *domain, u64 iova,
		  int prot)
{
	struct cursor cur = { .run = pages->runs, .skip = first_page };

	while (cur.skip >= cur.run->nr) {
		cur.skip -= cur.run->nr;
		cur.run++;
	}
	if (cur.run->nr - cur.skip >= npages)
		return iommu_map(domain, iova, PFN_PHYS(cur.run->pfn + cur.skip),
				 npages * PAGE_SIZE, prot, GFP_KERNEL_ACCOUNT);
	return map_many(&cur, npages, domain, iova, prot);
}
