// SPDX-License-Identifier: GPL-2.0-only
/* tdx_update's SEAMCALL and VMCS guard, in an object of this module's own. */
#include "../src/seamcall.c"
