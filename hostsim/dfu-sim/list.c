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

int command_list(int argc, char **argv)
{
    struct options options;
    char error[256];

    if (options_parse(&options, 0, argc, argv, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    print_names("devices", sim_list_devices());
    print_names("variations: legal devices, each with the sentence that allows it",
                sim_list_variations());
    print_names("models of shipped devices, each with what it does differently", sim_list_models());
    print_names("defects", sim_list_defects());
    return 0;
}
