// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call, with its first allocation or copy failing, then its second, and so
 * on until it has no more. A call that fails leaves all counts as they were, and
 * works when it is made again.
 *
 * Seconds: 300
 */
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "fail_util.h"
#include "viommu.h"
#include "vfio_util.h"
#include "kselftest_harness.h"
#include "quota_util.h"

#include <linux/sva_vfio_container.h>

/* No call has so many points. */
#define NTH_MAX		5000

#define IOVA		0x200000000ULL
#define LENGTH		(64 * CORE_PAGE)

struct world {
	struct guest g;
	char other[32];		/* an engine that comes and goes */
	void *mem;
	uint32_t as;		/* IOVA, with memory mapped at IOVA */
	uint32_t pasid;		/* of the guest's context */
	uint32_t id;		/* what the call made */
	int fd;
	int sim;		/* a queue of @other */
	uint32_t viommu;
	uint32_t vdev;
	uint32_t cookie;	/* of a page request */
	struct quota_cg cg;
	struct vfio_hw hw;	/* @other as a VFIO device */
	struct vfio_dev dev;
};

/*
 * @prepare makes what @call needs, @finish removes what there is after it has
 * succeeded. Both work without faults. @done: when the answer cannot be written
 * to the caller's memory, -EFAULT, the call has been carried out.
 */
struct fail_op {
	int (*prepare)(struct world *w);
	int (*call)(struct world *w);
	int (*finish)(struct world *w);
	bool done;
};

/* --- /dev/sva: contexts, numbers ---------------------------------------------- */

static int call_open(struct world *w)
{
	w->fd = sva_open();
	return w->fd < 0 ? w->fd : 0;
}

static int finish_fd(struct world *w)
{
	return close(w->fd) ? -errno : 0;
}

/* A context of its own that has some of everything, and goes with it. */
static int prepare_context(struct world *w)
{
	uint32_t as, pasid;
	int faultq;

	w->fd = sva_open();
	if (w->fd < 0)
		return w->fd;
	faultq = sva_faultq(w->fd, 0, 4);
	if (faultq < 0)
		return faultq;
	close(faultq);
	return sva_as_alloc(w->fd, &as) ?:
	       iova_map_at(w->fd, as, CORE_RW, w->mem, LENGTH, IOVA) ?:
	       pasid_alloc(w->fd, 0, 0, 100, &pasid) ?:
	       sva_pasid_bind(w->fd, pasid, as) ?:
	       sva_sim_attach(w->g.sim, w->fd, pasid, NULL) ?:
	       sva_sim_detach(w->g.sim);
}

static int call_get_info(struct world *w)
{
	struct sva_get_info info;

	return core_info(w->g.fd, &info);
}

static int call_alloc_one(struct world *w)
{
	return pasid_alloc(w->g.fd, 0, 0, 1, &w->pasid);
}

static int finish_pasid(struct world *w)
{
	return pasid_free(w->g.fd, w->pasid, 1);
}

static int call_alloc_many(struct world *w)
{
	return pasid_alloc(w->g.fd, 0, 0, 100, &w->pasid);
}

static int finish_many(struct world *w)
{
	return pasid_free(w->g.fd, w->pasid, 100);
}

static int call_alloc_process(struct world *w)
{
	return pasid_alloc_handle(w->g.fd, SVA_PASID_F_MM, &w->pasid);
}

static int call_alloc_rid(struct world *w)
{
	return pasid_alloc_handle(w->g.fd, SVA_PASID_F_RID, &w->pasid);
}

static int call_pasid_info(struct world *w)
{
	struct sva_pasid_info info;

	return sva_pasid_info(w->g.fd, w->pasid, &info);
}

static int list(struct world *w, uint32_t kind, uint32_t flags)
{
	uint64_t entries[4][32];
	struct sva_list cmd = {
		.size = sizeof(cmd), .kind = kind, .flags = flags,
		.entry_size = sizeof(*entries), .num = 4,
		.entries = (uintptr_t)entries,
	};

	return sva_ioctl(w->g.fd, SVA_LIST, &cmd);
}

static int call_list(struct world *w)
{
	return list(w, SVA_LIST_PASIDS, 0);
}

static int call_list_all(struct world *w)
{
	uint32_t kind;
	int ret = 0;

	for (kind = SVA_LIST_CONTEXTS; kind <= SVA_LIST_MAPS && !ret; kind++)
		ret = list(w, kind, SVA_LIST_F_ALL);
	return ret;
}

static int read_fdinfo(int fd)
{
	char path[64], text[4096];
	int info, ret = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	if (read(info, text, sizeof(text)) < 0)
		ret = -errno;
	close(info);
	return ret;
}

static int call_fdinfo(struct world *w)
{
	return read_fdinfo(w->g.fd);
}

static int call_fdinfo_fd(struct world *w)
{
	return read_fdinfo(w->fd);
}

static int call_set_guest(struct world *w)
{
	struct sva_pasid_guest cmd = {
		.size = sizeof(cmd), .flags = SVA_GUEST_F_SET,
		.pasid = w->pasid, .guest_pasid = 5,
	};

	return sva_ioctl(w->g.fd, SVA_PASID_GUEST, &cmd);
}

/* --- quotas: a cgroup that nobody has been charged in -------------------------- */

static int prepare_cgroup(struct world *w)
{
	return quota_make(&w->cg, NULL, "fail");
}

static int call_quota_get(struct world *w)
{
	struct sva_quota quota;

	return quota_get(w->g.fd, w->cg.fd, &quota);
}

static int call_quota_set(struct world *w)
{
	return quota_set(w->g.fd, w->cg.fd, 5);
}

static int finish_cgroup(struct world *w)
{
	return quota_remove(&w->cg);
}

static int prepare_in_cgroup(struct world *w)
{
	return prepare_cgroup(w) ?: quota_enter(&w->cg);
}

static int finish_in_cgroup(struct world *w)
{
	return finish_pasid(w) ?: quota_enter(NULL) ?: finish_cgroup(w);
}

/* --- address spaces ------------------------------------------------------------ */

static int call_as_alloc(struct world *w)
{
	return sva_as_alloc(w->g.fd, &w->id);
}

static int call_parent_alloc(struct world *w)
{
	return guest_parent(w->g.fd, SVA_AS_F_NEST_PARENT, &w->id);
}

static int call_nested_alloc(struct world *w)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = GUEST_BASE, .addr_width = 48,
	};

	return guest_nest_as(w->g.fd, w->g.parent, w->g.dev, -1, &s1, &w->id);
}

static int prepare_faultq(struct world *w)
{
	w->fd = sva_faultq(w->g.fd, 0, 16);
	return w->fd < 0 ? w->fd : 0;
}

static int call_nested_alloc_fault(struct world *w)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = GUEST_BASE, .addr_width = 48,
	};

	return guest_nest_as(w->g.fd, w->g.parent, w->g.dev, w->fd, &s1, &w->id);
}

static int finish_as(struct world *w)
{
	return sva_destroy(w->g.fd, w->id);
}

static int finish_as_fd(struct world *w)
{
	return finish_as(w) ?: finish_fd(w);
}

static int call_ranges(struct world *w)
{
	struct sva_iova_range ranges[4];
	uint32_t num = 4;

	return iova_ranges(w->g.fd, w->as, ranges, &num);
}

/* An engine uses the address space, so that there is an IOMMU domain. */
static int prepare_attached_empty(struct world *w)
{
	int ret;

	ret = sva_as_alloc(w->g.fd, &w->as);
	if (!ret)
		ret = call_alloc_one(w);
	if (!ret)
		ret = sva_pasid_bind(w->g.fd, w->pasid, w->as);
	return ret ?: sva_sim_attach(w->g.sim, w->g.fd, w->pasid, NULL);
}

static int call_map(struct world *w)
{
	return iova_map_at(w->g.fd, w->as, CORE_RW, w->mem, LENGTH, IOVA);
}

static int prepare_attached(struct world *w)
{
	return prepare_attached_empty(w) ?: call_map(w);
}

static int finish_attached(struct world *w)
{
	return sva_sim_detach(w->g.sim) ?: finish_pasid(w) ?:
	       sva_destroy(w->g.fd, w->as);
}

static int call_map_anywhere(struct world *w)
{
	uint64_t iova = 0;

	return sva_map(w->g.fd, w->as, CORE_RW, w->mem, LENGTH, &iova);
}

static int call_map_file(struct world *w)
{
	uint64_t iova = IOVA;

	return iova_map_file(w->g.fd, w->as, CORE_RW | SVA_IOVA_F_FIXED,
			     w->g.file, 0, LENGTH, &iova);
}

static int call_copy(struct world *w)
{
	uint64_t iova = 2 * IOVA;

	return iova_copy(w->g.fd, CORE_RW | SVA_IOVA_F_FIXED, w->as, w->as, IOVA,
			 LENGTH, &iova);
}

/* The bytes that were unmapped cannot be told twice. */
static int call_unmap(struct world *w)
{
	int64_t n = iova_unmap(w->g.fd, w->as, IOVA, LENGTH);

	return n < 0 ? n : n == LENGTH ? 0 : -EIO;
}

/* --- binding and attaching ------------------------------------------------------ */

static int prepare_unbound(struct world *w)
{
	return sva_as_alloc(w->g.fd, &w->as) ?: call_map(w) ?:
	       call_alloc_one(w) ?:
	       sva_sim_attach(w->g.sim, w->g.fd, w->pasid, NULL);
}

static int call_bind(struct world *w)
{
	return sva_pasid_bind(w->g.fd, w->pasid, w->as);
}

static int prepare_other(struct world *w)
{
	return prepare_attached(w) ?: sva_as_alloc(w->g.fd, &w->id);
}

static int call_rebind(struct world *w)
{
	return sva_pasid_bind(w->g.fd, w->pasid, w->id);
}

static int finish_other(struct world *w)
{
	return finish_attached(w) ?: finish_as(w);
}

static int call_unbind(struct world *w)
{
	return sva_pasid_bind(w->g.fd, w->pasid, SVA_AS_NONE);
}

static int prepare_bound(struct world *w)
{
	return sva_as_alloc(w->g.fd, &w->as) ?: call_map(w) ?:
	       call_alloc_one(w) ?: call_bind(w);
}

static int call_attach(struct world *w)
{
	return sva_sim_attach(w->g.sim, w->g.fd, w->pasid, NULL);
}

static int prepare_nested(struct world *w)
{
	return call_nested_alloc(w) ?: call_alloc_one(w) ?: call_rebind(w);
}

static int prepare_nested_fault(struct world *w)
{
	return prepare_faultq(w) ?: call_nested_alloc_fault(w) ?:
	       call_alloc_one(w) ?: call_rebind(w);
}

static int finish_nested(struct world *w)
{
	return sva_sim_detach(w->g.sim) ?: finish_pasid(w) ?: finish_as(w);
}

static int finish_nested_fault(struct world *w)
{
	return finish_nested(w) ?: finish_fd(w);
}

static int finish_unattached(struct world *w)
{
	return finish_pasid(w) ?: finish_as(w);
}

static int finish_handle(struct world *w)
{
	return sva_sim_detach(w->g.sim) ?: finish_pasid(w);
}

static int call_detach(struct world *w)
{
	return sva_sim_detach(w->g.sim);
}

static int finish_bound(struct world *w)
{
	return finish_pasid(w) ?: sva_destroy(w->g.fd, w->as);
}

static int call_pasid_fd(struct world *w)
{
	struct sva_pasid_fd cmd = { .size = sizeof(cmd), .pasid = w->pasid };
	int ret = sva_ioctl(w->g.fd, SVA_PASID_FD, &cmd);

	w->fd = cmd.fd;
	w->id = cmd.id;
	return ret;
}

static int finish_pasid_fd(struct world *w)
{
	return finish_fd(w) ?: finish_as(w) ?: finish_pasid(w);
}

static int prepare_pasid_fd(struct world *w)
{
	return prepare_bound(w) ?: call_pasid_fd(w);
}

static int call_attach_fd(struct world *w)
{
	return sva_sim_attach(w->g.sim, w->fd, 0, NULL);
}

static int finish_attached_fd(struct world *w)
{
	return finish_fd(w) ?: finish_as(w) ?: finish_attached(w);
}

static int finish_revoked(struct world *w)
{
	return finish_fd(w) ?: finish_attached(w);
}

static int prepare_attached_fd(struct world *w)
{
	return prepare_pasid_fd(w) ?: call_attach_fd(w);
}

/* Two engines, one behind each instance: what the first one has got, the other refuses. */
static int prepare_two(struct world *w)
{
	int ret = prepare_other(w);

	if (ret)
		return ret;
	w->sim = sva_sim_create(w->other, "1", NULL, NULL);
	return w->sim < 0 ? w->sim :
	       sva_sim_attach(w->sim, w->g.fd, w->pasid, NULL);
}

static int finish_two(struct world *w)
{
	return (close(w->sim) ? -errno : 0) ?: sva_sim_remove(w->other) ?:
	       finish_other(w);
}

/* Takes away an engine that is in use. */
static int call_disable_used(struct world *w)
{
	return sva_sim_set(w->other, "enable", "0");
}

/* --- what a VM has --------------------------------------------------------------- */

static int call_invalidate(struct world *w)
{
	struct iommu_hwpt_vtd_s1_invalidate inv[3] = {
		{ .addr = 0, .npages = 1 }, { .addr = CORE_PAGE, .npages = 1 },
		{ .addr = 0, .npages = ULLONG_MAX },
	};
	uint32_t num = 3;
	int ret;

	ret = guest_invalidate_raw(w->g.fd, w->id,
				   IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, inv,
				   sizeof(*inv), &num);
	return ret ?: num == 3 ? 0 : -EIO;
}

static int call_device_info(struct world *w)
{
	struct iommu_hw_info_vtd vtd;
	struct sva_device_info info = {
		.size = sizeof(info), .dev_id = w->g.dev,
		.data_len = sizeof(vtd), .data_uptr = (uintptr_t)&vtd,
	};

	return sva_ioctl(w->g.fd, SVA_DEVICE_INFO, &info);
}

static int call_next_device(struct world *w)
{
	struct sva_device_info info;

	return guest_device_info(w->g.fd, SVA_DEVICE_F_NEXT, 0, &info);
}

/* There is nothing in the tables of the guest: the engine asks for a page. */
static int prepare_page_request(struct world *w)
{
	struct sva_sim_desc fill = sva_sim_fill(CORE_PAGE, 1, 8);
	struct pollfd pfd = { .events = POLLIN };
	int ret = prepare_nested_fault(w) ?: call_attach(w) ?:
		  sva_sim_submit(w->g.sim, &fill);

	pfd.fd = w->fd;
	return ret ?: poll(&pfd, 1, SVA_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static int call_read_request(struct world *w)
{
	struct sva_fault fault;
	ssize_t n = read(w->fd, &fault, sizeof(fault));

	if (n < 0)
		return -errno;
	w->cookie = fault.cookie;
	return n == sizeof(fault) ? 0 : -EIO;
}

static int prepare_response(struct world *w)
{
	return prepare_page_request(w) ?: call_read_request(w);
}

static int call_respond(struct world *w)
{
	return guest_respond(w->fd, w->cookie, SVA_FAULT_INVALID);
}

static int wait_completed(struct world *w)
{
	struct pollfd pfd = { .fd = w->g.sim, .events = POLLIN };
	uint64_t count;

	if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	return read(w->g.sim, &count, sizeof(count)) < 0 ? -errno : 0;
}

static int finish_response(struct world *w)
{
	return wait_completed(w) ?: finish_nested_fault(w);
}

static int finish_page_request(struct world *w)
{
	return call_respond(w) ?: finish_response(w);
}

static int call_faultq(struct world *w)
{
	return prepare_faultq(w);
}

static int call_viommu(struct world *w)
{
	struct sva_viommu_alloc cmd = {
		.size = sizeof(cmd), .parent_id = w->g.parent,
		.dev_id = w->g.dev,
	};
	int ret = sva_ioctl(w->g.fd, SVA_VIOMMU_ALLOC, &cmd);

	w->as = cmd.id;
	return ret;
}

static int finish_viommu(struct world *w)
{
	return sva_destroy(w->g.fd, w->as);
}

static int call_vdevice(struct world *w)
{
	struct sva_vdevice_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = w->as,
		.dev_id = w->g.dev, .virt_id = 77,
	};
	int ret = sva_ioctl(w->g.fd, SVA_VDEVICE_ALLOC, &cmd);

	w->id = cmd.id;
	return ret;
}

static int finish_vdevice(struct world *w)
{
	return finish_as(w) ?: finish_viommu(w);
}

static int call_veventq(struct world *w)
{
	struct sva_veventq_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = w->as, .depth = 16,
	};
	int ret = sva_ioctl(w->g.fd, SVA_VEVENTQ_ALLOC, &cmd);

	w->fd = cmd.fd;
	return ret;
}

static int finish_veventq(struct world *w)
{
	return finish_fd(w) ?: finish_viommu(w);
}

/* A vIOMMU with an engine, and a process of the guest there; its number is 7. */
static int prepare_named(struct world *w)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = GUEST_BASE, .addr_width = 48,
	};
	struct sva_pasid_guest name = {
		.size = sizeof(name), .flags = SVA_GUEST_F_SET, .guest_pasid = 7,
	};
	int ret;

	ret = viommu_alloc(w->g.fd, w->g.parent, w->g.dev, &w->viommu) ?:
	      vdevice_alloc(w->g.fd, w->viommu, w->g.dev, VIRT_ID, &w->vdev) ?:
	      guest_nest_as(w->g.fd, w->viommu, w->g.dev, -1, &s1, &w->id) ?:
	      call_alloc_one(w) ?: call_rebind(w) ?: call_attach(w);
	name.pasid = w->pasid;
	return ret ?: sva_ioctl(w->g.fd, SVA_PASID_GUEST, &name);
}

static int finish_named(struct world *w)
{
	return finish_nested(w) ?: sva_destroy(w->g.fd, w->vdev) ?:
	       sva_destroy(w->g.fd, w->viommu);
}

static int call_invalidate_named(struct world *w)
{
	struct named_entry entries[2] = {
		named_entry(VIRT_ID, 7, 0), named_entry(VIRT_ID, 7, CORE_PAGE),
	};
	uint32_t num = 2;

	return invalidate_named(w->g.fd, w->viommu, entries, &num);
}

/* What cannot be translated, and nobody is asked about, is an event. */
static int prepare_event(struct world *w)
{
	struct sva_sim_desc fill = sva_sim_fill(CORE_PAGE, 1, 8);
	int ret = prepare_named(w);

	if (ret)
		return ret;
	w->fd = veventq_alloc(w->g.fd, w->viommu, SVA_VEVENTQ_F_NONBLOCK, 4);
	return w->fd < 0 ? w->fd :
	       sva_sim_submit(w->g.sim, &fill) ?: wait_completed(w);
}

static int call_read_event(struct world *w)
{
	struct sva_vevent event;
	ssize_t n = read(w->fd, &event, sizeof(event));

	return n < 0 ? -errno : n == sizeof(event) ? 0 : -EIO;
}

static int finish_event(struct world *w)
{
	return finish_fd(w) ?: finish_named(w);
}

/* --- engines --------------------------------------------------------------------- */

static int call_sim_open(struct world *w)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", w->g.node);
	w->fd = open(path, O_RDWR | O_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

static int call_sim_info(struct world *w)
{
	struct sva_sim_info info;

	return sva_sim_info(w->g.sim, &info);
}

static int prepare_eventfd(struct world *w)
{
	w->fd = eventfd(0, EFD_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

static int call_eventfd(struct world *w)
{
	struct sva_sim_eventfd cmd = { .size = sizeof(cmd), .fd = w->fd };

	return sva_ioctl(w->g.sim, SVA_SIM_SET_EVENTFD, &cmd);
}

static int finish_eventfd(struct world *w)
{
	int fd = w->fd, ret;

	w->fd = -1;
	ret = call_eventfd(w);
	close(fd);
	return ret;
}

static int call_submit(struct world *w)
{
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };

	return sva_sim_submit(w->g.sim, &desc);
}

static int prepare_completed(struct world *w)
{
	struct pollfd pfd = { .fd = w->g.sim, .events = POLLIN };
	int ret = prepare_attached(w) ?: call_submit(w);

	return ret ?: poll(&pfd, 1, SVA_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static int call_sim_read(struct world *w)
{
	uint64_t count;

	return read(w->g.sim, &count, sizeof(count)) < 0 ? -errno : 0;
}

static int other_path(struct world *w, char *path, size_t len)
{
	return snprintf(path, len, SVA_CONFIGFS "/%s", w->other) < 0;
}

static int call_mkdir(struct world *w)
{
	char path[128];

	other_path(w, path, sizeof(path));
	return mkdir(path, 0700) ? -errno : 0;
}

static int finish_rmdir(struct world *w)
{
	return sva_sim_remove(w->other);
}

static int call_enable(struct world *w)
{
	return sva_sim_set(w->other, "enable", "1");
}

static int prepare_enabled(struct world *w)
{
	return call_mkdir(w) ?: call_enable(w);
}

static int call_disable(struct world *w)
{
	return sva_sim_set(w->other, "enable", "0");
}

/* --- VFIO containers ---------------------------------------------------------------- */

static int load_vfio(void)
{
	if (modules_loaded("sva_vfio_sim") && modules_loaded("sva_vfio_container"))
		return 0;
	return vfio_load_container() ? 0 : -ENODEV;
}

/* A container with one group, that has no type. */
static int prepare_group(struct world *w)
{
	int ret = load_vfio() ?: vfio_sim_make(&w->hw, w->other, NULL, NULL);

	if (ret)
		return ret;
	w->dev = (struct vfio_dev)VFIO_DEV_NONE;
	w->dev.group = vfio_group_open(&w->hw);
	w->dev.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	return ioctl(w->dev.group, VFIO_GROUP_SET_CONTAINER, &w->dev.container) ?
	       -errno : 0;
}

static int call_container_type(struct world *w)
{
	return ioctl(w->dev.container, VFIO_SET_IOMMU, VFIO_SVA_IOMMU) ? -errno : 0;
}

static int finish_group(struct world *w)
{
	vfio_close(&w->dev);
	return sva_sim_remove(w->other);
}

/* A RID handle with memory behind it, and where it can be used. */
static int prepare_container(struct world *w)
{
	return call_alloc_rid(w) ?: sva_as_alloc(w->g.fd, &w->as) ?:
	       call_map(w) ?: call_bind(w) ?: prepare_group(w) ?:
	       call_container_type(w);
}

static int call_container_set(struct world *w)
{
	struct sva_container_set cmd = {
		.size = sizeof(cmd), .fd = w->g.fd, .rid = w->pasid,
	};

	return sva_ioctl(w->dev.container, SVA_CONTAINER_SET, &cmd);
}

static int call_container_info(struct world *w)
{
	struct sva_container_info info = { .size = sizeof(info) };

	return sva_ioctl(w->dev.container, SVA_CONTAINER_INFO, &info);
}

static int prepare_container_set(struct world *w)
{
	return prepare_container(w) ?: call_container_set(w);
}

static int call_container_block(struct world *w)
{
	struct sva_container_set cmd = { .size = sizeof(cmd), .fd = -1 };

	return sva_ioctl(w->dev.container, SVA_CONTAINER_SET, &cmd);
}

static int finish_container(struct world *w)
{
	return finish_group(w) ?: finish_pasid(w) ?: sva_destroy(w->g.fd, w->as);
}

/* --- the machinery ----------------------------------------------------------------- */

/* Pages that anybody has pinned. CPUs have their own counts, until asked to add. */
static long pins(void)
{
	int refresh = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
	FILE *f = fopen("/proc/vmstat", "re");
	long value, n = 0;
	char name[64];

	if (refresh < 0 || read(refresh, name, 1) < 0)
		perror("# vm.stat_refresh");
	close(refresh);
	while (f && fscanf(f, "%63s %ld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			n += value;
		else if (!strcmp(name, "nr_foll_pin_released"))
			n -= value;
	}
	if (f)
		fclose(f);
	return n;
}

/* All calls together: each is made in a process of its own. */
static struct {
	int calls, points, failed;
} *sum;

static void print_sum(void)
{
	printf("# %d calls, %d points, failed at %d\n", sum->calls, sum->points,
	       sum->failed);
}

__attribute__((constructor)) static void sum_begin(void)
{
	sum = mmap(NULL, sizeof(*sum), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sum == MAP_FAILED || atexit(print_sum))
		abort();
}

FIXTURE(fail_nth) {
	struct world w;
	int nth_fd;
	struct core_counts counts;
	long pins;
};

FIXTURE_VARIANT(fail_nth) {
	struct fail_op op;
};

#define OP(name, ...)							\
	FIXTURE_VARIANT_ADD(fail_nth, name) {				\
		.op = { __VA_ARGS__ },					\
	}

OP(open, NULL, call_open, finish_fd);
OP(close, prepare_context, finish_fd, NULL);
OP(get_info, NULL, call_get_info, NULL);
OP(pasid_alloc, NULL, call_alloc_one, finish_pasid);
OP(pasid_alloc_many, NULL, call_alloc_many, finish_many);
OP(pasid_alloc_process, NULL, call_alloc_process, finish_pasid);
OP(pasid_alloc_rid, NULL, call_alloc_rid, finish_pasid);
OP(pasid_free, call_alloc_one, finish_pasid, NULL);
OP(pasid_free_many, call_alloc_many, finish_many, NULL);
OP(pasid_info, call_alloc_one, call_pasid_info, finish_pasid);
OP(list, prepare_attached, call_list, finish_attached);
OP(list_all, prepare_attached, call_list_all, finish_attached);
OP(fdinfo, prepare_attached, call_fdinfo, finish_attached);
OP(pasid_guest, call_alloc_one, call_set_guest, finish_pasid);
OP(pasid_alloc_in_cgroup, prepare_in_cgroup, call_alloc_one, finish_in_cgroup);
OP(quota_get, prepare_cgroup, call_quota_get, finish_cgroup);
OP(quota_set, prepare_cgroup, call_quota_set, finish_cgroup);
OP(as_alloc, NULL, call_as_alloc, finish_as);
OP(as_alloc_parent, NULL, call_parent_alloc, finish_as);
OP(as_alloc_nested, NULL, call_nested_alloc, finish_as);
OP(as_alloc_nested_fault, prepare_faultq, call_nested_alloc_fault, finish_as_fd);
OP(destroy, call_as_alloc, finish_as, NULL);
OP(destroy_nested, call_nested_alloc, finish_as, NULL);
OP(iova_ranges, prepare_attached, call_ranges, finish_attached);
OP(iova_map, prepare_attached_empty, call_map, finish_attached);
OP(iova_map_anywhere, prepare_attached_empty, call_map_anywhere, finish_attached);
OP(iova_map_file, prepare_attached_empty, call_map_file, finish_attached);
OP(iova_copy, prepare_attached, call_copy, finish_attached);
OP(iova_unmap, prepare_attached, call_unmap, finish_attached, true);
OP(bind, prepare_unbound, call_bind, finish_attached);
OP(rebind, prepare_other, call_rebind, finish_other);
OP(rebind_two, prepare_two, call_rebind, finish_two);
OP(unbind, prepare_attached, call_unbind, finish_attached);
OP(pasid_fd, call_alloc_one, call_pasid_fd, finish_pasid_fd);
OP(sim_attach_pasid_fd, prepare_pasid_fd, call_attach_fd, finish_attached_fd);
OP(revoke_pasid_fd, prepare_attached_fd, finish_as, finish_revoked);
OP(device_info, NULL, call_device_info, NULL);
OP(device_info_next, NULL, call_next_device, NULL);
OP(invalidate, prepare_nested, call_invalidate, finish_unattached);
OP(faultq_alloc, NULL, call_faultq, finish_fd);
OP(faultq_fdinfo, prepare_faultq, call_fdinfo_fd, finish_fd);
OP(faultq_read, prepare_page_request, call_read_request, finish_page_request);
OP(faultq_write, prepare_response, call_respond, finish_response);
OP(viommu_alloc, NULL, call_viommu, finish_viommu);
OP(vdevice_alloc, call_viommu, call_vdevice, finish_vdevice);
OP(veventq_alloc, call_viommu, call_veventq, finish_veventq);
OP(veventq_read, prepare_event, call_read_event, finish_event);
OP(invalidate_named, prepare_named, call_invalidate_named, finish_named);
OP(sim_open, NULL, call_sim_open, finish_fd);
OP(sim_attach, prepare_bound, call_attach, finish_attached);
OP(sim_attach_process, call_alloc_process, call_attach, finish_handle);
OP(sim_attach_rid, call_alloc_rid, call_attach, finish_handle);
OP(sim_attach_nested, prepare_nested, call_attach, finish_nested);
OP(sim_attach_fault, prepare_nested_fault, call_attach, finish_nested_fault);
OP(sim_detach, prepare_attached, call_detach, finish_bound);
OP(sim_get_info, NULL, call_sim_info, NULL);
OP(sim_set_eventfd, prepare_eventfd, call_eventfd, finish_eventfd);
OP(sim_write, prepare_attached, call_submit, finish_attached);
OP(sim_read, prepare_completed, call_sim_read, finish_attached);
OP(engine_mkdir, NULL, call_mkdir, finish_rmdir);
OP(engine_enable, call_mkdir, call_enable, finish_rmdir);
OP(engine_disable, prepare_enabled, call_disable, finish_rmdir);
OP(container_type, prepare_group, call_container_type, finish_group);
OP(engine_disable_used, prepare_two, call_disable_used, finish_two);
OP(container_info, prepare_container_set, call_container_info, finish_container);
OP(container_block, prepare_container_set, call_container_block, finish_container);
OP(container_set, prepare_container, call_container_set, finish_container);

FIXTURE_SETUP(fail_nth)
{
	struct world *w = &self->w;

	self->nth_fd = fail_open();
	if (self->nth_fd == -ENOSYS)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_LE(0, self->nth_fd);
	ASSERT_EQ(0, guest_init(&w->g, "0"));
	sva_sim_name(w->other, sizeof(w->other), "fail");
	w->mem = sva_mem(LENGTH);
	ASSERT_NE(NULL, w->mem);
	memset(w->mem, 1, LENGTH);
	/* The faults are meant for calls, and not for a page that is written first. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
	self->counts = core_counts();
	self->pins = pins();
}

FIXTURE_TEARDOWN(fail_nth)
{
	close(self->nth_fd);
	munmap(self->w.mem, LENGTH);
	EXPECT_EQ(0, guest_exit(&self->w.g));
	EXPECT_TRUE(vfio_unused());
}

static int run(int (*fn)(struct world *w), struct world *w)
{
	return fn ? fn(w) : 0;
}

TEST_F_TIMEOUT(fail_nth, fail_nth, 120)
{
	const struct fail_op *op = &variant->op;
	struct world *w = &self->w;
	int nth, failed = 0, ret;
	struct core_counts before;
	bool hit = true;
	long pinned;

	for (nth = 1; hit && nth <= NTH_MAX; nth++) {
		ASSERT_EQ(0, run(op->prepare, w))
			TH_LOG("before point %d", nth);
		before = core_counts();
		pinned = pins();
		ASSERT_TRUE(fail_at(self->nth_fd, nth));
		ret = run(op->call, w);
		hit = fail_end(self->nth_fd);
		if (ret) {
			failed++;
			ASSERT_TRUE(hit)
				TH_LOG("%s without a fault", strerror(-ret));
		}
		if (ret && !(op->done && ret == -EFAULT)) {
			EXPECT_TRUE(core_settles(&before))
				TH_LOG("after %s at point %d", strerror(-ret), nth);
			EXPECT_EQ(pinned, pins());
			EXPECT_EQ(0, run(op->call, w))
				TH_LOG("again after %s at point %d",
				       strerror(-ret), nth);
		}
		ASSERT_EQ(0, run(op->finish, w))
			TH_LOG("at point %d, after %s", nth, strerror(-ret));
		ASSERT_TRUE(core_settles(&self->counts))
			TH_LOG("at point %d, after %s", nth, strerror(-ret));
		ASSERT_EQ(self->pins, pins());
	}
	ASSERT_FALSE(hit);
	TH_LOG("%d points, the call failed at %d", nth - 2, failed);
	sum->calls++;
	sum->points += nth - 2;
	sum->failed += failed;
}

TEST_HARNESS_MAIN
