// SPDX-License-Identifier: MIT
//
// The rules of gate.h, a function for each kind of request. They test bRequest and ignore the
// recipient, because a wrong device may ignore it too.

#include "gate_private.h"
#include <usb/bytes.h>

enum {
    SET_DESCRIPTOR = 0x07, // USB 2.0 table 9-4
    TEST_MODE = 2,         // USB 2.0 table 9-6
    UNKNOWN_REQUEST = 0x7F,

    // AN3156 5: commands are downloads of block 0.
    COMMAND_BLOCK = 0,
    COMMAND_SET_ADDRESS = 0x21,
    COMMAND_ERASE = 0x41,
    COMMAND_READ_UNPROTECT = 0x92,
    COMMAND_WITH_ADDRESS = 5, // bytes
    FIRST_DATA_BLOCK = 2,
};

const uint8_t gate_samples[] = {0x07, 0x08, 0x21, 0x40, 0x7F, 0x80};
const size_t gate_sample_count = sizeof gate_samples;

static const struct gate_range nothing = {.first = 1, .last = 0};
static const struct gate_range external_memory = {.first = 0x60000000, .last = 0x9FFFFFFF};

void gate_init(struct gate *gate, const struct gate_leave *leave)
{
    *gate = (struct gate){
        .leave = *leave,
        .mode = GATE_MODE_UNKNOWN,
        .state = GATE_STATE_STALE,
    };
    gate_keep_nothing(gate);
}

void gate_set_device(struct gate *gate,
                     enum gate_mode mode,
                     uint8_t interface,
                     uint16_t wTransferSize)
{
    gate->mode = mode;
    gate->interface = interface;
    gate->wTransferSize = wTransferSize;
}

// ---- Memory ----

static void add_region(struct gate *gate, const struct dfuse_region *region)
{
    if (gate->region_count == GATE_MOST_REGIONS)
        return;
    gate->regions[gate->region_count++] = (struct gate_region){
        .range.first = region->address,
        .range.last = region->address + region->sectors * region->sector_size - 1,
        .readable = region->access & DFUSE_READABLE,
    };
}

void gate_set_memory(struct gate *gate,
                     bool says_dfuse,
                     const struct dfuse_layout *layouts,
                     size_t count)
{
    gate->region_count = 0;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        any |= layouts[i].count > 0;
        for (size_t j = 0; j < layouts[i].count; j++)
            add_region(gate, &layouts[i].regions[j]);
    }
    gate->dialect = says_dfuse != any ? GATE_DIALECT_UNKNOWN : any ? GATE_DFUSE : GATE_PLAIN;
}

void gate_keep_image(struct gate *gate, const uint8_t *image, size_t length)
{
    gate->kept = (struct gate_kept){.image = image, .image_length = length, .page = nothing};
}

void gate_keep_page(struct gate *gate, uint32_t address, size_t length)
{
    gate->kept = (struct gate_kept){.page = {address, (uint32_t)(address + length - 1)}};
}

void gate_keep_nothing(struct gate *gate)
{
    gate->kept = (struct gate_kept){.page = nothing};
}

static bool holds(struct gate_range range, uint64_t first, uint64_t length)
{
    return range.first <= range.last && first >= range.first && length > 0 &&
           first + length - 1 <= range.last;
}

bool gate_is_nowhere(const struct gate *gate, uint32_t address)
{
    for (size_t i = 0; i < gate->region_count; i++) {
        if (holds(gate->regions[i].range, address, 1))
            return false;
    }
    return !holds(external_memory, address, 1);
}

static bool is_readable(const struct gate *gate, uint32_t address)
{
    for (size_t i = 0; i < gate->region_count; i++) {
        if (gate->regions[i].readable && holds(gate->regions[i].range, address, 1))
            return true;
    }
    return false;
}

// ---- Run time ----

// A device that took one may carry out the next, or has begun to program.
static bool may_take_dnload(const struct gate *gate, const struct usbdev_setup_packet *setup)
{
    for (int state = DFURT_STATE_appIDLE; state <= DFURT_STATE_appDETACH; state++) {
        for (int data = 0; data < 2; data++) {
            enum gate_dnload was = gate->at_run_time[state][data];
            bool same = state == gate->state && data == (setup->wLength > 0);
            if (was == GATE_DNLOAD_TAKEN || (was == GATE_DNLOAD_UNANSWERED && !same))
                return true;
        }
    }
    return false;
}

// DNLOAD, CLRSTATUS and ABORT: a device that has one handler for both modes carries them out in
// every state but these two.
static enum gate_answer ask_at_run_time(const struct gate *gate,
                                        const struct usbdev_setup_packet *setup)
{
    uint8_t bRequest = setup->bRequest;
    if (gate->state == DFURT_STATE_appIDLE || gate->state == DFURT_STATE_appDETACH)
        return bRequest == DFURT_DNLOAD && may_take_dnload(gate, setup) ? GATE_NEVER : GATE_SEND;
    if (gate->state == GATE_STATE_STALE)
        return GATE_ASK_STATE;
    // A device that does not report a state needs no request to leave it, but may have a handler.
    if (gate->state == GATE_STATE_SILENT && bRequest != DFURT_DNLOAD)
        return GATE_SEND;
    return GATE_NEEDS_STATE;
}

// ---- DFU mode ----

static bool is_dnload_in_form(const struct gate *gate, const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType ==
               (USBDEV_DIR_OUT | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE) &&
           setup->bRequest == DFURT_DNLOAD && setup->wIndex == gate->interface;
}

bool gate_is_command(const struct usbdev_setup_packet *setup)
{
    return setup->wValue == COMMAND_BLOCK && setup->wLength > 0 &&
           !(setup->bmRequestType & USBDEV_DIR_IN);
}

bool gate_is_set_address(const struct gate *gate,
                         const struct usbdev_setup_packet *setup,
                         const uint8_t *data)
{
    return gate->dialect == GATE_DFUSE && is_dnload_in_form(gate, setup) &&
           gate_is_command(setup) && setup->wLength == COMMAND_WITH_ADDRESS &&
           data[0] == COMMAND_SET_ADDRESS;
}

// Commands that erase everything, or end the read protection and so erase everything, on any device
// that may implement them.
static bool erases_all(const struct usbdev_setup_packet *setup, const uint8_t *data, bool dfuse)
{
    if (!gate_is_command(setup))
        return false;
    if (data[0] == COMMAND_READ_UNPROTECT)
        return dfuse || setup->wLength == 1;
    return data[0] == COMMAND_ERASE &&
           (dfuse ? setup->wLength != COMMAND_WITH_ADDRESS : setup->wLength == 1);
}

static enum gate_answer ask_without_leave(const struct gate *gate,
                                          const struct usbdev_setup_packet *setup,
                                          const uint8_t *data)
{
    if (!gate_is_set_address(gate, setup, data) || !is_readable(gate, load_le32(data + 1)))
        return GATE_NEEDS_WRITE;
    if (gate->state == GATE_STATE_STALE)
        return GATE_ASK_STATE;
    bool idle = gate->state == DFURT_STATE_dfuIDLE || gate->state == DFURT_STATE_dfuDNLOAD_IDLE;
    return idle ? GATE_SEND : GATE_NEEDS_WRITE;
}

static enum gate_answer ask_plain(const struct gate *gate, const struct usbdev_setup_packet *setup)
{
    bool whole = gate->sent == gate->kept.image_length;
    return gate->kept.image && (setup->wLength > 0 || whole) ? GATE_SEND : GATE_NEEDS_KEPT;
}

static enum gate_answer
ask_dfuse(const struct gate *gate, const struct usbdev_setup_packet *setup, const uint8_t *data)
{
    if (setup->wLength == 0)
        return GATE_SEND; // it leaves DFU mode
    if (gate_is_command(setup) && data[0] == COMMAND_ERASE) {
        uint32_t address = load_le32(data + 1);
        if (gate->kept.page.first > gate->kept.page.last)
            return GATE_NEEDS_KEPT;
        return holds(gate->kept.page, address, 1) || gate_is_nowhere(gate, address)
                   ? GATE_SEND
                   : GATE_NEEDS_KEPT;
    }
    if (gate_is_set_address(gate, setup, data))
        return GATE_SEND;
    if (gate_is_command(setup))
        return gate->kept.page.first <= gate->kept.page.last ? GATE_SEND : GATE_NEEDS_KEPT;
    int64_t first = (int64_t)gate->pointer +
                    ((int64_t)setup->wValue - FIRST_DATA_BLOCK) * (int64_t)gate->wTransferSize;
    return gate->pointer_known && first >= 0 &&
                   holds(gate->kept.page, (uint64_t)first, setup->wLength)
               ? GATE_SEND
               : GATE_NEEDS_KEPT;
}

static enum gate_answer ask_dnload_in_dfu_mode(const struct gate *gate,
                                               const struct usbdev_setup_packet *setup,
                                               const uint8_t *data)
{
    if (gate->dialect == GATE_DIALECT_UNKNOWN ||
        erases_all(setup, data, gate->dialect == GATE_DFUSE))
        return GATE_NEVER;
    if (!gate->leave.write)
        return ask_without_leave(gate, setup, data);
    // In the wrong direction it carries no data, but a device that ignores the direction programs
    // what its buffer holds.
    if (setup->bmRequestType & USBDEV_DIR_IN)
        return GATE_NEEDS_KEPT;
    return gate->dialect == GATE_DFUSE ? ask_dfuse(gate, setup, data) : ask_plain(gate, setup);
}

static enum gate_answer ask_in_dfu_mode(const struct gate *gate,
                                        const struct usbdev_setup_packet *setup,
                                        const uint8_t *data)
{
    if (setup->bRequest == DFURT_DNLOAD)
        return ask_dnload_in_dfu_mode(gate, setup, data);
    bool reads = setup->bRequest == DFURT_UPLOAD || setup->bRequest == DFURT_GETSTATUS ||
                 setup->bRequest == DFURT_GETSTATE;
    bool ends = setup->bRequest == DFURT_ABORT || setup->bRequest == DFURT_CLRSTATUS;
    return gate->pointing && !reads && !ends ? GATE_NEEDS_WRITE : GATE_SEND;
}

// ---- All requests ----

static bool is_sample(uint8_t bRequest)
{
    for (size_t i = 0; i < gate_sample_count; i++) {
        if (gate_samples[i] == bRequest)
            return true;
    }
    return false;
}

// GETSTATUS in these states makes a device program or manifest what it was sent (DFU 1.1 A.2.4,
// A.2.7): where it is not known to be a boot loader, by another program, or by a DNLOAD that it
// should have refused.
static bool begins_to_program(const struct gate *gate, uint8_t bRequest)
{
    bool may_be_in_sync = gate->state == DFURT_STATE_dfuDNLOAD_SYNC ||
                          gate->state == DFURT_STATE_dfuMANIFEST_SYNC || gate->took_dnload;
    return bRequest == DFURT_GETSTATUS && gate->mode != GATE_DFU_MODE && may_be_in_sync;
}

static enum gate_answer
ask_class(const struct gate *gate, const struct usbdev_setup_packet *setup, const uint8_t *data)
{
    if (begins_to_program(gate, setup->bRequest))
        return GATE_BEGINS_TO_PROGRAM;
    if (setup->bRequest > DFURT_ABORT && !is_sample(setup->bRequest))
        return GATE_NEVER;
    if (setup->bRequest == DFURT_DETACH && !gate->leave.detach)
        return GATE_NEEDS_DETACH;
    if (gate->mode == GATE_DFU_MODE)
        return ask_in_dfu_mode(gate, setup, data);
    if (setup->bRequest == DFURT_DNLOAD && gate->mode == GATE_MODE_UNKNOWN)
        return GATE_NEVER;
    if (setup->bRequest == DFURT_DNLOAD || setup->bRequest == DFURT_CLRSTATUS ||
        setup->bRequest == DFURT_ABORT)
        return ask_at_run_time(gate, setup);
    return GATE_SEND;
}

static enum gate_answer ask_standard(const struct usbdev_setup_packet *setup)
{
    bool tests = setup->bRequest == USBDEV_SET_FEATURE && setup->wValue == TEST_MODE;
    return setup->bRequest == SET_DESCRIPTOR || tests ? GATE_NEVER : GATE_SEND;
}

// A device that does not look at all bits of the type takes it for a request of another one: sent
// is what no device has, and what only asks.
static enum gate_answer ask_reserved(const struct usbdev_setup_packet *setup)
{
    bool in = setup->bmRequestType & USBDEV_DIR_IN;
    bool asks = setup->bRequest == DFURT_GETSTATUS || setup->bRequest == DFURT_GETSTATE;
    return setup->bRequest == UNKNOWN_REQUEST || (in && asks) ? GATE_SEND : GATE_NEVER;
}

enum gate_answer
gate_ask(const struct gate *gate, const struct usbdev_setup_packet *setup, const uint8_t *data)
{
    switch (setup->bmRequestType & USBDEV_TYPE_MASK) {
    case USBDEV_TYPE_STANDARD:
        return ask_standard(setup);
    case USBDEV_TYPE_CLASS:
        return ask_class(gate, setup, data);
    case USBDEV_TYPE_VENDOR:
        if (setup->bRequest == DFURT_DETACH && !gate->leave.detach)
            return GATE_NEEDS_DETACH;
        return gate->leave.vendor ? GATE_SEND : GATE_NEEDS_VENDOR;
    default:
        return ask_reserved(setup); // type 3 (USB 2.0 table 9-2)
    }
}

enum gate_answer gate_ask_transfer(const struct gate *gate, uint8_t bEndpointAddress, size_t length)
{
    bool out = !(bEndpointAddress & USBDEV_DIR_IN);
    return out && length > 0 && !gate->leave.vendor ? GATE_NEEDS_VENDOR : GATE_SEND;
}

// ---- In words ----

const char *gate_answer_text(enum gate_answer answer)
{
    switch (answer) {
    case GATE_SEND:
        break;
    case GATE_NEEDS_DETACH:
        return "--no-detach";
    case GATE_NEEDS_WRITE:
        return "needs --allow-write";
    case GATE_NEEDS_VENDOR:
        return "needs --allow-vendor";
    case GATE_ASK_STATE:
    case GATE_NEEDS_STATE:
        return "needs a device that says that it is in appIDLE or appDETACH";
    case GATE_NEEDS_KEPT:
        return "no backup of what it could overwrite";
    case GATE_BEGINS_TO_PROGRAM:
        return "the device may have taken a DNLOAD, and GETSTATUS could make it program";
    case GATE_NEVER:
        return "the suite never sends this request";
    }
    return "";
}
