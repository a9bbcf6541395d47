// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva top: which processes use PASIDs, and what that costs, live. On a terminal
 * a screen that follows its size; else, or with --json, one measurement.
 */
#include <curses.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "usage.h"

#define DELAY_MIN	0.1
#define DELAY_MAX	3600.0

/* What is shown for a process. */
struct line {
	struct usage now;
	double faults;
	double invalidations;
};

struct lines {
	struct line *list;
	size_t count;
};

/**
 * struct order - a way to sort
 * @key: What to press
 * @title: The column, and the argument of --sort
 * @value: What is compared; the largest comes first
 */
struct order {
	char key;
	const char *title;
	double (*value)(const struct line *line);
};

static double by_pasids(const struct line *line)
{
	return (double)line->now.pasids;
}

static double by_faults(const struct line *line)
{
	return line->faults;
}

static double by_invalidations(const struct line *line)
{
	return line->invalidations;
}

static double by_memory(const struct line *line)
{
	return (double)line->now.pinned;
}

/* The lowest comes first. */
static double by_pid(const struct line *line)
{
	return -(double)line->now.pid;
}

static const struct order orders[] = {
	{ 'f', "faults", by_faults },
	{ 'i', "invalidations", by_invalidations },
	{ 'm', "memory", by_memory },
	{ 'p', "pasids", by_pasids },
	{ 'n', "pid", by_pid },
};

struct top {
	double delay;
	const struct order *order;
	bool help;
	bool paused;
	struct usages before;
	struct usages now;
	double seconds;		/* between the two */
	struct lines lines;
};

/* --- measuring ------------------------------------------------------------- */

static double clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A context that has ended takes its counts along: no rate is below 0. */
static double rate(uint64_t before, uint64_t now, double seconds)
{
	return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

/* qsort_r is not everywhere the same; there is one order at a time. */
static const struct order *compare_order;

static int compare(const void *a, const void *b)
{
	double va = compare_order->value(a), vb = compare_order->value(b);
	const struct line *la = a, *lb = b;

	if (va < vb)
		return 1;
	if (va > vb)
		return -1;
	return (la->now.pid > lb->now.pid) - (la->now.pid < lb->now.pid);
}

static void sort(struct top *top)
{
	compare_order = top->order;
	if (top->lines.count)
		qsort(top->lines.list, top->lines.count,
		      sizeof(*top->lines.list), compare);
}

static int make_lines(struct top *top)
{
	const struct usage *before, *now;
	struct line *list;
	size_t i;

	list = realloc(top->lines.list,
		       (top->now.count + 1) * sizeof(*top->lines.list));
	if (!list)
		return -ENOMEM;
	top->lines.list = list;
	top->lines.count = top->now.count;
	for (i = 0; i < top->now.count; i++) {
		now = &top->now.list[i];
		before = usages_find(&top->before, now);
		list[i].now = *now;
		list[i].faults = before ? rate(before->faults, now->faults,
					       top->seconds) : 0;
		list[i].invalidations =
			before ? rate(before->invalidations, now->invalidations,
				      top->seconds) : 0;
	}
	sort(top);
	return 0;
}

/* Takes a measurement; what was measured last becomes what was before. */
static int measure(struct top *top)
{
	static double last;
	double now = clock_seconds();
	int err;

	usages_free(&top->before);
	top->before = top->now;
	memset(&top->now, 0, sizeof(top->now));
	err = usages_read(&top->now);
	if (err)
		return err;
	top->seconds = now - last;
	last = now;
	return make_lines(top);
}

/* --- one measurement ------------------------------------------------------- */

static struct json_object *line_json(const struct line *line)
{
	struct json_object *row = json_object_new_object();

	put(row, "pid", line->now.pid ? json_object_new_int(line->now.pid) : NULL);
	put_text(row, "user", user_name(line->now.uid));
	put_text(row, "command", line->now.command);
	put_number(row, "contexts", line->now.contexts);
	put_number(row, "pasids", line->now.pasids);
	put_number(row, "bonds", line->now.bonds);
	put_pinned(row, line->now.pinned);
	put(row, "faults_per_second",
	    json_object_new_double(round(line->faults * 10) / 10));
	put(row, "invalidations_per_second",
	    json_object_new_double(round(line->invalidations * 10) / 10));
	return row;
}

static void print_once(struct top *top)
{
	static const struct column columns[] = {
		{ "PID", "pid", true },
		{ "USER", "user", false },
		{ "PASIDS", "pasids", true },
		{ "BONDS", "bonds", true },
		{ "PINNED", "pinned", true },
		{ "FAULTS/S", "faults_per_second", true },
		{ "INVAL/S", "invalidations_per_second", true },
		{ "COMMAND", "command", false },
	};
	struct json_object *all = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	size_t i;

	for (i = 0; i < top->lines.count; i++)
		json_object_array_add(rows, line_json(&top->lines.list[i]));
	put_bool(all, "all", top->now.all);
	put(all, "seconds", json_object_new_double(top->seconds));
	put(all, "processes", rows);
	if (out_is_json()) {
		out_json(all);
		return;
	}
	out_table(rows, columns, ARRAY_SIZE(columns));
	json_object_put(all);
}

static int run_once(struct top *top)
{
	int err = measure(top);

	if (err)
		return err;
	usleep((useconds_t)(top->delay * 1e6));
	err = measure(top);
	if (!err)
		print_once(top);
	return err;
}

/* --- the screen ------------------------------------------------------------ */

#define FORMAT "%8s %-10.10s %8s %6s %10s %9s %9s  %s"

static void draw_totals(const struct top *top)
{
	uint64_t pasids = 0, bonds = 0, pinned = 0;
	char size[32];
	size_t i;

	for (i = 0; i < top->lines.count; i++) {
		pasids += top->lines.list[i].now.pasids;
		bonds += top->lines.list[i].now.bonds;
		pinned += top->lines.list[i].now.pinned;
	}
	mvprintw(0, 0, "sva top: %zu processes, %llu PASIDs, %llu bonds, %s pinned%s%s",
		 top->lines.count, (unsigned long long)pasids,
		 (unsigned long long)bonds,
		 out_size(size, sizeof(size), pinned),
		 top->now.all ? "" : " (yours only)",
		 top->paused ? "; paused" : "");
	mvprintw(1, 0, "every %g s, by %s; h for help, q to quit", top->delay,
		 top->order->title);
}

static void draw_line(int at, const struct line *line)
{
	char text[512], pid[16], pasids[24], bonds[24], faults[24], inval[24];
	char size[32];

	snprintf(pid, sizeof(pid), "%d", (int)line->now.pid);
	snprintf(pasids, sizeof(pasids), "%llu",
		 (unsigned long long)line->now.pasids);
	snprintf(bonds, sizeof(bonds), "%llu", (unsigned long long)line->now.bonds);
	snprintf(faults, sizeof(faults), "%.1f", line->faults);
	snprintf(inval, sizeof(inval), "%.1f", line->invalidations);
	snprintf(text, sizeof(text), FORMAT, pid,
		 user_name(line->now.uid), pasids, bonds,
		 out_size(size, sizeof(size), line->now.pinned), faults, inval,
		 line->now.command);
	mvaddnstr(at, 0, text, COLS);
}

static void draw_processes(const struct top *top)
{
	char title[512];
	int at = 3;
	size_t i;

	snprintf(title, sizeof(title), FORMAT, "PID", "USER", "PASIDS", "BONDS",
		 "PINNED", "FAULTS/S", "INVAL/S", "COMMAND");
	attron(A_REVERSE);
	mvprintw(2, 0, "%-*.*s", COLS, COLS, title);
	attroff(A_REVERSE);
	for (i = 0; i < top->lines.count && at < LINES; i++)
		draw_line(at++, &top->lines.list[i]);
	if (!top->lines.count)
		mvaddnstr(at, 0, "Nobody uses a PASID.", COLS);
}

static void draw_help(void)
{
	static const char *const text[] = {
		"q  quit",
		"h  this help, and back",
		"f  sort by faults per second",
		"i  sort by invalidations per second",
		"m  sort by pinned memory",
		"p  sort by PASIDs",
		"n  sort by process id",
		"+  measure less often",
		"-  measure more often",
		"space  pause, and go on",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(text) && (int)i + 3 < LINES; i++)
		mvaddnstr((int)i + 3, 0, text[i], COLS);
}

static void draw(const struct top *top)
{
	erase();
	draw_totals(top);
	if (top->help)
		draw_help();
	else
		draw_processes(top);
	/* without a cursor to be hidden, it waits in the corner */
	move(LINES - 1, COLS - 1);
	refresh();
}

/* Returns false to end. */
static bool press(struct top *top, int key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		if (key == orders[i].key)
			top->order = &orders[i];
	switch (key) {
	case 'q':
		return false;
	case 'h':
	case '?':
		top->help = !top->help;
		break;
	case '\f':
		clearok(stdscr, TRUE);
		break;
	case ' ':
		top->paused = !top->paused;
		break;
	case '+':
		top->delay = fmin(top->delay * 2, DELAY_MAX);
		break;
	case '-':
		top->delay = fmax(top->delay / 2, DELAY_MIN);
		break;
	}
	sort(top);
	return true;
}

/* Handles keys until it is time to measure again; false to end. */
static bool wait_for_keys(struct top *top)
{
	double until = clock_seconds() + top->delay, left;
	int key;

	while ((left = until - clock_seconds()) > 0 || top->paused) {
		timeout(top->paused ? -1 : (int)(left * 1000) + 1);
		key = getch();
		if (key == ERR && !top->paused)
			break;
		if (key == ERR || !press(top, key))
			return false;
		draw(top);
	}
	return true;
}

static int run_screen(struct top *top)
{
	int err;

	if (!initscr())
		return -ENOTTY;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	do {
		err = measure(top);
		if (err)
			break;
		draw(top);
	} while (wait_for_keys(top));
	endwin();
	return err;
}

/* --- the command ----------------------------------------------------------- */

static const struct argp_option argp_options[] = {
	{ "delay", 'd', "SECONDS", 0, "time between two measurements (2)", 0 },
	{ "sort", 's', "COLUMN", 0,
	  "faults, invalidations, memory, pasids or pid (faults)", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct top *top = state->input;
	char *end;
	size_t i;

	switch (key) {
	case 'd':
		top->delay = strtod(arg, &end);
		if (end == arg || *end || !(top->delay >= DELAY_MIN) ||
		    top->delay > DELAY_MAX)
			argp_error(state, "%s is not a time from %g to %g seconds",
				   arg, DELAY_MIN, DELAY_MAX);
		break;
	case 's':
		top->order = NULL;
		for (i = 0; i < ARRAY_SIZE(orders); i++)
			if (!strcmp(arg, orders[i].title))
				top->order = &orders[i];
		if (!top->order)
			argp_error(state, "it cannot be sorted by %s", arg);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "it takes no argument, and this is one: %s", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Shows which processes use PASIDs, and what that costs: page requests and\n"
	       "invalidations per second, pinned memory. On a terminal it goes on until q is\n"
	       "pressed (h for help); else it measures once.",
	.children = common_options,
};

int command_top(int argc, char **argv)
{
	struct top top = { .delay = 2, .order = &orders[0] };
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &top);
	if (out_is_json() || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		err = run_once(&top);
	else
		err = run_screen(&top);
	if (err)
		list_complain(err);
	usages_free(&top.before);
	usages_free(&top.now);
	free(top.lines.list);
	return err ? STATUS_FAILED : STATUS_OK;
}
