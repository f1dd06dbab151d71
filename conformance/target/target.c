// SPDX-License-Identifier: MIT
//
// target_spec_parse() takes a SPEC apart without opening anything: the prefix selects the kind,
// then options follow, separated by commas. The value of power= reaches to the end of the text,
// because a command may contain commas. target_open() calls the target of that kind, or says that
// it was not built.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/bus.h>

#include "config.h"
#include <conformance/target.h>

// ---- The argument of --target ----

static int spec_error(char *error, size_t size, const char *text, const char *wanted)
{
    snprintf(error, size, "target '%s': expected %s", text, wanted);
    return -1;
}

// Copy up to end; false if it is empty or does not fit.
static bool take(char ret[TARGET_TEXT], const char *from, const char *end)
{
    size_t length = (size_t)(end - from);
    if (length == 0 || length >= TARGET_TEXT)
        return false;
    memcpy(ret, from, length);
    ret[length] = '\0';
    return true;
}

// Exactly one to four hex digits up to end.
static bool take_hex16(uint16_t *ret, const char *from, const char *end)
{
    if (end - from < 1 || end - from > 4)
        return false;
    unsigned value = 0;
    for (; from < end; from++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *from | 0x20);
        if (!*from || !digit)
            return false;
        value = value << 4 | (unsigned)(digit - digits);
    }
    *ret = (uint16_t)value;
    return true;
}

struct spec_option {
    const char *key; // with its '='
    char *value;
};

// Parse ",key=value..." until the end of the text, each key once. A command may have commas in it,
// so it is the last.
static bool take_options(const char *text, const struct spec_option *options, size_t count)
{
    while (*text == ',') {
        const char *key = text + 1;
        bool command = strncmp(key, "power=", strlen("power=")) == 0;
        const char *end = key + (command ? strlen(key) : strcspn(key, ","));
        size_t i = 0;
        while (i < count && strncmp(key, options[i].key, strlen(options[i].key)) != 0)
            i++;
        if (i == count || *options[i].value ||
            !take(options[i].value, key + strlen(options[i].key), end))
            return false;
        text = end;
    }
    return *text == '\0';
}

int target_ids_parse(struct target_spec *spec, const char *text, char *error, size_t size)
{
    const char *colon = text + strcspn(text, ":");
    uint16_t vendor, product;
    if (*colon != ':' || !take_hex16(&vendor, text, colon) ||
        !take_hex16(&product, colon + 1, text + strlen(text))) {
        snprintf(error, size, "'%s': expected VID:PID in hex", text);
        return -1;
    }
    spec->dfu_vendor = vendor;
    spec->dfu_product = product;
    return 0;
}

static int parse_usb(struct target_spec *spec, const char *text, char *error, size_t size)
{
    const char *vendor = text + strlen("usb:");
    const char *colon = vendor + strcspn(vendor, ":");
    const char *product = *colon ? colon + 1 : colon;
    const char *end = product + strcspn(product, ",");
    const struct spec_option options[] = {
        {"serial=", spec->serial}, {"path=", spec->path}, {"power=", spec->power}};
    if (!take_hex16(&spec->vendor, vendor, colon) || !take_hex16(&spec->product, product, end) ||
        !take_options(end, options, 3))
        return spec_error(
            error, size, text,
            "usb:VID:PID[,serial=S][,path=BUS-PORTS][,power=COMMAND], VID and PID in hex, "
            "power= last");
    return 0;
}

// The path of a Unix socket may contain a slash, so that its bus id follows a comma.
static int parse_usbip_unix(struct target_spec *spec, const char *text, char *error, size_t size)
{
    const char *path = text + strlen("usbip:unix:");
    const char *end = path + strcspn(path, ",");
    const struct spec_option options[] = {{"busid=", spec->bus_id}};
    if (!take(spec->port, path, end) || !take_options(end, options, 1))
        return spec_error(error, size, text, "usbip:unix:PATH[,busid=BUSID]");
    strcpy(spec->host, "unix");
    return 0;
}

// A decimal number; an empty text leaves what there is.
static bool take_number(unsigned *ret_number, const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text == '\0')
        return true;
    if (*end != '\0' || strspn(text, "0123456789") != strlen(text) || number > UINT32_MAX)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static int parse_usbip(struct target_spec *spec, const char *text, char *error, size_t size)
{
    const char *host = text + strlen("usbip:");
    const char *end = host + strcspn(host, "/");
    const char *colon = end;
    unsigned port = 0;
    while (colon > host && *colon != ':')
        colon--;
    if (*colon != ':' || !take(spec->host, host, colon) || !take(spec->port, colon + 1, end) ||
        (*end && !take(spec->bus_id, end + 1, end + strlen(end))) ||
        !take_number(&port, spec->port) || port < 1 || port > 65535)
        return spec_error(error, size, text, "usbip:HOST:PORT[/BUSID], PORT from 1 to 65535");
    return 0;
}

static bool is_place_or_empty(const char *text)
{
    return *text == '\0' || sim_bus_is_place(text);
}

static int parse_sim(struct target_spec *spec, const char *text, char *error, size_t size)
{
    const char *wanted = "sim[:DEVICE[,defect=NAME][,firmware=FILE][,chip=NAME][,boot=ADDRESS]"
                         "[,pin=PIN=LEVEL[@MS][+...]][,uart=FILE][,gdb=PORT][,serial=S][,away=MS]"
                         "[,unplug=REQUEST][,path=BUS-PORTS][,moves=BUS-PORTS][,twin=BUS-PORTS]]";
    char away[TARGET_TEXT] = "";
    char unplug[TARGET_TEXT] = "";
    const struct spec_option options[] = {
        {"defect=", spec->defect}, {"firmware=", spec->firmware}, {"chip=", spec->chip},
        {"boot=", spec->boot},     {"pin=", spec->pin},           {"uart=", spec->uart},
        {"gdb=", spec->gdb},       {"serial=", spec->serial},     {"away=", away},
        {"unplug=", unplug},       {"path=", spec->path},         {"moves=", spec->moves},
        {"twin=", spec->twin}};
    const char *device = text + strlen("sim");
    if (*device == '\0')
        return 0;
    device++;
    const char *end = device + strcspn(device, ",");
    if (!take(spec->device, device, end) ||
        !take_options(end, options, sizeof options / sizeof *options) ||
        !take_number(&spec->away_ms, away) || !take_number(&spec->unplug_at, unplug) ||
        !is_place_or_empty(spec->path) || !is_place_or_empty(spec->moves) ||
        !is_place_or_empty(spec->twin))
        return spec_error(error, size, text, wanted);
    return 0;
}

int target_spec_parse(struct target_spec *ret_spec, const char *text, char *error, size_t size)
{
    struct target_spec spec = {.kind = TARGET_KIND_SIM};
    int result;
    if (strncmp(text, "usb:", 4) == 0) {
        spec.kind = TARGET_KIND_USB;
        result = parse_usb(&spec, text, error, size);
    } else if (strncmp(text, "usbip:", 6) == 0) {
        spec.kind = TARGET_KIND_USBIP;
        result = strncmp(text, "usbip:unix:", 11) == 0 ? parse_usbip_unix(&spec, text, error, size)
                                                       : parse_usbip(&spec, text, error, size);
    } else if (strcmp(text, "sim") == 0 || strncmp(text, "sim:", 4) == 0) {
        result = parse_sim(&spec, text, error, size);
    } else {
        result = spec_error(error, size, text,
                            "usb:VID:PID, usbip:HOST:PORT or sim[:DEVICE]; an image as "
                            "sim:f072,firmware=FILE");
    }
    if (result == 0)
        *ret_spec = spec;
    return result;
}

struct target *target_open(const struct target_spec *spec, char *error, size_t size)
{
    switch (spec->kind) {
    case TARGET_KIND_USB:
#if HAVE_TARGET_USB
        return target_usb_open(spec, error, size);
#else
        break;
#endif
    case TARGET_KIND_USBIP:
#if HAVE_TARGET_USBIP
        return target_usbip_open(spec, error, size);
#else
        break;
#endif
    case TARGET_KIND_SIM:
        return target_sim_open(spec, error, size);
    }
    snprintf(error, size, "this dfu-conformance was built without that kind of target");
    return NULL;
}
