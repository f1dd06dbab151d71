// SPDX-License-Identifier: MIT
//
// The run-time class beside the model of tables A.2.1 and A.2.2, exhaustively. Both are structs
// without anything hidden, so that a copy of the pair is a place to go on from.
//
//     test_sequences SECONDS
//
// 1. Every sequence of the events below, of each length that fits into SECONDS.
// 2. Every SETUP of 2 million in every state that any sequence, however long, can lead to: the
//    states that are reached are looked up, and nothing is left when none of them is new.
//
// Prints what was tried.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dfurt/dfurt.h>

#include "dfu_model.h"

enum { INTERFACE = 1, TIMEOUT_MS = 3, SETTLE_MS = 2, MAX_LENGTH = 16, MIN_LENGTH = 4 };

// ---- The events ----

struct event {
    enum { SETUP, STATUS_STAGE, BUS_RESET, TIME, CANCEL } kind;
    uint16_t ms;
    uint8_t setup[USBDEV_SETUP_SIZE];
};

static const struct event events[] = {
    {SETUP, 0, {0x21, 0, 2, 0, INTERFACE, 0, 0, 0}},     // DETACH
    {SETUP, 0, {0x21, 0, 0xE8, 3, INTERFACE, 0, 0, 0}},  // DETACH, 1000 ms
    {SETUP, 0, {0x21, 0, 0, 0, INTERFACE, 0, 0, 0}},     // DETACH, 0 ms
    {SETUP, 0, {0x21, 0, 2, 0, INTERFACE, 0, 1, 0}},     // with data
    {SETUP, 0, {0xA1, 0, 2, 0, INTERFACE, 0, 0, 0}},     // that is read
    {SETUP, 0, {0x21, 0, 2, 0, INTERFACE + 1, 0, 0, 0}}, // to another interface
    {SETUP, 0, {0xA1, 3, 0, 0, INTERFACE, 0, 6, 0}},     // GETSTATUS
    {SETUP, 0, {0x21, 3, 0, 0, INTERFACE, 0, 0, 0}},     // that is written
    {SETUP, 0, {0xA1, 5, 0, 0, INTERFACE, 0, 1, 0}},     // GETSTATE
    {SETUP, 0, {0x21, 6, 0, 0, INTERFACE, 0, 0, 0}},     // ABORT
    {SETUP, 0, {0x80, 6, 0, 1, 0, 0, 18, 0}},            // GET_DESCRIPTOR
    {STATUS_STAGE, 0, {0}},
    {BUS_RESET, 0, {0}},
    {TIME, 1, {0}},
    {TIME, UINT16_MAX, {0}},
    {CANCEL, 0, {0}},
};
enum { EVENTS = sizeof events / sizeof *events };

// ---- The products ----

struct product {
    bool will_detach;
    enum { ALWAYS, SHORTER, LONGER, NEVER } may_detach;
};

static const struct product products[] = {
    {false, ALWAYS}, {false, SHORTER}, {false, LONGER}, {false, NEVER},
    {true, ALWAYS},  {true, SHORTER},  {true, LONGER},  {true, NEVER},
};
enum { PRODUCTS = sizeof products / sizeof *products };

static uint16_t allowed_ms(const struct product *product)
{
    return product->may_detach == SHORTER ? 1 : UINT16_MAX;
}

struct context {
    const struct product *product;
    unsigned entered; // DFU mode, in the event under way
};

static bool may_detach(void *context, uint16_t *timeout_ms)
{
    const struct product *product = ((const struct context *)context)->product;

    *timeout_ms = allowed_ms(product);
    return product->may_detach != NEVER;
}

static void enter_dfu(void *context)
{
    ((struct context *)context)->entered++;
}

// ---- The pair ----

struct pair {
    struct dfurt dfurt;
    struct dfu_model model;
    bool accepted; // the status stage of the last SETUP is to come
};

static struct dfurt_config config;
static struct context context;

static struct pair pair_of(const struct product *product)
{
    struct pair pair;

    memset(&pair, 0, sizeof pair); // pairs are compared as bytes
    context = (struct context){.product = product};
    config = (struct dfurt_config){
        .wDetachTimeOut = TIMEOUT_MS,
        .bmAttributes = product->will_detach ? DFURT_ATTR_WILL_DETACH : 0,
        .bInterfaceNumber = INTERFACE,
        .settle_ms = SETTLE_MS,
        .may_detach = product->may_detach == ALWAYS ? NULL : may_detach,
        .enter_dfu = enter_dfu,
    };
    dfurt_init(&pair.dfurt, &config, &context);
    pair.model.will_detach = product->will_detach;
    pair.model.wDetachTimeOut = TIMEOUT_MS;
    pair.model.settle_ms = SETTLE_MS;
    pair.model.interface = INTERFACE;
    pair.model.refuses = product->may_detach == NEVER;
    pair.model.allowed_ms = allowed_ms(product);
    return pair;
}

static bool setups_agree(struct pair *pair, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE] = {0};
    uint8_t expected[DFURT_STATUS_REPLY_SIZE] = {0};
    int result = dfurt_setup_bytes(&pair->dfurt, setup, reply);

    pair->accepted = result >= 0;
    if (result != dfu_model_setup(&pair->model, setup, expected))
        return false;
    return result <= 0 || memcmp(reply, expected, (size_t)result) == 0;
}

static void tell(struct pair *pair, const struct event *event)
{
    pair->accepted = pair->accepted && (event->kind == TIME || event->kind == CANCEL);
    switch (event->kind) {
    case SETUP:
        break;
    case STATUS_STAGE:
        dfurt_status_complete(&pair->dfurt);
        dfu_model_status_complete(&pair->model);
        break;
    case BUS_RESET:
        dfurt_bus_reset(&pair->dfurt);
        dfu_model_bus_reset(&pair->model);
        break;
    case TIME:
        dfurt_tick(&pair->dfurt, event->ms);
        dfu_model_passed(&pair->model, event->ms);
        break;
    case CANCEL:
        dfurt_cancel(&pair->dfurt);
        dfu_model_cancel(&pair->model);
        break;
    }
}

static bool agree(struct pair *pair, const struct event *event)
{
    bool same = true;

    context.entered = pair->model.entered = 0;
    if (event->kind == SETUP)
        same = setups_agree(pair, event->setup);
    else
        tell(pair, event);
    return same && dfurt_state(&pair->dfurt) == pair->model.bState &&
           context.entered == pair->model.entered;
}

static void print_event(const struct event *event)
{
    static const char *const names[] = {"SETUP", "status stage", "bus reset", "ms", "cancel"};

    print_error("  %s", names[event->kind]);
    for (int i = 0; event->kind == SETUP && i < USBDEV_SETUP_SIZE; i++)
        print_error(" %02x", event->setup[i]);
    print_error(event->kind == TIME ? " %u\n" : "\n", event->ms);
}

static void
fail_after(const struct pair *pair, const struct event *const *sequence, unsigned length)
{
    print_error("bitWillDetach %d, may_detach %d\n", context.product->will_detach,
                (int)context.product->may_detach);
    for (unsigned i = 0; i < length; i++)
        print_event(sequence[i]);
    print_error("expected %s, DFU mode entered %u times\n",
                pair->model.bState ? "appDETACH" : "appIDLE", pair->model.entered);
    print_error("received %s, %u times\n", dfurt_state(&pair->dfurt) ? "appDETACH" : "appIDLE",
                context.entered);
    fail_msg("%s", "the last event's answer, state or detach is not the model's");
}

// ---- Every sequence ----

static const struct event *sequence[MAX_LENGTH];
static uint64_t tried;

static void try_every(const struct pair *from, unsigned done, unsigned length)
{
    for (const struct event *event = events; event < events + EVENTS; event++) {
        struct pair pair = *from;

        if (event->kind == STATUS_STAGE && !pair.accepted)
            continue; // there is none
        sequence[done] = event;
        if (!agree(&pair, event))
            fail_after(&pair, sequence, done + 1);
        if (done + 1 < length)
            try_every(&pair, done + 1, length);
        else
            tried++;
    }
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double try_length(unsigned length)
{
    double begin_s = now_s();

    tried = 0;
    for (const struct product *product = products; product < products + PRODUCTS; product++) {
        struct pair pair = pair_of(product);
        try_every(&pair, 0, length);
    }
    print_message("length %u: %llu sequences of %d events, %d products\n", length,
                  (unsigned long long)tried, EVENTS, PRODUCTS);
    return now_s() - begin_s;
}

// The next length takes EVENTS times as long: is begun if that fits.
static void every_sequence__is_answered_as_the_tables_say(void **state)
{
    double left_s = *(const double *)*state;
    double next_s = 0;

    for (unsigned length = 1; length <= MAX_LENGTH && (length <= MIN_LENGTH || next_s <= left_s);
         length++) {
        double spent_s = try_length(length);
        left_s -= spent_s;
        next_s = spent_s * EVENTS;
    }
}

// ---- Every state, of sequences of any length ----

enum { MAX_PAIRS = 1000 };

static struct pair reached[MAX_PAIRS];
static unsigned reached_count;

static void reach(struct pair *pair)
{
    pair->model.entered = 0; // counted for an event alone
    for (unsigned i = 0; i < reached_count; i++)
        if (memcmp(&reached[i], pair, sizeof *pair) == 0)
            return;
    assert_true(reached_count < MAX_PAIRS);
    reached[reached_count++] = *pair;
}

static void try_event(const struct pair *from, const struct event *event)
{
    struct pair pair = *from;

    tried++;
    if (!agree(&pair, event))
        fail_after(&pair, &event, 1);
    reach(&pair);
}

// Every bmRequestType and bRequest, and of the other fields what the tables could tell apart.
static void try_setups(const struct pair *from)
{
    static const uint16_t values[] = {0, 1, UINT16_MAX};
    static const uint16_t indices[] = {INTERFACE, INTERFACE + 1, INTERFACE | 0x100};
    static const uint16_t lengths[] = {0, 1, 5, 0x100};

    for (unsigned i = 0; i < 0x10000 * 3 * 3 * 4; i++) {
        struct usbdev_setup_packet packet = {
            .bmRequestType = (uint8_t)(i >> 8),
            .bRequest = (uint8_t)i,
            .wValue = values[(i >> 16) % 3],
            .wIndex = indices[(i >> 16) / 3 % 3],
            .wLength = lengths[(i >> 16) / 9],
        };
        struct event event = {.kind = SETUP};

        usbdev_setup_store(event.setup, &packet);
        try_event(from, &event);
    }
}

static void every_state__answers_every_setup_as_the_tables_say(void **state)
{
    (void)state;
    for (const struct product *product = products; product < products + PRODUCTS; product++) {
        struct pair first = pair_of(product);

        reached_count = 0;
        tried = 0;
        reach(&first);
        for (unsigned i = 0; i < reached_count; i++) {
            struct pair from = reached[i];
            for (const struct event *event = events; event < events + EVENTS; event++)
                if (event->kind != STATUS_STAGE || from.accepted)
                    try_event(&from, event);
            try_setups(&from);
        }
        print_message("bitWillDetach %d, may_detach %d: %u states, %llu events\n",
                      product->will_detach, (int)product->may_detach, reached_count,
                      (unsigned long long)tried);
    }
}

int main(int argc, char **argv)
{
    double seconds = argc == 2 ? atof(argv[1]) : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_sequence__is_answered_as_the_tables_say, &seconds),
        cmocka_unit_test(every_state__answers_every_setup_as_the_tables_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
