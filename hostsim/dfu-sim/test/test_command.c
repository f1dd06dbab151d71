// SPDX-License-Identifier: MIT
//
// dfu-sim as a person runs it: what it prints and how it ends. The program's path is the first
// argument.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *program;

static void bad_input__is_one_line_and_status_2(void **state)
{
    static const struct {
        const char *arguments;
        const char *line;
    } cases[] = {
        {"nonsense", "dfu-sim: unknown command 'nonsense'; see dfu-sim --help\n"},
        {"list stray", "dfu-sim list: unexpected argument 'stray'; see dfu-sim list --help\n"},
        {"list --count 2",
         "dfu-sim list: --count is not an option of this command; see dfu-sim list --help\n"},
        {"serve --nothing", "dfu-sim serve: unknown option: --nothing; see dfu-sim serve --help\n"},
        {"serve -xy", "dfu-sim serve: unknown option: -x; see dfu-sim serve --help\n"},
        {"serve -hx", "dfu-sim serve: unknown option: -x; see dfu-sim serve --help\n"},
        {"serve -\xC3\xA9", "dfu-sim serve: unknown option: -\\xC3; see dfu-sim serve --help\n"},
        {"serve --help=1", "dfu-sim serve: unknown option: --help=1; see dfu-sim serve --help\n"},
        {"run", "dfu-sim run: missing COMMAND; put it after --, as in -- dfu-util -l\n"},
        {"serve --device nothing", "dfu-sim serve: unknown device 'nothing': "}, // the names follow
        {"run --via mock --count 2 -- true",
         "dfu-sim run: the imitated USB stack has one port: leave --count out\n"},
        {"run --via mock --capture file -- true",
         "dfu-sim run: the imitated USB stack writes no capture: leave --capture out, or use --via "
         "guest\n"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[600];
        char text[4096];
        FILE *out;
        size_t length;
        int status;

        snprintf(command, sizeof command, "'%s' %s 2>&1 </dev/null", program, cases[i].arguments);
        out = popen(command, "r");
        assert_non_null(out);
        length = fread(text, 1, sizeof text - 1, out);
        text[length] = '\0';
        status = pclose(out);

        if (!WIFEXITED(status) || WEXITSTATUS(status) != 2 ||
            strncmp(text, cases[i].line, strlen(cases[i].line)) != 0 ||
            strchr(text, '\n') != text + length - 1)
            fail_msg("'%s' ends %d and says: %s", cases[i].arguments, WEXITSTATUS(status), text);
    }
}

// Starts `dfu-sim serve`, waits until it listens, ends it by SIGTERM. Returns its exit status, with
// what it wrote to stderr.
static int serve_and_stop(char *const argv[], char *text, size_t size)
{
    FILE *errors = tmpfile();
    char line[64] = "";
    int pipes[2];
    int status;

    assert_non_null(errors);
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(fileno(errors), STDERR_FILENO);
        execv(program, argv);
        _exit(127);
    }
    close(pipes[1]);
    ssize_t length = read(pipes[0], line, sizeof line - 1); // written at once
    assert_true(length > 0 && strncmp(line, "listening on ", 13) == 0);
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(pipes[0]);
    rewind(errors);
    text[fread(text, 1, size - 1, errors)] = '\0';
    fclose(errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void serve__ends_on_sigterm(void **state)
{
    char *const argv[] = {"dfu-sim", "serve", "--listen", "127.0.0.1:0", NULL};
    char text[1000];
    (void)state;

    assert_int_equal(serve_and_stop(argv, text, sizeof text), 0);

    assert_null(strstr(text, "warning"));
}

static void serve__warns_when_other_machines_can_connect(void **state)
{
    char *const argv[] = {"dfu-sim", "serve", "--listen", "0.0.0.0:0", NULL};
    char text[1000];
    (void)state;

    assert_int_equal(serve_and_stop(argv, text, sizeof text), 0);

    assert_non_null(strstr(text, "dfu-sim serve: warning: everyone who reaches 0.0.0.0 "));
}

static void serve__a_full_disk_is_told(void **state)
{
    char *const argv[] = {"dfu-sim",   "serve",     "--listen", "127.0.0.1:0",
                          "--capture", "/dev/full", NULL};
    char text[1000];
    (void)state;

    assert_int_equal(serve_and_stop(argv, text, sizeof text), 2);

    assert_non_null(strstr(text, "the capture is incomplete: No space left on device"));
}

static void serve__ends_where_it_cannot_say_that_it_listens(void **state)
{
    char command[600];
    char text[1000];
    (void)state;

    snprintf(command, sizeof command, "'%s' serve --listen 127.0.0.1:0 2>&1 >/dev/full", program);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    int status = pclose(out);

    assert_int_equal(WEXITSTATUS(status), 2);
    assert_string_equal(text,
                        "dfu-sim: standard output cannot be written: No space left on device\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input__is_one_line_and_status_2),
        cmocka_unit_test(serve__ends_on_sigterm),
        cmocka_unit_test(serve__warns_when_other_machines_can_connect),
        cmocka_unit_test(serve__a_full_disk_is_told),
        cmocka_unit_test(serve__ends_where_it_cannot_say_that_it_listens),
    };

    program = argc == 2 ? argv[1] : "dfu-sim";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
