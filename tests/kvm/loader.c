// SPDX-License-Identifier: GPL-2.0-only
/*
 * A multiboot loader starts this code, which starts an unpacked Linux by its PVH entry. It passes
 * command line, initramfs and memory map on. To unpack the kernel in Bochs would take longer than
 * all tests. Runs without a C library, in 32-bit mode without paging. image.sh links it with the
 * kernel.
 */
#include <stdint.h>

#define MULTIBOOT_MAGIC		0x1badb002u
#define MULTIBOOT_FLAGS		3u	/* modules on page boundaries, a memory map */
#define START_MAGIC		0x336ec578u

/* Multiboot Specification 0.6.96, Boot information format. */
struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr;
};

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct multiboot_mmap {
	uint32_t size;			/* of the fields below */
	uint64_t addr, length;
	uint32_t type;
} __attribute__((packed));

/* The x86/HVM direct boot ABI. Its memory types are those of E820, and so are multiboot's. */
struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct start_module {
	uint64_t addr, size, cmdline, reserved;
};

struct start_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

__attribute__((section(".multiboot"), used))
static const uint32_t header[] = {
	MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS),
};

static struct start_info info;
static struct start_module module;
static struct start_memmap memmap[32];
__attribute__((used)) static uint8_t stack[4096];

/* Return the address that the PVH entry expects in EBX. */
__attribute__((used))
static struct start_info *convert(const struct multiboot_info *mbi)
{
	const struct multiboot_module *initrd = (const void *)mbi->mods_addr;
	uint32_t at = mbi->mmap_addr;
	const struct multiboot_mmap *from;
	struct start_memmap *to = memmap;

	for (; at < mbi->mmap_addr + mbi->mmap_length && to < memmap + 32; to++) {
		from = (const void *)at;
		to->addr = from->addr;
		to->size = from->length;
		to->type = from->type;
		at += from->size + sizeof(from->size);
	}
	module.addr = initrd->start;
	module.size = initrd->end - initrd->start;
	info.magic = START_MAGIC;
	info.version = 1;
	info.nr_modules = mbi->mods_count;
	info.modlist = (uint32_t)&module;
	info.cmdline = mbi->cmdline;
	info.memmap = (uint32_t)memmap;
	info.memmap_entries = to - memmap;
	return &info;
}

/* The multiboot loader passes the address of struct multiboot_info in EBX. */
__attribute__((naked, noreturn)) void start(void)
{
	asm("mov $stack + 4096, %esp\n\t"
	    "push %ebx\n\t"
	    "call convert\n\t"
	    "mov %eax, %ebx\n\t"
	    "mov $kernel_entry, %eax\n\t"
	    "jmp *%eax");
}
