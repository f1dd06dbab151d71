// SPDX-License-Identifier: MIT
//
// bench_servers.h - the two servers of a benchmark, each in a process of its own: simulated devices
// as dfu-sim serves them; and an echo that does nothing but receive USB/IP commands and send
// replies of the same sizes, the floor.

#ifndef BENCH_SERVERS_H
#define BENCH_SERVERS_H

#include <stdint.h>
#include <sys/types.h>

struct bench_server {
    pid_t pid;
    int port;
};

struct bench_server bench_serve_devices(const char *device, unsigned count);
struct bench_server bench_serve_echo(void);
void bench_stop(const struct bench_server *server);

// Bytes of its memory that only it has.
long bench_memory(const struct bench_server *server);

// A connection to it; bench_import() makes the device the connection's and gives its devid.
int bench_connect(const struct bench_server *server);
uint32_t bench_import(int fd, unsigned number);

_Noreturn void bench_die(const char *what);

#endif
