// SPDX-License-Identifier: MIT
//
// mutation.h - included before each file of checks that mutate_expectations is made of: each
// expectation becomes a site, which counts and which can be turned.
//
// A site turned "true" takes what it found for met, whatever it was; one turned "false" does not.
// All else stays: the request is sent.

#ifndef CONFORMANCE_MUTATION_H
#define CONFORMANCE_MUTATION_H

#include <conformance/probe.h>
#include <conformance/probe_time.h>

enum mutation_turn {
    AS_IT_IS,
    TURNED_TRUE,
    TURNED_FALSE,
};

struct mutation_site {
    const char *file;
    const char *function;
    const char *text;
    enum mutation_turn turn;
    unsigned met;    // how often it was met
    unsigned broken; // how often it decided a check by not being met
};

// What a check had found before the expectation.
struct mutation_before {
    enum verdict verdict;
    bool decided;
    struct finding finding;
};

struct mutation_before mutation_before(const struct probe *probe);
bool mutation_after(struct mutation_site *site,
                    struct probe *probe,
                    const struct mutation_before *before,
                    bool met);

#define MUTATION_SITE(call, call_text)                                                             \
    __extension__({                                                                                \
        static struct mutation_site mutation_site = {                                              \
            .file = __FILE__, .function = __func__, .text = call_text};                            \
        static struct mutation_site *mutation_entry                                                \
            __attribute__((section("mutation_sites"), used)) = &mutation_site;                     \
        const struct mutation_before mutation_was = mutation_before(probe);                        \
        mutation_after(mutation_entry, probe, &mutation_was, call);                                \
    })

#define expect(...) MUTATION_SITE(expect(__VA_ARGS__), "expect(" #__VA_ARGS__ ")")
#define expect_number(...)                                                                         \
    MUTATION_SITE(expect_number(__VA_ARGS__), "expect_number(" #__VA_ARGS__ ")")
#define expect_length(...)                                                                         \
    MUTATION_SITE(expect_length(__VA_ARGS__), "expect_length(" #__VA_ARGS__ ")")
#define expect_accepted(...)                                                                       \
    MUTATION_SITE(expect_accepted(__VA_ARGS__), "expect_accepted(" #__VA_ARGS__ ")")
#define expect_result(...)                                                                         \
    MUTATION_SITE(expect_result(__VA_ARGS__), "expect_result(" #__VA_ARGS__ ")")
#define expect_carried_out(...)                                                                    \
    MUTATION_SITE(expect_carried_out(__VA_ARGS__), "expect_carried_out(" #__VA_ARGS__ ")")
#define expect_stalled(...)                                                                        \
    MUTATION_SITE(expect_stalled(__VA_ARGS__), "expect_stalled(" #__VA_ARGS__ ")")
#define expect_stall(...) MUTATION_SITE(expect_stall(__VA_ARGS__), "expect_stall(" #__VA_ARGS__ ")")
#define expect_getstatus(...)                                                                      \
    MUTATION_SITE(expect_getstatus(__VA_ARGS__), "expect_getstatus(" #__VA_ARGS__ ")")
#define expect_getstate(...)                                                                       \
    MUTATION_SITE(expect_getstate(__VA_ARGS__), "expect_getstate(" #__VA_ARGS__ ")")
#define expect_state(...) MUTATION_SITE(expect_state(__VA_ARGS__), "expect_state(" #__VA_ARGS__ ")")
#define expect_stays(...) MUTATION_SITE(expect_stays(__VA_ARGS__), "expect_stays(" #__VA_ARGS__ ")")
#define expect_return(...)                                                                         \
    MUTATION_SITE(expect_return(__VA_ARGS__), "expect_return(" #__VA_ARGS__ ")")
#define expect_within(...)                                                                         \
    MUTATION_SITE(expect_within(__VA_ARGS__), "expect_within(" #__VA_ARGS__ ")")
#define expect_last_within(...)                                                                    \
    MUTATION_SITE(expect_last_within(__VA_ARGS__), "expect_last_within(" #__VA_ARGS__ ")")

#endif
