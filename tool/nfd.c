// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update status --nfd: a feature file for the "local" source of Kubernetes's Node Feature
 * Discovery, which makes labels of the node from it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#include "tool.h"

/* The only namespace below kubernetes.io that NFD allows. */
#define NAMESPACE	"feature.node.kubernetes.io/"
#define LONGEST_VALUE	63		/* of a label */

/* Labels must not outlive what keeps them true: tdx-update-features.timer. */
#define EXPIRY_S	600

static bool is_alnum(char c)
{
	return c < 0x7f && isalnum((unsigned char)c);
}

/*
 * Print a label, unless its value is not known. A value has letters, digits and -_. between letters
 * or digits; anything else would have the node's other labels refused, too.
 */
static void label(const char *name, const char *value)
{
	char valid[LONGEST_VALUE + 1];
	size_t length = 0;

	while (value && *value && !is_alnum(*value))
		value++;
	for (; value && *value && length < LONGEST_VALUE; value++)
		valid[length++] = is_alnum(*value) || strchr("-_.", *value) ? *value : '_';
	while (length && !is_alnum(valid[length - 1]))
		length--;
	valid[length] = '\0';
	if (length)
		printf(NAMESPACE "%s=%s\n", name, valid);
}

static void number_label(const char *name, unsigned int value)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", value);
	label(name, text);
}

/* The whole, and each part for rules that compare numbers. */
static void version_labels(void)
{
	struct tdxu_version version;
	char text[VERSION_SIZE];

	running_version(&version);
	if (!version.major)
		return;
	label("tdx-module.version", version_print(&version, text));
	number_label("tdx-module.version.major", version.major);
	number_label("tdx-module.version.minor", version.minor);
	number_label("tdx-module.version.update", version.update);
}

static void own_labels(void)
{
	char *race_protection = host_read(OURS "race_protection");
	json_t *last = record_read(false);

	label("tdx-module.state", state_names[host_state()]);
	if (race_protection)
		label("tdx-module.race-protection",
		      strcmp(race_protection, "supported") ? "false" : "true");
	label("tdx-update.last-result", record_result(last));
	json_decref(last);
	free(race_protection);
}

/**
 * nfd_print() - print the feature file
 *
 * Without tdx_update and the kernel's own driver it has one label, and NFD removes the others.
 */
void nfd_print(void)
{
	enum interface interface = host_interface();
	time_t expiry = time(NULL) + EXPIRY_S;
	char date[40];

	strftime(date, sizeof(date), "%FT%TZ", gmtime(&expiry));
	printf("# Written by tdx-update status --nfd.\n# +expiry-time=%s\n", date);
	label("tdx-update.interface", host_interface_name(interface));
	if (interface == INTERFACE_NONE)
		return;
	version_labels();
	label("tdx-module.seamldr-version", host_read_module("seamldr_version"));
	label("tdx-module.updates-left", host_read_module("num_remaining_updates"));
	if (interface == INTERFACE_OURS)
		own_labels();
	else
		label("tdx-module.race-protection", "false");
}
