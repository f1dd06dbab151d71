// SPDX-License-Identifier: MIT
//
// usb_follow_choose() compares the devices that are there now with those that were there when the
// device left. Candidates are a new address at the device's own place, and each new device at
// another place that may be ours; exactly one decides.

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

static bool knows_dfu_ids(const struct usb_follow *follow)
{
    return follow->dfu_vendor || follow->dfu_product;
}

bool usb_follow_moved(const struct usb_follow *follow)
{
    bool at_first =
        strcmp(follow->place, follow->first) == 0 || strcmp(follow->peer, follow->first) == 0;
    bool named =
        *follow->named && (knows_dfu_ids(follow) || strcmp(follow->serial, follow->named) == 0);
    return !at_first && !named;
}

static bool is_known(const struct usb_follow *follow, const struct usb_seen *seen)
{
    if (knows_dfu_ids(follow))
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

// Or another one like it.
static bool is_as_it_was(const struct usb_follow *follow, const struct usb_seen *seen)
{
    return *follow->serial && strcmp(seen->serial, follow->serial) == 0 &&
           has_ids(seen, follow->idVendor, follow->idProduct);
}

static const struct usb_seen *find_at_its_place(const struct usb_follow *follow,
                                                const struct usb_list *now)
{
    for (size_t i = 0; i < now->count; i++)
        if (is_at_its_place(follow, &now->devices[i]))
            return &now->devices[i];
    return NULL;
}

struct candidates {
    const struct usb_seen *last;
    unsigned count;
    char names[160];
};

static void add_candidate(struct candidates *candidates, const struct usb_seen *seen)
{
    size_t used = strlen(candidates->names);
    candidates->last = seen;
    candidates->count++;
    snprintf(candidates->names + used, sizeof candidates->names - used, "%s%04x:%04x at %s",
             used ? " or " : "", seen->idVendor, seen->idProduct, seen->place);
}

// A device that a person's path= keeps from being followed, as the reason why it is not back.
static void say_elsewhere(const struct usb_follow *follow,
                          const struct usb_list *now,
                          uint64_t heard_ms,
                          char *text,
                          size_t size)
{
    struct candidates others = {.count = 0};
    for (size_t i = 0; i < now->count; i++)
        if (may_be_ours(follow, &now->devices[i], heard_ms))
            add_candidate(&others, &now->devices[i]);
    if (others.count > 0)
        snprintf(text, size,
                 "path= allows %s alone, and a device like it came to another place: %s",
                 follow->place, others.names);
}

enum usb_follow_result usb_follow_choose(const struct usb_follow *follow,
                                         const struct usb_list *now,
                                         uint64_t heard_ms,
                                         bool elsewhere,
                                         const struct usb_seen **ret_found,
                                         char *text,
                                         size_t size)
{
    struct candidates candidates = {.count = 0};
    const struct usb_seen *own = find_at_its_place(follow, now);
    if (own)
        add_candidate(&candidates, own);
    for (size_t i = 0; i < now->count && (elsewhere || own) && !follow->only_place; i++) {
        if (&now->devices[i] != own && may_be_ours(follow, &now->devices[i], heard_ms))
            add_candidate(&candidates, &now->devices[i]);
    }
    if (candidates.count > 1) {
        snprintf(text, size, "which device came back cannot be told: %s; name its place with path=",
                 candidates.names);
        return USB_FOLLOW_SEVERAL;
    }
    if (candidates.count == 0 && elsewhere && follow->only_place)
        say_elsewhere(follow, now, heard_ms, text, size);
    if (candidates.count == 0 ||
        (own && !elsewhere && !follow->only_place && is_as_it_was(follow, own)))
        return USB_FOLLOW_NONE;
    *ret_found = candidates.last;
    return USB_FOLLOW_FOUND;
}
