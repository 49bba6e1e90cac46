// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single SEAMCALLs for tests: any leaf on any CPU with any operands, and all outputs. Reads MSRs
 * too. No answer counts as a failure. Owns a buffer whose address can be an operand, and the image
 * loaded last.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/msr.h>

#include "td.h"

#define NR_OPERANDS	6
#define ANSWER_FORM	\
	"status=%s rax=0x%llx rcx=0x%llx rdx=0x%llx r8=0x%llx r9=0x%llx r10=0x%llx r11=0x%llx\n"

/* raw_lock protects all of these. */
static DEFINE_MUTEX(raw_lock);
static u8 *buffer;			/* a page */
static struct td_image image;
static struct td_answer last;
static const char *last_name;		/* name of its status; NULL: no answer yet */

/* "buffer" and "params" are physical addresses; "+N" may follow. All else is a number. */
static int parse_operand(char *text, u64 *operand)
{
	char *offset = strchr(text, '+');
	u64 base;

	if (offset)
		*offset++ = '\0';
	if (!strcmp(text, "buffer"))
		base = virt_to_phys(buffer);
	else if (!strcmp(text, "params") && image.params)
		base = virt_to_phys(image.params);
	else
		return offset ? -EINVAL : kstrtou64(text, 0, operand);
	*operand = 0;
	if (offset && kstrtou64(offset, 0, operand))
		return -EINVAL;
	*operand += base;
	return 0;
}

static int parse_leaf(const char *text, u64 *leaf)
{
	return td_leaf_by_name(text, leaf) ? 0 : kstrtou64(text, 0, leaf);
}

static int run_call(char *text)
{
	u64 operands[NR_OPERANDS] = { }, leaf;
	struct td_answer answer;
	unsigned int nr = 0, cpu;
	char *word;
	int ret;

	word = strsep(&text, " \t");
	if (!word || kstrtouint(word, 0, &cpu))
		return -EINVAL;
	word = strsep(&text, " \t");
	if (!word || parse_leaf(word, &leaf))
		return -EINVAL;
	while ((word = strsep(&text, " \t"))) {
		if (nr == NR_OPERANDS || parse_operand(word, &operands[nr]))
			return -EINVAL;
		nr++;
	}

	answer.args = (struct td_args){
		operands[0], operands[1], operands[2], operands[3], operands[4], operands[5],
	};
	ret = td_seamcall_on(cpu, leaf, &answer);
	if (ret)
		return ret;
	last = answer;
	last_name = td_status_name(leaf, answer.status);
	return 0;
}

struct msr_read {
	u32 nr;
	u32 low;
	u32 high;
	int error;
};

static void read_msr(void *data)
{
	struct msr_read *read = data;

	read->error = rdmsr_safe(read->nr, &read->low, &read->high);
}

/* Stores the value as the status, which is shown as RAX. */
static int run_rdmsr(char *text)
{
	struct msr_read read;
	char *word = strsep(&text, " \t");
	unsigned int cpu;
	int ret;

	if (!word || kstrtouint(word, 0, &cpu) || !text || kstrtou32(text, 0, &read.nr))
		return -EINVAL;
	ret = smp_call_function_single(cpu, read_msr, &read, true);
	if (ret)
		return ret;
	last = (struct td_answer){ .status = (u64)read.high << 32 | read.low };
	last_name = read.error ? "#GP" : "SUCCESS";
	return 0;
}

static int run_load(char *text)
{
	char *name = strsep(&text, " \t");
	u32 scenario = SEAMLDR_SCENARIO_UPDATE;

	if (!name || (text && kstrtou32(text, 0, &scenario)))
		return -EINVAL;
	td_image_free(&image);
	return td_image_load(name, scenario, &image);
}

static int run(char *text)
{
	char *name;

	text = strim(text);
	name = strsep(&text, " \t");
	if (!strcmp(name, "call"))
		return run_call(text);
	if (!strcmp(name, "rdmsr"))
		return run_rdmsr(text);
	if (!strcmp(name, "load"))
		return run_load(text);
	return -EINVAL;
}

static ssize_t raw_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char text[256];
	int ret;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = '\0';
	mutex_lock(&raw_lock);
	ret = run(text);
	mutex_unlock(&raw_lock);
	return ret ?: size;
}

static int raw_show(struct seq_file *file, void *unused)
{
	mutex_lock(&raw_lock);
	if (last_name)
		seq_printf(file, ANSWER_FORM, last_name, last.status, last.args.rcx, last.args.rdx,
			   last.args.r8, last.args.r9, last.args.r10, last.args.r11);
	else
		seq_puts(file, "none\n");
	mutex_unlock(&raw_lock);
	return 0;
}

static int raw_open(struct inode *inode, struct file *file)
{
	return single_open(file, raw_show, NULL);
}

const struct file_operations td_raw_fops = {
	.owner = THIS_MODULE,
	.open = raw_open,
	.read = seq_read,
	.write = raw_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t buffer_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&raw_lock);
	ret = simple_read_from_buffer(to, size, pos, buffer, PAGE_SIZE);
	mutex_unlock(&raw_lock);
	return ret;
}

static ssize_t buffer_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&raw_lock);
	ret = simple_write_to_buffer(buffer, PAGE_SIZE, pos, from, size);
	mutex_unlock(&raw_lock);
	return ret;
}

const struct file_operations td_buffer_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = buffer_read,
	.write = buffer_write,
	.llseek = default_llseek,
};

/* Allocate the buffer. */
int td_raw_init(void)
{
	buffer = (u8 *)get_zeroed_page(GFP_KERNEL);
	return buffer ? 0 : -ENOMEM;
}

/**
 * td_raw_exit() - undo td_raw_init()
 *
 * Context: may sleep; the files have been removed.
 */
void td_raw_exit(void)
{
	td_image_free(&image);
	free_page((unsigned long)buffer);
}
