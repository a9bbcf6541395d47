/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Software DMA engines behind a software IOMMU: /dev/sva_simN.
 *
 * Each open file is one queue of the engine. Attach it to a PASID, then write
 * descriptors; every address in them is translated by (RID, PASID).
 */
#ifndef _UAPI_LINUX_SVA_SIM_H
#define _UAPI_LINUX_SVA_SIM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SVA_SIM_TYPE 0xC5

/**
 * enum sva_sim_attach_flags - Flags for SVA_SIM_ATTACH
 * @SVA_SIM_ATTACH_F_GUEST_PASID: @pasid is a RID handle that is for a PASID
 *                                table: the accesses carry @guest_pasid
 */
enum sva_sim_attach_flags {
	SVA_SIM_ATTACH_F_GUEST_PASID = 1 << 0,
};

/**
 * struct sva_sim_attach - ioctl(SVA_SIM_ATTACH)
 * @size: sizeof(struct sva_sim_attach)
 * @flags: Combination of enum sva_sim_attach_flags
 * @sva_fd: An open /dev/sva, or a PASID fd
 * @pasid: PASID or handle of that context; with a PASID fd, the one that it is
 *         for, or 0
 * @number: Out: the PASID that the engine uses, 0 for a RID handle
 * @guest_pasid: With %SVA_SIM_ATTACH_F_GUEST_PASID: the PASID, in place of that
 *               of @pasid; else 0
 *
 * Attaches this queue. A queue has one PASID at a time.
 *
 * Errors: -EBUSY the queue is attached already; -EBADF neither an sva fd nor a
 * PASID fd; -ENODEV the engine is gone; with a guest PASID, -EOPNOTSUPP the IOMMU
 * has no PASID tables of guests, -ERANGE the engine cannot send it, -EINVAL
 * @pasid is no RID handle; those of sva_attach().
 */
struct sva_sim_attach {
	__u32 size;
	__u32 flags;
	__s32 sva_fd;
	__u32 pasid;
	__u32 number;
	__u32 guest_pasid;
};

#define SVA_SIM_ATTACH _IO(SVA_SIM_TYPE, 0x80)

/*
 * Waits for the descriptors written so far, then detaches this queue; those
 * written meanwhile are aborted. No argument. Works as well when the bond was
 * revoked or the engine is gone, and needs not wait then.
 *
 * Errors: -EINVAL it is not attached; -EINTR.
 */
#define SVA_SIM_DETACH _IO(SVA_SIM_TYPE, 0x81)

/* In sva_sim_info.iommu: the engine is not behind a software IOMMU. */
#define SVA_SIM_IOMMU_NONE	0xffffffffu

/**
 * struct sva_sim_info - ioctl(SVA_SIM_GET_INFO)
 * @size: sizeof(struct sva_sim_info)
 * @flags: Must be 0
 * @pasid_max: Out: highest PASID of this engine
 * @iommu: Out: the software IOMMU instance it is behind, %SVA_SIM_IOMMU_NONE if
 *         it is behind a real one
 * @queue_depth: Out: descriptors that a queue holds
 * @number: Out: PASID of this queue, 0 if it has none
 * @completed: Out: descriptors of this queue that completed, whatever the status
 * @failed: Out: those that did not complete with %SVA_SIM_STATUS_OK
 * @bytes: Out: bytes moved or read for them
 * @page_requests: Out: page requests made for them
 * @iotlb_hits: Out: accesses of the engine that its IOTLB served
 * @iotlb_misses: Out: accesses that walked the address space
 * @queue_id: Out: the first word of private data in page requests of this queue;
 *            the second is how many descriptors it had completed before
 *
 * A descriptor is counted after its completion record was written; those that
 * were submitted before %SVA_SIM_DETACH are counted when that has returned.
 *
 * The counts of the IOTLB are those of all queues of the engine, and go on when
 * it is taken offline and enabled again.
 *
 * Errors: -ENODEV the engine is gone.
 */
struct sva_sim_info {
	__u32 size;
	__u32 flags;
	__u32 pasid_max;
	__u32 iommu;
	__u32 queue_depth;
	__u32 number;
	__aligned_u64 completed;
	__aligned_u64 failed;
	__aligned_u64 bytes;
	__aligned_u64 page_requests;
	__aligned_u64 iotlb_hits;
	__aligned_u64 iotlb_misses;
	__aligned_u64 queue_id;
};

#define SVA_SIM_GET_INFO _IO(SVA_SIM_TYPE, 0x82)

/**
 * struct sva_sim_eventfd - ioctl(SVA_SIM_SET_EVENTFD)
 * @size: sizeof(struct sva_sim_eventfd)
 * @fd: An eventfd that is signalled at each completion, or -1 for none
 *
 * Errors: -EBADF not an open fd; -EINVAL not an eventfd; -ENODEV the engine is
 * gone.
 */
struct sva_sim_eventfd {
	__u32 size;
	__s32 fd;
};

#define SVA_SIM_SET_EVENTFD _IO(SVA_SIM_TYPE, 0x83)

/**
 * enum sva_sim_op - operations of a descriptor
 * @SVA_SIM_OP_NOP: Do nothing, complete
 * @SVA_SIM_OP_MEMCPY: Copy @len bytes from @src to @dst, which must not overlap
 * @SVA_SIM_OP_FILL: Fill @len bytes at @dst with the 8-byte pattern @src, its
 *                   bytes in memory order, beginning anew at @dst
 * @SVA_SIM_OP_CRC32C: CRC-32C (Castagnoli, as of RFC 3720 B.4: seed and final
 *                     value inverted) of @len bytes at @src, into the result
 * @SVA_SIM_OP_COMPARE: Compare @len bytes at @src and @dst; the result is 0 if
 *                      they are equal, else 1 and the number of equal bytes in
 *                      sva_sim_completion.bytes
 * @SVA_SIM_OP_SGCOPY: Gather @len entries of struct sva_sim_sge at @src, one
 *                     after another, to @dst
 */
enum sva_sim_op {
	SVA_SIM_OP_NOP = 0,
	SVA_SIM_OP_MEMCPY = 1,
	SVA_SIM_OP_FILL = 2,
	SVA_SIM_OP_CRC32C = 3,
	SVA_SIM_OP_COMPARE = 4,
	SVA_SIM_OP_SGCOPY = 5,
};

/**
 * struct sva_sim_sge - an entry of a scatter list, in memory the engine reads
 * @addr: Address
 * @len: Bytes
 */
struct sva_sim_sge {
	__aligned_u64 addr;
	__aligned_u64 len;
};

/* Entries that one SVA_SIM_OP_SGCOPY may have. */
#define SVA_SIM_SGE_MAX 4096

/**
 * struct sva_sim_desc - a work descriptor, written to /dev/sva_simN
 * @op: enum sva_sim_op
 * @flags: Must be 0
 * @src: Address, or the pattern of %SVA_SIM_OP_FILL
 * @dst: Address
 * @len: Bytes, or entries of %SVA_SIM_OP_SGCOPY
 * @completion: Address of a struct sva_sim_completion, 8-byte aligned, or 0
 *
 * write(2) takes a whole number of descriptors and answers how many bytes of
 * them it took. It waits for room in the queue, or with O_NONBLOCK answers
 * -EAGAIN. Those of one queue are executed one after another, in order.
 * write(2) errors: -EINVAL not a whole number of descriptors, an unknown @op or
 * flag, a completion address that is not aligned; -ENOLINK no PASID is attached
 * or its bond was revoked; -ENODEV the engine is gone; -EFAULT.
 */
struct sva_sim_desc {
	__u32 op;
	__u32 flags;
	__aligned_u64 src;
	__aligned_u64 dst;
	__aligned_u64 len;
	__aligned_u64 completion;
};

/**
 * enum sva_sim_status - how a descriptor ended
 * @SVA_SIM_STATUS_PENDING: Not yet: what user space puts there beforehand
 * @SVA_SIM_STATUS_OK: Done
 * @SVA_SIM_STATUS_FAULT: An address could not be translated
 * @SVA_SIM_STATUS_INVALID: The descriptor asks for something impossible
 * @SVA_SIM_STATUS_ABORTED: The queue was detached, revoked or closed first. This
 *                          is written only where no page request is needed for
 *                          it
 */
enum sva_sim_status {
	SVA_SIM_STATUS_PENDING = 0,
	SVA_SIM_STATUS_OK = 1,
	SVA_SIM_STATUS_FAULT = 2,
	SVA_SIM_STATUS_INVALID = 3,
	SVA_SIM_STATUS_ABORTED = 4,
};

/**
 * struct sva_sim_completion - completion record, written by DMA
 * @status: enum sva_sim_status, written last
 * @result: Result of the operation
 * @bytes: Bytes done
 * @fault_addr: With %SVA_SIM_STATUS_FAULT: the address that faulted
 * @page_requests: Page requests that were made for it
 * @__reserved: 0
 *
 * read(2) of 8 bytes takes the number of completions since the last read, as
 * a __u64, and waits until it is not 0 (O_NONBLOCK: -EAGAIN; -ENOLINK the bond
 * was revoked, -ENODEV the engine is gone, and there are none). poll(2) reports
 * POLLIN when there are any, POLLOUT when there is room, POLLHUP when the bond
 * was revoked or the engine is gone. A completion record that cannot be written
 * is counted as failed.
 */
struct sva_sim_completion {
	__u32 status;
	__u32 result;
	__aligned_u64 bytes;
	__aligned_u64 fault_addr;
	__u32 page_requests;
	__u32 __reserved;
};

/**
 * DOC: Registers of an engine
 *
 * Who has an engine through VFIO, be it a PCI function or software, has these, in
 * region 0: little endian, 32 bits each, to be accessed as such (or as pairs).
 * Each queue executes a descriptor at a time. Interrupt n, of MSI-X or of index 0,
 * comes when queue n is done.
 *
 * A queue whose PASID is not attached to the device completes with
 * %SVA_SIM_STATUS_FAULT. Until a descriptor is done, its queue can be told to end it,
 * and nothing else.
 */
#define SVA_SIM_MAGIC			0x45415653

#define SVA_SIM_REG_MAGIC		0x000	/* SVA_SIM_MAGIC */
#define SVA_SIM_REG_QUEUES		0x004	/* how many there are */
#define SVA_SIM_REG_HITS		0x010	/* accesses served by the IOTLB */
#define SVA_SIM_REG_MISSES		0x014	/* those that were not */
#define SVA_SIM_REG_QUEUE(n)		(0x1000 + (n) * 0x100)

/* From SVA_SIM_REG_QUEUE() on */
#define SVA_SIM_REG_DESC		0x00	/* struct sva_sim_desc */
#define SVA_SIM_REG_PASID		0x28	/* PASID, or the next */
#define   SVA_SIM_REG_PASID_NONE	0x80000000u
#define SVA_SIM_REG_CONTROL		0x2c	/* written: one of the following */
#define   SVA_SIM_CONTROL_START		0x1	/* execute the descriptor */
#define   SVA_SIM_CONTROL_ABORT		0x2	/* end it as aborted, soon */
#define SVA_SIM_REG_STATE		0x30	/* IDLE is written when DONE was seen */
#define   SVA_SIM_STATE_IDLE		0
#define   SVA_SIM_STATE_BUSY		1
#define   SVA_SIM_STATE_DONE		2
#define SVA_SIM_REG_NOT_WRITTEN		0x34	/* 1: the record in memory is not */
#define SVA_SIM_REG_RECORD		0x40	/* struct sva_sim_completion */

/*
 * An instance of the software IOMMU nests either single stage-1 tables, in the
 * formats of VT-d (linux/iommufd.h), or whole PASID tables. These are the formats
 * of the latter, for address spaces of type SVA_AS_TYPE_PASID_TABLE. Their type
 * numbers are outside the range that linux/iommufd.h uses.
 */
#define SVA_SIM_HWPT_DATA_TABLE		0x53494d01	/* sva_as_alloc.data_type */
#define SVA_SIM_INVALIDATE_DATA_TABLE	0x53494d01	/* sva_invalidate.data_type */
#define SVA_SIM_HW_INFO_TABLE		0x53494d01	/* sva_device_info.data_type */

/**
 * struct sva_sim_hw_info - SVA_DEVICE_INFO behind such an instance
 * @entries_log2_max: Largest sva_sim_hwpt_table.entries_log2
 * @gpa_width: Bits of a guest-physical address
 * @addr_widths: Bit n: a stage-1 table can have sva_sim_table_entry.addr_width n
 */
struct sva_sim_hw_info {
	__u32 entries_log2_max;
	__u32 gpa_width;
	__aligned_u64 addr_widths;
};

/**
 * struct sva_sim_hwpt_table - a PASID table of a guest
 * @table_gpa: Its guest-physical address, 4 KiB aligned
 * @entries_log2: It has 2 to the power of this entries, 20 at most
 * @flags: Must be 0
 *
 * The entry of a request is that of its PASID; without one, the first. What was
 * read of an entry is used until it is invalidated.
 */
struct sva_sim_hwpt_table {
	__aligned_u64 table_gpa;
	__u32 entries_log2;
	__u32 flags;
};

/* In sva_sim_table_entry.pgtbl: there is a stage-1 table. */
#define SVA_SIM_TABLE_VALID	1ULL

/**
 * struct sva_sim_table_entry - an entry of it
 * @pgtbl: Guest-physical address of a stage-1 table, 4 KiB aligned, and
 *         %SVA_SIM_TABLE_VALID
 * @addr_width: 48 or 57
 * @__reserved: Must be 0
 */
struct sva_sim_table_entry {
	__aligned_u64 pgtbl;
	__u32 addr_width;
	__u32 __reserved;
};

/**
 * enum sva_sim_invalidate_scope - what was changed
 * @SVA_SIM_INVALIDATE_TABLE: The table, and everything below: @pasid, @flags,
 *                            @addr and @npages are 0
 * @SVA_SIM_INVALIDATE_PASID: The entry of a PASID, and everything below: @flags,
 *                            @addr and @npages are 0
 * @SVA_SIM_INVALIDATE_RANGE: A range of addresses of a PASID
 */
enum sva_sim_invalidate_scope {
	SVA_SIM_INVALIDATE_TABLE = 0,
	SVA_SIM_INVALIDATE_PASID = 1,
	SVA_SIM_INVALIDATE_RANGE = 2,
};

/**
 * enum sva_sim_invalidate_flags - Flags of struct sva_sim_invalidate
 * @SVA_SIM_INVALIDATE_F_LEAF: Only entries that map pages were changed
 */
enum sva_sim_invalidate_flags {
	SVA_SIM_INVALIDATE_F_LEAF = 1 << 0,
};

/**
 * struct sva_sim_invalidate - an entry of SVA_INVALIDATE
 * @scope: enum sva_sim_invalidate_scope
 * @pasid: PASID
 * @addr: First address, 4 KiB aligned
 * @npages: How many pages of 4 KiB
 * @flags: Combination of enum sva_sim_invalidate_flags
 * @__reserved: Must be 0
 *
 * Errors: -EOPNOTSUPP an unknown scope or flag; -EINVAL @pasid is beyond the end
 * of the table, the range is empty, wraps around or is not all canonical, or what
 * must be 0 is not.
 */
struct sva_sim_invalidate {
	__u32 scope;
	__u32 pasid;
	__aligned_u64 addr;
	__aligned_u64 npages;
	__u32 flags;
	__u32 __reserved;
};

#endif /* _UAPI_LINUX_SVA_SIM_H */
