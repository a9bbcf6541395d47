// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Loading the kernel module, for callers who may. */
#include <libkmod.h>

#include "internal.h"

#define SVA_MODULE "sva"

/* What went wrong is told by sva_open()'s errno, not on somebody's stderr. */
static void no_log(void *data, int priority, const char *file, int line,
		   const char *fn, const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

/*
 * What finit_module(2) and libkmod return, as sva_open() reports it: "not allowed"
 * is for the caller to act on, the rest is passed on. libkmod says with a positive
 * value what stopped it: a blacklist or, in older versions, a command that
 * modprobe.d has for the module.
 */
static int load_error(int err)
{
	return err > 0 || err == -EACCES ? -EPERM : err;
}

static int load_list(struct kmod_list *list)
{
	struct kmod_list *item;
	int err = -ENOENT;

	kmod_list_foreach(item, list) {
		struct kmod_module *mod = kmod_module_get_module(item);

		err = kmod_module_probe_insert_module(mod,
						      KMOD_PROBE_APPLY_BLACKLIST,
						      NULL, NULL, NULL, NULL);
		kmod_module_unref(mod);
		if (err)
			break;
	}
	return load_error(err);
}

int sva_load_module(void)
{
	struct kmod_list *list = NULL;
	struct kmod_ctx *ctx;
	int err;

	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return -ENOMEM;
	kmod_set_log_fn(ctx, no_log, NULL);

	err = kmod_module_new_from_lookup(ctx, SVA_MODULE, &list);
	/*
	 * What else it answers without a module directory depends on its version;
	 * the list is empty then, as it is for a module that is not there.
	 */
	if (err != -ENOMEM)
		err = load_list(list);

	kmod_module_unref_list(list);
	kmod_unref(ctx);
	return err;
}
