// SPDX-License-Identifier: MIT
//
// The order of the groups is the order of a run: descriptors, then requests that change no state,
// then the detach, then DFU mode. What may leave a device where no request leads back comes last.
//
// A list of globs is matched one glob at a time with fnmatch(3), without regard to case. An id that
// holds no * or ? is a glob that matches itself, so --only, --skip and waivers share this code.

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <conformance/catalogue.h>

// clang-format off
const struct check_group *const catalogue[] = {
    &check_descriptors,
    &check_chapter9_descriptors,
    &check_chapter9_interfaces,
    &check_chapter9_associations,
    &check_chapter9_capabilities,
    &check_systems,
    &check_chapter9_strings,
    &check_chapter9_requests,
    &check_chapter9_states,
    &check_chapter9_halts,
    &check_chapter9_toggles,
    &check_requests,
    &check_request_fields,
    &check_states,
    &check_detach,
    &check_returns,
    &check_interop,
    &check_chapter9_losses,
    &check_dfu_descriptors,
    &check_dfu_requests,
    &check_dfu_states,
    &check_dfu_uploads,
    &check_dfu_downloads,
    &check_dfu_resets,
    &check_dfuse,
    &check_dfuse_page,
    &check_dm_chapter9_descriptors,
    &check_dm_chapter9_strings,
    &check_dm_chapter9_requests,
    &check_dfu_detach,
    &check_configured_again,
    &check_detach_otherwise,
    &check_dm_chapter9_losses,
    &check_file,
    NULL,
};
// clang-format on

const struct check *catalogue_find(const char *id)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            if (strcmp((*group)->checks[i].id, id) == 0)
                return &(*group)->checks[i];
        }
    }
    return NULL;
}

const char *catalogue_retired(const char *id)
{
    static const char *const retired[][2] = {
        {"REQ-06k", "CH9-REQ-14 has the same requirement"},
        {"RT-DESC-01c", "CH9-CFG-08 has the same requirement"},
        {"DM-DNLOAD-08", "DFU 1.1 6.1 allows what it asked for"},
    };
    for (size_t i = 0; i < sizeof retired / sizeof retired[0]; i++) {
        if (strcasecmp(retired[i][0], id) == 0)
            return retired[i][1];
    }
    return NULL;
}

size_t catalogue_count(void)
{
    size_t count = 0;
    for (const struct check_group *const *group = catalogue; *group; group++)
        count += (*group)->count;
    return count;
}

static bool is_in(const struct check_group *group, const struct check *check)
{
    for (size_t i = 0; i < group->count; i++) {
        if (&group->checks[i] == check)
            return true;
    }
    return false;
}

const struct check_group *catalogue_group_of(const struct check *check)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        if (is_in(*group, check))
            return *group;
    }
    return NULL;
}

// ---- Globs ----

enum { GLOB_TEXT = 256 };

// Copy the first glob of the list. Returns the rest of the list, or NULL after the last one. A glob
// that is longer than any id stays unequal to each of them.
static const char *take_glob(const char *globs, char glob[GLOB_TEXT])
{
    size_t length = strcspn(globs, ",");
    snprintf(glob, GLOB_TEXT, "%.*s", (int)length, globs);
    return globs[length] ? globs + length + 1 : NULL;
}

bool glob_list_matches(const char *globs, const char *id)
{
    char glob[GLOB_TEXT];
    while (globs) {
        globs = take_glob(globs, glob);
        if (fnmatch(glob, id, FNM_CASEFOLD) == 0)
            return true;
    }
    return false;
}

static bool matches_any_check(const char *glob)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            if (fnmatch(glob, (*group)->checks[i].id, FNM_CASEFOLD) == 0)
                return true;
        }
    }
    return false;
}

bool glob_list_unknown(const char *globs, char *ret_glob, size_t size)
{
    char glob[GLOB_TEXT];
    while (globs) {
        globs = take_glob(globs, glob);
        if (matches_any_check(glob))
            continue;
        snprintf(ret_glob, size, "%s", glob);
        return true;
    }
    return false;
}
