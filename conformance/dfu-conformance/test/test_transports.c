// SPDX-License-Identifier: MIT
//
// The same device by different ways: the verdicts must be those of sim:, but for SKIPs that the
// transport explains. Arguments: dfu-conformance, dfu-sim, and the way: usbip, mock or guest.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static const char *conformance;
static const char *dfu_sim;
static const char *way;

static FILE *start_run(const char *command)
{
    FILE *out = popen(command, "r");
    assert_non_null(out);
    return out;
}

// The report of a run, which it prints.
static json_t *report_of(FILE *out)
{
    json_error_t error;
    json_t *report = json_loadf(out, JSON_DISABLE_EOF_CHECK, &error);
    int status = pclose(out);
    if (!report)
        fail_msg("no report: %s (line %d), status %d", error.text, error.line, status);
    return report;
}

// Write the table away and the report to stdout: in the guest, files do not outlive the run.
static void print_report_command(char *text, size_t size, const char *before, const char *target)
{
    snprintf(text, size,
             "%s sh -c \"'%s' --target '%s' --allow-write --allow-vendor --json "
             "/tmp/dfurt-report-$$ >/dev/null; "
             "cat /tmp/dfurt-report-$$; rm /tmp/dfurt-report-$$\" </dev/null",
             before, conformance, target);
}

// ---- The ways ----

struct subject {
    const char *device;
    const char *defect;   // or NULL
    struct subject *next; // that has the same test; NULL: none
    FILE *run;            // under way, or NULL
};

static json_t *run_in_process(const struct subject *subject)
{
    char target[64];
    char command[1200];
    snprintf(target, sizeof target, "sim:%s%s%s", subject->device,
             subject->defect ? ",defect=" : "", subject->defect ? subject->defect : "");
    print_report_command(command, sizeof command, "", target);
    return report_of(start_run(command));
}

static bool in_guest(void)
{
    return strcmp(way, "guest") == 0;
}

// What guests keep of their devices' flash is their own.
static FILE *start_on_usb(const struct subject *subject)
{
    char before[600];
    char command[1800];
    snprintf(before, sizeof before, "'%s' run --via %s --device %s %s %s -- %s", dfu_sim, way,
             subject->device, subject->defect ? "--defect" : "",
             subject->defect ? subject->defect : "", in_guest() ? "env XDG_STATE_HOME=/tmp" : "");
    print_report_command(command, sizeof command, before, "usb:1209:0001");
    return start_run(command);
}

// A guest mostly waits for its device's timers: while a subject is judged, the next one runs too.
static json_t *run_on_usb(struct subject *subject)
{
    struct subject *next = in_guest() ? subject->next : NULL;
    FILE *out = subject->run ? subject->run : start_on_usb(subject);

    if (next && !next->run)
        next->run = start_on_usb(next);
    return report_of(out);
}

static pid_t start_server(const struct subject *subject, const char *count, unsigned *ret_port)
{
    int ends[2];
    assert_return_code(pipe(ends), 0);
    pid_t server = fork();
    if (server == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(dfu_sim, dfu_sim, "serve", "--listen", "127.0.0.1:0", "--device", subject->device,
              "--count", count, subject->defect ? "--defect" : NULL, subject->defect, NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    assert_non_null(out);
    int found = fscanf(out, "listening on 127.0.0.1:%u", ret_port);
    fclose(out);
    assert_int_equal(found, 1);
    return server;
}

static json_t *run_on_usbip(const struct subject *subject)
{
    unsigned port;
    char target[64];
    char command[1200];
    pid_t server = start_server(subject, "1", &port);
    snprintf(target, sizeof target, "usbip:127.0.0.1:%u", port);
    print_report_command(command, sizeof command, "", target);
    json_t *report = report_of(start_run(command));
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    return report;
}

// ---- Comparing ----

static const char *text_of(const json_t *result, const char *member)
{
    const char *text = json_string_value(json_object_get(result, member));
    return text ? text : "";
}

// What the transport, or real time, keeps from being asked.
static bool explained(const json_t *there)
{
    const char *message = text_of(there, "message");
    return strcmp(text_of(there, "verdict"), "SKIP") == 0 &&
           (strncmp(message, "needs a target ", 15) == 0 ||
            strstr(message, "for long enough to be asked"));
}

static void compare(const char *device, const json_t *here, const json_t *there)
{
    const json_t *ours = json_object_get(here, "results");
    const json_t *theirs = json_object_get(there, "results");
    assert_true(json_array_size(ours) > 0);
    assert_int_equal(json_array_size(ours), json_array_size(theirs));
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const json_t *a = json_array_get(ours, i);
        const json_t *b = json_array_get(theirs, i);
        assert_string_equal(text_of(a, "id"), text_of(b, "id"));
        if (strcmp(text_of(a, "verdict"), text_of(b, "verdict")) != 0 && !explained(b))
            fail_msg("%s, %s: sim says %s; %s says %s; expected %s, received %s; %s", device,
                     text_of(a, "id"), text_of(a, "verdict"), way, text_of(b, "verdict"),
                     text_of(b, "expected"), text_of(b, "received"), text_of(b, "message"));
    }
}

static void expect_same_verdicts(struct subject *subject)
{
    json_t *here = run_in_process(subject);
    json_t *there = strcmp(way, "usbip") == 0 ? run_on_usbip(subject) : run_on_usb(subject);

    compare(subject->device, here, there);

    json_decref(here);
    json_decref(there);
}

static void has_the_same_verdicts(void **state)
{
    expect_same_verdicts(*state);
}

// Devices of the legal fleet: other interfaces, small packets, a language, a loader that counts.
static void variation_has_the_same_verdicts(void **state)
{
    if (strcmp(way, "usbip") != 0)
        skip(); // in the guest each would take minutes
    expect_same_verdicts(*state);
}

// Which one is meant is a person's to say.
static void several_devices__are_refused_with_their_list(void **state)
{
    (void)state;
    unsigned port;
    char command[400];
    char text[400];
    if (strcmp(way, "usbip") != 0)
        skip();
    pid_t server = start_server(&(const struct subject){"will-detach", NULL}, "2", &port);
    snprintf(command, sizeof command, "'%s' --target usbip:127.0.0.1:%u 2>&1", conformance, port);

    FILE *out = popen(command, "r");
    assert_non_null(out);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    int status = WEXITSTATUS(pclose(out));
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);

    assert_int_equal(status, 2);
    assert_non_null(strstr(text, "exports 2 devices, 1-1 (1209:0001), 1-2 (1209:0001): "));
}

int main(int argc, char **argv)
{
    static struct subject wrong = {"wait-reset", "second-detach", NULL, NULL};
    static struct subject composite = {"composite", NULL, &wrong, NULL};
    static struct subject wait_reset = {"wait-reset", NULL, &composite, NULL};
    static struct subject will_detach = {"will-detach", NULL, &wait_reset, NULL};
    static struct subject cdc_acm = {"cdc-acm", NULL, NULL, NULL};
    static struct subject max_packet_8 = {"max-packet-8", NULL, NULL, NULL};
    static struct subject two_languages = {"two-languages", NULL, NULL, NULL};
    static struct subject blocks_counted = {"blocks-counted", NULL, NULL, NULL};
    static struct subject layout = {"layout-three-groups", NULL, NULL, NULL};
    const struct CMUnitTest tests[] = {
        {"will-detach", has_the_same_verdicts, NULL, NULL, &will_detach},
        {"wait-reset", has_the_same_verdicts, NULL, NULL, &wait_reset},
        {"composite", has_the_same_verdicts, NULL, NULL, &composite},
        {"second-detach", has_the_same_verdicts, NULL, NULL, &wrong},
        {"cdc-acm", variation_has_the_same_verdicts, NULL, NULL, &cdc_acm},
        {"max-packet-8", variation_has_the_same_verdicts, NULL, NULL, &max_packet_8},
        {"two-languages", variation_has_the_same_verdicts, NULL, NULL, &two_languages},
        {"blocks-counted", variation_has_the_same_verdicts, NULL, NULL, &blocks_counted},
        {"layout-three-groups", variation_has_the_same_verdicts, NULL, NULL, &layout},
        cmocka_unit_test(several_devices__are_refused_with_their_list),
    };
    if (argc != 4 && argc != 5)
        return 2;
    if (argc == 5)
        cmocka_set_test_filter(argv[4]); // a device
    conformance = argv[1];
    dfu_sim = argv[2];
    way = argv[3];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
