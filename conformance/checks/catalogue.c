// SPDX-License-Identifier: MIT

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <conformance/catalogue.h>

// clang-format off
const struct check_group *const catalogue[] = {
    &check_descriptors,
    &check_chapter9_descriptors,
    &check_chapter9_strings,
    &check_chapter9_requests,
    &check_requests,
    &check_states,
    &check_detach,
    &check_interop,
    &check_dfu_descriptors,
    &check_dfu_states,
    &check_dfu_transfers,
    &check_dfuse,
    NULL,
};
// clang-format on

const struct check *catalogue_find(const char *id)
{
    for (const struct check_group *const *group = catalogue; *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            if (strcmp((*group)->checks[i].id, id) == 0)
                return &(*group)->checks[i];
        }
    }
    return NULL;
}

size_t catalogue_count(void)
{
    size_t count = 0;
    for (const struct check_group *const *group = catalogue; *group; ++group)
        count += (*group)->count;
    return count;
}

const struct check_group *catalogue_group_of(const struct check *check)
{
    for (const struct check_group *const *group = catalogue; *group; ++group) {
        if (check >= (*group)->checks && check < (*group)->checks + (*group)->count)
            return *group;
    }
    return NULL;
}

// ---- Globs ----

// A shell's glob of * and ?: on a mismatch go back to the last * and let it take one more.
static bool glob_matches(const char *glob, size_t length, const char *text)
{
    const char *end = glob + length;
    const char *star = NULL;
    const char *resume = NULL;
    while (*text) {
        if (glob < end && *glob == '*') {
            star = ++glob;
            resume = text;
        } else if (glob < end && (*glob == '?' ||
                                  toupper((unsigned char)*glob) == toupper((unsigned char)*text))) {
            ++glob;
            ++text;
        } else if (star) {
            glob = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (glob < end && *glob == '*')
        ++glob;
    return glob == end;
}

bool glob_list_matches(const char *globs, const char *id)
{
    while (true) {
        size_t length = strcspn(globs, ",");
        if (glob_matches(globs, length, id))
            return true;
        if (globs[length] == '\0')
            return false;
        globs += length + 1;
    }
}

static bool matches_any_check(const char *glob, size_t length)
{
    for (const struct check_group *const *group = catalogue; *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            if (glob_matches(glob, length, (*group)->checks[i].id))
                return true;
        }
    }
    return false;
}

bool glob_list_unknown(const char *globs, char *ret_glob, size_t size)
{
    while (true) {
        size_t length = strcspn(globs, ",");
        if (!matches_any_check(globs, length)) {
            snprintf(ret_glob, size, "%.*s", (int)length, globs);
            return true;
        }
        if (globs[length] == '\0')
            return false;
        globs += length + 1;
    }
}
