// SPDX-License-Identifier: MIT
//
// The device in the HTML report: first what DFU needs, then each descriptor with its bytes and its
// fields by name. A field past the end of its descriptor is omitted.

#include <stdbool.h>

#include "report_html.h"
#include <usb/descriptors.h>

enum { BYTES_TEXT = 3 * 256 };

enum form { DECIMAL, HEX };

struct field {
    const char *name;
    uint8_t offset;
    uint8_t size;
    enum form form;
};

struct layout {
    const char *name;
    uint8_t type;
    size_t count;
    const struct field *fields;
};

// clang-format off
static const struct field device_fields[] = {
    {"bcdUSB", 2, 2, HEX}, {"bDeviceClass", 4, 1, HEX}, {"bDeviceSubClass", 5, 1, HEX},
    {"bDeviceProtocol", 6, 1, HEX}, {"bMaxPacketSize0", 7, 1, DECIMAL}, {"idVendor", 8, 2, HEX},
    {"idProduct", 10, 2, HEX}, {"bcdDevice", 12, 2, HEX}, {"iManufacturer", 14, 1, DECIMAL},
    {"iProduct", 15, 1, DECIMAL}, {"iSerialNumber", 16, 1, DECIMAL},
    {"bNumConfigurations", 17, 1, DECIMAL},
};
static const struct field configuration_fields[] = {
    {"wTotalLength", 2, 2, DECIMAL}, {"bNumInterfaces", 4, 1, DECIMAL},
    {"bConfigurationValue", 5, 1, DECIMAL}, {"iConfiguration", 6, 1, DECIMAL},
    {"bmAttributes", 7, 1, HEX}, {"bMaxPower", 8, 1, DECIMAL},
};
static const struct field interface_fields[] = {
    {"bInterfaceNumber", 2, 1, DECIMAL}, {"bAlternateSetting", 3, 1, DECIMAL},
    {"bNumEndpoints", 4, 1, DECIMAL}, {"bInterfaceClass", 5, 1, HEX},
    {"bInterfaceSubClass", 6, 1, HEX}, {"bInterfaceProtocol", 7, 1, HEX},
    {"iInterface", 8, 1, DECIMAL},
};
static const struct field endpoint_fields[] = {
    {"bEndpointAddress", 2, 1, HEX}, {"bmAttributes", 3, 1, HEX},
    {"wMaxPacketSize", 4, 2, DECIMAL}, {"bInterval", 6, 1, DECIMAL},
};
static const struct field association_fields[] = {
    {"bFirstInterface", 2, 1, DECIMAL}, {"bInterfaceCount", 3, 1, DECIMAL},
    {"bFunctionClass", 4, 1, HEX}, {"bFunctionSubClass", 5, 1, HEX},
    {"bFunctionProtocol", 6, 1, HEX}, {"iFunction", 7, 1, DECIMAL},
};
static const struct field functional_fields[] = {
    {"bmAttributes", 2, 1, HEX}, {"wDetachTimeOut", 3, 2, DECIMAL},
    {"wTransferSize", 5, 2, DECIMAL}, {"bcdDFUVersion", 7, 2, HEX},
};

#define FIELDS(fields) sizeof(fields) / sizeof(fields)[0], fields
static const struct layout layouts[] = {
    {"device", USBDEV_DT_DEVICE, FIELDS(device_fields)},
    {"configuration", USBDEV_DT_CONFIGURATION, FIELDS(configuration_fields)},
    {"interface", USBDEV_DT_INTERFACE, FIELDS(interface_fields)},
    {"endpoint", USBDEV_DT_ENDPOINT, FIELDS(endpoint_fields)},
    {"interface association", USBDEV_DT_INTERFACE_ASSOCIATION, FIELDS(association_fields)},
    {"DFU functional", USBDEV_DT_DFU_FUNCTIONAL, FIELDS(functional_fields)},
};
#undef FIELDS
// clang-format on

// ---- Descriptor by descriptor ----

static void put_fields(FILE *out, const struct layout *layout, const uint8_t *bytes, size_t length)
{
    fputs("<div class=\"fields\">", out);
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *field = &layout->fields[i];
        if (field->offset + field->size > length)
            break;
        const uint8_t *at = bytes + field->offset;
        unsigned value = field->size == 2 ? usbdev_load_le16(at) : *at;
        fprintf(out, "<span><span class=\"soft\">%s</span> ", field->name);
        if (field->form == HEX)
            fprintf(out, "%0*xh</span> ", 2 * field->size, value);
        else
            fprintf(out, "%u</span> ", value);
    }
    fputs("</div>\n", out);
}

static void
put_descriptor(FILE *out, const struct layout *layout, const uint8_t *bytes, size_t length)
{
    char text[BYTES_TEXT];

    format_bytes(text, sizeof text, bytes, length);
    fprintf(out, "<h4>%s</h4><pre class=\"wrap\">%s</pre>", layout ? layout->name : "other", text);
    if (layout)
        put_fields(out, layout, bytes, length);
}

// 21h is a DFU functional descriptor only where it belongs to DFU: HID has a 21h of its own.
static bool is_functional(const struct usb_configuration *config, size_t offset)
{
    for (size_t i = 0; i < config->functional_count; i++) {
        if (config->functionals[i].offset == offset)
            return true;
    }
    return false;
}

static const struct layout *layout_of(const struct usb_configuration *config,
                                      const struct descriptor *descriptor)
{
    uint8_t type = descriptor->bDescriptorType;

    if (type == USBDEV_DT_DFU_FUNCTIONAL && !is_functional(config, descriptor->offset))
        return NULL;
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (layouts[i].type == type)
            return &layouts[i];
    }
    return NULL;
}

static void put_descriptors(FILE *out,
                            const struct usb_configuration *config,
                            const struct target_descriptors *raw)
{
    struct descriptor_walk walk;
    struct descriptor descriptor;

    fputs("<details><summary>descriptors</summary>\n", out);
    put_descriptor(out, &layouts[0], raw->device, sizeof raw->device);
    descriptor_walk_start(&walk, raw->configuration, raw->configuration_length);
    while (descriptor_walk_next(&walk, &descriptor))
        put_descriptor(out, layout_of(config, &descriptor), descriptor.bytes, descriptor.bLength);
    if (walk.problem)
        fprintf(out, "<p>%s</p>", walk.problem);
    fputs("</details>", out);
}

// ---- What matters for DFU ----

static void put_functional(FILE *out, const struct usb_dfu_functional *functional)
{
    static const char *const bits[] = {"bitCanDnload", "bitCanUpload", "bitManifestationTolerant",
                                       "bitWillDetach"};

    fprintf(out, "<dt>bcdDFUVersion</dt><dd>%04xh</dd>", functional->bcdDFUVersion);
    fprintf(out, "<dt>bmAttributes</dt><dd>%02xh", functional->bmAttributes);
    for (unsigned i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        if (functional->bmAttributes & 1u << i)
            fprintf(out, "<br>%s", bits[i]);
    }
    fprintf(out, "</dd><dt>wDetachTimeOut</dt><dd>%u ms</dd>", functional->wDetachTimeOut);
    fprintf(out, "<dt>wTransferSize</dt><dd>%u bytes</dd>", functional->wTransferSize);
}

static void put_text_row(FILE *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    fprintf(out, "<dt>%s</dt><dd>", name);
    html_put(out, "%s", text);
    fputs("</dd>", out);
}

static void put_device(FILE *out, const char *title, const struct report_device *device)
{
    const struct target_descriptors *raw = &device->descriptors;
    const struct usb_dfu_functional *functional = NULL;
    struct usb_configuration config = {.functional_count = 0};

    if (!device->seen)
        return;
    if (configuration_parse(&config, raw->configuration, raw->configuration_length))
        functional = configuration_functional(&config);
    fprintf(out, "<section class=\"card\"><h3>%s</h3><dl>", title);
    fprintf(out, "<dt>device</dt><dd>%04x:%04x, bcdDevice %04xh</dd>",
            usbdev_load_le16(raw->device + 8), usbdev_load_le16(raw->device + 10),
            usbdev_load_le16(raw->device + 12));
    put_text_row(out, "iManufacturer", device->manufacturer);
    put_text_row(out, "iProduct", device->product);
    put_text_row(out, "iSerialNumber", device->serial);
    if (functional)
        put_functional(out, functional);
    else
        put_text_row(out, "DFU", "no functional descriptor");
    fputs("</dl>", out);
    put_descriptors(out, &config, raw);
    fputs("</section>\n", out);
}

void report_html_devices(FILE *out, const struct report *report)
{
    if (!report->run_time.seen && !report->dfu_mode.seen)
        return;
    fputs("<h2>The device</h2>\n<div class=\"cards\">\n", out);
    put_device(out, "At run time", &report->run_time);
    put_device(out, "In DFU mode", &report->dfu_mode);
    fputs("</div>\n", out);
}
