// SPDX-License-Identifier: GPL-2.0-only
/* sva: what uses /dev/sva, how much of it, and why it does not work. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

const char *argp_program_version = "sva 1.0";

static const struct command commands[] = {
	{ "doctor", "what is missing before a device can share memory, and the fix",
	  command_doctor },
	{ "devices", "devices that can use PASIDs", command_devices },
	{ "list", "who uses it: processes, contexts, PASIDs, bonds", command_list },
	{ "quota", "how many PASIDs cgroups and users have, and may have",
	  command_quota },
	{ "top", "the same, live, with page requests and invalidations per second",
	  command_top },
	{ "demo", "a program shares its memory with devices made in software",
	  command_demo },
};

static const struct argp_option json_options[] = {
	{ "json", 'j', NULL, 0, "print JSON", 0 },
	{ 0 },
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	(void)state;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	out_want_json();
	return 0;
}

static const struct argp common_argp = {
	.options = json_options,
	.parser = parse_common,
};

const struct argp_child common_options[] = {
	{ .argp = &common_argp },
	{ 0 },
};

static char *list_commands(int key, const char *text, void *input)
{
	size_t i, len;
	char *list;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &len);
	if (!out)
		return (char *)text;
	fputs("Commands:\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n\"sva COMMAND --help\" tells a command's options, sva(1) the rest.",
	      out);
	fclose(out);
	return list;
}

struct choice {
	const struct command *command;
	int at;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;
	size_t i;

	switch (key) {
	case ARGP_KEY_ARG:
		for (i = 0; i < ARRAY_SIZE(commands); i++)
			if (!strcmp(commands[i].name, arg))
				choice->command = &commands[i];
		if (!choice->command)
			argp_error(state, "there is no command %s", arg);
		/* The rest is the command's. */
		choice->at = state->next - 1;
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.parser = parse_option,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Devices that share memory with programs through /dev/sva: who uses them, and\n"
	       "why they do not work.\v",
	.children = common_options,
	.help_filter = list_commands,
};

int main(int argc, char **argv)
{
	struct choice choice = { 0 };
	char name[32];

	setlocale(LC_ALL, "");
	/* Numbers are written as the documentation says. */
	setlocale(LC_NUMERIC, "C");
	out_init();
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);

	snprintf(name, sizeof(name), "sva %s", choice.command->name);
	argv[choice.at] = name;
	return out_end(choice.command->run(argc - choice.at, argv + choice.at));
}
