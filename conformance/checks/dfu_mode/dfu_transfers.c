// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "dfu_transfers.h"
#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>

bool expect_bState(struct probe *probe, uint8_t expected, const char *when)
{
    struct dfu_status_reply status;
    uint8_t state;
    char words[PROBE_WORDS];
    snprintf(words, sizeof words, "%s %s", usb_dfu_state_name(expected), when);
    if (!dfu_ask_state(probe, &state)) { // judged by the rows of GETSTATE
        if (!expect_getstatus(probe, &status))
            return false;
        state = status.bState;
    }
    return expect_agreed(probe, state, expected, words);
}

bool prepare_download(struct probe *probe)
{
    return dfu_prepare_dnload(probe) &&
           dfu_enter_state(probe, DFURT_STATE_dfuIDLE, DFU_NO_QUESTION);
}

bool expect_image_taken(struct probe *probe)
{
    char why[PROBE_WORDS] = "";
    bool taken = download_image(probe, why, sizeof why);
    bool begun = probe->backup->at > dfu_transfer_size(probe);
    bool met = expect_step(probe, taken, "each block is accepted, next is dfuDNLOAD-IDLE", why);
    return begun ? met : given(probe, met);
}

bool expect_download(struct probe *probe, struct dfu_status_reply *ret_last)
{
    char why[PROBE_WORDS] = "";
    if (!prepare_download(probe) || !expect_image_taken(probe))
        return false;
    return expect_step(probe, download_manifest(probe, ret_last, why, sizeof why),
                       "manifestation ends, in dfuIDLE or dfuMANIFEST-WAIT-RESET", why);
}
