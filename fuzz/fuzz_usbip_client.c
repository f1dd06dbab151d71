// SPDX-License-Identifier: MIT
//
// The USB/IP client against servers that send arbitrary bytes: each connection receives the next
// piece of the script and is then shut down. Its sockets are real; only connecting is not.

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <usbip/client.h>
#include <usbip/remote.h>

#include "script.h"

enum { MAX_CONNECTIONS = 8, TIMEOUT_MS = 2 };

static struct {
    struct script script;
    int peers[MAX_CONNECTIONS];
    size_t count;
} server;

// Takes the place of stream_connect() (ld --wrap).
int __wrap_stream_connect(const char *host, const char *port, uint64_t deadline_ms);
int __wrap_stream_connect(const char *host, const char *port, uint64_t deadline_ms)
{
    uint8_t said[4096];
    int fds[2];

    (void)host;
    (void)port;
    (void)deadline_ms;
    if (server.count == MAX_CONNECTIONS ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -ECONNREFUSED;
    size_t wanted = script_u16(&server.script) % sizeof said;
    size_t length = script_bytes(&server.script, said, wanted);
    assert(write(fds[1], said, length) == (ssize_t)length);
    shutdown(fds[1], SHUT_WR);
    server.peers[server.count++] = fds[1];
    return fds[0];
}

// Into a buffer of just this length: ASan sees what is written behind it.
static void transfer(struct usbip_client *client, bool control, bool in, uint16_t length)
{
    uint8_t *data = calloc(1, length > 0 ? length : 1);
    const struct usbdev_setup_packet setup = {.bmRequestType = in ? 0x80 : 0x00,
                                              .bRequest = USBDEV_GET_DESCRIPTOR,
                                              .wValue = 0x0100,
                                              .wLength = length};
    int result = control
                     ? usbip_client_control(client, &setup, data, TIMEOUT_MS)
                     : usbip_client_transfer(client, in ? 0x81 : 0x01, data, length, TIMEOUT_MS);

    assert(result <= length && result >= USB_CANCELLED);
    free(data);
}

static void list(struct usbip_client *client)
{
    static struct usbip_list exported;

    if (usbip_client_list(client, &exported, TIMEOUT_MS) != 0)
        return;
    assert(exported.count <= USBIP_LIST_MAX && exported.count <= exported.exported);
    for (size_t i = 0; i < exported.count; i++)
        assert(memchr(exported.devices[i].record.bus_id, '\0', USBIP_BUS_ID_SIZE));
}

// The order of a test: transfers while the device is there, the rest when it has left.
static void use(struct usbip_client *client, uint32_t steps)
{
    for (; steps != 0; steps >>= 4) {
        switch (steps & 15) {
        case 1:
            usbip_client_reset(client, TIMEOUT_MS);
            break;
        case 2:
            usbip_client_wait_leave(client, TIMEOUT_MS);
            break;
        case 3:
            usbip_client_reopen(client, TIMEOUT_MS);
            break;
        case 4:
            list(client);
            break;
        default:
            transfer(client, steps & 1, steps & 2, steps & 4 ? 18 : 64);
            break;
        }
        const char *violation = usbip_client_violation(client);
        assert(!violation || (violation[0] != '\0' && !strchr(violation, '\n')));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char error[300] = "";

    server.script = (struct script){bytes, length};
    server.count = 0;
    const uint32_t steps = script_u32(&server.script);
    const char *bus_id = script_u8(&server.script) & 1 ? "1-1" : NULL;
    struct usbip_client *client =
        usbip_client_open("host", "3240", bus_id, TIMEOUT_MS, error, sizeof error);

    if (client) {
        use(client, steps);
        usbip_client_close(client);
    } else {
        assert(error[0] != '\0' && !strchr(error, '\n'));
    }
    for (size_t i = 0; i < server.count; i++)
        close(server.peers[i]);
    return 0;
}
