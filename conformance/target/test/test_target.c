// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <conformance/target.h>

static struct target_spec parsed(const char *text)
{
    struct target_spec spec;
    char error[200] = "";
    if (target_spec_parse(&spec, text, error, sizeof error) < 0)
        fail_msg("%s", error);
    return spec;
}

static void spec__usb_takes_ids_serial_and_path(void **state)
{
    (void)state;

    struct target_spec spec = parsed("usb:0483:dF11,serial=A-1,path=1-4.2");

    assert_int_equal(spec.kind, TARGET_KIND_USB);
    assert_int_equal(spec.vendor, 0x0483);
    assert_int_equal(spec.product, 0xDF11);
    assert_string_equal(spec.serial, "A-1");
    assert_string_equal(spec.path, "1-4.2");
}

static void spec__power_takes_the_rest_of_the_text(void **state)
{
    (void)state;

    struct target_spec spec =
        parsed("usb:0483:df11,path=1-4.2,power=uhubctl -l 1-4 -p 2,3 -a cycle");

    assert_string_equal(spec.path, "1-4.2");
    assert_string_equal(spec.power, "uhubctl -l 1-4 -p 2,3 -a cycle");
}

static void spec__usbip_takes_host_port_and_bus_id(void **state)
{
    (void)state;

    struct target_spec spec = parsed("usbip:127.0.0.1:3240/1-1");

    assert_int_equal(spec.kind, TARGET_KIND_USBIP);
    assert_string_equal(spec.host, "127.0.0.1");
    assert_string_equal(spec.port, "3240");
    assert_string_equal(spec.bus_id, "1-1");
    assert_string_equal(parsed("usbip:::1:3240").host, "::1");
    assert_string_equal(parsed("usbip:h:1").bus_id, "");
}

static void spec__usbip_takes_the_path_of_a_unix_socket(void **state)
{
    (void)state;

    struct target_spec spec = parsed("usbip:unix:/run/a:b/sim");

    assert_int_equal(spec.kind, TARGET_KIND_USBIP);
    assert_string_equal(spec.host, "unix");
    assert_string_equal(spec.port, "/run/a:b/sim");
    assert_string_equal(spec.bus_id, "");
    spec = parsed("usbip:unix:sim,busid=1-2");
    assert_string_equal(spec.port, "sim");
    assert_string_equal(spec.bus_id, "1-2");
}

static void spec__sim_takes_device_defect_and_firmware(void **state)
{
    (void)state;

    struct target_spec spec = parsed("sim:f072,firmware=a:b.elf,defect=x");

    assert_int_equal(spec.kind, TARGET_KIND_SIM);
    assert_string_equal(spec.device, "f072");
    assert_string_equal(spec.firmware, "a:b.elf");
    assert_string_equal(spec.defect, "x");
    spec =
        parsed("sim:f072,firmware=a,chip=f042,boot=0x08002000,pin=PA1=0+PB2=1@5,uart=-,gdb=3333");
    assert_string_equal(spec.chip, "f042");
    assert_string_equal(spec.boot, "0x08002000");
    assert_string_equal(spec.pin, "PA1=0+PB2=1@5");
    assert_string_equal(spec.uart, "-");
    assert_string_equal(spec.gdb, "3333");
    spec = parsed("sim:wait-reset,serial=S 1,away=3000,unplug=40");
    assert_string_equal(spec.serial, "S 1");
    assert_int_equal(spec.away_ms, 3000);
    assert_int_equal(spec.unplug_at, 40);
    assert_string_equal(parsed("sim").device, "");
}

static void spec__says_what_it_expected(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "simulator",
        "sim:",
        "sim:a,",
        "sim:a,bug=1",
        "sim:a,defect=",
        "sim:a,defect=b,defect=c",
        "sim:a,away=3s",
        "sim:a,unplug=-1",
        "sim:a,unplug=99999999999",
        "usb:1209",
        "usb:1209:",
        "usb::0001",
        "usb:12090:0001",
        "usb:1209:0001,serial",
        "usb:1209:0001,power=",
        "usb:1209:0001,path=1-1,path=1-2",
        "usb:12g9:0001",
        "usb:0x1:0x2",
        "usbip:h",
        "usbip::3240",
        "usbip:h:3240/",
        "usbip:h:",
        "usbip:h:0",
        "usbip:h:-1",
        "usbip:h:65536",
        "usbip:h:usbip",
        "usbip:unix:",
        "usbip:unix:a,busid=",
        "usbip:unix:a,1-1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct target_spec spec;
        char error[200] = "";

        if (target_spec_parse(&spec, bad[i], error, sizeof error) == 0)
            fail_msg("'%s' was taken", bad[i]);

        assert_non_null(strstr(error, "expected"));
        assert_null(strchr(error, '\n'));
    }
}

static void spec__refuses_a_name_longer_than_its_place(void **state)
{
    (void)state;
    char text[600] = "sim:";
    char error[1000];
    struct target_spec spec;
    memset(text + 4, 'x', sizeof text - 5);

    assert_int_equal(target_spec_parse(&spec, text, error, sizeof error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec__usb_takes_ids_serial_and_path),
        cmocka_unit_test(spec__power_takes_the_rest_of_the_text),
        cmocka_unit_test(spec__usbip_takes_host_port_and_bus_id),
        cmocka_unit_test(spec__usbip_takes_the_path_of_a_unix_socket),
        cmocka_unit_test(spec__sim_takes_device_defect_and_firmware),
        cmocka_unit_test(spec__says_what_it_expected),
        cmocka_unit_test(spec__refuses_a_name_longer_than_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
