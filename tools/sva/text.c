// SPDX-License-Identifier: GPL-2.0-only
/* Small files of the kernel's, and lists in them. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

/**
 * read_text() - read a small file, without the newline at its end
 * @path: The file
 * @buf: Out: its beginning, always terminated
 * @len: Room at @buf in bytes
 *
 * Return: 0 or a negative errno.
 */
int read_text(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	*buf = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, buf, len - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	buf[n] = '\0';
	while (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return 0;
}

/**
 * read_number() - read a file that holds one number
 * @path: The file
 * @value: Out; as it was on failure
 *
 * Return: 0 or a negative errno.
 */
int read_number(const char *path, uint64_t *value)
{
	unsigned long long number;
	char text[32], *end;
	int err;

	err = read_text(path, text, sizeof(text));
	if (err)
		return err;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		return -EINVAL;
	*value = number;
	return 0;
}

/**
 * in_list() - whether a word is in a list separated by commas
 * @list: The list; ends at a blank or with the string
 * @word: The word
 *
 * Return: whether it is.
 */
bool in_list(const char *list, const char *word)
{
	size_t end = strcspn(list, " "), at = 0, n;

	while (at < end) {
		n = strcspn(list + at, ", ");
		if (n == strlen(word) && !strncmp(list + at, word, n))
			return true;
		at += n + 1;
	}
	return false;
}

/**
 * user_name() - what a user is called
 * @uid: The user
 *
 * Return: the name, or the number of who has none; until the next call.
 */
const char *user_name(uid_t uid)
{
	static char name[64];
	static uid_t last;
	const struct passwd *user;

	/* thousands of rows are often the same user's */
	if (*name && uid == last)
		return name;
	last = uid;
	user = getpwuid(uid);
	if (user)
		snprintf(name, sizeof(name), "%s", user->pw_name);
	else
		snprintf(name, sizeof(name), "%u", (unsigned int)uid);
	return name;
}

/*
 * Opening the node may load the module: who only wants to look asks this first.
 */
bool module_is_loaded(void)
{
	return !access("/sys/module/sva", F_OK);
}
