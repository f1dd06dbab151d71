// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim/devices.h>
#include <sim/host.h>

#include "packet_trace.h"

struct fixture {
    struct sim_host *host;
    FILE *out;
    char *text;
    size_t size;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char error[200];

    f->out = open_memstream(&f->text, &f->size);
    struct sim_device *device = sim_open(&(struct sim_options){0}, error, sizeof error);
    f->host = sim_host_open(packet_trace_open(device, f->out), NULL, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sim_host_close(f->host);
    fclose(f->out);
    free(f->text);
    free(f);
    return 0;
}

// Are these lines there, in this order?
static void assert_lines(struct fixture *f, const char *const *parts)
{
    fflush(f->out);
    const char *at = f->text;

    for (; *parts; parts++) {
        const char *found = strstr(at, *parts);
        if (!found)
            fail_msg("expected '%s' in the rest of the trace:\n%s", *parts, at);
        at = found + strlen(*parts);
    }
}

static void trace__shows_how_a_device_is_enumerated(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(sim_host_enumerate(f->host, 1000 * SIM_MS), 0);

    assert_lines(f, (const char *const[]){
                        "0.000000 ms  VBUS on\n",
                        "ms  pull-up on\n",
                        "ms  bus reset begins\n",
                        "ms  bus reset ends\n",
                        "ms  SETUP  0.0  80 06 00 01 00 00 ",
                        "  ACK\n",
                        "ms  IN     0.0  DATA1, ",
                        " bytes: 12 01 ",
                        "ms  OUT    0.0  DATA1, 0 bytes:  ACK\n",
                        "ms  bus reset begins\n",
                        "ms  SETUP  0.0  00 05 01 00 00 00 00 00  ACK\n",
                        "ms  IN     0.0  DATA1, 0 bytes:\n",
                        NULL,
                    });
    assert_null(strstr(f->text, "NAK"));
}

static void trace__shows_a_stall_and_silence(void **state)
{
    struct fixture *f = *state;
    struct usbdev_setup_packet unknown = {.bmRequestType = 0x80, .bRequest = 0x55, .wLength = 1};
    uint8_t byte;

    assert_int_equal(sim_host_enumerate(f->host, 1000 * SIM_MS), 0);
    assert_int_equal(sim_host_control(f->host, &unknown, &byte, 0), USB_STALL);
    sim_host_use_address(f->host, 99);
    assert_int_equal(sim_host_control(f->host, &unknown, &byte, 0), USB_GONE);
    sim_host_power(f->host, false);

    assert_lines(f, (const char *const[]){
                        "SETUP  1.0  80 55 00 00 00 00 01 00  ACK\n",
                        "IN     1.0  STALL\n",
                        "SETUP  99.0  80 55 00 00 00 00 01 00  no answer\n",
                        "ms  VBUS off\n",
                        "ms  pull-up off\n",
                        NULL,
                    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(trace__shows_how_a_device_is_enumerated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trace__shows_a_stall_and_silence, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
