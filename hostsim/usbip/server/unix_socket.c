// SPDX-License-Identifier: MIT
//
// A Unix socket is a file. The kernel gives it mode 0600 in bind() itself, since the mode was set
// before: at no moment can others connect. Its peers are looked at all the same: the file may have
// been made accessible to others since, or a descriptor passed on.
//
// The file outlives a server that was killed. A socket that refuses connections has no server any
// more and is replaced; the folder is locked meanwhile, so that of two servers that start at once
// the second finds the socket of the first in use.

#include "unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

static bool is_abandoned(const struct sockaddr_un *address)
{
    int fd = new_socket();
    bool abandoned;

    if (fd < 0)
        return false;
    abandoned =
        connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    close(fd);
    return abandoned;
}

// Returns 0 if nothing is at the address any more.
static int remove_abandoned(const struct sockaddr_un *address)
{
    struct stat file;

    if (lstat(address->sun_path, &file) < 0)
        return -errno;
    if (!S_ISSOCK(file.st_mode))
        return -EEXIST;
    if (!is_abandoned(address))
        return -EADDRINUSE;
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_to(int fd, const struct sockaddr_un *address)
{
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    int result = remove_abandoned(address);
    if (result == 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        result = -errno;
    return result;
}

// Returns a descriptor that holds the lock until it is closed.
static int lock_folder(const char *path)
{
    char copy[sizeof((struct sockaddr_un *)NULL)->sun_path];
    int fd;

    strcpy(copy, path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        flock(fd, LOCK_EX);
    return fd < 0 ? -errno : fd;
}

int unix_socket_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, lock, result;

    if (*path == '\0')
        return -ENOENT;
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = new_socket();
    if (fd < 0)
        return fd;
    result = lock = lock_folder(path);
    if (lock >= 0) {
        result = fchmod(fd, S_IRUSR | S_IWUSR) < 0 ? -errno : bind_to(fd, &address);
        if (result == 0 && listen(fd, SOMAXCONN) < 0)
            result = -errno;
        close(lock);
    }
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

void unix_socket_remove(int fd)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.sun_family == AF_UNIX)
        unlink(address.sun_path);
}

bool unix_socket_peer_is_foreign(int fd, uid_t *ret_uid)
{
    int family;
    struct ucred peer;
    socklen_t size = sizeof family;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 || family != AF_UNIX)
        return false;
    size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        peer.uid = (uid_t)-1;
    *ret_uid = peer.uid;
    return peer.uid != geteuid() && peer.uid != 0;
}
