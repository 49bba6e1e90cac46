/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images and platforms to be judged: good ones, and ones with a fault or two. A seed and a number
 * make the same again. Whether what comes out is good is not known here.
 */
#ifndef GENERATE_H
#define GENERATE_H

#include "oracle.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define PICK(rng, array)	((array)[rng_below(rng, ARRAY_SIZE(array))])

#define MAX_SMALL_PAGES		4u

struct rng {
	uint64_t state;
};

/* An image before it is packed. */
struct image {
	uint8_t sigstruct[ORACLE_SIGSTRUCT];
	uint8_t *pages;
	unsigned int nr_pages;
	unsigned int key;			/* index of one of KEY_* */
};

enum key { KEY_KNOWN, KEY_OTHER, NR_KEYS };

/* A packed image. */
struct file {
	uint8_t *bytes;
	size_t size;
};

/**
 * struct situation - the platform as firmware knows it, and what the project can find out of it
 * @platform: the machine
 * @installed: the TDX module that runs, or that was shut down
 * @mrseam: its SEAMHASH
 * @updates_left: num_remaining_updates
 * @waits: handoff data waits, in version @waiting_hv: an update that failed is to go on
 * @waiting_hv: its version
 * @waiting_hv_known: the project knows that version
 * @session_open: and an install session is open that was not closed
 * @waiting_pages_known: the project knows NUM_HANDOFF_PAGES of the TDX module that was shut down
 * @room_known: the project can read the MSR that it takes
 * @unlocked_known: and the one that tells whether debug-signed images are accepted
 * @debug_loader: P-SEAMLDR is a debug build
 * @intel_signer: the signer that P-SEAMLDR accepts is the one that the project knows; else it is
 *                the one that the administrator has named
 */
struct situation {
	struct oracle_platform platform;
	struct oracle_installed installed;
	uint8_t mrseam[ORACLE_HASH];
	uint32_t updates_left;
	bool waits;
	uint16_t waiting_hv;
	bool session_open;
	bool waiting_hv_known;
	bool waiting_pages_known;
	bool room_known;
	bool unlocked_known;
	bool debug_loader;
	bool intel_signer;
};

/* What was done to an image or a situation, for whoever reads a difference. */
struct history {
	char text[240];
};

uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t bound);
bool rng_one_in(struct rng *rng, uint64_t n);
void rng_fork(struct rng *rng, uint64_t seed, uint64_t number);

void keys_make(void);
void keys_signer(enum key key, uint8_t hash[ORACLE_HASH]);

void note(struct history *history, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void image_make(struct image *image, const struct situation *situation, struct rng *rng);
void image_break(struct image *image, const struct situation *situation, unsigned int faults,
		 struct rng *rng, struct history *history);
void image_hash(struct image *image);
void image_sign(struct image *image);
void image_free(struct image *image);

void file_pack(const struct image *image, unsigned int faults, struct file *file, struct rng *rng,
	       struct history *history);
void file_free(struct file *file);

void situation_make(struct situation *situation, struct rng *rng);
void situation_break(struct situation *situation, const struct image *image, unsigned int faults,
		     struct rng *rng, struct history *history);
void situation_resume(struct situation *situation, const uint8_t *sigstruct, struct rng *rng,
		      struct history *history);

#endif /* GENERATE_H */
