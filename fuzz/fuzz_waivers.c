// SPDX-License-Identifier: MIT
//
// Files of waivers.

#include <assert.h>
#include <stdio.h>

#include <conformance/waivers.h>

#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct waivers waivers;
    char error[200] = "";
    FILE *in = length > 0 ? fmemopen((void *)(uintptr_t)bytes, length, "r") : NULL;

    if (!in)
        return 0;
    if (waivers_read(&waivers, in, "seed.waive", error, sizeof error) == 0) {
        for (size_t i = 0; i < waivers.count; i++)
            assert(waivers.list[i].glob[0] != '\0' && waivers.list[i].reason[0] != '\0');
        waivers_reason(&waivers, "RT-DESC-01");
        waivers_finish(&waivers);
    } else {
        assert(strncmp(error, "seed.waive:", 11) == 0 && !strchr(error, '\n'));
    }
    fclose(in);
    return 0;
}
