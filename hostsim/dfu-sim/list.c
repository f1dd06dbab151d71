// SPDX-License-Identifier: MIT
//
// dfu-sim list: what there is to simulate.

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"

static int longest(const struct sim_name *names)
{
    size_t width = 0;

    for (; names->name; names++)
        width = strlen(names->name) > width ? strlen(names->name) : width;
    return (int)width;
}

static void print_names(const char *title, const struct sim_name *names)
{
    int width = longest(names);

    printf("%s:\n", title);
    for (; names->name; names++)
        printf("  %-*s  %s\n", width, names->name, names->summary);
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
