// SPDX-License-Identifier: MIT
//
// One attribute is one file with one line, read through one function. A file that is missing while
// the folder is there means that the device has gone in between; a missing root means that there is
// no sysfs here. Tests give another root.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usb_sysfs.h"

// ---- One file ----

// The first line of a file of the device at a place, without its end. Returns false if there is
// none.
static bool
read_line(const char *root, const char *place, const char *name, char *line, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s", root, place, name);
    FILE *in = fopen(path, "re");
    if (!in)
        return false;
    bool read = fgets(line, (int)size, in);
    fclose(in);
    if (read)
        line[strcspn(line, "\n")] = '\0';
    return read;
}

static bool read_number(
    const char *root, const char *place, const char *name, int base, unsigned long *ret_number)
{
    char line[32];
    char *end;
    if (!read_line(root, place, name, line, sizeof line))
        return false;
    *ret_number = strtoul(line, &end, base);
    return end != line;
}

int usb_sysfs_address(const char *root, const char *place)
{
    unsigned long address;
    if (access(root, F_OK) < 0)
        return -1;
    return read_number(root, place, "devnum", 10, &address) ? (int)address : 0;
}

uint64_t usb_sysfs_age_ms(const char *root, const char *place)
{
    unsigned long age;
    return read_number(root, place, "power/connected_duration", 10, &age) ? age : UINT64_MAX;
}

// ---- All devices ----

// "1-4.2", not the hub "usb1" and not the interface "1-4.2:1.0".
static bool is_place(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && strchr(name, '-') && !strchr(name, ':');
}

static bool read_device(struct usb_seen *seen, const char *root, const char *place)
{
    unsigned long bus, address, vendor, product;
    *seen = (struct usb_seen){.age_ms = usb_sysfs_age_ms(root, place)};
    if (strlen(place) >= USB_PLACE_SIZE || !read_number(root, place, "busnum", 10, &bus) ||
        !read_number(root, place, "devnum", 10, &address) ||
        !read_number(root, place, "idVendor", 16, &vendor) ||
        !read_number(root, place, "idProduct", 16, &product))
        return false;
    strcpy(seen->place, place);
    seen->bus = (unsigned)bus;
    seen->address = (unsigned)address;
    seen->idVendor = (uint16_t)vendor;
    seen->idProduct = (uint16_t)product;
    if (!read_line(root, place, "serial", seen->serial, sizeof seen->serial))
        seen->serial[0] = '\0';
    return true;
}

static struct usb_seen *find_place(struct usb_list *list, const char *place, size_t length)
{
    for (size_t i = 0; i < list->count; i++) {
        struct usb_seen *seen = &list->devices[i];
        if (strlen(seen->place) == length && strncmp(seen->place, place, length) == 0)
            return seen;
    }
    return NULL;
}

// "1-4.2:1.0" is an interface of the device at 1-4.2.
static void note_interface(struct usb_list *list, const char *root, const char *name)
{
    unsigned long class, subclass;
    struct usb_seen *seen = find_place(list, name, strcspn(name, ":"));
    if (seen && read_number(root, name, "bInterfaceClass", 16, &class) &&
        read_number(root, name, "bInterfaceSubClass", 16, &subclass))
        seen->dfu |= class == DFURT_INTERFACE_CLASS && subclass == DFURT_INTERFACE_SUBCLASS;
}

void usb_list_read(struct usb_list *list, const char *root)
{
    list->count = 0;
    DIR *folder = opendir(root);
    if (!folder)
        return;
    struct dirent *entry;
    while ((entry = readdir(folder)) && list->count < USB_SEEN_MAX) {
        if (is_place(entry->d_name) &&
            read_device(&list->devices[list->count], root, entry->d_name))
            list->count++;
    }
    rewinddir(folder);
    while ((entry = readdir(folder))) {
        if (strchr(entry->d_name, ':'))
            note_interface(list, root, entry->d_name);
    }
    closedir(folder);
}

// ---- The other place of a socket ----

// The folder of a port: "2-0:1.0/usb2-port1" for 2-1, "2-1:1.0/2-1-port4" for 2-1.4.
static void port_folder(const char *place, char *folder, size_t size)
{
    const char *last = strrchr(place, '.');
    if (last)
        snprintf(folder, size, "%.*s:1.0/%.*s-port%s", (int)(last - place), place,
                 (int)(last - place), place, last + 1);
    else
        snprintf(folder, size, "%u-0:1.0/usb%u-port%s", (unsigned)atoi(place),
                 (unsigned)atoi(place), strchr(place, '-') + 1);
}

// And back: "usb1-port3" is 1-3, "1-1-port4" is 1-1.4.
static void place_of_port(const char *port, char place[USB_PLACE_SIZE])
{
    const char *number = strstr(port, "-port");
    if (!number || strlen(port) >= USB_PLACE_SIZE)
        return;
    int hub = (int)(number - port);
    number += strlen("-port");
    if (strncmp(port, "usb", 3) == 0)
        snprintf(place, USB_PLACE_SIZE, "%.*s-%s", hub - 3, port + 3, number);
    else
        snprintf(place, USB_PLACE_SIZE, "%.*s.%s", hub, port, number);
}

void usb_sysfs_peer(const char *root, const char *place, char peer[USB_PLACE_SIZE])
{
    char folder[3 * USB_PLACE_SIZE];
    char path[PATH_MAX];
    peer[0] = '\0';
    if (!strchr(place, '-'))
        return;
    port_folder(place, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/%s/peer", root, folder);
    char *real = realpath(path, NULL);
    if (real)
        place_of_port(strrchr(real, '/') + 1, peer);
    free(real);
}

// ---- The node ----

bool usb_node_fault(unsigned bus, unsigned address, char *text, size_t size)
{
    char name[64];
    snprintf(name, sizeof name, "/dev/bus/usb/%03u/%03u", bus, address);
    int node = open(name, O_RDWR | O_CLOEXEC);
    if (node >= 0) {
        close(node);
        return false;
    }
    const char *remedy = "";
    if (errno == ENOENT)
        remedy = " (in a container: its /dev/bus/usb must be the host's own, not a copy)";
    else if (errno == EACCES || errno == EPERM)
        remedy = " (run as root, or install the udev rule 70-dfurt.rules)";
    snprintf(text, size, "%s cannot be opened: %s%s", name, strerror(errno), remedy);
    return true;
}
