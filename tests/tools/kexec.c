// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts another kernel from the running one, without shutting down user space.
 *
 *	kexec load KERNEL INITRD COMMAND-LINE	loads the kernel
 *	kexec start				starts it and does not return
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/reboot.h>
#include <sys/syscall.h>

static int load(const char *kernel, const char *initrd, const char *words)
{
	int kernel_fd = open(kernel, O_RDONLY), initrd_fd = open(initrd, O_RDONLY);

	if (kernel_fd < 0 || initrd_fd < 0)
		return -1;
	return syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(words) + 1, words, 0UL);
}

int main(int argc, char *argv[])
{
	int ret;

	if (argc == 5 && !strcmp(argv[1], "load")) {
		ret = load(argv[2], argv[3], argv[4]);
	} else if (argc == 2 && !strcmp(argv[1], "start")) {
		ret = syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			      LINUX_REBOOT_CMD_KEXEC, NULL);
	} else {
		fprintf(stderr, "usage: kexec load KERNEL INITRD COMMAND-LINE | kexec start\n");
		return 2;
	}
	if (ret < 0)
		perror("kexec");
	return ret < 0;
}
