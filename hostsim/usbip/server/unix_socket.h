// SPDX-License-Identifier: MIT
//
// unix_socket.h - a listener that only the user of this process, and root, can connect to
// (unix(7)).

#ifndef HOSTSIM_UNIX_SOCKET_H
#define HOSTSIM_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

// Listen at path, with mode 0600; a socket there that has no server any more is replaced. Returns a
// socket or a negative errno: -EADDRINUSE if it has one, -EEXIST if the file is not a socket.
int unix_socket_listen(const char *path);

// Remove the file of a listener, if it is one at a path.
void unix_socket_remove(int fd);

// Is a connection that was accepted one of a Unix socket, and its peer another user, who is not
// root?
bool unix_socket_peer_is_foreign(int fd, uid_t *ret_uid);

#endif
