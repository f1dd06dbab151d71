// SPDX-License-Identifier: MIT
#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

extern const struct usbdev_driver board_usb_driver; // the chip's USB, by usbdev.h
void board_enter_boot_loader(void);                 // pull-up off, then reset: PORTING.md
void product_start(void);

static void enter_dfu(void *context)
{
    (void)context;
    board_enter_boot_loader();
}

static const struct dfurt_config dfu = {
    .wDetachTimeOut = 255, // these four say what the boot loader says: here an STM32's ROM
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .settle_ms = 5,
    .enter_dfu = enter_dfu,
};
static struct dfurt dfurt;

static const uint8_t device[] = {18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1};
static uint8_t configuration[9 + DFURT_DESCRIPTORS_SIZE] = {9, 2, 27, 0, 1, 1, 0, 0x80, 50};
static const uint8_t *const configurations[] = {configuration};
static const struct usbdev_function functions[] = {{&dfurt_usbdev_handler, &dfurt, 0, 1, false}};
static const struct usbdev_config config = {
    .device_descriptor = device,
    .configurations = configurations,
    .functions = functions,
    .function_count = 1,
};
struct usbdev product_usb;

void product_start(void)
{
    dfurt_descriptors(&dfu, configuration + 9);
    dfurt_init(&dfurt, &dfu, NULL);
    usbdev_init(&product_usb, &config, &board_usb_driver, NULL);
    usbdev_connect(&product_usb, true);
}
