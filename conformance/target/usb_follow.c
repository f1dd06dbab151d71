// SPDX-License-Identifier: MIT
//
// usb_follow_choose() compares the devices that are there now with those that were there when the
// device left. A new address at the device's own place decides at once; otherwise exactly one
// candidate at another place does, and two candidates are reported by their names.

#include <stdio.h>
#include <string.h>

#include "usb_follow.h"

// A board that enumerates again has another address at the place that it had.
static bool was_there(const struct usb_list *before, const struct usb_seen *seen)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct usb_seen *other = &before->devices[i];
        bool same_address = other->bus == seen->bus && other->address == seen->address;
        if (same_address || strcmp(other->place, seen->place) == 0)
            return true;
    }
    return false;
}

static bool is_at_its_place(const struct usb_follow *follow, const struct usb_seen *seen)
{
    if (strcmp(seen->place, follow->place) == 0)
        return seen->address != follow->address;
    return *follow->peer && strcmp(seen->place, follow->peer) == 0 &&
           !was_there(&follow->before, seen);
}

static bool has_ids(const struct usb_seen *seen, uint16_t vendor, uint16_t product)
{
    return seen->idVendor == vendor && seen->idProduct == product;
}

static bool is_known(const struct usb_follow *follow, const struct usb_seen *seen)
{
    if (follow->dfu_vendor || follow->dfu_product)
        return has_ids(seen, follow->dfu_vendor, follow->dfu_product) ||
               has_ids(seen, follow->vendor, follow->product);
    return *follow->serial && seen->dfu && strcmp(seen->serial, follow->serial) == 0;
}

static bool
may_be_ours(const struct usb_follow *follow, const struct usb_seen *seen, uint64_t heard_ms)
{
    bool newer = seen->age_ms == UINT64_MAX || seen->age_ms <= heard_ms;
    return newer && !was_there(&follow->before, seen) && is_known(follow, seen);
}

static void add_name(char *text, size_t size, const struct usb_seen *seen)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%04x:%04x at %s", used ? " or " : "", seen->idVendor,
             seen->idProduct, seen->place);
}

enum usb_follow_result usb_follow_choose(const struct usb_follow *follow,
                                         const struct usb_list *now,
                                         uint64_t heard_ms,
                                         bool elsewhere,
                                         const struct usb_seen **ret_found,
                                         char *text,
                                         size_t size)
{
    unsigned candidates = 0;
    for (size_t i = 0; i < now->count; i++) {
        if (is_at_its_place(follow, &now->devices[i])) {
            *ret_found = &now->devices[i];
            return USB_FOLLOW_FOUND;
        }
    }
    text[0] = '\0';
    for (size_t i = 0; i < now->count && elsewhere && !follow->only_place; i++) {
        if (!may_be_ours(follow, &now->devices[i], heard_ms))
            continue;
        *ret_found = &now->devices[i];
        candidates++;
        add_name(text, size, &now->devices[i]);
    }
    return candidates > 1 ? USB_FOLLOW_SEVERAL : candidates ? USB_FOLLOW_FOUND : USB_FOLLOW_NONE;
}
