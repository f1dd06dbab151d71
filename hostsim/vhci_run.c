// SPDX-License-Identifier: MIT

#include "vhci_run.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

const char *vhci_missing(void)
{
    static const char attach[] = "/sys/devices/platform/vhci_hcd.0/attach";

    if (access(attach, F_OK) < 0)
        return "this machine's kernel has no vhci-hcd loaded";
    return access(attach, W_OK) < 0 ? "no permission to attach to this machine's vhci-hcd" : NULL;
}

int vhci_run(const struct options *options, char **argv)
{
    (void)options, (void)argv;
    fprintf(stderr, "dfu-sim run: cannot use vhci-hcd yet\n");
    return -ENOSYS;
}
