// SPDX-License-Identifier: MIT

#include <sim/models.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct shipped_model *const groups[] = {
    models_of_products, models_of_descriptors, models_of_states,    models_of_detach,
    models_of_uploads,  models_of_downloads,   models_of_positions,
};

enum { GROUPS = sizeof groups / sizeof groups[0], MOST = 96, TEXT = 200 };

const struct shipped_model *models_find(const char *name)
{
    for (size_t group = 0; group < GROUPS; group++)
        for (const struct shipped_model *it = groups[group]; it->model.name; it++)
            if (strcmp(it->model.name, name) == 0)
                return it;
    return NULL;
}

const struct sim_name *models_names(void)
{
    static char texts[MOST][TEXT];
    static struct sim_name names[MOST + 1];
    size_t count = 0;

    for (size_t group = 0; group < GROUPS; group++) {
        for (const struct shipped_model *it = groups[group]; it->model.name; it++) {
            assert(count < MOST);
            snprintf(texts[count], TEXT, *it->about ? "%s [%s]" : "%s", it->model.summary,
                     it->about);
            names[count] = (struct sim_name){it->model.name, texts[count]};
            count++;
        }
    }
    names[count] = (struct sim_name){NULL, NULL};
    return names;
}
