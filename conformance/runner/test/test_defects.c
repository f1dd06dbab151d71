// SPDX-License-Identifier: MIT
//
// The suite against devices with deliberate defects (defect_rows.h): for each defect of the
// simulator exactly what the table says is reported broken, by FAIL, by WARN, or by the note of a
// requirement that only informs. The same in a whole run and for each check alone. One defect is
// one FAIL, unless the row names the other sentence that the device breaks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <conformance/runner.h>
#include <sim/devices.h>

#include "defect_rows.h"
#include "opened_target.h"

#include <cmocka.h> // last: its macros have names that the probe uses too

static const struct defect_row *const tables[] = {run_time_rows, chapter9_rows, dfu_mode_rows,
                                                  answer_rows};

enum { TABLES = sizeof tables / sizeof tables[0], MOST_CHECKS = 1024, TEXT = 4096 };

// ---- Sets of requirements: a flag for each check of the catalogue ----

struct set {
    bool has[MOST_CHECKS];
};

static const struct check *check_at(size_t index)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        if (index < (*group)->count)
            return &(*group)->checks[index];
        index -= (*group)->count;
    }
    return NULL;
}

static size_t index_of(const char *id)
{
    size_t index = 0;
    while (check_at(index) && strcmp(check_at(index)->id, id) != 0)
        index++;
    return index;
}

static void add(struct set *set, const char *id)
{
    if (!catalogue_find(id))
        fail_msg("there is no requirement %s", id);
    set->has[index_of(id)] = true;
}

// The same requirement of the boot loader; NULL: it has none of its own.
static const struct check *twin_of(const char *id)
{
    char twin[64];
    snprintf(twin, sizeof twin, "DM-%s", id);
    return strncmp(id, "CH9-", 4) == 0 ? catalogue_find(twin) : NULL;
}

static void add_with_twin(struct set *set, const struct defect_row *row, const char *id)
{
    add(set, id);
    if (row->both_modes && twin_of(id))
        add(set, twin_of(id)->id);
}

static void expected_of(struct set *set, const struct defect_row *row)
{
    *set = (struct set){.has = {false}};
    if (row->subject)
        add_with_twin(set, row, row->subject);
    for (size_t i = 0; i < MOST_SENTENCES && row->also[i].id; i++)
        add_with_twin(set, row, row->also[i].id);
    for (const struct consequence *consequence = row->follows; consequence->id; consequence++)
        add_with_twin(set, row, consequence->id);
}

static bool is_broken(const struct result *result)
{
    return result->verdict == VERDICT_FAIL || result->verdict == VERDICT_WARN ||
           (result->verdict == VERDICT_PASS && *result->finding.expected);
}

// The ids in one and not in the other, with blanks between them.
static void put_difference(char text[TEXT], const struct set *in, const struct set *not_in)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; check_at(i) && used < TEXT; i++) {
        if (in->has[i] && !not_in->has[i])
            used += (size_t)snprintf(text + used, TEXT - used, " %s", check_at(i)->id);
    }
}

// ---- Running a row ----

// What is broken; of that, what is a FAIL.
struct findings {
    struct set broken;
    struct set failed;
};

static void run_row(const struct defect_row *row, const char *only, struct findings *found)
{
    struct report report;
    char text[TEXT];
    const struct runner_options options = {.allow_write = true, .allow_vendor = true, .only = only};

    snprintf(text, sizeof text, "sim:%s,defect=%s", row->device, row->defect);
    struct target *target = open_target(text);
    runner_run(&options, target, text, &report);
    *found = (struct findings){.broken = {.has = {false}}};
    for (size_t i = 0; i < report.count; i++) {
        const struct result *result = &report.results[i];
        size_t index = index_of(result->check->id);
        found->broken.has[index] = is_broken(result);
        found->failed.has[index] = result->verdict == VERDICT_FAIL;
    }
    report_finish(&report);
    target->ops->close(target);
}

// Returns whether it was as it is to be.
static bool compare(const struct defect_row *row,
                    const char *how,
                    const struct set *expected,
                    const struct set *broken)
{
    char missing[TEXT], unexpected[TEXT];
    put_difference(missing, expected, broken);
    put_difference(unexpected, broken, expected);
    if (!*missing && !*unexpected)
        return true;
    print_error("%s on %s, %s\n  not reported:%s\n  not in its row:%s\n", row->defect, row->device,
                how, missing, unexpected);
    return false;
}

static bool is_also_broken(const struct defect_row *row, const char *id)
{
    for (size_t i = 0; i < MOST_SENTENCES && row->also[i].id; i++) {
        if (strcmp(row->also[i].id, id) == 0)
            return true;
    }
    return false;
}

// In both modes it is one, of two programs.
static bool fails_once(const struct defect_row *row, const struct set *failed)
{
    unsigned count = 0;
    for (size_t i = 0; check_at(i); i++) {
        const struct check *twin = twin_of(check_at(i)->id);
        if (!failed->has[i] || is_also_broken(row, check_at(i)->id))
            continue;
        count += !(row->both_modes && twin && failed->has[index_of(twin->id)]);
    }
    if (count > 1)
        print_error("%s on %s: %u FAILs, and no reason for a second one\n", row->defect,
                    row->device, count);
    return count <= 1;
}

static bool whole_is_right(const struct defect_row *row)
{
    struct set expected;
    struct findings found;
    expected_of(&expected, row);
    run_row(row, NULL, &found);
    if (row->remembers)
        expected.has[index_of(row->subject)] = found.broken.has[index_of(row->subject)];
    bool right = compare(row, "in a whole run", &expected, &found.broken);
    return fails_once(row, &found.failed) && right;
}

// Of the checks that the row does not name every third one runs, others in other rows: all of them
// take minutes.
static bool is_asked_alone(const struct defect_row *row, const struct set *expected, size_t i)
{
    enum { EVERY = 3 };
    return expected->has[i] || (i + strlen(row->defect)) % EVERY == 0;
}

// Of a device that remembers, the subject in a whole run is enough, and no other check is asked.
static bool alone_is_right(const struct defect_row *row)
{
    struct set expected, alone;
    expected_of(&expected, row);
    alone = expected;
    for (size_t i = 0; check_at(i); i++) {
        struct findings found;
        if (!is_asked_alone(row, &expected, i) || (row->remembers && i != index_of(row->subject)))
            continue;
        run_row(row, check_at(i)->id, &found);
        if (row->remembers && !found.broken.has[i])
            run_row(row, NULL, &found);
        alone.has[i] = found.broken.has[i];
    }
    return compare(row, "each check alone", &expected, &alone);
}

static unsigned count_wrong(const struct defect_row *row,
                            bool (*is_right)(const struct defect_row *row))
{
    unsigned wrong = 0;
    for (; row->defect; row++)
        wrong += !is_right(row);
    return wrong;
}

static void assert_each_row(bool (*is_right)(const struct defect_row *row))
{
    unsigned wrong = 0;
    for (size_t i = 0; i < TABLES; i++)
        wrong += count_wrong(tables[i], is_right);
    assert_int_equal(wrong, 0);
}

// ---- The tests ----

static void each_defect__breaks_what_its_row_says_and_nothing_else(void **state)
{
    (void)state;
    assert_each_row(whole_is_right);
}

static void alone__each_check_says_the_same(void **state)
{
    const struct defect_row *rows = *state;
    assert_int_equal(count_wrong(rows, alone_is_right), 0);
}

static bool has_row(const char *defect)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct defect_row *row = tables[i]; row->defect; row++) {
            if (strcmp(row->defect, defect) == 0)
                return true;
        }
    }
    return false;
}

static void each_defect__has_a_row(void **state)
{
    (void)state;

    for (const struct sim_name *defect = sim_list_defects(); defect->name; defect++) {
        if (!has_row(defect->name))
            fail_msg("%s has no row", defect->name);
    }
}

static bool has_reasons(const struct defect_row *row)
{
    for (const struct consequence *consequence = row->follows; consequence->id; consequence++) {
        if (!consequence->why || !*consequence->why) {
            print_error("%s: no reason for %s\n", row->defect, consequence->id);
            return false;
        }
    }
    for (size_t i = 0; i < MOST_SENTENCES && row->also[i].id; i++) {
        if (!row->also[i].why || !strpbrk(row->also[i].why, "0123456789")) {
            print_error("%s: no section of the sentence of %s\n", row->defect, row->also[i].id);
            return false;
        }
    }
    return true;
}

static void each_consequence__has_a_reason(void **state)
{
    (void)state;
    assert_each_row(has_reasons);
}

// A check that no defect can fail checks nothing. Why no defect is about these:
static const struct consequence without_a_subject[] = {
    {"DS-WRITE-03",
     "what cannot be put back could not be erased or written either: DS-WRITE-01 and "
     "DS-WRITE-02 are about that"},
    {"DM-CH9-CFG-17",
     "where there is more than one configuration, DM-DESC-01b is about that, unless it is waived"},
};

static void each_requirement__is_the_subject_of_some_defect(void **state)
{
    (void)state;
    struct set subjects = {.has = {false}};
    unsigned idle = 0;

    for (size_t i = 0; i < TABLES; i++) {
        for (const struct defect_row *row = tables[i]; row->defect; row++) {
            if (row->subject)
                add_with_twin(&subjects, row, row->subject);
        }
    }
    for (size_t i = 0; i < sizeof without_a_subject / sizeof without_a_subject[0]; i++) {
        if (subjects.has[index_of(without_a_subject[i].id)])
            fail_msg("%s is the subject of a defect by now", without_a_subject[i].id);
        add(&subjects, without_a_subject[i].id);
    }
    for (size_t i = 0; check_at(i); i++) {
        if (check_at(i)->level == LEVEL_INFO || subjects.has[i] ||
            catalogue_group_of(check_at(i)) == &check_file) // of files: test_file.c
            continue;
        idle++;
        print_error("no defect is about %s\n", check_at(i)->id);
    }

    assert_int_equal(idle, 0);
}

// The checks alone take minutes: they run with the name of a table, side by side with the others.
static int run_alone(const char *name)
{
    static const struct {
        const char *name;
        const struct defect_row *rows;
    } names[] = {
        {"run_time", run_time_rows},
        {"chapter9", chapter9_rows},
        {"dfu_mode", dfu_mode_rows},
        {"answers", answer_rows},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(
            alone__each_check_says_the_same, (struct defect_row *)names[i].rows)};
        if (strcmp(name, names[i].name) == 0)
            return cmocka_run_group_tests(tests, NULL, NULL);
    }
    fprintf(stderr, "no table of defects is named %s\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_defect__breaks_what_its_row_says_and_nothing_else),
        cmocka_unit_test(each_defect__has_a_row),
        cmocka_unit_test(each_consequence__has_a_reason),
        cmocka_unit_test(each_requirement__is_the_subject_of_some_defect),
    };
    return argc > 1 ? run_alone(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
