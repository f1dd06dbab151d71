// SPDX-License-Identifier: MIT
//
// A product with work of its own: a vendor interface that sends back what it gets, and DFU run time
// beside it.
//
//   interface 0  vendor: 01h bulk OUT, 81h bulk IN sends each packet back; 82h interrupt IN sends
//                a byte when the user button changes: 1 pressed, 0 released
//   interface 1  DFU run time
//
// Windows binds WinUSB to the DFU interface alone, and browsers may ask for the device by WebUSB.
// The button wakes a sleeping host that has allowed it. The serial number is the chip's id.

#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>
#include <dfurt/usbdev_webusb.h>

#include "board.h"
#include "boot_request.h"
#include "clock.h"
#include "interrupts.h"
#include "product.h"
#include "unique_id.h"
#include "usb_fs.h"

enum {
    VENDOR_INTERFACE,
    DFU_INTERFACE,
    INTERFACE_COUNT,
};

enum {
    LOOP_OUT = 0x01,
    LOOP_IN = 0x81,
    BUTTON_IN = 0x82,
};

enum {
    STRING_MANUFACTURER = 1,
    STRING_PRODUCT,
    STRING_SERIAL,
    STRING_DFU,
};

static struct stm32_usb usb;
static struct usbdev dev;
static struct dfurt dfurt;
static char serial[STM32_SERIAL_SIZE];

// ---- The DFU run-time function ----

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
    .bInterfaceNumber = DFU_INTERFACE,
    .iInterface = STRING_DFU,
    .settle_ms = PRODUCT_SETTLE_MS,
    .enter_dfu = enter_dfu,
};

// ---- The vendor function ----

static struct {
    bool echoing;   // a packet is on its way back: there is room for no other
    bool reporting; // a button report waits for the host
    bool asleep;
    uint8_t button; // as last reported
    uint16_t ms;    // since button and light were looked at
    uint16_t blink_ms;
} vendor;

static int vendor_setup(void *context, struct usbdev_request *request)
{
    (void)context;
    (void)request;
    return USBDEV_STALL;
}

static void vendor_set_interface(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting)
{
    (void)context;
    (void)bInterfaceNumber;
    (void)bAlternateSetting;
    vendor.echoing = false;
    vendor.reporting = false;
    usbdev_receive(&dev, LOOP_OUT);
}

static void
vendor_out_done(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    (void)context;
    (void)bEndpointAddress;
    vendor.echoing = usbdev_send(&dev, LOOP_IN, data, length); // false: LOOP_IN is halted
}

static void vendor_in_done(void *context, uint8_t bEndpointAddress)
{
    (void)context;
    if (bEndpointAddress == BUTTON_IN) {
        vendor.reporting = false;
    } else {
        vendor.echoing = false;
        usbdev_receive(&dev, LOOP_OUT);
    }
}

// What an endpoint was about to send is lost in a halt: go on as if it had been taken.
static void vendor_halt(void *context, uint8_t bEndpointAddress, bool halted)
{
    if (halted)
        return;
    if (bEndpointAddress != LOOP_OUT)
        vendor_in_done(context, bEndpointAddress);
    else if (!vendor.echoing)
        usbdev_receive(&dev, LOOP_OUT);
}

// On while configured, blinking while not, off while the bus sleeps.
static void show_state(void)
{
    bool blink = vendor.blink_ms < 500;

    board_led(!vendor.asleep && (usbdev_state(&dev) == USBDEV_CONFIGURED || blink));
}

// The bus feeds the board: sleep when it does.
static void vendor_event(void *context, enum usbdev_event event)
{
    (void)context;
    vendor.asleep = event == USBDEV_EVENT_SUSPENDED;
    stm32_clock_set(vendor.asleep ? STM32_CLOCK_SUSPENDED : STM32_CLOCK_FULL);
    show_state();
}

static void look_at_button(void)
{
    uint8_t pressed = board_button();

    if (vendor.reporting || pressed == vendor.button)
        return;
    vendor.button = pressed;
    vendor.reporting = usbdev_send(&dev, BUTTON_IN, &vendor.button, 1);
    if (vendor.asleep && pressed)
        usbdev_remote_wakeup(&dev);
}

// Every 10 ms, for less than which the contacts bounce.
static void vendor_tick(void *context, uint16_t elapsed_ms)
{
    (void)context;
    vendor.ms = (uint16_t)(vendor.ms + elapsed_ms);
    if (vendor.ms < 10)
        return;
    vendor.blink_ms = (uint16_t)(vendor.blink_ms + vendor.ms);
    if (vendor.blink_ms >= 1000)
        vendor.blink_ms = 0;
    vendor.ms = 0;
    look_at_button();
    show_state();
}

static const struct usbdev_handler vendor_handler = {
    .setup = vendor_setup,
    .set_interface = vendor_set_interface,
    .event = vendor_event,
    .tick = vendor_tick,
    .in_done = vendor_in_done,
    .out_done = vendor_out_done,
    .halt = vendor_halt,
};

// ---- Descriptors ----

static const uint8_t device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {
    USBDEV_DEVICE_DESCRIPTOR_SIZE,
    USBDEV_DT_DEVICE,
    LE16(0x0210), // bcdUSB: there is a BOS
    0,            // the classes are the interfaces'
    0,
    0,
    STM32_USB_MAX_PACKET, // bMaxPacketSize0
    LE16(PRODUCT_idVendor),
    LE16(PRODUCT_idProduct),
    LE16(PRODUCT_bcdDevice),
    STRING_MANUFACTURER,
    STRING_PRODUCT,
    STRING_SERIAL,
    1, // bNumConfigurations
};

#define ENDPOINT(bEndpointAddress, bmAttributes, wMaxPacketSize, bInterval)                        \
    USBDEV_ENDPOINT_DESCRIPTOR_SIZE, USBDEV_DT_ENDPOINT, bEndpointAddress, bmAttributes,           \
        LE16(wMaxPacketSize), bInterval

enum {
    CONFIGURATION_SIZE = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE + USBDEV_INTERFACE_DESCRIPTOR_SIZE +
                         3 * USBDEV_ENDPOINT_DESCRIPTOR_SIZE + DFURT_DESCRIPTORS_SIZE,
};

static const uint8_t configuration[CONFIGURATION_SIZE] = {
    USBDEV_CONFIGURATION_DESCRIPTOR_SIZE,
    USBDEV_DT_CONFIGURATION,
    LE16(CONFIGURATION_SIZE),
    INTERFACE_COUNT,
    1,    // bConfigurationValue
    0,    // iConfiguration
    0xA0, // bmAttributes: bus-powered, remote wake-up
    50,   // bMaxPower: 100 mA

    USBDEV_INTERFACE_DESCRIPTOR_SIZE,
    USBDEV_DT_INTERFACE,
    VENDOR_INTERFACE,
    0,    // bAlternateSetting
    3,    // bNumEndpoints
    0xFF, // vendor
    0,
    0,
    0, // iInterface
    ENDPOINT(LOOP_OUT, USBDEV_ENDPOINT_BULK, STM32_USB_MAX_PACKET, 0),
    ENDPOINT(LOOP_IN, USBDEV_ENDPOINT_BULK, STM32_USB_MAX_PACKET, 0),
    ENDPOINT(BUTTON_IN, USBDEV_ENDPOINT_INTERRUPT, 8, 10),

    DFURT_DESCRIPTORS(DFU_INTERFACE,
                      STRING_DFU,
                      PRODUCT_bmAttributes,
                      PRODUCT_wDetachTimeOut,
                      PRODUCT_wTransferSize,
                      PRODUCT_bcdDFUVersion),
};
static const uint8_t *const configurations[] = {configuration};

// ---- For Windows and browsers ----

enum {
    VENDOR_CODE = 0x20,
    MS_OS_20_SIZE = USBDEV_MS_OS_20_SET_HEADER_SIZE + 2 * USBDEV_MS_OS_20_SUBSET_SIZE +
                    USBDEV_MS_OS_20_WINUSB_SIZE + USBDEV_MS_OS_20_INTERFACE_GUID_SIZE,
    BOS_SIZE =
        USBDEV_BOS_HEADER_SIZE + USBDEV_MS_OS_20_CAPABILITY_SIZE + USBDEV_WEBUSB_CAPABILITY_SIZE,
};

static const uint8_t ms_os_20[MS_OS_20_SIZE] = {
    USBDEV_MS_OS_20_SET_HEADER(MS_OS_20_SIZE),
    USBDEV_MS_OS_20_CONFIGURATION(MS_OS_20_SIZE),
    USBDEV_MS_OS_20_FUNCTION(DFU_INTERFACE, MS_OS_20_SIZE),
    USBDEV_MS_OS_20_WINUSB,
    USBDEV_MS_OS_20_INTERFACE_GUID(0xF351BDF1, 0xA2E9, 0x4F27, 0xA07E, 0xF4AD, 0x23BE3374),
};

static const uint8_t bos[BOS_SIZE] = {
    USBDEV_BOS_HEADER(BOS_SIZE, 2), USBDEV_MS_OS_20_CAPABILITY(MS_OS_20_SIZE, VENDOR_CODE),
    USBDEV_WEBUSB_CAPABILITY(VENDOR_CODE, 0), // no landing page
};

static const struct usbdev_webusb webusb = {.bVendorCode = VENDOR_CODE, .ms_os_20 = ms_os_20};

// ---- Strings ----

static const uint8_t langids[] = {4, USBDEV_DT_STRING, LE16(0x0409)};

static const char *string(void *context, uint8_t index, uint16_t langid)
{
    (void)context;
    (void)langid;
    switch (index) {
    case STRING_MANUFACTURER:
        return "dfurt";
    case STRING_PRODUCT:
        return "loopback with DFU run time";
    case STRING_SERIAL:
        return serial;
    case STRING_DFU:
        return "DFU run time";
    }
    return NULL;
}

static const struct usbdev_function functions[] = {
    {.handler = &vendor_handler, .bFirstInterface = VENDOR_INTERFACE, .bInterfaceCount = 1},
    {.handler = &dfurt_usbdev_handler,
     .context = &dfurt,
     .bFirstInterface = DFU_INTERFACE,
     .bInterfaceCount = 1},
    {.handler = &usbdev_webusb_handler, .context = (void *)&webusb, .device_requests = true},
};

static const struct usbdev_config config = {
    .device_descriptor = device_descriptor,
    .configurations = configurations,
    .strings = &usbdev_strings,
    .langids = langids,
    .string = string,
    .full = &usbdev_full,
    .bos = bos,
    .functions = functions,
    .function_count = sizeof(functions) / sizeof(functions[0]),
};

// ---- Life ----

void stm32_usb_interrupt(void)
{
    stm32_usb_poll(&usb);
}

void stm32_systick_interrupt(void)
{
    stm32_usb_tick(&usb);
    usbdev_tick(&dev, 1);
}

_Noreturn void stm32_main(void)
{
    stm32_clock_init();
    board_init();
    stm32_serial(serial);
    dfurt_init(&dfurt, &dfu, NULL);
    usbdev_init(&dev, &config, &stm32_usb_driver, &usb);
    stm32_usb_init(&usb, &dev);
    stm32_clock_delay(PRODUCT_OFF_BUS_MS); // the boot loader may have been on the bus until now
    usbdev_connect(&dev, true);
    stm32_clock_start_tick();
    for (;;)
        __asm__ volatile("wfi");
}
