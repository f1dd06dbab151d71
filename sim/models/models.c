// SPDX-License-Identifier: MIT

#include <sim/models.h>

#include <stdio.h>
#include <string.h>

static const struct shipped_model *const groups[] = {
    models_of_products, models_of_descriptors, models_of_states,
    models_of_uploads,  models_of_downloads,
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
        for (const struct shipped_model *it = groups[group]; it->model.name && count < MOST; it++) {
            snprintf(texts[count], TEXT, *it->about ? "%s [%s]" : "%s", it->model.summary,
                     it->about);
            names[count] = (struct sim_name){it->model.name, texts[count]};
            count++;
        }
    }
    names[count] = (struct sim_name){NULL, NULL};
    return names;
}

// ---- What the models share ----

bool model_is_asked(const struct defect_view *view,
                    const struct usbdev_setup_packet *setup,
                    uint8_t bmRequestType,
                    uint8_t bRequest)
{
    return setup->bmRequestType == bmRequestType && setup->bRequest == bRequest &&
           setup->wIndex == view->interface;
}

bool model_begins_work(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->bootloader && model_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) &&
           view->bootloader->dfu.has_block &&
           view->bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_SYNC;
}

int model_good_reply(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const uint8_t *reply;
    int length = dfu_mode_setup(&view->bootloader->dfu, setup, &reply);

    if (length < 0)
        return NATIVE_STALL;
    if (length > DEFECT_REPLY_SIZE)
        length = DEFECT_REPLY_SIZE;
    memcpy(view->reply, reply, (size_t)length);
    return length < setup->wLength ? length : setup->wLength;
}
