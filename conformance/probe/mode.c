// SPDX-License-Identifier: MIT
//
// In which mode is the device? A wrong device may have the other mode's bInterfaceProtocol, or
// report a state of the other mode, so neither decides alone: the run-time descriptors, once they
// were seen, the interfaces beside the DFU one and an accepted DETACH count too. Where they
// contradict each other, the more likely mode is taken and the gate treats it as unknown.

#include <string.h>

#include <conformance/probe.h>
#include <usb/text.h>

struct mode {
    enum device_mode mode;
    bool certain;
};

static bool is_same(const struct device *before, const struct device *now)
{
    const struct target_descriptors *a = &before->raw;
    const struct target_descriptors *b = &now->raw;
    return before->seen && memcmp(a->device, b->device, sizeof a->device) == 0 &&
           a->configuration_length == b->configuration_length &&
           memcmp(a->configuration, b->configuration, a->configuration_length) == 0;
}

// No interface but DFU's.
static bool is_alone(const struct device *device)
{
    for (size_t i = 0; i < device->config.interface_count; i++) {
        if (!interface_is_dfu(&device->config.interfaces[i]))
            return false;
    }
    return true;
}

// The state that the device says it is in, or -1.
static int ask_state(struct probe *probe)
{
    uint8_t state;
    return probe_getstate(probe, &state) == DFURT_STATE_REPLY_SIZE ? state : -1;
}

// appIDLE may STALL both questions (A.2.1); dfuIDLE and dfuERROR answer GETSTATUS.
static bool answers_as_run_time(struct probe *probe, const struct device *device, int state)
{
    bool seen = probe->run_time.seen && (probe->detached || !is_same(&probe->run_time, device));
    struct dfu_status_reply status;
    return state < 0 && !seen && probe_getstatus(probe, &status) == USB_STALL;
}

static struct mode mode_of_dfu_protocol(struct probe *probe, const struct device *device, int state)
{
    if (answers_as_run_time(probe, device, state))
        return (struct mode){DEVICE_RUN_TIME, false};
    bool app_state = state == DFURT_STATE_appIDLE || state == DFURT_STATE_appDETACH;
    if (app_state && !is_alone(device))
        return (struct mode){DEVICE_RUN_TIME, false};
    return (struct mode){DEVICE_DFU_MODE, !app_state && (state >= 0 || is_alone(device))};
}

// DFU 1.0 4.1.2, 4.2.3: bInterfaceProtocol is 0 in both modes, and the state alone tells them
// apart.
static bool has_no_protocol(const struct device *device)
{
    return device->functional && device->functional->bcdDFUVersion == 0x0100 &&
           device->dfu->bInterfaceProtocol == 0;
}

// A GETSTATE that is wrong says a state of DFU mode at run time, and GETSTATUS does not.
static bool status_says_run_time(struct probe *probe)
{
    struct dfu_status_reply status;
    return probe_getstatus(probe, &status) == DFURT_STATUS_REPLY_SIZE &&
           status.bState <= DFURT_STATE_appDETACH;
}

static struct mode
mode_of_other_protocol(struct probe *probe, const struct device *device, int state)
{
    bool dfu_state = state >= DFURT_STATE_dfuIDLE && state <= DFURT_STATE_dfuERROR;
    if (!dfu_state || !is_alone(device))
        return (struct mode){DEVICE_RUN_TIME, !dfu_state};
    if (device->dfu->bInterfaceProtocol == DFURT_PROTOCOL_RUNTIME && status_says_run_time(probe))
        return (struct mode){DEVICE_RUN_TIME, true};
    if (is_same(&probe->run_time, device))
        return (struct mode){probe->detached ? DEVICE_DFU_MODE : DEVICE_RUN_TIME, true};
    return (struct mode){DEVICE_DFU_MODE, probe->run_time.seen || has_no_protocol(device)};
}

// An accepted DETACH leads to DFU mode, in which a wrong device may have no DFU interface at all.
static struct mode mode_of_no_dfu(const struct probe *probe, const struct device *device)
{
    bool left = probe->detached && probe->run_time.dfu && !is_same(&probe->run_time, device);
    return (struct mode){left ? DEVICE_DFU_MODE : DEVICE_RUN_TIME, !left};
}

static struct mode find_mode(struct probe *probe, const struct device *device)
{
    if (!device->dfu)
        return mode_of_no_dfu(probe, device);
    bool dfu_protocol = device->dfu->bInterfaceProtocol == DFURT_PROTOCOL_DFU_MODE;
    // The request for the state is sent as to a device in the mode that its descriptors report.
    probe->mode = dfu_protocol ? DEVICE_DFU_MODE : DEVICE_RUN_TIME;
    int state = ask_state(probe);
    return dfu_protocol ? mode_of_dfu_protocol(probe, device, state)
                        : mode_of_other_protocol(probe, device, state);
}

// ---- Strings ----

uint16_t probe_language(struct probe *probe)
{
    enum { ENGLISH = 0x0409 };
    uint8_t bytes[255];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, 0, 0, sizeof bytes);
    return probe_control(probe, &setup, bytes) >= 4 ? usbdev_load_le16(bytes + 2) : ENGLISH;
}

bool probe_read_string(struct probe *probe, uint8_t index, char *text, size_t size)
{
    uint8_t bytes[255] = {0};
    int length = 0;
    if (index) {
        const struct usbdev_setup_packet setup =
            usb_get_descriptor(USBDEV_DT_STRING, index, probe_language(probe), sizeof bytes);
        length = probe_control(probe, &setup, bytes);
    }
    usb_text(text, size, bytes, length > 0 ? (size_t)length : 0);
    return length != USB_GONE && length != USB_IO && length != USB_TIMEOUT;
}

// ---- The memory of a boot loader ----

// Layouts that could not be read, because the device was lost, are read again when it is back.
static void read_layouts(struct probe *probe)
{
    const struct usb_configuration *config = &probe->dfu_mode.config;
    struct loader *loader = &probe->loader;
    char name[3 * 255 / 2];
    loader->layouts_known = true;
    loader->layout_count = 0;
    for (size_t i = 0; i < config->interface_count && loader->layout_count < PROBE_ALTERNATES;
         i++) {
        if (!interface_is_dfu(&config->interfaces[i]))
            continue;
        loader->layouts_known &=
            probe_read_string(probe, config->interfaces[i].iInterface, name, sizeof name);
        dfuse_layout_parse(&loader->layouts[loader->layout_count++], name);
    }
    gate_set_memory(&probe->gate, device_is_dfuse(&probe->dfu_mode), loader->layouts,
                    loader->layout_count);
}

// ---- All of it ----

static void tell_gate(struct probe *probe, bool certain)
{
    const struct device *device = probe_device(probe);
    enum gate_mode mode = probe->mode == DEVICE_RUN_TIME ? GATE_RUN_TIME : GATE_DFU_MODE;
    gate_set_device(&probe->gate, certain ? mode : GATE_MODE_UNKNOWN,
                    device->dfu ? device->dfu->bInterfaceNumber : 0,
                    device->functional ? device->functional->wTransferSize : 0);
}

void probe_refresh(struct probe *probe)
{
    struct device now;
    size_t first = probe->transcript.total;
    probe->on_the_way++;
    device_load(&now, &probe->target->descriptors);
    gate_moved(&probe->gate);
    probe->since.refused = probe->since.leaving = probe->since.manifests =
        probe->since.may_restart = false;
    probe->since.manifest_end_us = 0;
    probe->since.alternate = 0;
    const struct mode mode = find_mode(probe, &now);
    bool known = is_same(&probe->dfu_mode, &now);
    bool unchanged = is_same(&probe->run_time, &now);
    probe->since.unchanged =
        unchanged && probe->mode == DEVICE_RUN_TIME && mode.mode == DEVICE_RUN_TIME;
    if (mode.mode != probe->mode)
        probe->since.returned_us = probe_now_us(probe); // it enumerated again without having left
    probe->mode = mode.mode;
    device_load(probe->mode == DEVICE_RUN_TIME ? &probe->run_time : &probe->dfu_mode,
                &probe->target->descriptors);
    tell_gate(probe, mode.certain);
    if (probe->target->moved)
        gate_keep_nothing(&probe->gate); // what is kept may be another board's
    if (probe->mode == DEVICE_RUN_TIME)
        probe->detached = false;
    else if (!known || !probe->loader.layouts_known)
        read_layouts(probe);
    trips_found(probe);
    probe->on_the_way--;
    transcript_set_aside(&probe->transcript, first); // what the host did before is judged
}
