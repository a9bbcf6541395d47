// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Errors in words: what happened, and what to do about it. */
#include <string.h>

#include "internal.h"

struct explanation {
	enum sva_call call;
	int err;
	const char *text;
};

/* An errno that means the same for every call. */
static const struct {
	int err;
	const char *text;
} general[] = {
	{ ENOTTY,
	  "this kernel's /dev/sva does not have this call: a newer sva module is needed"
	},
	{ E2BIG,
	  "the caller's structure says something that this kernel does not know: a newer sva module is needed"
	},
	{ ENOMEM, "not enough memory" },
	{ EINTR, "interrupted by a signal: nothing was done, try again" },
};

static const struct explanation particular[] = {
	{ SVA_CALL_OPEN, EACCES,
	  "no right to open /dev/sva: join the group that owns it (usually sva: usermod -aG sva USER, then log in again)"
	},
	{ SVA_CALL_OPEN, EPERM,
	  "the sva module is not loaded and may not be loaded by this process: run \"modprobe sva\" as root, and look for a blacklist entry in modprobe.d if that refuses"
	},
	{ SVA_CALL_OPEN, ENOENT,
	  "there is no /dev/sva and no sva module for the running kernel: install the module, run depmod, then load it"
	},
	{ SVA_CALL_OPEN, ENODEV,
	  "the sva module is loaded but there is no usable /dev/sva: see what dmesg says, and whether /dev is a devtmpfs"
	},
	{ SVA_CALL_OPEN, ENOKEY,
	  "the kernel refuses the sva module because its signature is not one it trusts: sign the module, or enrol its key"
	},
	{ SVA_CALL_OPEN, EKEYREJECTED,
	  "the kernel refuses the sva module because its signature is not one it trusts: sign the module, or enrol its key"
	},
	{ SVA_CALL_OPEN, ENOEXEC,
	  "the sva module was built for another kernel: build it again for the running one"
	},
	{ SVA_CALL_OPEN, EINVAL,
	  "a flag that this library does not know, module parameters that the sva module refuses (see dmesg), or a command for it in modprobe.d that failed"
	},
	{ SVA_CALL_OPEN, EMFILE,
	  "this process has no descriptor left: close some or raise RLIMIT_NOFILE"
	},

	{ SVA_CALL_FROM_FD, EBADF,
	  "not an open descriptor of /dev/sva"
	},

	{ SVA_CALL_LIST, EPERM,
	  "only an administrator (CAP_SYS_ADMIN) can list the contexts of all processes"
	},
	{ SVA_CALL_LIST, EOPNOTSUPP,
	  "this kernel cannot list that: a newer sva module is needed"
	},

	{ SVA_CALL_SEND, EPIPE,
	  "the other side has closed the socket"
	},
	{ SVA_CALL_SEND, ENOTSOCK,
	  "not a socket: a connected unix socket is needed"
	},
	{ SVA_CALL_SEND, EINVAL,
	  "this kind of socket cannot carry descriptors: a connected unix socket is needed"
	},
	{ SVA_CALL_SEND, EAGAIN,
	  "the socket is full and non-blocking: poll it for POLLOUT, then send again"
	},
	{ SVA_CALL_SEND, ETOOMANYREFS,
	  "too many descriptors are under way on sockets: let the other side receive some first"
	},

	{ SVA_CALL_RECV, EPIPE,
	  "the other side closed the socket without sending a context"
	},
	{ SVA_CALL_RECV, EPROTO,
	  "the message did not come from the sending call of this kind, or its descriptor got lost: the receiver may have no descriptor left (RLIMIT_NOFILE)"
	},
	{ SVA_CALL_RECV, EBADF,
	  "the descriptor that was sent is not one of /dev/sva"
	},
	{ SVA_CALL_RECV, ENOTSOCK,
	  "not a socket: a connected unix socket is needed"
	},
	{ SVA_CALL_RECV, EAGAIN,
	  "nothing has been sent yet and the socket is non-blocking: poll it for POLLIN, then receive again"
	},

	{ SVA_CALL_GET_INFO, EINVAL,
	  "the size of the result structure is too small"
	},

	{ SVA_CALL_PASID_ALLOC, ENOSPC,
	  "no PASID, or no run of consecutive ones, is free within these limits: free some, ask for fewer, or raise the share of the sva module's pool (see its parameters)"
	},
	{ SVA_CALL_PASID_ALLOC, EBUSY,
	  "this number is taken, or belongs to the kernel's other users of PASIDs: let any number be chosen, or try another"
	},
	{ SVA_CALL_PASID_ALLOC, EDQUOT,
	  "the quota of PASIDs is used up: free some, or ask the administrator for a higher one"
	},
	{ SVA_CALL_PASID_ALLOC, EINVAL,
	  "the limits contradict each other, or more consecutive PASIDs are asked for than fit (see range_max of sva_get_info())"
	},

	{ SVA_CALL_PASID_FREE, ENOENT,
	  "this context has no such PASID: it was freed already, or belongs to another context"
	},
	{ SVA_CALL_PASID_FREE, EBUSY,
	  "a device is attached to it: detach it first"
	},
	{ SVA_CALL_PASID_FREE, EINVAL,
	  "no PASIDs, or more than one handle, cannot be freed at once: handles are freed one by one"
	},

	{ SVA_CALL_PASID_INFO, ENOENT,
	  "this context has no such PASID: it was freed already, or belongs to another context"
	},
	{ SVA_CALL_PASID_INFO, EINVAL,
	  "the size of the result structure is too small"
	},

	{ SVA_CALL_PASID_BIND, ENOENT,
	  "this context has no such PASID or no such address space"
	},
	{ SVA_CALL_PASID_BIND, EINVAL,
	  "a process PASID is bound by attaching it and cannot be bound otherwise; any other needs an address space"
	},
	{ SVA_CALL_PASID_BIND, EADDRINUSE,
	  "something is mapped where an attached device cannot translate or has a reserved region: unmap it, and map within sva_iova_ranges()"
	},
	{ SVA_CALL_PASID_BIND, ENOTRECOVERABLE,
	  "a device's IOMMU refused the new address space and then the old one too: its DMA is blocked and the use was revoked; detach it, then bind and attach again"
	},
	{ SVA_CALL_PASID_BIND, EOPNOTSUPP,
	  "the IOMMU of an attached device cannot translate a PASID through this kind of address space; everything is as it was"
	},

	{ SVA_CALL_PASID_BIND, ERANGE,
	  "a device with narrower PASIDs has joined the group of an attached one: it can only be unbound; detach it and use a lower number"
	},
	{ SVA_CALL_PASID_BIND, EXDEV,
	  "the address space is of a guest's table for one IOMMU, and an attached device is behind another: make one for each IOMMU, and a PASID for each"
	},

	{ SVA_CALL_QUOTA, EBADF,
	  "not the descriptor of a cgroup: open its directory, below /sys/fs/cgroup, with O_RDONLY"
	},
	{ SVA_CALL_QUOTA, ENODEV,
	  "this cgroup has been removed"
	},
	{ SVA_CALL_QUOTA, EPERM,
	  "only an administrator (CAP_SYS_RESOURCE) sees the quotas of other users"
	},
	{ SVA_CALL_QUOTA, EINVAL,
	  "there is no such user, or the size of the result structure is too small"
	},

	{ SVA_CALL_QUOTA_SET, EBADF,
	  "not the descriptor of a cgroup: open its directory, below /sys/fs/cgroup, with O_RDONLY"
	},
	{ SVA_CALL_QUOTA_SET, ENODEV,
	  "this cgroup has been removed"
	},
	{ SVA_CALL_QUOTA_SET, EINVAL,
	  "the root of the cgroups has no limit; or there is no such user"
	},
	{ SVA_CALL_QUOTA_SET, EACCES,
	  "only who may write the directory above a cgroup sets its limit: ask who delegated it, or the administrator"
	},
	{ SVA_CALL_QUOTA_SET, EPERM,
	  "limits of users take CAP_SYS_RESOURCE, that of a container's own cgroup is set from outside"
	},
	{ SVA_CALL_QUOTA_SET, EROFS,
	  "the cgroups are mounted read-only here: set it where they are not"
	},

	{ SVA_CALL_PASID_FD, ENOENT,
	  "this context has no such PASID: it was freed already, or belongs to another context"
	},
	{ SVA_CALL_PASID_FD, EPERM,
	  "a process PASID can be given away only by the process that made it"
	},
	{ SVA_CALL_PASID_FD, EMFILE,
	  "this process has no descriptor left: close some or raise RLIMIT_NOFILE"
	},

	{ SVA_CALL_PASID_FD_REVOKE, ENOENT,
	  "this context has no such id: the PASID fd was revoked already, or is of another context"
	},

	{ SVA_CALL_AS_ALLOC, EOPNOTSUPP,
	  "this kernel does not support this kind of address space, or a flag that is asked for"
	},
	{ SVA_CALL_AS_ALLOC, EINVAL,
	  "SVA_AS_F_FAULT needs a fault queue: sva_as_alloc_iova_fault() takes one"
	},
	{ SVA_CALL_AS_ALLOC, EBADF,
	  "not an open descriptor of a fault queue"
	},

	{ SVA_CALL_AS_ALLOC_NESTED, EOPNOTSUPP,
	  "the device's IOMMU cannot use tables of a guest, or not of this kind or format: see caps of sva_device_info(), and sva_device_hw_info()"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, ENOENT,
	  "this context has no such parent: neither an address space nor a vIOMMU"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, EINVAL,
	  "the parent was not made with SVA_AS_F_NEST_PARENT, or the IOMMU refuses what the format's structure says, or its size"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, ENODEV,
	  "there is no such device: sva_device_next() lists those that there are"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, EXDEV,
	  "the device is not behind the IOMMU that the vIOMMU is a slice of"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, EBADF,
	  "not an open descriptor of a fault queue"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, E2BIG,
	  "the format's structure is larger than any that exists"
	},
	{ SVA_CALL_AS_ALLOC_NESTED, EFAULT,
	  "the format's structure is not in readable memory"
	},

	{ SVA_CALL_AS_DESTROY, ENOENT,
	  "this context has no such address space: it was destroyed already, or belongs to another context"
	},
	{ SVA_CALL_AS_DESTROY, EBUSY,
	  "a PASID is bound to it, an address space or vIOMMU was made on it, or another thread is using it at this moment: unbind the PASID, and destroy what was made on it, first"
	},

	{ SVA_CALL_IOVA_MAP, EINVAL,
	  "address, length and IOVA must be multiples of map_align of sva_get_info(), the length not 0, and at least one of SVA_IOVA_F_READ and SVA_IOVA_F_WRITE given"
	},
	{ SVA_CALL_IOVA_MAP, EOVERFLOW,
	  "address plus length, or IOVA plus length, goes beyond the end of the address range"
	},
	{ SVA_CALL_IOVA_MAP, ENOENT,
	  "this context has no such address space"
	},
	{ SVA_CALL_IOVA_MAP, EEXIST,
	  "something is mapped at this IOVA already: unmap it first, or let the kernel choose (no SVA_IOVA_F_FIXED)"
	},
	{ SVA_CALL_IOVA_MAP, EADDRNOTAVAIL,
	  "the attached devices cannot use this IOVA: choose one within sva_iova_ranges(), or let the kernel choose"
	},
	{ SVA_CALL_IOVA_MAP, ENOSPC,
	  "no free IOVA range is long enough: unmap something"
	},
	{ SVA_CALL_IOVA_MAP, EFAULT,
	  "this process cannot access the memory as asked: nothing is mapped there, it is read-only and SVA_IOVA_F_WRITE is given, or it is a writable shared mapping of an ordinary file (use a private mapping, a memfd or tmpfs)"
	},
	{ SVA_CALL_IOVA_MAP, ENXIO,
	  "this is device memory, not ordinary memory: it cannot be pinned"
	},
	{ SVA_CALL_IOVA_MAP, EOPNOTSUPP,
	  "memory of this file system cannot be pinned for long (DAX), or the kernel does not know a flag"
	},
	{ SVA_CALL_IOVA_MAP, EDQUOT,
	  "this user may not pin that much: RLIMIT_MEMLOCK is reached (see \"ulimit -l\"); unmap something, raise the limit, or use a process PASID, which pins nothing"
	},

	{ SVA_CALL_IOVA_MAP_FILE, EBADF,
	  "not an open descriptor"
	},
	{ SVA_CALL_IOVA_MAP_FILE, ENODEV,
	  "not a file of memory: it must be a memfd, or on tmpfs or hugetlbfs; map other files with mmap(2) and sva_iova_map()"
	},
	{ SVA_CALL_IOVA_MAP_FILE, EACCES,
	  "the descriptor must be open for reading, and with SVA_IOVA_F_WRITE for writing too"
	},
	{ SVA_CALL_IOVA_MAP_FILE, EPERM,
	  "the file is sealed against writing (F_SEAL_WRITE or F_SEAL_FUTURE_WRITE): map it without SVA_IOVA_F_WRITE"
	},
	{ SVA_CALL_IOVA_MAP_FILE, ERANGE,
	  "the range goes beyond the end of the file: ftruncate(2) it to its size first"
	},

	{ SVA_CALL_IOVA_UNMAP, ENOENT,
	  "nothing is mapped in this range, or this context has no such address space"
	},
	{ SVA_CALL_IOVA_UNMAP, ERANGE,
	  "the range cuts through a mapping: only whole mappings can be unmapped"
	},
	{ SVA_CALL_IOVA_UNMAP, EINVAL,
	  "a length of 0"
	},
	{ SVA_CALL_IOVA_UNMAP, EOVERFLOW,
	  "IOVA plus length goes beyond the end of the address range"
	},
	{ SVA_CALL_IOVA_UNMAP, EBUSY,
	  "another thread is still making a mapping in this range: wait for it to return"
	},

	{ SVA_CALL_IOVA_COPY, ENOENT,
	  "nothing is mapped at the source, or the range is more than one mapping, or this context has no such address space"
	},
	{ SVA_CALL_IOVA_COPY, EACCES,
	  "the source was not mapped for writing by devices: copy it without SVA_IOVA_F_WRITE"
	},
	{ SVA_CALL_IOVA_COPY, EBUSY,
	  "another thread is still making the source mapping: wait for it to return"
	},

	{ SVA_CALL_IOVA_RANGES, EMSGSIZE,
	  "there are more ranges than fit: call again with room for as many as it now says"
	},
	{ SVA_CALL_IOVA_RANGES, ENOENT,
	  "this context has no such address space"
	},

	{ SVA_CALL_ATTACH, EBADF,
	  "the driver was given a descriptor that is neither one of /dev/sva nor a PASID fd"
	},
	{ SVA_CALL_ATTACH, ENOTTY,
	  "the device's driver does not attach PASIDs: a VFIO device needs one that does, as sva-vfio-pci"
	},
	{ SVA_CALL_ATTACH, EEXIST,
	  "the device has this PASID attached already, or it was revoked there and has yet to be detached"
	},
	{ SVA_CALL_ATTACH, ENOENT,
	  "the context has no such PASID: it was freed, or is of another context, or the PASID fd is for another one"
	},
	{ SVA_CALL_ATTACH, ESTALE,
	  "the PASID fd is dead: it was revoked, its PASID was freed, or the context that it is of was closed; ask for a new one"
	},
	{ SVA_CALL_ATTACH, ESRCH,
	  "the PASID is that of the memory of a process, and the process has ended"
	},
	{ SVA_CALL_ATTACH, ENODEV,
	  "the device is gone, or its IOMMU translates no PASIDs"
	},
	{ SVA_CALL_ATTACH, ERANGE,
	  "the number is too wide for the device: allocate one with sva_pasid_alloc_max() and the device's own limit"
	},
	{ SVA_CALL_ATTACH, EPERM,
	  "a process PASID can be attached only by the process that made it, or by a PASID fd; a RID handle needs a driver that owns the device's DMA"
	},
	{ SVA_CALL_ATTACH, EBUSY,
	  "it is attached already, or the device's group belongs to another user; or the device joined its group when the PASID was in use there: unbind the PASID and bind it again"
	},
	{ SVA_CALL_ATTACH, EADDRINUSE,
	  "something is mapped where the device cannot translate or has a reserved region: unmap it, or map within sva_iova_ranges() of a smaller device"
	},
	{ SVA_CALL_ATTACH, EXDEV,
	  "the PASID is bound to a guest's table for another IOMMU than the device's: make one with this device"
	},
	{ SVA_CALL_ATTACH, ENOSPC,
	  "the device's IOMMU has no PASID left that is narrow enough"
	},
	{ SVA_CALL_ATTACH, EDQUOT,
	  "the quota of PASIDs is used up: free some, or ask the administrator for a higher one"
	},
	{ SVA_CALL_ATTACH, EOPNOTSUPP,
	  "the device's IOMMU cannot translate a PASID through this kind of address space"
	},
	{ SVA_CALL_ATTACH, EINVAL,
	  "the device's IOMMU or driver refuses this PASID or its address space: one address space may not fit two different IOMMUs"
	},

	{ SVA_CALL_DEVICE_INFO, ENOENT,
	  "there is no such device, or no further one: a device is known as long as a driver that can attach PASIDs is bound to it"
	},
	{ SVA_CALL_DEVICE_INFO, EINVAL,
	  "the size of the result structure is too small"
	},
	{ SVA_CALL_DEVICE_INFO, EFAULT,
	  "the buffer for the hardware information is not writable memory"
	},

	{ SVA_CALL_INVALIDATE, ENOENT,
	  "this context has no such address space or vIOMMU, or an entry's guest PASID is not bound to an address space on that vIOMMU"
	},
	{ SVA_CALL_INVALIDATE, ENODEV,
	  "an entry names a device that has no vdevice on this vIOMMU"
	},
	{ SVA_CALL_INVALIDATE, EINVAL,
	  "the address space has no table of a guest, or its IOMMU does not know the format or what an entry says"
	},
	{ SVA_CALL_INVALIDATE, EOPNOTSUPP,
	  "the IOMMU cannot do what an entry says"
	},
	{ SVA_CALL_INVALIDATE, E2BIG,
	  "at most 65536 entries of at most 4096 bytes fit into one call"
	},
	{ SVA_CALL_INVALIDATE, EFAULT,
	  "the entries are not in readable memory"
	},

	{ SVA_CALL_PASID_GUEST, ENOENT,
	  "this context has no such PASID, or none with that guest PASID"
	},
	{ SVA_CALL_PASID_GUEST, EEXIST,
	  "another PASID of this context has that guest PASID: take it from that one first, with SVA_GUEST_PASID_NONE"
	},
	{ SVA_CALL_PASID_GUEST, EINVAL,
	  "no guest PASID has more than 20 bits"
	},

	{ SVA_CALL_FAULTQ_ALLOC, EINVAL,
	  "a fault queue holds 1 to SVA_FAULTQ_DEPTH_MAX page request groups"
	},
	{ SVA_CALL_FAULTQ_ALLOC, EMFILE,
	  "this process has no descriptor left: close some or raise RLIMIT_NOFILE"
	},

	{ SVA_CALL_FAULTQ_RESPOND, ENOENT,
	  "no page request group that was read and not answered has this cookie: detaching its device has answered it, or it was answered before"
	},
	{ SVA_CALL_FAULTQ_RESPOND, EINVAL,
	  "the answer is neither SVA_FAULT_SUCCESS nor SVA_FAULT_INVALID"
	},
	{ SVA_CALL_FAULTQ_RESPOND, EFAULT,
	  "the responses are not in readable memory"
	},
	{ SVA_CALL_FAULTQ_RESPOND, EBADF,
	  "not an open descriptor of a fault queue"
	},

	{ SVA_CALL_QUEUE_READ, EAGAIN,
	  "nothing has happened yet and the queue is non-blocking: wait for it, then read again"
	},
	{ SVA_CALL_QUEUE_READ, EINVAL,
	  "there is no room for the next page request group (SVA_FAULT_GROUP_MAX fits any), or for an event"
	},
	{ SVA_CALL_QUEUE_READ, EFAULT,
	  "the result is not writable memory: nothing was taken out of the queue"
	},
	{ SVA_CALL_QUEUE_READ, ETIMEDOUT,
	  "nothing has happened in this time"
	},
	{ SVA_CALL_QUEUE_READ, EBADF,
	  "not an open descriptor of a queue"
	},

	{ SVA_CALL_VIOMMU_ALLOC, ENOENT,
	  "this context has no such parent"
	},
	{ SVA_CALL_VIOMMU_ALLOC, EINVAL,
	  "the parent is not an address space that was made with SVA_AS_F_NEST_PARENT"
	},
	{ SVA_CALL_VIOMMU_ALLOC, ENODEV,
	  "there is no such device: sva_device_next() lists those that there are"
	},
	{ SVA_CALL_VIOMMU_ALLOC, EOPNOTSUPP,
	  "the device's IOMMU cannot use tables of a guest: see caps of sva_device_info()"
	},

	{ SVA_CALL_VIOMMU_DESTROY, ENOENT,
	  "this context has no such vIOMMU or vdevice: it was destroyed already, or belongs to another context"
	},
	{ SVA_CALL_VIOMMU_DESTROY, EBUSY,
	  "an address space or a vdevice was made on it, or another thread is using it at this moment: destroy those first"
	},

	{ SVA_CALL_VDEVICE_ALLOC, ENOENT,
	  "this context has no such vIOMMU"
	},
	{ SVA_CALL_VDEVICE_ALLOC, ENODEV,
	  "there is no such device: sva_device_next() lists those that there are"
	},
	{ SVA_CALL_VDEVICE_ALLOC, EXDEV,
	  "the device is not behind the IOMMU that the vIOMMU is a slice of"
	},
	{ SVA_CALL_VDEVICE_ALLOC, EEXIST,
	  "the vIOMMU has a vdevice of that name, or for that device"
	},
	{ SVA_CALL_VDEVICE_ALLOC, EINVAL,
	  "UINT64_MAX cannot be a device's name"
	},

	{ SVA_CALL_VEVENTQ_ALLOC, ENOENT,
	  "this context has no such vIOMMU"
	},
	{ SVA_CALL_VEVENTQ_ALLOC, EINVAL,
	  "an event queue holds 1 to SVA_VEVENTQ_DEPTH_MAX events"
	},
	{ SVA_CALL_VEVENTQ_ALLOC, EEXIST,
	  "the vIOMMU has an event queue: close that first"
	},
	{ SVA_CALL_VEVENTQ_ALLOC, EMFILE,
	  "this process has no descriptor left: close some or raise RLIMIT_NOFILE"
	},

	{ SVA_CALL_SIM_OPEN, ENOENT,
	  "there is no such engine: load the module sva_sim, and see /dev/sva_sim*"
	},
	{ SVA_CALL_SIM_OPEN, EACCES,
	  "no right to open the engine: join the group that owns it (usually sva)"
	},
	{ SVA_CALL_SIM_OPEN, ENODEV,
	  "the engine is gone"
	},
	{ SVA_CALL_SIM_OPEN, ENXIO,
	  "the engine is gone"
	},
	{ SVA_CALL_SIM_OPEN, EINVAL,
	  "a flag that this library does not know"
	},

	{ SVA_CALL_SIM_DETACH, EINVAL,
	  "no PASID is attached"
	},

	{ SVA_CALL_SIM_SUBMIT, EINVAL,
	  "a descriptor is not valid: its operation or a flag is unknown, or its completion address is not a multiple of 8"
	},
	{ SVA_CALL_SIM_SUBMIT, ENOLINK,
	  "no PASID is attached, or its use was revoked: attach one (again)"
	},
	{ SVA_CALL_SIM_SUBMIT, ENODEV,
	  "the engine is gone"
	},
	{ SVA_CALL_SIM_SUBMIT, EFAULT,
	  "the descriptors are not in readable memory"
	},

	{ SVA_CALL_SIM_WAIT, ETIMEDOUT,
	  "not completed in this time; the engine may still be working on it"
	},
	{ SVA_CALL_SIM_WAIT, ENOLINK,
	  "it will never complete: the engine is gone, or the use of the PASID was revoked"
	},
	{ SVA_CALL_SIM_WAIT, ENODEV,
	  "it will never complete: the engine is gone"
	},
};

/* These can fail as another one does, besides their own errors. */
static int falls_back(enum sva_call call)
{
	switch (call) {
	case SVA_CALL_IOVA_MAP_FILE:
	case SVA_CALL_IOVA_COPY:
		return SVA_CALL_IOVA_MAP;
	case SVA_CALL_SIM_WAIT:
		return SVA_CALL_SIM_SUBMIT;
	case SVA_CALL_RECV:
		return SVA_CALL_FROM_FD;
	default:
		return -1;
	}
}

static const char *find(int call, int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(particular); i++)
		if ((int)particular[i].call == call && particular[i].err == err)
			return particular[i].text;
	return NULL;
}

static const char *system_text(int err)
{
	const char *text;

	if (!err)
		return "success";
	/* strerror() is thread-safe where strerrordesc_np() does not exist: musl */
#ifdef __GLIBC__
	text = strerrordesc_np(err);
#else
	text = strerror(err);
#endif
	return text ? text : "unknown error";
}

SVA_EXPORT const char *sva_strerror(enum sva_call call, int err)
{
	const char *text;
	size_t i;

	/* not abs(): there is no positive INT_MIN */
	if (err < -4095)
		return system_text(err);
	if (err < 0)
		err = -err;

	text = find((int)call, err);
	if (!text)
		text = find(falls_back(call), err);
	for (i = 0; !text && i < ARRAY_SIZE(general); i++)
		if (general[i].err == err)
			text = general[i].text;
	return text ? text : system_text(err);
}
