// SPDX-License-Identifier: MIT
//
// The agent and the relay, joined by a socket pair instead of a virtual machine.

#include "guest_link.h"
#include <guest/guest.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// What a run of a shell script through the link gave.
struct result {
    int status;
    size_t output_length;
    char output[4096]; // its beginning
    char errors[4096];
};

static int signals_for(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

// In a child: relay the script's streams to and from three files.
static _Noreturn void relay_script(int port, const char *script, FILE *const streams[3])
{
    char *argv[] = {"sh", "-c", (char *)script, NULL};

    for (int i = 0; i < 3; i++)
        dup2(fileno(streams[i]), i);
    setenv("DFURT_TEST", "two words", 1);
    signal(SIGPIPE, SIG_IGN);
    int status = guest_relay(port, signals_for(SIGTERM), 5000, argv, &(bool){0});
    _exit(status < 0 ? 255 : status);
}

static size_t read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = 0;
    fseek(file, 0, SEEK_END);
    length = (size_t)ftell(file);
    fclose(file);
    return length;
}

static struct result run(const char *script, const char *input)
{
    FILE *streams[3] = {tmpfile(), tmpfile(), tmpfile()};
    struct result result = {0};
    int ports[2];

    fputs(input, streams[0]);
    fflush(streams[0]);
    rewind(streams[0]);
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ports));
    pid_t relay = fork();
    if (relay == 0) {
        close(ports[1]);
        relay_script(ports[0], script, streams);
    }
    close(ports[0]);
    guest_agent(ports[1]);
    close(ports[1]);
    waitpid(relay, &result.status, 0);
    result.status = WEXITSTATUS(result.status);

    fclose(streams[0]);
    result.output_length = read_back(streams[1], result.output, sizeof(result.output));
    read_back(streams[2], result.errors, sizeof(result.errors));
    return result;
}

static void link__brings_back_both_outputs_and_the_exit_status(void **state)
{
    (void)state;

    struct result result = run("echo out; echo err >&2; exit 7", "");

    assert_int_equal(7, result.status);
    assert_string_equal("out\n", result.output);
    assert_string_equal("err\n", result.errors);
}

static void link__gives_the_command_its_input_directory_and_environment(void **state)
{
    char here[4096], expected[8192];
    (void)state;

    struct result result = run("cat; echo \"$DFURT_TEST\"; pwd -P", "a line\nno end");

    assert_non_null(getcwd(here, sizeof(here)));
    snprintf(expected, sizeof(expected), "a line\nno endtwo words\n%s\n", here);
    assert_string_equal(expected, result.output);
}

static void link__loses_nothing_of_a_large_output(void **state)
{
    (void)state;

    struct result result = run("head -c 3000000 /dev/zero", "");

    assert_int_equal(0, result.status);
    assert_int_equal(3000000, result.output_length);
}

static void link__does_not_lock_up_when_much_flows_both_ways(void **state)
{
    char *input = malloc(4000001);
    (void)state;
    memset(input, 'x', 4000000);
    input[4000000] = 0;

    struct result result = run("cat", input);

    assert_int_equal(0, result.status);
    assert_int_equal(4000000, result.output_length);
    free(input);
}

static void link__ends_though_input_is_not_read(void **state)
{
    char input[200001];
    (void)state;
    memset(input, 'x', sizeof(input) - 1);
    input[sizeof(input) - 1] = 0;

    struct result result = run("exit 3", input);

    assert_int_equal(3, result.status);
}

static void link__ends_though_the_background_holds_the_output(void **state)
{
    (void)state;

    struct result result = run("sleep 60 & echo $!", "");

    assert_int_equal(0, result.status);
    assert_int_equal(0, kill(atoi(result.output), SIGKILL));
}

static void link__says_which_signal_ended_the_command(void **state)
{
    (void)state;

    struct result result = run("kill -SEGV $$", "");

    assert_int_equal(128 + SIGSEGV, result.status);
}

static void agent__says_that_there_is_no_such_program(void **state)
{
    struct guest_frame *frame = malloc(sizeof(*frame));
    int ports[2];
    (void)state;

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ports);
    pid_t agent = fork();
    if (agent == 0)
        _exit(-guest_agent(ports[1]));
    guest_send(ports[0], GUEST_DIRECTORY, "/", 1);
    guest_send(ports[0], GUEST_ARGUMENT, "no-such-program", 15);
    guest_send(ports[0], GUEST_START, NULL, 0);
    assert_int_equal(0, guest_receive(ports[0], frame));
    assert_int_equal(GUEST_HELLO, frame->kind);
    assert_int_equal(0, guest_receive(ports[0], frame));
    assert_int_equal(GUEST_WANTS_INPUT, frame->kind);
    assert_int_equal(0, guest_receive(ports[0], frame));

    assert_int_equal(GUEST_STDERR, frame->kind);
    assert_string_equal("no-such-program: No such file or directory\n", (char *)frame->payload);
    assert_int_equal(0, guest_receive(ports[0], frame));
    assert_int_equal(GUEST_EXIT, frame->kind);
    assert_int_equal(127, frame->payload[0]);

    waitpid(agent, NULL, 0);
    close(ports[0]);
    close(ports[1]);
    free(frame);
}

static void relay__gives_up_without_a_hello(void **state)
{
    char *argv[] = {"true", NULL};
    bool started;
    int ports[2];
    (void)state;
    int signals = signals_for(SIGUSR1);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ports);

    assert_int_equal(-ETIME, guest_relay(ports[0], signals, 10, argv, &started));
    close(ports[1]);
    assert_int_equal(-EPIPE, guest_relay(ports[0], signals, 10, argv, &started));

    close(ports[0]);
    close(signals);
}

static void relay__stops_at_a_signal(void **state)
{
    char *argv[] = {"true", NULL};
    bool started;
    int ports[2];
    (void)state;
    int signals = signals_for(SIGUSR1);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ports);

    raise(SIGUSR1);
    int status = guest_relay(ports[0], signals, -1, argv, &started);

    assert_int_equal(128 + SIGUSR1, status);
    assert_false(started);
    close(ports[0]);
    close(ports[1]);
    close(signals);
}

static void receive__refuses_a_frame_that_cannot_be(void **state)
{
    static const uint8_t unknown_kind[] = {99, 0, 0, 0, 0};
    static const uint8_t too_long[] = {GUEST_STDOUT, 0x01, 0x00, 0x02, 0x00};
    struct guest_frame *frame = malloc(sizeof(*frame));
    int ports[2];
    (void)state;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ports);

    guest_write_all(ports[0], unknown_kind, sizeof(unknown_kind));
    assert_int_equal(-EPROTO, guest_receive(ports[1], frame));
    guest_write_all(ports[0], too_long, sizeof(too_long));
    assert_int_equal(-EPROTO, guest_receive(ports[1], frame));

    close(ports[0]);
    close(ports[1]);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link__brings_back_both_outputs_and_the_exit_status),
        cmocka_unit_test(link__gives_the_command_its_input_directory_and_environment),
        cmocka_unit_test(link__loses_nothing_of_a_large_output),
        cmocka_unit_test(link__does_not_lock_up_when_much_flows_both_ways),
        cmocka_unit_test(link__ends_though_input_is_not_read),
        cmocka_unit_test(link__ends_though_the_background_holds_the_output),
        cmocka_unit_test(link__says_which_signal_ended_the_command),
        cmocka_unit_test(agent__says_that_there_is_no_such_program),
        cmocka_unit_test(relay__gives_up_without_a_hello),
        cmocka_unit_test(relay__stops_at_a_signal),
        cmocka_unit_test(receive__refuses_a_frame_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
