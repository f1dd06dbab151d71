// SPDX-License-Identifier: MIT
//
// Descriptors of a device: configurations, strings, the layout of a DfuSe memory.

#include <assert.h>
#include <stdlib.h>

#include <usb/descriptors.h>
#include <usb/dfuse_layout.h>
#include <usb/text.h>

#include "script.h"

static void walk(const uint8_t *bytes, size_t length)
{
    struct descriptor_walk walk;
    struct descriptor descriptor;
    size_t end = 0;

    descriptor_walk_start(&walk, bytes, length);
    while (descriptor_walk_next(&walk, &descriptor)) {
        assert(descriptor.offset == end && descriptor.bLength >= 2);
        end += descriptor.bLength;
        assert(end <= length);
    }
    assert(walk.problem || end == length);
}

static void parse(const uint8_t *bytes, size_t length)
{
    static struct usb_configuration config;

    if (!configuration_parse(&config, bytes, length))
        return;
    assert(config.walked <= length && config.problem_offset <= length);
    assert(config.interface_count <= CONFIGURATION_MAX_INTERFACES);
    assert(config.endpoint_count <= CONFIGURATION_MAX_ENDPOINTS);
    assert(config.association_count <= CONFIGURATION_MAX_ASSOCIATIONS);
    assert(config.functional_count <= CONFIGURATION_MAX_FUNCTIONALS);
    for (size_t i = 0; i < config.endpoint_count; i++)
        assert(config.endpoints[i].interface < (int)config.interface_count);
    for (size_t i = 0; i < config.functional_count; i++)
        assert(config.functionals[i].interface < (int)config.interface_count);
    assert(configuration_interface_numbers(&config) <= config.interface_count);

    const struct usb_interface *dfu = configuration_dfu_interface(&config);
    assert(!dfu || configuration_has_interface(&config, dfu->bInterfaceNumber));
    configuration_functional(&config);
}

static void decode(const uint8_t *bytes, size_t length, size_t size)
{
    char *text = malloc(size);
    size_t text_length = usb_text(text, size, bytes, length);

    assert(text_length < size && strlen(text) == text_length);
    for (size_t i = 0; i < text_length; i++)
        assert((uint8_t)text[i] >= 0x20 && text[i] != 0x7F);
    usb_text_problem(bytes, length);
    free(text);
}

static void lay_out(const uint8_t *bytes, size_t length)
{
    static struct dfuse_layout layout;
    char *text = malloc(length + 1);

    memcpy(text, bytes, length);
    text[length] = '\0';
    assert(dfuse_layout_parse(&layout, text) == (layout.count > 0));
    assert(layout.count <= DFUSE_MAX_REGIONS);
    assert(memchr(layout.problem, '\0', sizeof layout.problem));
    for (size_t i = 0; i < layout.count; i++) {
        const struct dfuse_region *region = &layout.regions[i];
        uint64_t size = (uint64_t)region->sectors * region->sector_size;

        assert(size > 0 && region->address + size <= UINT64_C(1) << 32);
        assert(dfuse_layout_find(&layout, region->address));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct script script = {bytes, length};
    const uint8_t size = script_u8(&script);
    uint8_t *exact = malloc(script.length > 0 ? script.length : 1); // ASan sees what is behind

    length = script_bytes(&script, exact, script.length);
    walk(exact, length);
    parse(exact, length);
    decode(exact, length, 1u + size);
    lay_out(exact, length);
    free(exact);
    return 0;
}
