// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' interface: /sys/kernel/debug/tdx_emu/, see README.md.
 * This file parses and formats; the other files act on the settings. A write takes effect as a
 * whole or not at all. Runs in process context, and holds emu.lock for short sections only.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "emu.h"

#define MAX_WRITE		(64u << 10)
#define CLOSE_DELAY_KEY		"SEAMLDR.INSTALL.close"
#define ALL			"all"
#define NONE			"none"
#define ANY			"any"
#define ON			"on"
#define GP			"gp"
#define SAME			"same"

/* Upper bounds for a line of the long files: with a buffer this large seq_file formats once. */
#define LOG_LINE		192u
#define TDS_LINE		224u

struct name {
	const char *name;
	u64 value;
};

#define NAME_VALUE(symbol, name, value) { name, value },
#define NAME_SYMBOL(symbol, name) { name, symbol },

static const struct name seam_modes[] = { EMU_SEAM_MODES(NAME_SYMBOL) };
static const struct name lies[] = { EMU_LIES(NAME_SYMBOL) };
static const struct name module_states[] = { EMU_MODULE_STATES(NAME_SYMBOL) };
static const struct name first_states[] = {
	{ "ready", EMU_MODULE_READY },
	{ "sysinit_pending", EMU_MODULE_SYSINIT_PENDING },
	{ "none", EMU_MODULE_NONE },
};

static const struct name td_states[] = { TDX_TD_STATES(NAME_SYMBOL) };
static const struct name statuses[] = {
	TDX_STATUSES(NAME_VALUE)
	TDX_TD_STATUSES(NAME_VALUE)
	SEAMLDR_STATUSES(NAME_VALUE)
	{ "vmfail", TDX_SW_VMFAILINVALID },
	{ "gp", TDX_SW_GP },
	{ "ud", TDX_SW_UD },
};

#define name_of(names, value) find_name(names, ARRAY_SIZE(names), value)
#define value_of(names, name, value) find_value(names, ARRAY_SIZE(names), name, value)

static const char *find_name(const struct name *names, unsigned int nr, u64 value)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

static int find_value(const struct name *names, unsigned int nr, const char *name, u64 *value)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(names[i].name, name)) {
			*value = names[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_leaf(const char *text, u64 *nr)
{
	unsigned int leaf;

	for (leaf = 0; leaf < EMU_NR_LEAVES; leaf++) {
		if (!strcmp(emu_leaf_name(leaf), text)) {
			*nr = emu_leaf_nr(leaf);
			return 0;
		}
	}
	return kstrtou64(text, 0, nr);
}

static int parse_cpu(const char *text, unsigned int *cpu)
{
	if (kstrtouint(text, 10, cpu) || *cpu >= nr_cpu_ids || !cpu_possible(*cpu))
		return -EINVAL;
	return 0;
}

/* Set one key=value. Called first to check it, then with @apply, under emu.lock, to set it. */
typedef int (*set_fn)(const char *key, char *value, bool apply);

/* Types of the settings in "platform" and "module". */
enum setting_type {
	KEY_FLAG,
	KEY_U32,
	KEY_HEX64,
	KEY_VERSION,
	KEY_SVN,
	KEY_HV,
	KEY_RD_HV,
	KEY_U16,
	KEY_SEAM,
	KEY_LIE,
	KEY_FIRST_STATE,
	KEY_SIGNER,
	KEY_LPS,
	KEY_SOCKETS,
	KEY_CPUS,
};

struct setting {
	const char *key;
	enum setting_type type;
	void *value;
};

static const struct setting platform_settings[] = {
	{ "erratum", KEY_FLAG, &emu.platform.erratum },
	{ "seam", KEY_SEAM, &emu.platform.seam },
	{ "pseamldr", KEY_FLAG, &emu.platform.pseamldr },
	{ "interruptions", KEY_U32, &emu.platform.interruptions },
	{ "crypto", KEY_FLAG, &emu.platform.crypto },
	{ "seaminfo_lps", KEY_U32, &emu.platform.seaminfo_lps },
	{ "seaminfo_sockets", KEY_U32, &emu.platform.seaminfo_sockets },
	{ "lie", KEY_LIE, &emu.platform.lie },
	{ "guest_mrtd", KEY_U32, &emu.platform.guest_mrtd },
	{ "guest_count", KEY_U32, &emu.platform.guest_count },
	{ "remaining", KEY_U32, &emu.platform.remaining },
	{ "seamldr", KEY_VERSION, &emu.platform.seamldr },
	{ "debug", KEY_FLAG, &emu.platform.debug },
	{ "unlocked", KEY_FLAG, &emu.platform.unlocked },
	{ "room", KEY_U32, &emu.platform.room },
	{ "lps", KEY_LPS, &emu.platform.lps },
	{ "sockets", KEY_SOCKETS, &emu.platform.sockets },
	{ "cpu", KEY_CPUS, &emu.platform.cpus },
	{ "signer", KEY_SIGNER, &emu.platform.signer },
};

static const struct setting module_settings[] = {
	{ "version", KEY_VERSION, &emu.first_module.version },
	{ "svn", KEY_SVN, &emu.first_module.svn },
	{ "features0", KEY_HEX64, &emu.first_module.features0 },
	{ "hv", KEY_HV, &emu.first_module.hv },
	{ "rd_hv", KEY_RD_HV, &emu.first_module.rd_hv },
	{ "no_downgrade", KEY_FLAG, &emu.first_module.no_downgrade },
	{ "handoff_pages", KEY_U16, &emu.first_module.handoff_pages },
	{ "handoff_size", KEY_U32, &emu.first_module.handoff_size },
	{ "state", KEY_FIRST_STATE, &emu.first_module.state },
};

static void show_version(struct seq_file *m, const struct emu_version *version)
{
	seq_printf(m, "%u.%u.%02u\n", version->major, version->minor, version->update);
}

static void show_cpus(struct seq_file *m, const struct emu_cpus *cpus)
{
	unsigned int i;

	for (i = 0; i < cpus->nr; i++)
		seq_printf(m, "%s0x%X", i ? "," : "", cpus->eax[i]);
	seq_putc(m, '\n');
}

static int parse_hv(const char *text, struct emu_hv_range *hv)
{
	int end = 0;

	if (sscanf(text, "%hu-%hu%n", &hv->min, &hv->max, &end) != 2 || text[end] ||
	    hv->min > hv->max)
		return -EINVAL;
	return 0;
}

/* EAX[,EAX...]. Must not change @text, because it is parsed twice. */
static int parse_cpus(const char *text, struct emu_cpus *cpus)
{
	char word[sizeof("0x12345678")];
	size_t length;

	*cpus = (struct emu_cpus){ };
	for (;;) {
		length = strcspn(text, ",");
		if (length >= sizeof(word) || cpus->nr == ARRAY_SIZE(cpus->eax))
			return -EINVAL;
		memcpy(word, text, length);
		word[length] = '\0';
		if (kstrtou32(word, 0, &cpus->eax[cpus->nr++]))
			return -EINVAL;
		if (!text[length])
			return 0;
		text += length + 1;
	}
}

static void show_settings(struct seq_file *m, const struct setting *settings, unsigned int nr)
{
	const struct emu_signer *signer;
	const struct emu_hv_range *hv;
	const struct emu_rd_hv *rd_hv;
	const struct emu_svn *svn;
	unsigned int i;

	raw_spin_lock_irq(&emu.lock);
	for (i = 0; i < nr; i++) {
		seq_printf(m, "%s=", settings[i].key);
		switch (settings[i].type) {
		case KEY_FLAG:
		case KEY_U32:
		case KEY_U16:
		case KEY_LPS:
		case KEY_SOCKETS:
			seq_printf(m, "%u\n", *(u32 *)settings[i].value);
			break;
		case KEY_CPUS:
			show_cpus(m, settings[i].value);
			break;
		case KEY_HEX64:
			seq_printf(m, "0x%016llx\n", *(u64 *)settings[i].value);
			break;
		case KEY_VERSION:
			show_version(m, settings[i].value);
			break;
		case KEY_SVN:
			svn = settings[i].value;
			seq_printf(m, "%u.%u\n", svn->major, svn->minor);
			break;
		case KEY_HV:
			hv = settings[i].value;
			seq_printf(m, "%u-%u\n", hv->min, hv->max);
			break;
		case KEY_RD_HV:
			rd_hv = settings[i].value;
			if (rd_hv->differs)
				seq_printf(m, "%u-%u\n", rd_hv->hv.min, rd_hv->hv.max);
			else
				seq_puts(m, SAME "\n");
			break;
		case KEY_SEAM:
			seq_printf(m, "%s\n", name_of(seam_modes, *(u32 *)settings[i].value));
			break;
		case KEY_LIE:
			seq_printf(m, "%s\n", name_of(lies, *(u32 *)settings[i].value));
			break;
		case KEY_FIRST_STATE:
			seq_printf(m, "%s\n", name_of(first_states, *(u32 *)settings[i].value));
			break;
		case KEY_SIGNER:
			signer = settings[i].value;
			if (signer->any)
				seq_puts(m, ANY "\n");
			else
				seq_printf(m, "%*phN\n", TDX_SHA384_SIZE, signer->hash);
			break;
		}
	}
	raw_spin_unlock_irq(&emu.lock);
}

static int set_setting(const struct setting *settings, unsigned int nr, const char *key, char *text,
		       bool apply)
{
	union {
		u32 u32;
		u64 u64;
		struct emu_version version;
		struct emu_svn svn;
		struct emu_hv_range hv;
		struct emu_rd_hv rd_hv;
		struct emu_signer signer;
		struct emu_cpus cpus;
	} value;
	const struct setting *setting;
	size_t size = sizeof(u32);
	int ret = 0, end = 0;

	for (setting = settings; setting < settings + nr && strcmp(setting->key, key); setting++)
		;
	if (setting == settings + nr)
		return -EINVAL;

	switch (setting->type) {
	case KEY_FLAG:
		ret = kstrtou32(text, 10, &value.u32);
		if (!ret && value.u32 > 1)
			ret = -EINVAL;
		break;
	case KEY_U32:
		ret = kstrtou32(text, 0, &value.u32);
		break;
	case KEY_LPS:
		/* The platform has at least the LPs that are this kernel's CPUs. */
		ret = kstrtou32(text, 0, &value.u32);
		if (!ret && value.u32 < num_present_cpus())
			ret = -EINVAL;
		break;
	case KEY_SOCKETS:
		ret = kstrtou32(text, 0, &value.u32);
		if (!ret && (!value.u32 || value.u32 > SEAMLDR_MAX_SOCKETS))
			ret = -EINVAL;
		break;
	case KEY_CPUS:
		ret = parse_cpus(text, &value.cpus);
		size = sizeof(value.cpus);
		break;
	case KEY_HEX64:
		ret = kstrtou64(text, 0, &value.u64);
		size = sizeof(value.u64);
		break;
	case KEY_VERSION:
		if (sscanf(text, "%hu.%hu.%hu%n", &value.version.major, &value.version.minor,
			   &value.version.update, &end) != 3 || text[end])
			ret = -EINVAL;
		size = sizeof(value.version);
		break;
	case KEY_SVN:
		if (sscanf(text, "%hhu.%hhu%n", &value.svn.major, &value.svn.minor, &end) != 2 ||
		    text[end])
			ret = -EINVAL;
		size = sizeof(value.svn);
		break;
	case KEY_HV:
		ret = parse_hv(text, &value.hv);
		size = sizeof(value.hv);
		break;
	case KEY_RD_HV:
		value.rd_hv.differs = strcmp(text, SAME);
		if (value.rd_hv.differs)
			ret = parse_hv(text, &value.rd_hv.hv);
		size = sizeof(value.rd_hv);
		break;
	case KEY_U16:
		ret = kstrtou32(text, 0, &value.u32);
		if (!ret && value.u32 > U16_MAX)
			ret = -EINVAL;
		break;
	case KEY_SEAM:
		ret = value_of(seam_modes, text, &value.u64);
		break;
	case KEY_LIE:
		ret = value_of(lies, text, &value.u64);
		break;
	case KEY_FIRST_STATE:
		ret = value_of(first_states, text, &value.u64);
		break;
	case KEY_SIGNER:
		memset(&value.signer, 0, sizeof(value.signer));
		value.signer.any = !strcmp(text, ANY);
		if (!value.signer.any && (strlen(text) != 2 * TDX_SHA384_SIZE ||
					  hex2bin(value.signer.hash, text, TDX_SHA384_SIZE)))
			ret = -EINVAL;
		size = sizeof(value.signer);
		break;
	}
	if (!ret && apply)
		memcpy(setting->value, &value, size);
	return ret ? -EINVAL : 0;
}

static int show_platform(struct seq_file *m, void *unused)
{
	show_settings(m, platform_settings, ARRAY_SIZE(platform_settings));
	return 0;
}

static int set_platform(const char *key, char *value, bool apply)
{
	return set_setting(platform_settings, ARRAY_SIZE(platform_settings), key, value, apply);
}

static int show_module(struct seq_file *m, void *unused)
{
	show_settings(m, module_settings, ARRAY_SIZE(module_settings));
	return 0;
}

static int set_module(const char *key, char *value, bool apply)
{
	return set_setting(module_settings, ARRAY_SIZE(module_settings), key, value, apply);
}

static int show_msr(struct seq_file *m, void *unused)
{
	unsigned int i;

	raw_spin_lock_irq(&emu.lock);
	for (i = 0; i < EMU_NR_MSRS; i++)
		seq_printf(m, "0x%x=%s\n", emu_msr_nr(i), emu.msr_gp[i] ? GP : ON);
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

static int set_msr(const char *key, char *value, bool apply)
{
	bool gp = !strcmp(value, GP);
	unsigned int index;
	u32 nr;

	if (kstrtou32(key, 0, &nr) || (!gp && strcmp(value, ON)))
		return -EINVAL;
	index = emu_msr_find(nr);
	if (index == EMU_NR_MSRS)
		return -EINVAL;
	if (apply)
		emu.msr_gp[index] = gp;
	return 0;
}

static int show_vmx(struct seq_file *m, void *unused)
{
	unsigned int cpu;

	raw_spin_lock_irq(&emu.lock);
	for_each_present_cpu(cpu)
		seq_printf(m, "%u=%d\n", cpu, cpumask_test_cpu(cpu, &emu.vmx));
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

static int set_vmx(const char *key, char *value, bool apply)
{
	unsigned int on, cpu, only = nr_cpu_ids;

	if (strcmp(key, ALL) && parse_cpu(key, &only))
		return -EINVAL;
	if (kstrtouint(value, 10, &on) || on > 1)
		return -EINVAL;
	if (!apply)
		return 0;
	for_each_possible_cpu(cpu) {
		if (only != nr_cpu_ids && cpu != only)
			continue;
		if (on)
			cpumask_set_cpu(cpu, &emu.vmx);
		else
			cpumask_clear_cpu(cpu, &emu.vmx);
	}
	return 0;
}

static int show_vmcs(struct seq_file *m, void *unused)
{
	unsigned int cpu;

	raw_spin_lock_irq(&emu.lock);
	for_each_present_cpu(cpu) {
		if (emu.vmcs[cpu] == VMX_NO_CURRENT_VMCS)
			seq_printf(m, "%u=" NONE "\n", cpu);
		else
			seq_printf(m, "%u=0x%llx\n", cpu, emu.vmcs[cpu]);
	}
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

static int set_vmcs(const char *key, char *value, bool apply)
{
	u64 pointer = VMX_NO_CURRENT_VMCS;
	unsigned int cpu, only = nr_cpu_ids;

	if (strcmp(key, ALL) && parse_cpu(key, &only))
		return -EINVAL;
	if (strcmp(value, NONE) && kstrtou64(value, 0, &pointer))
		return -EINVAL;
	if (!apply)
		return 0;
	for_each_possible_cpu(cpu)
		if (only == nr_cpu_ids || cpu == only)
			emu.vmcs[cpu] = pointer;
	return 0;
}

static int show_delay(struct seq_file *m, void *unused)
{
	unsigned int leaf;

	raw_spin_lock_irq(&emu.lock);
	for (leaf = 0; leaf < EMU_NR_LEAVES; leaf++)
		seq_printf(m, "%s=%llu\n", emu_leaf_name(leaf), emu.delay_ns[leaf]);
	seq_printf(m, CLOSE_DELAY_KEY "=%llu\n", emu.close_delay_ns);
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

static int set_delay(const char *key, char *value, bool apply)
{
	u64 *delay = &emu.close_delay_ns;
	u64 nr, ns;

	if (strcmp(key, CLOSE_DELAY_KEY)) {
		if (parse_leaf(key, &nr) || emu_leaf_find(nr) == EMU_UNKNOWN_LEAF)
			return -EINVAL;
		delay = &emu.delay_ns[emu_leaf_find(nr)];
	}
	if (kstrtou64(value, 0, &ns))
		return -EINVAL;
	if (apply)
		*delay = ns;
	return 0;
}

static int show_hold(struct seq_file *m, void *unused)
{
	unsigned int leaf;

	for (leaf = 0; leaf < EMU_NR_LEAVES; leaf++)
		seq_printf(m, "%s=%d\n", emu_leaf_name(leaf), READ_ONCE(emu.hold[leaf]));
	return 0;
}

static int set_hold(const char *key, char *value, bool apply)
{
	bool on;
	u64 nr;

	if (parse_leaf(key, &nr) || emu_leaf_find(nr) == EMU_UNKNOWN_LEAF ||
	    kstrtobool(value, &on))
		return -EINVAL;
	if (apply)
		WRITE_ONCE(emu.hold[emu_leaf_find(nr)], on);
	return 0;
}

/* Set all key=value words of a write with @set, or none if one of them is wrong. */
static int set_words(char *text, set_fn set)
{
	char **words, *word, *value;
	unsigned int i, nr = 0;
	int ret = 0;

	words = kvmalloc_array(strlen(text) / 2 + 1, sizeof(*words), GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!value) {
			ret = -EINVAL;
			goto out;
		}
		*value = '\0';
		words[nr++] = word;
	}

	for (i = 0; i < nr; i++) {
		ret = set(words[i], words[i] + strlen(words[i]) + 1, false);
		if (ret)
			goto out;
	}
	raw_spin_lock_irq(&emu.lock);
	for (i = 0; i < nr; i++)
		set(words[i], words[i] + strlen(words[i]) + 1, true);
	raw_spin_unlock_irq(&emu.lock);
out:
	kvfree(words);
	return ret;
}

static void set_defaults(void)
{
	raw_spin_lock_irq(&emu.lock);
	emu.platform = emu.default_platform;
	emu.first_module = emu.default_module;
	memset(emu.delay_ns, 0, sizeof(emu.delay_ns));
	memset(emu.hold, 0, sizeof(emu.hold));
	memset(emu.msr_gp, 0, sizeof(emu.msr_gp));
	emu.close_delay_ns = 0;
	raw_spin_unlock_irq(&emu.lock);
}

static int write_reset(char *text)
{
	text = strim(text);
	if (!strcmp(text, "defaults"))
		set_defaults();
	else if (strcmp(text, "1"))
		return -EINVAL;
	return emu_reset();
}

static int show_inject(struct seq_file *m, void *unused)
{
	struct emu_fault *faults;
	unsigned int i, nr;
	const char *name;

	faults = kmalloc_array(EMU_MAX_FAULTS, sizeof(*faults), GFP_KERNEL);
	if (!faults)
		return -ENOMEM;
	raw_spin_lock_irq(&emu.lock);
	nr = emu_faults_copy(faults);
	raw_spin_unlock_irq(&emu.lock);

	for (i = 0; i < nr; i++) {
		if (emu_leaf_find(faults[i].leaf) != EMU_UNKNOWN_LEAF)
			seq_printf(m, "%s ", emu_leaf_name(emu_leaf_find(faults[i].leaf)));
		else
			seq_printf(m, "0x%llx ", faults[i].leaf);
		if (faults[i].cpu == EMU_ANY_CPU)
			seq_puts(m, ANY);
		else
			seq_printf(m, "%d", faults[i].cpu);
		seq_printf(m, " %u ", faults[i].nth);
		name = name_of(statuses, faults[i].status);
		if (name)
			seq_puts(m, name);
		else
			seq_printf(m, "0x%llx", faults[i].status);
		seq_printf(m, " 0x%llx %u 0x%llx 0x%llx\n", faults[i].rdx, faults[i].count,
			   faults[i].rcx, faults[i].r8);
	}
	kfree(faults);
	return 0;
}

/* LEAF CPU NTH STATUS [RDX [COUNT [RCX [R8]]]] */
static int parse_fault(char *line, struct emu_fault *fault)
{
	char *word, *words[8];
	unsigned int nr = 0, cpu;

	while ((word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		if (nr == ARRAY_SIZE(words))
			return -EINVAL;
		words[nr++] = word;
	}
	if (nr < 4)
		return -EINVAL;

	*fault = (struct emu_fault){ .cpu = EMU_ANY_CPU, .count = 1 };
	if (parse_leaf(words[0], &fault->leaf))
		return -EINVAL;
	if (strcmp(words[1], ANY)) {
		if (parse_cpu(words[1], &cpu))
			return -EINVAL;
		fault->cpu = cpu;
	}
	if (kstrtou32(words[2], 10, &fault->nth) || !fault->nth)
		return -EINVAL;
	if (value_of(statuses, words[3], &fault->status) &&
	    kstrtou64(words[3], 0, &fault->status))
		return -EINVAL;
	if (nr > 4 && kstrtou64(words[4], 0, &fault->rdx))
		return -EINVAL;
	if (nr > 5 && kstrtou32(words[5], 10, &fault->count))
		return -EINVAL;
	if (nr > 6 && kstrtou64(words[6], 0, &fault->rcx))
		return -EINVAL;
	if (nr > 7 && kstrtou64(words[7], 0, &fault->r8))
		return -EINVAL;
	return 0;
}

static int write_inject(char *text)
{
	struct emu_fault *faults;
	bool clear = false, armed;
	unsigned int nr = 0;
	int ret = 0;
	char *line;

	faults = kmalloc_array(EMU_MAX_FAULTS, sizeof(*faults), GFP_KERNEL);
	if (!faults)
		return -ENOMEM;
	while ((line = strsep(&text, "\n"))) {
		line = strim(line);
		if (!*line)
			continue;
		if (!strcmp(line, "clear")) {
			clear = true;
			nr = 0;
			continue;
		}
		ret = nr < EMU_MAX_FAULTS ? parse_fault(line, &faults[nr++]) : -ENOSPC;
		if (ret)
			goto out;
	}
	raw_spin_lock_irq(&emu.lock);
	armed = emu_faults_arm(faults, nr, clear);
	raw_spin_unlock_irq(&emu.lock);
	if (!armed)
		ret = -ENOSPC;
out:
	kfree(faults);
	return ret;
}

static int show_counters(struct seq_file *m, void *unused)
{
	unsigned int leaf;

	raw_spin_lock_irq(&emu.lock);
	for (leaf = 0; leaf < EMU_NR_LEAVES; leaf++)
		seq_printf(m, "%s=%llu\n", emu_leaf_name(leaf), emu.calls[leaf]);
	seq_printf(m, "VMPTRST=%llu\nVMPTRLD=%llu\nunknown=%llu\n", emu.vmptrst, emu.vmptrld,
		   emu.calls[EMU_UNKNOWN_LEAF]);
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

static size_t size_of_log(void)
{
	unsigned int nr;

	raw_spin_lock_irq(&emu.lock);
	nr = emu_log_copy(NULL);
	raw_spin_unlock_irq(&emu.lock);
	return nr * LOG_LINE;
}

static int show_log(struct seq_file *m, void *unused)
{
	struct emu_log_entry *entries, *entry;
	unsigned int nr;

	entries = vmalloc(EMU_LOG_SIZE * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	raw_spin_lock_irq(&emu.lock);
	nr = emu_log_copy(entries);
	raw_spin_unlock_irq(&emu.lock);

	for (entry = entries; entry < entries + nr; entry++) {
		enum emu_leaf leaf = emu_leaf_find(entry->nr);

		seq_printf(m, "%llu %u ", entry->seq, entry->cpu);
		if (leaf != EMU_UNKNOWN_LEAF)
			seq_puts(m, emu_leaf_name(leaf));
		else
			seq_printf(m, "0x%llx", entry->nr);
		seq_printf(m, " 0x%llx 0x%llx 0x%llx 0x%llx %llu %llu\n", entry->rcx, entry->rdx,
			   entry->status, entry->rdx_out, entry->start_ns, entry->end_ns);
	}
	vfree(entries);
	return 0;
}

static int write_log(char *text)
{
	raw_spin_lock_irq(&emu.lock);
	emu_log_clear();
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

static size_t size_of_tds(void)
{
	return TDX_TD_MAX * TDS_LINE;
}

static int show_tds(struct seq_file *m, void *unused)
{
	struct emu_td_view *views, *view;
	unsigned int nr;

	views = vmalloc(TDX_TD_MAX * sizeof(*views));
	if (!views)
		return -ENOMEM;
	raw_spin_lock_irq(&emu.lock);
	nr = emu_td_copy(views);
	raw_spin_unlock_irq(&emu.lock);

	for (view = views; view < views + nr; view++) {
		seq_printf(m, "td=0x%llx state=%s mrtd=", view->tdr,
			   name_of(td_states, view->state));
		/* %*ph prints at most 64 bytes; an MRTD has 48. */
		if (view->measured)
			seq_printf(m, "%*phN", (int)sizeof(view->mrtd), view->mrtd);
		else
			seq_puts(m, "-");
		seq_printf(m, " enters=%llu checked=%d\n", view->enters, view->checked);
	}
	vfree(views);
	return 0;
}

static int show_state(struct seq_file *m, void *unused)
{
	const struct cpumask *marked;

	raw_spin_lock_irq(&emu.lock);
	seq_printf(m, "module=%s\n", name_of(module_states, emu.state));
	seq_puts(m, "version=");
	show_version(m, &emu.image.version);
	seq_printf(m, "svn=%u.%u\n", emu.seamextend.svn.major, emu.seamextend.svn.minor);
	seq_printf(m, "features0=0x%016llx\n", emu.image.features0);
	seq_printf(m, "remaining=%u\n", emu.remaining);
	seq_printf(m, "session=%u\n", cpumask_weight(&emu.session));
	seq_printf(m, "seam_ready=%d\n", emu.seam_ready);
	if (emu.handoff.valid)
		seq_printf(m, "handoff=%u\n", emu.handoff.hv);
	else
		seq_puts(m, "handoff=" NONE "\n");
	seq_printf(m, "handoff_size=%u\n", emu.handoff.size);
	seq_printf(m, "needed=%llu\n", emu.needed_pages);
	seq_printf(m, "fatal=%s\n", emu.fatal ? emu_leaf_name(emu.fatal - 1) : NONE);
	/* A reset sets the bit of every possible CPU. Count only those present. */
	seq_printf(m, "lp_init=%u\n", cpumask_weight_and(&emu.lp_init, cpu_present_mask));
	seq_printf(m, "installs=%u\n", emu.installs);
	seq_printf(m, "updates=%u\n", emu.updates);
	seq_printf(m, "irqs_on=%llu\n", emu.irqs_on);
	seq_printf(m, "spoiled=%u\n", emu.spoiled);
	seq_printf(m, "left=%s\n", name_of(module_states, emu.left));
	if (emu_vmx_is_real())
		seq_printf(m, "vmcs_lost=%llu\nvmcs_kept=%llu\n", emu.vmcs_lost, emu.vmcs_kept);
	marked = emu_cpu_incoherent();
	if (marked)
		seq_printf(m, "incoherent=%*pbl\n", cpumask_pr_args(marked));
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

/* @set takes a write one key=value at a time, @write takes it whole. A file has at most one. */
struct emu_file {
	const char *name;
	int (*show)(struct seq_file *m, void *unused);
	set_fn set;
	int (*write)(char *text);
	size_t (*size)(void);
	bool not_real;			/* absent if the CPUs have VMX: the state is the CPU's */
};

static const struct emu_file files[] = {
	{ "platform", show_platform, set_platform },
	{ "module", show_module, set_module },
	{ "reset", .write = write_reset },
	{ "msr", show_msr, set_msr },
	{ "vmx", show_vmx, set_vmx, .not_real = true },
	{ "vmcs", show_vmcs, set_vmcs, .not_real = true },
	{ "inject", show_inject, .write = write_inject },
	{ "delay", show_delay, set_delay },
	{ "hold", show_hold, set_hold },
	{ "counters", show_counters },
	{ "log", show_log, .write = write_log, .size = size_of_log },
	{ "tds", show_tds, .size = size_of_tds },
	{ "state", show_state },
};

static struct dentry *directory;

static int file_open(struct inode *inode, struct file *file)
{
	const struct emu_file *f = inode->i_private;
	size_t size;

	if (!(file->f_mode & FMODE_READ))
		return 0;
	if (!f->show)
		return -EACCES;
	size = f->size ? f->size() : 0;
	return single_open_size(file, f->show, NULL, max_t(size_t, size, PAGE_SIZE));
}

static int file_release(struct inode *inode, struct file *file)
{
	return file->f_mode & FMODE_READ ? single_release(inode, file) : 0;
}

static ssize_t file_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	const struct emu_file *f = file_inode(file)->i_private;
	char *text;
	int ret;

	if (!f->set && !f->write)
		return -EACCES;
	if (count > MAX_WRITE)
		return -EFBIG;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = f->set ? set_words(text, f->set) : f->write(text);
	kfree(text);
	return ret ?: count;
}

static const struct file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.read = seq_read,
	.write = file_write,
	.llseek = seq_lseek,
	.release = file_release,
};

/**
 * emu_debugfs_init() - create the files
 *
 * If debugfs is missing the emulator works with its default settings.
 *
 * Context: may sleep.
 */
void emu_debugfs_init(void)
{
	unsigned int i;

	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (files[i].not_real && emu_vmx_is_real())
			continue;
		debugfs_create_file(files[i].name, 0600, directory, (void *)&files[i],
				    &file_ops);
	}
}

/* Remove the files. */
void emu_debugfs_exit(void)
{
	debugfs_remove(directory);
}
