// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts another kernel from the running one, without shutting down user space.
 *
 *	kexec load KERNEL INITRD COMMAND-LINE	loads the kernel
 *	kexec place KERNEL INITRD COMMAND-LINE	loads it without hashes, see below
 *	kexec start				starts it and does not return
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <asm/bootparam.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGE	4096UL

static int load(const char *kernel, const char *initrd, const char *words)
{
	int kernel_fd = open(kernel, O_RDONLY), initrd_fd = open(initrd, O_RDONLY);

	if (kernel_fd < 0 || initrd_fd < 0)
		return -1;
	return syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(words) + 1, words, 0UL);
}

/*
 * Linux hashes what kexec_file_load() loads, also the tens of empty megabytes that the kernel
 * unpacks itself into, and hashes it again before it starts the kernel. In Bochs each takes
 * minutes. kexec_load() hashes nothing, but needs the work of a boot loader.
 */

/* The pages that the kernel is started from, below 640 KiB, where boot loaders put them. */
struct start {
	struct boot_params params;
	char words[PAGE];
	uint8_t code[PAGE];
};

#define START_ADDR	0x90000UL
#define ENTRY_64	0x200	/* Documentation/arch/x86/boot.rst, 64-bit boot protocol */

struct file {
	uint8_t *data;
	size_t size;
};

static int map(const char *path, struct file *file)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	file->size = st.st_size;
	file->data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
	return file->data == MAP_FAILED ? -1 : 0;
}

/* Read a file of /sys/firmware/memmap; returns 1 if there is no such entry. */
static int memmap_read(int entry, const char *name, char text[32])
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/%s", entry, name);
	file = fopen(path, "r");
	if (!file)
		return 1;
	if (!fgets(text, 32, file))
		text[0] = '\0';
	fclose(file);
	return 0;
}

static uint32_t memory_type(const char *text)
{
	static const char *const names[] = {
		"?", "System RAM\n", "Reserved\n", "ACPI Tables\n", "ACPI Non-volatile Storage\n",
	};

	for (uint32_t type = 1; type < sizeof(names) / sizeof(*names); type++)
		if (!strcmp(text, names[type]))
			return type;
	return 2;	/* not for Linux */
}

/* The next kernel gets the memory map that the firmware gave to this one. */
static int set_memory(struct boot_params *params)
{
	char start[32], end[32], type[32];
	struct boot_e820_entry *entry;
	int n;

	for (n = 0; n < E820_MAX_ENTRIES_ZEROPAGE && !memmap_read(n, "start", start); n++) {
		if (memmap_read(n, "end", end) || memmap_read(n, "type", type))
			break;
		entry = &params->e820_table[n];
		entry->addr = strtoull(start, NULL, 16);
		entry->size = strtoull(end, NULL, 16) + 1 - entry->addr;
		entry->type = memory_type(type);
	}
	params->e820_entries = n;
	if (n)
		return 0;
	errno = ENOENT;
	return -1;
}

static void set_code(uint8_t *code, uint64_t params, uint64_t entry)
{
	static const uint8_t to_rsi[] = { 0x48, 0xbe }, to_rax[] = { 0x48, 0xb8 };
	static const uint8_t jump_rax[] = { 0xff, 0xe0 };

	code = mempcpy(code, to_rsi, sizeof(to_rsi));
	code = mempcpy(code, &params, sizeof(params));
	code = mempcpy(code, to_rax, sizeof(to_rax));
	code = mempcpy(code, &entry, sizeof(entry));
	memcpy(code, jump_rax, sizeof(jump_rax));
}

static uint64_t whole_pages(uint64_t size)
{
	return (size + PAGE - 1) & -PAGE;
}

static struct kexec_segment segment(const void *data, size_t size, uint64_t addr)
{
	return (struct kexec_segment){ data, size, (void *)addr, whole_pages(size) };
}

/* Copy the kernel's setup header. The jump over it says how long it is. */
static int set_header(struct setup_header *to, const struct file *kernel)
{
	const struct setup_header *from = (const void *)(kernel->data + 0x1f1);
	size_t size;

	if (kernel->size < PAGE || from->header != 0x53726448 || from->version < 0x20c ||
	    !(from->xloadflags & XLF_KERNEL_64)) {
		errno = ENOEXEC;
		return -1;
	}
	size = 0x202 + kernel->data[0x201] - 0x1f1;
	memcpy(to, from, size < sizeof(*to) ? size : sizeof(*to));
	return 0;
}

static int place(const char *kernel_path, const char *initrd_path, const char *words)
{
	static struct start start;
	struct setup_header *header = &start.params.hdr;
	struct kexec_segment segments[3];
	struct file kernel, initrd;
	uint64_t setup, initrd_addr;

	if (map(kernel_path, &kernel) || map(initrd_path, &initrd) ||
	    set_header(header, &kernel) || set_memory(&start.params))
		return -1;
	if (strlen(words) >= sizeof(start.words)) {
		errno = E2BIG;
		return -1;
	}
	strcpy(start.words, words);
	setup = (header->setup_sects + 1) * 512UL;
	initrd_addr = whole_pages(header->pref_address + header->init_size);
	set_code(start.code, START_ADDR, header->pref_address + ENTRY_64);
	header->type_of_loader = 0xff;
	header->cmd_line_ptr = START_ADDR + offsetof(struct start, words);
	header->ramdisk_image = initrd_addr;
	header->ramdisk_size = initrd.size;
	segments[0] = segment(&start, sizeof(start), START_ADDR);
	segments[1] = segment(kernel.data + setup, kernel.size - setup, header->pref_address);
	segments[2] = segment(initrd.data, initrd.size, initrd_addr);
	return syscall(SYS_kexec_load, START_ADDR + offsetof(struct start, code), 3UL, segments,
		       KEXEC_ARCH_X86_64);
}

int main(int argc, char *argv[])
{
	int ret;

	if (argc == 5 && !strcmp(argv[1], "load")) {
		ret = load(argv[2], argv[3], argv[4]);
	} else if (argc == 5 && !strcmp(argv[1], "place")) {
		ret = place(argv[2], argv[3], argv[4]);
	} else if (argc == 2 && !strcmp(argv[1], "start")) {
		ret = syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			      LINUX_REBOOT_CMD_KEXEC, NULL);
	} else {
		fprintf(stderr, "usage: kexec load|place KERNEL INITRD WORDS | kexec start\n");
		return 2;
	}
	if (ret < 0)
		perror("kexec");
	return ret < 0;
}
