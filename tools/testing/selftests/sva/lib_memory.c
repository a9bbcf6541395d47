// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: not enough memory. It is used up, so that what malloc() really does when
 * there is none, and all that the library does then, is what is tested.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib_util.h"
#include "kselftest_harness.h"

/* A piece of memory, which says where the one before is */
struct piece {
	struct piece *next;
};

/* Everything that malloc() has. It serves what is small from lists by size. */
static struct piece *take_all(void)
{
	struct piece *all = NULL, *piece;
	size_t size = 1 << 20;

	while (size >= sizeof(*piece)) {
		piece = malloc(size);
		if (!piece) {
			size -= size > 4096 ? size / 4 : 8;
			continue;
		}
		piece->next = all;
		all = piece;
	}
	return all;
}

static void give_back(struct piece *all)
{
	struct piece *next;

	for (; all; all = next) {
		next = all->next;
		free(all);
	}
}

/* The stack cannot grow either: what will be needed is there from now on. */
static __attribute__((noinline)) void grow_stack(void)
{
	char stack[256 << 10];

	memset(stack, 0, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
}

struct attempt {
	int (*call)(void *arg);
	void *arg;
};

/* What a call says to that, as an exit status; 255 if it leaves something behind. */
static int without_memory(void *arg)
{
	int err, fds = lib_count_fds();
	struct attempt *attempt = arg;
	struct rlimit limit, none;
	struct piece *all;

	if (getrlimit(RLIMIT_AS, &limit))
		return 255;
	none = limit;
	none.rlim_cur = 0;
	grow_stack();
	if (setrlimit(RLIMIT_AS, &none))
		return 255;
	all = take_all();
	err = attempt->call(attempt->arg);
	give_back(all);
	if (setrlimit(RLIMIT_AS, &limit) || lib_count_fds() != fds)
		return 255;
	return -err;
}

FIXTURE(lib_memory) {
	struct sva *sva;
};

FIXTURE_SETUP(lib_memory)
{
#ifdef __SANITIZE_ADDRESS__
	SKIP(return, "the sanitizer needs memory itself");
#endif
	if (getenv("SVA_VALGRIND"))
		SKIP(return, "valgrind needs memory itself");
	ASSERT_EQ(0, sva_open(&self->sva, 0));
}

FIXTURE_TEARDOWN(lib_memory)
{
	sva_close(self->sva);
}

#define WITHOUT_MEMORY(call, arg) \
	lib_in_child(without_memory, &(struct attempt){ call, arg })

static int call_open(void *arg)
{
	struct sva *sva;

	(void)arg;
	return sva_open(&sva, 0);
}

TEST_F(lib_memory, open)
{
	EXPECT_EQ(ENOMEM, WITHOUT_MEMORY(call_open, NULL));
}

static int without_node(void *arg)
{
	return lib_own_mounts() || lib_hide("/dev") ? 254 : without_memory(arg);
}

/* It is libkmod that has none. */
TEST_F(lib_memory, load)
{
	struct attempt attempt = { call_open, NULL };

	if (geteuid())
		SKIP(return, "needs root, to take the node away");
	EXPECT_EQ(ENOMEM, lib_in_child(without_node, &attempt));
}

static int call_from_fd(void *arg)
{
	struct sva *sva;

	return sva_from_fd(&sva, sva_fd(arg));
}

TEST_F(lib_memory, from_fd)
{
	EXPECT_EQ(ENOMEM, WITHOUT_MEMORY(call_from_fd, self->sva));
}

static int call_recv(void *arg)
{
	struct sva *sva;

	return sva_recv(&sva, *(int *)arg, NULL);
}

TEST_F(lib_memory, recv)
{
	int sock[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	ASSERT_EQ(0, sva_send(self->sva, sock[0], 0));
	EXPECT_EQ(ENOMEM, WITHOUT_MEMORY(call_recv, &sock[1]));
	close(sock[0]);
	close(sock[1]);
}

static int call_list(void *arg)
{
	struct sva_list_iter *iter;

	return sva_list_begin(arg, SVA_LIST_PASIDS, 0,
			      sizeof(struct sva_list_pasid), &iter);
}

TEST_F(lib_memory, list)
{
	EXPECT_EQ(ENOMEM, WITHOUT_MEMORY(call_list, self->sva));
}

static int call_sim_open(void *arg)
{
	struct sva_sim *sim;

	(void)arg;
	return sva_sim_open(&sim, LIB_ENGINE, 0);
}

TEST_F(lib_memory, sim_open)
{
	EXPECT_EQ(ENOMEM, WITHOUT_MEMORY(call_sim_open, NULL));
}

TEST_HARNESS_MAIN
