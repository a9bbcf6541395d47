/* SPDX-License-Identifier: GPL-2.0-only */
/* A terminal of a test's own, with a program on it. */
#ifndef TOOL_PTY_H
#define TOOL_PTY_H

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "tool_util.h"

#define PTY_TEXT_MAX	(1 << 18)
#define PTY_TIMEOUT_MS	(20000 * SVA_SLOWER)

struct pty {
	pid_t pid;
	int fd;
	char *text;	/* what the program has written so far */
	size_t len;
};

static inline int pty_start(struct pty *pty, const char *command, int rows,
			    int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	char line[1024];

	snprintf(line, sizeof(line), "PATH=" TOOL_DIR ":$PATH; %s", command);
	pty->len = 0;
	pty->text = calloc(1, PTY_TEXT_MAX);
	if (!pty->text)
		return -1;
	fflush(NULL);
	pty->pid = forkpty(&pty->fd, NULL, NULL, &size);
	if (!pty->pid) {
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	return pty->pid < 0 ? -1 : 0;
}

/* Takes what is there within that time; false when the program is gone. */
static inline bool pty_read(struct pty *pty, int ms)
{
	struct pollfd pfd = { .fd = pty->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, ms) != 1)
		return true;
	n = read(pty->fd, pty->text + pty->len, PTY_TEXT_MAX - 1 - pty->len);
	if (n <= 0)
		return false;
	pty->len += n;
	pty->text[pty->len] = '\0';
	return true;
}

/* Forgets what was written until now. */
static inline void pty_forget(struct pty *pty)
{
	pty->len = 0;
	pty->text[0] = '\0';
}

/* Waits until the program has written that. */
static inline bool pty_expect(struct pty *pty, const char *text)
{
	int waited;

	for (waited = 0; waited < PTY_TIMEOUT_MS; waited += 50) {
		if (strstr(pty->text, text))
			return true;
		if (!pty_read(pty, 50))
			break;
	}
	if (strstr(pty->text, text))
		return true;
	fprintf(stderr, "# no \"%s\" on the terminal\n", text);
	return false;
}

static inline int pty_type(struct pty *pty, const char *keys)
{
	return write(pty->fd, keys, strlen(keys)) == (ssize_t)strlen(keys) ? 0 : -1;
}

static inline int pty_resize(struct pty *pty, int rows, int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	return ioctl(pty->fd, TIOCSWINSZ, &size);
}

/* Waits for the program's end; returns its exit status or -1. */
static inline int pty_end(struct pty *pty)
{
	int status = -1, waited;

	for (waited = 0; waited < PTY_TIMEOUT_MS && pty_read(pty, 50); waited += 50)
		;
	if (waited >= PTY_TIMEOUT_MS)
		kill(pty->pid, SIGKILL);
	waitpid(pty->pid, &status, 0);
	close(pty->fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif /* TOOL_PTY_H */
