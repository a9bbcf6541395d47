/* SPDX-License-Identifier: GPL-2.0-only */
/* Running the sva command and looking at what it says. */
#ifndef TOOL_UTIL_H
#define TOOL_UTIL_H

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#define TOOL_DIR	"/sva/tools/sva"
#define TOOL_USER	1000
#define TOOL_TEXT_MAX	(1 << 20)
/* What "make test-valgrind" has it say when the command misused memory */
#define TOOL_VALGRIND	99

/* What a run of the command left. */
struct tool {
	int status;
	char *out;
	char *err;
};

/* Who runs it: root, a user of the group sva, or a user outside it. */
enum tool_who {
	TOOL_ROOT,
	TOOL_MEMBER,
	TOOL_STRANGER,
};

static inline int tool_become(enum tool_who who, uid_t uid)
{
	const struct group *group = getgrnam("sva");
	gid_t gid = group ? group->gr_gid : 0;

	if (who == TOOL_ROOT)
		return 0;
	if (who == TOOL_MEMBER && !group)
		return -1;
	return setgroups(who == TOOL_MEMBER, &gid) || setgid(uid) || setuid(uid);
}

static inline char *tool_slurp(FILE *file)
{
	char *text = malloc(TOOL_TEXT_MAX);
	size_t n = 0;

	rewind(file);
	if (text) {
		n = fread(text, 1, TOOL_TEXT_MAX - 1, file);
		text[n] = '\0';
	}
	fclose(file);
	return text;
}

/* Runs a shell command in which "sva" is ours. */
static inline struct tool tool_run_as(enum tool_who who, const char *command)
{
	FILE *out = tmpfile(), *err = tmpfile();
	struct tool tool = { .status = -1 };
	char line[1024];
	int status;
	pid_t pid;

	if (!out || !err)
		return tool;
	snprintf(line, sizeof(line), "PATH=" TOOL_DIR ":$PATH; %s", command);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		if (tool_become(who, TOOL_USER))
			_exit(126);
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		tool.status = WEXITSTATUS(status);
	tool.out = tool_slurp(out);
	tool.err = tool_slurp(err);
	/* What valgrind has to say is worth reading, and in no file that stays. */
	if (tool.status == TOOL_VALGRIND && getenv("SVA_VALGRIND"))
		fputs(tool.err, stderr);
	return tool;
}

static inline struct tool tool_run(const char *command)
{
	return tool_run_as(TOOL_ROOT, command);
}

static inline void tool_free(struct tool *tool)
{
	free(tool->out);
	free(tool->err);
}

/* All of the output as one JSON value and nothing else, or NULL. */
static inline struct json_object *tool_json(const struct tool *tool)
{
	struct json_tokener *tokener = json_tokener_new_ex(32);
	struct json_object *value = NULL;
	size_t end;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tokener, tool->out,
				      (int)strlen(tool->out) + 1);
	end = json_tokener_get_parse_end(tokener);
	if (value && tool->out[end + strspn(tool->out + end, "\n")]) {
		json_object_put(value);
		value = NULL;
	}
	json_tokener_free(tokener);
	return value;
}

static inline struct json_object *tool_get(struct json_object *object,
					   const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

/* Of an array of objects, the one whose member @key is @value, or NULL. */
static inline struct json_object *tool_row(struct json_object *rows,
					   const char *key, const char *value)
{
	struct json_object *row;
	const char *text;
	size_t i;

	for (i = 0; rows && i < json_object_array_length(rows); i++) {
		row = json_object_array_get_idx(rows, i);
		text = json_object_get_string(tool_get(row, key));
		if (text && !strcmp(text, value))
			return row;
	}
	return NULL;
}

/* One line, that ends: what an error shall be. */
static inline bool tool_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end && !end[1];
}

/* --- other set-ups, seen by this test only --------------------------------- */

/* From here on, what is mounted is mounted for this process and its children. */
static inline int tool_private(void)
{
	return unshare(CLONE_NEWNS) ||
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* Puts a file with that content in the place of another. */
static inline int tool_fake(const char *path, const void *content, size_t len)
{
	char name[] = "/tmp/tool-fake-XXXXXX";
	int fd = mkstemp(name), ret;

	if (fd < 0)
		return -1;
	ret = write(fd, content, len) == (ssize_t)len ? 0 : -1;
	ret = ret ?: fchmod(fd, 0644);
	close(fd);
	/* nothing can be mounted on a file that has no name, as ours have not */
	umount2(path, MNT_DETACH);
	ret = ret ?: mount(name, path, NULL, MS_BIND, NULL);
	unlink(name);
	return ret;
}

static inline int tool_fake_text(const char *path, const char *text)
{
	return tool_fake(path, text, strlen(text));
}

/* Hides what is in a directory. */
static inline int tool_hide(const char *path)
{
	return mount("none", path, "tmpfs", 0, NULL);
}

/* A directory of the running kernel's modules, or a file in it. */
static inline void tool_module_path(char *path, size_t len, const char *file)
{
	struct utsname uts;

	uname(&uts);
	snprintf(path, len, "/usr/lib/modules/%s%s", uts.release, file);
}

#endif /* TOOL_UTIL_H */
