// SPDX-License-Identifier: MIT
//
// Replaces the imitation in a build without umockdev.

#include <mock/mock.h>

#include <errno.h>
#include <stddef.h>

const char *mock_missing(void)
{
    return "dfu-sim was built without umockdev; run: apt-get install libumockdev-dev, build again";
}

bool mock_inside(void)
{
    return false;
}

int mock_run(const struct sim_options *options, char *const command[])
{
    (void)options, (void)command;
    return -ENOTSUP;
}
