// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <sys/utsname.h>

#include <conformance/report.h>
#include <usb/descriptors.h>

// DFU 1.0 has a functional descriptor of 7 bytes; DfuSe has bcdDFUVersion 011Ah (UM0424).
static void name_version(char text[REPORT_TEXT], const struct report_device *device)
{
    const struct target_descriptors *raw = &device->descriptors;
    const struct usb_dfu_functional *functional = NULL;
    struct usb_configuration config;

    if (configuration_parse(&config, raw->configuration, raw->configuration_length))
        functional = configuration_functional(&config);
    if (!functional)
        snprintf(text, REPORT_TEXT, "no DFU functional descriptor");
    else if (functional->bcdDFUVersion == 0x0100)
        snprintf(text, REPORT_TEXT, "DFU 1.0");
    else if (functional->bcdDFUVersion == 0x0110)
        snprintf(text, REPORT_TEXT, "DFU 1.1");
    else if (functional->bcdDFUVersion == 0x011A)
        snprintf(text, REPORT_TEXT, "DfuSe");
    else
        snprintf(text, REPORT_TEXT, "DFU of unknown version %04xh", functional->bcdDFUVersion);
}

void report_profile(const struct report *report, char text[REPORT_TEXT])
{
    char version[REPORT_TEXT];

    if (report->chapter9) {
        snprintf(text, REPORT_TEXT, "any USB device, USB 2.0 chapter 9");
        return;
    }
    name_version(version, report->dfu_mode.seen ? &report->dfu_mode : &report->run_time);
    const char *seen = !report->dfu_mode.seen   ? ", seen at run time only"
                       : !report->run_time.seen ? ", seen in DFU mode only"
                                                : "";
    snprintf(text, REPORT_TEXT, "%.60s%s", version, seen);
}

void report_name_device(const struct report_device *device, char text[REPORT_DEVICE])
{
    const uint8_t *bytes = device->descriptors.device;
    snprintf(text, REPORT_DEVICE, "%04x:%04x %s %s%s%s", usbdev_load_le16(bytes + 8),
             usbdev_load_le16(bytes + 10), device->manufacturer, device->product,
             *device->serial ? ", serial " : "", device->serial);
}

void report_name_host(char text[REPORT_TEXT])
{
    struct utsname name;
    if (uname(&name) < 0)
        *text = '\0';
    else
        snprintf(text, REPORT_TEXT, "%.60s, %.20s %.20s %.20s", name.nodename, name.sysname,
                 name.release, name.machine);
}
