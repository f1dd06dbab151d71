// SPDX-License-Identifier: MIT

#include "fatal.h"

#include <string.h>

enum { FATAL_TIMES = 2 };

// GETSTATUS or GETSTATE, which the suite sends between two checks.
static bool is_question(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return setup[0] == 0xA1 && (setup[1] == DFURT_GETSTATUS || setup[1] == DFURT_GETSTATE);
}

// Its place among those that were found, or count.
static unsigned place_of(const struct fatal_requests *fatal,
                         enum device_mode mode,
                         const uint8_t request[USBDEV_SETUP_SIZE])
{
    unsigned i = 0;
    while (i < fatal->count && (fatal->list[i].mode != mode ||
                                memcmp(fatal->list[i].request, request, USBDEV_SETUP_SIZE) != 0))
        i++;
    return i;
}

static bool is_fatal(const struct fatal_requests *fatal,
                     enum device_mode mode,
                     const uint8_t request[USBDEV_SETUP_SIZE])
{
    unsigned place = place_of(fatal, mode, request);
    return place < fatal->count && fatal->list[place].times >= FATAL_TIMES;
}

// Returns the request, with so many times more; NULL where there is no room.
static struct fatal_request *add(struct fatal_requests *fatal,
                                 const struct loss *loss,
                                 const uint8_t request[USBDEV_SETUP_SIZE],
                                 unsigned times)
{
    unsigned place = place_of(fatal, loss->mode, request);
    if (place == FATAL_MAX)
        return NULL;
    struct fatal_request *found = &fatal->list[place];
    if (place == fatal->count) {
        fatal->count++;
        *found = (struct fatal_request){.mode = loss->mode};
        memcpy(found->request, request, USBDEV_SETUP_SIZE);
    }
    found->late = loss->late;
    found->question = !loss->late && request == loss->before ? loss->request[1] : 0;
    found->times += times;
    return found;
}

static bool is_class_request(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return (setup[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;
}

static unsigned bit_of(const uint8_t question[USBDEV_SETUP_SIZE])
{
    return 1u << question[1];
}

// What a way has to go without. A question is asked behind any request of DFU, and the device may
// have been lost by that one.
static const uint8_t *culprit(const struct loss *loss)
{
    if (loss->late)
        return loss->before;
    bool behind = is_question(loss->request) && !loss->fresh && loss->heard;
    bool is_act = is_class_request(loss->before) && !is_question(loss->before);
    return behind && is_act ? loss->before : loss->request;
}

struct fatal_request *fatal_add_loss(struct fatal_requests *fatal, const struct loss *loss)
{
    bool is_certain = is_question(loss->request) && loss->fresh &&
                      !(fatal->answers[loss->mode] & bit_of(loss->request));
    if (!loss_request(loss) || !(loss->unasked || is_certain))
        return NULL;
    return add(fatal, loss, culprit(loss), is_certain && !loss->late ? FATAL_TIMES : 1);
}

void fatal_forget_answers(struct fatal_requests *fatal)
{
    memset(fatal->answers, 0, sizeof fatal->answers);
}

void fatal_add_silence(struct fatal_requests *fatal, const struct loss *loss)
{
    add(fatal, loss, loss->request, 1);
}

void fatal_clear(struct fatal_requests *fatal,
                 enum device_mode mode,
                 const uint8_t answered[USBDEV_SETUP_SIZE],
                 const uint8_t before[USBDEV_SETUP_SIZE])
{
    unsigned place = place_of(fatal, mode, answered);
    if (place < fatal->count && !fatal->list[place].question && !fatal->list[place].late)
        fatal->list[place].times = 0;
    if (!is_question(answered))
        return;
    place = place_of(fatal, mode, before);
    if (place < fatal->count && fatal->list[place].question == answered[1])
        fatal->list[place].times = 0;
    fatal->answers[mode] |= bit_of(answered);
}

void fatal_clear_late(struct fatal_requests *fatal,
                      enum device_mode mode,
                      const uint8_t answered[USBDEV_SETUP_SIZE])
{
    unsigned place = place_of(fatal, mode, answered);
    if (place < fatal->count && fatal->list[place].late)
        fatal->list[place].times = 0;
}

bool fatal_comes_late(const struct fatal_requests *fatal,
                      enum device_mode mode,
                      const uint8_t request[USBDEV_SETUP_SIZE])
{
    unsigned place = place_of(fatal, mode, request);
    return place < fatal->count && fatal->list[place].late && fatal->list[place].times > 0;
}

// ABORT and CLRSTATUS are the ways to dfuIDLE. Where the device was lost at both, as one may be
// that is lost after a number of requests, ABORT stays: nothing could be put back else.
static bool is_last_way(const struct fatal_requests *fatal,
                        enum device_mode mode,
                        const uint8_t request[USBDEV_SETUP_SIZE])
{
    uint8_t other[USBDEV_SETUP_SIZE];
    memcpy(other, request, sizeof other);
    other[1] = DFURT_CLRSTATUS;
    return mode == DEVICE_DFU_MODE && request[0] == 0x21 && request[1] == DFURT_ABORT &&
           is_fatal(fatal, mode, other);
}

// Does another request do the same? A question for the other one, CLRSTATUS for ABORT, and none
// for SET_INTERFACE and for descriptors, which are known.
static bool has_substitute(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return is_question(setup) || (setup[0] == 0x21 && setup[1] == DFURT_ABORT) ||
           (setup[0] == 0x01 && setup[1] == USBDEV_SET_INTERFACE) ||
           (setup[0] == USBDEV_DIR_IN && setup[1] == USBDEV_GET_DESCRIPTOR);
}

bool fatal_forbid(const struct fatal_requests *fatal,
                  enum device_mode mode,
                  const uint8_t request[USBDEV_SETUP_SIZE],
                  bool dirty)
{
    bool detaches = mode == DEVICE_RUN_TIME && request[0] == 0x21 && request[1] == DFURT_DETACH;
    bool may_go_without = !dirty || has_substitute(request);
    return is_fatal(fatal, mode, request) && !detaches && may_go_without &&
           !is_last_way(fatal, mode, request);
}

bool fatal_was(const struct fatal_requests *fatal, const struct loss *loss)
{
    return is_fatal(fatal, loss->mode, culprit(loss));
}
