// SPDX-License-Identifier: MIT
//
// One function per state, requests in the specification's order, each ending in its "any other
// request" row: STALL, and dfuERROR with errSTALLEDPKT. dfuDNBUSY and dfuMANIFEST have that row
// alone, and no function.

#include <sim/dfu_mode.h>

#include <string.h>

enum {
    POLL_MARGIN_MS = 2,
    MANIFEST_MS = 10, // to verify the image, beside what is programmed then
};

// ---- Replies and transitions ----

static int go(struct dfu_mode *dfu, enum dfurt_state bState)
{
    dfu->bState = (uint8_t)bState;
    return 0;
}

static void fail(struct dfu_mode *dfu, int bStatus)
{
    dfu->bStatus = (uint8_t)bStatus;
    go(dfu, DFURT_STATE_dfuERROR);
}

static int any_other(struct dfu_mode *dfu)
{
    fail(dfu, DFURT_STATUS_errSTALLEDPKT);
    return DFU_MODE_STALL;
}

static int refuse(struct dfu_mode *dfu)
{
    fail(dfu, DFURT_STATUS_errVENDOR);
    return DFU_MODE_STALL;
}

// The state reported is the one entered after the reply (DFU 1.1 6.1.2).
static int reply_status(struct dfu_mode *dfu, uint32_t bwPollTimeout)
{
    dfu->reply[0] = dfu->bStatus;
    usbdev_store_le16(dfu->reply + 1, (uint16_t)bwPollTimeout);
    dfu->reply[3] = (uint8_t)(bwPollTimeout >> 16);
    dfu->reply[4] = dfu->bState;
    dfu->reply[5] = 0; // iString
    return DFURT_STATUS_REPLY_SIZE;
}

static int reply_state(struct dfu_mode *dfu)
{
    dfu->reply[0] = dfu->bState;
    return DFURT_STATE_REPLY_SIZE;
}

static int reply_failure(struct dfu_mode *dfu, int bStatus)
{
    fail(dfu, bStatus);
    return reply_status(dfu, 0);
}

static int reply_still_busy(struct dfu_mode *dfu, enum dfurt_state bState)
{
    uint16_t longest_ms = dfu->config->choices.longest_poll_ms;

    dfu->poll_ms = dfu->busy_ms;
    if (bState == DFURT_STATE_dfuDNBUSY && longest_ms > 0 && dfu->poll_ms > longest_ms)
        dfu->poll_ms = longest_ms;
    go(dfu, bState);
    return reply_status(dfu, dfu->poll_ms + POLL_MARGIN_MS);
}

// The first millisecond that is counted may be shorter, so one more is added.
static int reply_busy(struct dfu_mode *dfu, enum dfurt_state bState)
{
    const struct dfu_mode_choices *choices = &dfu->config->choices;

    dfu->busy_ms = work_ms(&dfu->work) + 1;
    if (bState == DFURT_STATE_dfuMANIFEST)
        dfu->busy_ms += choices->manifest_ms > 0 ? choices->manifest_ms : MANIFEST_MS;
    return reply_still_busy(dfu, bState);
}

static void begin_work(struct dfu_mode *dfu)
{
    dfu->work = (struct work){.memory = dfu->config->memory};
}

// ---- What the states have in common ----

static bool has(const struct dfu_mode *dfu, uint8_t attribute)
{
    return (dfu->config->bmAttributes & attribute) != 0;
}

// DFU 1.1 6.1.1: wBlockNum counts the blocks up.
static bool follows(struct dfu_mode *dfu, uint16_t wBlockNum)
{
    bool right = !dfu->config->choices.counts_blocks || wBlockNum == dfu->next_block;

    dfu->next_block = (uint16_t)(wBlockNum + 1);
    return right;
}

static void begin_download(struct dfu_mode *dfu)
{
    dfu->received = 0;
    dfu->next_block = 0;
    if (dfu->config->dialect->begin_download)
        dfu->config->dialect->begin_download(dfu);
}

static void begin_upload(struct dfu_mode *dfu)
{
    dfu->next_block = 0;
    if (dfu->config->dialect->begin_upload)
        dfu->config->dialect->begin_upload(dfu);
}

static int accept_block(struct dfu_mode *dfu, const struct usbdev_setup_packet *setup)
{
    if (setup->wLength > dfu->config->wTransferSize || !follows(dfu, setup->wValue))
        return any_other(dfu);
    dfu->received += setup->wLength;
    dfu->block = setup->wValue;
    dfu->length = setup->wLength;
    return 0;
}

static int send_block(struct dfu_mode *dfu, const struct usbdev_setup_packet *setup)
{
    int length;

    if (setup->wLength > dfu->config->wTransferSize || !follows(dfu, setup->wValue))
        return any_other(dfu);
    length = dfu->config->dialect->upload(dfu, setup->wValue, setup->wLength);
    if (length < 0) {
        fail(dfu, -length);
        return DFU_MODE_STALL;
    }
    go(dfu, length < setup->wLength ? DFURT_STATE_dfuIDLE : DFURT_STATE_dfuUPLOAD_IDLE);
    return length;
}

static int end_download(struct dfu_mode *dfu)
{
    dfu->manifested = false;
    return go(dfu, DFURT_STATE_dfuMANIFEST_SYNC);
}

// ---- The states ----

// DFU 1.1 A.2.3
static int dfu_idle(struct dfu_mode *dfu, const struct usbdev_setup_packet *setup, int bRequest)
{
    switch (bRequest) {
    case DFURT_DNLOAD:
        if (!has(dfu, DFURT_ATTR_CAN_DNLOAD))
            return any_other(dfu);
        if (setup->wLength == 0)
            return dfu->config->dialect->leaves_from_idle ? end_download(dfu) : any_other(dfu);
        if (dfu->config->choices.refuses_download)
            return refuse(dfu);
        begin_download(dfu);
        return accept_block(dfu, setup);
    case DFURT_UPLOAD:
        if (!has(dfu, DFURT_ATTR_CAN_UPLOAD))
            return any_other(dfu);
        if (dfu->config->choices.read_protected)
            return refuse(dfu);
        begin_upload(dfu);
        return send_block(dfu, setup);
    case DFURT_GETSTATUS:
        return reply_status(dfu, 0);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    case DFURT_ABORT:
        return 0;
    default:
        return any_other(dfu);
    }
}

// DFU 1.1 A.2.4. ABORT is in figure A.1 but not in the table: the table decides.
static int dnload_sync(struct dfu_mode *dfu, int bRequest)
{
    switch (bRequest) {
    case DFURT_GETSTATUS:
        if (dfu->has_block) {
            begin_work(dfu);
            dfu->has_block = false;
            int bStatus = dfu->config->dialect->begin(dfu);
            if (bStatus != DFURT_STATUS_OK)
                return reply_failure(dfu, bStatus);
            if (!dfu->config->choices.done_at_once)
                return reply_busy(dfu, DFURT_STATE_dfuDNBUSY);
            work_run(&dfu->work, work_ms(&dfu->work));
        }
        if (dfu->work.bStatus != DFURT_STATUS_OK)
            return reply_failure(dfu, dfu->work.bStatus);
        if (dfu->busy_ms > 0)
            return reply_still_busy(dfu, DFURT_STATE_dfuDNBUSY);
        go(dfu, DFURT_STATE_dfuDNLOAD_IDLE);
        return reply_status(dfu, 0);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    default:
        return any_other(dfu);
    }
}

// DFU 1.1 A.2.6
static int dnload_idle(struct dfu_mode *dfu, const struct usbdev_setup_packet *setup, int bRequest)
{
    switch (bRequest) {
    case DFURT_DNLOAD:
        if (setup->wLength > 0)
            return accept_block(dfu, setup);
        if (dfu->received < dfu->config->choices.image_length) {
            fail(dfu, DFURT_STATUS_errNOTDONE);
            return DFU_MODE_STALL;
        }
        return end_download(dfu);
    case DFURT_GETSTATUS:
        return reply_status(dfu, 0);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    case DFURT_ABORT:
        return go(dfu, DFURT_STATE_dfuIDLE);
    default:
        return any_other(dfu);
    }
}

// DFU 1.1 A.2.7
static int manifest_sync(struct dfu_mode *dfu, int bRequest)
{
    switch (bRequest) {
    case DFURT_GETSTATUS:
        if (!dfu->manifested) {
            begin_work(dfu);
            int bStatus = dfu->config->dialect->manifest(dfu);
            if (bStatus != DFURT_STATUS_OK)
                return reply_failure(dfu, bStatus);
            return reply_busy(dfu, DFURT_STATE_dfuMANIFEST);
        }
        go(dfu, DFURT_STATE_dfuIDLE);
        return reply_status(dfu, 0);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    default:
        return any_other(dfu);
    }
}

// DFU 1.1 A.2.9: only a reset ends this state. Hosts poll it nevertheless, so most devices report
// it.
static int manifest_wait_reset(struct dfu_mode *dfu, int bRequest)
{
    if (dfu->config->choices.silent_at_end)
        return DFU_MODE_STALL;
    switch (bRequest) {
    case DFURT_GETSTATUS:
        return reply_status(dfu, 0);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    default:
        return DFU_MODE_STALL;
    }
}

// DFU 1.1 A.2.10
static int upload_idle(struct dfu_mode *dfu, const struct usbdev_setup_packet *setup, int bRequest)
{
    switch (bRequest) {
    case DFURT_UPLOAD:
        return setup->wLength > 0 ? send_block(dfu, setup) : any_other(dfu);
    case DFURT_GETSTATUS:
        return reply_status(dfu, 0);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    case DFURT_ABORT:
        return go(dfu, DFURT_STATE_dfuIDLE);
    default:
        return any_other(dfu);
    }
}

// DFU 1.1 A.2.11. The first error stays on record until CLRSTATUS.
static int error(struct dfu_mode *dfu, int bRequest)
{
    switch (bRequest) {
    case DFURT_GETSTATUS:
        return reply_status(dfu, 0);
    case DFURT_CLRSTATUS:
        dfu->bStatus = DFURT_STATUS_OK;
        return go(dfu, DFURT_STATE_dfuIDLE);
    case DFURT_GETSTATE:
        return reply_state(dfu);
    default:
        return DFU_MODE_STALL;
    }
}

// ---- Requests ----

// bRequest, or -1 where the direction is wrong or there is data that must not be (table 3.1): such
// a request is any other request.
static int classify(const struct usbdev_setup_packet *setup)
{
    bool in = (setup->bmRequestType & USBDEV_DIR_IN) != 0;

    switch (setup->bRequest) {
    case DFURT_UPLOAD:
    case DFURT_GETSTATUS:
    case DFURT_GETSTATE:
        return in ? setup->bRequest : -1;
    case DFURT_DNLOAD:
        return in ? -1 : setup->bRequest;
    default:
        return in || setup->wLength > 0 ? -1 : setup->bRequest;
    }
}

int dfu_mode_setup(struct dfu_mode *dfu,
                   const struct usbdev_setup_packet *setup,
                   const uint8_t **ret_reply)
{
    int bRequest = classify(setup);

    *ret_reply = bRequest == DFURT_UPLOAD ? dfu->buffer : dfu->reply;
    switch ((enum dfurt_state)dfu->bState) {
    case DFURT_STATE_dfuIDLE:
        return dfu_idle(dfu, setup, bRequest);
    case DFURT_STATE_dfuDNLOAD_SYNC:
        return dnload_sync(dfu, bRequest);
    case DFURT_STATE_dfuDNBUSY:
        return any_other(dfu); // DFU 1.1 A.2.5: any request
    case DFURT_STATE_dfuDNLOAD_IDLE:
        return dnload_idle(dfu, setup, bRequest);
    case DFURT_STATE_dfuMANIFEST_SYNC:
        return manifest_sync(dfu, bRequest);
    case DFURT_STATE_dfuMANIFEST:
        return any_other(dfu); // DFU 1.1 A.2.8: any request
    case DFURT_STATE_dfuMANIFEST_WAIT_RESET:
        return manifest_wait_reset(dfu, bRequest);
    case DFURT_STATE_dfuUPLOAD_IDLE:
        return upload_idle(dfu, setup, bRequest);
    case DFURT_STATE_dfuERROR:
        return error(dfu, bRequest);
    case DFURT_STATE_appIDLE:
    case DFURT_STATE_appDETACH:
        break; // never in DFU mode
    }
    return DFU_MODE_STALL;
}

void dfu_mode_block(struct dfu_mode *dfu)
{
    dfu->has_block = true;
    dfu->busy_ms = 0;
    go(dfu, DFURT_STATE_dfuDNLOAD_SYNC);
}

// ---- Events ----

void dfu_mode_configured(struct dfu_mode *dfu)
{
    dfu->configured = true;
}

static bool valid(const struct dfu_mode *dfu)
{
    return dfu->config->dialect->valid(dfu->config->memory);
}

static void leave(struct dfu_mode *dfu)
{
    if (dfu->left)
        return;
    dfu->left = true;
    dfu->config->leave(dfu->config->context, dfu->address);
}

static void start(struct dfu_mode *dfu)
{
    dfu->bState = DFURT_STATE_dfuIDLE;
    dfu->bStatus = DFURT_STATUS_OK;
    dfu->configured = false;
    dfu->has_block = false;
    dfu->has_carry = false;
    dfu->address = dfu->config->memory->base;
    begin_work(dfu);
    if (dfu->config->dialect->reports_corrupt && !valid(dfu))
        fail(dfu, DFURT_STATUS_errFIRMWARE);
}

void dfu_mode_init(struct dfu_mode *dfu, const struct dfu_mode_config *config)
{
    memset(dfu, 0, offsetof(struct dfu_mode, buffer));
    dfu->config = config;
    start(dfu);
}

void dfu_mode_bus_reset(struct dfu_mode *dfu)
{
    bool ends = dfu->configured && valid(dfu);

    start(dfu);
    if (ends)
        leave(dfu);
}

static void manifest_done(struct dfu_mode *dfu)
{
    dfu->manifested = true;
    if (dfu->work.bStatus != DFURT_STATUS_OK)
        fail(dfu, dfu->work.bStatus);
    else if (dfu->config->choices.leaves_by_itself)
        leave(dfu);
    else if (has(dfu, DFURT_ATTR_MANIFESTATION_TOLERANT))
        go(dfu, DFURT_STATE_dfuMANIFEST_SYNC);
    else
        go(dfu, DFURT_STATE_dfuMANIFEST_WAIT_RESET);
}

// A request that led to dfuERROR has stopped the work where it was.
bool dfu_mode_at_rest(const struct dfu_mode *dfu)
{
    bool waits_for_poll = dfu->bState == DFURT_STATE_dfuDNLOAD_SYNC && dfu->busy_ms > 0;

    return dfu->bState != DFURT_STATE_dfuDNBUSY && dfu->bState != DFURT_STATE_dfuMANIFEST &&
           !waits_for_poll;
}

void dfu_mode_tick(struct dfu_mode *dfu, uint16_t elapsed_ms)
{
    if (dfu_mode_at_rest(dfu))
        return;
    work_run(&dfu->work, elapsed_ms);
    dfu->busy_ms -= elapsed_ms < dfu->busy_ms ? elapsed_ms : dfu->busy_ms;
    dfu->poll_ms -= elapsed_ms < dfu->poll_ms ? elapsed_ms : dfu->poll_ms;
    if (dfu->poll_ms > 0)
        return;
    if (dfu->bState == DFURT_STATE_dfuMANIFEST)
        manifest_done(dfu);
    else
        go(dfu, DFURT_STATE_dfuDNLOAD_SYNC);
}
