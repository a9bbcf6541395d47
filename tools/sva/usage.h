/* SPDX-License-Identifier: GPL-2.0-only */
/* Contexts, and what each process uses of /dev/sva. */
#ifndef SVA_TOOL_USAGE_H
#define SVA_TOOL_USAGE_H

#include <sys/types.h>

#include "tool.h"

/**
 * struct contexts - those that the caller may see
 * @list: They; ours is not among them
 * @count: How many
 * @all: They are all there are; else those that processes of the caller hold
 */
struct contexts {
	struct sva_list_context *list;
	size_t count;
	bool all;
};

/**
 * struct usage - what a process uses, all its contexts together
 * @pid: The process that made the contexts, 0 if it is no more
 * @uid: Whose it is
 * @command: Its name
 * @contexts: How many
 * @pasids: PASIDs and handles
 * @bonds: Uses of them by devices
 * @pinned: Pinned memory in bytes
 * @faults: Page requests so far
 * @invalidations: Invalidations so far
 */
struct usage {
	pid_t pid;
	uid_t uid;
	char command[SVA_COMM_MAX];
	uint64_t contexts;
	uint64_t pasids;
	uint64_t bonds;
	uint64_t pinned;
	uint64_t faults;
	uint64_t invalidations;
};

/**
 * struct usages - of the processes that the caller may see
 * @list: They, in the order of their ids
 * @count: How many
 * @all: They are all there are
 */
struct usages {
	struct usage *list;
	size_t count;
	bool all;
};

int list_read(uint32_t kind, uint32_t size, void **entries, size_t *count);
int contexts_read(struct contexts *contexts);
void contexts_free(struct contexts *contexts);
uint64_t context_pasids(const struct sva_list_context *context);
void put_pinned(struct json_object *row, uint64_t bytes);
int usages_read(struct usages *usages);
const struct usage *usages_find(const struct usages *usages,
				const struct usage *usage);
void usages_free(struct usages *usages);

#endif /* SVA_TOOL_USAGE_H */
