// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer (tools/testing/fuzz): all programs of its corpus, then as many new ones
 * as there is time for. Whatever is found is a program to replay, see
 * Documentation/dev-tools/sva-debug.rst.
 *
 * SVA_SECONDS in the environment says how long, SVA_SEED which programs, and
 * SVA_FUZZ where the fuzzer is.
 *
 * Seconds: 90
 */
#include <stdarg.h>
#include <sys/wait.h>

#include "vfio_util.h"
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

/* With more arguments, up to a NULL; what it says goes to @out. */
static pid_t start_fuzzer(int out, ...)
{
	const char *dir = setting("SVA_FUZZ", FUZZ);
	char program[256], *argv[16] = { program };
	unsigned int i = 0;
	va_list args;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/sva-fuzz", dir);
	va_start(args, out);
	do {
		argv[++i] = va_arg(args, char *);
	} while (argv[i]);
	va_end(args);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		execv(program, argv);
		_exit(127);
	}
	return pid;
}

/* Its exit status, or -1. */
static int fuzzer_status(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* What is no result in the protocol of tests is a comment. */
static int run_fuzzer(const char *secs)
{
	const char *dir = setting("SVA_FUZZ", FUZZ), *seed = setting("SVA_SEED", NULL);
	const char *keep = access(KEEP, W_OK) ? "/tmp" : KEEP;
	char corpus[256];

	snprintf(corpus, sizeof(corpus), "%s/corpus", dir);
	return fuzzer_status(start_fuzzer(STDERR_FILENO, "--out", keep, "--corpus", corpus,
					  "--seconds", secs, seed ? "--seed" : NULL, seed,
					  NULL));
}

FIXTURE(fuzz_ioctl) {
};

FIXTURE_SETUP(fuzz_ioctl)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sva-fuzz", setting("SVA_FUZZ", FUZZ));
	if (access(path, X_OK))
		SKIP(return, "there is no fuzzer at %s", path);
	/* Calls of VFIO fail where there is none. */
	vfio_load_container();
}

FIXTURE_TEARDOWN(fuzz_ioctl)
{
	EXPECT_TRUE(vfio_unused());
}

TEST_F_TIMEOUT(fuzz_ioctl, fuzz_programs, TIMEOUT)
{
	EXPECT_EQ(0, run_fuzzer(seconds()));
}

/* All that comes until there is no more, or until the text is in it */
static bool says(FILE *f, const char *text)
{
	char line[256];

	while (fgets(line, sizeof(line), f))
		if (strstr(line, text))
			return true;
	return false;
}

/*
 * A context that somebody else keeps open looks as if a program had left it behind.
 * What is found is kept, and can be run again.
 */
TEST_F_TIMEOUT(fuzz_ioctl, fuzz_finding, 100)
{
	char dir[] = "/tmp/fuzz-XXXXXX", found[32], remove[32];
	int fds[2], fd;
	pid_t pid;
	FILE *f;

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(found, sizeof(found), "%s/finding", dir);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	f = fdopen(fds[0], "r");
	ASSERT_NE(NULL, f);
	pid = start_fuzzer(fds[1], "--out", dir, "--seconds", "100", NULL);
	close(fds[1]);
	EXPECT_TRUE(says(f, "seed"));
	fd = sva_open();
	ASSERT_LE(0, fd);
	EXPECT_TRUE(says(f, "FOUND: left behind: contexts 1 (0 before)"));
	EXPECT_TRUE(says(f, "# seed of the run"));
	EXPECT_EQ(1, fuzzer_status(pid));
	fclose(f);
	close(fd);
	EXPECT_EQ(0, fuzzer_status(start_fuzzer(STDERR_FILENO, "--times", "3", "--replay",
						found, NULL)));
	snprintf(remove, sizeof(remove), "rm -r %s", dir);
	EXPECT_EQ(0, system(remove));
}

TEST_HARNESS_MAIN
