// SPDX-License-Identifier: MIT

#include <sim/fleet.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct variation *const groups[] = {
    fleet_of_descriptors, fleet_of_systems, fleet_of_functions, fleet_of_speeds,
    fleet_of_requests,    fleet_of_timing,  fleet_of_limits,    fleet_of_loaders,
    fleet_of_layouts,     fleet_of_makers,  fleet_of_products,
};

enum { GROUPS = sizeof groups / sizeof groups[0], MOST = 256, TEXT = 200 };

const struct variation *fleet_find(const char *name)
{
    for (size_t group = 0; group < GROUPS; group++)
        for (const struct variation *it = groups[group]; it->model.name; it++)
            if (strcmp(it->model.name, name) == 0)
                return it;
    return NULL;
}

const struct sim_name *fleet_names(void)
{
    static char texts[MOST][TEXT];
    static struct sim_name names[MOST + 1];
    size_t count = 0;

    for (size_t group = 0; group < GROUPS; group++) {
        for (const struct variation *it = groups[group]; it->model.name; it++) {
            assert(count < MOST);
            snprintf(texts[count], TEXT, "%s [%s]", it->model.summary, it->allowed_by);
            names[count] = (struct sim_name){it->model.name, texts[count]};
            count++;
        }
    }
    names[count] = (struct sim_name){NULL, NULL};
    return names;
}
