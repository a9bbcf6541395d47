// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own VFIO tests, on functions bound to vfio-pci and then on the same
 * functions bound to sva-vfio-pci: each has to say the same. See ../kernel for how
 * they are built. What they cannot do here is skipped, with the reason.
 *
 * Machine: vfio
 */
#include <dirent.h>
#include <sys/wait.h>

#include "vfio_container.h"
#include "kselftest.h"

#define TESTS		"/sva/kernel-tests"
#define HUGE_PAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define NVME		0x1b360010
#define IGB		0x808610c9

#define MAX_FUNCTIONS	3
#define MAX_RESULTS	600

static const char *const drivers[2] = { "vfio-pci", "sva-vfio-pci" };

/* The card has all that is tested: MSI, MSI-X, a reset, virtual functions. */
enum { EDU, DISK, CARD };
static const char *const function_names[] = { "edu", "nvme", "igb" };

/* What one test has said, by driver */
struct result {
	char name[200];
	const char *verdict[2];
	char reason[2][160];
};

static struct result results[MAX_RESULTS];
static int nr_results;
static struct vfio_hw functions[MAX_FUNCTIONS];
static bool has_iommufd;

/* --- running ---------------------------------------------------------------------- */

static void note(int driver, const char *name, const char *verdict,
		 const char *reason)
{
	struct result *r = results;

	while (r < results + nr_results && strcmp(r->name, name))
		r++;
	if (r == results + MAX_RESULTS)
		ksft_exit_fail_msg("more than %d results\n", MAX_RESULTS);
	if (r == results + nr_results) {
		nr_results++;
		snprintf(r->name, sizeof(r->name), "%s", name);
	}
	r->verdict[driver] = verdict;
	snprintf(r->reason[driver], sizeof(r->reason[driver]), "%s", reason);
}

/* "ok 1 NAME # SKIP REASON" and the like. Returns whether it is a result. */
static bool parse(int driver, const char *where, char *line)
{
	char name[200], *test, *reason = "", *end;
	bool bad = !strncmp(line, "not ", 4);
	const char *verdict = bad ? "not ok" : "ok";

	line += bad ? 4 : 0;
	if (strncmp(line, "ok ", 3))
		return false;
	strtol(line + 3, &test, 10);
	test += strspn(test, " ");
	end = strchr(test, '#');
	if (end) {
		*end++ = '\0';
		end += strspn(end, " ");
		reason = end;
		if (!strncmp(end, "SKIP", 4)) {
			verdict = "skipped";
			reason += strspn(end + 4, " ") + 4;
		}
	}
	end = test + strlen(test);
	while (end > test && end[-1] == ' ')
		*--end = '\0';
	snprintf(name, sizeof(name), "%s: %s", where, test);
	note(driver, name, verdict, reason);
	return true;
}

/* The program's output, in one pipe. The environment is for ../kernel/vfio_mode.c. */
static FILE *start(int driver, const char *program, const char *mode, char **args,
		   pid_t *pid)
{
	char path[300];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return NULL;
	fflush(stdout);
	*pid = fork();
	if (*pid < 0)
		return NULL;
	if (!*pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		setenv("VFIO_DRIVER", drivers[driver], 1);
		if (mode)
			setenv("VFIO_DEFAULT_MODE", mode, 1);
		snprintf(path, sizeof(path), "%s/%s", TESTS, program);
		execv(path, args);
		perror(path);
		_exit(127);
	}
	close(fds[1]);
	return fdopen(fds[0], "re");
}

/* Ways to an IOMMU */
static const char *const modes[] = {
	"vfio_type1_iommu", "vfio_type1v2_iommu", "iommufd_compat_type1",
	"iommufd_compat_type1v2", "iommufd",
};

/*
 * Variants that are left out. Each has three tests, each test four resets of a tenth
 * of a second, and what they test knows nothing of versions of type1.
 */
static const char *const left_out[] = {
	"vfio_type1_iommu_same_uuid", "vfio_type1_iommu_diff_uuid",
	"vfio_type1_iommu_null_uuid", "iommufd_compat_type1_same_uuid",
	"iommufd_compat_type1_diff_uuid", "iommufd_compat_type1_null_uuid",
};

static bool is_native(const char *variant)
{
	return !strncmp(variant, "iommufd", 7) && strncmp(variant, "iommufd_compat", 14);
}

/* A debug kernel is too slow for what the stock kernel is tested with as well. */
static bool only_native(void)
{
	return has_iommufd && SVA_SLOWER > 1 && !getenv("SVA_ALL_MODES");
}

/* The variants to run, or NULL: all, or there are none. */
static char **native_variants(int driver, const char *program, struct vfio_hw *hw)
{
	static char names[32][80], *found[33];
	char *args[4] = { (char *)program, "-l", hw->name };
	char line[512], *word, *rest;
	int status, n = 0;
	pid_t pid = -1;
	FILE *out;

	out = start(driver, program, modes[ARRAY_SIZE(modes) - 1], args, &pid);
	while (out && fgets(line, sizeof(line), out))
		for (rest = line; (word = strtok_r(rest, "\n ", &rest));)
			if (is_native(word) && n < 32) {
				snprintf(names[n], sizeof(names[n]), "%s", word);
				found[n] = names[n];
				n++;
			}
	if (out)
		fclose(out);
	if (pid > 0)
		waitpid(pid, &status, 0);
	found[n] = NULL;
	return n ? found : NULL;
}

/*
 * Runs a program on functions, with its default mode if @mode is NULL. Where it ends
 * without any result, its end is the result, and its last line the reason.
 */
static void run(int driver, const char *program, const char *mode, int first, int count)
{
	char *args[100] = { (char *)program }, **arg = args + 1, **variant = NULL;
	char where[120], line[512], last[160] = "";
	int i, status = -1, found = 0;
	pid_t pid = -1;
	FILE *out;

	for (i = 0; i < (int)ARRAY_SIZE(left_out); i++) {
		*arg++ = "-V";
		*arg++ = (char *)left_out[i];
	}
	if (only_native() && !mode)
		variant = native_variants(driver, program, &functions[first]);
	for (; variant && *variant; variant++) {
		*arg++ = "-v";
		*arg++ = *variant;
	}
	for (i = 0; i < count; i++)
		*arg++ = functions[first + i].name;
	snprintf(where, sizeof(where), "%s%s%s on %s", program, mode ? " " : "",
		 mode ? mode : "", count > 1 ? "all" : function_names[first]);

	out = start(driver, program, mode, args, &pid);
	while (out && fgets(line, sizeof(line), out)) {
		line[strcspn(line, "\n")] = '\0';
		if (parse(driver, where, line))
			found++;
		else if (line[strspn(line, " #")])
			snprintf(last, sizeof(last), "%.150s", line);
	}
	if (out)
		fclose(out);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (found && WIFEXITED(status) && WEXITSTATUS(status) <= KSFT_FAIL)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		note(driver, where, "skipped", strstr(last, "SKIP ") ?: last);
	else
		note(driver, where, "not ok", last);
}

/* --- which, and on what ------------------------------------------------------------- */

static bool can_run(const char *name)
{
	return has_iommufd || !strstr(name, "iommufd");
}

/* For tests that have no variant for each mode */
static void run_in_modes(int driver, const char *program, int function)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (can_run(modes[i]) && (!only_native() || is_native(modes[i])))
			run(driver, program, modes[i], function, 1);
}

static void run_program(int driver, const char *program)
{
	if (!strcmp(program, "vfio_pci_device_init_perf_test"))
		run(driver, program, NULL, EDU, MAX_FUNCTIONS);
	else if (!strcmp(program, "vfio_pci_sriov_uapi_test"))
		run(driver, program, NULL, CARD, 1);
	else if (!strcmp(program, "vfio_pci_device_test"))
		run_in_modes(driver, program, CARD);
	else if (!strcmp(program, "vfio_pci_driver_test"))
		run(driver, program, only_native() ? "iommufd" : modes[0], DISK, 1);
	else
		run(driver, program, NULL, EDU, 1);
}

static int is_program(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "vfio_", 5);
}

static void run_all(int driver)
{
	struct dirent **names;
	int i, n = scandir(TESTS, &names, is_program, alphasort);

	for (i = 0; i < MAX_FUNCTIONS; i++)
		if (vfio_hw_bind(&functions[i], drivers[driver]))
			ksft_exit_fail_msg("%s cannot be bound to %s\n",
					   functions[i].name, drivers[driver]);
	for (i = 0; i < n; i++) {
		long begin = bond_now_ms();

		run_program(driver, names[i]->d_name);
		ksft_print_msg("%s with %s: %ld ms\n", names[i]->d_name,
			       drivers[driver], bond_now_ms() - begin);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* --- what is said about it ---------------------------------------------------------- */

static void report(const struct result *r)
{
	const char *a = r->verdict[0] ?: "not run", *b = r->verdict[1] ?: "not run";

	if (strcmp(a, b))
		ksft_test_result_fail("%s: %s with vfio-pci (%s), %s with sva-vfio-pci (%s)\n",
				      r->name, a, r->reason[0], b, r->reason[1]);
	else if (!strcmp(a, "ok"))
		ksft_test_result_pass("%s: ok with vfio-pci, ok with sva-vfio-pci\n",
				      r->name);
	else if (!strcmp(a, "skipped"))
		ksft_test_result_code(KSFT_SKIP, r->name, "with both drivers: %s",
				      r->reason[0]);
	else
		ksft_test_result_fail("%s: %s with both drivers (%s)\n", r->name, a,
				      r->reason[0]);
}

/* They would be most of all lines: in the log they are one by one. */
static void report_all(void)
{
	int i, without = 0;

	for (i = 0; i < nr_results; i++) {
		if (can_run(results[i].name)) {
			report(&results[i]);
			continue;
		}
		without++;
		ksft_print_msg("not run without IOMMUFD: %s\n", results[i].name);
	}
	if (without)
		ksft_test_result_code(KSFT_SKIP, "variants for iommufd",
				      "this kernel has no IOMMUFD: %d tests", without);
	if (only_native())
		ksft_test_result_code(KSFT_SKIP, "variants for containers",
				      "left to faster kernels: see SVA_ALL_MODES");
}

static bool find_functions(void)
{
	return !vfio_pci_find(&functions[EDU], EDU_IDS) &&
	       !vfio_pci_find(&functions[DISK], NVME) &&
	       !vfio_pci_find(&functions[CARD], IGB);
}

int main(void)
{
	int i;

	ksft_print_header();
	if (access(TESTS "/vfio_pci_device_test", X_OK))
		ksft_exit_fail_msg("the kernel's tests were not built: see kernel-tests/log\n");
	if (!find_functions())
		ksft_exit_fail_msg("this is not the machine \"vfio\"\n");
	if (!vfio_load())
		ksft_exit_skip("this kernel has no VFIO\n");
	has_iommufd = !access("/dev/iommu", F_OK);
	sva_write_file("/sys/module/vfio_pci/parameters/enable_sriov", "1");
	sva_write_file("/sys/module/sva_vfio_pci/parameters/enable_sriov", "1");
	sva_write_file(HUGE_PAGES, "4");

	for (i = 0; i < 2; i++)
		run_all(i);

	sva_write_file(HUGE_PAGES, "0");
	sva_write_file("/sys/module/vfio_pci/parameters/enable_sriov", "0");
	for (i = 0; i < MAX_FUNCTIONS; i++)
		vfio_pci_give_back(&functions[i]);
	report_all();
	ksft_test_result(!vfio_unload(), "unload\n");
	/* How many there are is known now. */
	ksft_set_plan(ksft_test_num());
	ksft_finished();
}
