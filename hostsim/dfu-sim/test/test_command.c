// SPDX-License-Identifier: MIT
//
// dfu-sim as a person runs it: what it prints and how it ends. The program's path is the first
// argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *program;

static void bad_input__is_one_line_and_status_2(void **state)
{
    static const struct {
        const char *arguments;
        const char *line;
    } cases[] = {
        {"nonsense", "dfu-sim: no such command: nonsense; see dfu-sim --help\n"},
        {"list stray", "dfu-sim list: unexpected argument 'stray'; see dfu-sim --help\n"},
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input__is_one_line_and_status_2),
    };

    program = argc == 2 ? argv[1] : "dfu-sim";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
