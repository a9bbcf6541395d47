// SPDX-License-Identifier: GPL-2.0-only
/* sva quota: how many PASIDs cgroups and users have, and may have. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "tool.h"

struct options {
	const struct action *action;
	const char *args[2];
	unsigned int count;
	const char *user;
	bool all;
};

static const struct column columns[] = {
	{ "CGROUP", "cgroup", false },
	{ "MAX", "max", true },
	{ "CURRENT", "current", true },
	{ "PEAK", "peak", true },
	{ "LEFT", "left", true },
	{ "EVENTS", "events", true },
};

static const struct column user_columns[] = {
	{ "USER", "user", false },
	{ "MAX", "max", true },
	{ "CURRENT", "current", true },
	{ "PEAK", "peak", true },
	{ "LEFT", "left", true },
	{ "EVENTS", "events", true },
};

/* --- rows ------------------------------------------------------------------ */

static void put_limit(struct json_object *row, const char *key, uint32_t limit)
{
	put(row, key, limit == SVA_QUOTA_NO_LIMIT ?
		      NULL : json_object_new_uint64(limit));
}

static struct json_object *quota_json(const char *key, const char *name,
				      const struct sva_quota *quota)
{
	struct json_object *row = json_object_new_object();

	put_text(row, key, name);
	put_limit(row, "max", quota->max);
	put_number(row, "current", quota->used);
	put_number(row, "peak", quota->peak);
	put_limit(row, "left", quota->left);
	put_number(row, "events", quota->events);
	return row;
}

static int read_cgroup(const struct sva *sva, const char *path,
		       struct sva_quota *quota)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = sva_quota_cgroup(sva, fd, quota, sizeof(*quota));
	close(fd);
	return err;
}

/* --- who is meant ---------------------------------------------------------- */

static int find_user(const char *name, uint32_t *uid)
{
	const struct passwd *user = getpwnam(name);
	char *end;

	if (user) {
		*uid = user->pw_uid;
		return 0;
	}
	errno = 0;
	*uid = (uint32_t)strtoul(name, &end, 10);
	if (!*name || *name == '-' || *end || errno) {
		complain("there is no user %s", name);
		return -ENOENT;
	}
	return 0;
}

static int find_cgroup(const char *name, char *path, size_t len)
{
	int err = name ? cgroup_find(name, path, len) : cgroup_own(path, len);

	if (err && name)
		complain("there is no cgroup %s: see /sys/fs/cgroup", name);
	else if (err)
		complain("the cgroup of this process cannot be seen from here: name one");
	return err;
}

static int parse_max(const char *text, uint32_t *max)
{
	unsigned long value;
	char *end;

	if (!strcmp(text, "max")) {
		*max = SVA_QUOTA_NO_LIMIT;
		return 0;
	}
	errno = 0;
	value = strtoul(text, &end, 10);
	if (!*text || *text == '-' || *end || errno ||
	    value >= SVA_QUOTA_NO_LIMIT) {
		complain("%s is not a number of PASIDs: it is a number, or max for no limit",
			 text);
		return -EINVAL;
	}
	*max = (uint32_t)value;
	return 0;
}

/* --- get, set, tree -------------------------------------------------------- */

static void print(struct json_object *rows, bool user)
{
	struct json_object *object;

	if (out_is_json()) {
		object = json_object_new_object();
		put(object, user ? "users" : "cgroups", rows);
		out_json(object);
		return;
	}
	out_table(rows, user ? user_columns : columns, ARRAY_SIZE(columns));
	json_object_put(rows);
}

static int get_user(const struct sva *sva, const char *name,
		    struct json_object *rows)
{
	struct sva_quota quota;
	uint32_t uid;
	int err;

	if (find_user(name, &uid))
		return -ENOENT;
	err = sva_quota_user(sva, uid, &quota, sizeof(quota));
	if (err)
		complain("%s: %s", name, sva_strerror(SVA_CALL_QUOTA, err));
	else
		json_object_array_add(rows, quota_json("user", user_name(uid),
						       &quota));
	return err;
}

static int get_cgroup(const struct sva *sva, const char *name,
		      struct json_object *rows)
{
	struct sva_quota quota;
	char path[4096];
	int err;

	if (find_cgroup(name, path, sizeof(path)))
		return -ENOENT;
	err = read_cgroup(sva, path, &quota);
	if (err)
		complain("%s: %s", path, sva_strerror(SVA_CALL_QUOTA, err));
	else
		json_object_array_add(rows, quota_json("cgroup", path, &quota));
	return err;
}

static int run_get(const struct sva *sva, const struct options *opt)
{
	struct json_object *rows = json_object_new_array();
	int err;

	err = opt->user ? get_user(sva, opt->user, rows) :
			  get_cgroup(sva, opt->args[0], rows);
	if (err)
		json_object_put(rows);
	else
		print(rows, opt->user);
	return err;
}

static int set_user(const struct sva *sva, const char *name, uint32_t max)
{
	uint32_t uid;
	int err;

	if (find_user(name, &uid))
		return -ENOENT;
	err = sva_quota_set_user(sva, uid, max);
	if (err)
		complain("%s: %s", name, sva_strerror(SVA_CALL_QUOTA_SET, err));
	return err;
}

static int set_cgroup(const struct sva *sva, const char *name, uint32_t max)
{
	char path[4096];
	int fd, err;

	if (find_cgroup(name, path, sizeof(path)))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? -errno : sva_quota_set_cgroup(sva, fd, max);
	if (fd >= 0)
		close(fd);
	if (err)
		complain("%s: %s", path, sva_strerror(SVA_CALL_QUOTA_SET, err));
	return err;
}

static int run_set(const struct sva *sva, const struct options *opt)
{
	uint32_t max;

	if (parse_max(opt->args[opt->count - 1], &max))
		return -EINVAL;
	return opt->user ? set_user(sva, opt->user, max) :
			   set_cgroup(sva, opt->args[0], max);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_idle(const struct sva_quota *quota)
{
	return quota->max == SVA_QUOTA_NO_LIMIT && !quota->peak && !quota->events;
}

/* A cgroup that is removed while this looks is left out. */
static int read_tree(const struct sva *sva, char *top, bool all,
		     struct json_object *rows)
{
	char *const roots[] = { top, NULL };
	struct sva_quota quota;
	FTSENT *entry;
	FTS *tree;
	int err;

	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (!tree)
		return -errno;
	while ((entry = fts_read(tree))) {
		if (entry->fts_info != FTS_D)
			continue;
		err = read_cgroup(sva, entry->fts_accpath, &quota);
		if (err == -ENOTTY) {
			fts_close(tree);
			return err;
		}
		if (!err && (all || !is_idle(&quota) || !entry->fts_level))
			json_object_array_add(rows, quota_json("cgroup",
							       entry->fts_path,
							       &quota));
	}
	fts_close(tree);
	return 0;
}

static int run_tree(const struct sva *sva, const struct options *opt)
{
	struct json_object *rows = json_object_new_array();
	char top[4096];
	int err;

	err = opt->args[0] ? cgroup_find(opt->args[0], top, sizeof(top)) :
			     cgroup_root(top, sizeof(top));
	if (err)
		complain("there is no cgroup %s: see /sys/fs/cgroup",
			 opt->args[0] ? opt->args[0] : "v2 hierarchy");
	else
		err = read_tree(sva, top, opt->all, rows);
	if (err == -ENOTTY)
		complain("%s", sva_strerror(SVA_CALL_QUOTA, err));
	if (err)
		json_object_put(rows);
	else
		print(rows, false);
	return err;
}

/* --- the command ----------------------------------------------------------- */

static const struct action {
	const char *name;
	int (*run)(const struct sva *sva, const struct options *opt);
} actions[] = {
	{ "get", run_get },
	{ "set", run_set },
	{ "tree", run_tree },
};

static const struct argp_option argp_options[] = {
	{ "all", 'a', NULL, 0,
	  "tree: also cgroups that have no limit and never had a PASID", 0 },
	{ "user", 'u', "USER", 0, "get, set: of a user instead of a cgroup", 0 },
	{ 0 },
};

static const struct action *find_action(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}

static void check_arguments(const struct options *opt, struct argp_state *state)
{
	unsigned int wanted = !strcmp(opt->action->name, "set") + !opt->user;

	if (!strcmp(opt->action->name, "set") && opt->count != wanted)
		argp_error(state, opt->user ? "it wants the limit, or max" :
			   "it wants a cgroup, and its limit or max");
	if (opt->count > wanted)
		argp_error(state, "that is too much: %s", opt->args[wanted]);
	if (opt->user && !strcmp(opt->action->name, "tree"))
		argp_error(state, "users are no tree");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 'a':
		opt->all = true;
		break;
	case 'u':
		opt->user = arg;
		break;
	case ARGP_KEY_ARG:
		if (!opt->action) {
			opt->action = find_action(arg);
			if (!opt->action)
				argp_error(state, "it can get, set or show the tree, not %s",
					   arg);
			break;
		}
		if (opt->count == ARRAY_SIZE(opt->args))
			argp_error(state, "that is too much: %s", arg);
		opt->args[opt->count++] = arg;
		break;
	case ARGP_KEY_END:
		if (!opt->action)
			argp_error(state, "it wants get, set or tree");
		check_arguments(opt, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "get [CGROUP]\nset CGROUP MAX\ntree [CGROUP]",
	.doc = "Shows or sets how many PASIDs a cgroup or a user may have. MAX is a number, or\n"
	       "max for no limit. Without CGROUP: get shows that of the caller, tree all.",
	.children = common_options,
};

int command_quota(int argc, char **argv)
{
	struct options opt = { 0 };
	struct sva *sva;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	err = sva_open(&sva, 0);
	if (err) {
		complain("%s", sva_strerror(SVA_CALL_OPEN, err));
		return STATUS_FAILED;
	}
	err = opt.action->run(sva, &opt);
	sva_close(sva);
	return err ? STATUS_FAILED : STATUS_OK;
}
