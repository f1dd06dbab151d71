// SPDX-License-Identifier: MIT
//
// The device that a backup is of. A plug may be pulled in the middle of a run, and another board of
// the same kind put into the socket: it must not be given the firmware, the settings or the keys of
// the first one. So the device is looked at once each time that it has been away.

#include <stdio.h>
#include <string.h>

#include "backup_private.h"

// Returns whether the serial number is known; that of a device without one is empty.
static bool read_owner(struct probe *probe, struct backup_owner *owner)
{
    const struct device *device = &probe->dfu_mode;
    uint8_t iSerialNumber = device->raw.device[16];
    *owner = (struct backup_owner){
        .idVendor = device_vendor(device),
        .idProduct = device_product(device),
        .returned_us = probe->since.returned_us,
    };
    probe->on_the_way++;
    probe_read_string(probe, iSerialNumber, owner->serial, sizeof owner->serial);
    probe->on_the_way--;
    return !iSerialNumber || *owner->serial;
}

void backup_know_owner(struct probe *probe)
{
    struct backup *backup = probe->backup;
    backup->owner.known = read_owner(probe, &backup->owner);
}

// Boards that were not given a serial number each say the same one, and may be followed by it to
// one of the others.
bool backup_is_in_its_place(struct probe *probe, char *why, size_t size)
{
    if (!probe->target->moved)
        return true;
    probe->backup->moved = true;
    snprintf(why, size,
             "the device came back at another place and may be another board; plug it in where it "
             "was, or give its serial= (usb:)");
    return false;
}

bool backup_has_its_owner(struct probe *probe, char *why, size_t size)
{
    struct backup_owner *owner = &probe->backup->owner;
    struct backup_owner now;
    if (!backup_is_in_its_place(probe, why, size))
        return false;
    if (owner->returned_us == probe->since.returned_us)
        return true;
    bool known = read_owner(probe, &now) && owner->known;
    if (now.idVendor == owner->idVendor && now.idProduct == owner->idProduct &&
        (!known || strcmp(now.serial, owner->serial) == 0)) {
        owner->returned_us = now.returned_us;
        return true;
    }
    snprintf(why, size, "another board is in its place, %04x:%04x with %s%.40s", now.idVendor,
             now.idProduct, *now.serial ? "serial number " : "no serial number", now.serial);
    return false;
}
