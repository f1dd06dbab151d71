// SPDX-License-Identifier: MIT
//
// dfu-sim run: a command, with the simulated device plugged in by the best way available.
//
//   vhci   this machine's vhci-hcd: `dfu-sim attach` beside the command
//   guest  `dfu-sim run --via vhci` in a virtual machine
//   mock   an imitation of the kernel's interfaces, inside umockdev-wrapper

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "vhci_run.h"
#include <guest/guest.h>
#include <mock/mock.h>

enum { COULD_NOT = 2 }; // exit status

static const char *via_name(enum options_via via)
{
    switch (via) {
    case OPTIONS_VIA_VHCI:
        return "vhci";
    case OPTIONS_VIA_GUEST:
        return "guest";
    case OPTIONS_VIA_MOCK:
        return "mock";
    case OPTIONS_VIA_AUTO:
        break;
    }
    return "auto";
}

// GDB cannot connect to the guest.
static enum options_via choose(const struct options *options)
{
    const char *no_vhci = vhci_missing();

    if (!no_vhci) {
        fprintf(stderr, "dfu-sim: plugging the device into this machine's vhci-hcd\n");
        return OPTIONS_VIA_VHCI;
    }
    if (!guest_missing() && !options->sim.gdb) {
        fprintf(stderr, "dfu-sim: plugging the device into a test guest (%s)\n", no_vhci);
        return OPTIONS_VIA_GUEST;
    }
    if (!mock_missing()) {
        fprintf(stderr, "dfu-sim: plugging the device into an imitated USB stack (%s)\n", no_vhci);
        return OPTIONS_VIA_MOCK;
    }
    fprintf(stderr, "dfu-sim run: no way to plug in a device: %s; %s\n", no_vhci, guest_missing());
    return OPTIONS_VIA_AUTO;
}

// The same command line with its --via chosen: `prefix... dfu-sim run ... --via MEANS -- COMMAND`.
// NULL-terminated; its strings are borrowed.
static char **settled(const char *prefix, const struct options *options)
{
    static char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    size_t given = 0, count = 0;
    char **words;

    while (options->words[given])
        given++;
    words = calloc(given + 8, sizeof(*words));
    if (!words || length < 0)
        return NULL;
    self[length] = 0;
    if (prefix)
        words[count++] = (char *)prefix;
    words[count++] = self;
    for (char **word = options->words; word < options->command; word++)
        if (word + 1 != options->command || strcmp(*word, "--") != 0)
            words[count++] = *word;
    words[count++] = "--via";
    words[count++] = (char *)via_name(options->via);
    words[count++] = "--";
    for (char **word = options->command; *word; word++)
        words[count++] = *word;
    return words;
}

static int run_in_guest(const struct options *options)
{
    struct options inside = *options;

    if (options->sim.gdb) {
        fprintf(stderr, "dfu-sim run: with --via guest the device runs inside of the test guest, "
                        "which has no network for GDB: use --via mock, or dfu-sim serve with "
                        "--gdb here and attach to it\n");
        return COULD_NOT;
    }
    inside.via = OPTIONS_VIA_VHCI;
    char **words = settled(NULL, &inside);
    int status = words ? guest_run(words) : -1;
    free(words);
    return status;
}

static int run_in_mock(const struct options *options)
{
    const char *missing = mock_missing();

    if (missing) {
        fprintf(stderr, "dfu-sim run: %s\n", missing);
        return COULD_NOT;
    }
    if (options->count > 1) {
        fprintf(stderr, "dfu-sim run: the imitated USB stack has one port: leave --count out\n");
        return COULD_NOT;
    }
    if (options->capture) {
        fprintf(stderr, "dfu-sim run: the imitated USB stack writes no capture: leave --capture "
                        "out, or use --via guest\n");
        return COULD_NOT;
    }
    if (mock_inside())
        return mock_run(&options->sim, options->command);

    char **words = settled("umockdev-wrapper", options);
    if (words)
        execvp(words[0], words);
    perror("dfu-sim: cannot start umockdev-wrapper");
    free(words);
    return COULD_NOT;
}

int command_run(const struct options *options)
{
    struct options chosen = *options;
    int status = COULD_NOT;

    if (chosen.via == OPTIONS_VIA_AUTO)
        chosen.via = choose(options);
    switch (chosen.via) {
    case OPTIONS_VIA_VHCI:
        status = vhci_run(&chosen);
        break;
    case OPTIONS_VIA_GUEST:
        status = run_in_guest(&chosen);
        break;
    case OPTIONS_VIA_MOCK:
        status = run_in_mock(&chosen);
        break;
    case OPTIONS_VIA_AUTO:
        break;
    }
    return status < 0 ? COULD_NOT : status;
}
