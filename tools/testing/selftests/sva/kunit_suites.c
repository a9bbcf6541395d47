// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the KUnit suites that are compiled into the modules, each as many tests.
 * See Documentation/dev-tools/kunit/run_manual.rst for the files.
 */
#include <dirent.h>
#include <stdbool.h>

#include "sva_util.h"
#include "kselftest.h"

#define KUNIT	"/sys/kernel/debug/kunit"

static int is_suite(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "sva", 3);
}

static FILE *open_file(const char *suite, const char *name, const char *mode)
{
	char path[300];

	snprintf(path, sizeof(path), KUNIT "/%s/%s", suite, name);
	return fopen(path, mode);
}

static bool run(const char *suite)
{
	FILE *f = open_file(suite, "run", "we");
	bool good;

	if (!f)
		return false;
	good = fputs("1\n", f) >= 0;
	return !fclose(f) && good;
}

/* One of the lines "    ok 1 name", "    not ok 2 name # SKIP why". */
static bool result(const char *suite, char *line)
{
	char *text = line + strspn(line, " "), *name, *skip;
	bool bad = !strncmp(text, "not ok ", 7);

	if (text - line != 4 || (!bad && strncmp(text, "ok ", 3)))
		return false;
	text[strcspn(text, "\n")] = '\0';
	name = strchr(text + (bad ? 7 : 3), ' ');
	if (!name)
		return false;
	skip = strstr(name, " # SKIP");
	if (skip) {
		*skip = '\0';
		ksft_test_result_skip("%s.%s %s\n", suite, name + 1,
				      skip + strlen(" # SKIP"));
	} else {
		ksft_test_result(!bad, "%s.%s\n", suite, name + 1);
	}
	return true;
}

/* A suite that says nothing has failed. */
static void results(const char *suite, unsigned int *count)
{
	FILE *f = run(suite) ? open_file(suite, "results", "re") : NULL;
	unsigned int before = *count;
	char line[1000];

	while (f && fgets(line, sizeof(line), f)) {
		if (result(suite, line))
			(*count)++;
		else
			printf("# %s", line);
	}
	if (f)
		fclose(f);
	if (*count == before) {
		ksft_test_result_fail("%s\n", suite);
		(*count)++;
	}
}

int main(void)
{
	struct dirent **suites;
	unsigned int count = 0;
	int i, n;

	ksft_print_header();
	n = scandir(KUNIT, &suites, is_suite, alphasort);
	if (n <= 0)
		ksft_exit_skip("the modules were built without KUnit suites\n");
	for (i = 0; i < n; i++)
		results(suites[i]->d_name, &count);
	ksft_set_plan(count);
	ksft_finished();
}
