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

typedef bool visit_port(void *context, const struct vhci_port *port);

// One status file. 1: visit() has seen enough.
static int visit_file(const char *path, visit_port *visit, void *context)
{
    FILE *file = fopen(path, "re");
    struct vhci_port port;
    char line[256];
    bool enough = false;

    if (!file)
        return -errno;
    while (!enough && fgets(line, sizeof line, file))
        enough = vhci_parse_port(line, &port) && visit(context, &port);
    fclose(file);
    return enough;
}

int vhci_each_port(const struct vhci *vhci, visit_port *visit, void *context)
{
    for (unsigned controller = 0; controller < MAX_CONTROLLERS; controller++) {
        char name[32] = "status";
        char path[PATH_SIZE];
        int result;

        if (controller > 0)
            snprintf(name, sizeof name, "status.%u", controller);
        vhci_path(path, vhci->sysfs, name);
        result = visit_file(path, visit, context);
        if (result == -ENOENT || result == -ENOTDIR)
            return controller == 0 ? -ENODEV : 0;
        if (result != 0)
            return result;
    }
    return 0;
}

struct wanted {
    bool super_speed;
    unsigned port;
};

static bool is_free(void *context, const struct vhci_port *port)
{
    struct wanted *wanted = context;

    wanted->port = port->port;
    return port->super_speed == wanted->super_speed && port->state == VHCI_FREE;
}

int vhci_find_free(const struct vhci *vhci, bool super_speed, unsigned *ret_port)
{
    struct wanted wanted = {.super_speed = super_speed};
    int result = vhci_each_port(vhci, is_free, &wanted);

    if (result == 0)
        return -EBUSY;
    if (result > 0)
        *ret_port = wanted.port;
    return result < 0 ? result : 0;
}

// ---- Writing and reading ----

static int open_file(const char *sysfs, const char *name)
{
    char path[PATH_SIZE];
    int fd;

    vhci_path(path, sysfs, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno;
    return fd;
}

int vhci_open(struct vhci *vhci, const char *sysfs)
{
    int attach = open_file(sysfs, "attach");
    int detach = attach < 0 ? attach : open_file(sysfs, "detach");

    if (detach < 0) {
        if (attach >= 0)
            close(attach);
        return detach;
    }
    *vhci = (struct vhci){sysfs, attach, detach};
    return 0;
}

void vhci_close(struct vhci *vhci)
{
    close(vhci->attach);
    close(vhci->detach);
}

static int write_text(int fd, const char *text)
{
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int vhci_attach(const struct vhci *vhci, unsigned port, int fd, uint32_t devid, uint32_t speed)
{
    char text[64];

    snprintf(text, sizeof text, "%u %d %u %u", port, fd, devid, speed);
    return write_text(vhci->attach, text);
}

int vhci_detach(const struct vhci *vhci, unsigned port)
{
    char text[16];

    snprintf(text, sizeof text, "%u", port);
    return write_text(vhci->detach, text);
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

int vhci_locate(const struct vhci *vhci,
                const char *path,
                unsigned *ret_busnum,
                unsigned *ret_devnum)
{
    int result = read_number(vhci->sysfs, path, "busnum", ret_busnum);

    return result < 0 ? result : read_number(vhci->sysfs, path, "devnum", ret_devnum);
}
