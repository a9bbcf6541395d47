/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/sva: PASIDs and the address spaces that devices translate through.
 *
 * A context is one open of /dev/sva. It owns PASIDs and address spaces; nothing
 * outside it can name them. A device driver is given an sva fd plus a PASID and
 * programs the number; everything about the number is done here.
 */
#ifndef _UAPI_LINUX_SVA_H
#define _UAPI_LINUX_SVA_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SVA_TYPE 0xC5

/**
 * DOC: General ioctl format
 *
 * Every ioctl takes a pointer to a structure that begins with its size in
 * bytes, filled in by user space. Structures grow only at their end:
 *
 *  - a size smaller than the structure's first version: -EINVAL
 *  - a size larger than the kernel knows, with anything but zeros behind what
 *    it knows, or larger than a page: -E2BIG
 *  - a flag the kernel does not know: -EOPNOTSUPP
 *  - a reserved field that is not zero: -EINVAL
 *  - an id or PASID that this context does not own: -ENOENT
 *  - an ioctl number the kernel does not know: -ENOTTY
 *
 * An ioctl that fails leaves everything as it was unless its documentation says
 * otherwise. The layout is the same for 32-bit and 64-bit callers.
 */
enum {
	SVA_CMD_GET_INFO = 0x00,
	SVA_CMD_DESTROY = 0x01,
	SVA_CMD_PASID_ALLOC = 0x02,
	SVA_CMD_PASID_FREE = 0x03,
	SVA_CMD_PASID_INFO = 0x04,
	SVA_CMD_PASID_BIND = 0x05,
	SVA_CMD_AS_ALLOC = 0x06,
	SVA_CMD_IOVA_RANGES = 0x07,
	SVA_CMD_IOVA_MAP = 0x08,
	SVA_CMD_IOVA_MAP_FILE = 0x09,
	SVA_CMD_IOVA_UNMAP = 0x0a,
	SVA_CMD_IOVA_COPY = 0x0b,
	SVA_CMD_IOVA_DIRTY_SET = 0x0c,
	SVA_CMD_IOVA_DIRTY_READ = 0x0d,
	SVA_CMD_DEVICE_INFO = 0x0e,
	SVA_CMD_INVALIDATE = 0x0f,
	SVA_CMD_FAULTQ_ALLOC = 0x10,
	SVA_CMD_PASID_GUEST = 0x11,
	SVA_CMD_VIOMMU_ALLOC = 0x12,
	SVA_CMD_VDEVICE_ALLOC = 0x13,
	SVA_CMD_VEVENTQ_ALLOC = 0x14,
	SVA_CMD_QUOTA = 0x15,
	SVA_CMD_PASID_FD = 0x16,
	SVA_CMD_LIST = 0x17,
};

/* The widest PASID that PCI Express has (PCIe 6.0, 7.8.9): 20 bits. */
#define SVA_PASID_WIDTH_MAX	20

/*
 * PASID objects without a number of their own (RID handles, process PASIDs)
 * are named by a handle with this bit set, so that one __u32 names any of them.
 */
#define SVA_PASID_HANDLE	0x80000000u

/* In place of an address space id: none. */
#define SVA_AS_NONE		0

/**
 * struct sva_get_info - ioctl(SVA_GET_INFO)
 * @size: sizeof(struct sva_get_info)
 * @flags: Must be 0
 * @features: Out: SVA_FEATURE_* bits that this kernel supports
 * @pasid_min: Out: lowest number that SVA_PASID_ALLOC can ever return
 * @pasid_max: Out: highest number that SVA_PASID_ALLOC can ever return
 * @pool_size: Out: how many numbers the pool has, used or free
 * @range_max: Out: largest @count that SVA_PASID_ALLOC accepts
 * @map_align: Out: alignment in bytes of addresses and lengths of mappings that
 *             every address space accepts
 * @__reserved: Out: 0
 *
 * Not all numbers between @pasid_min and @pasid_max belong to the pool: the
 * kernel's own users of PASIDs have the others.
 */
struct sva_get_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 features;
	__u32 pasid_min;
	__u32 pasid_max;
	__u32 pool_size;
	__u32 range_max;
	__u32 map_align;
	__u32 __reserved;
};

#define SVA_GET_INFO _IO(SVA_TYPE, SVA_CMD_GET_INFO)

/**
 * enum sva_feature - what a kernel supports
 * @SVA_FEATURE_PASID: PASIDs with numbers out of the system-wide pool
 * @SVA_FEATURE_PROCESS: process PASIDs (%SVA_PASID_F_MM)
 * @SVA_FEATURE_RID: RID handles (%SVA_PASID_F_RID)
 * @SVA_FEATURE_IOVA: address spaces of type %SVA_AS_TYPE_IOVA
 * @SVA_FEATURE_MAP_FILE: SVA_IOVA_MAP_FILE
 * @SVA_FEATURE_DEVICE_INFO: SVA_DEVICE_INFO
 * @SVA_FEATURE_NESTED: address spaces of type %SVA_AS_TYPE_NESTED and
 *                      %SVA_AS_TYPE_PASID_TABLE, where a device's IOMMU can
 * @SVA_FEATURE_FAULTQ: fault queues
 * @SVA_FEATURE_VIOMMU: vIOMMUs, vdevices and their event queues
 * @SVA_FEATURE_QUOTA: SVA_QUOTA
 * @SVA_FEATURE_PASID_FD: PASID fds
 * @SVA_FEATURE_LIST: SVA_LIST
 */
enum sva_feature {
	SVA_FEATURE_PASID = 1 << 0,
	SVA_FEATURE_PROCESS = 1 << 1,
	SVA_FEATURE_RID = 1 << 2,
	SVA_FEATURE_IOVA = 1 << 3,
	SVA_FEATURE_MAP_FILE = 1 << 4,
	SVA_FEATURE_DEVICE_INFO = 1 << 5,
	SVA_FEATURE_NESTED = 1 << 6,
	SVA_FEATURE_FAULTQ = 1 << 7,
	SVA_FEATURE_VIOMMU = 1 << 8,
	SVA_FEATURE_QUOTA = 1 << 9,
	SVA_FEATURE_PASID_FD = 1 << 10,
	SVA_FEATURE_LIST = 1 << 11,
};

/**
 * struct sva_destroy - ioctl(SVA_DESTROY)
 * @size: sizeof(struct sva_destroy)
 * @id: Address space, vIOMMU, vdevice or PASID fd to destroy
 *
 * Everything that is mapped is unmapped and unpinned. A PASID fd is revoked: when
 * the call returns, no device can do DMA by a bond made with it.
 *
 * Errors: -ENOENT no such id; -EBUSY a PASID is bound to it, another object was
 * made on it, or another call is using it at this moment.
 */
struct sva_destroy {
	__u32 size;
	__u32 id;
};

#define SVA_DESTROY _IO(SVA_TYPE, SVA_CMD_DESTROY)

/**
 * enum sva_pasid_flags - Flags for SVA_PASID_ALLOC
 * @SVA_PASID_F_MM: A process PASID: the PASID of the caller's own address
 *                  space. It has no number until the first attach, it is bound
 *                  to the process by that attach and cannot be bound to
 *                  anything else. Only a task of the same process can have it
 *                  attached, or who presents a PASID fd of it.
 * @SVA_PASID_F_RID: A RID handle: an address space for the requests of a
 *                   function that carry no PASID.
 *
 * The two exclude each other, and each demands @count 1 and @min and @max 0.
 */
enum sva_pasid_flags {
	SVA_PASID_F_MM = 1 << 0,
	SVA_PASID_F_RID = 1 << 1,
};

/**
 * struct sva_pasid_alloc - ioctl(SVA_PASID_ALLOC)
 * @size: sizeof(struct sva_pasid_alloc)
 * @flags: Combination of enum sva_pasid_flags
 * @min: Lowest number that will do, 0 for no wish
 * @max: Highest number that will do, 0 for no wish
 * @count: How many consecutive numbers, 1 to sva_get_info.range_max
 * @pasid: Out: the (first) PASID, or a handle with %SVA_PASID_HANDLE set
 *
 * Allocates @count consecutive numbers, all within [@min, @max]. Equal @min and
 * @max ask for one fixed number. All of them or none are allocated; afterwards
 * each is an object of its own. Without a wish, numbers that need more than 8
 * bits are preferred, so that those for narrow devices stay for who needs them;
 * a @max of the device's own limit always gives a number that fits it.
 *
 * No device needs to exist. A PASID begins unbound: a device attached to it has
 * its DMA blocked.
 *
 * Errors: -EINVAL @min is greater than @max, @count is out of range or does not
 * fit in [@min, @max], or a flag is combined with something it excludes; -EBUSY
 * a number that was asked for by @min == @max is taken or is not of the pool;
 * -ENOSPC no such run of numbers is free; -EDQUOT the caller's quota
 * (SVA_QUOTA); -ENOMEM.
 */
struct sva_pasid_alloc {
	__u32 size;
	__u32 flags;
	__u32 min;
	__u32 max;
	__u32 count;
	__u32 pasid;
};

#define SVA_PASID_ALLOC _IO(SVA_TYPE, SVA_CMD_PASID_ALLOC)

/**
 * struct sva_pasid_free - ioctl(SVA_PASID_FREE)
 * @size: sizeof(struct sva_pasid_free)
 * @flags: Must be 0
 * @pasid: PASID or handle; the first of a range
 * @count: How many consecutive numbers, 1 for a handle
 *
 * A binding ends with its PASID, and PASID fds of it are dead. The numbers of a
 * range need not come from one allocation. All are freed or none. Until a call
 * for many returns, others may find that they are no more, even if it fails.
 *
 * Errors: -EINVAL @count is 0, or more than 1 for a handle; -ENOENT one of them
 * is not this context's; -EBUSY a device is attached to one of them.
 */
struct sva_pasid_free {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__u32 count;
};

#define SVA_PASID_FREE _IO(SVA_TYPE, SVA_CMD_PASID_FREE)

/**
 * enum sva_pasid_kind - what a PASID object is
 * @SVA_PASID_KIND_NUMBER: A number out of the pool
 * @SVA_PASID_KIND_MM: A process PASID
 * @SVA_PASID_KIND_RID: A RID handle
 */
enum sva_pasid_kind {
	SVA_PASID_KIND_NUMBER = 0,
	SVA_PASID_KIND_MM = 1,
	SVA_PASID_KIND_RID = 2,
};

/**
 * enum sva_pasid_state - bits of sva_pasid_info.state
 * @SVA_PASID_S_BOUND: It is bound to an address space or, for a process PASID,
 *                     attached
 * @SVA_PASID_S_COHERENT: It has devices attached, and the IOMMU enforces cache
 *                        coherency for all of them
 * @SVA_PASID_S_REVOKED: The core had to end a use of it, after a rebind that
 *                       could be neither completed nor undone. Cleared by the
 *                       next successful bind.
 */
enum sva_pasid_state {
	SVA_PASID_S_BOUND = 1 << 0,
	SVA_PASID_S_COHERENT = 1 << 1,
	SVA_PASID_S_REVOKED = 1 << 2,
};

/**
 * struct sva_pasid_info - ioctl(SVA_PASID_INFO)
 * @size: sizeof(struct sva_pasid_info)
 * @flags: Must be 0
 * @pasid: PASID or handle
 * @kind: Out: enum sva_pasid_kind
 * @number: Out: the number that devices use; for a process PASID 0 until its
 *          first attach gives one to the process, which keeps it for life; 0
 *          for a RID handle
 * @as_id: Out: address space it is bound to, or %SVA_AS_NONE
 * @bonds: Out: number of uses by device drivers
 * @state: Out: combination of enum sva_pasid_state
 *
 * Errors: -ENOENT.
 */
struct sva_pasid_info {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__u32 kind;
	__u32 number;
	__u32 as_id;
	__u32 bonds;
	__u32 state;
};

#define SVA_PASID_INFO _IO(SVA_TYPE, SVA_CMD_PASID_INFO)

/**
 * struct sva_pasid_bind - ioctl(SVA_PASID_BIND)
 * @size: sizeof(struct sva_pasid_bind)
 * @flags: Must be 0
 * @pasid: PASID or RID handle
 * @as_id: Address space, or %SVA_AS_NONE to unbind
 *
 * Binding and attaching are independent and come in either order. If devices
 * are attached, then at every moment each of them sees the old translation, the
 * new one, or none: whether it is blocked for a moment depends on its IOMMU; it
 * always is if either address space has a fault queue. A bind that one device's
 * IOMMU refuses is undone on all of them.
 *
 * Errors: -ENOENT no such PASID or address space; -EINVAL a process PASID, which
 * is bound by attaching only; -EADDRINUSE for a RID handle: something is mapped
 * where the group has a reserved region; -EXDEV a nested address space, and a
 * device is behind another IOMMU instance; -ENOTRECOVERABLE the bind was refused
 * and the undo failed too: uses for which not even the old translation could be
 * restored are blocked and revoked, the others are as before; -ERANGE a device
 * has joined the group of an attached one for which the number is too wide;
 * -EBUSY a device is being reset; -EOPNOTSUPP or what else the IOMMU driver answered.
 */
struct sva_pasid_bind {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__u32 as_id;
};

#define SVA_PASID_BIND _IO(SVA_TYPE, SVA_CMD_PASID_BIND)

/**
 * enum sva_as_type - what an address space translates through
 * @SVA_AS_TYPE_IOVA: A map of pinned memory that user space manages
 * @SVA_AS_TYPE_NESTED: A stage-1 table that user space (a guest) owns, whose
 *                      output is the IOVA of a nesting parent
 * @SVA_AS_TYPE_PASID_TABLE: A table of stage-1 tables, one for each PASID of a
 *                           function, that user space owns. It can be bound to
 *                           a RID handle only.
 */
enum sva_as_type {
	SVA_AS_TYPE_IOVA = 1,
	SVA_AS_TYPE_NESTED = 2,
	SVA_AS_TYPE_PASID_TABLE = 3,
};

/**
 * enum sva_as_flags - Flags for SVA_AS_ALLOC
 * @SVA_AS_F_DIRTY: Dirty tracking. Reserved: -EOPNOTSUPP.
 * @SVA_AS_F_NEST_PARENT: %SVA_AS_TYPE_IOVA only: it can be a nesting parent.
 *                        Devices whose IOMMU cannot nest cannot be attached to
 *                        it, and some IOMMUs (VT-d) then refuse maps without
 *                        %SVA_IOVA_F_WRITE.
 * @SVA_AS_F_FAULT: Page requests go to the fault queue @fault_fd. Without it,
 *                  they are answered *invalid*.
 */
enum sva_as_flags {
	SVA_AS_F_DIRTY = 1 << 0,
	SVA_AS_F_NEST_PARENT = 1 << 1,
	SVA_AS_F_FAULT = 1 << 2,
};

/**
 * struct sva_as_alloc - ioctl(SVA_AS_ALLOC)
 * @size: sizeof(struct sva_as_alloc)
 * @flags: Combination of enum sva_as_flags
 * @type: enum sva_as_type
 * @id: Out: the address space
 * @parent_id: The nesting parent, an address space with
 *             %SVA_AS_F_NEST_PARENT, or a vIOMMU on one; 0 for
 *             %SVA_AS_TYPE_IOVA
 * @dev_id: An sva device, which names the IOMMU instance; 0 for
 *          %SVA_AS_TYPE_IOVA
 * @fault_fd: From SVA_FAULTQ_ALLOC, with %SVA_AS_F_FAULT, else 0
 * @data_type: Format of the user-owned table: enum iommu_hwpt_data_type of
 *             linux/iommufd.h
 * @data_len: Bytes at @data_uptr, up to 4096
 * @__reserved: Must be 0
 * @data_uptr: User pointer to the format's structure
 *
 * A nested address space is for devices behind one IOMMU instance. It keeps its
 * parent from being destroyed.
 *
 * Errors: -EOPNOTSUPP an unknown @type, or the IOMMU cannot nest so or does not
 * know @data_type; -ENOENT no such parent; -EINVAL the parent is not a nesting
 * parent, a flag or field does not belong to @type, or the IOMMU refuses what
 * is at @data_uptr; -ENODEV no such device; -EXDEV it is not behind the IOMMU
 * instance of the vIOMMU; -EBADF @fault_fd is not a fault
 * queue; -E2BIG @data_len is too large; -EFAULT; -ENOMEM.
 */
struct sva_as_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 id;
	__u32 parent_id;
	__u32 dev_id;
	__s32 fault_fd;
	__u32 data_type;
	__u32 data_len;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};

#define SVA_AS_ALLOC _IO(SVA_TYPE, SVA_CMD_AS_ALLOC)

/**
 * struct sva_iova_range - an interval of IOVA
 * @start: First IOVA
 * @last: Last IOVA, inclusive
 */
struct sva_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct sva_iova_ranges - ioctl(SVA_IOVA_RANGES)
 * @size: sizeof(struct sva_iova_ranges)
 * @as_id: Address space of type %SVA_AS_TYPE_IOVA
 * @num: In: entries that @ranges has room for. Out: entries that there are
 * @__reserved: Must be 0
 * @ranges: User pointer to an array of struct sva_iova_range, in ascending order
 * @alignment: Out: alignment in bytes that mappings need now
 *
 * The ranges that can be mapped, whether or not something is mapped there now.
 * They shrink when a device is attached, through its IOMMU's address width and,
 * for a RID handle, its group's reserved regions.
 *
 * Errors: -ENOENT; -EMSGSIZE @num was too small: @num is set to what is needed
 * and as many entries as fit are written; -EFAULT.
 */
struct sva_iova_ranges {
	__u32 size;
	__u32 as_id;
	__u32 num;
	__u32 __reserved;
	__aligned_u64 ranges;
	__aligned_u64 alignment;
};

#define SVA_IOVA_RANGES _IO(SVA_TYPE, SVA_CMD_IOVA_RANGES)

/**
 * enum sva_iova_flags - Flags for SVA_IOVA_MAP, _MAP_FILE and _COPY
 * @SVA_IOVA_F_READ: Devices may read
 * @SVA_IOVA_F_WRITE: Devices may write
 * @SVA_IOVA_F_FIXED: Map at the given IOVA; without it the kernel chooses one
 *
 * At least one of READ and WRITE is needed.
 */
enum sva_iova_flags {
	SVA_IOVA_F_READ = 1 << 0,
	SVA_IOVA_F_WRITE = 1 << 1,
	SVA_IOVA_F_FIXED = 1 << 2,
};

/**
 * struct sva_iova_map - ioctl(SVA_IOVA_MAP)
 * @size: sizeof(struct sva_iova_map)
 * @flags: Combination of enum sva_iova_flags
 * @as_id: Address space of type %SVA_AS_TYPE_IOVA
 * @__reserved: Must be 0
 * @user_va: Address of the memory in the caller's process
 * @length: Bytes
 * @iova: In: where to map, with %SVA_IOVA_F_FIXED. Out: where it was mapped
 *
 * Pins the memory that is at @user_va now and maps it. The mapping goes on to
 * mean that memory if the process unmaps or exits. What is pinned counts
 * against RLIMIT_MEMLOCK of the calling user.
 *
 * Errors: -EINVAL @user_va, @length or @iova is not aligned, @length is 0 or no
 * access is asked for; -EOVERFLOW a range wraps around; -EEXIST something is
 * mapped there; -EADDRNOTAVAIL the range is not one of SVA_IOVA_RANGES;
 * -ENOSPC no free IOVA is left; -EFAULT the process may not access the memory
 * so (read-only memory for %SVA_IOVA_F_WRITE, or nothing there); -ENXIO it is
 * device memory (VM_IO, VM_PFNMAP); -EOPNOTSUPP it is of a file system that
 * cannot pin for long (DAX); -EDQUOT more than RLIMIT_MEMLOCK allows; -EINTR a
 * fatal signal; -ENOMEM.
 */
struct sva_iova_map {
	__u32 size;
	__u32 flags;
	__u32 as_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define SVA_IOVA_MAP _IO(SVA_TYPE, SVA_CMD_IOVA_MAP)

/**
 * struct sva_iova_map_file - ioctl(SVA_IOVA_MAP_FILE)
 * @size: sizeof(struct sva_iova_map_file)
 * @flags: Combination of enum sva_iova_flags
 * @as_id: Address space of type %SVA_AS_TYPE_IOVA
 * @fd: A memfd, or a file on tmpfs or hugetlbfs
 * @start: Offset in the file, in bytes
 * @length: Bytes
 * @iova: In: where to map, with %SVA_IOVA_F_FIXED. Out: where it was mapped
 *
 * As SVA_IOVA_MAP, for memory of a file that need not be mapped into the
 * process. Holes are filled. The descriptor can be closed afterwards.
 *
 * Errors: those of SVA_IOVA_MAP and -EBADF not an open descriptor; -ENODEV not a
 * file of memory; -EACCES the descriptor is not open for reading, or not open
 * for writing with %SVA_IOVA_F_WRITE; -EPERM writing is sealed (F_SEAL_WRITE,
 * F_SEAL_FUTURE_WRITE) and %SVA_IOVA_F_WRITE is asked for; -ERANGE beyond the
 * end of the file.
 */
struct sva_iova_map_file {
	__u32 size;
	__u32 flags;
	__u32 as_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define SVA_IOVA_MAP_FILE _IO(SVA_TYPE, SVA_CMD_IOVA_MAP_FILE)

/**
 * struct sva_iova_unmap - ioctl(SVA_IOVA_UNMAP)
 * @size: sizeof(struct sva_iova_unmap)
 * @as_id: Address space of type %SVA_AS_TYPE_IOVA
 * @iova: First IOVA
 * @length: In: bytes; U64_MAX with @iova 0 means everything.
 *          Out: bytes that were unmapped
 *
 * Unmaps whole mappings: every one that lies in the range. When the call
 * returns, no device can reach the memory through this address space.
 *
 * Errors: -EINVAL @length is 0; -EOVERFLOW the range wraps around; -ENOENT
 * nothing is mapped in it (but "everything" of an empty address space
 * succeeds); -ERANGE it cuts through a mapping; -EBUSY a mapping in it is still
 * being made by another call; -EFAULT @length cannot be written: all that is in
 * the range was unmapped nevertheless.
 */
struct sva_iova_unmap {
	__u32 size;
	__u32 as_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define SVA_IOVA_UNMAP _IO(SVA_TYPE, SVA_CMD_IOVA_UNMAP)

/**
 * struct sva_iova_copy - ioctl(SVA_IOVA_COPY)
 * @size: sizeof(struct sva_iova_copy)
 * @flags: Combination of enum sva_iova_flags
 * @dst_as_id: Address space to map into
 * @src_as_id: Address space to copy from; may be the same
 * @length: Bytes
 * @dst_iova: In: where to map, with %SVA_IOVA_F_FIXED. Out: where it was mapped
 * @src_iova: What to copy: any part of one mapping
 *
 * Maps memory a second time without pinning or charging it a second time. It
 * stays pinned until its last mapping is gone.
 *
 * Errors: those of SVA_IOVA_MAP that concern the IOVA, and -ENOENT nothing is
 * mapped at @src_iova, or not in one mapping all the way; -EACCES
 * %SVA_IOVA_F_WRITE of memory that was not mapped for writing; -EBUSY the
 * source is still being mapped by another call.
 */
struct sva_iova_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_as_id;
	__u32 src_as_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};

#define SVA_IOVA_COPY _IO(SVA_TYPE, SVA_CMD_IOVA_COPY)

/*
 * Numbers reserved for dirty tracking: turning it on and off for an address
 * space, and reading the bitmap. They answer -EOPNOTSUPP.
 */
#define SVA_IOVA_DIRTY_SET _IO(SVA_TYPE, SVA_CMD_IOVA_DIRTY_SET)
#define SVA_IOVA_DIRTY_READ _IO(SVA_TYPE, SVA_CMD_IOVA_DIRTY_READ)

/**
 * enum sva_device_flags - Flags for SVA_DEVICE_INFO
 * @SVA_DEVICE_F_NEXT: Tell about the device with the lowest id that is @dev_id
 *                     or greater
 */
enum sva_device_flags {
	SVA_DEVICE_F_NEXT = 1 << 0,
};

/**
 * enum sva_device_caps - what a device and its IOMMU can do
 * @SVA_DEVICE_CAP_EXEC: PASID requests can ask for execute permission
 * @SVA_DEVICE_CAP_PRIV: PASID requests can be privileged
 * @SVA_DEVICE_CAP_PAGE_REQUESTS: The device makes page requests and its IOMMU
 *                                delivers them
 * @SVA_DEVICE_CAP_NESTED: The IOMMU driver implements nested address spaces
 *                         (whether the hardware can is in its own data)
 * @SVA_DEVICE_CAP_PASID_TABLE: Those are of type %SVA_AS_TYPE_PASID_TABLE
 * @SVA_DEVICE_CAP_COHERENT: Cache coherency can be enforced
 *
 * A bit that is not set means that it cannot be done or cannot be known.
 */
enum sva_device_caps {
	SVA_DEVICE_CAP_EXEC = 1 << 0,
	SVA_DEVICE_CAP_PRIV = 1 << 1,
	SVA_DEVICE_CAP_PAGE_REQUESTS = 1 << 2,
	SVA_DEVICE_CAP_NESTED = 1 << 3,
	SVA_DEVICE_CAP_PASID_TABLE = 1 << 4,
	SVA_DEVICE_CAP_COHERENT = 1 << 5,
};

#define SVA_NAME_MAX	64

/**
 * struct sva_device_info - ioctl(SVA_DEVICE_INFO)
 * @size: sizeof(struct sva_device_info)
 * @flags: Combination of enum sva_device_flags
 * @dev_id: In: the device, see %SVA_DEVICE_F_NEXT. Out: its id, which no other
 *          device gets before the module is unloaded
 * @caps: Out: enum sva_device_caps
 * @pasid_bits: Out: width of its PASIDs, 0 if it has none
 * @iova_bits: Out: width of the IOVA that its IOMMU translates, 0 if unknown
 * @data_type: Out: enum iommu_hw_info_type of linux/iommufd.h: what is at
 *             @data_uptr
 * @data_len: In: room at @data_uptr in bytes. Out: bytes that there are; if
 *            those are more than the room, the first ones are written
 * @data_uptr: User pointer to a buffer for the IOMMU driver's own hardware
 *             information, or 0 if @data_len is 0
 * @name: Out: name of the device, ending with 0
 * @iommu: Out: name of its IOMMU instance, ending with 0
 *
 * Lists the devices whose drivers can attach PASIDs.
 *
 * Errors: -ENOENT no such device; -EFAULT; -ENOMEM.
 */
struct sva_device_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 caps;
	__u32 pasid_bits;
	__u32 iova_bits;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	char name[SVA_NAME_MAX];
	char iommu[SVA_NAME_MAX];
};

#define SVA_DEVICE_INFO _IO(SVA_TYPE, SVA_CMD_DEVICE_INFO)

/**
 * struct sva_invalidate - ioctl(SVA_INVALIDATE)
 * @size: sizeof(struct sva_invalidate)
 * @as_id: A nested address space or PASID table, or a vIOMMU
 * @data_type: Format of the entries: enum iommu_hwpt_invalidate_data_type of
 *             linux/iommufd.h
 * @entry_len: Bytes of one entry, up to 4096
 * @entry_num: In: entries at @data_uptr. Out: entries that were handled
 * @__reserved: Must be 0
 * @data_uptr: User pointer to the entries
 *
 * Flushes what the IOMMU, and devices, may have cached of a table that user
 * space has changed. Entries are handled in order; at the first that cannot be,
 * the call ends with @entry_num telling how many were, and its error. Whatever
 * the error, @entry_num tells it, be it that none was. With
 * @entry_num 0 it tells whether the IOMMU knows @data_type (not of a vIOMMU).
 *
 * On a vIOMMU each entry begins with a struct sva_invalidate_target, behind
 * which stands an entry of the format: it is for the address space on that
 * vIOMMU that the PASID is bound to. This way a VMM can pass on what its guest
 * says in the guest's own names.
 *
 * Errors: -ENOENT no such address space or vIOMMU, or the guest PASID of a target
 * is not bound to one on this vIOMMU; -ENODEV no vdevice has that name; -EINVAL
 * it is not a user-owned table, or an entry is wrong or of an unknown type;
 * -EOPNOTSUPP the IOMMU driver cannot do what an entry says; -E2BIG @entry_len,
 * or more than 65536 entries; -EFAULT; -EINTR a fatal signal.
 */
struct sva_invalidate {
	__u32 size;
	__u32 as_id;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};

/**
 * struct sva_invalidate_target - begins an entry of an SVA_INVALIDATE of a vIOMMU
 * @virt_id: The guest's name of the device
 * @guest_pasid: Guest PASID
 * @__reserved: Must be 0
 */
struct sva_invalidate_target {
	__aligned_u64 virt_id;
	__u32 guest_pasid;
	__u32 __reserved;
};

#define SVA_INVALIDATE _IO(SVA_TYPE, SVA_CMD_INVALIDATE)

/**
 * enum sva_faultq_flags - Flags for SVA_FAULTQ_ALLOC
 * @SVA_FAULTQ_F_NONBLOCK: read(2) answers -EAGAIN instead of waiting
 */
enum sva_faultq_flags {
	SVA_FAULTQ_F_NONBLOCK = 1 << 0,
};

/* Page request groups that a fault queue can hold. */
#define SVA_FAULTQ_DEPTH_MAX	16384

/* Pages in a group; a group with more is answered *invalid*. */
#define SVA_FAULT_GROUP_MAX	256

/**
 * struct sva_faultq_alloc - ioctl(SVA_FAULTQ_ALLOC)
 * @size: sizeof(struct sva_faultq_alloc)
 * @flags: Combination of enum sva_faultq_flags
 * @depth: Page request groups it holds until they are answered, 1 to
 *         %SVA_FAULTQ_DEPTH_MAX
 * @fd: Out: the fault queue, close-on-exec
 *
 * The descriptor is named when an address space is made, and read afterwards.
 * It lives on its own: closing it answers all that is pending, and from then on
 * every page request, with *invalid*.
 *
 * Errors: -EINVAL @depth; -EMFILE, -ENFILE, -ENOMEM.
 */
struct sva_faultq_alloc {
	__u32 size;
	__u32 flags;
	__u32 depth;
	__s32 fd;
};

#define SVA_FAULTQ_ALLOC _IO(SVA_TYPE, SVA_CMD_FAULTQ_ALLOC)

/**
 * enum sva_fault_flags - Flags of struct sva_fault
 * @SVA_FAULT_PASID_VALID: The request had a PASID
 * @SVA_FAULT_LAST_PAGE: The last of its page request group
 * @SVA_FAULT_LOST: No request, but news of requests that were answered
 *                  *invalid* because the queue was full: only @lost is set
 */
enum sva_fault_flags {
	SVA_FAULT_PASID_VALID = 1 << 0,
	SVA_FAULT_LAST_PAGE = 1 << 1,
	SVA_FAULT_LOST = 1 << 2,
};

/**
 * enum sva_fault_perm - access that a page request asks for
 * @SVA_FAULT_PERM_READ: Read
 * @SVA_FAULT_PERM_WRITE: Write
 * @SVA_FAULT_PERM_EXEC: Execute
 * @SVA_FAULT_PERM_PRIV: Privileged
 */
enum sva_fault_perm {
	SVA_FAULT_PERM_READ = 1 << 0,
	SVA_FAULT_PERM_WRITE = 1 << 1,
	SVA_FAULT_PERM_EXEC = 1 << 2,
	SVA_FAULT_PERM_PRIV = 1 << 3,
};

/**
 * struct sva_fault - a page request, read from a fault queue
 * @flags: Combination of enum sva_fault_flags
 * @cookie: Names the page request group in the response
 * @dev_id: sva device that made it
 * @object: PASID or handle whose address space it missed in
 * @guest_pasid: Guest PASID of @object, or %SVA_GUEST_PASID_NONE
 * @pasid: PASID in the request
 * @grpid: Page request group index in the request
 * @perm: Combination of enum sva_fault_perm
 * @lost: How many groups were lost since the last time this was told
 * @__reserved: 0
 * @addr: Address of the page
 * @private_data: What the device added, if the IOMMU delivers it
 *
 * read(2) takes as many whole groups as fit, all pages of a group one after
 * another. It waits until there is something. Errors: -EAGAIN; -EINVAL not even
 * one group fits; -EFAULT, and nothing was taken.
 */
struct sva_fault {
	__u32 flags;
	__u32 cookie;
	__u32 dev_id;
	__u32 object;
	__u32 guest_pasid;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u32 lost;
	__u32 __reserved;
	__aligned_u64 addr;
	__aligned_u64 private_data[2];
};

/**
 * enum sva_fault_code - answers to a page request group
 * @SVA_FAULT_SUCCESS: The pages are there: the device tries again
 * @SVA_FAULT_INVALID: They will not be: the device's access fails
 */
enum sva_fault_code {
	SVA_FAULT_SUCCESS = 0,
	SVA_FAULT_INVALID = 1,
};

/**
 * struct sva_fault_response - an answer, written to a fault queue
 * @cookie: Which group
 * @code: enum sva_fault_code
 *
 * write(2) takes as many as it is given and answers how many bytes of them it
 * took; at one that is wrong it stops. Errors for the first: -ENOENT no such
 * group, it was not read yet, or it is answered already (a device that was
 * detached has its requests answered); -EINVAL an unknown code, or not a whole
 * number of responses; -EFAULT.
 */
struct sva_fault_response {
	__u32 cookie;
	__u32 code;
};

/* In place of a guest PASID: none. */
#define SVA_GUEST_PASID_NONE	0xffffffffu

/**
 * enum sva_guest_flags - Flags for SVA_PASID_GUEST
 * @SVA_GUEST_F_SET: Give @pasid the guest PASID @guest_pasid, in place of the
 *                   one it had, or none with %SVA_GUEST_PASID_NONE
 * @SVA_GUEST_F_FIND: Find the PASID whose guest PASID is @guest_pasid
 * @SVA_GUEST_F_GET: Tell the guest PASID of @pasid, %SVA_GUEST_PASID_NONE if it
 *                   has none
 */
enum sva_guest_flags {
	SVA_GUEST_F_SET = 1 << 0,
	SVA_GUEST_F_FIND = 1 << 1,
	SVA_GUEST_F_GET = 1 << 2,
};

/**
 * struct sva_pasid_guest - ioctl(SVA_PASID_GUEST)
 * @size: sizeof(struct sva_pasid_guest)
 * @flags: One of enum sva_guest_flags
 * @pasid: PASID or handle; Out with %SVA_GUEST_F_FIND
 * @guest_pasid: What the guest calls it, up to 2^20 - 1; Out with
 *               %SVA_GUEST_F_GET
 *
 * For a VMM whose guest chooses its own numbers. A guest PASID names one PASID
 * of the context. Page requests tell it.
 *
 * Errors: -EINVAL not exactly one flag, or @guest_pasid is too wide; -ENOENT no
 * such PASID, or none has that guest PASID; -EEXIST another one has it; -ENOMEM.
 */
struct sva_pasid_guest {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__u32 guest_pasid;
};

#define SVA_PASID_GUEST _IO(SVA_TYPE, SVA_CMD_PASID_GUEST)

/**
 * struct sva_viommu_alloc - ioctl(SVA_VIOMMU_ALLOC)
 * @size: sizeof(struct sva_viommu_alloc)
 * @flags: Must be 0
 * @parent_id: An address space with %SVA_AS_F_NEST_PARENT, which several
 *             vIOMMUs may share
 * @dev_id: An sva device, which names the IOMMU instance
 * @id: Out: the vIOMMU
 *
 * The slice of one IOMMU instance that a VM sees. It has the instance's cache
 * tag for the parent as long as it lives, whatever is attached.
 *
 * Errors: -ENOENT no such parent; -EINVAL it is not a nesting parent; -ENODEV no
 * such device; -EOPNOTSUPP its IOMMU cannot nest; -ENOMEM.
 */
struct sva_viommu_alloc {
	__u32 size;
	__u32 flags;
	__u32 parent_id;
	__u32 dev_id;
	__u32 id;
};

#define SVA_VIOMMU_ALLOC _IO(SVA_TYPE, SVA_CMD_VIOMMU_ALLOC)

/**
 * struct sva_vdevice_alloc - ioctl(SVA_VDEVICE_ALLOC)
 * @size: sizeof(struct sva_vdevice_alloc)
 * @flags: Must be 0
 * @viommu_id: The vIOMMU
 * @dev_id: An sva device behind its IOMMU instance
 * @id: Out: the vdevice
 * @__reserved: Must be 0
 * @virt_id: The guest's name of the device, not U64_MAX
 *
 * Errors: -ENOENT no such vIOMMU; -ENODEV no such device; -EXDEV it is behind
 * another instance; -EEXIST the vIOMMU has a vdevice of that name, or for that
 * device; -ENOMEM.
 */
struct sva_vdevice_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 dev_id;
	__u32 id;
	__u32 __reserved;
	__aligned_u64 virt_id;
};

#define SVA_VDEVICE_ALLOC _IO(SVA_TYPE, SVA_CMD_VDEVICE_ALLOC)

/**
 * enum sva_veventq_flags - Flags for SVA_VEVENTQ_ALLOC
 * @SVA_VEVENTQ_F_NONBLOCK: read(2) answers -EAGAIN instead of waiting
 */
enum sva_veventq_flags {
	SVA_VEVENTQ_F_NONBLOCK = 1 << 0,
};

/* Events that an event queue can hold. */
#define SVA_VEVENTQ_DEPTH_MAX	16384

/**
 * struct sva_veventq_alloc - ioctl(SVA_VEVENTQ_ALLOC)
 * @size: sizeof(struct sva_veventq_alloc)
 * @flags: Combination of enum sva_veventq_flags
 * @viommu_id: The vIOMMU
 * @depth: Events it holds, 1 to %SVA_VEVENTQ_DEPTH_MAX
 * @fd: Out: the event queue, close-on-exec
 * @__reserved: Must be 0
 *
 * A vIOMMU has one event queue at a time; closing it makes room for another.
 *
 * Errors: -ENOENT no such vIOMMU; -EINVAL @depth; -EEXIST it has one; -EMFILE,
 * -ENFILE, -ENOMEM.
 */
struct sva_veventq_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 depth;
	__s32 fd;
	__u32 __reserved;
};

#define SVA_VEVENTQ_ALLOC _IO(SVA_TYPE, SVA_CMD_VEVENTQ_ALLOC)

/**
 * enum sva_vevent_type - what an event is about
 * @SVA_VEVENT_FAULT: A translation through an address space of the vIOMMU failed
 *                    for good, and the IOMMU driver reported it
 * @SVA_VEVENT_LOST: The queue was full; events up to @sequence are lost
 */
enum sva_vevent_type {
	SVA_VEVENT_FAULT = 1,
	SVA_VEVENT_LOST = 2,
};

/**
 * struct sva_vevent - an event, read from an event queue
 * @type: enum sva_vevent_type
 * @sequence: Counts all events of the queue, lost ones too: a gap tells how many
 *            are missing in front of this one
 * @virt_id: The guest's name of the device
 * @addr: Address
 * @perm: enum sva_fault_perm: access that failed
 * @__reserved: 0
 *
 * read(2) takes as many as there are and fit, and waits for the first. Errors:
 * -EAGAIN; -EINVAL not even one fits; -EFAULT.
 */
struct sva_vevent {
	__u32 type;
	__u32 sequence;
	__aligned_u64 virt_id;
	__aligned_u64 addr;
	__u32 perm;
	__u32 __reserved;
};

/**
 * struct sva_pasid_fd - ioctl(SVA_PASID_FD)
 * @size: sizeof(struct sva_pasid_fd)
 * @flags: Must be 0
 * @pasid: PASID or handle
 * @fd: Out: the PASID fd, close-on-exec
 * @id: Out: names it in this context
 *
 * A PASID fd is the right to attach one PASID, and nothing else. It can be handed
 * to a process that is trusted with no more than that: whatever attaches devices
 * accepts it in place of an sva fd, with the PASID or 0 beside it. There can be
 * several for one PASID. One of a process PASID lets another process attach it.
 *
 * SVA_DESTROY of @id revokes it: the bonds made with it are ended, and no more
 * can be made. Closing the descriptor ends neither. It does not keep the context:
 * when that is closed, or the PASID is freed, it is dead, and so it is when it
 * was revoked. With a dead one, attaching answers -ESTALE. Bonds that were made
 * with it live on when the context is closed, as all bonds do.
 *
 * Errors: -ENOENT no such PASID; -EPERM the process PASID of another process;
 * -EMFILE, -ENFILE, -ENOMEM.
 */
struct sva_pasid_fd {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__s32 fd;
	__u32 id;
};

#define SVA_PASID_FD _IO(SVA_TYPE, SVA_CMD_PASID_FD)

/**
 * enum sva_quota_flags - Flags for SVA_QUOTA
 * @SVA_QUOTA_F_SET: Set @max; without it, it is only read
 * @SVA_QUOTA_F_USER: Of the user @id instead of a cgroup
 */
enum sva_quota_flags {
	SVA_QUOTA_F_SET = 1 << 0,
	SVA_QUOTA_F_USER = 1 << 1,
};

/* In place of a number of PASIDs: there is no limit. */
#define SVA_QUOTA_NO_LIMIT	0xffffffffu

/* In place of the descriptor of a cgroup: the one that the caller is in. */
#define SVA_QUOTA_OWN_CGROUP	0xffffffffu

/**
 * struct sva_quota - ioctl(SVA_QUOTA)
 * @size: sizeof(struct sva_quota)
 * @flags: Combination of enum sva_quota_flags
 * @id: Descriptor of a directory of the cgroup v2 hierarchy, opened for reading,
 *      or %SVA_QUOTA_OWN_CGROUP; with %SVA_QUOTA_F_USER the user's id, as the
 *      caller's user namespace has it
 * @max: How many PASIDs it can have, or %SVA_QUOTA_NO_LIMIT. In with
 *       %SVA_QUOTA_F_SET, out without
 * @used: Out: how many it has
 * @peak: Out: the most that it has had
 * @left: Out: how many more it can get, which may be fewer than @max leaves: the
 *        least that it or one above it has left, or %SVA_QUOTA_NO_LIMIT
 * @__reserved: Must be 0
 * @events: Out: how many allocations have failed because of its @max, or in a
 *          cgroup because of that of one below it
 *
 * A PASID is charged to the cgroup of whoever allocates it and to all cgroups
 * above that, and to the user (the effective user id), whoever opened the
 * context. Users of a user namespace that root has not made count as who made it.
 * It stays charged to them until it is free: when the task moves on,
 * when the cgroup is removed. A process PASID is charged when the process is
 * attached to a device for the first time, once, and until the process has ended
 * and all its PASID objects are free. A RID handle has no number and is not
 * charged.
 *
 * An allocation that would exceed the @max of any of them fails with -EDQUOT and
 * charges nobody. Setting @max to less than there are takes nothing away.
 *
 * The limit of a cgroup is set by who may write the directory above it: whoever
 * a cgroup was delegated to can divide what it has and cannot get more. The root
 * has none. A user starts with the limit that the module parameter
 * ``user_limit`` has. Who has CAP_SYS_RESOURCE in the initial user namespace is not
 * bound by his own; to set a limit takes that capability, and so does reading that
 * of another user. @peak and @events of a user who has no PASID may
 * be forgotten.
 *
 * Errors: -EBADF @id is no directory of the cgroup v2 hierarchy or not open for
 * reading; -ENODEV the cgroup has been removed; -EINVAL the limit of the root or
 * of %SVA_QUOTA_OWN_CGROUP was to be set, or @id is no user; -EACCES the
 * directory above must not be written; -EROFS it is mounted read-only; -EPERM
 * the limit of the cgroup that the caller's cgroup namespace begins with, or one
 * outside, with the mount option nsdelegate; or it takes CAP_SYS_RESOURCE;
 * -ENOMEM.
 */
struct sva_quota {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 max;
	__u32 used;
	__u32 peak;
	__u32 left;
	__u32 __reserved;
	__aligned_u64 events;
};

#define SVA_QUOTA _IO(SVA_TYPE, SVA_CMD_QUOTA)

/**
 * enum sva_list_flags - Flags for SVA_LIST
 * @SVA_LIST_F_ALL: Of all contexts of the system, the newest first, instead of
 *                  the one that the descriptor is of. Needs CAP_SYS_ADMIN in
 *                  the initial user namespace.
 */
enum sva_list_flags {
	SVA_LIST_F_ALL = 1 << 0,
};

/**
 * enum sva_list_kind - what SVA_LIST lists
 * @SVA_LIST_CONTEXTS: Contexts: struct sva_list_context. Without
 *                     %SVA_LIST_F_ALL that is one
 * @SVA_LIST_PASIDS: PASIDs and handles: struct sva_list_pasid
 * @SVA_LIST_BONDS: Uses by device drivers, the newest first:
 *                  struct sva_list_bond
 * @SVA_LIST_OBJECTS: Address spaces, vIOMMUs, vdevices and PASID fds:
 *                    struct sva_list_object
 * @SVA_LIST_MAPS: What is mapped in address spaces: struct sva_list_map
 */
enum sva_list_kind {
	SVA_LIST_CONTEXTS = 1,
	SVA_LIST_PASIDS = 2,
	SVA_LIST_BONDS = 3,
	SVA_LIST_OBJECTS = 4,
	SVA_LIST_MAPS = 5,
};

/**
 * struct sva_list - ioctl(SVA_LIST)
 * @size: sizeof(struct sva_list)
 * @flags: Combination of enum sva_list_flags
 * @kind: enum sva_list_kind
 * @entry_size: Bytes of an entry of @entries, a multiple of 8 up to 4096: the
 *              size that the structure of @kind has for the caller. Entries are
 *              cut off, or filled up with zeros, if it has another one for the
 *              kernel
 * @num: In: entries that @entries has room for, not 0. Out: entries written
 * @more: Out: 0 if the list ends here, else 1
 * @entries: User pointer to an array of structures of @kind
 * @cursor: In: zeros to begin, or what the last call wrote. Out: where to go on
 *
 * Lists what there is, some at a time: call again with the same argument as long
 * as @more is 1. A call never writes more than 256 entries, and may write none
 * although there are more.
 *
 * Objects may come and go in between. What exists from the first call to the last
 * is listed once, what does not may be listed or not, and the list ends whatever
 * else goes on. A cursor stays valid for ever, and means nothing else than where
 * to go on.
 *
 * Listing keeps nothing alive and makes no other call fail.
 *
 * Errors: -EOPNOTSUPP unknown @kind; -EINVAL @entry_size or @num; -E2BIG
 * @entry_size is too large; -EPERM not allowed to see all contexts; -EFAULT, and
 * the cursor is as it was; -EINTR; -ENOMEM.
 */
struct sva_list {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 entry_size;
	__u32 num;
	__u32 more;
	__aligned_u64 entries;
	__aligned_u64 cursor[3];
};

#define SVA_LIST _IO(SVA_TYPE, SVA_CMD_LIST)

#define SVA_COMM_MAX	16

/**
 * enum sva_context_state - bits of sva_list_context.state
 * @SVA_CONTEXT_S_CLOSED: Its last descriptor is closed; what is left are bonds
 * @SVA_CONTEXT_S_SELF: It is that of the descriptor that lists
 */
enum sva_context_state {
	SVA_CONTEXT_S_CLOSED = 1 << 0,
	SVA_CONTEXT_S_SELF = 1 << 1,
};

/**
 * struct sva_list_context - a context
 * @ctx_id: Its id; no other context gets it before the module is unloaded
 * @tgid: Process that opened it, in the caller's PID namespace; 0 if that does
 *        not see it, or it is no more
 * @uid: User who opened it, in the caller's user namespace
 * @comm: What the opening thread was called, ending with 0
 * @state: Combination of enum sva_context_state
 * @pasids: PASIDs with a number out of the pool
 * @processes: Process PASIDs
 * @rids: RID handles
 * @bonds: Uses by device drivers
 * @iovas: Address spaces of type %SVA_AS_TYPE_IOVA
 * @nested: Address spaces of type %SVA_AS_TYPE_NESTED
 * @pasid_tables: Address spaces of type %SVA_AS_TYPE_PASID_TABLE
 * @viommus: vIOMMUs
 * @vdevices: vdevices
 * @maps: Mappings in all address spaces
 * @page_requests: Page request groups that wait for an answer from user space
 * @pasid_fds: PASID fds that are not revoked
 * @__reserved: 0
 * @pinned_pages: Pages that it has pinned
 * @faults: Page request groups that were meant for its fault queues, ever
 * @invalidations: Entries of SVA_INVALIDATE and calls of SVA_IOVA_UNMAP that
 *                 made IOMMUs forget something, ever
 */
struct sva_list_context {
	__aligned_u64 ctx_id;
	__u32 tgid;
	__u32 uid;
	char comm[SVA_COMM_MAX];
	__u32 state;
	__u32 pasids;
	__u32 processes;
	__u32 rids;
	__u32 bonds;
	__u32 iovas;
	__u32 nested;
	__u32 pasid_tables;
	__u32 viommus;
	__u32 vdevices;
	__u32 maps;
	__u32 page_requests;
	__u32 pasid_fds;
	__u32 __reserved;
	__aligned_u64 pinned_pages;
	__aligned_u64 faults;
	__aligned_u64 invalidations;
};

/**
 * struct sva_list_pasid - a PASID or handle
 * @ctx_id: Its context
 * @pasid: PASID or handle
 * @kind: enum sva_pasid_kind
 * @number: As in struct sva_pasid_info
 * @as_id: Address space it is bound to, or %SVA_AS_NONE
 * @bonds: Number of uses by device drivers
 * @state: Combination of enum sva_pasid_state
 * @guest_pasid: What the guest calls it, or %SVA_GUEST_PASID_NONE
 * @__reserved: 0
 */
struct sva_list_pasid {
	__aligned_u64 ctx_id;
	__u32 pasid;
	__u32 kind;
	__u32 number;
	__u32 as_id;
	__u32 bonds;
	__u32 state;
	__u32 guest_pasid;
	__u32 __reserved;
};

/**
 * enum sva_bond_status - how far a bond is
 * @SVA_BOND_S_LIVE: The device may use it
 * @SVA_BOND_S_REVOKING: Its driver is being told to stop
 * @SVA_BOND_S_REVOKED: Its driver was told to stop, and has yet to detach it
 */
enum sva_bond_status {
	SVA_BOND_S_LIVE = 0,
	SVA_BOND_S_REVOKING = 1,
	SVA_BOND_S_REVOKED = 2,
};

/**
 * struct sva_list_bond - a use of a PASID by a device driver
 * @ctx_id: Its context
 * @bond_id: Its id, which no other bond of the context ever gets
 * @pasid: PASID or handle
 * @number: The number that the device was given; 0 for a RID handle
 * @dev_id: sva device, which may be gone; 0 if it is a group, as which VFIO
 *          containers are attached
 * @status: enum sva_bond_status
 * @device: Name of the device, or of one of the group, ending with 0
 * @driver: Name of its driver, ending with 0; empty if the device is gone, or if
 *          it is a group
 */
struct sva_list_bond {
	__aligned_u64 ctx_id;
	__aligned_u64 bond_id;
	__u32 pasid;
	__u32 number;
	__u32 dev_id;
	__u32 status;
	char device[SVA_NAME_MAX];
	char driver[SVA_NAME_MAX];
};

/**
 * enum sva_object_kind - what an object with an id is
 * @SVA_OBJECT_IOVA: Address space of type %SVA_AS_TYPE_IOVA
 * @SVA_OBJECT_NESTED: Address space of type %SVA_AS_TYPE_NESTED
 * @SVA_OBJECT_PASID_TABLE: Address space of type %SVA_AS_TYPE_PASID_TABLE
 * @SVA_OBJECT_VIOMMU: vIOMMU
 * @SVA_OBJECT_VDEVICE: vdevice
 * @SVA_OBJECT_PASID_FD: PASID fd
 */
enum sva_object_kind {
	SVA_OBJECT_IOVA = 1,
	SVA_OBJECT_NESTED = 2,
	SVA_OBJECT_PASID_TABLE = 3,
	SVA_OBJECT_VIOMMU = 4,
	SVA_OBJECT_VDEVICE = 5,
	SVA_OBJECT_PASID_FD = 6,
};

/**
 * struct sva_list_object - an address space, vIOMMU, vdevice or PASID fd
 * @ctx_id: Its context
 * @id: Its id
 * @kind: enum sva_object_kind
 * @users: PASIDs that are bound to it, objects that were made on it, and calls
 *         that are using it: it can be destroyed when there is none
 * @maps: Mappings in it
 */
struct sva_list_object {
	__aligned_u64 ctx_id;
	__u32 id;
	__u32 kind;
	__u32 users;
	__u32 maps;
};

/**
 * struct sva_list_map - a mapping
 * @ctx_id: Its context
 * @iova: First IOVA
 * @length: Bytes
 * @as_id: Address space
 * @flags: %SVA_IOVA_F_READ, %SVA_IOVA_F_WRITE
 */
struct sva_list_map {
	__aligned_u64 ctx_id;
	__aligned_u64 iova;
	__aligned_u64 length;
	__u32 as_id;
	__u32 flags;
};

#endif /* _UAPI_LINUX_SVA_H */
