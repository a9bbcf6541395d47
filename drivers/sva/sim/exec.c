// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of the engine. Data moves through the queue's bounce pages, a
 * page at a time, so that a queue that is being stopped ends soon.
 */
#include <linux/crc32.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

/* Pages for data that is on its way */
enum { BOUNCE_SRC, BOUNCE_DST, BOUNCE_SGE, BOUNCES };

/* What a queue of a software engine has. */
struct soft_queue {
	struct sva_sim_dma dma;
	void *bounce[BOUNCES];
};

/* Called by the executor of an operation for every part of a range. */
static size_t part(u64 len, u64 done)
{
	return min_t(u64, len - done, PAGE_SIZE);
}

/* @left: what the descriptor goes on to read or write there, with this part. */
static int read_part(struct soft_queue *queue, u64 addr, void *buf, size_t n,
		     u64 left)
{
	queue->dma.ahead = left;
	return sva_sim_dma_read(&queue->dma, addr, buf, n);
}

static int write_part(struct soft_queue *queue, u64 addr, const void *buf,
		      size_t n, u64 left)
{
	queue->dma.ahead = left;
	return sva_sim_dma_write(&queue->dma, addr, buf, n);
}

static bool wraps(u64 addr, u64 len)
{
	u64 end;

	return check_add_overflow(addr, len ? len - 1 : 0, &end);
}

static int op_memcpy(struct soft_queue *queue, u64 src, u64 dst, u64 len,
		     struct sva_sim_completion *result)
{
	void *data = queue->bounce[BOUNCE_SRC];
	u64 done;
	size_t n;
	int ret;

	if (wraps(src, len) || wraps(dst, len))
		return -EINVAL;

	for (done = 0; done < len; done += n) {
		n = part(len, done);
		ret = read_part(queue, src + done, data, n, len - done);
		if (ret)
			return ret;
		ret = write_part(queue, dst + done, data, n, len - done);
		result->bytes += queue->dma.done;
		if (ret)
			return ret;
	}
	return 0;
}

static int op_fill(struct soft_queue *queue, const struct sva_sim_desc *desc,
		   struct sva_sim_completion *result)
{
	void *data = queue->bounce[BOUNCE_SRC];
	u64 done;
	size_t n;
	int ret;

	if (wraps(desc->dst, desc->len))
		return -EINVAL;

	memset64(data, desc->src, PAGE_SIZE / sizeof(u64));
	for (done = 0; done < desc->len; done += n) {
		n = part(desc->len, done);
		ret = write_part(queue, desc->dst + done, data, n,
				 desc->len - done);
		result->bytes += queue->dma.done;
		if (ret)
			return ret;
	}
	return 0;
}

static int op_crc32c(struct soft_queue *queue, const struct sva_sim_desc *desc,
		     struct sva_sim_completion *result)
{
	void *data = queue->bounce[BOUNCE_SRC];
	u32 crc = ~0;
	u64 done;
	size_t n;
	int ret;

	if (wraps(desc->src, desc->len))
		return -EINVAL;

	for (done = 0; done < desc->len; done += n) {
		n = part(desc->len, done);
		ret = read_part(queue, desc->src + done, data, n,
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

static int op_compare(struct soft_queue *queue, const struct sva_sim_desc *desc,
		      struct sva_sim_completion *result)
{
	void *a = queue->bounce[BOUNCE_SRC];
	void *b = queue->bounce[BOUNCE_DST];
	size_t n, equal;
	u64 done;
	int ret;

	if (wraps(desc->src, desc->len) || wraps(desc->dst, desc->len))
		return -EINVAL;

	for (done = 0; done < desc->len; done += n) {
		n = part(desc->len, done);
		ret = read_part(queue, desc->src + done, a, n,
				desc->len - done);
		if (!ret)
			ret = read_part(queue, desc->dst + done, b, n,
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

static int op_sgcopy(struct soft_queue *queue, const struct sva_sim_desc *desc,
		     struct sva_sim_completion *result)
{
	struct sva_sim_sge *sge = queue->bounce[BOUNCE_SGE];
	u64 size = desc->len * sizeof(*sge);
	u64 done, dst = desc->dst;
	size_t i, n;
	int ret;

	if (desc->len > SVA_SIM_SGE_MAX || wraps(desc->src, size))
		return -EINVAL;

	for (done = 0; done < size; done += n) {
		n = part(size, done);
		ret = read_part(queue, desc->src + done, sge, n, size - done);
		if (ret)
			return ret;
		for (i = 0; i < n / sizeof(*sge); i++) {
			ret = op_memcpy(queue, sge[i].addr, dst, sge[i].len,
					result);
			if (ret)
				return ret;
			dst += sge[i].len;
		}
	}
	return 0;
}

static int execute(struct soft_queue *queue, const struct sva_sim_desc *desc,
		   struct sva_sim_completion *result)
{
	switch (desc->op) {
	case SVA_SIM_OP_NOP:
		return 0;
	case SVA_SIM_OP_MEMCPY:
		return op_memcpy(queue, desc->src, desc->dst, desc->len,
				 result);
	case SVA_SIM_OP_FILL:
		return op_fill(queue, desc, result);
	case SVA_SIM_OP_CRC32C:
		return op_crc32c(queue, desc, result);
	case SVA_SIM_OP_COMPARE:
		return op_compare(queue, desc, result);
	case SVA_SIM_OP_SGCOPY:
		return op_sgcopy(queue, desc, result);
	default:
		return -EINVAL;
	}
}

static void execute_to_end(struct soft_queue *queue,
			   const struct sva_sim_desc *desc,
			   struct sva_sim_completion *result)
{
	switch (execute(queue, desc, result)) {
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
		result->fault_addr = queue->dma.fault_addr;
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
static int write_record(struct soft_queue *queue, u64 addr,
			const struct sva_sim_completion *result)
{
	struct sva_sim_dma last;
	int ret = -ECANCELED;

	if (!addr)
		return 0;
	if (result->status != SVA_SIM_STATUS_ABORTED)
		ret = write_with(&queue->dma, addr, result);
	if (ret != -ECANCELED)
		return ret;

	sva_sim_dma_init(&last, queue->dma.dev);
	last.pasid = queue->dma.pasid;
	last.no_fault = true;
	return write_with(&last, addr, result);
}

static bool soft_execute(struct sim_queue *queue, const struct sva_sim_desc *desc,
			 struct sva_sim_completion *result)
{
	struct soft_queue *soft = queue->hw;

	WRITE_ONCE(soft->dma.stop, false);
	/* Pairs with soft_stop(): one of the two sees what the other wrote. */
	smp_mb();
	if (READ_ONCE(queue->stop))
		WRITE_ONCE(soft->dma.stop, true);

	soft->dma.pasid = queue->pasid;
	soft->dma.page_requests = 0;
	soft->dma.private_data[0] = queue->id;
	soft->dma.private_data[1] = queue->tail;
	if (!READ_ONCE(soft->dma.stop))
		execute_to_end(soft, desc, result);
	result->page_requests = soft->dma.page_requests;
	return !write_record(soft, desc->completion, result);
}

static void soft_stop(struct sim_queue *queue)
{
	struct soft_queue *soft = queue->hw;

	smp_mb();	/* as in soft_execute() */
	sva_sim_dma_stop(&soft->dma);
}

static void soft_queue_exit(struct sim_queue *queue)
{
	struct soft_queue *soft = queue->hw;
	int i;

	for (i = 0; i < BOUNCES; i++)
		free_page((unsigned long)soft->bounce[i]);
	kfree(soft);
}

static int soft_queue_init(struct sim_queue *queue)
{
	struct soft_queue *soft = kzalloc_obj(*soft, GFP_KERNEL_ACCOUNT);
	int i;

	if (!soft)
		return -ENOMEM;
	queue->hw = soft;
	for (i = 0; i < BOUNCES; i++) {
		soft->bounce[i] = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
		if (!soft->bounce[i]) {
			soft_queue_exit(queue);
			return -ENOMEM;
		}
	}
	sva_sim_dma_init(&soft->dma, queue->engine->hw);
	return 0;
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
