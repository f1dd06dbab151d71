// SPDX-License-Identifier: MIT
//
// The file of what is kept: <folder>/VVVV-PPPP-SERIAL.dfu, written before the first check writes
// and removed when what was there is verified to be there again. A file that is found comes from an
// interrupted run. It is locked while its run lasts, so that two runs on equal devices do not take
// each other's.

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_private.h"
#include <conformance/image_file.h>

// What a file name can hold on any disk, with a checksum where that is not the serial number
// itself: the file of one device is not to be taken for that of another.
static void put_name(char *name, size_t size, const char *serial)
{
    enum { CHECKSUM = 9 };
    size_t used = 0;
    for (const char *c = serial; *c && used + CHECKSUM + 1 < size; c++)
        name[used++] = isalnum((unsigned char)*c) ? *c : '_';
    name[used] = '\0';
    if (strcmp(name, serial) != 0)
        snprintf(name + used, size - used, "-%08x",
                 (unsigned)image_file_crc((const uint8_t *)serial, strlen(serial)));
}

// Returns 0, or the errno of the folder that could not be made.
static int make_folders(const char *folder)
{
    char path[BACKUP_PATH];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
}

// The disk's fault, and not the device's.
static bool refuse_by_host(struct backup *backup, const char *why)
{
    backup->no_file = true;
    return backup_refuse(backup, why);
}

static bool refuse_folder(struct backup *backup, int error)
{
    char why[PROBE_WORDS];
    snprintf(why, sizeof why, "no file can be kept in %.200s: %s", backup->options.folder,
             strerror(error));
    backup->file.path[0] = '\0';
    return refuse_by_host(backup, why);
}

// A run that ends removes its lock file: the one that was opened may no longer be the one of this
// name, which yet another run may hold.
static bool is_file_at(int fd, const char *path)
{
    struct stat opened;
    struct stat named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

// Another run that goes on holds the lock.
static bool lock(struct backup *backup)
{
    char path[BACKUP_PATH + 8];
    snprintf(path, sizeof path, "%s.lock", backup->file.path);
    backup->file.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (backup->file.lock >= 0 && flock(backup->file.lock, LOCK_EX | LOCK_NB) == 0 &&
        is_file_at(backup->file.lock, path))
        return true;
    if (backup->file.lock >= 0)
        close(backup->file.lock);
    backup->file.lock = -1;
    return false;
}

// Files of runs at the same time on devices that cannot be told apart are numbered.
static bool find_name(struct probe *probe)
{
    enum { MOST = 64 };
    struct backup *backup = probe->backup;
    const struct device *device = &probe->dfu_mode;
    char serial[BACKUP_SERIAL] = "";
    char name[64];
    probe_read_string(probe, device->raw.device[16], serial, sizeof serial);
    put_name(name, sizeof name, serial);
    backup->file.has_serial = *name != '\0';
    int error = make_folders(backup->options.folder);
    if (error)
        return refuse_folder(backup, error);
    for (unsigned i = 1; i <= MOST; i++) {
        char number[16] = "";
        if (i > 1)
            snprintf(number, sizeof number, "-%u", i);
        snprintf(backup->file.path, sizeof backup->file.path, "%.300s/%04x-%04x%s%s%s.dfu",
                 backup->options.folder, device_vendor(device), device_product(device),
                 *name ? "-" : "", name, number);
        if (lock(backup))
            return true;
    }
    return refuse_folder(backup, errno);
}

bool backup_file_find(struct probe *probe, bool *ret_left_over)
{
    struct backup *backup = probe->backup;
    *ret_left_over = false;
    if (!backup->options.folder)
        return true;
    if (!*backup->file.path && !find_name(probe))
        return false;
    *ret_left_over = access(backup->file.path, F_OK) == 0;
    return true;
}

bool backup_file_write(struct probe *probe)
{
    struct backup *backup = probe->backup;
    struct image_file image = {
        .bytes = backup->bytes,
        .length = backup->length,
        .idVendor = device_vendor(&probe->dfu_mode),
        .idProduct = device_product(&probe->dfu_mode),
        .has_address = backup->is_page,
        .address = backup->address,
    };
    char error[PROBE_WORDS];
    if (!backup->options.folder || backup->restore)
        return true;
    backup_put_elements(backup, &image);
    if (!image_file_write(&image, backup->file.path, error, sizeof error))
        return refuse_by_host(backup, error);
    if (backup->options.tell)
        backup->options.tell(backup->rest      ? "the device's memory is kept in"
                             : backup->is_page ? "the page that checks write is kept in"
                                               : "the firmware is kept in",
                             backup->file.path);
    return true;
}

// Not the person's own file, unless that is it.
void backup_file_remove(struct backup *backup)
{
    if (!*backup->file.path)
        return;
    if (backup->options.restore_path) {
        int given = open(backup->options.restore_path, O_RDONLY | O_CLOEXEC);
        bool is_it = given >= 0 && is_file_at(given, backup->file.path);
        if (given >= 0)
            close(given);
        if (!is_it)
            return;
    }
    image_file_remove(backup->file.path);
}

// The lock outlives the run only beside a file that does.
void backup_file_close(struct backup *backup)
{
    char path[BACKUP_PATH + 8];
    if (!*backup->file.path)
        return;
    snprintf(path, sizeof path, "%s.lock", backup->file.path);
    if (access(backup->file.path, F_OK) != 0)
        unlink(path);
    close(backup->file.lock);
}
