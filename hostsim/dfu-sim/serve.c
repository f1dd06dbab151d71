// SPDX-License-Identifier: MIT
//
// dfu-sim serve: a USB/IP server.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "rack.h"
#include <usbip/loop.h>

static void ended(void *context, struct usbip_device *device, const char *trouble)
{
    (void)context;
    if (device)
        rack_tell(device, trouble ? trouble : "released");
    else if (trouble)
        fprintf(stderr, "a client was turned away: %s\n", trouble);
}

static void announce(const struct options *options, int port, const struct rack *rack)
{
    bool ipv6 = strchr(options->listen_host, ':') != NULL;

    printf(ipv6 ? "listening on [%s]:%d\n" : "listening on %s:%d\n", options->listen_host, port);
    for (size_t i = 0; i < rack->count; i++)
        printf("%s\n", usbip_device_record(rack->devices[i])->bus_id);
    fflush(stdout);
}

static int serve(const struct options *options, const struct rack *rack)
{
    static const struct loop_events events = {.ended = ended};
    struct loop *loop = loop_open(rack->devices, rack->count, &events, NULL);
    int result = loop ? loop_listen(loop, options->listen_host, options->listen_port) : -errno;

    if (result < 0) {
        fprintf(stderr,
                "dfu-sim serve: cannot listen on %s port %s: %s; choose another with --listen "
                "ADDR:PORT\n",
                options->listen_host, options->listen_port, strerror(-result));
    } else {
        announce(options, result, rack);
        result = loop_run(loop);
        if (result < 0)
            fprintf(stderr, "dfu-sim serve: %s\n", strerror(-result));
    }
    loop_close(loop);
    return result < 0 ? 2 : 0;
}

int command_serve(int argc, char **argv)
{
    struct options options;
    struct rack rack;
    char error[256];
    int status;

    if (options_parse(&options, OPTIONS_DEVICE | OPTIONS_LISTEN | OPTIONS_COUNT | OPTIONS_CAPTURE,
                      argc, argv, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    if (rack_open(&rack, &options, true, error, sizeof error) < 0) {
        fprintf(stderr, "dfu-sim serve: %s\n", error);
        return 2;
    }
    status = serve(&options, &rack);
    rack_close(&rack);
    return status;
}
