/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes images and platforms to be judged: good ones, and ones with a fault or two. The same seed
 * and number make the same image. The generator does not know whether it is good.
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
	unsigned int key;			/* one of KEY_* */
};

enum key { KEY_KNOWN, KEY_OTHER, NR_KEYS };

/* A packed image. */
struct file {
	uint8_t *bytes;
	size_t size;
};

/**
 * struct situation - the platform as firmware knows it, and how much the project can find out
 * @platform: the machine
 * @installed: the TDX module that runs, or that was shut down
 * @mrseam: its SEAMHASH
 * @updates_left: num_remaining_updates
 * @waits: handoff data waits after a failed update, and the next update resumes it
 * @waiting_hv: version of the handoff data that waits
 * @waiting_hv_known: the project knows @waiting_hv
 * @session_open: if @waits: the failed update left an install session open
 * @waiting_pages_known: the project knows NUM_HANDOFF_PAGES of the TDX module that was shut down
 * @room_known: the project can read the MSR that shows the room
 * @unlocked_known: the project can read the MSR that shows whether debug-signed images are accepted
 * @debug_loader: P-SEAMLDR is a debug build
 * @intel_signer: the signer that P-SEAMLDR accepts is Intel, whom the project knows; if false, it
 *                is the signer that the administrator has named
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

/* The faults put into an image and a situation, printed with a difference. */
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
