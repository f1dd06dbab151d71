// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "options.h"

enum { MAX_WORDS = 8, EVERYTHING = 63 & ~OPTIONS_COMMAND };

struct command_line {
    char *words[MAX_WORDS];
};

static int parse(struct options *options, unsigned accepted, struct command_line line, char *error)
{
    int count = 0;

    while (line.words[count])
        count++;
    error[0] = 0;
    return options_parse(options, accepted, count, line.words, error, 200);
}

static void parse__without_options_gives_the_documented_defaults(void **state)
{
    (void)state;
    struct options options;
    char error[200];

    int result = parse(&options, EVERYTHING, (struct command_line){{"serve"}}, error);

    assert_int_equal(result, 0);
    assert_null(options.sim.device);
    assert_string_equal(options.listen_host, "127.0.0.1");
    assert_string_equal(options.listen_port, "3240");
    assert_int_equal(options.count, 1);
    assert_int_equal(options.via, OPTIONS_VIA_AUTO);
    assert_null(options.capture);
}

static void parse__takes_every_option(void **state)
{
    (void)state;
    struct options options;
    char error[200];
    const struct command_line device = {
        {"serve", "--device=composite", "--defect", "no-timer", "--trace=states,mmio,packets"}};
    const struct command_line cable = {{"serve", "--serial=1", "--away=3000", "--unplug", "40"}};
    const struct command_line firmware = {{"serve", "--firmware=a", "--gdb", "3333"}};
    const struct command_line server = {
        {"serve", "--listen=0.0.0.0:0", "--count=3", "--capture=a.pcapng", "--via=mock"}};

    assert_int_equal(parse(&options, EVERYTHING, device, error), 0);
    assert_string_equal(options.sim.device, "composite");
    assert_string_equal(options.sim.defect, "no-timer");
    assert_int_equal(options.sim.trace, SIM_TRACE_STATES | SIM_TRACE_MMIO | SIM_TRACE_PACKETS);

    assert_int_equal(parse(&options, EVERYTHING, cable, error), 0);
    assert_string_equal(options.sim.serial, "1");
    assert_int_equal(options.sim.cable.away_ms, 3000);
    assert_int_equal(options.sim.cable.unplug_at, 40);

    assert_int_equal(parse(&options, EVERYTHING, firmware, error), 0);
    assert_string_equal(options.sim.firmware, "a");
    assert_string_equal(options.sim.gdb, "3333");

    assert_int_equal(parse(&options, EVERYTHING, server, error), 0);
    assert_string_equal(options.listen_host, "0.0.0.0");
    assert_string_equal(options.listen_port, "0");
    assert_int_equal(options.count, 3);
    assert_string_equal(options.capture, "a.pcapng");
    assert_int_equal(options.via, OPTIONS_VIA_MOCK);
}

static void parse__takes_the_path_of_a_unix_socket(void **state)
{
    (void)state;
    struct options options;
    char error[200];
    char longest[200] = "--listen=unix:";
    size_t prefix = strlen(longest);
    size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

    assert_int_equal(parse(&options, EVERYTHING,
                           (struct command_line){{"serve", "--listen=unix:/run/a:1"}}, error),
                     0);
    assert_string_equal(options.listen_host, "unix");
    assert_string_equal(options.listen_port, "/run/a:1");

    memset(longest + prefix, 'x', most);
    assert_int_equal(parse(&options, EVERYTHING, (struct command_line){{"serve", longest}}, error),
                     0);
    longest[prefix + most] = 'x';
    assert_int_equal(parse(&options, EVERYTHING, (struct command_line){{"serve", longest}}, error),
                     -1);
    assert_non_null(strstr(error, "at most 107 bytes"));
}

static void parse__takes_an_ipv6_address_in_brackets(void **state)
{
    (void)state;
    struct options options;
    char error[200];

    int result =
        parse(&options, EVERYTHING, (struct command_line){{"serve", "--listen=[::1]:99"}}, error);

    assert_int_equal(result, 0);
    assert_string_equal(options.listen_host, "::1");
    assert_string_equal(options.listen_port, "99");
}

static void parse__hands_the_command_over_with_its_own_options(void **state)
{
    (void)state;
    struct options options;
    char error[200];
    const struct command_line line = {{"run", "--via=guest", "--", "dfu-util", "-l"}};

    int result = parse(&options, EVERYTHING | OPTIONS_COMMAND, line, error);

    assert_int_equal(result, 0);
    assert_string_equal(options.command[0], "dfu-util");
    assert_string_equal(options.command[1], "-l");
    assert_null(options.command[2]);
}

static void help__is_taken_without_the_rest(void **state)
{
    (void)state;
    struct options options;
    char error[200];

    assert_int_equal(
        parse(&options, OPTIONS_COMMAND, (struct command_line){{"run", "--help"}}, error), 0);
    assert_true(options.help);
    assert_int_equal(
        parse(&options, OPTIONS_COMMAND, (struct command_line){{"run", "lsusb", "-h"}}, error), 0);
    assert_false(options.help);
}

static void parse__says_what_was_wrong(void **state)
{
    (void)state;
    static const struct {
        struct command_line line;
        unsigned accepted;
        const char *said;
    } cases[] = {
        {{{"serve", "--count=0"}}, EVERYTHING, "1 to 4096"},
        {{{"serve", "--count=4097"}}, EVERYTHING, "1 to 4096"},
        {{{"serve", "--count=-1"}}, EVERYTHING, "1 to 4096"},
        {{{"serve", "--count=2x"}}, EVERYTHING, "'2x'"},
        {{{"serve", "--listen=3240"}}, EVERYTHING, "ADDR:PORT"},
        {{{"serve", "--listen=unix:"}}, EVERYTHING, "unix:PATH"},
        {{{"serve", "--listen=:3240"}}, EVERYTHING, "ADDR:PORT"},
        {{{"serve", "--listen=a:65536"}}, EVERYTHING, "ADDR:PORT"},
        {{{"serve", "--listen=a:"}}, EVERYTHING, "ADDR:PORT"},
        {{{"serve", "--trace=everything"}}, EVERYTHING, "instructions,mmio,states,packets"},
        {{{"run", "--via=air"}}, EVERYTHING, "'air'"},
        {{{"serve", "--sideways"}}, EVERYTHING, "--sideways"},
        {{{"serve", "--device"}}, EVERYTHING, "the value is missing"},
        {{{"serve", "x"}}, EVERYTHING, "'x'"},
        {{{"serve", "--via=mock"}}, OPTIONS_DEVICE, "--via is not an option of this command"},
        {{{"run"}}, OPTIONS_COMMAND, "missing COMMAND"},
        {{{"serve", "--device=a", "--firmware=b"}}, EVERYTHING, "exclude"},
        {{{"serve", "--flash=a", "--count=2"}}, EVERYTHING, "--count"},
        {{{"serve", "--firmware=a", "--gdb=0", "--count=2"}}, EVERYTHING, "--count"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        char error[200];

        assert_int_equal(parse(&options, cases[i].accepted, cases[i].line, error), -1);

        if (!strstr(error, cases[i].said))
            fail_msg("expected '%s' in: %s", cases[i].said, error);
        assert_null(strchr(error, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__without_options_gives_the_documented_defaults),
        cmocka_unit_test(parse__takes_every_option),
        cmocka_unit_test(parse__takes_the_path_of_a_unix_socket),
        cmocka_unit_test(parse__takes_an_ipv6_address_in_brackets),
        cmocka_unit_test(parse__hands_the_command_over_with_its_own_options),
        cmocka_unit_test(help__is_taken_without_the_rest),
        cmocka_unit_test(parse__says_what_was_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
