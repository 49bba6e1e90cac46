// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update status: what runs here, how the last update ended and what the last check found, as
 * text, as JSON, or as metrics for node_exporter's textfile collector. Metrics are of updates only.
 * nfd.c has the labels of a node.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

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
	struct pin pin;
	char at_boot[VERSION_SIZE];	/* "": not known */
};

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
	pin_read(&status->pin);
	if (!boot_version(status->at_boot))
		status->at_boot[0] = '\0';
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

/* Whether another version than the pinned one runs. This holds for a pin that cannot be read. */
static bool pin_differs(const struct status *status)
{
	struct tdxu_version running;

	return !version_parse(status->version, &running) || status->pin.error ||
	       version_compare(&running, &status->pin.version);
}

/* Whether the two can be compared. The running version may be stale, or for root only. */
static bool pin_can_be_compared(const struct status *status)
{
	return status->pin.set && !host_version_may_be_stale() &&
	       (status->version || state_is_down(status->state) || status->pin.error);
}

/* ---- as text ---- */

static const char *or_unknown(const char *value)
{
	return value ? value : "unknown: only root may ask, and only in VMX operation";
}

/* Print a record; @title is padded to the column of the values. */
static void print_record(const char *title, bool check)
{
	json_t *record = record_read(check);
	const char *name = record_result(record), *reason = record_text(record, "reason");
	const char *leaf = record_text(record, "leaf");
	time_t when = record_number(record, "when");
	char date[40] = "";
	size_t i;

	for (i = 0; i < num_results; i++)
		if (name && !strcmp(name, result_rows[i].name))
			break;
	if (i == num_results) {
		printf("%s %s\n", title, record ? "none since tdx_update was loaded" :
		       "unknown: an older tdx_update is loaded");
		json_decref(record);
		return;
	}
	strftime(date, sizeof(date), "%F %T %z", localtime(&when));
	say("%s %s, %s, %s -> %s, %s", title, check && !i ? "can be installed" : name,
	    record_text(record, "file"), record_text(record, "from"), record_text(record, "to"),
	    date);
	if (!check || i)
		printf("                 %s\n", result_rows[i].text);
	if (strcmp(reason, "none"))
		say("                 reason: %s", reason);
	if (strcmp(leaf, "none"))
		printf("                 %s on CPU %lld: %s %s\n", leaf,
		       record_number(record, "cpu"), record_text(record, "status"),
		       record_text(record, "status_name"));
	if (!check && i)
		printf("                 phase %s; changed: %s; TDs: %s\n",
		       record_text(record, "phase"), result_changed(i),
		       record_text(record, "tds"));
	json_decref(record);
}

static void print_pin(const struct status *status)
{
	const struct pin *pin = &status->pin;

	if (pin->error)
		say("pinned           unknown: %s", pin->error);
	else if (!pin->set)
		printf("pinned           none\n");
	else
		say("pinned           %s%s", pin->values[PIN_VERSION],
		    !pin_can_be_compared(status) ? "" : pin_differs(status) ?
		    ", which does not run: see apply --pinned" : ", which runs");
	printf("at boot          %s\n",
	       *status->at_boot ? status->at_boot : "unknown: no apply has recorded it");
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
	print_pin(status);
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
	print_record("last update     ", false);
	print_record("last check      ", true);
}

/* ---- for programs ---- */

static json_t *number_or_null(const char *text)
{
	return text ? json_integer(atoll(text)) : json_null();
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

	json_object_set_new(json, "updates_left", number_or_null(status->updates_left));
	json_object_set_new(json, "version_may_be_stale",
			    json_boolean(host_version_may_be_stale()));
	json_object_set_new(json, "pinned", text_json(status->pin.error ? NULL :
						      status->pin.values[PIN_VERSION]));
	json_object_set_new(json, "pin_error", text_json(status->pin.error));
	json_object_set_new(json, "at_boot", *status->at_boot ? json_string(status->at_boot) :
			    json_null());
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
		json_object_set_new(json, "last", record_read(false) ?: json_null());
		json_object_set_new(json, "last_check", record_read(true) ?: json_null());
	}
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

static void print_pin_metrics(const struct status *status)
{
	if (status->pin.set && !status->pin.error) {
		head("tdx_module_pinned_info", "The pinned version; always 1.");
		printf("tdx_module_pinned_info");
		print_label("version", status->pin.values[PIN_VERSION], true);
		printf("} 1\n");
	}
	if (pin_can_be_compared(status)) {
		head("tdx_module_pinned_differs",
		     "Whether the pinned version does not run, or the pin cannot be read.");
		printf("tdx_module_pinned_differs %d\n", pin_differs(status));
	}
}

static void print_metrics(const struct status *status)
{
	static const char * const labels[] = {
		"result", "reason", "tds", "phase", "leaf", "status_name", "from", "to",
	};
	enum state state;
	json_t *last;
	size_t i;

	head("tdx_up", "Whether tdx_update is loaded.");
	printf("tdx_up %d\n", status->interface == INTERFACE_OURS);
	if (status->interface == INTERFACE_NONE)
		return;
	head("tdx_module_info", "The running TDX module and what updates it; always 1.");
	printf("tdx_module_info");
	print_label("version", status->version, true);
	print_label("seamldr_version", status->seamldr_version, false);
	print_label("interface", host_interface_name(status->interface), false);
	printf("} 1\n");
	print_pin_metrics(status);
	if (status->updates_left) {
		head("tdx_module_updates_left", "Updates that P-SEAMLDR will do until reboot.");
		printf("tdx_module_updates_left %s\n", status->updates_left);
	}
	/* The kernel's own driver never asks for it. */
	if (status->race_protection || status->interface == INTERFACE_MAINLINE) {
		head("tdx_module_race_protection",
		     "Whether an update is refused while a TD is being built or migrated.");
		printf("tdx_module_race_protection %d\n", status->race_protection &&
		       !strcmp(status->race_protection, "supported"));
	}
	if (status->interface != INTERFACE_OURS)
		return;

	head("tdx_module_state", "1 for the state that the TDX module is in.");
	for (state = STATE_UNKNOWN + 1; state < NUM_STATES; state++)
		printf("tdx_module_state{state=\"%s\"} %d\n", state_names[state],
		       status->state == state);
	last = record_read(false);
	head("tdx_update_last_info", "How the last update ended; always 1.");
	printf("tdx_update_last_info");
	for (i = 0; i < ARRAY_SIZE(labels); i++)
		print_label(labels[i], record_text(last, labels[i]), !i);
	printf("} 1\n");
	head("tdx_update_last_errno", "Errno of the last update, 0 for success.");
	printf("tdx_update_last_errno %lld\n", record_number(last, "errno"));
	head("tdx_update_last_blackout_seconds", "How long it stopped the CPUs.");
	printf("tdx_update_last_blackout_seconds %.9f\n", record_number(last, "blackout_ns") / 1e9);
	head("tdx_update_last_timestamp_seconds", "When it ended, 0 before the first one.");
	printf("tdx_update_last_timestamp_seconds %lld\n", record_number(last, "when"));
	json_decref(last);
}

/**
 * cmd_status() - run tdx-update status
 * @options: @options->json, ->prometheus or ->nfd chooses the format; text if none is set
 *
 * Metrics and labels are a success without tdx_update, too: then tdx_up is 0, and the interface is
 * the only label.
 *
 * Return: TOOL_DONE.
 */
int cmd_status(const struct options *options)
{
	struct status status;

	if (options->nfd) {
		nfd_print();
		return TOOL_DONE;
	}
	read_status(&status);
	if (status.interface == INTERFACE_NONE && !options->prometheus)
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
