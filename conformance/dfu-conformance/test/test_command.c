// SPDX-License-Identifier: MIT
//
// dfu-conformance as a person runs it: what it prints and how it ends. The command's path is the
// first argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *command;

struct ending {
    int status;
    char text[65536]; // stdout and stderr
    size_t lines;
};

static void run(struct ending *ending, const char *arguments)
{
    char line[600];
    snprintf(line, sizeof line, "'%s' %s 2>&1 </dev/null", command, arguments);
    FILE *out = popen(line, "r");
    assert_non_null(out);
    size_t length = fread(ending->text, 1, sizeof ending->text - 1, out);
    ending->text[length] = '\0';
    int status = pclose(out);
    assert_true(WIFEXITED(status));
    ending->status = WEXITSTATUS(status);
    ending->lines = 0;
    for (const char *c = ending->text; *c; ++c)
        ending->lines += *c == '\n';
}

static struct ending ending;

static void bad_input__is_one_line_and_status_2(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        const char *says;
    } cases[] = {
        {"", "--target is missing"},
        {"--target", "requires an argument"},
        {"--nonsense", "unrecognized option"},
        {"--target sim stray", "unexpected argument 'stray'"},
        {"--target nowhere", "expected usb:"},
        {"--target sim:no-such-device", "no-such-device"},
        {"--target sim:will-detach,defect=no-such-defect", "no-such-defect"},
        {"--target sim --only RT-NOPE", "no check is called 'RT-NOPE'"},
        {"--target sim --waive /nonexistent/file", "No such file or directory"},
        {"--target usb:1209", "expected usb:VID:PID"},
        {"--target usb:1209:FFFE", "no USB device 1209:fffe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        run(&ending, cases[i].arguments);

        if (ending.status != 2 || ending.lines != 1 || !strstr(ending.text, cases[i].says))
            fail_msg("'%s' ends %d and says: %s", cases[i].arguments, ending.status, ending.text);
    }
}

static void good_device__ends_0_and_sums_up(void **state)
{
    (void)state;

    run(&ending, "--target sim:will-detach");

    assert_int_equal(ending.status, 0);
    assert_non_null(strstr(ending.text, "run time: 1209:0001"));
    assert_non_null(strstr(ending.text, "  PASS  RT-DETACH-01 "));
    assert_non_null(strstr(ending.text, " 0 failed, "));
    assert_null(strchr(ending.text, '\033'));
}

static void tap__plans_and_numbers_each_check(void **state)
{
    (void)state;

    run(&ending, "--target sim:will-detach --only RT-RESET-01,RT-RESET-02 --tap");

    assert_int_equal(ending.status, 0);
    assert_int_equal(strncmp(ending.text, "TAP version 14\n1..2\n", 20), 0);
    assert_non_null(strstr(ending.text, "\nok 1 - RT-RESET-01: "));
    assert_non_null(strstr(ending.text, "\nok 2 - RT-RESET-02: "));
    assert_non_null(strstr(ending.text, " # SKIP needs a device with bitWillDetach = 0\n"));
}

static void list__shows_a_line_for_each_check(void **state)
{
    (void)state;

    run(&ending, "--list --only RT-STATE-1-*");

    assert_int_equal(ending.status, 0);
    assert_int_equal(ending.lines, 9);
    assert_int_equal(strncmp(ending.text, "RT-STATE-1-DETACH ", 18), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input__is_one_line_and_status_2),
        cmocka_unit_test(good_device__ends_0_and_sums_up),
        cmocka_unit_test(tap__plans_and_numbers_each_check),
        cmocka_unit_test(list__shows_a_line_for_each_check),
    };
    if (argc != 2)
        return 2;
    command = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
