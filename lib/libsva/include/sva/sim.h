/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libsva: the software DMA engines, /dev/sva_simN.
 *
 * Attaching is the business of each device's driver. These engines need no
 * hardware, and so this is also the model of how a driver's own library turns
 * "sva fd plus PASID" into an attach. Conventions are those of <sva/sva.h>;
 * descriptors and completion records are those of <linux/sva_sim.h>.
 */
#ifndef SVA_SIM_H
#define SVA_SIM_H

#include <stddef.h>
#include <stdint.h>

#include <linux/sva_sim.h>

#include <sva/sva.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct sva_sim - a queue of an engine; opaque */
struct sva_sim;

/**
 * sva_sim_open() - open a queue of an engine
 * @sim: Out: the queue
 * @device: Path of the engine, for example "/dev/sva_sim0"
 * @flags: Must be 0
 *
 * Return: 0, or -ENOENT, -EACCES, -ENODEV the engine is gone; -EINVAL unknown
 * flags; -ENOMEM, -EMFILE, -ENFILE.
 */
int sva_sim_open(struct sva_sim **sim, const char *device, unsigned int flags);

/**
 * sva_sim_fd() - the descriptor of a queue
 * @sim: The queue
 *
 * It is close-on-exec and non-blocking; poll(2) it for POLLOUT. Completions are
 * read from it by sva_sim_wait(): use one or the other.
 *
 * Return: the descriptor. It stays the queue's.
 */
int sva_sim_fd(const struct sva_sim *sim);

/**
 * sva_sim_close() - close a queue
 * @sim: The queue, or NULL
 *
 * Detaches it. What it still has to do is aborted.
 */
void sva_sim_close(struct sva_sim *sim);

/**
 * sva_sim_attach() - let a queue use a PASID
 * @sim: The queue
 * @sva: The context
 * @pasid: PASID or handle of that context
 * @number: Out: the number that the engine uses, 0 for a RID handle; may be NULL
 *
 * Return: 0, or -EBUSY the queue is attached already; -ENOENT no such PASID;
 * -EPERM it is the process PASID of another process; -ENODEV the engine is gone;
 * or what else the kernel answered, see sva_sim_attach(3).
 */
int sva_sim_attach(struct sva_sim *sim, const struct sva *sva, uint32_t pasid,
		   uint32_t *number);

/**
 * sva_sim_attach_fd() - let a queue use the PASID of a PASID fd
 * @sim: The queue
 * @fd: The PASID fd
 * @number: Out: the number that the engine uses, 0 for a RID handle; may be NULL
 *
 * Return: as sva_sim_attach(), and -EBADF @fd is not a PASID fd; -ESTALE it was
 * revoked, its PASID was freed or its context closed; -ESRCH it is of the memory
 * of a process that has ended.
 */
int sva_sim_attach_fd(struct sva_sim *sim, int fd, uint32_t *number);

/**
 * sva_sim_attach_guest() - let a queue use a PASID that a guest has chosen
 * @sim: The queue
 * @sva: The context
 * @rid: RID handle that is, or will be, bound to a guest's PASID table
 * @guest: The PASID, which the queue puts on its DMA
 *
 * Return: as sva_sim_attach(), and -EOPNOTSUPP the engine's IOMMU has no such
 * tables; -EINVAL @rid is no RID handle; -ERANGE @guest is too wide.
 */
int sva_sim_attach_guest(struct sva_sim *sim, const struct sva *sva,
			 uint32_t rid, uint32_t guest);

/**
 * sva_sim_detach() - end the use of a PASID
 * @sim: The queue
 *
 * Waits for what has been submitted.
 *
 * Return: 0, or -EINVAL it is not attached.
 */
int sva_sim_detach(struct sva_sim *sim);

/**
 * sva_sim_info() - what an engine is and a queue has done
 * @sim: The queue
 * @info: Out
 * @size: sizeof(*@info)
 *
 * Return: 0, or -EINVAL @size is too small; -ENODEV the engine is gone.
 */
int sva_sim_info(const struct sva_sim *sim, struct sva_sim_info *info,
		 size_t size);

/**
 * sva_sim_set_eventfd() - have completions signalled
 * @sim: The queue
 * @fd: An eventfd, or -1 for none
 *
 * Return: 0, or -EBADF, -EINVAL it is not an eventfd.
 */
int sva_sim_set_eventfd(struct sva_sim *sim, int fd);

/**
 * sva_sim_submit() - give an engine work
 * @sim: The queue
 * @desc: Descriptors
 * @count: How many
 *
 * Waits for room in the queue. They are executed in order; more than one thread
 * may submit, then those of one call need not follow each other directly.
 *
 * Return: how many were taken, which is fewer than @count only if something went
 * wrong after that; or, if none was, -EINVAL a descriptor is not valid; -ENOLINK
 * nothing is attached, or its use was revoked; -ENODEV the engine is gone;
 * -EFAULT; -EINTR.
 */
int sva_sim_submit(struct sva_sim *sim, const struct sva_sim_desc *desc,
		   unsigned int count);

/**
 * sva_sim_wait() - wait for a completion record
 * @sim: The queue
 * @done: The record that a descriptor of this queue names, as the caller sees it
 * @timeout_ms: Milliseconds, or -1 for no limit
 *
 * The record's status must have been set to %SVA_SIM_STATUS_PENDING before the
 * descriptor was submitted. Any number of threads may wait, each for its own.
 *
 * Return: 0: the record is written, its status says how it went; -ETIMEDOUT;
 * -ENOLINK it never will be: the engine is gone or the use of the PASID was
 * revoked; -EINTR.
 */
int sva_sim_wait(struct sva_sim *sim, const struct sva_sim_completion *done,
		 int timeout_ms);

/**
 * sva_sim_run() - have one descriptor executed
 * @sim: The queue, attached to a process PASID
 * @desc: The descriptor; its completion address is not looked at
 * @done: Out: the completion record, also if the status in it is not
 *        %SVA_SIM_STATUS_OK
 *
 * Submits and waits. @done is written by the engine, at the caller's own address.
 * Signals do not interrupt it.
 *
 * Return: as sva_sim_submit() and sva_sim_wait(), 0 for success.
 */
int sva_sim_run(struct sva_sim *sim, const struct sva_sim_desc *desc,
		struct sva_sim_completion *done);

#ifdef __cplusplus
}
#endif

#endif /* SVA_SIM_H */
