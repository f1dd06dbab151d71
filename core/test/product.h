// SPDX-License-Identifier: MIT
//
// product.h - a product around one instance of the class. Its callbacks do what the test has asked
// for.

#ifndef PRODUCT_H
#define PRODUCT_H

#include <dfurt/dfurt.h>

enum { INTERFACE = 2 };

struct product {
    struct dfurt dfurt;
    struct dfurt_config config;
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int entered;              // calls of enter_dfu
    int state_when_entered;   // what GETSTATE would have said within the last one
    bool refuse;              // may_detach says no
    bool cancel_in_callbacks; // both call dfurt_cancel()
    uint16_t offered_ms;      // what may_detach was told
    int wanted_ms;            // what it answers; negative: leaves it alone
};

// With bitWillDetach set or clear, a wDetachTimeOut of 1000 ms and a settle time of 5 ms.
void start_will_detach(struct product *product);
void start_wait_reset(struct product *product);

// A request to the product's interface: what dfurt_setup() returns, the reply in product->reply.
int request(struct product *product,
            uint8_t bmRequestType,
            uint8_t bRequest,
            uint16_t wValue,
            uint16_t wLength);

// The state that GETSTATE says, or -1.
int get_state(struct product *product);

// DETACH and its status stage.
void detach(struct product *product, uint16_t wValue);

#endif
