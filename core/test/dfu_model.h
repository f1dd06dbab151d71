// SPDX-License-Identifier: MIT
//
// dfu_model.h - DFU 1.1 tables A.2.1 and A.2.2 as an executable model, written from the tables and
// from nothing of core/. What the tables leave open is as dfurt/dfurt.h says.

#ifndef DFU_MODEL_H
#define DFU_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct dfu_model {
    // The product.
    bool will_detach;
    uint16_t wDetachTimeOut;
    uint16_t settle_ms;
    uint16_t interface;
    bool refuses;        // its may_detach does
    uint16_t allowed_ms; // and shortens the time to this

    uint8_t bState;
    bool status_stage; // of a DETACH is due
    uint32_t left_ms;
    unsigned entered; // DFU mode, so often
};

enum { DFU_MODEL_STALL = -1, DFU_MODEL_OTHERS = -2 };

// A SETUP packet of 8 bytes. Returns the length of the data stage, with the data in reply, or one
// of the above.
int dfu_model_setup(struct dfu_model *model, const uint8_t setup[8], uint8_t reply[6]);
void dfu_model_abandoned(struct dfu_model *model); // a SETUP to another owner came
void dfu_model_status_complete(struct dfu_model *model);
void dfu_model_bus_reset(struct dfu_model *model);
void dfu_model_passed(struct dfu_model *model, uint16_t elapsed_ms);
void dfu_model_cancel(struct dfu_model *model);

#endif
