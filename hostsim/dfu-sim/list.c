// SPDX-License-Identifier: MIT
//
// dfu-sim list: what there is to simulate.

#include <stdio.h>

#include "commands.h"
#include "options.h"

static void print_names(const char *title, const struct sim_name *names)
{
    printf("%s:\n", title);
    for (; names->name; names++)
        printf("  %-24s %s\n", names->name, names->summary);
}

int command_list(const struct options *options)
{
    (void)options;
    print_names("devices", sim_list_devices());
    print_names("variations: legal devices, each with the sentence that allows it",
                sim_list_variations());
    print_names("models of shipped devices, each with what it does differently", sim_list_models());
    print_names("defects", sim_list_defects());
    return 0;
}
