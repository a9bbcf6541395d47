// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of the engine. Data moves through bounce pages, a page at a time,
 * so that what is being stopped ends soon.
 */
#include <linux/crc32.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"
#include "exec.h"

/* Pages for data that is on its way */
enum { BOUNCE_SRC, BOUNCE_DST, BOUNCE_SGE, BOUNCES };

/* Executes one descriptor at a time. */
struct sva_sim_exec {
	struct sva_sim_dma dma;
	void *bounce[BOUNCES];
};

/* Called by the executor of an operation for every part of a range. */
static size_t part(u64 len, u64 done)
{
	return min_t(u64, len - done, PAGE_SIZE);
}

/* @left: what the descriptor goes on to read or write there, with this part. */
static int read_part(struct sva_sim_exec *exec, u64 addr, void *buf, size_t n,
		     u64 left)
{
	exec->dma.ahead = left;
	return sva_sim_dma_read(&exec->dma, addr, buf, n);
}

static int write_part(struct sva_sim_exec *exec, u64 addr, const void *buf,
		      size_t n, u64 left)
{
	exec->dma.ahead = left;
	return sva_sim_dma_write(&exec->dma, addr, buf, n);
}

static bool wraps(u64 addr, u64 len)
{
	u64 end;

	return check_add_overflow(addr, len ? len - 1 : 0, &end);
}

static int op_memcpy(struct sva_sim_exec *exec, u64 src, u64 dst, u64 len,
		     struct sva_sim_completion *result)
{
	void *data = exec->bounce[BOUNCE_SRC];
	u64 done;
	size_t n;
	int ret;

	if (wraps(src, len) || wraps(dst, len))
		return -EINVAL;

	for (done = 0; done < len; done += n) {
		n = part(len, done);
		ret = read_part(exec, src + done, data, n, len - done);
		if (ret)
			return ret;
		ret = write_part(exec, dst + done, data, n, len - done);
		result->bytes += exec->dma.done;
		if (ret)
			return ret;
	}
	return 0;
}

static int op_fill(struct sva_sim_exec *exec, const struct sva_sim_desc *desc,
		   struct sva_sim_completion *result)
{
	void *data = exec->bounce[BOUNCE_SRC];
	u64 done;
	size_t n;
	int ret;

	if (wraps(desc->dst, desc->len))
		return -EINVAL;

	memset64(data, desc->src, PAGE_SIZE / sizeof(u64));
	for (done = 0; done < desc->len; done += n) {
		n = part(desc->len, done);
		ret = write_part(exec, desc->dst + done, data, n,
				 desc->len - done);
		result->bytes += exec->dma.done;
		if (ret)
			return ret;
	}
	return 0;
}

static int op_crc32c(struct sva_sim_exec *exec, const struct sva_sim_desc *desc,
		     struct sva_sim_completion *result)
{
	void *data = exec->bounce[BOUNCE_SRC];
	u32 crc = ~0;
	u64 done;
	size_t n;
	int ret;

	if (wraps(desc->src, desc->len))
		return -EINVAL;

	for (done = 0; done < desc->len; done += n) {
		n = part(desc->len, done);
		ret = read_part(exec, desc->src + done, data, n,
				desc->len - done);
		if (ret)
			return ret;
		crc = crc32c(crc, data, n);
		result->bytes += n;
	}
	result->result = ~crc;
	return 0;
}

static size_t equal_bytes(const u8 *a, const u8 *b, size_t n)
{
	size_t i = 0;

	if (!memcmp(a, b, n))
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}

static int op_compare(struct sva_sim_exec *exec, const struct sva_sim_desc *desc,
		      struct sva_sim_completion *result)
{
	void *a = exec->bounce[BOUNCE_SRC];
	void *b = exec->bounce[BOUNCE_DST];
	size_t n, equal;
	u64 done;
	int ret;

	if (wraps(desc->src, desc->len) || wraps(desc->dst, desc->len))
		return -EINVAL;

	for (done = 0; done < desc->len; done += n) {
		n = part(desc->len, done);
		ret = read_part(exec, desc->src + done, a, n,
				desc->len - done);
		if (!ret)
			ret = read_part(exec, desc->dst + done, b, n,
					desc->len - done);
		if (ret)
			return ret;
		equal = equal_bytes(a, b, n);
		result->bytes += equal;
		if (equal < n) {
			result->result = 1;
			return 0;
		}
	}
	return 0;
}

static int op_sgcopy(struct sva_sim_exec *exec, const struct sva_sim_desc *desc,
		     struct sva_sim_completion *result)
{
	struct sva_sim_sge *sge = exec->bounce[BOUNCE_SGE];
	u64 size = desc->len * sizeof(*sge);
	u64 done, dst = desc->dst;
	size_t i, n;
	int ret;

	if (desc->len > SVA_SIM_SGE_MAX || wraps(desc->src, size))
		return -EINVAL;

	for (done = 0; done < size; done += n) {
		n = part(size, done);
		ret = read_part(exec, desc->src + done, sge, n, size - done);
		if (ret)
			return ret;
		for (i = 0; i < n / sizeof(*sge); i++) {
			ret = op_memcpy(exec, sge[i].addr, dst, sge[i].len,
					result);
			if (ret)
				return ret;
			dst += sge[i].len;
		}
	}
	return 0;
}

static int execute(struct sva_sim_exec *exec, const struct sva_sim_desc *desc,
		   struct sva_sim_completion *result)
{
	switch (desc->op) {
	case SVA_SIM_OP_NOP:
		return 0;
	case SVA_SIM_OP_MEMCPY:
		return op_memcpy(exec, desc->src, desc->dst, desc->len,
				 result);
	case SVA_SIM_OP_FILL:
		return op_fill(exec, desc, result);
	case SVA_SIM_OP_CRC32C:
		return op_crc32c(exec, desc, result);
	case SVA_SIM_OP_COMPARE:
		return op_compare(exec, desc, result);
	case SVA_SIM_OP_SGCOPY:
		return op_sgcopy(exec, desc, result);
	default:
		return -EINVAL;
	}
}

static void execute_to_end(struct sva_sim_exec *exec,
			   const struct sva_sim_desc *desc,
			   struct sva_sim_completion *result)
{
	switch (execute(exec, desc, result)) {
	case 0:
		result->status = SVA_SIM_STATUS_OK;
		break;
	case -EINVAL:
		result->status = SVA_SIM_STATUS_INVALID;
		break;
	case -ECANCELED:
		result->status = SVA_SIM_STATUS_ABORTED;
		break;
	default:
		result->status = SVA_SIM_STATUS_FAULT;
		result->fault_addr = exec->dma.fault_addr;
		break;
	}
}

/* The status is written last: who polls for it finds the rest complete. */
static int write_with(struct sva_sim_dma *dma, u64 addr,
		      const struct sva_sim_completion *result)
{
	size_t rest = offsetofend(struct sva_sim_completion, status);
	int ret;

	if (wraps(addr, sizeof(*result)))
		return -EFAULT;
	dma->ahead = 0;
	ret = sva_sim_dma_write(dma, addr + rest, (const u8 *)result + rest,
				sizeof(*result) - rest);
	return ret ?: sva_sim_dma_write(dma, addr, &result->status,
					sizeof(result->status));
}

/*
 * While the queue is being stopped, a record is written if that needs nobody's
 * help: whoever stops the queue waits for it.
 */
static int write_record(struct sva_sim_exec *exec, u64 addr,
			const struct sva_sim_completion *result)
{
	struct sva_sim_dma last;
	int ret = -ECANCELED;

	if (!addr)
		return 0;
	if (result->status != SVA_SIM_STATUS_ABORTED)
		ret = write_with(&exec->dma, addr, result);
	if (ret != -ECANCELED)
		return ret;

	sva_sim_dma_init(&last, exec->dma.dev);
	last.pasid = exec->dma.pasid;
	last.guest = exec->dma.guest;
	last.no_fault = true;
	return write_with(&last, addr, result);
}

/**
 * sva_sim_exec_run() - Execute a descriptor, and write its completion record
 * @exec: Who executes it
 * @run: What, and how
 * @result: Out: the record, with status aborted beforehand
 *
 * Context: Process context; waits for page requests to be answered. One at a time.
 * Return: whether the record, if there is to be one, could be written.
 */
bool sva_sim_exec_run(struct sva_sim_exec *exec, const struct sva_sim_run *run,
		      struct sva_sim_completion *result)
{
	WRITE_ONCE(exec->dma.stop, false);
	/* Pairs with sva_sim_exec_stop(): one sees what the other wrote. */
	smp_mb();
	if (READ_ONCE(*run->stop))
		WRITE_ONCE(exec->dma.stop, true);

	exec->dma.pasid = run->pasid;
	exec->dma.guest = run->guest;
	exec->dma.page_requests = 0;
	exec->dma.private_data[0] = run->private_data[0];
	exec->dma.private_data[1] = run->private_data[1];
	if (!READ_ONCE(exec->dma.stop))
		execute_to_end(exec, &run->desc, result);
	result->page_requests = exec->dma.page_requests;
	return !write_record(exec, run->desc.completion, result);
}
EXPORT_SYMBOL_GPL(sva_sim_exec_run);

/**
 * sva_sim_exec_stop() - End a descriptor, after sva_sim_run.stop was set
 * @exec: Who may be executing it
 *
 * Context: Any. Does not wait.
 */
void sva_sim_exec_stop(struct sva_sim_exec *exec)
{
	smp_mb();	/* as in sva_sim_exec_run() */
	sva_sim_dma_stop(&exec->dma);
}
EXPORT_SYMBOL_GPL(sva_sim_exec_stop);

/**
 * sva_sim_exec_free() - The opposite of sva_sim_exec_new()
 * @exec: Who executes nothing, or NULL
 */
void sva_sim_exec_free(struct sva_sim_exec *exec)
{
	int i;

	if (!exec)
		return;
	for (i = 0; i < BOUNCES; i++)
		free_page((unsigned long)exec->bounce[i]);
	kfree(exec);
}
EXPORT_SYMBOL_GPL(sva_sim_exec_free);

/**
 * sva_sim_exec_new() - Make what executes descriptors
 * @dev: The engine's device, as long as any is executed
 *
 * Return: it, or NULL if there is no memory.
 */
struct sva_sim_exec *sva_sim_exec_new(struct device *dev)
{
	struct sva_sim_exec *exec = kzalloc_obj(*exec, GFP_KERNEL_ACCOUNT);
	int i;

	if (!exec)
		return NULL;
	for (i = 0; i < BOUNCES; i++) {
		exec->bounce[i] = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
		if (!exec->bounce[i]) {
			sva_sim_exec_free(exec);
			return NULL;
		}
	}
	sva_sim_dma_init(&exec->dma, dev);
	return exec;
}
EXPORT_SYMBOL_GPL(sva_sim_exec_new);

/* --- for the queues of /dev/sva_simN ---------------------------------------- */

static bool soft_execute(struct sim_queue *queue, const struct sva_sim_desc *desc,
			 struct sva_sim_completion *result)
{
	const struct sva_sim_run run = {
		.desc = *desc,
		.pasid = queue->pasid,
		.guest = queue->guest,
		.private_data = { queue->id, queue->tail },
		.stop = &queue->stop,
	};

	return sva_sim_exec_run(queue->hw, &run, result);
}

static void soft_stop(struct sim_queue *queue)
{
	sva_sim_exec_stop(queue->hw);
}

static void soft_queue_exit(struct sim_queue *queue)
{
	sva_sim_exec_free(queue->hw);
}

static int soft_queue_init(struct sim_queue *queue)
{
	queue->hw = sva_sim_exec_new(queue->engine->hw);
	return queue->hw ? 0 : -ENOMEM;
}

static int soft_check_guest_pasid(struct sim_engine *engine, u32 pasid)
{
	struct sva_sim_port *port = engine->priv;

	if (!sva_sim_has_user_tables(port->iommu))
		return -EOPNOTSUPP;
	return pasid >> port->pasid_bits ? -ERANGE : 0;
}

static void soft_get_info(struct sim_engine *engine, struct sva_sim_info *info)
{
	struct sva_sim_port *port = engine->priv;

	info->pasid_max = BIT(port->pasid_bits) - 1;
	info->iommu = port->iommu;
	info->iotlb_hits = atomic64_read(&port->iotlb_hits);
	info->iotlb_misses = atomic64_read(&port->iotlb_misses);
}

const struct sim_engine_ops sim_soft_ops = {
	.queue_init = soft_queue_init,
	.queue_exit = soft_queue_exit,
	.execute = soft_execute,
	.stop = soft_stop,
	.check_guest_pasid = soft_check_guest_pasid,
	.get_info = soft_get_info,
};
