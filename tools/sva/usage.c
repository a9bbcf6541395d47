// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts, and what each process uses of /dev/sva. The kernel lists all of them
 * for who may see all; others find their own by the descriptors in /proc.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usage.h"

/* --- lists of the kernel's ------------------------------------------------- */

static int read_entries(struct sva_list_iter *iter, uint32_t size, char **entries,
			size_t *count)
{
	size_t room = 0;
	const void *entry;
	char *more;
	int ret;

	while ((ret = sva_list_next(iter, &entry)) > 0) {
		if (*count == room) {
			room = room ? 2 * room : 256;
			more = realloc(*entries, room * size);
			if (!more)
				return -ENOMEM;
			*entries = more;
		}
		memcpy(*entries + (*count)++ * size, entry, size);
	}
	return ret;
}

/**
 * list_read() - all entries of one kind, of all contexts
 * @kind: enum sva_list_kind
 * @size: Bytes of its structure
 * @entries: Out: an array of them, to be freed also on failure
 * @count: Out: how many
 *
 * Return: 0, or -EPERM the caller may not see all contexts; what sva_open() and
 * sva_list_begin() return.
 */
int list_read(uint32_t kind, uint32_t size, void **entries, size_t *count)
{
	struct sva_list_iter *iter = NULL;
	char *list = NULL;
	struct sva *sva;
	int err;

	*entries = NULL;
	*count = 0;
	if (!module_is_loaded())
		return -ENOENT;
	err = sva_open(&sva, SVA_OPEN_NO_LOAD);
	if (err)
		return err;
	err = sva_list_begin(sva, kind, SVA_LIST_F_ALL, size, &iter);
	if (!err)
		err = read_entries(iter, size, &list, count);
	*entries = list;
	sva_list_end(iter);
	sva_close(sva);
	return err;
}

/* --- contexts by the descriptors in /proc ---------------------------------- */

/* The device number of /dev/sva; nothing else in /proc names it. */
static bool is_sva(const char *path, dev_t device)
{
	struct stat st;

	return !stat(path, &st) && S_ISCHR(st.st_mode) && st.st_rdev == device;
}

static void parse_fdinfo(FILE *file, struct sva_list_context *context)
{
	const struct {
		const char *name;
		uint32_t *value;
	} counts[] = {
		{ "sva-pasids", &context->pasids },
		{ "sva-processes", &context->processes },
		{ "sva-rids", &context->rids },
		{ "sva-bonds", &context->bonds },
		{ "sva-iovas", &context->iovas },
		{ "sva-nested", &context->nested },
		{ "sva-pasid-tables", &context->pasid_tables },
		{ "sva-viommus", &context->viommus },
		{ "sva-vdevices", &context->vdevices },
		{ "sva-maps", &context->maps },
		{ "sva-page-requests", &context->page_requests },
	};
	unsigned long long value;
	char line[128], name[64];
	size_t i;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %llu", name, &value) != 2)
			continue;
		if (!strcmp(name, "sva-context"))
			context->ctx_id = value;
		if (!strcmp(name, "sva-pinned-pages"))
			context->pinned_pages = value;
		if (!strcmp(name, "sva-faults"))
			context->faults = value;
		if (!strcmp(name, "sva-invalidations"))
			context->invalidations = value;
		for (i = 0; i < ARRAY_SIZE(counts); i++)
			if (!strcmp(name, counts[i].name))
				*counts[i].value = (uint32_t)value;
	}
}

/* The same context may be held by several descriptors. */
static int add_context(struct contexts *contexts,
		       const struct sva_list_context *context)
{
	struct sva_list_context *list;
	size_t i;

	for (i = 0; i < contexts->count; i++)
		if (contexts->list[i].ctx_id == context->ctx_id)
			return 0;
	list = realloc(contexts->list,
		       (contexts->count + 1) * sizeof(*contexts->list));
	if (!list)
		return -ENOMEM;
	contexts->list = list;
	list[contexts->count++] = *context;
	return 0;
}

static int add_descriptor(struct contexts *contexts, const char *process,
			  const char *number)
{
	struct sva_list_context context = { .tgid = (uint32_t)atoi(process) };
	char path[PATH_MAX];
	struct stat st;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", process);
	read_text(path, context.comm, sizeof(context.comm));
	snprintf(path, sizeof(path), "/proc/%s", process);
	if (!stat(path, &st))
		context.uid = st.st_uid;
	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", process, number);
	file = fopen(path, "re");
	if (!file)
		return 0;
	parse_fdinfo(file, &context);
	fclose(file);
	return add_context(contexts, &context);
}

/* A process that ends meanwhile, or that is somebody else's, has none. */
static int add_process(struct contexts *contexts, const char *process,
		       dev_t device)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", process);
	dir = opendir(path);
	while (dir && !err && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%s", process,
			 entry->d_name);
		if (*entry->d_name != '.' && is_sva(path, device))
			err = add_descriptor(contexts, process, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return err;
}

static int read_own(struct contexts *contexts)
{
	struct dirent *entry;
	struct stat st;
	int err = 0;
	DIR *dir;

	if (stat("/dev/sva", &st))
		return -errno;
	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[strspn(entry->d_name, "0123456789")] == '\0')
			err = add_process(contexts, entry->d_name, st.st_rdev);
	closedir(dir);
	return err;
}

/* The one that was opened for listing. */
static void forget_self(struct contexts *contexts)
{
	size_t i, kept = 0;

	for (i = 0; i < contexts->count; i++)
		if (!(contexts->list[i].state & SVA_CONTEXT_S_SELF))
			contexts->list[kept++] = contexts->list[i];
	contexts->count = kept;
}

/**
 * contexts_read() - the contexts that the caller may see
 * @contexts: Out: to be given to contexts_free(), also on failure
 *
 * Return: 0 or a negative errno.
 */
int contexts_read(struct contexts *contexts)
{
	void *list;
	int err;

	memset(contexts, 0, sizeof(*contexts));
	err = list_read(SVA_LIST_CONTEXTS, sizeof(*contexts->list), &list,
			&contexts->count);
	contexts->list = list;
	contexts->all = !err;
	if (!err)
		forget_self(contexts);
	if (err != -EPERM && err != -EACCES)
		return err;
	return read_own(contexts);
}

void contexts_free(struct contexts *contexts)
{
	free(contexts->list);
}

/* PASIDs with and without a number. */
uint64_t context_pasids(const struct sva_list_context *context)
{
	return (uint64_t)context->pasids + context->processes + context->rids;
}

/* In bytes; for people, with a unit. */
void put_pinned(struct json_object *row, uint64_t bytes)
{
	char size[32];

	put_number(row, "pinned_bytes", bytes);
	if (!out_is_json())
		put_text(row, "pinned", out_size(size, sizeof(size), bytes));
}

/* --- processes ------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct usage *ua = a, *ub = b;

	if (ua->pid != ub->pid)
		return ua->pid < ub->pid ? -1 : 1;
	return (ua->uid > ub->uid) - (ua->uid < ub->uid);
}

static struct usage usage_of(const struct sva_list_context *context)
{
	struct usage usage = {
		.pid = (pid_t)context->tgid,
		.uid = context->uid,
		.contexts = 1,
		.pasids = context_pasids(context),
		.bonds = context->bonds,
		.pinned = context->pinned_pages *
			  (uint64_t)sysconf(_SC_PAGESIZE),
		.faults = context->faults,
		.invalidations = context->invalidations,
	};

	memcpy(usage.command, context->comm, sizeof(usage.command));
	return usage;
}

static void add_up(struct usage *sum, const struct usage *usage)
{
	sum->contexts += usage->contexts;
	sum->pasids += usage->pasids;
	sum->bonds += usage->bonds;
	sum->pinned += usage->pinned;
	sum->faults += usage->faults;
	sum->invalidations += usage->invalidations;
}

/* Contexts of a process stand side by side; they become one. */
static void merge(struct usages *usages)
{
	size_t i, kept = 0;

	for (i = 1; i < usages->count; i++) {
		if (!compare(&usages->list[kept], &usages->list[i]))
			add_up(&usages->list[kept], &usages->list[i]);
		else
			usages->list[++kept] = usages->list[i];
	}
	if (usages->count)
		usages->count = kept + 1;
}

/**
 * usages_read() - what the processes that the caller may see use
 * @usages: Out: to be given to usages_free(), also on failure
 *
 * Return: 0 or a negative errno.
 */
int usages_read(struct usages *usages)
{
	struct contexts contexts;
	size_t i;
	int err;

	memset(usages, 0, sizeof(*usages));
	err = contexts_read(&contexts);
	if (!err && contexts.count) {
		usages->list = calloc(contexts.count, sizeof(*usages->list));
		err = usages->list ? 0 : -ENOMEM;
	}
	if (!err) {
		usages->all = contexts.all;
		usages->count = contexts.count;
		for (i = 0; i < contexts.count; i++)
			usages->list[i] = usage_of(&contexts.list[i]);
		if (usages->count)
			qsort(usages->list, usages->count,
			      sizeof(*usages->list), compare);
		merge(usages);
	}
	contexts_free(&contexts);
	return err;
}

/* The same process, or NULL. */
const struct usage *usages_find(const struct usages *usages,
				const struct usage *usage)
{
	if (!usages->count)
		return NULL;
	return bsearch(usage, usages->list, usages->count,
		       sizeof(*usages->list), compare);
}

void usages_free(struct usages *usages)
{
	free(usages->list);
}
