// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of the engine. Data moves through the queue's bounce pages, a
 * page at a time, so that a queue that is being stopped ends soon.
 */
#include <linux/crc32.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "engine.h"

/* Called by the executor of an operation for every part of a range. */
static size_t part(u64 len, u64 done)
{
	return min_t(u64, len - done, PAGE_SIZE);
}

/* @left: what the descriptor goes on to read or write there, with this part. */
static int read_part(struct sim_queue *queue, u64 addr, void *buf, size_t n,
		     u64 left)
{
	queue->dma.ahead = left;
	return sva_sim_dma_read(&queue->dma, addr, buf, n);
}

static int write_part(struct sim_queue *queue, u64 addr, const void *buf,
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

static int op_memcpy(struct sim_queue *queue, u64 src, u64 dst, u64 len,
		     struct sva_sim_completion *result)
{
	void *data = queue->bounce[SIM_BOUNCE_SRC];
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

static int op_fill(struct sim_queue *queue, const struct sva_sim_desc *desc,
		   struct sva_sim_completion *result)
{
	void *data = queue->bounce[SIM_BOUNCE_SRC];
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

static int op_crc32c(struct sim_queue *queue, const struct sva_sim_desc *desc,
		     struct sva_sim_completion *result)
{
	void *data = queue->bounce[SIM_BOUNCE_SRC];
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

static int op_compare(struct sim_queue *queue, const struct sva_sim_desc *desc,
		      struct sva_sim_completion *result)
{
	void *a = queue->bounce[SIM_BOUNCE_SRC];
	void *b = queue->bounce[SIM_BOUNCE_DST];
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

static int op_sgcopy(struct sim_queue *queue, const struct sva_sim_desc *desc,
		     struct sva_sim_completion *result)
{
	struct sva_sim_sge *sge = queue->bounce[SIM_BOUNCE_SGE];
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

static int execute(struct sim_queue *queue, const struct sva_sim_desc *desc,
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

/**
 * sim_exec() - Execute a descriptor
 * @queue: Its queue
 * @desc: The descriptor
 * @result: Filled in, except for the page requests
 */
void sim_exec(struct sim_queue *queue, const struct sva_sim_desc *desc,
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

/**
 * sim_exec_complete() - Write a completion record
 * @dma: What to write it with
 * @addr: Its address
 * @result: The record
 *
 * The status is written last: who polls for it finds the rest complete.
 *
 * Return: 0 or the error of the access.
 */
int sim_exec_complete(struct sva_sim_dma *dma, u64 addr,
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
