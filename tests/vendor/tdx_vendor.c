// SPDX-License-Identifier: GPL-2.0-only
/*
 * Acts as a vendor's kernel that has directories of its own in /sys/firmware. Parameter "names"
 * lists them. Each has files "version" and "update", which are not tdx_update's. Tests only.
 */
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#define MAX_NAMES	2

static char *names[MAX_NAMES] = { "tdx" };
static int num_names = 1;
module_param_array(names, charp, &num_names, 0444);
MODULE_PARM_DESC(names, "directories to make in /sys/firmware (default: tdx)");

static struct kobject *dirs[MAX_NAMES];

static ssize_t show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "9.9.99\n");
}

static struct kobj_attribute version_attr = __ATTR(version, 0444, show, NULL);
static struct kobj_attribute update_attr = __ATTR(update, 0444, show, NULL);

static const struct attribute *files[] = { &version_attr.attr, &update_attr.attr, NULL };

static void remove_all(void)
{
	int i;

	for (i = 0; i < num_names; i++)
		kobject_put(dirs[i]);
}

static int __init vendor_init(void)
{
	int i, err = 0;

	for (i = 0; i < num_names && !err; i++) {
		dirs[i] = kobject_create_and_add(names[i], firmware_kobj);
		err = dirs[i] ? sysfs_create_files(dirs[i], files) : -ENOMEM;
	}
	if (err)
		remove_all();
	return err;
}

static void __exit vendor_exit(void)
{
	remove_all();
}

module_init(vendor_init);
module_exit(vendor_exit);

MODULE_DESCRIPTION("Stands in for a vendor's kernel that has /sys/firmware/tdx");
MODULE_LICENSE("GPL");
