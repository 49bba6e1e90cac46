// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the platforms on which images are judged. A table has the faults, each with its share. A
 * fault may leave a platform good for an image (an update counter of 1): the judges decide that.
 */
#include <string.h>

#include "generate.h"

#define LARGEST_ROOM		(1ull << 33)

static const uint32_t cpus[] = { 0x806F8, 0xC06F2, 0xA06F1, 0x806F4, 0xA06D1, 0xA06E0 };

static const struct oracle_loader loaders[] = {
	{ 1, 5, 0 }, { 1, 5, 8 }, { 1, 5, 12 }, { 1, 6, 0 }, { 2, 0, 0 }, { 2, 0, 8 },
};

/**
 * situation_make() - make a platform on which an image that is made for it can be installed
 * @situation: filled in
 * @rng: source of numbers
 */
void situation_make(struct situation *situation, struct rng *rng)
{
	struct oracle_platform *platform = &situation->platform;
	struct oracle_installed *installed = &situation->installed;
	unsigned int i;

	memset(situation, 0, sizeof(*situation));
	platform->nr_sockets = rng_one_in(rng, 3) ? 1 + rng_below(rng, ORACLE_MAX_SOCKETS) : 1;
	for (i = 0; i < ORACLE_MAX_SOCKETS; i++)
		platform->cpuid[i] = rng_one_in(rng, 3) ? PICK(rng, cpus) : cpus[0];
	platform->addressable_lps = platform->nr_sockets << rng_below(rng, 9);
	platform->lps = platform->addressable_lps;
	platform->room = LARGEST_ROOM;
	platform->unlocked = rng_one_in(rng, 3);
	platform->loader = PICK(rng, loaders);
	keys_signer(KEY_KNOWN, platform->signer);

	installed->valid = true;
	installed->ready = true;
	installed->svn_major = rng_below(rng, 2) ? 1 : 1 + rng_below(rng, 4);
	installed->svn_minor = rng_below(rng, 20);
	installed->hv_max = rng_below(rng, 3) ? 0 : rng_below(rng, 6);
	installed->hv_min = rng_below(rng, installed->hv_max + 1);
	installed->no_downgrade = rng_one_in(rng, 4);
	installed->handoff_pages = rng_below(rng, 3) ? 13 : rng_below(rng, 26);
	installed->features0 = F0_TD_PRESERVING | (rng_below(rng, 2) ? F0_UPDATE_COMPAT : 0);

	for (i = 0; i < ORACLE_HASH; i++)
		situation->mrseam[i] = rng_next(rng);
	situation->updates_left = 1 + rng_below(rng, 20);
	situation->waits = rng_one_in(rng, 5);
	situation->waiting_hv = installed->hv_min;
	situation->session_open = rng_one_in(rng, 4);
	situation->waiting_hv_known = true;
	situation->waiting_pages_known = true;
	situation->room_known = true;
	situation->unlocked_known = true;
	situation->debug_loader = rng_one_in(rng, 8);
	situation->intel_signer = rng_below(rng, 2);
}

/* ---- faults of platforms ---- */

struct turn {
	struct situation *situation;
	const struct image *image;
	struct rng *rng;
	struct history *history;
};

/* Room close to what the image needs, and close to 1 % less, which the project accepts. */
static void room(struct turn *turn)
{
	const struct oracle_install install = {
		.platform = &turn->situation->platform,
		.params.nr_pages = turn->image->nr_pages,
		.sigstruct = turn->image->sigstruct,
	};
	const uint64_t needed = oracle_bytes_needed(&install) / ORACLE_PAGE;
	const uint64_t edge = (needed * 100 + 100) / 101;
	const uint64_t rooms[] = {
		needed, needed - 1, needed - 2, needed + 1, needed / 2, edge, edge - 1, edge + 1,
		needed * 98 / 100, 1,
	};

	turn->situation->platform.room = PICK(turn->rng, rooms) * ORACLE_PAGE;
	note(turn->history, "room %lld pages of %llu needed",
	     (long long)(turn->situation->platform.room / ORACLE_PAGE), (unsigned long long)needed);
}

static void updates_left(struct turn *turn)
{
	turn->situation->updates_left = rng_below(turn->rng, 3);
	note(turn->history, "%u updates left", turn->situation->updates_left);
}

static void unlocked(struct turn *turn)
{
	struct oracle_platform *platform = &turn->situation->platform;

	platform->unlocked = !platform->unlocked;
	note(turn->history, "unlocked=%u", platform->unlocked);
}

static void running_svn(struct turn *turn)
{
	struct oracle_installed *installed = &turn->situation->installed;

	if (rng_below(turn->rng, 2))
		installed->svn_minor += (int)rng_below(turn->rng, 3) - 1;
	else
		installed->svn_major += (int)rng_below(turn->rng, 3) - 1;
	note(turn->history, "running SVN %u.%u", installed->svn_major, installed->svn_minor);
}

static void running_versions(struct turn *turn)
{
	struct oracle_installed *installed = &turn->situation->installed;
	const uint16_t hvs[] = {
		0, 1, 2, installed->hv_max + 1, installed->hv_min - 1, 0xffff,
	};

	switch (rng_below(turn->rng, 3)) {
	case 0:
		installed->hv_max = PICK(turn->rng, hvs);
		break;
	case 1:
		installed->hv_min = PICK(turn->rng, hvs);
		break;
	default:
		installed->no_downgrade = !installed->no_downgrade;
		break;
	}
	note(turn->history, "running handoff versions %u to %u%s", installed->hv_min,
	     installed->hv_max, installed->no_downgrade ? ", no downgrade" : "");
}

static void running_pages(struct turn *turn)
{
	struct oracle_installed *installed = &turn->situation->installed;

	installed->handoff_pages += (int)rng_below(turn->rng, 5) - 2;
	note(turn->history, "running handoff pages %u", installed->handoff_pages);
}

static void sockets(struct turn *turn)
{
	struct oracle_platform *platform = &turn->situation->platform;

	platform->nr_sockets = 1 + rng_below(turn->rng, ORACLE_MAX_SOCKETS);
	platform->cpuid[platform->nr_sockets - 1] = PICK(turn->rng, cpus);
	note(turn->history, "%u sockets", platform->nr_sockets);
}

static void features(struct turn *turn)
{
	struct oracle_installed *installed = &turn->situation->installed;

	installed->features0 ^= rng_below(turn->rng, 3) ? F0_UPDATE_COMPAT : F0_TD_PRESERVING;
	note(turn->history, "features0=0x%llx", (unsigned long long)installed->features0);
}

static void loader(struct turn *turn)
{
	struct oracle_loader *loader = &turn->situation->platform.loader;

	*loader = PICK(turn->rng, loaders);
	note(turn->history, "P-SEAMLDR %u.%u.%u", loader->major, loader->minor, loader->update);
}

static void waiting(struct turn *turn)
{
	struct situation *situation = turn->situation;

	situation->waits = !situation->waits;
	situation->waiting_hv = rng_below(turn->rng, 2) ? rng_below(turn->rng, 6) :
							  situation->installed.hv_max;
	note(turn->history, "waits=%u hv %u", situation->waits, situation->waiting_hv);
}

static void unknown(struct turn *turn)
{
	struct situation *situation = turn->situation;

	situation->waiting_hv_known = rng_below(turn->rng, 3);
	situation->waiting_pages_known = rng_below(turn->rng, 3);
	situation->room_known = rng_below(turn->rng, 3);
	situation->unlocked_known = rng_below(turn->rng, 2);
	situation->debug_loader = rng_below(turn->rng, 2);
	note(turn->history, "unknown:%s%s%s%s",
	     situation->waiting_hv_known ? "" : " handoff version",
	     situation->waiting_pages_known ? "" : " handoff pages",
	     situation->room_known ? "" : " room", situation->unlocked_known ? "" : " unlocked");
}

static const struct {
	void (*apply)(struct turn *turn);
	unsigned int share;
} situation_faults[] = {
	{ room, 3 }, { updates_left, 1 }, { unlocked, 1 }, { running_svn, 2 },
	{ running_versions, 3 }, { running_pages, 2 }, { sockets, 1 }, { features, 1 },
	{ loader, 1 }, { waiting, 2 }, { unknown, 5 },
};

/**
 * situation_break() - put faults into a situation that an image was made for
 * @situation: changed
 * @image: the image
 * @faults: number of faults
 * @rng: source of numbers
 * @history: the faults are added
 */
void situation_break(struct situation *situation, const struct image *image, unsigned int faults,
		     struct rng *rng, struct history *history)
{
	struct turn turn = { situation, image, rng, history };
	unsigned int total = 0, i, pick;

	for (i = 0; i < ARRAY_SIZE(situation_faults); i++)
		total += situation_faults[i].share;
	while (faults--) {
		pick = rng_below(rng, total);
		for (i = 0; pick >= situation_faults[i].share; i++)
			pick -= situation_faults[i].share;
		situation_faults[i].apply(&turn);
	}
}

/**
 * situation_resume() - make an image the installed TDX module of an update that has stopped
 * @situation: changed; the project may not know version and size of the handoff data any more
 * @sigstruct: of the image; nothing changes if firmware would not have installed it
 * @rng: source of numbers
 * @history: this is added
 */
void situation_resume(struct situation *situation, const uint8_t *sigstruct, struct rng *rng,
		      struct history *history)
{
	struct oracle_installed *installed = &situation->installed;

	if (oracle_get(sigstruct, 986, 2) > oracle_get(sigstruct, 984, 2))
		return;
	memcpy(situation->mrseam, sigstruct + 900, ORACLE_HASH);
	installed->svn_minor = sigstruct[948];
	installed->svn_major = sigstruct[949];
	installed->hv_max = oracle_get(sigstruct, 984, 2);
	installed->hv_min = oracle_get(sigstruct, 986, 2);
	installed->no_downgrade = sigstruct[988];
	installed->handoff_pages = oracle_get(sigstruct, 990, 2);
	situation->waits = true;
	situation->waiting_hv = installed->hv_min +
				rng_below(rng, installed->hv_max - installed->hv_min + 1);
	situation->waiting_hv_known = rng_below(rng, 2);
	situation->waiting_pages_known = rng_below(rng, 2);
	note(history, "is installed and waits, version %sknown, pages %sknown",
	     situation->waiting_hv_known ? "" : "not ",
	     situation->waiting_pages_known ? "" : "not ");
}
