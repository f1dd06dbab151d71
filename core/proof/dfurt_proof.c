// SPDX-License-Identifier: MIT
//
// The proof of dfurt.c. Frama-C's WP plug-in shows, for every state, every SETUP packet, every
// config and every order of calls, that each function below does what its contract says and has no
// run-time error. prove.sh runs it.
//
// What is proved, in words:
//   - request() is tables A.2.1 and A.2.2: its contract is their rows;
//   - a reply is never longer than wLength, nor than 6 bytes, and nothing else is written;
//   - enter_dfu is called by a tick, a bus reset or a status stage alone, once, only in appDETACH
//   or
//     at the end of an accepted DETACH, and the state is appIDLE by then;
//   - a wait-for-reset device calls it on a bus reset alone;
//   - the timer holds no more than min(wValue, wDetachTimeOut), or settle_ms, and never grows;
//   - the descriptors are the bytes that the config says.
//
// What is assumed: may_detach does not touch the instance but by dfurt_cancel(), which changes
// nothing there. Every valid() below is the caller's duty that the header states.

#include <dfurt/dfurt.h>

// ---- What the callbacks may do ----

//@ ghost int entered;             // calls of enter_dfu
//@ ghost struct dfurt *instance;  // the one that is being looked at

/*@ requires \valid(timeout_ms);
    assigns *timeout_ms;
    ensures \result == \true || \result == \false; */
bool any_may_detach(void *context, uint16_t *timeout_ms);

/*@ requires instance->bState == DFURT_STATE_appIDLE && !instance->accepted;
    assigns entered;
    ensures entered == \old(entered) + 1; */
void any_enter_dfu(void *context);

// ---- What holds between any two calls ----

/*@ predicate well(struct dfurt *d) =
      \valid(d) && \valid_read(d->config) && \separated(d, d->config, &entered, &instance) &&
      d == instance &&
      (d->config->may_detach == \null || d->config->may_detach == &any_may_detach) &&
      d->config->enter_dfu == &any_enter_dfu;

    logic boolean will_leave(struct dfurt *d) =
      (d->config->bmAttributes & DFURT_ATTR_WILL_DETACH) != 0;

    logic integer least(integer a, integer b) = a < b ? a : b;

    // The most the state's time may be, whatever wValue was.
    logic integer most(struct dfurt *d) =
      will_leave(d) ? d->config->settle_ms : d->config->wDetachTimeOut;

    predicate state_ok(struct dfurt *d) =
      (d->bState == DFURT_STATE_appIDLE || d->bState == DFURT_STATE_appDETACH) &&
      (d->accepted == \true || d->accepted == \false) &&
      (d->accepted ==> d->bState == DFURT_STATE_appIDLE);

    predicate time_ok(struct dfurt *d) =
      (d->accepted ==> d->remaining_ms <= most(d)) &&
      (d->bState == DFURT_STATE_appDETACH ==> 0 < d->remaining_ms <= most(d));

    predicate in_order(struct dfurt *d) = state_ok(d) && time_ok(d);

    predicate to_us(struct dfurt *d, struct usbdev_setup_packet *s) =
      (s->bmRequestType == 0x21 || s->bmRequestType == 0xA1) &&
      s->wIndex == d->bInterfaceNumber;

    predicate status_reply(struct dfurt *d, uint8_t *reply) =
      reply[0] == DFURT_STATUS_OK && reply[1] == 0 && reply[2] == 0 && reply[3] == 0 &&
      reply[4] == d->bState && reply[5] == 0;
*/

// ---- The helpers of the tables; prove.sh has the smaller ones inlined ----

/*@ assigns \nothing;
    ensures \result == least(a, b); */
static unsigned least(unsigned a, unsigned b);

/*@ requires \valid_read(dfurt) && \valid(reply + (0 .. 5)) && \separated(dfurt, reply + (0 .. 5));
    assigns reply[0 .. 5];
    ensures \result == least(wLength, 6) && status_reply(dfurt, reply); */
static int reply_status(const struct dfurt *dfurt, uint16_t wLength, uint8_t *reply);

/*@ requires \valid_read(dfurt) && \valid(reply) && \separated(dfurt, reply);
    assigns reply[0];
    ensures \result == least(wLength, 1) && reply[0] == dfurt->bState; */
static int reply_state(const struct dfurt *dfurt, uint16_t wLength, uint8_t *reply);

/*@ requires well(dfurt) && !dfurt->accepted && \valid_read(setup) && \separated(setup, dfurt);
    requires dfurt->bState == DFURT_STATE_appIDLE;
    assigns dfurt->accepted, dfurt->remaining_ms;
    ensures \result == 0 && dfurt->accepted == \true ||
            \result == DFURT_STALL && dfurt->accepted == \false;
    ensures dfurt->config->may_detach == \null ==> \result == 0;
    ensures \result == 0 ==> dfurt->remaining_ms <= most(dfurt);
    ensures \result == 0 && !will_leave(dfurt) ==> dfurt->remaining_ms <= setup->wValue;
    ensures \result == 0 && dfurt->config->may_detach == \null ==>
      dfurt->remaining_ms == (will_leave(dfurt)
        ? dfurt->config->settle_ms : least(setup->wValue, dfurt->config->wDetachTimeOut)); */
static int accept_detach(struct dfurt *dfurt, const struct usbdev_setup_packet *setup);

// ---- Tables A.2.1 (appIDLE) and A.2.2 (appDETACH) ----

/*@ requires well(dfurt) && in_order(dfurt) && !dfurt->accepted;
    requires \valid_read(setup) && \valid(reply + (0 .. 5));
    requires \separated(reply + (0 .. 5), dfurt, dfurt->config, setup, &entered, &instance);
    requires \separated(setup, dfurt);
    assigns dfurt->bState, dfurt->accepted, dfurt->remaining_ms, reply[0 .. 5];
    ensures state_ok(dfurt);
    ensures time_ok(dfurt);

    behavior A_2_1_DFU_DETACH:
      assumes dfurt->bState == DFURT_STATE_appIDLE;
      assumes setup->bRequest == DFURT_DETACH && !in && setup->wLength == 0;
      ensures dfurt->bState == DFURT_STATE_appIDLE;
      ensures \result == 0 && dfurt->accepted || \result == DFURT_STALL && !dfurt->accepted;
      ensures dfurt->config->may_detach == \null ==> \result == 0;
      ensures \result == 0 && !will_leave(dfurt) ==> dfurt->remaining_ms <= setup->wValue;
      ensures \result == 0 && dfurt->config->may_detach == \null ==>
        dfurt->remaining_ms == (will_leave(dfurt)
          ? dfurt->config->settle_ms : least(setup->wValue, dfurt->config->wDetachTimeOut));

    behavior A_2_1_DFU_GETSTATUS:
      assumes dfurt->bState == DFURT_STATE_appIDLE;
      assumes setup->bRequest == DFURT_GETSTATUS && in;
      ensures \result == least(setup->wLength, 6) && !dfurt->accepted;
      ensures dfurt->bState == DFURT_STATE_appIDLE && status_reply(dfurt, reply);

    behavior A_2_1_DFU_GETSTATE:
      assumes dfurt->bState == DFURT_STATE_appIDLE;
      assumes setup->bRequest == DFURT_GETSTATE && in;
      ensures \result == least(setup->wLength, 1) && !dfurt->accepted;
      ensures dfurt->bState == DFURT_STATE_appIDLE && reply[0] == DFURT_STATE_appIDLE;

    behavior A_2_1_any_other_request:
      assumes dfurt->bState == DFURT_STATE_appIDLE;
      assumes !(setup->bRequest == DFURT_DETACH && !in && setup->wLength == 0);
      assumes !(setup->bRequest == DFURT_GETSTATUS && in);
      assumes !(setup->bRequest == DFURT_GETSTATE && in);
      ensures dfurt->bState == DFURT_STATE_appIDLE;
      ensures \result == DFURT_STALL && !dfurt->accepted;

    behavior A_2_2_DFU_GETSTATUS:
      assumes dfurt->bState == DFURT_STATE_appDETACH;
      assumes setup->bRequest == DFURT_GETSTATUS && in;
      ensures \result == least(setup->wLength, 6) && !dfurt->accepted;
      ensures dfurt->bState == DFURT_STATE_appDETACH && status_reply(dfurt, reply);
      ensures dfurt->remaining_ms == \old(dfurt->remaining_ms);

    behavior A_2_2_DFU_GETSTATE:
      assumes dfurt->bState == DFURT_STATE_appDETACH;
      assumes setup->bRequest == DFURT_GETSTATE && in;
      ensures \result == least(setup->wLength, 1) && !dfurt->accepted;
      ensures dfurt->bState == DFURT_STATE_appDETACH && reply[0] == DFURT_STATE_appDETACH;
      ensures dfurt->remaining_ms == \old(dfurt->remaining_ms);

    behavior A_2_2_any_other_request:
      assumes dfurt->bState == DFURT_STATE_appDETACH;
      assumes !(setup->bRequest == DFURT_GETSTATUS && in);
      assumes !(setup->bRequest == DFURT_GETSTATE && in);
      ensures \result == DFURT_STALL && !dfurt->accepted;
      ensures dfurt->bState == DFURT_STATE_appIDLE;

    complete behaviors;
    disjoint behaviors; */
static int
request(struct dfurt *dfurt, const struct usbdev_setup_packet *setup, bool in, uint8_t *reply);

// ---- The public functions ----

/*@ requires \valid(dfurt) && \valid_read(config) && \separated(dfurt, config);
    assigns *dfurt;
    ensures dfurt->config == config && dfurt->context == context;
    ensures dfurt->bInterfaceNumber == config->bInterfaceNumber;
    ensures dfurt->bState == DFURT_STATE_appIDLE && !dfurt->accepted;
    ensures in_order(dfurt); */
void dfurt_init(struct dfurt *dfurt, const struct dfurt_config *config, void *context);

/*@ requires well(dfurt) && in_order(dfurt);
    assigns dfurt->bInterfaceNumber;
    ensures in_order(dfurt) && dfurt->bInterfaceNumber == bInterfaceNumber; */
void dfurt_set_interface_number(struct dfurt *dfurt, uint8_t bInterfaceNumber);

/*@ requires well(dfurt) && in_order(dfurt);
    requires \valid_read(setup) && \valid(reply + (0 .. 5));
    requires \separated(reply + (0 .. 5), dfurt, dfurt->config, setup, &entered, &instance);
    requires \separated(setup, dfurt);
    assigns dfurt->bState, dfurt->accepted, dfurt->remaining_ms, reply[0 .. 5];
    ensures state_ok(dfurt);
    ensures time_ok(dfurt);
    ensures \result == DFURT_STALL || \result == DFURT_NOT_MINE ||
            0 <= \result <= least(setup->wLength, 6);
    ensures \result == DFURT_NOT_MINE <==> !to_us(dfurt, setup);
    ensures dfurt->bState == \old(dfurt->bState) || dfurt->bState == DFURT_STATE_appIDLE;
    ensures dfurt->bState != \old(dfurt->bState) ==> \result == DFURT_STALL;
    ensures to_us(dfurt, setup) && \old(dfurt->bState) == DFURT_STATE_appDETACH &&
            (setup->bmRequestType == 0x21 ||
             setup->bRequest != DFURT_GETSTATUS && setup->bRequest != DFURT_GETSTATE) ==>
            \result == DFURT_STALL && dfurt->bState == DFURT_STATE_appIDLE;
    ensures dfurt->accepted ==> \old(dfurt->bState) == DFURT_STATE_appIDLE && to_us(dfurt, setup) &&
            setup->bmRequestType == 0x21 && setup->bRequest == DFURT_DETACH && setup->wLength == 0;
 */
int dfurt_setup(struct dfurt *dfurt,
                const struct usbdev_setup_packet *setup,
                uint8_t reply[DFURT_STATUS_REPLY_SIZE]);

/*@ requires well(dfurt) && in_order(dfurt);
    assigns dfurt->bState, dfurt->accepted, dfurt->remaining_ms, entered;
    ensures state_ok(dfurt);
    ensures time_ok(dfurt);
    ensures !dfurt->accepted;
    ensures !\old(dfurt->accepted) ==>
            dfurt->bState == \old(dfurt->bState) && entered == \old(entered);
    ensures \old(dfurt->accepted) && \old(dfurt->remaining_ms) > 0 ==>
            dfurt->bState == DFURT_STATE_appDETACH && entered == \old(entered) &&
            dfurt->remaining_ms == \old(dfurt->remaining_ms);
    ensures \old(dfurt->accepted) && \old(dfurt->remaining_ms) == 0 ==>
            dfurt->bState == DFURT_STATE_appIDLE &&
            entered == \old(entered) + (will_leave(dfurt) ? 1 : 0); */
void dfurt_status_complete(struct dfurt *dfurt);

/*@ requires well(dfurt) && in_order(dfurt);
    assigns dfurt->bState, dfurt->accepted, entered;
    ensures in_order(dfurt) && dfurt->bState == DFURT_STATE_appIDLE && !dfurt->accepted;
    ensures entered == \old(entered) + (\old(dfurt->bState) == DFURT_STATE_appDETACH ? 1 : 0); */
void dfurt_bus_reset(struct dfurt *dfurt);

// dfurt_status_complete() calls it with a time that may be 0: the first line of in_order() there.
/*@ requires well(dfurt);
    requires in_order(dfurt) || elapsed_ms == 0 && dfurt->bState == DFURT_STATE_appDETACH &&
             dfurt->accepted == \false && dfurt->remaining_ms == 0;
    assigns dfurt->bState, dfurt->accepted, dfurt->remaining_ms, entered;
    ensures state_ok(dfurt);
    ensures time_ok(dfurt);
    ensures dfurt->accepted == (\old(dfurt->bState) == DFURT_STATE_appDETACH
                                                       ? \false : \old(dfurt->accepted));
    behavior app_idle:
      assumes dfurt->bState == DFURT_STATE_appIDLE;
      ensures dfurt->bState == DFURT_STATE_appIDLE && entered == \old(entered);
      ensures dfurt->remaining_ms == \old(dfurt->remaining_ms);

    behavior time_is_left:
      assumes dfurt->bState == DFURT_STATE_appDETACH && elapsed_ms < dfurt->remaining_ms;
      ensures dfurt->bState == DFURT_STATE_appDETACH && entered == \old(entered);
      ensures dfurt->remaining_ms == \old(dfurt->remaining_ms) - elapsed_ms;

    behavior time_is_over:
      assumes dfurt->bState == DFURT_STATE_appDETACH && elapsed_ms >= dfurt->remaining_ms;
      ensures dfurt->bState == DFURT_STATE_appIDLE;
      ensures entered == \old(entered) + (will_leave(dfurt) ? 1 : 0);

    complete behaviors;
    disjoint behaviors; */
void dfurt_tick(struct dfurt *dfurt, uint16_t elapsed_ms);

/*@ requires well(dfurt) && in_order(dfurt);
    assigns dfurt->bState, dfurt->accepted;
    ensures in_order(dfurt) && dfurt->bState == DFURT_STATE_appIDLE && !dfurt->accepted; */
void dfurt_cancel(struct dfurt *dfurt);

/*@ requires \valid_read(config) && \valid(bytes + (0 .. 17));
    requires \separated(config, bytes + (0 .. 17));
    assigns bytes[0 .. 17];
    ensures bytes[0] == 9 && bytes[1] == 0x04 && bytes[2] == config->bInterfaceNumber;
    ensures bytes[3] == 0 && bytes[4] == 0;
    ensures bytes[5] == 0xFE && bytes[6] == 0x01 && bytes[7] == 0x01;
    ensures bytes[8] == config->iInterface;
    ensures bytes[9] == 9 && bytes[10] == 0x21 && bytes[11] == config->bmAttributes;
    ensures bytes[12] == (uint8_t)config->wDetachTimeOut;
    ensures bytes[13] == (uint8_t)(config->wDetachTimeOut >> 8);
    ensures bytes[14] == (uint8_t)config->wTransferSize;
    ensures bytes[15] == (uint8_t)(config->wTransferSize >> 8);
    ensures bytes[16] == (uint8_t)config->bcdDFUVersion;
    ensures bytes[17] == (uint8_t)(config->bcdDFUVersion >> 8); */
void dfurt_descriptors(const struct dfurt_config *config, uint8_t bytes[DFURT_DESCRIPTORS_SIZE]);

#include "../dfurt.c"
