// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer (tools/testing/fuzz): all programs of its corpus, then as many new ones
 * as there is time for. Whatever is found is a program to replay, see
 * Documentation/dev-tools/sva-debug.rst.
 *
 * SVA_SECONDS in the environment says how long, SVA_SEED which programs, and
 * SVA_FUZZ where the fuzzer is.
 */
#include <sys/wait.h>

#include "sva_util.h"
#include "kselftest_harness.h"

#define FUZZ	"/sva/fuzz"
/* What survives the machine, where that is one of ours. */
#define KEEP	"/mnt/keep"
#define TIMEOUT	3600

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* Debug kernels are what this is for. */
static const char *seconds(void)
{
	return setting("SVA_SECONDS", access("/sys/kernel/debug/kcov", F_OK) ? "5" : "20");
}

/* Its exit status, or -1. */
static int run_fuzzer(const char *secs)
{
	const char *dir = setting("SVA_FUZZ", FUZZ), *seed = setting("SVA_SEED", NULL);
	const char *keep = access(KEEP, W_OK) ? "/tmp" : KEEP;
	char program[256], corpus[256];
	int status;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/sva-fuzz", dir);
	snprintf(corpus, sizeof(corpus), "%s/corpus", dir);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* What is no result in the protocol of tests is a comment. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl(program, program, "--out", keep, "--corpus", corpus, "--seconds", secs,
		      seed ? "--seed" : NULL, seed, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

FIXTURE(fuzz_ioctl) {
};

FIXTURE_SETUP(fuzz_ioctl)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sva-fuzz", setting("SVA_FUZZ", FUZZ));
	if (access(path, X_OK))
		SKIP(return, "there is no fuzzer at %s", path);
}

FIXTURE_TEARDOWN(fuzz_ioctl)
{
}

TEST_F_TIMEOUT(fuzz_ioctl, fuzz_corpus, TIMEOUT)
{
	EXPECT_EQ(0, run_fuzzer("0"));
}

TEST_F_TIMEOUT(fuzz_ioctl, fuzz_new_programs, TIMEOUT)
{
	EXPECT_EQ(0, run_fuzzer(seconds()));
}

TEST_HARNESS_MAIN
