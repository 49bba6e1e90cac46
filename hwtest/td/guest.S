/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the TD runs: it switches to 64-bit mode, as TDCALL needs that, asks the TDX module for a
 * report, writes its measurement to a port, and counts at another one for ever. It has no stack.
 */
#include "td.h"

	/* Else the program has the name of a temporary file, and no build is like another. */
	.file "guest.S"

#define TDG_VP_VMCALL		0
#define TDG_MR_REPORT		4
#define EXIT_REASON_IO		30
/* The host sees R10 to R15. */
#define VMCALL_REGISTERS	0xfc00

#define GPA(label)		(TD_CODE + label - td_guest)

	.macro tdcall_
	.byte 0x66, 0x0f, 0x01, 0xcc
	.endm

	/* Write R15 to a port: TDG.VP.VMCALL of instruction I/O. Changes RAX, RCX, R10 to R15. */
	.macro out_r15 port
	xorl	%eax, %eax
	movl	$VMCALL_REGISTERS, %ecx
	xorl	%r10d, %r10d
	movl	$EXIT_REASON_IO, %r11d
	movl	$4, %r12d
	movl	$1, %r13d
	movl	$\port, %r14d
	tdcall_
	.endm

	.section .rodata
	.globl td_guest
	.balign TD_PAGE_SIZE
td_guest:
	.code32
protected:
	lgdt	GPA(gdt_pointer)
	movl	%cr4, %eax
	btsl	$5, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$TD_PML4, %eax
	movl	%eax, %cr3
	/* EFER.LME is set from the start, and a TD may not write to EFER. */
	movl	%cr0, %eax
	btsl	$31, %eax		/* PG */
	movl	%eax, %cr0
	ljmpl	$8, $GPA(long_mode)

	.code64
long_mode:
	movl	$TDG_MR_REPORT, %eax
	movl	$TD_REPORT, %ecx
	movl	$TD_REPORTDATA, %edx
	xorl	%r8d, %r8d
	tdcall_
	testq	%rax, %rax
	jnz	failed

	movl	$(TD_REPORT + TD_REPORT_MRTD), %ebx
1:	movl	(%rbx), %r15d
	out_r15	TD_PORT_MRTD
	addl	$4, %ebx
	cmpl	$(TD_REPORT + TD_REPORT_MRTD + TD_MRTD_SIZE), %ebx
	jb	1b

	xorl	%ebx, %ebx
2:	incl	%ebx
	movl	%ebx, %r15d
	out_r15	TD_PORT_COUNT
	jmp	2b

	/* The class and name of the status, its upper half, for ever. */
failed:
	movq	%rax, %rbx
	shrq	$32, %rbx
3:	movl	%ebx, %r15d
	out_r15	TD_PORT_FAILED
	jmp	3b

	.balign 8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	GPA(gdt)

	/* Where a TD starts. */
	.org	td_guest + TD_PAGE_SIZE - 16
	.code32
	jmp	protected
	.org	td_guest + TD_PAGE_SIZE

	.section .note.GNU-stack, "", @progbits
