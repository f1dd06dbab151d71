// SPDX-License-Identifier: MIT
//
// Ports are listed in a file for each controller: status, status.1, ... A line of it:
//
//     hub port sta spd dev      sockfd local_busid
//     hs  0000 006 002 00010002 000004 1-1

#include <vhci/vhci.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 512, MAX_CONTROLLERS = 128 };

static void vhci_path(char path[PATH_SIZE], const char *sysfs, const char *name)
{
    snprintf(path, PATH_SIZE, "%s/devices/platform/vhci_hcd.0/%s", sysfs, name);
}

bool vhci_parse_port(const char *line, struct vhci_port *ret_port)
{
    struct vhci_port port = {0};
    char hub[3];

    if (sscanf(line, "%2s %u %d %*u %*x %*u %31s", hub, &port.port, &port.state, port.path) != 4)
        return false;
    if (strcmp(hub, "hs") != 0 && strcmp(hub, "ss") != 0)
        return false;
    port.super_speed = strcmp(hub, "ss") == 0;
    *ret_port = port;
    return true;
}

// ---- Ports ----

typedef bool port_wanted(const struct vhci_port *port, const unsigned *number);

// Looks through one status file. 1: found.
static int search_file(const char *path,
                       port_wanted *wanted,
                       const unsigned *number,
                       struct vhci_port *ret_port)
{
    FILE *file = fopen(path, "re");
    struct vhci_port port;
    char line[256];
    int found = 0;

    if (!file)
        return -errno;
    while (!found && fgets(line, sizeof line, file))
        found = vhci_parse_port(line, &port) && wanted(&port, number);
    fclose(file);
    if (found)
        *ret_port = port;
    return found;
}

static int search(const char *sysfs,
                  port_wanted *wanted,
                  const unsigned *number,
                  struct vhci_port *ret_port,
                  int absent)
{
    for (unsigned controller = 0; controller < MAX_CONTROLLERS; controller++) {
        char name[32] = "status";
        char path[PATH_SIZE];
        int result;

        if (controller > 0)
            snprintf(name, sizeof name, "status.%u", controller);
        vhci_path(path, sysfs, name);
        result = search_file(path, wanted, number, ret_port);
        if (result > 0)
            return 0;
        if (result == -ENOENT || result == -ENOTDIR)
            return controller == 0 ? -ENODEV : absent;
        if (result < 0)
            return result;
    }
    return absent;
}

static bool is_free(const struct vhci_port *port, const unsigned *number)
{
    (void)number;
    return !port->super_speed && port->state == VHCI_FREE;
}

static bool is_free_and_super(const struct vhci_port *port, const unsigned *number)
{
    (void)number;
    return port->super_speed && port->state == VHCI_FREE;
}

static bool is_number(const struct vhci_port *port, const unsigned *number)
{
    return port->port == *number;
}

int vhci_find_free(const char *sysfs, bool super_speed, unsigned *ret_port)
{
    struct vhci_port port;
    int result = search(sysfs, super_speed ? is_free_and_super : is_free, NULL, &port, -EBUSY);

    if (result == 0)
        *ret_port = port.port;
    return result;
}

int vhci_find(const char *sysfs, unsigned port, struct vhci_port *ret_port)
{
    return search(sysfs, is_number, &port, ret_port, -ENOENT);
}

// ---- Writing and reading ----

static int write_text(const char *sysfs, const char *name, const char *text)
{
    char path[PATH_SIZE];
    ssize_t written;
    int error = 0;
    int fd;

    vhci_path(path, sysfs, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ENODEV : -errno;
    written = write(fd, text, strlen(text));
    if (written < 0)
        error = errno;
    close(fd);
    return -error;
}

int vhci_attach(const char *sysfs, unsigned port, int fd, uint32_t devid, uint32_t speed)
{
    char text[64];

    snprintf(text, sizeof text, "%u %d %u %u", port, fd, devid, speed);
    return write_text(sysfs, "attach", text);
}

int vhci_detach(const char *sysfs, unsigned port)
{
    char text[16];

    snprintf(text, sizeof text, "%u", port);
    return write_text(sysfs, "detach", text);
}

static int
read_number(const char *sysfs, const char *device, const char *name, unsigned *ret_number)
{
    char path[PATH_SIZE];
    FILE *file;
    int count;

    snprintf(path, sizeof path, "%s/bus/usb/devices/%s/%s", sysfs, device, name);
    file = fopen(path, "re");
    if (!file)
        return -errno;
    count = fscanf(file, "%u", ret_number);
    fclose(file);
    return count == 1 ? 0 : -EINVAL;
}

int vhci_locate(const char *sysfs, const char *path, unsigned *ret_busnum, unsigned *ret_devnum)
{
    int result = read_number(sysfs, path, "busnum", ret_busnum);

    return result < 0 ? result : read_number(sysfs, path, "devnum", ret_devnum);
}
