// SPDX-License-Identifier: MIT
//
// Boot loaders whose descriptors are not those of DFU mode (DFU 1.1 4.2).

#include <sim/models.h>

enum { BESIDE = 1 }; // bInterfaceNumber of the interface beside DFU's

// A disk to copy firmware to, a serial port or another DFU interface: here an interface without
// endpoints.
static void describe_beside(struct defect_view *view)
{
    if (view->bootloader)
        defect_append_interface(view, BESIDE);
}

static int answer_beside(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->bootloader ? defect_answer_for_interfaces(view, setup, BESIDE, 1) : NATIVE_PASS;
}

const struct shipped_model models_of_descriptors[] = {
    {
        .model = {.name = "interface-beside-dfu",
                  .summary = "DFU mode has another interface beside DFU's, as boot loaders have "
                             "that are a disk too",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-DESC-03a",
        .way = {.describe = describe_beside, .setup = answer_beside},
    },
    {.about = NULL},
};
