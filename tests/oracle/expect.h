/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The result that the project has to return for an image on a platform: the oracle's judgement as a
 * result of the project, but for a few places where the project means to differ from firmware.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include "core.h"
#include "generate.h"

#define SET(result)		(1u << (result))	/* a set of results has one bit each */
#define MAX_POLICIES		16u

/**
 * struct exhibit - an image to be judged
 * @file: the image as a file
 * @sigstruct: points into @file; only valid if @opened
 * @module: first module page in @file; only valid if @opened
 * @nr_pages: number of module pages; only valid if @opened
 * @opened: the oracle accepts the file as a container
 */
struct exhibit {
	struct file file;
	const uint8_t *sigstruct;
	const uint8_t *module;
	uint64_t nr_pages;
	bool opened;
};

/**
 * struct matter - subject of one judgement
 * @image: the image to judge
 * @other: the recovery image, or the image if @is_recovery; NULL: there is no recovery image
 * @situation: the platform
 * @is_recovery: @image is the recovery image, so it has to take over from whatever @other could
 */
struct matter {
	const struct exhibit *image;
	const struct exhibit *other;
	const struct situation *situation;
	bool is_recovery;
};

/* The rows of the tables on which a judgement is based. */
struct grounds {
	const char *rule;		/* NULL: no rule, the image can be installed */
	int meaning;			/* the rule's row of meanings[]; -1: none */
	bool policy[MAX_POLICIES];
};

unsigned int expect_results(const struct matter *matter, struct grounds *grounds);
bool expect_version(const struct matter *matter, uint16_t *hv);
void expect_count(const struct grounds *grounds);
void expect_show_policies(const struct grounds *grounds);
unsigned int expect_print_table(const char * const *result_names, unsigned long reached);

#endif /* EXPECT_H */
