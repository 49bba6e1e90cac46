// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update: the command line. It is parsed completely before anything is touched; then one
 * command runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

static const char usage_text[] =
"usage: tdx-update status [--json|--prometheus|--nfd]\n"
"       tdx-update list DIR [--recursive] [--mapping FILE|none] [--allow-downgrade]\n"
"                       [--json]\n"
"       tdx-update check IMAGE [--mapping FILE|none] [--allow-downgrade] [--json]\n"
"       tdx-update apply IMAGE [--allow-downgrade] | --latest DIR [--recursive] | --pinned\n"
"                        [--mapping FILE|none] [--wait SECONDS]\n"
"                        [--recovery IMAGE|auto|none] [--online-cpus] [--dry-run] [--json]\n"
"       tdx-update pin [IMAGE | --running DIR [--mapping FILE|none] [--wait SECONDS]\n"
"                      [--allow-downgrade] | --clear] [--json]\n"
"       tdx-update reference IMAGE... [--json | --corim [--signed KEY]] [--output FILE]\n"
"       tdx-update explain ERRNO|RESULT|none|all [--json]\n"
"       tdx-update history [--json]\n"
"       tdx-update help | --help | -h | --version | -V\n"
"\n"
"  status    the running TDX module, the CPUs, and how the last update ended\n"
"  list      the images of a directory, newest first, and which of them can be installed now\n"
"  check     whether an image can be installed now; changes nothing\n"
"  apply     install an image, while the TDs live on\n"
"  pin       show or set the version that this host is to run after each boot\n"
"  reference what quotes show once an image runs, for those who verify them\n"
"  explain   what a result means and has changed, what to do, and what not\n"
"  history   who asked for which update or check, when, and how it ended\n"
"\n"
"  --latest DIR      the newest image of the running series that can be installed\n"
"  --recursive       read the directories below DIR too\n"
"  --pinned          the image that is pinned, unless its version runs already\n"
"  --running DIR     pin the running version, whose image is in DIR\n"
"  --clear           pin nothing\n"
"  --mapping FILE    the mapping file that an image has to agree with; none: no file.\n"
"                    Default: the nearest mapping_file.json beside the image or above\n"
"  --allow-downgrade accept an older version, and a name that may lie about it\n"
"  --wait SECONDS    how long to try again while a TD is being built or migrated\n"
"  --recovery IMAGE  what to install if the image fails past the shutdown; auto: the\n"
"                    image of the running version in the same directory, or refuse;\n"
"                    none: nothing. Default: as auto, but go on without such an image\n"
"  --online-cpus     bring present CPUs online for the update, SMT threads too, and put\n"
"                    them back afterwards\n"
"  --dry-run         choose and check, but install nothing\n"
"  --corim           as a CoRIM, the IETF's form of reference values (CBOR)\n"
"  --signed KEY      signed with a key on P-256 or P-384, a PEM file; implies --corim\n"
"  --output FILE     write to a file, which is replaced once all is written\n"
"\n"
"Exit status:\n";

static atomic_int signalled;
static bool wants_json;

/* Only note the signal: a write that is under way ends first, and its result is reported. */
static void on_signal(int number)
{
	signalled = number;
}

static void complain(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		exit(TOOL_SYSTEM);
	fflush(stdout);
	fputs("tdx-update: ", stderr);
	text_put(stderr, text);
	fputc('\n', stderr);
	free(text);
}

/**
 * note() - print a line for the operator on standard error
 * @format: as for printf(), without a newline
 */
void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
}

/**
 * fail() - print a line as note() does, as JSON too if --json was given, and end the program
 * @status: exit status
 * @format: as for printf(), without a newline
 */
void fail(enum tool_exit status, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		exit(TOOL_SYSTEM);
	va_end(args);
	note("%s", text);
	if (wants_json)
		print_json(json_pack("{s:o, s:i}", "error", text_json(text), "exit", status));
	audit_fail(status, text);
	exit(status);
}

/**
 * stop_if_signalled() - end by the signal that came, if any, with every change undone
 *
 * To be called only where this command has installed nothing.
 */
void stop_if_signalled(void)
{
	char text[60];

	if (!signalled)
		return;
	snprintf(text, sizeof(text), "ended by signal %d; nothing has changed", signalled);
	note("%s", text);
	fflush(NULL);
	undo_end();
	audit_fail(128 + signalled, text);
	signal(signalled, SIG_DFL);
	raise(signalled);
}

static void catch_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		/* nohup has the command ignore a signal: it has to stay ignored. */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	/* Do not die while reporting an update because the reader of a pipe has gone. */
	signal(SIGPIPE, SIG_IGN);
}

static void print_help(void)
{
	static const struct {
		int code;
		const char *text;
	} exits[] = {
#define ROW(symbol, code, text) { code, text },
		EXITS(ROW)
#undef ROW
	};
	size_t i;

	fputs(usage_text, stdout);
	for (i = 0; i < ARRAY_SIZE(exits); i++)
		printf("  %-3d %s\n", exits[i].code, exits[i].text);
}

/* ---- the command line ---- */

enum option_bit {
	OPTION_JSON = 1 << 0,
	OPTION_PROMETHEUS = 1 << 1,
	OPTION_DRY_RUN = 1 << 2,
	OPTION_WAIT = 1 << 3,
	OPTION_LATEST = 1 << 4,
	OPTION_RECOVERY = 1 << 5,
	OPTION_ONLINE_CPUS = 1 << 6,
	OPTION_RECURSIVE = 1 << 7,
	OPTION_MAPPING = 1 << 8,
	OPTION_ALLOW_DOWNGRADE = 1 << 9,
	OPTION_PINNED = 1 << 10,
	OPTION_RUNNING = 1 << 11,
	OPTION_CLEAR = 1 << 12,
	OPTION_NFD = 1 << 13,
	OPTION_CORIM = 1 << 14,
	OPTION_SIGNED = 1 << 15,
	OPTION_OUTPUT = 1 << 16,
};

static const struct {
	const char *name;
	enum option_bit bit;
	bool has_value;
} option_rows[] = {
	{ "--json", OPTION_JSON, false },
	{ "--prometheus", OPTION_PROMETHEUS, false },
	{ "--nfd", OPTION_NFD, false },
	{ "--dry-run", OPTION_DRY_RUN, false },
	{ "--wait", OPTION_WAIT, true },
	{ "--latest", OPTION_LATEST, true },
	{ "--recovery", OPTION_RECOVERY, true },
	{ "--online-cpus", OPTION_ONLINE_CPUS, false },
	{ "--recursive", OPTION_RECURSIVE, false },
	{ "--mapping", OPTION_MAPPING, true },
	{ "--allow-downgrade", OPTION_ALLOW_DOWNGRADE, false },
	{ "--pinned", OPTION_PINNED, false },
	{ "--running", OPTION_RUNNING, true },
	{ "--clear", OPTION_CLEAR, false },
	{ "--corim", OPTION_CORIM, false },
	{ "--signed", OPTION_SIGNED, true },
	{ "--output", OPTION_OUTPUT, true },
};

static const struct command {
	const char *name;
	int (*run)(const struct options *options);
	const char *argument;		/* its name; ends in ... if several may come; or NULL */
	unsigned int options;
} commands[] = {
	{ "status", cmd_status, NULL, OPTION_JSON | OPTION_PROMETHEUS | OPTION_NFD },
	{ "list", cmd_list, "DIR", OPTION_JSON | OPTION_RECURSIVE | OPTION_MAPPING |
				   OPTION_ALLOW_DOWNGRADE },
	{ "check", cmd_check, "IMAGE", OPTION_JSON | OPTION_MAPPING | OPTION_ALLOW_DOWNGRADE },
	{ "apply", cmd_apply, "IMAGE", OPTION_JSON | OPTION_DRY_RUN | OPTION_WAIT |
					OPTION_LATEST | OPTION_RECOVERY |
					OPTION_ONLINE_CPUS | OPTION_RECURSIVE |
					OPTION_MAPPING | OPTION_ALLOW_DOWNGRADE |
					OPTION_PINNED },
	{ "pin", cmd_pin, "IMAGE", OPTION_JSON | OPTION_MAPPING | OPTION_WAIT |
				   OPTION_ALLOW_DOWNGRADE | OPTION_RUNNING | OPTION_CLEAR },
	{ "reference", cmd_reference, "IMAGE...", OPTION_JSON | OPTION_CORIM | OPTION_SIGNED |
						  OPTION_OUTPUT },
	{ "explain", cmd_explain, "ERRNO|RESULT", OPTION_JSON },
	{ "history", cmd_history, NULL, OPTION_JSON },
};

static void usage(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	note("nothing was done; 'tdx-update help' lists commands and options");
	exit(TOOL_USAGE);
}

static long seconds(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (strspn(text, "0123456789") != strlen(text) || !*text || errno || value > 31536000)
		usage("--wait: '%s' is not a number of seconds, or too large", text);
	return value;
}

static void set_option(struct options *options, enum option_bit bit, const char *value)
{
	switch (bit) {
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_PROMETHEUS:
		options->prometheus = true;
		break;
	case OPTION_NFD:
		options->nfd = true;
		break;
	case OPTION_DRY_RUN:
		options->dry_run = true;
		break;
	case OPTION_WAIT:
		options->has_wait = true;
		options->wait_s = seconds(value);
		break;
	case OPTION_LATEST:
		options->latest = value;
		break;
	case OPTION_RECOVERY:
		options->recovery = value;
		break;
	case OPTION_ONLINE_CPUS:
		options->online_cpus = true;
		break;
	case OPTION_RECURSIVE:
		options->recursive = true;
		break;
	case OPTION_MAPPING:
		options->mapping = value;
		break;
	case OPTION_ALLOW_DOWNGRADE:
		options->allow_downgrade = true;
		break;
	case OPTION_PINNED:
		options->pinned = true;
		break;
	case OPTION_RUNNING:
		options->running = value;
		break;
	case OPTION_CLEAR:
		options->clear = true;
		break;
	case OPTION_CORIM:
		options->corim = true;
		break;
	case OPTION_SIGNED:
		options->corim = true;
		options->signing_key = value;
		break;
	case OPTION_OUTPUT:
		options->output = value;
		break;
	}
}

/* Parse one option, its value after '=' or in the next word. Return how many words it took. */
static int take_option(const struct command *command, char **args, unsigned int *seen,
		       struct options *options)
{
	size_t length = strcspn(args[0], "=");
	const char *value = args[0][length] ? args[0] + length + 1 : NULL;
	int words = 1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(option_rows); i++)
		if (strlen(option_rows[i].name) == length &&
		    !strncmp(option_rows[i].name, args[0], length))
			break;
	if (i == ARRAY_SIZE(option_rows) || !(command->options & option_rows[i].bit))
		usage("%s: no such option: %s", command->name, args[0]);
	if (*seen & option_rows[i].bit)
		usage("%s: %s is given twice", command->name, option_rows[i].name);
	*seen |= option_rows[i].bit;
	if (option_rows[i].has_value && !value) {
		value = args[1];
		words = 2;
	}
	if (option_rows[i].has_value && (!value || !*value))
		usage("%s: %s needs a value", command->name, option_rows[i].name);
	if (!option_rows[i].has_value && value)
		usage("%s: %s takes no value", command->name, option_rows[i].name);
	set_option(options, option_rows[i].bit, value);
	return words;
}

/* End the program if pin's options do not go together. Without an image, pin only shows. */
static void check_pin(const struct options *options)
{
	bool sets = options->argument || options->running;

	if (options->argument && options->running)
		usage("pin: give an image or --running, not both");
	if (options->clear && sets)
		usage("pin: give an image or --clear, not both");
	if (!sets && (options->mapping || options->has_wait || options->allow_downgrade))
		usage("pin: IMAGE is missing");
}

static void parse(const struct command *command, char **args, struct options *options)
{
	bool only_arguments = false;
	unsigned int seen = 0;

	/* Each takes the place of a word that has been read. */
	options->arguments = (const char **)args;
	while (*args) {
		if (!only_arguments && !strcmp(*args, "--")) {
			only_arguments = true;
			args++;
		} else if (!only_arguments && **args == '-' &&
			   !(command->run == cmd_explain && strspn(*args + 1, "0123456789"))) {
			args += take_option(command, args, &seen, options);
		} else {
			if (!command->argument ||
			    (options->argument && !strstr(command->argument, "...")))
				usage("%s: one argument too many: %s", command->name, *args);
			if (!**args)
				usage("%s: %s is empty", command->name, command->argument);
			options->arguments[options->num_arguments++] = *args++;
			options->argument = options->arguments[0];
		}
	}
	if (options->json + options->prometheus + options->nfd > 1)
		usage("%s: give one of --json, --prometheus and --nfd", command->name);
	if (!!options->latest + !!options->argument + options->pinned > 1)
		usage("%s: give an image, --latest or --pinned, only one of them", command->name);
	if (options->json && options->corim)
		usage("%s: give --json or --corim, not both", command->name);
	if (options->latest && options->allow_downgrade)
		usage("%s: --allow-downgrade needs an image, not --latest", command->name);
	if (command->run == cmd_apply && options->recursive && !options->latest)
		usage("%s: --recursive needs --latest", command->name);
	if (command->run == cmd_pin)
		check_pin(options);
	else if (command->argument && !options->argument && !options->latest && !options->pinned)
		usage("%s: %s is missing", command->name, command->argument);
}

int main(int argc, char **argv)
{
	struct options options = {};
	int status;
	size_t i;

	if (argc < 2)
		usage("a command is missing");
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		if (argc > 2)
			usage("help: one argument too many: %s", argv[2]);
		print_help();
		return TOOL_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		if (argc > 2)
			usage("--version: one argument too many: %s", argv[2]);
		printf("tdx-update %s\n", TDX_UPDATE_VERSION);
		return TOOL_DONE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			break;
	if (i == ARRAY_SIZE(commands))
		usage("no such command: %s", argv[1]);
	parse(&commands[i], argv + 2, &options);

	wants_json = options.json;
	catch_signals();
	atexit(undo_end);
	status = commands[i].run(&options);
	/*
	 * Report on standard error that the output is incomplete. Be quiet if the reader has closed
	 * the pipe: the first lines were enough.
	 */
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE)
		note("standard output: %s", strerror(errno));
	/* The exit status of a completed update matters more than a signal that came meanwhile. */
	if (status == TOOL_TRY_AGAIN)
		stop_if_signalled();
	return status;
}
