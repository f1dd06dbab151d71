// SPDX-License-Identifier: MIT

#include <string.h>

#include "fake_target.h"

enum { CONFIGURATION_LENGTH = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE + DFURT_DESCRIPTORS_SIZE };

static struct fake_target *fake_of(struct target *target)
{
    return (struct fake_target *)target;
}

static void load_descriptors(struct fake_target *fake)
{
    static const uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {
        18, USBDEV_DT_DEVICE, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1};
    static const uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE] = {
        9, USBDEV_DT_CONFIGURATION, CONFIGURATION_LENGTH, 0, 1, 1, 0, 0x80, 50};
    struct target_descriptors *descriptors = &fake->base.descriptors;
    memcpy(descriptors->device, device, sizeof device);
    memcpy(descriptors->configuration, header, sizeof header);
    dfurt_descriptors(&fake->config, descriptors->configuration + sizeof header);
    descriptors->configuration_length = CONFIGURATION_LENGTH;
    if (fake->dfu_mode) {
        descriptors->device[10] = 2;
        descriptors->configuration[9 + 7] = DFURT_PROTOCOL_DFU_MODE;
    }
}

static void enter_dfu(void *context)
{
    struct fake_target *fake = context;
    fake->dfu_mode = true;
    fake->gone = true;
}

static int copy(uint8_t *data, uint16_t wLength, const uint8_t *from, size_t length)
{
    size_t moved = wLength < length ? wLength : length;
    memcpy(data, from, moved);
    return (int)moved;
}

static int dfu_mode_request(const struct usbdev_setup_packet *setup, uint8_t *data)
{
    const uint8_t status[DFURT_STATUS_REPLY_SIZE] = {0, 0, 0, 0, DFURT_STATE_dfuIDLE, 0};
    if (setup->bmRequestType == 0xA1 && setup->bRequest == DFURT_GETSTATUS)
        return copy(data, setup->wLength, status, sizeof status);
    if (setup->bmRequestType == 0xA1 && setup->bRequest == DFURT_GETSTATE)
        return copy(data, setup->wLength, &status[4], 1);
    return USB_STALL;
}

static int
run_time_request(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int result = dfurt_setup(&fake->dfurt, setup, reply);
    if (result < 0)
        return USB_STALL;
    dfurt_status_complete(&fake->dfurt);
    return copy(data, setup->wLength, reply, (size_t)result);
}

static int get_descriptor_request(struct fake_target *fake,
                                  const struct usbdev_setup_packet *setup,
                                  uint8_t *data)
{
    const struct target_descriptors *descriptors = &fake->base.descriptors;
    if (setup->wValue == USBDEV_DT_DEVICE << 8)
        return copy(data, setup->wLength, descriptors->device, sizeof descriptors->device);
    if (setup->wValue == USBDEV_DT_CONFIGURATION << 8)
        return copy(data, setup->wLength, descriptors->configuration,
                    descriptors->configuration_length);
    return USB_STALL;
}

static void sleep_ms(struct target *target, unsigned ms)
{
    struct fake_target *fake = fake_of(target);
    for (unsigned i = 0; i < ms; i++) {
        fake->now_us += 1000;
        if (!fake->dfu_mode)
            dfurt_tick(&fake->dfurt, 1);
    }
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct fake_target *fake = fake_of(target);
    fake->controls++;
    if (fake->gone || fake->died)
        return USB_GONE;
    if (fake->hangs) {
        sleep_ms(target, timeout_ms);
        return USB_TIMEOUT;
    }
    int result = fake->script ? fake->script(fake, setup, data) : FAKE_NOT_MINE;
    if (result != FAKE_NOT_MINE)
        return result;
    if (setup->bmRequestType == USBDEV_DIR_IN && setup->bRequest == USBDEV_GET_DESCRIPTOR)
        return get_descriptor_request(fake, setup, data);
    return fake->dfu_mode ? dfu_mode_request(setup, data) : run_time_request(fake, setup, data);
}

static uint64_t now_us(struct target *target)
{
    return fake_of(target)->now_us;
}

// A reset in DFU mode with good firmware ends it (DFU 1.1 A.2.3).
static int reset(struct target *target)
{
    struct fake_target *fake = fake_of(target);
    if (fake->gone || fake->died)
        return USB_GONE;
    if (fake->dfu_mode) {
        fake->dfu_mode = false;
        dfurt_init(&fake->dfurt, &fake->config, fake);
        fake->gone = true;
    } else {
        dfurt_bus_reset(&fake->dfurt);
    }
    return fake->gone ? USB_GONE : 0;
}

static int power_cycle(struct target *target)
{
    struct fake_target *fake = fake_of(target);
    sleep_ms(target, 1000);
    fake->hangs = fake->died = fake->gone = fake->dfu_mode = false;
    fake->trouble = NULL;
    dfurt_init(&fake->dfurt, &fake->config, fake);
    load_descriptors(fake);
    fake->power_cycles++;
    return 0;
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct fake_target *fake = fake_of(target);
    for (unsigned i = 0; i < timeout_ms && !fake->gone; i++)
        sleep_ms(target, 1);
    return fake->gone ? 0 : USB_TIMEOUT;
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct fake_target *fake = fake_of(target);
    if (fake->gone && fake->never_returns) {
        sleep_ms(target, timeout_ms);
        return USB_TIMEOUT;
    }
    fake->gone = false;
    load_descriptors(fake);
    return 0;
}

static const char *trouble(struct target *target)
{
    return fake_of(target)->trouble;
}

static void close_nothing(struct target *target)
{
    (void)target;
}

static const struct target_ops fake_ops = {
    .control = control,
    .reset = reset,
    .power_cycle = power_cycle,
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = now_us,
    .sleep_ms = sleep_ms,
    .trouble = trouble,
    .close = close_nothing,
};

void fake_target_init(struct fake_target *fake, uint8_t bmAttributes)
{
    *fake = (struct fake_target){
        .base = {.ops = &fake_ops, .capabilities = TARGET_CAN_RESET | TARGET_CAN_RAW},
        .config = {.wDetachTimeOut = 500,
                   .wTransferSize = 1024,
                   .bcdDFUVersion = 0x0110,
                   .bmAttributes = bmAttributes,
                   .settle_ms = 5,
                   .enter_dfu = enter_dfu},
    };
    dfurt_init(&fake->dfurt, &fake->config, fake);
    load_descriptors(fake);
}
