// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PC for a guest that is a Linux: its memory, KVM's own interrupt controllers and timer, and a
 * serial port. Starts images of image.sh, as a multiboot loader does. Any other port reads as ones.
 *
 * Linux's init (linux-init.c) writes lines "init NUMBER MILLISECONDS" with the time since boot, and
 * reboots after a character from the serial port. The guest ends if a line is not the next one.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <linux/serial_reg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guests.h"

#define MEMORY			0x4000000u
#define LOW_END			0x9f000u	/* of the memory below the BIOS of a PC */
#define HIGH			0x100000u
#define INFO			0x7000u		/* for struct info */
#define PAGE			0x1000u

#define MULTIBOOT_STARTED	0x2badb002u
#define MULTIBOOT_CMDLINE	0x4u
#define MULTIBOOT_MODULES	0x8u
#define MULTIBOOT_MMAP		0x40u

#define SERIAL			0x3f8
#define SERIAL_IRQ		4
#define KEYBOARD		0x64		/* command and status */
#define KEYBOARD_RESET		0xfe

/* Leaf 1, ECX. KVM has both, and leaves it to the VMM to say so. */
#define CPUID_TSC_DEADLINE	(1u << 24)	/* a timer that Linux need not calibrate */
#define CPUID_HYPERVISOR	(1u << 31)	/* Linux looks for KVM's leaves */

#define PAUSE_MS		10		/* between two lines of init, at least */

/* No panic=: a Linux that has panicked stays silent, and does not reboot. */
static const char cmdline[] = "console=ttyS0 reboot=k";

/* What a multiboot loader passes on. Multiboot Specification 0.6.96, Boot information format. */
struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr;
	struct {
		uint32_t start, end, string, reserved;
	} module;
	struct {
		uint32_t size;			/* of the fields below */
		uint64_t addr, length;
		uint32_t type;			/* 1: memory */
	} __attribute__((packed)) mmap[2];
	char words[sizeof(cmdline)];
};

/* Only the vCPU's thread writes here, except to stop. */
struct pc {
	uint32_t entry;
	FILE *log;
	uint8_t ier, lcr, mcr, scr, divisor[2];
	bool sent, received, irq;	/* sent: an interrupt tells that the transmitter is empty */
	char line[80];
	size_t length;
	uint64_t ms, first_ns;
	atomic_uint lines, number, boot_ms, off_ms;
	atomic_bool stop;
};

/* --- start -------------------------------------------------------------------------------------*/

static int open_file(const char *path, uint32_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		err(1, "%s", path);
	if (stat.st_size > MEMORY / 2)
		errx(1, "%s is too large", path);
	*size = stat.st_size;
	return fd;
}

static void load(int fd, off_t from, uint8_t *to, size_t size)
{
	if (pread(fd, to, size, from) != (ssize_t)size)
		err(1, "cannot read an image");
}

/* Return the entry. */
static uint32_t load_kernel(const char *path, uint8_t *memory)
{
	uint32_t size;
	int fd = open_file(path, &size), i;
	Elf32_Ehdr header;
	Elf32_Phdr part;

	load(fd, 0, (uint8_t *)&header, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS32)
		errx(1, "%s is not an image of image.sh", path);
	for (i = 0; i < header.e_phnum; i++) {
		load(fd, header.e_phoff + i * sizeof(part), (uint8_t *)&part, sizeof(part));
		if (part.p_type != PT_LOAD)
			continue;
		if (part.p_paddr < HIGH || (uint64_t)part.p_paddr + part.p_memsz > MEMORY)
			errx(1, "%s does not fit into the guest's memory", path);
		load(fd, part.p_offset, memory + part.p_paddr, part.p_filesz);
	}
	close(fd);
	return header.e_entry;
}

struct pc *linux_set_up(struct guest *guest, const char *kernel, const char *initrd,
			const char *log)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct pc *pc = calloc(1, sizeof(*pc));
	struct info *info;
	uint32_t size, at;
	int fd;

	if (!pc)
		err(1, "calloc");
	pc->log = fopen(log, "w");
	if (!pc->log)
		err(1, "%s", log);
	if (ioctl(guest->vm, KVM_CREATE_IRQCHIP, 0) || ioctl(guest->vm, KVM_CREATE_PIT2, &pit))
		err(1, "KVM_CREATE_IRQCHIP");
	add_memory(guest, MEMORY);
	pc->entry = load_kernel(kernel, guest->memory);
	fd = open_file(initrd, &size);
	at = (MEMORY - size) & -PAGE;
	load(fd, 0, guest->memory + at, size);
	close(fd);

	info = (struct info *)(guest->memory + INFO);
	*info = (struct info) {
		.flags = MULTIBOOT_CMDLINE | MULTIBOOT_MODULES | MULTIBOOT_MMAP,
		.cmdline = INFO + offsetof(struct info, words),
		.mods_count = 1,
		.mods_addr = INFO + offsetof(struct info, module),
		.mmap_length = sizeof(info->mmap),
		.mmap_addr = INFO + offsetof(struct info, mmap),
		.module = { .start = at, .end = at + size },
		.mmap = {
			{ .size = 20, .addr = 0, .length = LOW_END, .type = 1 },
			{ .size = 20, .addr = HIGH, .length = MEMORY - HIGH, .type = 1 },
		},
	};
	memcpy(info->words, cmdline, sizeof(cmdline));
	return pc;
}

/* The CPU that KVM supports, in the state that multiboot demands: 32 bits, flat, no paging. */
void linux_set_up_vcpu(struct guest *guest, int kvm)
{
	struct kvm_segment code = {
		.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_regs regs = {
		.rip = guest->pc->entry, .rax = MULTIBOOT_STARTED, .rbx = INFO, .rflags = 2,
	};
	struct kvm_segment data = code;
	struct kvm_cpuid2 *cpuid;
	struct kvm_sregs sregs;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	if (!cpuid)
		err(1, "calloc");
	cpuid->nent = 256;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
		err(1, "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= CPUID_HYPERVISOR | CPUID_TSC_DEADLINE;
	if (ioctl(guest->vcpu, KVM_SET_CPUID2, cpuid))
		err(1, "KVM_SET_CPUID2");
	free(cpuid);

	if (ioctl(guest->vcpu, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	data.selector = 16;
	data.type = 3;
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.ss = data;
	sregs.cr0 |= 1;
	if (ioctl(guest->vcpu, KVM_SET_SREGS, &sregs) || ioctl(guest->vcpu, KVM_SET_REGS, &regs))
		err(1, "KVM_SET_REGS");
}

/* --- what init writes --------------------------------------------------------------------------*/

/* Return whether the line may follow those before. */
static bool take_line(struct pc *pc)
{
	unsigned long long ms, guest_ms, host_ms, off_ms;
	unsigned int number;

	pc->lines++;
	if (sscanf(pc->line, "init %u %llu", &number, &ms) != 2)
		return true;
	if (number != pc->number + 1 || (number > 1 && ms < pc->ms + PAUSE_MS))
		return false;
	if (number == 1) {
		pc->boot_ms = ms;
		pc->first_ns = now();
	}
	guest_ms = ms - pc->boot_ms;
	host_ms = (now() - pc->first_ns) / 1000000;
	off_ms = guest_ms > host_ms ? guest_ms - host_ms : host_ms - guest_ms;
	if (off_ms > pc->off_ms)
		pc->off_ms = off_ms;
	pc->ms = ms;
	pc->number = number;
	return true;
}

/* Return whether the guest goes on. */
static bool take_char(struct guest *guest, char c)
{
	struct pc *pc = guest->pc;

	putc(c, pc->log);
	if (c != '\n') {
		if (c != '\r' && pc->length < sizeof(pc->line) - 1)
			pc->line[pc->length++] = c;
		return true;
	}
	fflush(pc->log);
	pc->line[pc->length] = 0;
	pc->length = 0;
	if (take_line(pc))
		return true;
	snprintf(guest->end, sizeof(guest->end), "bad-line-after-%u", pc->number);
	return false;
}

/* --- the serial port ---------------------------------------------------------------------------*/

/* A 16450: no FIFO. What it sends is gone at once. It receives one character, when told to stop. */

static bool to_receive(const struct pc *pc)
{
	return pc->stop && !pc->received;
}

static void update_irq(struct guest *guest)
{
	struct pc *pc = guest->pc;
	bool irq = (pc->ier & UART_IER_RDI && to_receive(pc)) ||
		   (pc->ier & UART_IER_THRI && pc->sent);
	struct kvm_irq_level level = { .irq = SERIAL_IRQ, .level = irq };

	if (irq != pc->irq && ioctl(guest->vm, KVM_IRQ_LINE, &level))
		err(1, "KVM_IRQ_LINE");
	pc->irq = irq;
}

static uint8_t serial_in(struct pc *pc, int reg)
{
	if (pc->lcr & UART_LCR_DLAB && reg <= UART_DLM)
		return pc->divisor[reg];
	switch (reg) {
	case UART_RX:
		pc->received = pc->stop;
		return '\n';
	case UART_IER:
		return pc->ier;
	case UART_IIR:
		if (pc->ier & UART_IER_RDI && to_receive(pc))
			return UART_IIR_RDI;
		if (!(pc->ier & UART_IER_THRI) || !pc->sent)
			return UART_IIR_NO_INT;
		pc->sent = false;
		return UART_IIR_THRI;
	case UART_LCR:
		return pc->lcr;
	case UART_MCR:
		return pc->mcr;
	case UART_LSR:
		return UART_LSR_TEMT | UART_LSR_THRE | (to_receive(pc) ? UART_LSR_DR : 0);
	case UART_MSR:
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	default:
		return pc->scr;
	}
}

/* Return whether the guest goes on. */
static bool serial_out(struct guest *guest, int reg, uint8_t value)
{
	struct pc *pc = guest->pc;

	if (pc->lcr & UART_LCR_DLAB && reg <= UART_DLM) {
		pc->divisor[reg] = value;
		return true;
	}
	switch (reg) {
	case UART_TX:
		/* The controllers recognize edges: let the line fall before it rises again. */
		pc->sent = false;
		update_irq(guest);
		pc->sent = true;
		return take_char(guest, value);
	case UART_IER:
		if (value & ~pc->ier & UART_IER_THRI)
			pc->sent = true;
		pc->ier = value & 0xf;
		break;
	case UART_LCR:
		pc->lcr = value;
		break;
	case UART_MCR:
		pc->mcr = value;
		break;
	case UART_SCR:
		pc->scr = value;
		break;
	}
	return true;
}

/* --- ports -------------------------------------------------------------------------------------*/

/* Return whether the guest goes on. */
static bool port_out(struct guest *guest, uint16_t port, uint8_t value)
{
	if (port == KEYBOARD && value == KEYBOARD_RESET) {
		strcpy(guest->end, guest->pc->received ? "reset" : "early-reset");
		return false;
	}
	if (port >= SERIAL && port < SERIAL + 8)
		return serial_out(guest, port - SERIAL, value);
	return true;
}

static uint8_t port_in(struct guest *guest, uint16_t port)
{
	if (port == KEYBOARD)
		return 0;	/* ready for a command */
	if (port >= SERIAL && port < SERIAL + 8)
		return serial_in(guest->pc, port - SERIAL);
	return 0xff;
}

bool linux_io(struct guest *guest)
{
	const struct kvm_run *run = guest->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	size_t bytes = run->io.size * run->io.count, i;
	bool goes_on = true;

	for (i = 0; i < bytes && goes_on; i++) {
		uint16_t port = run->io.port + i % run->io.size;

		if (run->io.direction == KVM_EXIT_IO_IN)
			data[i] = port_in(guest, port);
		else
			goes_on = port_out(guest, port, data[i]);
	}
	update_irq(guest);
	return goes_on;
}

/* --- for guests.c ------------------------------------------------------------------------------*/

/* The serial port signals the character with the next line of init. */
void linux_stop(struct guest *guest)
{
	guest->pc->stop = true;
}

void linux_show(const struct guest *guest)
{
	const struct pc *pc = guest->pc;

	printf("init=%u boot_ms=%u off_ms=%u count=%u ", pc->number, pc->boot_ms, pc->off_ms,
	       pc->lines);
}
