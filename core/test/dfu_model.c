// SPDX-License-Identifier: MIT
//
// The rows of the two tables, and one function that looks a request up. What no row names is the
// row "any other class-specific request".

#include "dfu_model.h"

#include <stddef.h>
#include <string.h>

enum { APP_IDLE = 0, APP_DETACH = 1 };
enum { DETACH = 0, GETSTATUS = 3, GETSTATE = 5 };    // table 3.2
enum { TO_INTERFACE = 0x21, FROM_INTERFACE = 0xA1 }; // table 3.1

static const struct row {
    uint8_t bState;
    uint8_t bmRequestType;
    uint8_t bRequest;
    enum { REPLY_NOTHING, REPLY_STATUS, REPLY_STATE } reply;
} rows[] = {
    // Table A.2.1
    {APP_IDLE, TO_INTERFACE, DETACH, REPLY_NOTHING},
    {APP_IDLE, FROM_INTERFACE, GETSTATUS, REPLY_STATUS},
    {APP_IDLE, FROM_INTERFACE, GETSTATE, REPLY_STATE},
    // Table A.2.2
    {APP_DETACH, FROM_INTERFACE, GETSTATUS, REPLY_STATUS},
    {APP_DETACH, FROM_INTERFACE, GETSTATE, REPLY_STATE},
};

static const struct row *find_row(uint8_t bState, const uint8_t setup[8])
{
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++)
        if (row->bState == bState && row->bmRequestType == setup[0] && row->bRequest == setup[1])
            return row;
    return NULL;
}

static uint16_t smaller(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

static int detach(struct dfu_model *model, uint16_t wValue, uint16_t wLength)
{
    uint16_t time_ms =
        model->will_detach ? model->settle_ms : smaller(wValue, model->wDetachTimeOut);

    if (wLength != 0 || model->refuses)
        return DFU_MODEL_STALL;
    model->left_ms = smaller(time_ms, model->allowed_ms);
    model->status_stage = true;
    return 0;
}

int dfu_model_setup(struct dfu_model *model, const uint8_t setup[8], uint8_t reply[6])
{
    const uint16_t wValue = (uint16_t)(setup[2] | setup[3] << 8);
    const uint16_t wIndex = (uint16_t)(setup[4] | setup[5] << 8);
    const uint16_t wLength = (uint16_t)(setup[6] | setup[7] << 8);
    const struct row *row = find_row(model->bState, setup);

    model->status_stage = false;
    if ((setup[0] & 0x7F) != TO_INTERFACE || wIndex != model->interface)
        return DFU_MODEL_OTHERS;
    if (!row) {
        model->bState = APP_IDLE;
        return DFU_MODEL_STALL;
    }
    memset(reply, 0, 6);
    switch (row->reply) {
    case REPLY_NOTHING:
        return detach(model, wValue, wLength);
    case REPLY_STATUS:
        reply[4] = model->bState;
        return smaller(wLength, 6);
    case REPLY_STATE:
        reply[0] = model->bState;
        return smaller(wLength, 1);
    }
    return DFU_MODEL_STALL;
}

void dfu_model_abandoned(struct dfu_model *model)
{
    model->status_stage = false;
}

static void leave(struct dfu_model *model, bool enter_dfu)
{
    model->bState = APP_IDLE;
    model->status_stage = false;
    model->entered += enter_dfu;
}

void dfu_model_status_complete(struct dfu_model *model)
{
    if (!model->status_stage)
        return;
    model->status_stage = false;
    model->bState = APP_DETACH;
    dfu_model_passed(model, 0);
}

void dfu_model_bus_reset(struct dfu_model *model)
{
    leave(model, model->bState == APP_DETACH);
}

void dfu_model_passed(struct dfu_model *model, uint16_t elapsed_ms)
{
    if (model->bState != APP_DETACH)
        return;
    if (elapsed_ms >= model->left_ms)
        leave(model, model->will_detach);
    else
        model->left_ms -= elapsed_ms;
}

void dfu_model_cancel(struct dfu_model *model)
{
    leave(model, false);
}
