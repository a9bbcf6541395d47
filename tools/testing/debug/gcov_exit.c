// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libsva has counted in a test is written when the process ends by exit().
 * Tests end by _exit(): linked with --wrap=_exit, they come here.
 */
#include <unistd.h>

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
