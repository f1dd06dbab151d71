// SPDX-License-Identifier: MIT

#include "loss.h"

#include <inttypes.h>
#include <stdio.h>

#include <conformance/transcript.h>

const uint8_t *loss_request(const struct loss *loss)
{
    if (loss->late)
        return loss->before;
    return loss->waited ? NULL : loss->request;
}

void loss_text(const struct loss *loss, char *text, size_t size)
{
    char before[64];
    char request[64];
    format_request_in_full(before, sizeof before, loss->before);
    format_request_in_full(request, sizeof request, loss->request);
    if (!loss->heard)
        snprintf(text, size, "the device has answered no request");
    else if (loss->gone)
        snprintf(text, size, "the device left the bus %" PRIu64 " ms after %s%s%s",
                 loss->after_us / 1000, before, loss->waited ? "" : ", not answering ",
                 loss->waited ? "" : request);
    else
        snprintf(text, size, "the device did not answer %s, which followed %s", request, before);
}
