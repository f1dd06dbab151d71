// SPDX-License-Identifier: MIT
//
// The models with open boards are a list with a count of boards each. The first board of a model
// builds the flash and its image, further ones share it, and the last one that is closed frees it.

#include "native_factory.h"

#include <stdlib.h>
#include <string.h>

#include <sim/firmware.h>

enum { IMAGE_SIZE = 4096 };

struct native_factory {
    const struct board_model *model;
    struct flash_factory flash;
    unsigned boards;
    struct native_factory *next;
};

static struct native_factory *factories;

static struct native_factory **find(const struct board_model *model)
{
    struct native_factory **link = &factories;

    while (*link && (*link)->model != model)
        link = &(*link)->next;
    return link;
}

static bool install(const struct board_model *model, struct flash *flash)
{
    size_t length = model->image_length ? model->image_length : IMAGE_SIZE;
    uint8_t *image = malloc(length);
    bool fits = false;

    if (model->blank || !image) {
        free(image);
        return model->blank;
    }
    firmware_make(image, length, 1);
    if (model->bootloader->dialect == &dfu_dialect_plain) {
        fits = dfu_plain_install(&flash->memory, image, length);
    } else if (length <= flash->memory.size) {
        memcpy(flash->bytes, image, length);
        fits = true;
    }
    free(image);
    return fits;
}

static struct native_factory *make(const struct board_model *model)
{
    struct native_factory *factory = calloc(1, sizeof *factory);

    if (!factory || !flash_factory_init(&factory->flash, model->flash)) {
        free(factory);
        return NULL;
    }
    if (!install(model, &factory->flash.flash)) {
        flash_factory_finish(&factory->flash);
        free(factory);
        return NULL;
    }
    factory->model = model;
    return factory;
}

const struct flash_factory *native_factory_open(const struct board_model *model)
{
    struct native_factory **link = find(model);

    if (!*link)
        *link = make(model);
    if (!*link)
        return NULL;
    (*link)->boards++;
    return &(*link)->flash;
}

void native_factory_close(const struct board_model *model)
{
    struct native_factory **link = find(model);
    struct native_factory *factory = *link;

    if (--factory->boards > 0)
        return;
    *link = factory->next;
    flash_factory_finish(&factory->flash);
    free(factory);
}
