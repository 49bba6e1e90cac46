// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/firmware/tdx/: shows state and hands writes to attempt.c. Decides nothing.
 * One value per file; Documentation/ABI/testing/sysfs-firmware-tdx has the formats.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "tdx_update.h"

/* Error when no TDX module is running. */
static int read_module(struct tdxu_module *module)
{
	struct tdxu_answer answer;

	return tdxu_platform_read_module(module, &answer) ? -ENXIO : 0;
}

/**
 * tdxu_sysfs_show_version() - print the version of the running TDX module
 * @buf: sysfs's page
 *
 * Context: any.
 * Return: bytes written, or -ENXIO if no TDX module runs.
 */
ssize_t tdxu_sysfs_show_version(char *buf)
{
	char version[TDXU_VERSION_SIZE];
	struct tdxu_module module;
	int err = read_module(&module);

	return err ?: sysfs_emit(buf, "%s\n", tdxu_version_string(&module.version, version));
}

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tdxu_sysfs_show_version(buf);
}

static ssize_t features0_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tdxu_module module;
	int err = read_module(&module);

	return err ?: sysfs_emit(buf, "0x%016llx\n", module.features0);
}

static ssize_t race_protection_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tdxu_module module;
	int err = read_module(&module);

	return err ?: sysfs_emit(buf, "%s\n", module.features0 & TDX_FEATURES0_UPDATE_COMPAT ?
					      "supported" : "unsupported");
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", tdxu_attempt_state());
}

static int read_seamldr(struct seamldr_info *info)
{
	u64 status = tdxu_platform_read_seamldr(info).status;

	if (status == TDX_SW_UD)
		return -ENXIO;
	return status ? -EIO : 0;
}

/**
 * tdxu_sysfs_show_seamldr_version() - print the version of P-SEAMLDR
 * @buf: sysfs's page
 *
 * Context: may sleep; calls P-SEAMLDR.
 * Return: bytes written; -ENXIO without VMX operation, -EIO if P-SEAMLDR does not answer.
 */
ssize_t tdxu_sysfs_show_seamldr_version(char *buf)
{
	char version[TDXU_VERSION_SIZE];
	struct seamldr_info info;
	int err = read_seamldr(&info);

	return err ?: sysfs_emit(buf, "%s\n", tdxu_version_string(&(struct tdxu_version){
					info.major, info.minor, info.update }, version));
}

static ssize_t seamldr_version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tdxu_sysfs_show_seamldr_version(buf);
}

/**
 * tdxu_sysfs_show_num_remaining_updates() - print how many more images P-SEAMLDR accepts
 * @buf: sysfs's page
 *
 * Context: may sleep; calls P-SEAMLDR.
 * Return: as tdxu_sysfs_show_seamldr_version().
 */
ssize_t tdxu_sysfs_show_num_remaining_updates(char *buf)
{
	struct seamldr_info info;
	int err = read_seamldr(&info);

	return err ?: sysfs_emit(buf, "%u\n", info.num_remaining_updates);
}

static ssize_t num_remaining_updates_show(struct kobject *kobj, struct kobj_attribute *attr,
					  char *buf)
{
	return tdxu_sysfs_show_num_remaining_updates(buf);
}

static ssize_t attempt(enum tdxu_operation operation, const char *buf, size_t count)
{
	size_t len = count;
	int err;

	/* The mode does not stop a process that was handed the open file. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	if (len && buf[len - 1] == '\n')
		len--;
	err = tdxu_attempt(operation, buf, len);
	return err ?: count;
}

static ssize_t update_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t count)
{
	return attempt(TDXU_OP_UPDATE, buf, count);
}

static ssize_t check_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t count)
{
	return attempt(TDXU_OP_CHECK, buf, count);
}

static ssize_t recovery_image_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	char name[TDXU_NAME_MAX + 1];

	tdxu_get_recovery(name);
	return sysfs_emit(buf, "%s\n", name);
}

static ssize_t recovery_image_store(struct kobject *kobj, struct kobj_attribute *attr,
				    const char *buf, size_t count)
{
	return attempt(TDXU_OP_SET_RECOVERY, buf, count);
}

static struct kobj_attribute update_attr = __ATTR(update, 0200, NULL, update_store);
static struct kobj_attribute check_attr = __ATTR(check, 0200, NULL, check_store);
static struct kobj_attribute recovery_image_attr =
	__ATTR(recovery_image, 0600, recovery_image_show, recovery_image_store);
static struct kobj_attribute version_attr = __ATTR_RO(version);
static struct kobj_attribute features0_attr = __ATTR_RO(features0);
static struct kobj_attribute race_protection_attr = __ATTR_RO(race_protection);
static struct kobj_attribute state_attr = __ATTR_RO(state);
static struct kobj_attribute seamldr_version_attr = __ATTR_RO_MODE(seamldr_version, 0400);
static struct kobj_attribute num_remaining_updates_attr =
	__ATTR_RO_MODE(num_remaining_updates, 0400);

static struct attribute *tdx_attrs[] = {
	&update_attr.attr,
	&check_attr.attr,
	&recovery_image_attr.attr,
	&version_attr.attr,
	&features0_attr.attr,
	&race_protection_attr.attr,
	&state_attr.attr,
	&seamldr_version_attr.attr,
	&num_remaining_updates_attr.attr,
	NULL
};

static const struct attribute_group tdx_group = { .attrs = tdx_attrs };

/*
 * last/ and last_check/: each file is a member of the last update or of the last check. Before the
 * first one: "none" and zeroes.
 */
struct record {
	struct kobject kobj;		/* a member of the kset: only those can send uevents */
	struct completion released;
};

static struct record last_update, last_check;

#define LAST_ATTR(file, format, ...)							\
static ssize_t last_##file##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
				  char *buf)						\
{											\
	char version[TDXU_VERSION_SIZE] __maybe_unused;					\
	struct tdxu_attempt last;							\
											\
	tdxu_outcome_last(kobj == &last_check.kobj, &last);				\
	return sysfs_emit(buf, format "\n", __VA_ARGS__);				\
}											\
static struct kobj_attribute last_##file##_attr = __ATTR(file, 0444, last_##file##_show, NULL)

LAST_ATTR(result, "%s", last.phase ? tdxu_result_name(last.result) : "none");
LAST_ATTR(errno, "%d", -tdxu_result_errno(last.result));
LAST_ATTR(reason, "%s", last.why[0] ? last.why : "none");
LAST_ATTR(tds, "%s", !last.phase ? "none" :
		     last.phase == TDXU_PHASE_CHECK ? "untouched" : tdxu_result_tds(last.result));
LAST_ATTR(phase, "%s", tdxu_phase_name(last.phase));
LAST_ATTR(leaf, "%s", tdxu_leaf_name(last.answer.leaf));
LAST_ATTR(status, "0x%016llx", last.answer.status);
LAST_ATTR(status_name, "%s", last.answer.leaf == TDXU_NO_LEAF ? "none" :
			     tdxu_status_name(last.answer.leaf, last.answer.status));
LAST_ATTR(rcx, "0x%016llx", last.answer.rcx);
LAST_ATTR(rdx, "0x%016llx", last.answer.rdx);
LAST_ATTR(r8, "0x%016llx", last.answer.r8);
LAST_ATTR(cpu, "%d", last.answer.cpu);
LAST_ATTR(sessions, "%u", last.sessions);
LAST_ATTR(image, "%s", last.image[0] ? last.image : "none");
LAST_ATTR(file, "%s", last.file[0] ? last.file : "none");
LAST_ATTR(from, "%s", tdxu_version_string(&last.from, version));
LAST_ATTR(to, "%s", tdxu_version_string(&last.to, version));
LAST_ATTR(blackout_ns, "%llu", last.blackout_ns);
LAST_ATTR(total_ns, "%llu", last.total_ns);
LAST_ATTR(when, "%lld", last.when);

static struct attribute *last_attrs[] = {
	&last_result_attr.attr,
	&last_errno_attr.attr,
	&last_reason_attr.attr,
	&last_tds_attr.attr,
	&last_phase_attr.attr,
	&last_leaf_attr.attr,
	&last_status_attr.attr,
	&last_status_name_attr.attr,
	&last_rcx_attr.attr,
	&last_rdx_attr.attr,
	&last_r8_attr.attr,
	&last_cpu_attr.attr,
	&last_sessions_attr.attr,
	&last_image_attr.attr,
	&last_file_attr.attr,
	&last_from_attr.attr,
	&last_to_attr.attr,
	&last_blackout_ns_attr.attr,
	&last_total_ns_attr.attr,
	&last_when_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(last);

static void release_record(struct kobject *kobj)
{
	complete(&container_of(kobj, struct record, kobj)->released);
}

static const struct kobj_type record_ktype = {
	.release = release_record,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = last_groups,
};

static struct kset *tdx_kset;

static int add_record(struct record *record, const char *name)
{
	record->kobj.kset = tdx_kset;
	init_completion(&record->released);
	return kobject_init_and_add(&record->kobj, &record_ktype, NULL, "%s", name);
}

static void put_record(struct record *record)
{
	kobject_put(&record->kobj);
	/* The release function is code of this module: wait until it has run. */
	wait_for_completion(&record->released);
}

static bool is_taken(const char *name)
{
	struct kernfs_node *node = sysfs_get_dirent(firmware_kobj->sd, name);

	if (node)
		sysfs_put(node);
	return node;
}

/**
 * tdxu_sysfs_init() - make /sys/firmware/tdx/
 *
 * The directory is /sys/firmware/tdx_update/ if the kernel has one named tdx, as some vendors'
 * kernels do. Registering a name twice leaves a call trace in the log, so look first.
 *
 * Context: may sleep. Once, at module load, after all other initialization.
 * Return: 0 or a negative errno. -ENODEV if both names are taken, because modprobe treats -EEXIST
 * as "already loaded".
 */
int tdxu_sysfs_init(void)
{
	const char *name = "tdx";
	int err;

	if (is_taken(name)) {
		name = "tdx_update";
		if (is_taken(name)) {
			pr_err("not loaded: /sys/firmware/tdx and /sys/firmware/%s exist already\n",
			       name);
			return -ENODEV;
		}
		pr_notice("/sys/firmware/tdx belongs to this kernel; using /sys/firmware/%s instead\n",
			  name);
	}
	tdx_kset = kset_create_and_add(name, NULL, firmware_kobj);
	if (!tdx_kset)
		return -ENOMEM;

	err = add_record(&last_update, "last");
	if (err)
		goto put_last_update;
	err = add_record(&last_check, "last_check");
	if (err)
		goto put_last_check;
	err = sysfs_create_group(&tdx_kset->kobj, &tdx_group);
	if (err)
		goto put_last_check;
	tdxu_outcome_send_uevents(&last_update.kobj);
	return 0;
put_last_check:
	put_record(&last_check);
put_last_update:
	put_record(&last_update);
	kset_unregister(tdx_kset);
	return err;
}

/**
 * tdxu_sysfs_exit() - remove the directory that tdxu_sysfs_init() made
 *
 * Waits for every read and write under way, including an update. None can start afterwards.
 *
 * Context: may sleep. Once, at module unload.
 */
void tdxu_sysfs_exit(void)
{
	sysfs_remove_group(&tdx_kset->kobj, &tdx_group);
	tdxu_outcome_send_uevents(NULL);
	put_record(&last_check);
	put_record(&last_update);
	kset_unregister(tdx_kset);
}
