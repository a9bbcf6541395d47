// SPDX-License-Identifier: GPL-2.0-only
/* sva list: contexts, PASIDs and bonds, and whose they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usage.h"

struct options {
	const struct view *view;
	unsigned long pid;
};

/**
 * struct view - one thing to list
 * @name: What it is called, on the command line and in JSON
 * @columns: Of the table
 * @count: How many
 * @read: Makes the rows; @pid: of this process only, 0 for all. Sets @all to
 *        whether nothing was out of sight. Returns 0 or a negative errno
 */
struct view {
	const char *name;
	const struct column *columns;
	size_t count;
	int (*read)(struct json_object *rows, unsigned long pid, bool *all);
};

/* --- processes ------------------------------------------------------------- */

static const struct column process_columns[] = {
	{ "PID", "pid", true },
	{ "USER", "user", false },
	{ "COMMAND", "command", false },
	{ "CONTEXTS", "contexts", true },
	{ "PASIDS", "pasids", true },
	{ "BONDS", "bonds", true },
	{ "PINNED", "pinned", true },
};

static void put_owner(struct json_object *row, uint32_t pid, uint32_t uid,
		      const char *command)
{
	put(row, "pid", pid ? json_object_new_int((int)pid) : NULL);
	put_text(row, "user", user_name(uid));
	put_text(row, "command", command);
}

static int read_processes(struct json_object *rows, unsigned long pid, bool *all)
{
	struct usages usages;
	struct json_object *row;
	size_t i;
	int err;

	err = usages_read(&usages);
	*all = usages.all;
	for (i = 0; !err && i < usages.count; i++) {
		const struct usage *usage = &usages.list[i];

		if (pid && pid != (unsigned long)usage->pid)
			continue;
		row = json_object_new_object();
		put_owner(row, (uint32_t)usage->pid, usage->uid, usage->command);
		put_number(row, "contexts", usage->contexts);
		put_number(row, "pasids", usage->pasids);
		put_number(row, "bonds", usage->bonds);
		put_pinned(row, usage->pinned);
		put_number(row, "faults", usage->faults);
		put_number(row, "invalidations", usage->invalidations);
		json_object_array_add(rows, row);
	}
	usages_free(&usages);
	return err;
}

/* --- contexts -------------------------------------------------------------- */

static const struct column context_columns[] = {
	{ "CONTEXT", "context", true },
	{ "PID", "pid", true },
	{ "USER", "user", false },
	{ "COMMAND", "command", false },
	{ "PASIDS", "pasids", true },
	{ "BONDS", "bonds", true },
	{ "SPACES", "address_spaces", true },
	{ "MAPS", "maps", true },
	{ "PINNED", "pinned", true },
	{ "OPEN", "open", false },
};

static struct json_object *context_json(const struct sva_list_context *context)
{
	struct json_object *row = json_object_new_object();

	put_number(row, "context", context->ctx_id);
	put_owner(row, context->tgid, context->uid, context->comm);
	put_bool(row, "open", !(context->state & SVA_CONTEXT_S_CLOSED));
	put_number(row, "pasids", context_pasids(context));
	put_number(row, "process_pasids", context->processes);
	put_number(row, "rid_handles", context->rids);
	put_number(row, "bonds", context->bonds);
	put_number(row, "address_spaces", (uint64_t)context->iovas +
		   context->nested + context->pasid_tables);
	put_number(row, "viommus", context->viommus);
	put_number(row, "vdevices", context->vdevices);
	put_number(row, "maps", context->maps);
	put_pinned(row, context->pinned_pages * (uint64_t)sysconf(_SC_PAGESIZE));
	put_number(row, "page_requests_waiting", context->page_requests);
	put_number(row, "faults", context->faults);
	put_number(row, "invalidations", context->invalidations);
	return row;
}

static int read_contexts(struct json_object *rows, unsigned long pid, bool *all)
{
	struct contexts contexts;
	size_t i;
	int err;

	err = contexts_read(&contexts);
	*all = contexts.all;
	for (i = 0; !err && i < contexts.count; i++)
		if (!pid || pid == contexts.list[i].tgid)
			json_object_array_add(rows,
					      context_json(&contexts.list[i]));
	contexts_free(&contexts);
	return err;
}

/* --- PASIDs and bonds ------------------------------------------------------ */

static int compare_contexts(const void *a, const void *b)
{
	const struct sva_list_context *ca = a, *cb = b;

	return (ca->ctx_id > cb->ctx_id) - (ca->ctx_id < cb->ctx_id);
}

/* What belongs to a context says so by its first member. */
static const struct sva_list_context *context_of(const struct contexts *contexts,
						 const void *entry)
{
	struct sva_list_context key = { 0 };

	memcpy(&key.ctx_id, entry, sizeof(key.ctx_id));
	if (!contexts->count)
		return NULL;
	return bsearch(&key, contexts->list, contexts->count,
		       sizeof(*contexts->list), compare_contexts);
}

/*
 * Reads entries of a kind and their contexts, whose owners are shown. One made
 * between the two is left out.
 */
static int read_parts(uint32_t kind, uint32_t size, struct json_object *rows,
		      unsigned long pid,
		      struct json_object *(*make)(const void *entry))
{
	const struct sva_list_context *context;
	struct contexts contexts;
	struct json_object *row;
	const char *entry;
	size_t i, count;
	void *list;
	int err;

	err = list_read(kind, size, &list, &count);
	if (err) {
		free(list);
		return err;
	}
	err = contexts_read(&contexts);
	if (!err && contexts.count)
		qsort(contexts.list, contexts.count, sizeof(*contexts.list),
		      compare_contexts);
	for (i = 0; !err && i < count; i++) {
		entry = (const char *)list + i * size;
		context = context_of(&contexts, entry);
		if (!context || (pid && pid != context->tgid))
			continue;
		row = make(entry);
		put_owner(row, context->tgid, context->uid, context->comm);
		json_object_array_add(rows, row);
	}
	contexts_free(&contexts);
	free(list);
	return err;
}

static const struct column pasid_columns[] = {
	{ "CONTEXT", "context", true },
	{ "PID", "pid", true },
	{ "USER", "user", false },
	{ "COMMAND", "command", false },
	{ "PASID", "number", true },
	{ "KIND", "kind", false },
	{ "BONDS", "bonds", true },
	{ "SPACE", "address_space", true },
	{ "STATE", "state", false },
};

static struct json_object *pasid_state(uint32_t state)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ SVA_PASID_S_BOUND, "bound" },
		{ SVA_PASID_S_COHERENT, "coherent" },
		{ SVA_PASID_S_REVOKED, "revoked" },
	};
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (state & names[i].bit)
			json_object_array_add(list, json_object_new_string(names[i].name));
	return list;
}

/* A number that may not be there. */
static void put_some(struct json_object *row, const char *key, uint64_t number)
{
	put(row, key, number ? json_object_new_uint64(number) : NULL);
}

static struct json_object *pasid_json(const void *entry)
{
	static const char *const kinds[] = {
		[SVA_PASID_KIND_NUMBER] = "number",
		[SVA_PASID_KIND_MM] = "process",
		[SVA_PASID_KIND_RID] = "rid",
	};
	const struct sva_list_pasid *pasid = entry;
	struct json_object *row = json_object_new_object();
	bool known = pasid->kind < ARRAY_SIZE(kinds);

	put_number(row, "context", pasid->ctx_id);
	put_number(row, "pasid", pasid->pasid);
	put_some(row, "number", pasid->number);
	put_text(row, "kind", known ? kinds[pasid->kind] : NULL);
	put_some(row, "address_space", pasid->as_id);
	put_number(row, "bonds", pasid->bonds);
	put(row, "state", pasid_state(pasid->state));
	put(row, "guest_pasid", pasid->guest_pasid == SVA_GUEST_PASID_NONE ?
				NULL : json_object_new_uint64(pasid->guest_pasid));
	return row;
}

static int read_pasids(struct json_object *rows, unsigned long pid, bool *all)
{
	*all = true;
	return read_parts(SVA_LIST_PASIDS, sizeof(struct sva_list_pasid), rows,
			  pid, pasid_json);
}

static const struct column bond_columns[] = {
	{ "DEVICE", "device", false },
	{ "DRIVER", "driver", false },
	{ "PASID", "number", true },
	{ "CONTEXT", "context", true },
	{ "PID", "pid", true },
	{ "USER", "user", false },
	{ "COMMAND", "command", false },
	{ "STATUS", "status", false },
};

static struct json_object *bond_json(const void *entry)
{
	static const char *const status[] = {
		[SVA_BOND_S_LIVE] = "live",
		[SVA_BOND_S_REVOKING] = "revoking",
		[SVA_BOND_S_REVOKED] = "revoked",
	};
	const struct sva_list_bond *bond = entry;
	struct json_object *row = json_object_new_object();
	bool known = bond->status < ARRAY_SIZE(status);

	put_number(row, "context", bond->ctx_id);
	put_number(row, "bond", bond->bond_id);
	put_number(row, "pasid", bond->pasid);
	put_some(row, "number", bond->number);
	put_text(row, "device", bond->device);
	put_text(row, "driver", bond->driver);
	put_text(row, "status", known ? status[bond->status] : NULL);
	return row;
}

static int read_bonds(struct json_object *rows, unsigned long pid, bool *all)
{
	*all = true;
	return read_parts(SVA_LIST_BONDS, sizeof(struct sva_list_bond), rows, pid,
			  bond_json);
}

/* --- the command ----------------------------------------------------------- */

static const struct view views[] = {
	{ "processes", process_columns, ARRAY_SIZE(process_columns), read_processes },
	{ "contexts", context_columns, ARRAY_SIZE(context_columns), read_contexts },
	{ "pasids", pasid_columns, ARRAY_SIZE(pasid_columns), read_pasids },
	{ "bonds", bond_columns, ARRAY_SIZE(bond_columns), read_bonds },
};

static const struct argp_option argp_options[] = {
	{ "pid", 'p', "PID", 0, "only what this process made", 0 },
	{ 0 },
};

static const struct view *find_view(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(views); i++)
		if (!strcmp(views[i].name, name))
			return &views[i];
	return NULL;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;
	char *end;

	switch (key) {
	case 'p':
		opt->pid = strtoul(arg, &end, 10);
		if (!opt->pid || *end || *arg == '-')
			argp_error(state, "%s is not the id of a process", arg);
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "one thing at a time");
		opt->view = find_view(arg);
		if (!opt->view)
			argp_error(state, "it lists processes, contexts, pasids or bonds, not %s",
				   arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "[processes|contexts|pasids|bonds]",
	.doc = "Lists who uses /dev/sva, a row for each process (default), context, PASID or\n"
	       "bond. Root sees all, others the contexts that their own processes hold.",
	.children = common_options,
};

static void print(const struct view *view, struct json_object *rows, bool all)
{
	struct json_object *object = json_object_new_object();

	if (out_is_json()) {
		put_bool(object, "all", all);
		put(object, view->name, rows);
		out_json(object);
		return;
	}
	out_table(rows, view->columns, view->count);
	json_object_put(rows);
	json_object_put(object);
}

/**
 * list_complain() - say why nothing could be listed
 * @err: What was returned
 */
void list_complain(int err)
{
	if (err == -EPERM || err == -EACCES)
		complain("only root may see these of all contexts: use sudo");
	else if (err == -ENOENT)
		complain("the module sva is not loaded: \"sva doctor\" says more");
	else if (err == -ENOTTY)
		complain("this kernel's /dev/sva cannot list: a newer sva module is needed");
	else
		complain("cannot list: %s", strerror(-err));
}

int command_list(int argc, char **argv)
{
	struct options opt = { .view = &views[0] };
	struct json_object *rows;
	bool all = false;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	rows = json_object_new_array();
	err = opt.view->read(rows, opt.pid, &all);
	if (err) {
		list_complain(err);
		json_object_put(rows);
		return STATUS_FAILED;
	}
	print(opt.view, rows, all);
	return STATUS_OK;
}
