// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is to call, and what arguments mean: /dev/sva and engines, and whatever
 * programs do beside that.
 */
#include <fcntl.h>
#include <linux/iommufd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "describe.h"

/* --- calls that are no ioctls -------------------------------------------------------- */

static long run_open_sva(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	(void)arg;
	return answer(open("/dev/sva", O_RDWR));
}

static long run_open_sim(struct lane *lane, const uint64_t *arg)
{
	char node[32], path[48];
	int ret = engine_node(arg[0], node, sizeof(node));

	(void)lane;
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/dev/%s", node);
	return answer(open(path, O_RDWR | (arg[1] ? O_NONBLOCK : 0)));
}

static long run_find_device(struct lane *lane, const uint64_t *arg)
{
	struct sva_device_info info = { .size = sizeof(info) };
	char device[64];
	int ret = engine_device(arg[1], device, sizeof(device));

	(void)lane;
	if (ret)
		return ret;
	do {
		info.dev_id++;
		info.flags = SVA_DEVICE_F_NEXT;
		info.data_len = 0;
		if (ioctl(arg[0], SVA_DEVICE_INFO, &info))
			return -errno;
	} while (strcmp(info.name, device));
	return info.dev_id;
}

/* Closed, replaced, doubled, sent: whoever else uses the number has to live with it. */
static long run_close(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return arg[0] < FD_OURS ? answer(close(arg[0])) : -EBADF;
}

static long run_dup(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return answer(dup(arg[0]));
}

static long run_dup2(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return arg[1] < FD_OURS ? answer(dup2(arg[0], arg[1])) : -EBADF;
}

union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static long run_send(struct lane *lane, const uint64_t *arg)
{
	union control control = {};
	struct iovec iov = { "", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	(void)lane;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &(int){ arg[0] }, sizeof(int));
	return answer(sendmsg(run_socket[0], &msg, MSG_DONTWAIT));
}

static long run_receive(struct lane *lane, const uint64_t *arg)
{
	union control control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	(void)lane;
	(void)arg;
	if (recvmsg(run_socket[1], &msg, MSG_DONTWAIT) < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg)
		return -ENODATA;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static long run_guest_memory(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	(void)arg;
	return answer(dup(run_guest));
}

static long run_memfd(struct lane *lane, const uint64_t *arg)
{
	int fd = memfd_create("fuzz", MFD_ALLOW_SEALING);

	(void)lane;
	if (fd < 0 || ftruncate(fd, arg[0]))
		return -errno;
	if (arg[1] && fcntl(fd, F_ADD_SEALS, (int)arg[1]))
		return -errno;
	return fd;
}

static long run_eventfd(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	(void)arg;
	return answer(eventfd(0, EFD_NONBLOCK));
}

static long run_fdinfo(struct lane *lane, const uint64_t *arg)
{
	char path[48], text[1024];
	long ret;
	int fd;

	(void)lane;
	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", (int)arg[0]);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	ret = answer(read(fd, text, sizeof(text)));
	close(fd);
	return ret;
}

/* A number that may not be known, with an argument that may be no structure. */
static long run_strange_ioctl(struct lane *lane, const uint64_t *arg)
{
	return answer(ioctl(arg[0], _IO(SVA_TYPE, arg[1]), lane->page));
}

/* --- work for an engine, and page requests ------------------------------------------- */

static long run_submit(struct lane *lane, const uint64_t *arg)
{
	struct sva_sim_desc *desc = (void *)lane->data;
	unsigned int i, num = arg[7];

	for (i = 0; i < num && i < PAGE / sizeof(*desc); i++)
		desc[i] = (struct sva_sim_desc) {
			.op = arg[1], .flags = arg[2], .src = arg[3], .dst = arg[4],
			.len = arg[5], .completion = arg[6],
		};
	return answer(write(arg[0], desc, i * sizeof(*desc)));
}

/* Does not wait unless it is to. */
static bool readable(int fd, uint64_t wait)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, wait) == 1;
}

static long run_read(struct lane *lane, const uint64_t *arg)
{
	size_t len = arg[1] > PAGE ? PAGE : arg[1];

	if (!arg[2] && !readable(arg[0], 0))
		return -EAGAIN;
	return answer(read(arg[0], lane->data, len));
}

static long run_poll(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return readable(arg[0], arg[1]);
}

/* Takes some page requests, and answers some of them after a while. */
static long run_serve(struct lane *lane, const uint64_t *arg)
{
	struct sva_fault *fault = (void *)lane->data;
	struct sva_fault_response *answers = (void *)lane->page;
	unsigned int i, num = 0;
	ssize_t n;

	if (!readable(arg[0], arg[4]))
		return -EAGAIN;
	n = read(arg[0], fault, PAGE / sizeof(*fault) * sizeof(*fault));
	if (n < 0)
		return -errno;
	for (i = 0; i < n / sizeof(*fault) && num < arg[1]; i++)
		if (fault[i].flags & SVA_FAULT_LAST_PAGE)
			answers[num++] = (struct sva_fault_response) {
				.cookie = fault[i].cookie, .code = arg[2],
			};
	usleep(arg[3]);
	return num ? answer(write(arg[0], answers, num * sizeof(*answers))) : 0;
}

static long run_respond(struct lane *lane, const uint64_t *arg)
{
	struct sva_fault_response *answers = (void *)lane->page;

	answers[0] = (struct sva_fault_response) { .cookie = arg[1], .code = arg[2] };
	answers[1] = answers[0];
	return answer(write(arg[0], answers, arg[3]));
}

/* --- memory, time and processes ------------------------------------------------------ */

static bool in_memory(uint64_t addr, uint64_t len)
{
	return addr >= MEM_BASE && addr < MEM_BASE + MEM_SIZE &&
	       len <= MEM_BASE + MEM_SIZE - addr;
}

static long run_unmap_memory(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return in_memory(arg[0], arg[1]) ? answer(munmap((void *)arg[0], arg[1])) : -EFAULT;
}

static long run_map_memory(struct lane *lane, const uint64_t *arg)
{
	void *p;

	(void)lane;
	if (!in_memory(arg[0], arg[1]))
		return -EFAULT;
	p = mmap((void *)arg[0], arg[1], arg[2] & (PROT_READ | PROT_WRITE),
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -errno : 0;
}

static long run_madvise(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return in_memory(arg[0], arg[1]) ?
	       answer(madvise((void *)arg[0], arg[1], arg[2])) : -EFAULT;
}

/* Changes guest memory: its tables, or what they map. */
static long run_poke(struct lane *lane, const uint64_t *arg)
{
	uint64_t value = arg[1];

	(void)lane;
	return answer(pwrite(run_guest, &value, sizeof(value), arg[0]));
}

static long run_sleep(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	usleep(arg[0]);
	return 0;
}

/* A child that has everything open and its memory shared for a while. */
static long run_fork(struct lane *lane, const uint64_t *arg)
{
	pid_t pid = fork();

	(void)lane;
	if (pid)
		return answer(pid);
	usleep(arg[0]);
	if (arg[1])
		memset((void *)MEM_BASE, 1, PAGE);
	_exit(0);
}

static long run_exit(struct lane *lane, const uint64_t *arg)
{
	(void)arg;
	if (lane->index)
		_exit(0);
	return -EPERM;
}

static long run_kill(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return run_kill_lane(arg[0]);
}

/* --- the values that make sense ------------------------------------------------------ */

static const uint64_t v_bool[] = { 0, 1 };
static const uint64_t v_small[] = { 0, 8 };
static const uint64_t v_engine[] = { 0, ENGINES - 1 };
static const uint64_t v_engine_attr[] = { 0, 5 };
static const uint64_t v_engine_value[] = { 0, 1, 1, 2, 3, 5, -1ULL };
static const uint64_t v_dev[] = { 1, 2, 3 };
static const uint64_t v_id[] = { 0, 1, 2, 3, 4 };

static const uint64_t v_pasid_bound[] = {
	0, 0, 0, 0, 1, 2, 255, 256, 0xfffff, 0x100000, UINT32_MAX,
};

static const uint64_t v_count[] = { 1, 1, 1, 1, 2, 7, 64, 0, 4096, 65536, UINT32_MAX };

static const uint64_t v_pasid_flags[] = {
	0, 0, 0, SVA_PASID_F_MM, SVA_PASID_F_MM, SVA_PASID_F_RID, 3,
};

static const uint64_t v_rid_flags[] = { SVA_PASID_F_RID };
static const uint64_t v_one[] = { 1 };

static const uint64_t v_as_type[] = {
	SVA_AS_TYPE_IOVA, SVA_AS_TYPE_IOVA, SVA_AS_TYPE_NESTED,
	SVA_AS_TYPE_PASID_TABLE, 0, 4,
};

static const uint64_t v_iova_type[] = { SVA_AS_TYPE_IOVA };
static const uint64_t v_nested_type[] = { SVA_AS_TYPE_NESTED };
static const uint64_t v_table_type[] = { SVA_AS_TYPE_PASID_TABLE };

static const uint64_t v_as_flags[] = {
	SVA_AS_F_NEST_PARENT | SVA_AS_F_FAULT | SVA_AS_F_DIRTY,
};

static const uint64_t v_parent_flags[] = { SVA_AS_F_NEST_PARENT };

static const uint64_t v_fault_flags[] = {
	0, SVA_AS_F_FAULT, SVA_AS_F_FAULT, SVA_AS_F_NEST_PARENT,
};

static const uint64_t v_data_type[] = {
	IOMMU_HWPT_DATA_NONE, IOMMU_HWPT_DATA_VTD_S1, IOMMU_HWPT_DATA_ARM_SMMUV3,
	SVA_SIM_HWPT_DATA_TABLE,
};

static const uint64_t v_vtd_s1[] = { IOMMU_HWPT_DATA_VTD_S1 };
static const uint64_t v_sim_table[] = { SVA_SIM_HWPT_DATA_TABLE };
static const uint64_t v_vtd_inv[] = { IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 };
static const uint64_t v_sim_inv[] = { SVA_SIM_INVALIDATE_DATA_TABLE };

static const uint64_t v_map_flags[] = {
	SVA_IOVA_F_READ | SVA_IOVA_F_WRITE,
	SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED,
	SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED, SVA_IOVA_F_READ,
	SVA_IOVA_F_READ | SVA_IOVA_F_FIXED, SVA_IOVA_F_FIXED,
};

static const uint64_t v_entries[] = { 0, 1, 1, 2, 4, 16, 256, UINT32_MAX };

static const uint64_t v_entry_len[] = {
	sizeof(struct sva_list_context), sizeof(struct sva_list_pasid),
	sizeof(struct sva_list_bond), 24, 32, 8, 0, 7, 4096, 4104,
};

static const uint64_t v_data_len[] = { 0, 0, 24, 4096, 4097 };
static const uint64_t v_data_uptr[] = { 0, 0, 8, MEM_BASE };
static const uint64_t v_list_kind[] = { 0, 6 };
static const uint64_t v_one_flag[] = { 1 };
static const uint64_t v_depth[] = { 1, 1, 2, 4, 64, 0, 16384, 16385 };

static const uint64_t v_guest_flags[] = {
	SVA_GUEST_F_SET, SVA_GUEST_F_SET, SVA_GUEST_F_FIND, SVA_GUEST_F_GET, 0, 3,
};

static const uint64_t v_guest_pasid[] = {
	0, 1, 2, 3, 0xfffff, 0x100000, SVA_GUEST_PASID_NONE,
};

static const uint64_t v_virt_id[] = { 0, 1, 2, -1ULL };
static const uint64_t v_quota_flags[] = { SVA_QUOTA_F_SET | SVA_QUOTA_F_USER };
static const uint64_t v_quota_id[] = { SVA_QUOTA_OWN_CGROUP, 0, 1000, 5 };

static const uint64_t v_quota_max[] = {
	0, 1, 1000, SVA_QUOTA_NO_LIMIT, SVA_QUOTA_NO_LIMIT,
};

static const uint64_t v_cursor[] = { 0, 0, 0, 1, -1ULL };

static const uint64_t v_gpa_root[] = {
	GUEST_BASE + GUEST_ROOT4 * PAGE, GUEST_BASE + GUEST_ROOT4 * PAGE,
	GUEST_BASE + GUEST_ROOT5 * PAGE, 0, GUEST_BASE + 1, GUEST_BASE + GUEST_SIZE,
	-1ULL << 12,
};

static const uint64_t v_gpa_table[] = {
	GUEST_BASE + GUEST_TABLE * PAGE, GUEST_BASE + GUEST_TABLE * PAGE,
	GUEST_BASE + GUEST_DATA * PAGE, 8, -1ULL << 12,
};

static const uint64_t v_addr_width[] = { 48, 48, 57, 39, 0 };
static const uint64_t v_s1_flags[] = { 0, 0, 0, 1, 2, 4, 8 };
static const uint64_t v_log2[] = { 4, 4, 0, 1, 20, 21, 64 };
static const uint64_t v_npages[] = { 1, 1, 2, 128, 0, UINT64_MAX };
static const uint64_t v_sim_scope[] = { 0, 3 };
static const uint64_t v_desc_num[] = { 1, 1, 1, 2, 8, 64 };

static const uint64_t v_code[] = {
	SVA_FAULT_SUCCESS, SVA_FAULT_SUCCESS, SVA_FAULT_INVALID, 2,
};

static const uint64_t v_microseconds[] = { 0, 0, 100, 1000, 5000 };
static const uint64_t v_milliseconds[] = { 0, 0, 1, 5 };

static const uint64_t v_read_len[] = {
	8, 8, sizeof(struct sva_vevent), sizeof(struct sva_fault), 4096, 0, 4,
};

static const uint64_t v_response_len[] = { 8, 8, 16, 4, 0 };
static const uint64_t v_file_size[] = { PAGE, 16 * PAGE, 2 << 20, 0, 100 };

static const uint64_t v_seals[] = {
	0, 0, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_SHRINK, F_SEAL_SEAL,
};

static const uint64_t v_file_start[] = {
	0, 0, PAGE, GUEST_SIZE - PAGE, GUEST_SIZE, 1, -1ULL << 12,
};

static const uint64_t v_advice[] = {
	MADV_DONTNEED, MADV_PAGEOUT, MADV_COLD, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
	25 /* MADV_COLLAPSE */, MADV_DONTFORK, MADV_DOFORK,
};

static const uint64_t v_prot[] = { PROT_READ | PROT_WRITE };
/* Entries of the tables that are there; their values. */
#define TABLE_ENTRY(_page, _n)	((_page) * PAGE + (_n) * 8)

static const uint64_t v_poke[] = {
	TABLE_ENTRY(GUEST_ROOT4, 0), TABLE_ENTRY(1, 0), TABLE_ENTRY(2, 0),
	TABLE_ENTRY(3, 0), TABLE_ENTRY(3, 1), TABLE_ENTRY(3, 2), TABLE_ENTRY(3, 127),
	TABLE_ENTRY(GUEST_TABLE, 0), TABLE_ENTRY(GUEST_TABLE, 1),
	TABLE_ENTRY(GUEST_TABLE, 2), TABLE_ENTRY(GUEST_DATA, 0),
};

static const uint64_t v_pte[] = {
	0, GUEST_BASE + GUEST_DATA * PAGE + 7, GUEST_BASE + GUEST_DATA * PAGE + 5,
	GUEST_BASE + 7, GUEST_BASE + PAGE + 7, GUEST_BASE + 2 * PAGE + 7,
	GUEST_BASE + 3 * PAGE + 7, GUEST_BASE + 0x87, GUEST_BASE + GUEST_SIZE + 7, 48,
	-1ULL, GUEST_BASE + 1,
};

static const uint64_t v_lane[] = { 1, MAX_LANES - 1 };
static const uint64_t v_ioctl_nr[] = { 0, 0x90 };

/* --- the table ----------------------------------------------------------------------- */

static const struct call calls[] = {
	/* --- contexts and PASIDs */
	{ RUN(open_sva, 4), .result = { RETURNS(fd, K_SVA) } },
	{ IOCTL("get_info", 1, SVA_GET_INFO, sva_get_info),
	  .field = { ON(K_SVA), SIZE(sva_get_info), ZERO(sva_get_info, flags) } },
	{ IOCTL("destroy", 8, SVA_DESTROY, sva_destroy),
	  .field = { ON(K_SVA), SIZE(sva_destroy),
		     REF(sva_destroy, id, K_AS | K_PARENT | K_NESTED | K_VIOMMU |
			 K_VDEVICE | K_GRANT_ID, id) } },
	{ IOCTL("pasid_alloc", 10, SVA_PASID_ALLOC, sva_pasid_alloc),
	  .field = { ON(K_SVA), SIZE(sva_pasid_alloc),
		     CHOICE(sva_pasid_alloc, flags, pasid_flags),
		     CHOICE(sva_pasid_alloc, min, pasid_bound),
		     CHOICE(sva_pasid_alloc, max, pasid_bound),
		     CHOICE(sva_pasid_alloc, count, count) },
	  .result = { OUT(sva_pasid_alloc, pasid, K_PASID) } },
	{ IOCTL("rid_alloc", 2, SVA_PASID_ALLOC, sva_pasid_alloc),
	  .field = { ON(K_SVA), SIZE(sva_pasid_alloc),
		     CHOICE(sva_pasid_alloc, flags, rid_flags),
		     CHOICE(sva_pasid_alloc, count, one) },
	  .result = { OUT(sva_pasid_alloc, pasid, K_RID) } },
	{ IOCTL("pasid_free", 6, SVA_PASID_FREE, sva_pasid_free),
	  .field = { ON(K_SVA), SIZE(sva_pasid_free), ZERO(sva_pasid_free, flags),
		     REF(sva_pasid_free, pasid, K_PASID | K_RID, pasid),
		     CHOICE(sva_pasid_free, count, count) } },
	{ IOCTL("pasid_info", 2, SVA_PASID_INFO, sva_pasid_info),
	  .field = { ON(K_SVA), SIZE(sva_pasid_info), ZERO(sva_pasid_info, flags),
		     REF(sva_pasid_info, pasid, K_PASID | K_RID, pasid) } },
	{ IOCTL("pasid_bind", 14, SVA_PASID_BIND, sva_pasid_bind),
	  .field = { ON(K_SVA), SIZE(sva_pasid_bind), ZERO(sva_pasid_bind, flags),
		     REF(sva_pasid_bind, pasid, K_PASID | K_RID, pasid),
		     REF(sva_pasid_bind, as_id, K_AS | K_PARENT | K_NESTED, id) } },
	{ IOCTL("pasid_guest", 4, SVA_PASID_GUEST, sva_pasid_guest),
	  .field = { ON(K_SVA), SIZE(sva_pasid_guest),
		     CHOICE(sva_pasid_guest, flags, guest_flags),
		     REF(sva_pasid_guest, pasid, K_PASID | K_RID, pasid),
		     CHOICE(sva_pasid_guest, guest_pasid, guest_pasid) } },
	{ IOCTL("pasid_fd", 5, SVA_PASID_FD, sva_pasid_fd),
	  .field = { ON(K_SVA), SIZE(sva_pasid_fd), ZERO(sva_pasid_fd, flags),
		     REF(sva_pasid_fd, pasid, K_PASID | K_RID, pasid) },
	  .result = { OUT(sva_pasid_fd, fd, K_GRANT),
		      OUT(sva_pasid_fd, id, K_GRANT_ID) } },
	{ IOCTL("quota", 2, SVA_QUOTA, sva_quota),
	  .field = { ON(K_SVA), SIZE(sva_quota), FLAGS(sva_quota, flags, quota_flags),
		     CHOICE(sva_quota, id, quota_id), CHOICE(sva_quota, max, quota_max),
		     ZERO(sva_quota, __reserved) } },
	{ IOCTL("list", 3, SVA_LIST, sva_list),
	  .field = { ON(K_SVA), SIZE(sva_list), FLAGS(sva_list, flags, one_flag),
		     NUMBER(sva_list, kind, list_kind),
		     CHOICE(sva_list, entry_size, entry_len),
		     CHOICE(sva_list, num, entries), BUFFER(sva_list, entries),
		     CHOICE(sva_list, cursor[0], cursor),
		     CHOICE(sva_list, cursor[1], cursor),
		     CHOICE(sva_list, cursor[2], cursor) } },
	{ IOCTL("dirty_set", 1, SVA_IOVA_DIRTY_SET, sva_destroy),
	  .field = { ON(K_SVA), SIZE(sva_destroy) } },

	/* --- address spaces */
	{ IOCTL("as_alloc", 8, SVA_AS_ALLOC, sva_as_alloc),
	  .field = { ON(K_SVA), SIZE(sva_as_alloc), FLAGS(sva_as_alloc, flags, as_flags),
		     CHOICE(sva_as_alloc, type, as_type),
		     CHOICE(sva_as_alloc, parent_id, id), CHOICE(sva_as_alloc, dev_id, id),
		     REF(sva_as_alloc, fault_fd, K_FAULTQ, fd),
		     CHOICE(sva_as_alloc, data_type, data_type),
		     CHOICE(sva_as_alloc, data_len, data_len),
		     ZERO(sva_as_alloc, __reserved),
		     CHOICE(sva_as_alloc, data_uptr, data_uptr) },
	  .result = { OUT(sva_as_alloc, id, K_AS) } },
	{ IOCTL("iova_alloc", 5, SVA_AS_ALLOC, sva_as_alloc),
	  .field = { ON(K_SVA), SIZE(sva_as_alloc), ZERO(sva_as_alloc, flags),
		     CHOICE(sva_as_alloc, type, iova_type) },
	  .result = { OUT(sva_as_alloc, id, K_AS) } },
	{ IOCTL("parent_alloc", 4, SVA_AS_ALLOC, sva_as_alloc),
	  .field = { ON(K_SVA), SIZE(sva_as_alloc),
		     CHOICE(sva_as_alloc, flags, parent_flags),
		     CHOICE(sva_as_alloc, type, iova_type) },
	  .result = { OUT(sva_as_alloc, id, K_PARENT) } },
	{ IOCTL("nested_alloc", 8, SVA_AS_ALLOC, sva_as_alloc),
	  .data_size = sizeof(struct iommu_hwpt_vtd_s1),
	  .field = { ON(K_SVA), SIZE(sva_as_alloc),
		     CHOICE(sva_as_alloc, flags, fault_flags),
		     CHOICE(sva_as_alloc, type, nested_type),
		     REF(sva_as_alloc, parent_id, K_PARENT | K_VIOMMU, id),
		     REF(sva_as_alloc, dev_id, K_DEV, dev),
		     REF(sva_as_alloc, fault_fd, K_FAULTQ, fd),
		     CHOICE(sva_as_alloc, data_type, vtd_s1),
		     DATA_SIZE(sva_as_alloc, data_len), BUFFER(sva_as_alloc, data_uptr),
		     DATA_CHOICE(0, iommu_hwpt_vtd_s1, flags, s1_flags),
		     DATA_CHOICE(0, iommu_hwpt_vtd_s1, pgtbl_addr, gpa_root),
		     DATA_CHOICE(0, iommu_hwpt_vtd_s1, addr_width, addr_width) },
	  .result = { OUT(sva_as_alloc, id, K_NESTED) } },
	{ IOCTL("table_alloc", 4, SVA_AS_ALLOC, sva_as_alloc),
	  .data_size = sizeof(struct sva_sim_hwpt_table),
	  .field = { ON(K_SVA), SIZE(sva_as_alloc),
		     CHOICE(sva_as_alloc, flags, fault_flags),
		     CHOICE(sva_as_alloc, type, table_type),
		     REF(sva_as_alloc, parent_id, K_PARENT | K_VIOMMU, id),
		     REF(sva_as_alloc, dev_id, K_DEV, dev),
		     REF(sva_as_alloc, fault_fd, K_FAULTQ, fd),
		     CHOICE(sva_as_alloc, data_type, sim_table),
		     DATA_SIZE(sva_as_alloc, data_len), BUFFER(sva_as_alloc, data_uptr),
		     DATA_CHOICE(0, sva_sim_hwpt_table, table_gpa, gpa_table),
		     DATA_CHOICE(0, sva_sim_hwpt_table, entries_log2, log2),
		     DATA_ZERO(0, sva_sim_hwpt_table, flags) },
	  .result = { OUT(sva_as_alloc, id, K_NESTED) } },
	{ IOCTL("iova_ranges", 2, SVA_IOVA_RANGES, sva_iova_ranges),
	  .field = { ON(K_SVA), SIZE(sva_iova_ranges),
		     REF(sva_iova_ranges, as_id, K_AS | K_PARENT, id),
		     CHOICE(sva_iova_ranges, num, entries),
		     ZERO(sva_iova_ranges, __reserved), BUFFER(sva_iova_ranges, ranges) } },
	{ IOCTL("iova_map", 12, SVA_IOVA_MAP, sva_iova_map),
	  .field = { ON(K_SVA), SIZE(sva_iova_map),
		     CHOICE(sva_iova_map, flags, map_flags),
		     REF(sva_iova_map, as_id, K_AS | K_PARENT, id),
		     ZERO(sva_iova_map, __reserved), MEMORY(sva_iova_map, user_va),
		     LENGTH(sva_iova_map, length), ADDRESS(sva_iova_map, iova) },
	  .result = { OUT(sva_iova_map, iova, K_IOVA) } },
	{ IOCTL("iova_map_file", 8, SVA_IOVA_MAP_FILE, sva_iova_map_file),
	  .field = { ON(K_SVA), SIZE(sva_iova_map_file),
		     CHOICE(sva_iova_map_file, flags, map_flags),
		     REF(sva_iova_map_file, as_id, K_AS | K_PARENT, id),
		     REF(sva_iova_map_file, fd, K_MEMFD, fd),
		     CHOICE(sva_iova_map_file, start, file_start),
		     LENGTH(sva_iova_map_file, length),
		     ADDRESS(sva_iova_map_file, iova) },
	  .result = { OUT(sva_iova_map_file, iova, K_IOVA) } },
	{ IOCTL("iova_unmap", 7, SVA_IOVA_UNMAP, sva_iova_unmap),
	  .field = { ON(K_SVA), SIZE(sva_iova_unmap),
		     REF(sva_iova_unmap, as_id, K_AS | K_PARENT, id),
		     ADDRESS(sva_iova_unmap, iova), LENGTH(sva_iova_unmap, length) } },
	{ IOCTL("iova_copy", 5, SVA_IOVA_COPY, sva_iova_copy),
	  .field = { ON(K_SVA), SIZE(sva_iova_copy),
		     CHOICE(sva_iova_copy, flags, map_flags),
		     REF(sva_iova_copy, dst_as_id, K_AS | K_PARENT, id),
		     REF(sva_iova_copy, src_as_id, K_AS | K_PARENT, id),
		     LENGTH(sva_iova_copy, length), ADDRESS(sva_iova_copy, dst_iova),
		     ADDRESS(sva_iova_copy, src_iova) },
	  .result = { OUT(sva_iova_copy, dst_iova, K_IOVA) } },
	{ IOCTL("invalidate", 8, SVA_INVALIDATE, sva_invalidate),
	  .data_size = sizeof(struct iommu_hwpt_vtd_s1_invalidate),
	  .field = { ON(K_SVA), SIZE(sva_invalidate),
		     REF(sva_invalidate, as_id, K_NESTED, id),
		     CHOICE(sva_invalidate, data_type, vtd_inv),
		     DATA_SIZE(sva_invalidate, entry_len),
		     CHOICE(sva_invalidate, entry_num, count),
		     ZERO(sva_invalidate, __reserved), BUFFER(sva_invalidate, data_uptr),
		     DATA_ADDRESS(0, iommu_hwpt_vtd_s1_invalidate, addr),
		     DATA_CHOICE(0, iommu_hwpt_vtd_s1_invalidate, npages, npages),
		     DATA_CHOICE(0, iommu_hwpt_vtd_s1_invalidate, flags, s1_flags) } },
	{ IOCTL("invalidate_table", 3, SVA_INVALIDATE, sva_invalidate),
	  .data_size = sizeof(struct sva_sim_invalidate),
	  .field = { ON(K_SVA), SIZE(sva_invalidate),
		     REF(sva_invalidate, as_id, K_NESTED, id),
		     CHOICE(sva_invalidate, data_type, sim_inv),
		     DATA_SIZE(sva_invalidate, entry_len),
		     CHOICE(sva_invalidate, entry_num, count),
		     BUFFER(sva_invalidate, data_uptr),
		     DATA_NUMBER(0, sva_sim_invalidate, scope, sim_scope),
		     DATA_NUMBER(0, sva_sim_invalidate, pasid, small),
		     DATA_ADDRESS(0, sva_sim_invalidate, addr),
		     DATA_CHOICE(0, sva_sim_invalidate, npages, npages),
		     DATA_CHOICE(0, sva_sim_invalidate, flags, s1_flags) } },
#define ENTRY sizeof(struct sva_invalidate_target)
	{ IOCTL("invalidate_viommu", 5, SVA_INVALIDATE, sva_invalidate),
	  .data_size = ENTRY + sizeof(struct iommu_hwpt_vtd_s1_invalidate),
	  .field = { ON(K_SVA), SIZE(sva_invalidate),
		     REF(sva_invalidate, as_id, K_VIOMMU, id),
		     CHOICE(sva_invalidate, data_type, vtd_inv),
		     DATA_SIZE(sva_invalidate, entry_len),
		     CHOICE(sva_invalidate, entry_num, count),
		     BUFFER(sva_invalidate, data_uptr),
		     DATA_CHOICE(0, sva_invalidate_target, virt_id, virt_id),
		     DATA_CHOICE(0, sva_invalidate_target, guest_pasid, guest_pasid),
		     DATA_ADDRESS(ENTRY, iommu_hwpt_vtd_s1_invalidate, addr),
		     DATA_CHOICE(ENTRY, iommu_hwpt_vtd_s1_invalidate, npages, npages),
		     DATA_CHOICE(ENTRY, iommu_hwpt_vtd_s1_invalidate, flags, s1_flags) } },

	/* --- page requests and events */
	{ IOCTL("faultq_alloc", 4, SVA_FAULTQ_ALLOC, sva_faultq_alloc),
	  .field = { ON(K_SVA), SIZE(sva_faultq_alloc),
		     FLAGS(sva_faultq_alloc, flags, one_flag),
		     CHOICE(sva_faultq_alloc, depth, depth) },
	  .result = { OUT(sva_faultq_alloc, fd, K_FAULTQ) } },
	{ IOCTL("viommu_alloc", 4, SVA_VIOMMU_ALLOC, sva_viommu_alloc),
	  .field = { ON(K_SVA), SIZE(sva_viommu_alloc), ZERO(sva_viommu_alloc, flags),
		     REF(sva_viommu_alloc, parent_id, K_PARENT, id),
		     REF(sva_viommu_alloc, dev_id, K_DEV, dev) },
	  .result = { OUT(sva_viommu_alloc, id, K_VIOMMU) } },
	{ IOCTL("vdevice_alloc", 3, SVA_VDEVICE_ALLOC, sva_vdevice_alloc),
	  .field = { ON(K_SVA), SIZE(sva_vdevice_alloc), ZERO(sva_vdevice_alloc, flags),
		     REF(sva_vdevice_alloc, viommu_id, K_VIOMMU, id),
		     REF(sva_vdevice_alloc, dev_id, K_DEV, dev),
		     ZERO(sva_vdevice_alloc, __reserved),
		     CHOICE(sva_vdevice_alloc, virt_id, virt_id) },
	  .result = { OUT(sva_vdevice_alloc, id, K_VDEVICE) } },
	{ IOCTL("veventq_alloc", 3, SVA_VEVENTQ_ALLOC, sva_veventq_alloc),
	  .field = { ON(K_SVA), SIZE(sva_veventq_alloc),
		     FLAGS(sva_veventq_alloc, flags, one_flag),
		     REF(sva_veventq_alloc, viommu_id, K_VIOMMU, id),
		     CHOICE(sva_veventq_alloc, depth, depth),
		     ZERO(sva_veventq_alloc, __reserved) },
	  .result = { OUT(sva_veventq_alloc, fd, K_VEVENTQ) } },
	{ RUN(serve, 6), .field = { ARG_REF(fd, K_FAULTQ), ARG(answers, T_CHOICE, desc_num),
		     ARG(code, T_CHOICE, code), ARG(late, T_CHOICE, microseconds),
		     ARG(wait, T_CHOICE, milliseconds) } },
	{ RUN(respond, 2), .field = { ARG_REF(fd, K_FAULTQ), ARG(cookie, T_NUMBER, small),
		     ARG(code, T_CHOICE, code), ARG(length, T_CHOICE, response_len) } },
	{ RUN(read, 4), .field = {
		     ARG_REF(fd, K_FAULTQ | K_VEVENTQ | K_SIM | K_EVENTFD),
		     ARG(length, T_CHOICE, read_len), ARG(block, T_CHOICE, milliseconds) } },
	{ RUN(poll, 2), .field = {
		     ARG_REF(fd, K_FAULTQ | K_VEVENTQ | K_SIM | K_GRANT),
		     ARG(wait, T_CHOICE, milliseconds) } },

	/* --- engines */
	{ IOCTL("device_info", 2, SVA_DEVICE_INFO, sva_device_info),
	  .field = { ON(K_SVA), SIZE(sva_device_info),
		     FLAGS(sva_device_info, flags, one_flag),
		     REF(sva_device_info, dev_id, K_DEV, dev),
		     CHOICE(sva_device_info, data_len, entry_len),
		     BUFFER(sva_device_info, data_uptr) } },
	{ RUN(find_device, 4), .field = { ARG_REF(fd, K_SVA), ARG(engine, T_NUMBER, engine) },
	  .result = { RETURNS(dev, K_DEV) } },
	{ RUN(open_sim, 6), .field = { ARG(engine, T_NUMBER, engine),
				       ARG(nonblock, T_CHOICE, one_flag) },
	  .result = { RETURNS(fd, K_SIM) } },
	{ IOCTL("attach", 16, SVA_SIM_ATTACH, sva_sim_attach),
	  .field = { ON(K_SIM), SIZE(sva_sim_attach),
		     FLAGS(sva_sim_attach, flags, one_flag),
		     REF(sva_sim_attach, sva_fd, K_SVA | K_GRANT, fd),
		     REF(sva_sim_attach, pasid, K_PASID | K_RID, pasid),
		     CHOICE(sva_sim_attach, guest_pasid, guest_pasid) } },
	{ IOCTL("detach", 6, SVA_SIM_DETACH, sva_destroy),
	  .field = { ON(K_SIM) } },
	{ IOCTL("sim_info", 1, SVA_SIM_GET_INFO, sva_sim_info),
	  .field = { ON(K_SIM), SIZE(sva_sim_info), ZERO(sva_sim_info, flags) } },
	{ IOCTL("set_eventfd", 2, SVA_SIM_SET_EVENTFD, sva_sim_eventfd),
	  .field = { ON(K_SIM), SIZE(sva_sim_eventfd),
		     REF(sva_sim_eventfd, fd, K_EVENTFD, fd) } },
	{ RUN(submit, 16), .field = { ARG_REF(fd, K_SIM), ARG(op, T_NUMBER, sim_op),
		     ARG_TYPE(flags, T_ZERO), ARG_TYPE(src, T_ADDRESS),
		     ARG_TYPE(dst, T_ADDRESS), ARG_TYPE(length, T_LENGTH),
		     ARG_TYPE(completion, T_ADDRESS), ARG(num, T_CHOICE, desc_num) } },
	{ RUN(engine_make, 2), .field = { ARG(engine, T_NUMBER, own_engine),
		     ARG(iommu, T_NUMBER, iommu), ARG(pasid_bits, T_CHOICE, pasid_bits),
		     ARG(group, T_CHOICE, group), ARG(prq_group, T_CHOICE, prq_group),
		     ARG(sw_msi, T_CHOICE, bool), ARG(shared_msi, T_CHOICE, bool) } },
	{ RUN(engine_remove, 2), .field = { ARG(engine, T_NUMBER, own_engine) } },
	{ RUN(engine_set, 3), .field = { ARG(engine, T_NUMBER, own_engine),
		     ARG(attr, T_NUMBER, engine_attr),
		     ARG(value, T_CHOICE, engine_value) } },
	{ RUN(engine_rebind, 1), .field = { ARG(engine, T_NUMBER, own_engine) } },

	/* --- descriptors */
	{ RUN(close, 6), .field = { ARG_REF(fd, K_FDS) } },
	{ RUN(dup, 2), .field = { ARG_REF(fd, K_FDS) } },
	{ RUN(dup2, 1), .field = { ARG_REF(fd, K_FDS), ARG_REF(to, K_FDS) } },
	{ RUN(send, 2), .field = { ARG_REF(fd, K_FDS) } },
	{ RUN(receive, 2), .result = { RETURNS(fd, K_FDS) } },
	{ RUN(guest_memory, 3), .result = { RETURNS(fd, K_MEMFD) } },
	{ RUN(memfd, 2), .field = { ARG(size, T_CHOICE, file_size),
				    ARG(seals, T_CHOICE, seals) },
	  .result = { RETURNS(fd, K_MEMFD) } },
	{ RUN(eventfd, 1), .result = { RETURNS(fd, K_EVENTFD) } },
	{ RUN(fdinfo, 1), .field = { ARG_REF(fd, K_FDS) } },
	{ RUN(strange_ioctl, 1), .field = { ARG_REF(fd, K_FDS), ARG(nr, T_NUMBER, ioctl_nr) } },

	/* --- memory, time and processes */
	{ RUN(unmap_memory, 2), .field = { ARG_TYPE(addr, T_MEMORY),
					   ARG_TYPE(length, T_LENGTH) } },
	{ RUN(map_memory, 2), .field = { ARG_TYPE(addr, T_MEMORY),
		     ARG_TYPE(length, T_LENGTH), ARG(prot, T_FLAGS, prot) } },
	{ RUN(madvise, 3), .field = { ARG_TYPE(addr, T_MEMORY),
		     ARG_TYPE(length, T_LENGTH), ARG(advice, T_CHOICE, advice) } },
	{ RUN(poke, 4), .field = { ARG(offset, T_CHOICE, poke), ARG(value, T_CHOICE, pte) } },
	{ RUN(sleep, 2), .field = { ARG(us, T_CHOICE, microseconds) } },
	{ RUN(fork, 2), .field = { ARG(us, T_CHOICE, microseconds),
				   ARG(write, T_CHOICE, bool) } },
	{ RUN(exit, 1) },
	{ RUN(kill, 1), .field = { ARG(lane, T_NUMBER, lane) } },
};

unsigned int call_number(const struct call *call)
{
	if (call >= calls && call < calls + ARRAY_SIZE(calls))
		return call - calls;
	return call - vfio_calls + ARRAY_SIZE(calls);
}

const struct call *call_at(unsigned int n)
{
	if (n < ARRAY_SIZE(calls))
		return &calls[n];
	n -= ARRAY_SIZE(calls);
	return n < nr_vfio_calls ? &vfio_calls[n] : NULL;
}
