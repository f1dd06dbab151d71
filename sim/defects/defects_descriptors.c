// SPDX-License-Identifier: MIT
//
// Descriptors of DFU's interface, at run time and in DFU mode, with a byte or a length that is
// wrong.

#include <string.h>

#include "defects_private.h"

static uint8_t *functional_of(const struct defect_view *view)
{
    return defect_find(view, USBDEV_DT_DFU_FUNCTIONAL, 0);
}

// One byte short: DFU 1.0 has 7, DFU 1.1 has 9.
static void cut_functional(struct defect_view *view)
{
    if (!view->runtime)
        return;
    functional_of(view)[0] = 8;
    set_total_length(view, -1);
}

static void drop_functional(struct defect_view *view)
{
    if (view->runtime)
        set_total_length(view, -USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE);
}

static void double_functional(struct defect_view *view)
{
    uint8_t *functional = functional_of(view);

    if (!view->runtime)
        return;
    memcpy(functional + functional[0], functional, functional[0]);
    set_total_length(view, functional[0]);
}

static void functional_before_interface(struct defect_view *view)
{
    uint8_t *functional = functional_of(view);
    uint8_t *interface = functional - USBDEV_INTERFACE_DESCRIPTOR_SIZE;
    uint8_t copy[USBDEV_INTERFACE_DESCRIPTOR_SIZE];

    if (!view->runtime)
        return;
    memcpy(copy, interface, sizeof copy);
    memmove(interface, functional, USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE);
    memcpy(interface + USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE, copy, sizeof copy);
}

static void add_endpoint_to_dfu(struct defect_view *view)
{
    static const uint8_t endpoint[USBDEV_ENDPOINT_DESCRIPTOR_SIZE] = {
        USBDEV_ENDPOINT_DESCRIPTOR_SIZE, USBDEV_DT_ENDPOINT, 0x85, USBDEV_ENDPOINT_BULK, 64, 0, 0,
    };

    if (!view->runtime)
        return;
    functional_of(view)[-USBDEV_INTERFACE_DESCRIPTOR_SIZE + 4] = 1;
    memcpy(view->configuration + usbdev_load_le16(view->configuration + 2), endpoint,
           sizeof endpoint);
    set_total_length(view, sizeof endpoint);
}

// A second DFU interface, at run time after all others, in DFU mode with number 1.
static void add_dfu_interface(struct defect_view *view)
{
    uint8_t *end = view->configuration + usbdev_load_le16(view->configuration + 2);

    memcpy(end, defect_find(view, USBDEV_DT_INTERFACE, 0), USBDEV_INTERFACE_DESCRIPTOR_SIZE);
    end[2] = view->configuration[4]++; // bInterfaceNumber, bNumInterfaces
    end[3] = 0;
    end[5] = DFURT_INTERFACE_CLASS;
    end[6] = DFURT_INTERFACE_SUBCLASS;
    set_total_length(view, USBDEV_INTERFACE_DESCRIPTOR_SIZE);
}

static void second_dfu_at_run_time(struct defect_view *view)
{
    if (view->runtime)
        add_dfu_interface(view);
}

static void second_in_dfu_mode(struct defect_view *view)
{
    if (view->bootloader)
        add_dfu_interface(view);
}

static int answer_for_1_at_run_time(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return view->runtime ? defect_answer_for_interfaces(view, setup, 1, 1) : NATIVE_PASS;
}

static int answer_for_1_in_dfu_mode(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return view->bootloader ? defect_answer_for_interfaces(view, setup, 1, 1) : NATIVE_PASS;
}

static void alternate_gap(struct defect_view *view)
{
    uint8_t *second = defect_find(view, USBDEV_DT_INTERFACE, 1);

    if (view->bootloader && second)
        second[3] = 5;
}

static void vendor_descriptor_in_dfu_mode(struct defect_view *view)
{
    static const uint8_t vendor[] = {4, 0x24, 0, 0};

    if (view->bootloader)
        defect_append(view, vendor, sizeof vendor);
}

static void endpoint_in_dfu_mode(struct defect_view *view)
{
    static const uint8_t endpoint[] = {7, USBDEV_DT_ENDPOINT, 0x81, USBDEV_ENDPOINT_BULK, 64, 0, 0};
    uint8_t *last = functional_of(view) - USBDEV_INTERFACE_DESCRIPTOR_SIZE;

    if (!view->bootloader)
        return;
    last[4] = 1; // bNumEndpoints
    defect_append(view, endpoint, sizeof endpoint);
}

static void other_functional_behind_second(struct defect_view *view)
{
    uint8_t *other = defect_repeat_functional(view);

    if (other)
        usbdev_store_le16(other + 5, 64); // wTransferSize
}

static void no_functional_in_dfu_mode(struct defect_view *view)
{
    if (view->bootloader)
        set_total_length(view, -USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE);
}

// The device descriptor of appDETACH is another one.
static void change_in_app_detach(struct defect_view *view)
{
    if (view->runtime && dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appDETACH)
        view->device_descriptor[12] = 0x77;
}

const struct sim_defect defects_of_descriptors[] = {
    {
        .name = "rt-protocol-0",
        .summary = "bInterfaceProtocol 0 at run time",
        .patches = PATCHES({PATCH_DFU_INTERFACE, AT_RUN_TIME, 7, 0}),
    },
    {
        .name = "rt-alternate-1",
        .summary = "the DFU interface begins with alternate setting 1",
        .patches = PATCHES({PATCH_DFU_INTERFACE, AT_RUN_TIME, 3, 1}),
    },
    {
        .name = "rt-endpoint",
        .summary = "the DFU interface has an endpoint",
        .describe = add_endpoint_to_dfu,
    },
    {
        .name = "rt-interface-name",
        .summary = "iInterface of the DFU interface names no string",
        .patches = PATCHES({PATCH_DFU_INTERFACE, AT_RUN_TIME, 8, 0x51}),
    },
    {
        .name = "functional-8-bytes",
        .summary = "the functional descriptor is 8 bytes long, of no version of DFU",
        .describe = cut_functional,
    },
    {
        .name = "functional-missing",
        .summary = "no functional descriptor at run time",
        .describe = drop_functional,
    },
    {
        .name = "functional-twice",
        .summary = "two functional descriptors at run time",
        .describe = double_functional,
    },
    {
        .name = "functional-first",
        .summary = "the functional descriptor precedes its interface",
        .describe = functional_before_interface,
    },
    {
        .name = "attributes-reserved",
        .summary = "a reserved bit of bmAttributes is set",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_BOTH_MODES, 2, 0x1B}),
    },
    {
        .name = "transfer-size-0",
        .summary = "wTransferSize 0 at run time",
        .patches =
            PATCHES({PATCH_FUNCTIONAL, AT_RUN_TIME, 5, 0}, {PATCH_FUNCTIONAL, AT_RUN_TIME, 6, 0}),
    },
    {
        .name = "transfer-size-32",
        .summary = "wTransferSize 32 at run time: half a packet, in either mode",
        .patches =
            PATCHES({PATCH_FUNCTIONAL, AT_RUN_TIME, 5, 32}, {PATCH_FUNCTIONAL, AT_RUN_TIME, 6, 0}),
    },
    {
        .name = "transfer-size-swapped",
        .summary = "wTransferSize 0008h, 0800h with its bytes swapped",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_BOTH_MODES, 5, 0x08},
                           {PATCH_FUNCTIONAL, IN_BOTH_MODES, 6, 0x00}),
    },
    {
        .name = "transfer-size-ffff",
        .summary = "wTransferSize FFFFh at run time",
        .patches = PATCHES({PATCH_FUNCTIONAL, AT_RUN_TIME, 5, 0xFF},
                           {PATCH_FUNCTIONAL, AT_RUN_TIME, 6, 0xFF}),
    },
    {
        .name = "version-swapped",
        .summary = "bcdDFUVersion 1001h: its bytes swapped",
        .patches = PATCHES({PATCH_FUNCTIONAL, AT_RUN_TIME, 7, 0x01},
                           {PATCH_FUNCTIONAL, AT_RUN_TIME, 8, 0x10}),
    },
    {
        .name = "timeout-0",
        .summary = "wDetachTimeOut 0",
        .patches =
            PATCHES({PATCH_FUNCTIONAL, AT_RUN_TIME, 3, 0}, {PATCH_FUNCTIONAL, AT_RUN_TIME, 4, 0}),
    },
    {
        .name = "timeout-huge",
        .summary = "wDetachTimeOut FF00h: its bytes swapped",
        .patches = PATCHES({PATCH_FUNCTIONAL, AT_RUN_TIME, 3, 0x00},
                           {PATCH_FUNCTIONAL, AT_RUN_TIME, 4, 0xFF}),
    },
    {
        .name = "changes-in-app-detach",
        .summary = "the device descriptor changes in appDETACH",
        .describe = change_in_app_detach,
    },

    {
        .name = "dm-class",
        .summary = "bDeviceClass FFh in DFU mode",
        .patches = PATCHES({PATCH_DEVICE, IN_DFU_MODE, 4, 0xFF}),
    },
    {
        .name = "dm-two-configurations",
        .summary = "bNumConfigurations 2 in DFU mode",
        .patches = PATCHES({PATCH_DEVICE, IN_DFU_MODE, 17, 2}),
    },
    {
        .name = "dm-protocol-1",
        .summary = "bInterfaceProtocol 1 in DFU mode",
        .patches = PATCHES({PATCH_DFU_INTERFACE, IN_DFU_MODE, 7, 1}),
    },
    {
        .name = "dm-no-dfu",
        .summary = "no DFU interface in DFU mode: bInterfaceClass FFh",
        .patches = PATCHES({PATCH_DFU_INTERFACE, IN_DFU_MODE, 5, 0xFF}),
    },
    {
        .name = "dm-subclass-2",
        .summary = "no DFU interface in DFU mode: bInterfaceSubClass 2",
        .patches = PATCHES({PATCH_DFU_INTERFACE, IN_DFU_MODE, 6, 2}),
    },
    {
        .name = "dm-transfer-size",
        .summary = "wTransferSize in DFU mode is not that of run time",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_DFU_MODE, 5, 0x00},
                           {PATCH_FUNCTIONAL, IN_DFU_MODE, 6, 0x02}),
    },

    {
        .name = "dfu-interface-twice",
        .summary = "two DFU interfaces at run time",
        .describe = second_dfu_at_run_time,
        .setup = answer_for_1_at_run_time,
    },
    {
        .name = "dm-interface-twice",
        .summary = "two interfaces in DFU mode",
        .describe = second_in_dfu_mode,
        .setup = answer_for_1_in_dfu_mode,
    },
    {
        .name = "dm-interface-1",
        .summary = "the interface in DFU mode has number 1",
        .patches = PATCHES({PATCH_DFU_INTERFACE, IN_DFU_MODE, 2, 1}),
    },
    {
        .name = "dm-alternate-gap",
        .summary = "the second alternate setting in DFU mode has number 5",
        .describe = alternate_gap,
    },
    {
        .name = "dm-endpoint",
        .summary = "the interface in DFU mode has an endpoint",
        .describe = endpoint_in_dfu_mode,
    },
    {
        .name = "dm-functional-copy-differs",
        .summary = "the second alternate setting of DFU mode has another functional descriptor",
        .describe = other_functional_behind_second,
    },
    {
        .name = "dm-functional-missing",
        .summary = "no functional descriptor in DFU mode",
        .describe = no_functional_in_dfu_mode,
    },
    {
        .name = "dm-will-detach",
        .summary = "bitWillDetach in DFU mode is not that of run time",
        .patches = PATCHES(
            {PATCH_FUNCTIONAL, IN_DFU_MODE, 2, DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD}),
    },
    {
        .name = "dm-vendor-descriptor",
        .summary = "a descriptor of another class in DFU mode",
        .describe = vendor_descriptor_in_dfu_mode,
    },
    {
        .name = "dm-total-short",
        .summary = "wTotalLength in DFU mode ends behind the first of several settings",
        .patches = PATCHES({PATCH_CONFIGURATION, IN_DFU_MODE, 2, 18}),
    },
    {
        .name = "dm-alternate-unnamed",
        .summary = "the first of the alternate settings in DFU mode has no name",
        .patches = PATCHES({PATCH_DFU_INTERFACE, IN_DFU_MODE, 8, 0}),
    },
    {0},
};
