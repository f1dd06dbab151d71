// SPDX-License-Identifier: MIT
//
// The suite against devices as they were shipped. It must find what each is about; and whatever a
// model makes of a request, its flash is the same when the run is over, or the run ends in the exit
// status, and the words, that say it is not.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sim/devices.h>

#include "watched_run.h"

#include <cmocka.h> // last: its macros have names that the probe uses too

// The ids that a model is about, from the end of its summary: "... [RT-DETACH-01 RT-RESET-05]".
static void put_about(char *about, size_t size, const struct sim_name *model)
{
    const char *from = strrchr(model->summary, '[');

    snprintf(about, size, "%s", from ? from + 1 : "");
    about[strcspn(about, "]")] = '\0';
}

static bool
all_broken(const char *about, const struct watched_run *one, const struct watched_run *other)
{
    char ids[200];
    char *rest = ids;

    snprintf(ids, sizeof ids, "%s", about);
    for (char *id; (id = strtok_r(rest, " ", &rest));) {
        char with_blank[64];
        snprintf(with_blank, sizeof with_blank, "%s ", id);
        if (!strstr(one->broken, with_blank) && !strstr(other->broken, with_blank))
            return false;
    }
    return true;
}

static struct watched_run without_leave, with_leave;

static void each_model__is_found_and_not_harmed(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (const struct sim_name *it = sim_list_models(); it->name; it++) {
        char about[200];
        put_about(about, sizeof about, it);
        watched_run(&without_leave, it->name, false);
        watched_run(&with_leave, it->name, true);
        bool found = all_broken(about, &without_leave, &with_leave);
        bool unharmed = without_leave.flash.changes == 0 && without_leave.flash.pieces == 0;
        bool told =
            (with_leave.flash.same && with_leave.flash.pieces == 0) ||
            (with_leave.status == RUN_NOT_AS_FOUND && !strstr(with_leave.left, "verified)"));
        if (!found) {
            fprintf(stderr, "%s: missed %s\n", it->name, about);
            wrong += watched_run_complain(it->name, &with_leave);
        }
        if (!unharmed) {
            fprintf(stderr, "%s: harmed without leave\n", it->name);
            wrong += watched_run_complain(it->name, &without_leave);
        }
        if (!told) {
            fprintf(stderr, "%s: lost in silence\n", it->name);
            wrong += watched_run_complain(it->name, &with_leave);
        }
    }

    assert_int_equal(wrong, 0);
}

static void each_model__has_a_name_of_its_own(void **state)
{
    (void)state;

    for (const struct sim_name *it = sim_list_models(); it->name; it++) {
        for (const struct sim_name *other = sim_list_models(); other != it; other++)
            assert_string_not_equal(other->name, it->name);
        for (const struct sim_name *other = sim_list_variations(); other->name; other++)
            assert_string_not_equal(other->name, it->name);
        for (const struct sim_name *other = sim_list_devices(); other->name; other++)
            assert_string_not_equal(other->name, it->name);
    }
}

static void each_model__is_about_requirements_that_there_are(void **state)
{
    (void)state;

    for (const struct sim_name *it = sim_list_models(); it->name; it++) {
        char about[200];
        char *rest = about;
        put_about(about, sizeof about, it);
        for (char *id; (id = strtok_r(rest, " ", &rest));) {
            bool found = false;
            for (const struct check_group *const *group = catalogue; *group; group++)
                for (size_t i = 0; i < (*group)->count; i++)
                    found = found || strcmp((*group)->checks[i].id, id) == 0;
            if (!found)
                fail_msg("%s is about %s, which there is not", it->name, id);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_model__has_a_name_of_its_own),
        cmocka_unit_test(each_model__is_about_requirements_that_there_are),
        cmocka_unit_test(each_model__is_found_and_not_harmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
