/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sva

#if !defined(_TRACE_SVA_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_SVA_H

#include <linux/device.h>
#include <linux/tracepoint.h>

/*
 * @ctx is the id of the context, as SVA_LIST and fdinfo show it; @pasid is a
 * PASID or handle, as user space names it; @number is what the device uses.
 */

TRACE_EVENT(sva_alloc,
	    TP_PROTO(u64 ctx, u32 pasid, u32 count, u32 kind),
	    TP_ARGS(ctx, pasid, count, kind),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u32, pasid)
			     __field(u32, count)
			     __field(u32, kind)),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->pasid = pasid;
			   __entry->count = count;
			   __entry->kind = kind;),
	    TP_printk("ctx=%llu pasid=%#x count=%u kind=%s",
		      __entry->ctx, __entry->pasid, __entry->count,
		      __print_symbolic(__entry->kind, { 0, "number" },
				       { 1, "process" }, { 2, "rid" })));

TRACE_EVENT(sva_free,
	    TP_PROTO(u64 ctx, u32 pasid, u32 count),
	    TP_ARGS(ctx, pasid, count),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u32, pasid)
			     __field(u32, count)),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->pasid = pasid;
			   __entry->count = count;),
	    TP_printk("ctx=%llu pasid=%#x count=%u",
		      __entry->ctx, __entry->pasid, __entry->count));

TRACE_EVENT(sva_charge,
	    TP_PROTO(u64 cgroup, u32 uid, u32 count, int ret),
	    TP_ARGS(cgroup, uid, count, ret),
	    TP_STRUCT__entry(__field(u64, cgroup)
			     __field(u32, uid)
			     __field(u32, count)
			     __field(int, ret)),
	    TP_fast_assign(__entry->cgroup = cgroup;
			   __entry->uid = uid;
			   __entry->count = count;
			   __entry->ret = ret;),
	    TP_printk("cgroup=%llu uid=%u count=%u ret=%d",
		      __entry->cgroup, __entry->uid, __entry->count,
		      __entry->ret));

TRACE_EVENT(sva_bind,
	    TP_PROTO(u64 ctx, u32 pasid, u32 as, int ret),
	    TP_ARGS(ctx, pasid, as, ret),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u32, pasid)
			     __field(u32, as)
			     __field(int, ret)),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->pasid = pasid;
			   __entry->as = as;
			   __entry->ret = ret;),
	    TP_printk("ctx=%llu pasid=%#x as=%u ret=%d",
		      __entry->ctx, __entry->pasid, __entry->as, __entry->ret));

TRACE_EVENT(sva_attach,
	    TP_PROTO(u64 ctx, u32 pasid, u32 number, struct device *dev, int ret),
	    TP_ARGS(ctx, pasid, number, dev, ret),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u32, pasid)
			     __field(u32, number)
			     __field(int, ret)
			     __string(device, dev_name(dev))),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->pasid = pasid;
			   __entry->number = number;
			   __entry->ret = ret;
			   __assign_str(device);),
	    TP_printk("ctx=%llu pasid=%#x number=%u device=%s ret=%d",
		      __entry->ctx, __entry->pasid, __entry->number,
		      __get_str(device), __entry->ret));

DECLARE_EVENT_CLASS(sva_bond,
		    TP_PROTO(u64 ctx, u32 pasid, u32 number, struct device *dev),
		    TP_ARGS(ctx, pasid, number, dev),
		    TP_STRUCT__entry(__field(u64, ctx)
				     __field(u32, pasid)
				     __field(u32, number)
				     __string(device, dev_name(dev))),
		    TP_fast_assign(__entry->ctx = ctx;
				   __entry->pasid = pasid;
				   __entry->number = number;
				   __assign_str(device);),
		    TP_printk("ctx=%llu pasid=%#x number=%u device=%s",
			      __entry->ctx, __entry->pasid, __entry->number,
			      __get_str(device)));

DEFINE_EVENT(sva_bond, sva_detach,
	     TP_PROTO(u64 ctx, u32 pasid, u32 number, struct device *dev),
	     TP_ARGS(ctx, pasid, number, dev));

DEFINE_EVENT(sva_bond, sva_revoke,
	     TP_PROTO(u64 ctx, u32 pasid, u32 number, struct device *dev),
	     TP_ARGS(ctx, pasid, number, dev));

TRACE_EVENT(sva_map,
	    TP_PROTO(u64 ctx, u32 as, u64 iova, u64 length, int prot),
	    TP_ARGS(ctx, as, iova, length, prot),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u64, iova)
			     __field(u64, length)
			     __field(u32, as)
			     __field(int, prot)),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->iova = iova;
			   __entry->length = length;
			   __entry->as = as;
			   __entry->prot = prot;),
	    TP_printk("ctx=%llu as=%u iova=%#llx length=%#llx prot=%s",
		      __entry->ctx, __entry->as, __entry->iova, __entry->length,
		      __print_flags(__entry->prot, "", { 1, "r" }, { 2, "w" })));

TRACE_EVENT(sva_unmap,
	    TP_PROTO(u64 ctx, u32 as, u64 iova, u64 length),
	    TP_ARGS(ctx, as, iova, length),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u64, iova)
			     __field(u64, length)
			     __field(u32, as)),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->iova = iova;
			   __entry->length = length;
			   __entry->as = as;),
	    TP_printk("ctx=%llu as=%u iova=%#llx length=%#llx",
		      __entry->ctx, __entry->as, __entry->iova, __entry->length));

/* @id: address space or vIOMMU; @done: entries that were handled */
TRACE_EVENT(sva_invalidate,
	    TP_PROTO(u64 ctx, u32 id, u32 entries, u32 done, int ret),
	    TP_ARGS(ctx, id, entries, done, ret),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u32, id)
			     __field(u32, entries)
			     __field(u32, done)
			     __field(int, ret)),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->id = id;
			   __entry->entries = entries;
			   __entry->done = done;
			   __entry->ret = ret;),
	    TP_printk("ctx=%llu id=%u entries=%u done=%u ret=%d",
		      __entry->ctx, __entry->id, __entry->entries, __entry->done,
		      __entry->ret));

/* A page request group; @addr and @perm are those of its last request. */
TRACE_EVENT(sva_fault,
	    TP_PROTO(u64 ctx, u32 pasid, struct device *dev, u32 grpid, u64 addr,
		     u32 perm, u32 pages, bool queued),
	    TP_ARGS(ctx, pasid, dev, grpid, addr, perm, pages, queued),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u64, addr)
			     __field(u32, pasid)
			     __field(u32, grpid)
			     __field(u32, perm)
			     __field(u32, pages)
			     __field(bool, queued)
			     __string(device, dev_name(dev))),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->addr = addr;
			   __entry->pasid = pasid;
			   __entry->grpid = grpid;
			   __entry->perm = perm;
			   __entry->pages = pages;
			   __entry->queued = queued;
			   __assign_str(device);),
	    TP_printk("ctx=%llu pasid=%#x device=%s grpid=%u addr=%#llx perm=%s pages=%u queued=%d",
		      __entry->ctx, __entry->pasid, __get_str(device),
		      __entry->grpid, __entry->addr,
		      __print_flags(__entry->perm, "", { 1, "r" }, { 2, "w" },
				    { 4, "x" }, { 8, "p" }),
		      __entry->pages, __entry->queued));

TRACE_EVENT(sva_response,
	    TP_PROTO(u64 ctx, u32 pasid, struct device *dev, u32 grpid, u32 code),
	    TP_ARGS(ctx, pasid, dev, grpid, code),
	    TP_STRUCT__entry(__field(u64, ctx)
			     __field(u32, pasid)
			     __field(u32, grpid)
			     __field(u32, code)
			     __string(device, dev_name(dev))),
	    TP_fast_assign(__entry->ctx = ctx;
			   __entry->pasid = pasid;
			   __entry->grpid = grpid;
			   __entry->code = code;
			   __assign_str(device);),
	    TP_printk("ctx=%llu pasid=%#x device=%s grpid=%u code=%s",
		      __entry->ctx, __entry->pasid, __get_str(device),
		      __entry->grpid,
		      __print_symbolic(__entry->code, { 0, "success" },
				       { 1, "invalid" })));

#endif /* _TRACE_SVA_H */

#include <trace/define_trace.h>
