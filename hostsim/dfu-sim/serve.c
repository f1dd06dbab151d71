// SPDX-License-Identifier: MIT
//
// dfu-sim serve: a USB/IP server.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "commands.h"
#include "exported_devices.h"
#include <usb/command_line.h>
#include <usbip/loop.h>

enum {
    OTHER_DESCRIPTORS = 64, // the program's own
    SETTLE_MS = 5000,       // clients that come later than that find a device that is away
};

static void ended(void *context, const struct loop_ending *ending)
{
    (void)context;
    if (ending->device)
        exported_devices_note(ending->device, ending->violation ? ending->violation : "released");
    else if (ending->violation)
        fprintf(stderr, "a client broke the protocol: %s\n", ending->violation);
}

static void refused(void *context, uid_t uid)
{
    (void)context;
    fprintf(stderr,
            "dfu-sim serve: refused a client of user %u: the socket is for user %u and root\n",
            (unsigned)uid, (unsigned)geteuid());
}

// What nobody is told of, nobody can reach: returns 0, or the negative errno of the lost write.
static int
announce(const struct options *options, int port, const struct exported_devices *exported)
{
    if (strcmp(options->listen_host, USBIP_UNIX_HOST) == 0)
        printf("listening on %s\n", options->listen);
    else if (strchr(options->listen_host, ':'))
        printf("listening on [%s]:%d\n", options->listen_host, port);
    else
        printf("listening on %s:%d\n", options->listen_host, port);
    for (size_t i = 0; i < exported->count; i++)
        printf("%s\n", usbip_device_record(exported->devices[i])->bus_id);
    return -usb_stdout_error();
}

// A descriptor for a client of each device, where the system allows that many.
static void raise_descriptor_limit(size_t devices)
{
    struct rlimit limit;
    rlim_t wanted = devices + LOOP_MAX_IDLE + OTHER_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve(const struct options *options, const struct exported_devices *exported)
{
    static const struct loop_events events = {.ended = ended, .refused = refused};
    struct loop *loop = loop_open(exported->devices, exported->count, &events, NULL);
    int result = loop ? loop_listen(loop, options->listen_host, options->listen_port) : -errno;

    if (result < 0) {
        fprintf(stderr,
                "dfu-sim serve: cannot listen on %s: %s; choose another with --listen ADDR:PORT "
                "or unix:PATH\n",
                options->listen, strerror(-result));
    } else {
        if (loop_is_public(loop))
            fprintf(stderr,
                    "dfu-sim serve: warning: everyone who reaches %s over the network can use the "
                    "devices; USB/IP has no passwords\n",
                    options->listen_host);
        result = announce(options, result, exported);
        if (result == 0 && (result = loop_run(loop)) < 0)
            fprintf(stderr, "dfu-sim serve: %s\n", strerror(-result));
    }
    loop_close(loop);
    return result < 0 ? 2 : 0;
}

int command_serve(const struct options *options)
{
    struct exported_devices exported;
    char error[256];
    int status;

    if (exported_devices_open(&exported, options, true, error, sizeof error) < 0) {
        fprintf(stderr, "dfu-sim serve: %s\n", error);
        return 2;
    }
    raise_descriptor_limit(exported.count);
    exported_devices_settle(&exported, SETTLE_MS);
    status = serve(options, &exported);
    return exported_devices_close(&exported) < 0 ? 2 : status;
}
