// SPDX-License-Identifier: MIT
//
// check_field() is the function of every row. It reads the descriptor that the row names, takes one
// or two bytes at the row's offset and compares them by the row's relation; the text of the
// expectation is made of the same row.

#include <stdio.h>

#include <conformance/check_fields.h>

// ---- What a relation is ----

static bool holds(const struct field *field, unsigned value)
{
    switch (field->relation) {
    case FIELD_IS:
        return value == field->constant;
    case FIELD_IS_NOT:
        return value != field->constant;
    case FIELD_AT_LEAST:
        return value >= field->constant;
    case FIELD_AT_MOST:
        return value <= field->constant;
    case FIELD_BITS_SET:
        return (value & field->constant) == field->constant;
    case FIELD_BITS_CLEAR:
        return (value & field->constant) == 0;
    }
    return false;
}

static const char *relation_text(enum field_relation relation)
{
    switch (relation) {
    case FIELD_IS:
        return "is";
    case FIELD_IS_NOT:
        return "is not";
    case FIELD_AT_LEAST:
        return "is at least";
    case FIELD_AT_MOST:
        return "is at most";
    case FIELD_BITS_SET:
        return "has these bits set:";
    case FIELD_BITS_CLEAR:
        return "has these bits clear:";
    }
    return "?";
}

static bool expect_field(struct probe *probe, const uint8_t *descriptor)
{
    const struct field *field = probe->check->row;
    char expected[96];
    const uint8_t *bytes = descriptor + field->offset;
    unsigned value = field->size == 2 ? usbdev_load_le16(bytes) : *bytes;
    snprintf(expected, sizeof expected, "%s %s %u (%Xh)", field->name,
             relation_text(field->relation), field->constant, field->constant);
    return expect(probe, holds(field, value), expected, "%u (%Xh)", value, value);
}

// ---- Where the descriptor is ----

// The first configuration that has DFU, in its context.
static bool keep_if_dfu(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)probe;
    if (!configuration_dfu_interface(&read->config))
        return true;
    *(struct configuration_bytes *)context = *read;
    return false;
}

bool read_dfu_interface(struct probe *probe, struct dfu_descriptors *ret)
{
    if (!given(probe, read_configuration(probe, &ret->read)))
        return false;
    if (!configuration_dfu_interface(&ret->read.config))
        for_each_configuration(probe, keep_if_dfu, &ret->read);
    ret->interface = configuration_dfu_interface(&ret->read.config);
    ret->functional = configuration_functional(&ret->read.config);
    return given(probe,
                 expect(probe, ret->interface, "an interface of class FEh, subclass 01h", "none"));
}

bool read_dfu(struct probe *probe, struct dfu_descriptors *ret)
{
    return read_dfu_interface(probe, ret) &&
           given(probe, expect(probe, ret->functional, "a DFU functional descriptor", "none"));
}

static bool
look_at_header(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    return expect_field(probe, read->bytes);
}

void check_field(struct probe *probe)
{
    const struct field *field = probe->check->row;
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    struct dfu_descriptors dfu;
    switch (field->of) {
    case OF_DEVICE:
        if (read_device_descriptor(probe, device))
            expect_field(probe, device);
        break;
    case OF_CONFIGURATION:
        for_each_configuration(probe, look_at_header, NULL);
        break;
    case OF_DFU_INTERFACE:
        if (read_dfu_interface(probe, &dfu))
            expect_field(probe, dfu.read.bytes + dfu.interface->offset);
        break;
    case OF_FUNCTIONAL:
        if (read_dfu(probe, &dfu))
            expect_field(probe, dfu.read.bytes + dfu.functional->offset);
        break;
    }
}
