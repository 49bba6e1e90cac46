// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update status: what runs here and how the last attempt ended, as text, as JSON, or as metrics
 * for node_exporter's textfile collector.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>

#include "tool.h"

/* Strings as the interface has them; NULL: there is no such file, or this user may not read it. */
struct status {
	enum interface interface;
	char cpu[12];
	char *cpus_online, *cpus_present;
	enum state state;
	char *driver, *version, *features0, *race_protection, *recovery_image;
	char *seamldr_version, *updates_left;
	char *kernel_version;		/* version in the kernel's own driver, if it is there too */
};

static const char * const last_files[] = {
	"result", "errno", "reason", "phase", "leaf", "status", "rcx", "rdx", "r8", "cpu",
	"sessions", "image", "from", "to", "blackout_ns", "total_ns",
};

static char *read_last(const char *name)
{
	char file[40];

	snprintf(file, sizeof(file), OURS "last/%s", name);
	return host_read(file);
}

static void read_status(struct status *status)
{
	unsigned int eax = 0, ebx, ecx, edx;

	*status = (struct status){ .interface = host_interface() };
	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	snprintf(status->cpu, sizeof(status->cpu), "0x%05X", eax);
	status->cpus_online = host_read("devices/system/cpu/online");
	status->cpus_present = host_read("devices/system/cpu/present");
	status->version = host_read_module("version");
	status->seamldr_version = host_read_module("seamldr_version");
	status->updates_left = host_read_module("num_remaining_updates");
	if (status->interface != INTERFACE_OURS)
		return;
	status->driver = host_read("module/tdx_update/version");
	status->state = host_state();
	/* A version may be readable while TDX is down, but no TDX module of it runs. */
	if (state_is_down(status->state))
		status->version = NULL;
	status->features0 = host_read(OURS "features0");
	status->race_protection = host_read(OURS "race_protection");
	status->recovery_image = host_read(OURS "recovery_image");
	status->kernel_version = host_read(MAINLINE "version");
}

/*
 * The kernel's own driver shows the version that it read last. It notices neither an update by
 * tdx_update nor that TDX is down.
 */
static bool kernel_version_is_stale(const struct status *status)
{
	return status->kernel_version &&
	       (!status->version || strcmp(status->kernel_version, status->version));
}

/* ---- as text ---- */

static const char *or_unknown(const char *value)
{
	return value ? value : "unknown: only root may ask, and only in VMX operation";
}

static void print_last(void)
{
	char *name = read_last("result"), *phase = read_last("phase"), *image = read_last("image");
	char *from = read_last("from"), *to = read_last("to"), *leaf = read_last("leaf");
	char *code = read_last("status"), *cpu = read_last("cpu"), *reason = read_last("reason");
	size_t i;

	if (!name || !strcmp(name, "none")) {
		printf("last attempt     none since tdx_update was loaded\n");
		return;
	}
	for (i = 0; i < num_results; i++) {
		const struct result_row *row = &result_rows[i];

		if (strcmp(name, row->name))
			continue;
		say("last attempt     %s%s, %s, %s -> %s", name,
		    phase && !strcmp(phase, "check") ? " of a check" : "", image, from, to);
		printf("                 %s\n", row->text);
		if (reason && strcmp(reason, "none"))
			say("                 reason: %s", reason);
		if (leaf && strcmp(leaf, "none"))
			printf("                 %s on CPU %s: %s, phase %s\n", leaf, cpu, code,
			       phase);
		if (i && phase && strcmp(phase, "check"))
			printf("                 changed: %s\n", result_changed(i));
	}
}

static void print_words(const struct status *status)
{
	printf("platform         CPU %s, CPUs %s online%s\n", status->cpu, status->cpus_online,
	       cpus_all_online() ? "" : "; a present one is offline: see apply --online-cpus");
	printf("TDX module       %s%s%s\n", status->version ? status->version : "none runs",
	       status->state ? ", " : "", status->state ? state_names[status->state] : "");
	if (state_advice(status->state))
		printf("                 %s\n", state_advice(status->state));
	if (kernel_version_is_stale(status))
		say("kernel's driver  %s, stale: it does not see updates by tdx_update",
		    status->kernel_version);
	if (host_version_may_be_stale())
		printf("                 may be stale: it does not see updates by tdx_update\n");
	printf("P-SEAMLDR        %s\n", or_unknown(status->seamldr_version));
	printf("updates left     %s\n", or_unknown(status->updates_left));
	if (status->interface == INTERFACE_MAINLINE) {
		printf("race protection  none: this kernel's driver does not ask for it\n");
		printf("updated by       this kernel's own driver: it does not report attempts\n");
		return;
	}
	if (status->race_protection && !strcmp(status->race_protection, "supported"))
		printf("race protection  yes: no update while a TD is being built or migrated\n");
	else if (status->race_protection)
		printf("race protection  no: an update may spoil a TD under construction\n");
	if (status->recovery_image)
		say("recovery image   %s",
		    *status->recovery_image ? status->recovery_image : "none");
	printf("updated by       tdx_update %s\n", status->driver ? status->driver : "");
	print_last();
}

/* ---- for programs ---- */

static json_t *number_or_null(const char *text)
{
	return text ? json_integer(atoll(text)) : json_null();
}

static bool is_number(const char *last_file)
{
	static const char * const numbers[] = {
		"errno", "cpu", "sessions", "blackout_ns", "total_ns",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(last_file, numbers[i]))
			return true;
	return false;
}

static void print_as_json(const struct status *status)
{
	json_t *json = json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?}",
				 "interface", host_interface_name(status->interface),
				 "cpu", status->cpu,
				 "cpus_online", status->cpus_online,
				 "cpus_present", status->cpus_present,
				 "version", status->version,
				 "seamldr_version", status->seamldr_version);
	json_t *last = json_object();
	size_t i;

	json_object_set_new(json, "updates_left", number_or_null(status->updates_left));
	json_object_set_new(json, "version_may_be_stale",
			    json_boolean(host_version_may_be_stale()));
	if (status->interface == INTERFACE_OURS) {
		json_object_update_new(json, json_pack("{s:s?, s:s?, s:s?, s:s?}",
						       "driver", status->driver,
						       "state", state_names[status->state],
						       "features0", status->features0,
						       "race_protection", status->race_protection));
		text_json_name(json, "recovery_image", status->recovery_image);
		json_object_set_new(json, "kernel_driver_version",
				    text_json(status->kernel_version));
		json_object_set_new(json, "kernel_driver_version_stale",
				    json_boolean(kernel_version_is_stale(status)));
		for (i = 0; i < ARRAY_SIZE(last_files); i++) {
			char *text = read_last(last_files[i]);

			if (is_number(last_files[i]))
				json_object_set_new(last, last_files[i], number_or_null(text));
			else
				text_json_name(last, last_files[i], text);
			free(text);
		}
		json_object_set(json, "last", last);
	}
	json_decref(last);
	print_json(json);
}

/* Print a label. The exposition format needs quote and backslash escaped in its value. */
static void print_label(const char *name, const char *value, bool first)
{
	printf("%s%s=\"", first ? "{" : ",", name);
	for (; value && *value; value++)
		printf(*value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	putchar('"');
}

static void head(const char *metric, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s gauge\n", metric, help, metric);
}

static void print_metrics(const struct status *status)
{
	char *result, *phase, *from, *to, *error, *blackout;
	enum state state;

	head("tdx_module_info", "The running TDX module and what updates it; always 1.");
	printf("tdx_module_info");
	print_label("version", status->version, true);
	print_label("seamldr_version", status->seamldr_version, false);
	print_label("interface", host_interface_name(status->interface), false);
	printf("} 1\n");
	if (status->updates_left) {
		head("tdx_module_updates_left", "Updates that P-SEAMLDR will do until reboot.");
		printf("tdx_module_updates_left %s\n", status->updates_left);
	}
	head("tdx_module_race_protection",
	     "Whether an update is refused while a TD is being built or migrated.");
	printf("tdx_module_race_protection %d\n", status->race_protection &&
	       !strcmp(status->race_protection, "supported"));
	if (status->interface != INTERFACE_OURS)
		return;

	head("tdx_module_state", "1 for the state that the TDX module is in.");
	for (state = STATE_UNKNOWN + 1; state < NUM_STATES; state++)
		printf("tdx_module_state{state=\"%s\"} %d\n", state_names[state],
		       status->state == state);
	result = read_last("result");
	phase = read_last("phase");
	from = read_last("from");
	to = read_last("to");
	error = read_last("errno");
	blackout = read_last("blackout_ns");
	head("tdx_update_last_info", "How the last attempt ended; always 1.");
	printf("tdx_update_last_info");
	print_label("result", result, true);
	print_label("phase", phase, false);
	print_label("from", from, false);
	print_label("to", to, false);
	printf("} 1\n");
	head("tdx_update_last_errno", "Errno of the last attempt, 0 for success.");
	printf("tdx_update_last_errno %s\n", error ? error : "0");
	head("tdx_update_last_blackout_seconds", "How long it stopped the CPUs.");
	printf("tdx_update_last_blackout_seconds %.9f\n", blackout ? atoll(blackout) / 1e9 : 0);
}

/**
 * cmd_status() - run tdx-update status
 * @options: @options->json or @options->prometheus chooses the format; text if neither is set
 *
 * Return: TOOL_DONE.
 */
int cmd_status(const struct options *options)
{
	struct status status;

	read_status(&status);
	if (status.interface == INTERFACE_NONE)
		fail(TOOL_UNAVAILABLE,
		     "nothing here updates a TDX module: modprobe tdx_update, and see the kernel log");
	if (options->json)
		print_as_json(&status);
	else if (options->prometheus)
		print_metrics(&status);
	else
		print_words(&status);
	return TOOL_DONE;
}
