// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva doctor: from the firmware to the user's rights, what keeps a device from
 * sharing memory with a program, and what to do about it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"

/**
 * struct check - one thing to look at
 * @id: Its name in JSON; never changes
 * @title: What it is called for people
 * @hardware: It does not matter to devices behind the software IOMMU
 * @run: Looks at the machine
 */
struct check {
	const char *id;
	const char *title;
	bool hardware;
	enum verdict (*run)(struct machine *m, struct finding *f);
};

/* The same for one device. */
struct device_check {
	const char *id;
	const char *title;
	enum verdict (*run)(struct machine *m, const struct device *d,
			    struct finding *f);
};

static const struct check checks[] = {
	{ "kernel", "kernel options", false, check_kernel },
	{ "boot", "boot parameters", true, check_boot },
	{ "firmware", "firmware", true, check_firmware },
	{ "iommu", "IOMMU", true, check_iommu },
	{ "iommu-pasid", "PASIDs in the IOMMU", true, check_iommu_pasid },
	{ "iommu-process", "process memory", true, check_page_requests },
	{ "module-present", "module installed", false, check_module_present },
	{ "module-signed", "module signed", false, check_module_signed },
	{ "module-loaded", "module loaded", false, check_module_loaded },
	{ "node", "device node", false, check_node },
	{ "rights", "rights", false, check_rights },
	{ "pool", "PASIDs left", false, check_pool },
	{ "quota", "quota left", false, check_quota },
	{ "allocation", "allocation", false, check_allocation },
	{ "devices", "devices", false, check_any_device },
};

static const struct device_check device_checks[] = {
	{ "device-iommu", "IOMMU", check_device_iommu },
	{ "device-pasid", "PASIDs", check_device_pasid },
	{ "device-ats", "ATS", check_device_ats },
	{ "device-pri", "page requests", check_device_pri },
	{ "device-driver", "driver", check_device_driver },
	{ "device-node", "device node", check_device_node },
};

/* --- findings -------------------------------------------------------------- */

enum verdict ok(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return VERDICT_OK;
}

enum verdict problem(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return VERDICT_PROBLEM;
}

enum verdict not_applicable(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return VERDICT_NA;
}

void fix(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->fix, sizeof(f->fix), format, args);
	va_end(args);
}

/* --- what is said ---------------------------------------------------------- */

static void print_check(const char *title, enum verdict verdict,
			const struct finding *f)
{
	static const struct {
		const char *word;
		enum tone tone;
	} words[] = {
		[VERDICT_OK] = { "ok", TONE_GOOD },
		[VERDICT_PROBLEM] = { "problem", TONE_BAD },
		[VERDICT_NA] = { "n/a", TONE_WEAK },
	};

	if (out_is_json())
		return;
	printf("  %s%-7s%s  %-19s  %s\n", out_tone(words[verdict].tone),
	       words[verdict].word, out_tone(TONE_PLAIN), title, f->text);
	if (verdict != VERDICT_OK && *f->fix)
		printf("           %s%-19s%s  %s\n", out_tone(TONE_STRONG),
		       "fix:", out_tone(TONE_PLAIN), f->fix);
}

static struct json_object *check_json(const char *id, const char *title,
				      enum verdict verdict,
				      const struct finding *f)
{
	static const char *const words[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_PROBLEM] = "problem",
		[VERDICT_NA] = "not-applicable",
	};
	struct json_object *row = json_object_new_object();

	put_text(row, "id", id);
	put_text(row, "title", title);
	put_text(row, "verdict", words[verdict]);
	put_text(row, "text", f->text);
	put_text(row, "fix", verdict != VERDICT_OK ? f->fix : NULL);
	return row;
}

static void heading(const char *text)
{
	if (!out_is_json())
		printf("%s%s%s\n", out_tone(TONE_STRONG), text,
		       out_tone(TONE_PLAIN));
}

/* --- the visit ------------------------------------------------------------- */

/* Returns how many problems there are. */
static unsigned int visit_machine(struct machine *m, struct json_object *rows)
{
	unsigned int problems = 0;
	enum verdict verdict;
	struct finding f;
	size_t i;

	heading("This machine and you");
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		f = (struct finding) { 0 };
		verdict = checks[i].run(m, &f);
		/* Told all the same. */
		if (verdict == VERDICT_PROBLEM && checks[i].hardware &&
		    m->software)
			verdict = VERDICT_NA;
		problems += verdict == VERDICT_PROBLEM;
		print_check(checks[i].title, verdict, &f);
		json_object_array_add(rows, check_json(checks[i].id,
						       checks[i].title, verdict,
						       &f));
	}
	return problems;
}

static bool visit_device(struct machine *m, const struct device *d,
			 struct json_object *rows)
{
	enum verdict verdict;
	struct finding f;
	bool works = d->registered;
	size_t i;

	heading(d->name);
	for (i = 0; i < ARRAY_SIZE(device_checks); i++) {
		f = (struct finding) { 0 };
		verdict = device_checks[i].run(m, d, &f);
		if (verdict == VERDICT_PROBLEM)
			works = false;
		print_check(device_checks[i].title, verdict, &f);
		json_object_array_add(rows, check_json(device_checks[i].id,
						       device_checks[i].title,
						       verdict, &f));
	}
	return works;
}

/* Returns how many devices could be attached. */
static unsigned int visit_devices(struct machine *m, struct json_object *rows)
{
	struct json_object *row, *found;
	unsigned int good = 0;
	bool works;
	size_t i;

	for (i = 0; i < m->devices.count; i++) {
		found = json_object_new_array();
		works = visit_device(m, &m->devices.list[i], found);
		good += works;
		row = json_object_new_object();
		put_text(row, "name", m->devices.list[i].name);
		put_bool(row, "works", works);
		put(row, "checks", found);
		json_object_array_add(rows, row);
	}
	return good;
}

static void conclude(const struct machine *m, bool works, unsigned int problems)
{
	printf("\n%s", out_tone(works ? TONE_GOOD : TONE_BAD));
	if (works)
		printf("An attach would work%s%s.", m->wanted ? " with " : "",
		       m->wanted ? m->wanted : "");
	else if (problems)
		printf("An attach would not work: begin with the first problem above.");
	else
		printf("An attach would not work: no device is ready.");
	printf("%s\n", out_tone(TONE_PLAIN));
}

static bool visit(struct machine *m)
{
	struct json_object *all = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	struct json_object *devices = json_object_new_array();
	unsigned int problems;
	bool works;

	problems = visit_machine(m, rows);
	works = visit_devices(m, devices) && !problems;
	put_bool(all, "works", works);
	put(all, "checks", rows);
	put(all, "devices", devices);
	if (out_is_json())
		out_json(all);
	else
		conclude(m, works, problems);
	if (!out_is_json())
		json_object_put(all);
	return works;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	const char **device = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (*device)
		argp_error(state, "one device at a time");
	*device = arg;
	return 0;
}

static const struct argp argp = {
	.parser = parse_option,
	.args_doc = "[DEVICE]",
	.doc = "Checks everything that has to be right before a device can be attached to a\n"
	       "PASID, for all devices or for DEVICE (0000:00:1f.2, /dev/sva_sim0), and says\n"
	       "what to do about what is not. Nothing is changed. The exit status is 0 only if\n"
	       "an attach would work.",
	.children = common_options,
};

int command_doctor(int argc, char **argv)
{
	const char *device = NULL;
	struct machine m;
	bool works = false;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &device);
	err = machine_look(&m, device);
	if (err == -ENODEV)
		complain("there is no device %s: \"sva devices --all\" lists their names",
			 device);
	else if (err)
		complain("cannot look at this machine: %s", strerror(-err));
	else
		works = visit(&m);
	machine_forget(&m);
	return works ? STATUS_OK : STATUS_FAILED;
}
