/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the project has to make of an image on a platform: the oracle's judgement in the project's
 * words, and the few places where the project means to differ from firmware.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include "core.h"
#include "generate.h"

#define SET(result)		(1u << (result))	/* results, as a set */
#define MAX_POLICIES		16u

/**
 * struct exhibit - an image before the judges
 * @file: as a file
 * @sigstruct: in it, like all below if @opened
 * @module: its first page
 * @nr_pages: how many
 * @opened: the oracle takes it for a container
 */
struct exhibit {
	struct file file;
	const uint8_t *sigstruct;
	const uint8_t *module;
	uint64_t nr_pages;
	bool opened;
};

/**
 * struct matter - one judgement
 * @image: on which image
 * @other: the recovery image, or the image if @is_recovery; NULL: there is no recovery image
 * @situation: where
 * @is_recovery: @image is the recovery image: it has to be able to take over what @other could
 */
struct matter {
	const struct exhibit *image;
	const struct exhibit *other;
	const struct situation *situation;
	bool is_recovery;
};

/* Rows of the tables that a judgement rests on. */
struct grounds {
	const char *rule;		/* NULL: none, the image can be installed */
	int meaning;			/* the rule's row, -1: none */
	bool policy[MAX_POLICIES];
};

unsigned int expect_results(const struct matter *matter, struct grounds *grounds);
bool expect_version(const struct matter *matter, uint16_t *hv);
void expect_count(const struct grounds *grounds);
void expect_show_policies(const struct grounds *grounds);
unsigned int expect_print_table(const char * const *result_names, unsigned long reached);

#endif /* EXPECT_H */
