// SPDX-License-Identifier: MIT
//
// dfu-conformance as a person runs it: what it prints and how it ends. The command's path is the
// first argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
    for (const char *c = ending->text; *c; c++)
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
        {"--target", "dfu-conformance: --target: the value is missing"},
        {"--nonsense", "dfu-conformance: no option is called '--nonsense'"},
        {"--list -xy", "dfu-conformance: no option is called '-x'"},
        {"--list -\xC3\xA9", "dfu-conformance: no option is called '-\\xC3'"},
        {"--list --help=1", "no option is called '--help=1'"},
        {"--target sim --re 5", "no option is called '--re'"},
        {"--target sim --list=5", "no option is called '--list=5'"},
        {"--target sim --allow-write --restore a.bin --scratch 0x100", "exclude each other"},
        {"--target sim stray", "unexpected argument 'stray'"},
        {"--target nowhere", "expected usb:"},
        {"--target sim:no-such-device", "no-such-device"},
        {"--target sim:will-detach,defect=no-such-defect", "no-such-defect"},
        {"--target sim:defect=detach-in",
         "a device; one comes first: will-detach,defect=detach-in"},
        {"--target sim:firmware=app.elf", "one comes first: f072,firmware=app.elf"},
        {"--target app.elf", "an image as sim:f072,firmware=FILE"},
        {"--target sim:detach-in", "is a defect, not a device: will-detach,defect=detach-in"},
        {"--target sim:will-detach,defect=crashes-at-upload", "is a device, not a defect"},
        {"--target sim --only RT-NOPE", "no check is called 'RT-NOPE'"},
        {"--target sim --only REQ-06k", "REQ-06k is retired: CH9-REQ-14"},
        {"--target sim --skip RT-NOPE", "--skip: no check is called 'RT-NOPE'"},
        {"--target sim --waive /nonexistent/file", "No such file or directory"},
        {"--target sim --dfu-mode 0483", "--dfu-mode '0483': expected VID:PID in hex"},
        {"--target sim --max-time 0", "--max-time 0: expected a number of seconds"},
        {"--target sim --return-time 5s", "--return-time 5s: expected a number of milliseconds"},
        {"--target sim --max-time -1", "expected a number"},
        {"--target usb:1209", "expected usb:VID:PID"},
        {"--target usb:1209:FFFE", "no USB device 1209:fffe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(&ending, cases[i].arguments);

        if (ending.status != 2 || ending.lines != 1 || !strstr(ending.text, cases[i].says))
            fail_msg("'%s' ends %d and says: %s", cases[i].arguments, ending.status, ending.text);
    }
}

// No report is begun for a run that does not begin, and what is there stays.
static void bad_report_path__is_told_before_the_device_is_opened(void **state)
{
    (void)state;
    static const char *const options[] = {"--json", "--junit", "--html", "--capture"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char arguments[200];
        snprintf(arguments, sizeof arguments, "--target usb:1209:FFFE %s /nonexistent/report",
                 options[i]);

        run(&ending, arguments);

        assert_int_equal(ending.status, 2);
        assert_int_equal(ending.lines, 1);
        assert_non_null(strstr(ending.text, "/nonexistent/report"));
    }
}

static void shell(struct ending *ret_ending, const char *format)
{
    char line[600];
    snprintf(line, sizeof line, format, command);
    FILE *out = popen(line, "r");
    assert_non_null(out);
    size_t length = fread(ret_ending->text, 1, sizeof ret_ending->text - 1, out);
    ret_ending->text[length] = '\0';
    ret_ending->status = WEXITSTATUS(pclose(out));
}

static void error__is_shown_beside_a_job_of_github(void **state)
{
    (void)state;

    shell(&ending, "GITHUB_ACTIONS=true '%s' --target sim:no-such-device 2>&1");

    assert_int_equal(ending.status, 2);
    assert_ptr_equal(strstr(ending.text, "::error title=dfu-conformance::"), ending.text);
    assert_non_null(strstr(ending.text, "no-such-device"));
}

static void report_file__keeps_its_text_if_there_is_no_device(void **state)
{
    (void)state;

    shell(&ending,
          "d=$(mktemp -d); echo old >$d/old; echo packets >$d/packets; c='%s'; "
          "for capture in packets new-packets; do $c --target usb:1209:FFFE --json $d/old --html "
          "$d/new "
          "--capture $d/$capture 2>/dev/null; done; ls $d; cat $d/old $d/packets; rm -r $d");

    assert_string_equal(ending.text, "old\npackets\nold\npackets\n");
}

static void lost_output__is_no_success(void **state)
{
    (void)state;

    shell(&ending, "'%s' --target sim --only RT-RESET-01 2>&1 >/dev/full");
    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.text, "standard output cannot be written"));
    shell(&ending, "'%s' --list 2>&1 >/dev/full");
    assert_int_equal(ending.status, 2);
}

static void closed_pipe__is_told_as_that(void **state)
{
    (void)state;

    shell(&ending, "d=$(mktemp -d); mkfifo $d/pipe; exec 3<>$d/pipe 4>$d/pipe 3<&-; rm -r $d; "
                   "'%s' --target sim --only RT-RESET-01 2>&1 >&4");

    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.text, "standard output cannot be written: Broken pipe"));
}

static void lost_output__does_not_hide_how_to_restore_the_flash(void **state)
{
    (void)state;

    shell(&ending, "'%s' --target sim:dfu-plain,unplug=150 --allow-write --only DM-DNLOAD-07 2>&1 "
                   ">/dev/full");

    assert_int_equal(ending.status, 4);
    assert_non_null(strstr(ending.text, "dfu-conformance: flash LOST: "));
    assert_non_null(strstr(ending.text, "No space left on device"));
}

static void full_disk__is_told_in_one_line_by_each_report(void **state)
{
    static const char *const options[] = {"json", "junit", "html", "capture"};
    (void)state;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char format[100];
        snprintf(format, sizeof format,
                 "'%%s' --target sim --only RT-RESET-01 --%s /dev/full 2>&1 >/dev/null",
                 options[i]);
        shell(&ending, format);
        assert_int_equal(ending.status, 2);
        assert_non_null(strstr(ending.text, "No space left"));
        assert_ptr_equal(strchr(ending.text, '\n'), ending.text + strlen(ending.text) - 1);
    }
}

// Standard output is a pipe that nobody reads.
static int run_into_closed_pipe(const char *report)
{
    int ends[2];
    int status;
    assert_return_code(pipe(ends), 0);
    close(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        if (!freopen("/dev/null", "w", stderr))
            _exit(126);
        execl(command, command, "--target", "sim", "--json", report, NULL);
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void closed_pipe__does_not_end_the_run_early(void **state)
{
    (void)state;
    char report[] = "/tmp/dfurt-report-XXXXXX";
    char text[300];
    close(mkstemp(report));

    assert_int_equal(run_into_closed_pipe(report), 2);

    snprintf(text, sizeof text, "grep -c '\"verdict\"' %s; '%%s' --list | grep -vc ^FILE-; rm %s",
             report, report);
    shell(&ending, text);
    assert_int_equal(atoi(ending.text), atoi(strchr(ending.text, '\n')));
}

// Plain bytes name no address in the memory of a DfuSe device.
static void file_to_restore_that_is_of_no_use__ends_2(void **state)
{
    (void)state;
    shell(&ending,
          "head -c 4096 /dev/urandom >plain-bytes && '%s' --target sim:dfu-mode "
          "--allow-write --restore plain-bytes 2>&1; status=$?; rm plain-bytes; exit $status");

    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.text, "a DfuSe file does: dfuse-pack"));
}

// What the person names is written, or nothing is: not all of a device that has no pages.
static void scratch_page_that_is_of_no_use__ends_2(void **state)
{
    (void)state;
    shell(&ending, "'%s' --target sim:dfu-plain --allow-write --scratch 0x1000 2>&1");
    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.text, "flash not written: --scratch names a page of"));

    shell(&ending, "'%s' --target sim:dfu-mode --allow-write --scratch 0x1000 2>&1");
    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.text, "flash not written: --scratch names no page"));
}

static void nothing_that_applies__ends_2(void **state)
{
    (void)state;

    run(&ending, "--target sim:will-detach --only RT-RESET-02 --tap");

    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.text, "\nBail out! "));
}

static void skip__leaves_a_check_out_and_says_so(void **state)
{
    (void)state;

    run(&ending, "--target sim --only 'RT-RESET-0[12]' --skip 'RT-RESET-0[2-9]' --verbose");
    assert_int_equal(ending.status, 0);
    assert_non_null(strstr(ending.text, "PASS    RT-RESET-01 "));
    assert_non_null(strstr(ending.text, "SKIP    RT-RESET-02 "));

    run(&ending, "--target sim --only RT-RESET-01 --skip '*'");
    assert_int_equal(ending.status, 2);
}

static void good_device__ends_0_and_sums_up(void **state)
{
    (void)state;

    run(&ending, "--target sim:will-detach");

    assert_int_equal(ending.status, 0);
    assert_non_null(strstr(ending.text, "run time: 1209:0001"));
    assert_non_null(strstr(ending.text, "  Bus reset and return "));
    assert_non_null(strstr(ending.text, " 0 failed, "));
    assert_null(strchr(ending.text, '\033'));
}

static void tap__plans_and_numbers_each_check(void **state)
{
    (void)state;

    run(&ending, "--target sim:will-detach --only RT-RESET-01,RT-RESET-02 --tap");

    assert_int_equal(ending.status, 0);
    assert_int_equal(strncmp(ending.text, "TAP version 13\n1..2\n", 20), 0);
    assert_non_null(strstr(ending.text, "\nok 1 - RT-RESET-01: "));
    assert_non_null(strstr(ending.text, "\nok 2 - RT-RESET-02: "));
    assert_non_null(strstr(ending.text, " # SKIP needs a device with bitWillDetach = 0\n"));
}

static void chapter9__judges_what_any_device_must_do(void **state)
{
    (void)state;

    run(&ending, "--target sim:composite --chapter9 --tap");

    assert_int_equal(ending.status, 0);
    assert_non_null(strstr(ending.text, " - CH9-REQ-01: "));
    assert_null(strstr(ending.text, " - RT-"));
    assert_null(strstr(ending.text, " - DM-"));
    assert_null(strstr(ending.text, "flash"));

    run(&ending, "--target sim:composite --chapter9 --only RT-DETACH-01");
    assert_int_equal(ending.status, 2);
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
        cmocka_unit_test(bad_report_path__is_told_before_the_device_is_opened),
        cmocka_unit_test(error__is_shown_beside_a_job_of_github),
        cmocka_unit_test(report_file__keeps_its_text_if_there_is_no_device),
        cmocka_unit_test(lost_output__is_no_success),
        cmocka_unit_test(closed_pipe__is_told_as_that),
        cmocka_unit_test(lost_output__does_not_hide_how_to_restore_the_flash),
        cmocka_unit_test(full_disk__is_told_in_one_line_by_each_report),
        cmocka_unit_test(closed_pipe__does_not_end_the_run_early),
        cmocka_unit_test(file_to_restore_that_is_of_no_use__ends_2),
        cmocka_unit_test(scratch_page_that_is_of_no_use__ends_2),
        cmocka_unit_test(nothing_that_applies__ends_2),
        cmocka_unit_test(skip__leaves_a_check_out_and_says_so),
        cmocka_unit_test(good_device__ends_0_and_sums_up),
        cmocka_unit_test(tap__plans_and_numbers_each_check),
        cmocka_unit_test(chapter9__judges_what_any_device_must_do),
        cmocka_unit_test(list__shows_a_line_for_each_check),
    };
    if (argc != 2)
        return 2;
    command = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
