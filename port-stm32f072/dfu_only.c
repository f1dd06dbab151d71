// SPDX-License-Identifier: MIT
//
// The smallest product: a USB device whose only function is to enter its boot loader.

#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

#include "boot_request.h"
#include "clock.h"
#include "interrupts.h"
#include "product.h"
#include "usb_fs.h"

static struct stm32_usb usb;
static struct usbdev dev;
static struct dfurt dfurt;

static void enter_dfu(void *context)
{
    (void)context;
    usbdev_connect(&dev, false);
    stm32_clock_delay(PRODUCT_OFF_BUS_MS);
    boot_request_reset();
}

static const struct dfurt_config dfu = {
    .wDetachTimeOut = PRODUCT_wDetachTimeOut,
    .wTransferSize = PRODUCT_wTransferSize,
    .bcdDFUVersion = PRODUCT_bcdDFUVersion,
    .bmAttributes = PRODUCT_bmAttributes,
    .bInterfaceNumber = 0,
    .settle_ms = PRODUCT_SETTLE_MS,
    .enter_dfu = enter_dfu,
};

static const uint8_t device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {
    USBDEV_DEVICE_DESCRIPTOR_SIZE,
    USBDEV_DT_DEVICE,
    LE16(0x0200), // bcdUSB
    0,            // the class is the interface's
    0,
    0,
    STM32_USB_MAX_PACKET, // bMaxPacketSize0
    LE16(PRODUCT_idVendor),
    LE16(PRODUCT_idProduct),
    LE16(PRODUCT_bcdDevice),
    0, // no strings
    0,
    0,
    1, // bNumConfigurations
};

enum { CONFIGURATION_SIZE = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE + DFURT_DESCRIPTORS_SIZE };

static const uint8_t configuration[CONFIGURATION_SIZE] = {
    USBDEV_CONFIGURATION_DESCRIPTOR_SIZE,
    USBDEV_DT_CONFIGURATION,
    LE16(CONFIGURATION_SIZE),
    1,    // bNumInterfaces
    1,    // bConfigurationValue
    0,    // iConfiguration
    0xC0, // bmAttributes: self-powered, so it need not save while the bus sleeps
    0,    // bMaxPower

    DFURT_DESCRIPTORS(0,
                      0,
                      PRODUCT_bmAttributes,
                      PRODUCT_wDetachTimeOut,
                      PRODUCT_wTransferSize,
                      PRODUCT_bcdDFUVersion),
};
static const uint8_t *const configurations[] = {configuration};

static const struct usbdev_function functions[] = {
    {.handler = &dfurt_usbdev_handler,
     .context = &dfurt,
     .bFirstInterface = 0,
     .bInterfaceCount = 1},
};

static const struct usbdev_config config = {
    .device_descriptor = device_descriptor,
    .configurations = configurations,
    .functions = functions,
    .function_count = 1,
};

void stm32_usb_interrupt(void)
{
    stm32_usb_poll(&usb);
}

void stm32_systick_interrupt(void)
{
    usbdev_tick(&dev, 1);
}

_Noreturn void stm32_main(void)
{
    stm32_clock_init();
    dfurt_init(&dfurt, &dfu, NULL);
    usbdev_init(&dev, &config, &stm32_usb_control_driver, &usb);
    stm32_usb_init(&usb, &dev);
    stm32_clock_delay(PRODUCT_OFF_BUS_MS); // the boot loader may have been on the bus until now
    usbdev_connect(&dev, true);
    stm32_clock_start_tick();
    for (;;)
        __asm__ volatile("wfi");
}
