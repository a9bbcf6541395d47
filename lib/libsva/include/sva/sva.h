/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libsva: PASIDs and the address spaces that devices translate through.
 *
 * Conventions, the same for every function:
 *
 *  - A function that can fail returns 0 (or a count) or a negative errno value.
 *    Its outputs mean nothing when it fails, unless it says otherwise, and errno
 *    never does. sva_strerror() says in words what the value means for that
 *    call.
 *  - Inputs are plain arguments. Where the kernel may learn to report more one
 *    day, the caller passes a structure and its size; what this kernel does not
 *    report reads as 0. A call that needs new inputs becomes a new function,
 *    with a new symbol version.
 *  - The library has no state but what a handle points to. A handle does not
 *    change once it is made, so any number of threads may use it at the same
 *    time; only sva_close() demands that nobody else is using it.
 *  - Flags, states and structures of results come from <linux/sva.h>, which
 *    also says what each of them means.
 */
#ifndef SVA_SVA_H
#define SVA_SVA_H

#include <stddef.h>
#include <stdint.h>

#include <linux/sva.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct sva - a handle on a context of /dev/sva; opaque */
struct sva;

/* Contexts: sva_open(3) */

/**
 * enum sva_open_flags - flags for sva_open()
 * @SVA_OPEN_NO_LOAD: If /dev/sva does not exist, do not try to load the kernel
 *                    module
 */
enum sva_open_flags {
	SVA_OPEN_NO_LOAD = 1 << 0,
};

/**
 * sva_open() - make a new context
 * @sva: Out: the handle
 * @flags: Combination of enum sva_open_flags
 *
 * Opens /dev/sva, close-on-exec. If there is no such node, the module is loaded
 * first, provided that the caller may do that.
 *
 * Return: 0, or -EACCES the node is there and the caller has no right to it;
 * -EPERM the module is not loaded and the caller may not load it, or it is
 * forbidden; -ENOENT the running kernel has no such module (or with
 * %SVA_OPEN_NO_LOAD: /dev/sva does not exist); -ENODEV there is no /dev/sva even
 * with the module loaded; -EINVAL unknown flags, or a command that modprobe.d(5)
 * has for the module failed; -EMFILE, -ENFILE, -ENOMEM; or what the kernel
 * answered when the module was loaded.
 */
int sva_open(struct sva **sva, unsigned int flags);

/**
 * sva_from_fd() - make a handle for a descriptor that exists
 * @sva: Out: the handle
 * @fd: An open /dev/sva, inherited or received
 *
 * On success the descriptor belongs to the handle, and sva_close() closes it.
 * On failure it stays the caller's. Its close-on-exec flag is left as it is.
 *
 * Return: 0, or -EBADF not an open descriptor, or not one of /dev/sva; -ENOMEM.
 */
int sva_from_fd(struct sva **sva, int fd);

/**
 * sva_fd() - the descriptor of a handle
 * @sva: The handle
 *
 * For ioctls of device drivers that take "sva fd plus PASID". It stays the
 * handle's: do not close it.
 *
 * Return: the descriptor.
 */
int sva_fd(const struct sva *sva);

/**
 * sva_close() - close a handle and its descriptor
 * @sva: The handle, or NULL
 *
 * The context ends, with all its PASIDs and address spaces, when its last
 * descriptor is closed and no device is attached any more.
 */
void sva_close(struct sva *sva);

/**
 * sva_send() - hand a context to another process
 * @sva: The handle; it stays usable
 * @sock: A connected unix socket
 * @pasid: PASID or handle that the receiver shall use, or 0
 *
 * All of it is sent or nothing. Signals do not interrupt it.
 *
 * Return: 0, or -ENOTSOCK, -EPIPE, -EAGAIN (a non-blocking socket; nothing has
 * been sent) or what else sendmsg(2) answers.
 */
int sva_send(const struct sva *sva, int sock, uint32_t pasid);

/**
 * sva_recv() - take a context that another process sent with sva_send()
 * @sva: Out: a handle of its own, close-on-exec
 * @sock: A connected unix socket
 * @pasid: Out: the PASID or handle that was sent, or 0; may be NULL
 *
 * Receives once, and does not wait for more of what was cut: sva_send() does not
 * cut. Signals do not interrupt it.
 *
 * Return: 0, or -EPIPE the other side closed the socket; -EPROTO what came is
 * not from sva_send() (descriptors that came with it are closed); -EBADF the
 * descriptor that came is not of /dev/sva; -EAGAIN (a non-blocking socket;
 * nothing is there); -ENOMEM, and what came is lost; or what else recvmsg(2)
 * answers.
 */
int sva_recv(struct sva **sva, int sock, uint32_t *pasid);

/**
 * sva_get_info() - what the kernel supports, and its limits
 * @sva: The handle
 * @info: Out
 * @size: sizeof(*@info)
 *
 * Return: 0, or -EINVAL @size is too small.
 */
int sva_get_info(const struct sva *sva, struct sva_get_info *info, size_t size);

/* PASIDs: sva_pasid_alloc(3) */

/**
 * sva_pasid_alloc() - allocate a PASID, any number
 * @sva: The handle
 * @pasid: Out: the PASID
 *
 * It begins unbound: the DMA of devices attached to it is blocked.
 *
 * Return: 0, or -ENOSPC no number is free; -EDQUOT the caller's quota is used up;
 * -ENOMEM.
 */
int sva_pasid_alloc(const struct sva *sva, uint32_t *pasid);

/**
 * sva_pasid_alloc_max() - allocate a PASID that a device's width allows
 * @sva: The handle
 * @max: Highest number that will do
 * @pasid: Out: the PASID
 *
 * Return: as sva_pasid_alloc(), and -EINVAL @max is 0.
 */
int sva_pasid_alloc_max(const struct sva *sva, uint32_t max, uint32_t *pasid);

/**
 * sva_pasid_alloc_range() - allocate consecutive PASIDs
 * @sva: The handle
 * @min: Lowest number that will do, or 0
 * @max: Highest number that will do, or 0
 * @count: How many, at most sva_get_info.range_max
 * @first: Out: the first of them
 *
 * All or none. Afterwards each is an object of its own.
 *
 * Return: as sva_pasid_alloc(), and -EINVAL @count is out of range or does not
 * fit in [@min, @max].
 */
int sva_pasid_alloc_range(const struct sva *sva, uint32_t min, uint32_t max,
			  uint32_t count, uint32_t *first);

/**
 * sva_pasid_alloc_fixed() - allocate one given PASID
 * @sva: The handle
 * @pasid: The number
 *
 * Return: 0, or -EBUSY it is taken or not of the pool; -EINVAL it is 0;
 * -ENOMEM.
 */
int sva_pasid_alloc_fixed(const struct sva *sva, uint32_t pasid);

/**
 * sva_pasid_alloc_process() - the PASID of the calling process' memory
 * @sva: The handle
 * @pasid: Out: a handle, with %SVA_PASID_HANDLE set
 *
 * Devices attached to it translate through the process' own page tables: they
 * can be given plain pointers. It has no number until the first attach, cannot
 * be bound to anything else, and only the process that made it can attach it.
 *
 * Return: 0, or -ENOMEM.
 */
int sva_pasid_alloc_process(const struct sva *sva, uint32_t *pasid);

/**
 * sva_pasid_alloc_rid() - a handle for DMA that carries no PASID
 * @sva: The handle
 * @pasid: Out: a handle, with %SVA_PASID_HANDLE set
 *
 * Return: 0, or -ENOMEM.
 */
int sva_pasid_alloc_rid(const struct sva *sva, uint32_t *pasid);

/**
 * sva_pasid_free() - free a PASID or handle
 * @sva: The handle
 * @pasid: What to free
 *
 * Return: 0, or -ENOENT it is not of this context; -EBUSY a device is attached.
 */
int sva_pasid_free(const struct sva *sva, uint32_t pasid);

/**
 * sva_pasid_free_range() - free consecutive PASIDs
 * @sva: The handle
 * @first: The first of them
 * @count: How many
 *
 * They need not come from one allocation. All are freed or none.
 *
 * Return: as sva_pasid_free(), and -EINVAL @count is 0.
 */
int sva_pasid_free_range(const struct sva *sva, uint32_t first, uint32_t count);

/**
 * sva_pasid_info() - what a PASID is, is bound to, and is used by
 * @sva: The handle
 * @pasid: PASID or handle
 * @info: Out
 * @size: sizeof(*@info)
 *
 * Return: 0, or -ENOENT it is not of this context; -EINVAL @size is too small.
 */
int sva_pasid_info(const struct sva *sva, uint32_t pasid,
		   struct sva_pasid_info *info, size_t size);

/**
 * sva_pasid_bind() - make a PASID translate through an address space
 * @sva: The handle
 * @pasid: PASID or RID handle
 * @as: Address space
 *
 * Whether devices are attached or not, and whether it was bound before or not.
 *
 * Return: 0, or -ENOENT no such PASID or address space; -EINVAL it is a process
 * PASID, or @as is %SVA_AS_NONE; -EADDRINUSE a mapping is in the way of a
 * reserved region; -ENOTRECOVERABLE refused, and the undo failed; or what the
 * IOMMU driver answered.
 */
int sva_pasid_bind(const struct sva *sva, uint32_t pasid, uint32_t as);

/**
 * sva_pasid_unbind() - make a PASID translate nothing: DMA is blocked
 * @sva: The handle
 * @pasid: PASID or RID handle
 *
 * Return: 0, or -ENOENT no such PASID; -EINVAL it is a process PASID.
 */
int sva_pasid_unbind(const struct sva *sva, uint32_t pasid);

/* Rights to a PASID: sva_pasid_fd(3) */

/**
 * sva_pasid_fd() - make a descriptor that is the right to attach one PASID
 * @sva: The handle
 * @pasid: PASID or handle
 * @fd: Out: the PASID fd, close-on-exec; the caller closes it
 * @id: Out: what sva_pasid_fd_revoke() wants; may be NULL
 *
 * It is good for nothing else, and can be given to a process that is trusted
 * with no more. One of a process PASID lets other processes attach that.
 *
 * Return: 0, or -ENOENT no such PASID; -EPERM it is the process PASID of another
 * process; -EMFILE, -ENFILE, -ENOMEM.
 */
int sva_pasid_fd(const struct sva *sva, uint32_t pasid, int *fd, uint32_t *id);

/**
 * sva_pasid_fd_revoke() - take the right back
 * @sva: The handle
 * @id: From sva_pasid_fd()
 *
 * Whatever was attached by it is stopped when this returns, and nothing more can
 * be attached by it, whoever has the descriptor.
 *
 * Return: 0, or -ENOENT no such id.
 */
int sva_pasid_fd_revoke(const struct sva *sva, uint32_t id);

/**
 * sva_pasid_fd_send() - hand a PASID fd to another process
 * @fd: The PASID fd; it stays the caller's
 * @sock: A connected unix socket
 *
 * Return: as sva_send(), and -EBADF @fd is not open.
 */
int sva_pasid_fd_send(int fd, int sock);

/**
 * sva_pasid_fd_recv() - take a PASID fd that was sent by sva_pasid_fd_send()
 * @fd: Out: a descriptor of its own, close-on-exec
 * @sock: A connected unix socket
 *
 * Whether it is a PASID fd, and whether it is still good, shows when something is
 * attached by it.
 *
 * Return: 0, or as sva_recv(), except -EBADF.
 */
int sva_pasid_fd_recv(int *fd, int sock);

/* Address spaces: sva_as_alloc_iova(3) */

/**
 * sva_as_alloc_iova() - make an address space: an empty map of pinned memory
 * @sva: The handle
 * @flags: Combination of enum sva_as_flags, without %SVA_AS_F_FAULT
 * @as: Out: its id
 *
 * Return: 0, or -EOPNOTSUPP for flags that the kernel does not know or support;
 * -EINVAL %SVA_AS_F_FAULT; -ENOMEM.
 */
int sva_as_alloc_iova(const struct sva *sva, unsigned int flags, uint32_t *as);

/**
 * sva_as_alloc_iova_fault() - make one whose page requests are the caller's
 * @sva: The handle
 * @flags: As for sva_as_alloc_iova()
 * @faultq: The caller's, from sva_faultq_alloc()
 * @as: Out: its id
 *
 * What a device finds not to be mapped can be mapped when it asks for it.
 *
 * Return: as sva_as_alloc_iova(), and -EBADF @faultq is not a fault queue.
 */
int sva_as_alloc_iova_fault(const struct sva *sva, unsigned int flags,
			    int faultq, uint32_t *as);

/**
 * sva_as_destroy() - end an address space
 * @sva: The handle
 * @as: Its id
 *
 * What is mapped in it is unmapped and unpinned.
 *
 * Return: 0, or -ENOENT no such address space; -EBUSY a PASID is bound to it,
 * something was made on it, or another call is using it.
 */
int sva_as_destroy(const struct sva *sva, uint32_t as);

/* Mappings of an address space: sva_iova_map(3) */

/**
 * sva_iova_map() - pin memory of the calling process and map it
 * @sva: The handle
 * @as: Address space
 * @addr: The memory
 * @length: Bytes
 * @flags: Combination of enum sva_iova_flags
 * @iova: Out: where it was mapped. In, with %SVA_IOVA_F_FIXED: where to map
 *
 * Return: 0, or -EINVAL, -EOVERFLOW, -ENOENT, -EEXIST, -EADDRNOTAVAIL, -ENOSPC,
 * -EFAULT, -ENXIO, -EOPNOTSUPP, -EDQUOT, -EINTR, -ENOMEM: see sva_iova_map(3).
 */
int sva_iova_map(const struct sva *sva, uint32_t as, void *addr,
		 uint64_t length, unsigned int flags, uint64_t *iova);

/**
 * sva_iova_map_file() - pin memory of a file and map it
 * @sva: The handle
 * @as: Address space
 * @fd: A memfd, or a file on tmpfs or hugetlbfs
 * @start: Offset in the file
 * @length: Bytes
 * @flags: Combination of enum sva_iova_flags
 * @iova: Out: where it was mapped. In, with %SVA_IOVA_F_FIXED: where to map
 *
 * Return: as sva_iova_map(), and -EBADF, -ENODEV, -EACCES, -EPERM, -ERANGE: see
 * sva_iova_map(3).
 */
int sva_iova_map_file(const struct sva *sva, uint32_t as, int fd,
		      uint64_t start, uint64_t length, unsigned int flags,
		      uint64_t *iova);

/**
 * sva_iova_unmap() - unmap whole mappings
 * @sva: The handle
 * @as: Address space
 * @iova: First IOVA
 * @length: Bytes
 * @unmapped: Out: bytes that were mapped there; may be NULL
 *
 * When it returns 0, no device can reach the memory through this address space.
 *
 * Return: 0, or -ENOENT no such address space, or nothing is mapped there;
 * -ERANGE the range cuts through a mapping; -EINVAL @length is 0; -EOVERFLOW the
 * range wraps around; -EBUSY a mapping in it is still being made.
 */
int sva_iova_unmap(const struct sva *sva, uint32_t as, uint64_t iova,
		   uint64_t length, uint64_t *unmapped);

/**
 * sva_iova_unmap_all() - unmap everything
 * @sva: The handle
 * @as: Address space
 * @unmapped: Out: bytes that were mapped; may be NULL
 *
 * Return: 0, also if nothing was mapped, or -ENOENT no such address space;
 * -EBUSY a mapping is still being made.
 */
int sva_iova_unmap_all(const struct sva *sva, uint32_t as, uint64_t *unmapped);

/**
 * sva_iova_copy() - map memory a second time
 * @sva: The handle
 * @dst_as: Address space to map into
 * @src_as: Address space to copy from; may be the same
 * @src_iova: What to copy: any part of one mapping
 * @length: Bytes
 * @flags: Combination of enum sva_iova_flags
 * @dst_iova: Out: where it was mapped. In, with %SVA_IOVA_F_FIXED: where to map
 *
 * The memory is neither pinned nor charged a second time, and stays pinned until
 * its last mapping is gone.
 *
 * Return: 0, or -ENOENT no such address space, or nothing is mapped at @src_iova
 * or not in one mapping all the way; -EACCES %SVA_IOVA_F_WRITE of memory that was
 * not mapped for writing; -EINVAL, -EOVERFLOW, -EEXIST, -EADDRNOTAVAIL, -ENOSPC,
 * -EBUSY, -ENOMEM.
 */
int sva_iova_copy(const struct sva *sva, uint32_t dst_as, uint32_t src_as,
		  uint64_t src_iova, uint64_t length, unsigned int flags,
		  uint64_t *dst_iova);

/**
 * sva_iova_ranges() - what an address space can map
 * @sva: The handle
 * @as: Address space
 * @ranges: Out: as many of its ranges as fit, ascending; may be NULL if *@num
 *          is 0
 * @num: In: entries that @ranges has room for. Out: entries that there are;
 *       also with -EMSGSIZE
 * @alignment: Out: alignment in bytes that mappings need now; may be NULL
 *
 * Return: 0, or -EMSGSIZE there are more than fit; -ENOENT no such address space.
 */
int sva_iova_ranges(const struct sva *sva, uint32_t as,
		    struct sva_iova_range *ranges, uint32_t *num,
		    uint64_t *alignment);

/* Devices that can attach PASIDs: sva_device_info(3) */

/**
 * sva_device_info() - what a device and its IOMMU can do
 * @sva: The handle
 * @dev: Its id
 * @info: Out
 * @size: sizeof(*@info)
 *
 * Return: 0, or -ENOENT no such device; -EINVAL @size is too small; -ENOMEM.
 */
int sva_device_info(const struct sva *sva, uint32_t dev,
		    struct sva_device_info *info, size_t size);

/**
 * sva_device_next() - the device with the lowest id from one on
 * @sva: The handle
 * @dev: Where to begin; 0 for the first of all
 * @info: Out; the next call begins behind its dev_id
 * @size: sizeof(*@info)
 *
 * Return: as sva_device_info(): -ENOENT there are no more.
 */
int sva_device_next(const struct sva *sva, uint32_t dev,
		    struct sva_device_info *info, size_t size);

/**
 * sva_device_hw_info() - what the IOMMU driver itself tells of a device's IOMMU
 * @sva: The handle
 * @dev: Its id
 * @type: Out: enum iommu_hw_info_type of linux/iommufd.h: what @data is
 * @data: Out: as much of it as fits; may be NULL if *@len is 0
 * @len: In: room at @data in bytes. Out: bytes that there are, more than the room
 *       if not all was written; 0 if the driver tells nothing
 *
 * Return: 0, or -ENOENT no such device; -EFAULT, -ENOMEM.
 */
int sva_device_hw_info(const struct sva *sva, uint32_t dev, uint32_t *type,
		       void *data, uint32_t *len);

/* Tables of a guest: sva_as_alloc_nested(3), sva_invalidate(3) */

/**
 * sva_as_alloc_nested() - make an address space of a stage-1 table
 * @sva: The handle
 * @parent: What the table's addresses mean: an address space that was made with
 *          %SVA_AS_F_NEST_PARENT, or a vIOMMU on one
 * @dev: A device, which names the IOMMU instance
 * @faultq: Where its page requests go, or -1: they are answered *invalid*
 * @data_type: Format: enum iommu_hwpt_data_type of linux/iommufd.h
 * @data: The format's structure
 * @len: Its size
 * @as: Out: its id
 *
 * Return: 0, or -EOPNOTSUPP the IOMMU cannot nest so, or does not know the
 * format; -ENOENT no such parent; -EINVAL it is not a nesting parent, or the
 * IOMMU refuses what @data says; -ENODEV no such device; -EXDEV it is not behind
 * the IOMMU of the vIOMMU; -EBADF @faultq is not a fault queue; -E2BIG @len;
 * -EFAULT, -ENOMEM.
 */
int sva_as_alloc_nested(const struct sva *sva, uint32_t parent, uint32_t dev,
			int faultq, uint32_t data_type, const void *data,
			size_t len, uint32_t *as);

/**
 * sva_as_alloc_pasid_table() - make an address space of a table of such tables
 * @sva: The handle
 * @parent: As for sva_as_alloc_nested()
 * @dev: A device, which names the IOMMU instance
 * @faultq: Where its page requests go, or -1
 * @data_type: Format
 * @data: The format's structure
 * @len: Its size
 * @as: Out: its id
 *
 * It can be bound to a RID handle only: all PASIDs of the device are the guest's.
 *
 * Return: as sva_as_alloc_nested().
 */
int sva_as_alloc_pasid_table(const struct sva *sva, uint32_t parent,
			     uint32_t dev, int faultq, uint32_t data_type,
			     const void *data, size_t len, uint32_t *as);

/**
 * sva_invalidate() - flush what IOMMU and devices remember of a guest's table
 * @sva: The handle
 * @as: Address space of a guest's table, or a vIOMMU: then each entry begins with
 *      a struct sva_invalidate_target
 * @data_type: Format: enum iommu_hwpt_invalidate_data_type of linux/iommufd.h
 * @entries: Array of the format's entries; may be NULL if *@num is 0
 * @entry_size: Bytes of one
 * @num: In: how many, up to 65536. Out: how many were handled; also if it fails
 *
 * They are handled in order, up to the first that cannot be. With none the result
 * tells whether the IOMMU knows the format.
 *
 * Return: 0, or -ENOENT no such address space or vIOMMU, or an entry's guest
 * PASID is not bound to an address space on that vIOMMU; -ENODEV no device has an
 * entry's name; -EINVAL it has no table, or the format or an entry is wrong;
 * -EOPNOTSUPP the IOMMU cannot do what an entry says; -E2BIG @entry_size, or too
 * many; -EFAULT.
 */
int sva_invalidate(const struct sva *sva, uint32_t as, uint32_t data_type,
		   const void *entries, size_t entry_size, uint32_t *num);

/* What a guest calls its PASIDs: sva_pasid_guest_set(3) */

/**
 * sva_pasid_guest_set() - give a PASID the number that the guest has for it
 * @sva: The handle
 * @pasid: PASID or handle
 * @guest: Guest PASID, up to 2^20 - 1, in place of the one it had; or
 *         %SVA_GUEST_PASID_NONE
 *
 * Return: 0, or -ENOENT no such PASID; -EEXIST another one has that guest PASID;
 * -EINVAL it is too wide; -ENOMEM.
 */
int sva_pasid_guest_set(const struct sva *sva, uint32_t pasid, uint32_t guest);

/**
 * sva_pasid_guest_get() - the guest PASID of a PASID
 * @sva: The handle
 * @pasid: PASID or handle
 * @guest: Out: guest PASID, or %SVA_GUEST_PASID_NONE
 *
 * Return: 0, or -ENOENT no such PASID.
 */
int sva_pasid_guest_get(const struct sva *sva, uint32_t pasid, uint32_t *guest);

/**
 * sva_pasid_guest_find() - the PASID that has a guest PASID
 * @sva: The handle
 * @guest: Guest PASID
 * @pasid: Out: PASID or handle
 *
 * Return: 0, or -ENOENT none has it; -EINVAL it is too wide.
 */
int sva_pasid_guest_find(const struct sva *sva, uint32_t guest,
			 uint32_t *pasid);

/* Page requests: sva_faultq_alloc(3) */

/**
 * sva_faultq_alloc() - make a queue for page requests
 * @sva: The handle
 * @flags: Combination of enum sva_faultq_flags
 * @depth: How many groups it holds until they are answered, 1 to
 *         %SVA_FAULTQ_DEPTH_MAX
 * @fd: Out: the fault queue, close-on-exec; the caller closes it, which answers
 *      all that is pending with *invalid*
 *
 * Return: 0, or -EINVAL @depth; -EMFILE, -ENFILE, -ENOMEM.
 */
int sva_faultq_alloc(const struct sva *sva, unsigned int flags, uint32_t depth,
		     int *fd);

/**
 * sva_faultq_wait() - wait until there is something to read
 * @fd: The fault queue
 * @timeout_ms: Milliseconds; negative for ever
 *
 * Return: 0, or -ETIMEDOUT; -EBADF @fd is not open; -EINTR.
 */
int sva_faultq_wait(int fd, int timeout_ms);

/**
 * sva_faultq_read() - take page requests
 * @fd: The fault queue
 * @faults: Out: whole groups, all requests of a group one after another
 * @room: How many fit; %SVA_FAULT_GROUP_MAX is enough for any group
 *
 * Waits until there is one, unless the queue was made with
 * %SVA_FAULTQ_F_NONBLOCK. A queue that was full tells so with an entry that has
 * %SVA_FAULT_LOST set.
 *
 * Return: how many were read, or -EAGAIN there is none; -EINVAL the next group
 * does not fit; -EFAULT nothing was taken; -EINTR.
 */
int sva_faultq_read(int fd, struct sva_fault *faults, unsigned int room);

/**
 * sva_faultq_respond() - answer groups of page requests
 * @fd: The fault queue
 * @responses: The answers
 * @num: How many
 *
 * Return: how many were taken: fewer than @num if the next one is wrong. If
 * already the first is: -ENOENT there is no such group, it was not read yet, or
 * is answered already, maybe because its device was detached; -EINVAL unknown
 * code; -EFAULT.
 */
int sva_faultq_respond(int fd, const struct sva_fault_response *responses,
		       unsigned int num);

/* IOMMUs as a guest sees them: sva_viommu_alloc(3), sva_veventq_alloc(3) */

/**
 * sva_viommu_alloc() - make the slice of an IOMMU that a VM sees
 * @sva: The handle
 * @parent: Address space that was made with %SVA_AS_F_NEST_PARENT
 * @dev: A device, which names the IOMMU instance
 * @viommu: Out: its id
 *
 * Return: 0, or -ENOENT no such parent; -EINVAL it is not a nesting parent;
 * -ENODEV no such device; -EOPNOTSUPP its IOMMU cannot nest; -ENOMEM.
 */
int sva_viommu_alloc(const struct sva *sva, uint32_t parent, uint32_t dev,
		     uint32_t *viommu);

/**
 * sva_viommu_destroy() - end a vIOMMU
 * @sva: The handle
 * @viommu: Its id
 *
 * Return: 0, or -ENOENT no such vIOMMU; -EBUSY an address space or a vdevice was
 * made on it, or another call is using it.
 */
int sva_viommu_destroy(const struct sva *sva, uint32_t viommu);

/**
 * sva_vdevice_alloc() - tell what a guest calls a device
 * @sva: The handle
 * @viommu: The vIOMMU that the guest has it behind
 * @dev: The device
 * @virt_id: The guest's name of it, not %UINT64_MAX
 * @vdevice: Out: its id
 *
 * Return: 0, or -ENOENT no such vIOMMU; -ENODEV no such device; -EXDEV it is
 * behind another IOMMU; -EEXIST there is a vdevice of that name, or for that
 * device; -EINVAL @virt_id; -ENOMEM.
 */
int sva_vdevice_alloc(const struct sva *sva, uint32_t viommu, uint32_t dev,
		      uint64_t virt_id, uint32_t *vdevice);

/**
 * sva_vdevice_destroy() - forget what a guest calls a device
 * @sva: The handle
 * @vdevice: The id
 *
 * Return: 0, or -ENOENT no such vdevice.
 */
int sva_vdevice_destroy(const struct sva *sva, uint32_t vdevice);

/**
 * sva_veventq_alloc() - make a queue for what a vIOMMU has to tell
 * @sva: The handle
 * @viommu: The vIOMMU, which has one at a time
 * @flags: Combination of enum sva_veventq_flags
 * @depth: How many events it holds, 1 to %SVA_VEVENTQ_DEPTH_MAX
 * @fd: Out: the event queue, close-on-exec; the caller closes it
 *
 * Return: 0, or -ENOENT no such vIOMMU; -EINVAL @depth; -EEXIST it has one;
 * -EMFILE, -ENFILE, -ENOMEM.
 */
int sva_veventq_alloc(const struct sva *sva, uint32_t viommu,
		      unsigned int flags, uint32_t depth, int *fd);

/**
 * sva_veventq_wait() - wait until there is something to read
 * @fd: The event queue
 * @timeout_ms: Milliseconds; negative for ever
 *
 * Return: 0, or -ETIMEDOUT; -EBADF @fd is not open; -EINTR.
 */
int sva_veventq_wait(int fd, int timeout_ms);

/**
 * sva_veventq_read() - take events
 * @fd: The event queue
 * @events: Out: events
 * @room: How many fit
 *
 * Waits until there is one, unless the queue was made with
 * %SVA_VEVENTQ_F_NONBLOCK.
 *
 * Return: how many were read, or -EAGAIN there is none; -EINVAL @room is 0;
 * -EFAULT nothing was taken; -EINTR.
 */
int sva_veventq_read(int fd, struct sva_vevent *events, unsigned int room);

/* What there is: sva_list(3) */

/** struct sva_list_iter - a list that is being gone through; opaque */
struct sva_list_iter;

/**
 * sva_list_begin() - begin to go through what there is
 * @sva: The handle
 * @kind: enum sva_list_kind: what to list
 * @flags: 0 for the handle's own context, or %SVA_LIST_F_ALL
 * @entry_size: size of the structure that belongs to @kind
 * @iter: Out: the list
 *
 * Return: 0, or -EPERM %SVA_LIST_F_ALL needs CAP_SYS_ADMIN; -EINVAL @entry_size
 * is 0, not a multiple of 8 or too large; -EOPNOTSUPP, -ENOTTY the kernel does
 * not know @kind or @flags; -ENOMEM; -EINTR.
 */
int sva_list_begin(const struct sva *sva, unsigned int kind, unsigned int flags,
		   size_t entry_size, struct sva_list_iter **iter);

/**
 * sva_list_next() - the next entry of a list
 * @iter: The list
 * @entry: Out: where the entry is, until the next call; its type is the
 *         structure that belongs to the kind
 *
 * Return: 1 there is one; 0 that was all; -EPERM the caller may no longer see all
 * contexts; -ENOMEM, -EINTR. After an error it can be tried again, and goes on
 * where it was.
 */
int sva_list_next(struct sva_list_iter *iter, const void **entry);

/**
 * sva_list_end() - free a list
 * @iter: The list, at its end or not; may be NULL
 */
void sva_list_end(struct sva_list_iter *iter);

/* Quotas: sva_quota_cgroup(3) */

/**
 * sva_quota_cgroup() - how many PASIDs a cgroup has, and may have
 * @sva: The handle, of any context
 * @cgroup: Descriptor of a directory of the cgroup v2 hierarchy, opened with
 *          O_RDONLY; -1 for the cgroup of the caller
 * @quota: Out: see struct sva_quota
 * @size: sizeof(*quota)
 *
 * Return: 0, or -EBADF @cgroup is no such descriptor; -ENODEV it was removed;
 * -EINVAL @size is too small; -ENOTTY this kernel's /dev/sva has no quotas.
 */
int sva_quota_cgroup(const struct sva *sva, int cgroup, struct sva_quota *quota,
		     size_t size);

/**
 * sva_quota_set_cgroup() - limit the PASIDs of a cgroup
 * @sva: The handle, of any context
 * @cgroup: Descriptor of a directory of the cgroup v2 hierarchy, opened with
 *          O_RDONLY
 * @max: PASIDs, or %SVA_QUOTA_NO_LIMIT
 *
 * For who may write the directory above. Nothing is taken away if there are more.
 *
 * Return: 0, or -EBADF @cgroup is no such descriptor; -ENODEV it was removed;
 * -EINVAL it is the root, or -1; -EACCES, -EPERM, -EROFS it is not the caller's to
 * set; -ENOMEM; -ENOTTY this kernel's /dev/sva has no quotas.
 */
int sva_quota_set_cgroup(const struct sva *sva, int cgroup, uint32_t max);

/**
 * sva_quota_user() - how many PASIDs a user has, and may have
 * @sva: The handle, of any context
 * @uid: The user
 * @quota: Out: see struct sva_quota
 * @size: sizeof(*quota)
 *
 * Return: 0, or -EPERM another user, which takes CAP_SYS_RESOURCE; -EINVAL there
 * can be no such user, or @size is too small; -ENOTTY this kernel's /dev/sva
 * has no quotas.
 */
int sva_quota_user(const struct sva *sva, uint32_t uid, struct sva_quota *quota,
		   size_t size);

/**
 * sva_quota_set_user() - limit the PASIDs of a user
 * @sva: The handle, of any context
 * @uid: The user
 * @max: PASIDs, or %SVA_QUOTA_NO_LIMIT
 *
 * Return: 0, or -EPERM it takes CAP_SYS_RESOURCE; -EINVAL there can be no such
 * user; -ENOMEM; -ENOTTY this kernel's /dev/sva has no quotas.
 */
int sva_quota_set_user(const struct sva *sva, uint32_t uid, uint32_t max);

/* Errors in words: sva_strerror(3) */

/**
 * enum sva_call - which call an error came from
 * @SVA_CALL_OPEN: sva_open()
 * @SVA_CALL_FROM_FD: sva_from_fd()
 * @SVA_CALL_SEND: sva_send(), sva_pasid_fd_send()
 * @SVA_CALL_RECV: sva_recv(), sva_pasid_fd_recv()
 * @SVA_CALL_GET_INFO: sva_get_info()
 * @SVA_CALL_PASID_ALLOC: sva_pasid_alloc() and its variants
 * @SVA_CALL_PASID_FREE: sva_pasid_free(), sva_pasid_free_range()
 * @SVA_CALL_PASID_INFO: sva_pasid_info()
 * @SVA_CALL_PASID_BIND: sva_pasid_bind(), sva_pasid_unbind()
 * @SVA_CALL_AS_ALLOC: sva_as_alloc_iova(), sva_as_alloc_iova_fault()
 * @SVA_CALL_AS_DESTROY: sva_as_destroy()
 * @SVA_CALL_IOVA_MAP: sva_iova_map()
 * @SVA_CALL_IOVA_MAP_FILE: sva_iova_map_file()
 * @SVA_CALL_IOVA_UNMAP: sva_iova_unmap(), sva_iova_unmap_all()
 * @SVA_CALL_IOVA_COPY: sva_iova_copy()
 * @SVA_CALL_IOVA_RANGES: sva_iova_ranges()
 * @SVA_CALL_ATTACH: sva_sim_attach(), sva_sim_attach_fd(), sva_vfio_attach(),
 *                   sva_vfio_attach_fd(), or the attach ioctl of any other driver
 * @SVA_CALL_SIM_OPEN: sva_sim_open()
 * @SVA_CALL_SIM_DETACH: sva_sim_detach()
 * @SVA_CALL_SIM_SUBMIT: sva_sim_submit()
 * @SVA_CALL_SIM_WAIT: sva_sim_wait(), sva_sim_run()
 * @SVA_CALL_PASID_FD: sva_pasid_fd()
 * @SVA_CALL_PASID_FD_REVOKE: sva_pasid_fd_revoke()
 * @SVA_CALL_LIST: sva_list_begin(), sva_list_next()
 * @SVA_CALL_QUOTA: sva_quota_cgroup(), sva_quota_user()
 * @SVA_CALL_QUOTA_SET: sva_quota_set_cgroup(), sva_quota_set_user()
 * @SVA_CALL_DEVICE_INFO: sva_device_info(), sva_device_next(), sva_device_hw_info()
 * @SVA_CALL_AS_ALLOC_NESTED: sva_as_alloc_nested(), sva_as_alloc_pasid_table()
 * @SVA_CALL_INVALIDATE: sva_invalidate()
 * @SVA_CALL_PASID_GUEST: sva_pasid_guest_set(), _get(), _find()
 * @SVA_CALL_FAULTQ_ALLOC: sva_faultq_alloc()
 * @SVA_CALL_FAULTQ_RESPOND: sva_faultq_respond()
 * @SVA_CALL_QUEUE_READ: sva_faultq_read(), sva_veventq_read(), and their _wait()
 * @SVA_CALL_VIOMMU_ALLOC: sva_viommu_alloc()
 * @SVA_CALL_VIOMMU_DESTROY: sva_viommu_destroy(), sva_vdevice_destroy()
 * @SVA_CALL_VDEVICE_ALLOC: sva_vdevice_alloc()
 * @SVA_CALL_VEVENTQ_ALLOC: sva_veventq_alloc()
 */
enum sva_call {
	SVA_CALL_OPEN,
	SVA_CALL_FROM_FD,
	SVA_CALL_SEND,
	SVA_CALL_RECV,
	SVA_CALL_GET_INFO,
	SVA_CALL_PASID_ALLOC,
	SVA_CALL_PASID_FREE,
	SVA_CALL_PASID_INFO,
	SVA_CALL_PASID_BIND,
	SVA_CALL_AS_ALLOC,
	SVA_CALL_AS_DESTROY,
	SVA_CALL_IOVA_MAP,
	SVA_CALL_IOVA_MAP_FILE,
	SVA_CALL_IOVA_UNMAP,
	SVA_CALL_IOVA_COPY,
	SVA_CALL_IOVA_RANGES,
	SVA_CALL_ATTACH,
	SVA_CALL_SIM_OPEN,
	SVA_CALL_SIM_DETACH,
	SVA_CALL_SIM_SUBMIT,
	SVA_CALL_SIM_WAIT,
	SVA_CALL_PASID_FD,
	SVA_CALL_PASID_FD_REVOKE,
	SVA_CALL_LIST,
	SVA_CALL_QUOTA,
	SVA_CALL_QUOTA_SET,
	SVA_CALL_DEVICE_INFO,
	SVA_CALL_AS_ALLOC_NESTED,
	SVA_CALL_INVALIDATE,
	SVA_CALL_PASID_GUEST,
	SVA_CALL_FAULTQ_ALLOC,
	SVA_CALL_FAULTQ_RESPOND,
	SVA_CALL_QUEUE_READ,
	SVA_CALL_VIOMMU_ALLOC,
	SVA_CALL_VIOMMU_DESTROY,
	SVA_CALL_VDEVICE_ALLOC,
	SVA_CALL_VEVENTQ_ALLOC,
};

/**
 * sva_strerror() - what an error of a call means, and what to do about it
 * @call: Which call returned it
 * @err: What it returned; the sign does not matter
 *
 * Return: a constant string, never NULL. Without anything particular to say
 * about this error of this call, it is the system's description of the error.
 */
const char *sva_strerror(enum sva_call call, int err);

#ifdef __cplusplus
}
#endif

#endif /* SVA_SVA_H */
