/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lock order, outermost first:
 *
 *	sva_registry_lock	devices and groups known to the core (device.c)
 *	sdev->live (read)	held across an attach, so that a device cannot be
 *				unregistered in the middle of one
 *	ctx->lock		what PASIDs are bound to and who is attached
 *	faultq->answer_lock	page requests are being answered
 *	iova->lock		areas, domains and reserved ranges of one IOVA AS
 *	pool->lock		numbers that are free (pool.c)
 *	locks of the IOMMU core and its drivers, mmap_lock
 *	sdev->bonds_lock, group->lock, faultq->lock, viommu->lock, right->lock,
 *	the xarrays' spinlocks, sva_contexts_lock
 *	veventq->lock
 *
 * quota_lock (quota.c) is taken with none of these held but ctx->lock, and takes
 * none. processes_lock (process.c) is the last.
 *
 * No lock of ours is held while memory is pinned, while user memory is copied,
 * or while a driver's revoke() runs: user space can make each of these take as
 * long as it likes, and the removal of a device must not wait for that.
 */
#ifndef __SVA_PRIVATE_H
#define __SVA_PRIVATE_H

#include <linux/completion.h>
#include <linux/interval_tree.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu_counter.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/sva.h>
#include <linux/xarray.h>
#include <uapi/linux/sva.h>

struct cgroup;
struct misc_cg;
struct sva_account;
struct sva_as;
struct sva_faultq;
struct sva_object;
struct sva_process;
struct sva_right;
struct user_struct;

/* --- context and ioctls: main.c ------------------------------------------ */

struct sva_ctx {
	struct kref kref;		/* the file, each bond in the IOMMU */
	refcount_t shells;		/* @kref, each bond: just the memory */
	bool closed;			/* the file is */
	struct mutex lock;		/* bindings and attachments of all PASIDs */
	struct rb_root pasids;		/* struct sva_pasid by number; lock */
	struct xarray handles;		/* handle -> struct sva_pasid */
	struct xarray objects;		/* id -> struct sva_object */
	struct xarray guests;		/* guest PASID -> struct sva_pasid; lock */
	struct rb_root bonds;		/* struct sva_bond by id; lock */
	u64 last_bond;			/* id of the newest one; lock */

	/* Who opened it, and for listing it: list.c */
	u64 id;
	struct rb_node node;		/* of all contexts; sva_contexts_lock */
	atomic_t listers;		/* it must not go away now */
	kuid_t uid;
	struct pid *tgid;
	char comm[SVA_COMM_MAX];

	/* To be shown without the locks of what they count. */
	atomic_t nr_pasids[SVA_PASID_KIND_RID + 1];
	atomic_t nr_objects[SVA_OBJECT_PASID_FD + 1];
	atomic_t nr_maps;
	atomic_t nr_requests;		/* page request groups, not answered */
	atomic_t nr_bonds;
	atomic_long_t nr_pinned;	/* pages */
	atomic_long_t nr_faults;	/* page request groups, ever */
	atomic_long_t nr_invalidations;	/* ever */
};

/* One ioctl: its argument is copied in before the handler runs. */
struct sva_ucmd {
	struct sva_ctx *ctx;
	void __user *ubuf;
	u32 user_size;
	u32 kernel_size;
	void *cmd;
};

int sva_ucmd_respond(const struct sva_ucmd *ucmd);

struct sva_ctx *sva_ctx_from_file(struct file *file);
void sva_ctx_put(struct sva_ctx *ctx);
void sva_ctx_put_shell(struct sva_ctx *ctx);

/* System-wide figures, shown in sysfs. */
extern atomic_long_t sva_nr_contexts;
extern atomic_long_t sva_nr_bonds;
extern struct percpu_counter sva_nr_pinned;

/* --- seeing what there is: list.c ---------------------------------------- */

/* Where a list goes on inside a context; zeros to begin. */
struct sva_list_pos {
	u64 id;
	u64 at;
	bool end;			/* that was all of this context */
};

void sva_ctx_add(struct sva_ctx *ctx);
void sva_ctx_remove(struct sva_ctx *ctx);
int sva_ioctl_list(struct sva_ucmd *ucmd);

/* What each file lists of a context, in entries of its own. */
int sva_pasid_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		   u32 room);
int sva_bond_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		  u32 room);
int sva_object_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		    u32 room);
int sva_iova_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		  u32 room);

/* --- numbers: pool.c ----------------------------------------------------- */

struct sva_pool_info {
	u32 first;
	u32 last;
	u32 size;
	u32 nr_free;
};

int sva_pool_init(unsigned int bits, unsigned int share);
void sva_pool_exit(void);
int sva_pool_alloc(u32 min, u32 max, u32 count, u32 *first);
void sva_pool_free(u32 first, u32 count);
void sva_pool_get_info(struct sva_pool_info *info);

/* --- who has how many: quota.c, quota_cmd.c --------------------------------- */

enum sva_quota_kind {
	SVA_QUOTA_CGROUP,
	SVA_QUOTA_USER,
	SVA_QUOTA_ACCOUNT,
};

struct sva_quota_key {
	u64 cgroup;			/* id; 0 for a user */
	u64 misc;			/* sva_quota_misc_id(), of an account */
	uid_t uid;			/* 0 for a cgroup */
	u32 kind;			/* enum sva_quota_kind */
};

/* A cgroup or a user. */
struct sva_quota_node {
	struct rhash_head hash;
	struct list_head node;
	struct sva_quota_key key;
	struct sva_quota_node *parent;	/* NULL: the root, or a user */
	unsigned int users;		/* nodes below it, accounts; quota_lock */
	atomic_t used;			/* PASIDs charged */
	atomic_t kept;			/* of ended processes, see process.c */
	atomic_t peak;
	atomic64_t events;
	u32 max;			/* quota_lock to write */
	bool by_default;		/* @max is the module's; likewise */
};

/* Who allocates: what PASIDs point to. */
struct sva_account {
	struct rhash_head hash;
	struct list_head node;
	struct rcu_head rcu;
	struct sva_quota_key key;
	struct sva_quota_node *cgroup;
	struct sva_quota_node *user;
	struct misc_cg *misc;		/* quota_misc.c, or NULL */
	atomic_long_t users;		/* PASIDs, charged or not yet */
};

int sva_quota_init(void);
void sva_quota_exit(void);
bool sva_quota_charge_nodes(struct sva_quota_node *node, u32 count);
void sva_quota_uncharge_nodes(struct sva_quota_node *node, u32 count);
struct sva_account *sva_account_get(u32 count);
void sva_account_hold(struct sva_account *account, u32 count);
void sva_account_put(struct sva_account *account, u32 count);
int sva_account_charge(struct sva_account *account, u32 count);
int sva_account_charge_process(struct sva_account *account);
void sva_account_keep(struct sva_account *account);
void sva_account_unkeep(struct sva_account *account);
void sva_account_uncharge(struct sva_account *account, u32 count);
kuid_t sva_quota_current_user(void);
void sva_quota_read_cgroup(struct cgroup *cgrp, struct sva_quota *quota);
int sva_quota_set_cgroup(struct cgroup *cgrp, u32 max);
void sva_quota_read_user(kuid_t uid, struct sva_quota *quota);
int sva_quota_set_user(kuid_t uid, u32 max);
unsigned int sva_quota_nr_nodes(void);
int sva_ioctl_quota(struct sva_ucmd *ucmd);

/* In a kernel whose misc controller has a resource for PASIDs: quota_misc.c */
#ifdef SVA_MISC_CG
int sva_quota_misc_init(void);
void sva_quota_misc_exit(void);
u64 sva_quota_misc_id(void);
struct misc_cg *sva_quota_misc_get(u64 *id);
void sva_quota_misc_put(struct misc_cg *misc);
bool sva_quota_misc_charge(struct sva_account *account, u32 count);
void sva_quota_misc_uncharge(struct sva_account *account, u32 count);
#else
static inline int sva_quota_misc_init(void) { return 0; }
static inline void sva_quota_misc_exit(void) { }
static inline u64 sva_quota_misc_id(void) { return 0; }

static inline struct misc_cg *sva_quota_misc_get(u64 *id)
{
	*id = 0;
	return NULL;
}

static inline void sva_quota_misc_put(struct misc_cg *misc) { }

static inline bool sva_quota_misc_charge(struct sva_account *account, u32 count)
{
	return true;
}

static inline void sva_quota_misc_uncharge(struct sva_account *account, u32 count)
{
}
#endif

/* --- processes that have a PASID: process.c ---------------------------------- */

extern atomic_t sva_nr_processes;

struct sva_process *sva_process_get(struct mm_struct *mm,
				    struct sva_account *account);
void sva_process_put(struct sva_process *process);
bool sva_process_hold(struct sva_process *process, struct mm_struct *mm);
void sva_processes_exit(void);

/* --- PASIDs: pasid.c ----------------------------------------------------- */

/* Bounds the time and memory that one SVA_PASID_ALLOC can take. */
#define SVA_RANGE_MAX	65536

struct sva_pasid {
	struct rb_node node;		/* sva_ctx.pasids: those with a number */
	u32 id;				/* number or handle: what user space says */
	u8 kind;			/* enum sva_pasid_kind */
	bool revoked;			/* SVA_PASID_S_REVOKED; ctx->lock */
	bool dying;			/* is being freed: no such PASID; ctx->lock */
	u32 nr_bonds;			/* ctx->lock */
	u32 guest;			/* guest PASID; ctx->lock to write */
	struct sva_as *as;		/* ctx->lock; holds a use of it */
	struct sva_account *account;	/* who allocated it; not of a RID handle */
	struct mm_struct *mm;		/* process PASID: mmgrab()bed */
	struct sva_process *process;	/* and charged, from the first attempt */
	struct list_head attachments;	/* ctx->lock */
	struct hlist_head rights;	/* ctx->lock */
};

int sva_pasid_cache_init(void);
void sva_pasid_cache_exit(void);
struct sva_pasid *sva_pasid_find(struct sva_ctx *ctx, u32 id);
void sva_pasid_free_all(struct sva_ctx *ctx);

int sva_ioctl_pasid_alloc(struct sva_ucmd *ucmd);
int sva_ioctl_pasid_free(struct sva_ucmd *ucmd);
int sva_ioctl_pasid_info(struct sva_ucmd *ucmd);
int sva_ioctl_pasid_guest(struct sva_ucmd *ucmd);

/* --- PASID -> AS, device -> PASID: bind.c --------------------------------- */

/* A device of a group. */
struct sva_member {
	struct device *dev;		/* held */
	u32 dev_id;			/* as an sva device, if it has a bond */
	unsigned int nr_bonds;		/* in the attachment; see sva_faultq_join() */
};

/*
 * What a page request finds of the attach that it belongs to. The members are
 * the devices that were in the group then: for those the IOMMU core has set it.
 */
struct sva_handle {
	struct iommu_attach_handle handle;
	struct sva_ctx *ctx;		/* outlives it */
	struct sva_pasid *pasid;
	struct sva_faultq *faultq;	/* of the address space, or NULL */
	struct iommu_group *group;	/* of the attachment */
	struct list_head groups;	/* not answered; of the queue's lock */
	unsigned int nr_members;
	unsigned int max_members;
	struct sva_member members[] __counted_by(max_members);
};

struct sva_member *sva_handle_member(struct sva_handle *handle,
				     const struct device *dev);

/* What a target was set to. Also the owner of ranges reserved for that. */
struct sva_translation {
	struct sva_domain *domain;
	struct sva_handle *handle;
};

/*
 * The IOMMU's view of a use: a PASID of a group, and what it translates
 * through. All bonds of one (group, PASID) share it.
 */
struct sva_attachment {
	struct list_head node;		/* sva_pasid.attachments */
	struct sva_pasid *pasid;
	struct sva_group *group;
	struct list_head bonds;
	struct sva_translation *now;	/* NULL: blocked */
	struct sva_translation *old;	/* during a rebind */
	bool cleared;			/* during a rebind: @now is not set */
	struct sva_handle *spare_handle; /* during a rebind, to undo it */
	struct iommu_sva *process;	/* process PASID: the core's bond */
};

/*
 * What an IOMMU operation is about. @pasid is IOMMU_NO_PASID for the RID: then
 * @dev just names one of @group, which it may have left.
 * @replace: a domain is set there now, which is to be replaced.
 */
struct sva_target {
	struct device *dev;
	struct iommu_group *group;
	ioasid_t pasid;
	struct sva_handle *handle;
	bool replace;
	void *owner;			/* of the ranges reserved for it */
};

int sva_target_set(const struct sva_target *target, struct iommu_domain *domain);

int sva_check_rid(struct iommu_group *group);
int sva_bond_join(struct sva_bond *bond, struct sva_pasid *pasid);
void sva_bond_leave(struct sva_bond *bond);
u32 sva_pasid_state_bits(struct sva_pasid *pasid);

int sva_ioctl_pasid_bind(struct sva_ucmd *ucmd);

/* --- devices and groups: device.c ----------------------------------------- */

/* An IOMMU group with at least one sva device. */
struct sva_group {
	struct list_head node;		/* sva_groups */
	struct iommu_group *group;
	unsigned int nr_devices;	/* registered ones; sva_registry_lock */
	spinlock_t lock;		/* of all that follows */
	unsigned int nr_bonds;
	struct sva_ctx *owner;		/* of all bonds, or NULL */
	struct sva_pasid *rid;		/* the RID handle that is attached */
};

struct sva_device {
	struct kref kref;		/* the registration, each bond, calls */
	struct rcu_head rcu;
	u32 id;				/* 0 if @whole_group */
	u32 flags;			/* as the driver registered it */
	bool whole_group;		/* sva_device_register_group() */
	struct device *dev;		/* of a whole group: just to name it */
	struct sva_group *group;
	struct rw_semaphore live;	/* read: an attach is under way */
	bool gone;			/* @live */
	spinlock_t bonds_lock;		/* of @bonds */
	struct list_head bonds;
	unsigned int nr_bonds;		/* on that list; also read without the lock */
};

enum sva_bond_state {
	SVA_BOND_LIVE,
	SVA_BOND_REVOKING,		/* revoke() is about to run or running */
	SVA_BOND_REVOKED,
	SVA_BOND_DETACHED,		/* by the driver: no revoke() any more */
};

struct sva_bond {
	refcount_t users;
	struct sva_ctx *ctx;		/* holds its shell, see detach_bond() */
	struct sva_device *sdev;	/* holds a reference */
	struct sva_attachment *attachment; /* NULL once it has left; ctx->lock */
	u32 number;
	u32 object;			/* PASID or handle */
	u64 id;				/* in the context */
	struct rb_node node;		/* sva_ctx.bonds, until it is detached */
	enum sva_bond_state state;	/* ctx->lock */
	const struct sva_bond_ops *ops;
	void *priv;
	struct sva_right *right;	/* presented at the attach, or NULL */
	struct completion revoked;
	struct list_head attachment_node; /* ctx->lock */
	struct list_head right_node;	/* ctx->lock */
	struct list_head device_node;	/* sdev->bonds_lock */
	struct list_head revoke_node;	/* whoever made it REVOKING */
};

struct sva_device *sva_device_get(u32 id);
u32 sva_device_find_id(struct device *dev);
void sva_device_put(struct sva_device *sdev);
void sva_devices_exit(void);
int sva_ioctl_device_info(struct sva_ucmd *ucmd);

void sva_bonds_end(struct sva_device *sdev);
void sva_bonds_end_right(struct sva_right *right);
void sva_bond_begin_revoke(struct sva_bond *bond, struct list_head *list);
void sva_bonds_revoke(struct list_head *list);

/* --- objects with an id: object.c ----------------------------------------- */

/* Objects of a lower rank may use those of a higher one, and are freed first. */
#define SVA_RANK_MAX	2

struct sva_object_ops {
	unsigned int rank;
	void (*free)(struct sva_object *obj);
};

struct sva_object {
	u32 id;
	u8 kind;			/* enum sva_object_kind */
	refcount_t users;		/* its id, other objects, PASIDs, calls */
	atomic_t listers;		/* it must not go away now */
	struct sva_ctx *ctx;		/* which it is part of */
	const struct sva_object_ops *ops;
};

struct sva_object *sva_object_get(struct sva_ctx *ctx, u32 id,
				  const struct sva_object_ops *ops);
void sva_object_put(struct sva_object *obj);
int sva_object_publish(struct sva_ucmd *ucmd, struct sva_object *obj, u32 *id);
void sva_objects_free_all(struct sva_ctx *ctx);
struct sva_object *sva_object_list_get(struct sva_ctx *ctx, u32 id);
void sva_object_list_put(struct sva_object *obj);
int sva_ioctl_destroy(struct sva_ucmd *ucmd);

/* --- PASID fds: pasid_fd.c ------------------------------------------------ */

/* The right to attach a PASID of a context. */
struct sva_right {
	struct sva_object obj;
	struct kref kref;		/* the id, the file, each attach */
	spinlock_t lock;		/* of @ctx */
	struct sva_ctx *ctx;		/* NULL once the id has ended */
	struct sva_pasid *pasid;	/* NULL: dead; ctx->lock */
	struct hlist_node node;		/* sva_pasid.rights; ctx->lock */
	struct list_head bonds;		/* made with it; ctx->lock */
};

struct sva_right *sva_right_from_file(struct file *file);
void sva_right_put(struct sva_right *right);
struct sva_ctx *sva_right_get_ctx(struct sva_right *right);
struct sva_pasid *sva_right_pasid(struct sva_right *right, struct sva_ctx *ctx,
				  u32 id);
void sva_rights_kill(struct sva_pasid *pasid);
int sva_ioctl_pasid_fd(struct sva_ucmd *ucmd);

/* --- address spaces: as.c ------------------------------------------------- */

struct sva_domain;

/*
 * @attach translates a target and returns the domain, with one more user, as
 * sva_domain_attach() says. @put ends such a use: the target is no longer set
 * to it; @owner is what the target had. @free: there is no user left.
 */
struct sva_as_ops {
	struct sva_domain *(*attach)(struct sva_as *as,
				     const struct sva_target *target);
	void (*put)(struct sva_domain *domain, void *owner);
	void (*free)(struct sva_as *as);
};

struct sva_as {
	struct sva_object obj;
	u32 type;			/* enum sva_as_type */
	const struct sva_as_ops *ops;
	struct sva_faultq *faultq;	/* holds a reference; may be NULL */
};

/* An IOMMU domain of an address space. */
struct sva_domain {
	struct list_head node;		/* sva_iova.domains */
	struct sva_as *as;
	struct iommu_domain *domain;
	struct iommu_device *iommu;	/* instance it was made for */
	bool coherent;
	u64 msi_window;			/* see struct msi_window; 0: none */
	unsigned int users;		/* IOVA: of iova->lock */
};

struct sva_as *sva_as_get(struct sva_ctx *ctx, u32 id);
void sva_as_put(struct sva_as *as);
int sva_ioctl_as_alloc(struct sva_ucmd *ucmd);

/* --- IOVA: iova.c ---------------------------------------------------------- */

/*
 * One mapping. While @pending, memory is being pinned without the lock: nobody
 * else may touch the area, but its range is taken.
 */
struct sva_area {
	struct rb_node node;
	struct list_head unmap_node;
	u64 iova;
	u64 last;
	u64 gap;			/* free bytes between the area before and this */
	u64 max_gap;			/* largest gap of the subtree */
	int prot;
	bool pending;
	u64 first_page;			/* of @pages */
	struct sva_pages *pages;
};

/* A range that must not be mapped on behalf of @owner. */
struct sva_reserved {
	struct interval_tree_node node;
	void *owner;
};

struct sva_iova {
	struct sva_as as;
	bool nest_parent;		/* SVA_AS_F_NEST_PARENT */
	struct mutex lock;		/* of all that follows */
	struct rb_root areas;
	struct list_head domains;
	struct rb_root_cached reserved;
	u32 nr_maps;			/* areas not pending; also read without the lock */
};

static inline struct sva_iova *sva_as_to_iova(struct sva_as *as)
{
	return container_of(as, struct sva_iova, as);
}

u32 sva_iova_nr_maps(const struct sva_object *obj);
struct sva_as *sva_iova_alloc(bool nest_parent, struct sva_faultq *faultq);
int sva_iova_reserve(struct sva_iova *iova, void *owner, u64 start, u64 last);
void sva_iova_unreserve(struct sva_iova *iova, void *owner);

int sva_ioctl_iova_ranges(struct sva_ucmd *ucmd);
int sva_ioctl_iova_map(struct sva_ucmd *ucmd);
int sva_ioctl_iova_map_file(struct sva_ucmd *ucmd);
int sva_ioctl_iova_unmap(struct sva_ucmd *ucmd);
int sva_ioctl_iova_copy(struct sva_ucmd *ucmd);

/* --- areas by IOVA: area.c ------------------------------------------------ */

struct sva_area *sva_area_first(const struct rb_root *root, u64 iova);
struct sva_area *sva_area_next(const struct sva_area *area);
int sva_area_insert(struct rb_root *root, struct sva_area *area);
void sva_area_erase(struct rb_root *root, struct sva_area *area);
bool sva_area_find_free(const struct rb_root *root, u64 lo, u64 hi, u64 length,
			u64 align, u64 offset, u64 *iova);

/* --- IOMMU domains of an IOVA AS: domain.c -------------------------------- */

struct iommu_device *sva_group_iommu(struct iommu_group *group);
struct sva_domain *sva_domain_attach(struct sva_as *as,
				     const struct sva_target *target);
struct sva_domain *sva_domain_get_parent(struct sva_iova *iova,
					 struct sva_device *sdev);
void sva_domain_put(struct sva_domain *domain, void *owner);
int sva_iova_reserve_for(struct sva_iova *iova, const struct sva_target *target);
void sva_iova_unreserve_for(struct sva_iova *iova, void *owner);
int sva_domains_map(struct sva_iova *iova, struct sva_area *area);
void sva_domains_unmap(struct sva_iova *iova, struct list_head *areas);

/* --- user-owned tables: nested.c ------------------------------------------ */

/* Bounds the time that one SVA_INVALIDATE can take. */
#define SVA_INVALIDATE_MAX	65536

struct sva_as *sva_nested_alloc(struct sva_ctx *ctx,
				const struct sva_as_alloc *cmd,
				struct sva_faultq *faultq);
struct sva_iova *sva_nested_get_parent(struct sva_ctx *ctx, u32 id);
int sva_ioctl_invalidate(struct sva_ucmd *ucmd);

/* --- what a VM sees of an IOMMU: viommu.c, event.c ------------------------- */

struct sva_viommu;
struct sva_veventq;

struct sva_viommu *sva_viommu_get(struct sva_ctx *ctx, u32 id);
void sva_viommu_put(struct sva_viommu *viommu);
struct sva_iova *sva_viommu_iova(struct sva_viommu *viommu);
bool sva_viommu_is_for(struct sva_viommu *viommu, struct device *dev);
bool sva_viommu_has_device(struct sva_viommu *viommu, u64 virt_id);
int sva_viommu_fault(struct iommu_domain *domain, struct device *dev,
		     unsigned long iova, int flags, void *token);
int sva_ioctl_viommu_alloc(struct sva_ucmd *ucmd);
int sva_ioctl_vdevice_alloc(struct sva_ucmd *ucmd);
int sva_ioctl_veventq_alloc(struct sva_ucmd *ucmd);

struct sva_veventq *sva_veventq_alloc(u32 depth, u32 flags, struct file **filep);
void sva_veventq_put(struct sva_veventq *q);
void sva_veventq_add(struct sva_veventq *q, struct sva_vevent *event);
bool sva_veventq_is_closed(struct sva_veventq *q);

/* --- page requests to user space: fault.c ---------------------------------- */

int sva_fault_handler(struct iopf_group *group);
struct sva_faultq *sva_faultq_from_fd(int fd);
void sva_faultq_put(struct sva_faultq *q);
void sva_faultq_drain(struct sva_faultq *q, struct sva_handle *handle);
void sva_faultq_join(struct sva_faultq *q, struct sva_member *member, u32 dev_id);
void sva_faultq_leave(struct sva_faultq *q, struct sva_handle *handle,
		      struct sva_member *member);
int sva_ioctl_faultq_alloc(struct sva_ucmd *ucmd);

/* --- pinned memory: pages.c ----------------------------------------------- */

struct sva_pages;

struct sva_pages *sva_pages_pin_user(struct sva_ctx *ctx, u64 va,
				     unsigned long npages, bool write);
struct sva_pages *sva_pages_pin_file(struct sva_ctx *ctx, int fd, u64 start,
				     unsigned long npages, bool write);
struct sva_pages *sva_pages_get(struct sva_pages *pages);
void sva_pages_put(struct sva_pages *pages);
int sva_pages_map(const struct sva_pages *pages, u64 first_page,
		  unsigned long npages, struct iommu_domain *domain, u64 iova,
		  int prot);

#endif /* __SVA_PRIVATE_H */
