// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the name and the parameter of KVM's module on a host that can run TDs, and does nothing.
 * Tests only.
 */
#include <linux/module.h>

static bool tdx;
module_param(tdx, bool, 0444);
MODULE_PARM_DESC(tdx, "what the parameter of KVM shows (default: N)");

MODULE_DESCRIPTION("Stands in for KVM");
MODULE_LICENSE("GPL");
