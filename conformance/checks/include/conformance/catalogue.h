// SPDX-License-Identifier: MIT
//
// catalogue.h - every requirement, as data.
//
// Checks (check.h) live in check_*.c, in a folder for each kind of requirement and a file for each
// subject. A file is one group: a table with the functions above it. The order of the catalogue is
// the order in which a run goes: what disturbs the device least comes first.
//
// Adding a check: write the function (probe.h says what it may do), add a row to the group's table.
// Adding a group: define it in its own file, name it in catalogue.c.

#ifndef CONFORMANCE_CATALOGUE_H
#define CONFORMANCE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include <conformance/check.h>

// Ends with NULL.
extern const struct check_group *const catalogue[];

// The groups, each in the file of its name: check_descriptors.c, ...
extern const struct check_group check_descriptors;
extern const struct check_group check_chapter9_descriptors;
extern const struct check_group check_chapter9_interfaces;
extern const struct check_group check_chapter9_associations;
extern const struct check_group check_chapter9_capabilities;
extern const struct check_group check_systems;
extern const struct check_group check_chapter9_strings;
extern const struct check_group check_chapter9_requests;
extern const struct check_group check_chapter9_states;
extern const struct check_group check_chapter9_halts;
extern const struct check_group check_chapter9_toggles;
extern const struct check_group check_requests;
extern const struct check_group check_request_fields;
extern const struct check_group check_configured_again;
extern const struct check_group check_states;
extern const struct check_group check_detach;
extern const struct check_group check_returns;
extern const struct check_group check_interop;
extern const struct check_group check_chapter9_losses; // of the groups above
extern const struct check_group check_dfu_descriptors;
extern const struct check_group check_dfu_requests;
extern const struct check_group check_dfu_states;
extern const struct check_group check_dfu_uploads;
extern const struct check_group check_dfu_downloads;
extern const struct check_group check_dfu_resets;
extern const struct check_group check_dfuse;
extern const struct check_group check_dfuse_page;
extern const struct check_group check_dm_chapter9_losses;
extern const struct check_group check_dfu_detach;
extern const struct check_group check_detach_otherwise;
extern const struct check_group check_file; // of a run that was given one
extern const struct check_group check_dm_chapter9_descriptors;
extern const struct check_group check_dm_chapter9_strings;
extern const struct check_group check_dm_chapter9_requests;

// The check with this id, or NULL.
const struct check *catalogue_find(const char *id);

// How many checks there are.
size_t catalogue_count(void);

// What became of an id that was released and is no more, as the end of a sentence; NULL for any
// other.
const char *catalogue_retired(const char *id);

// The group that this check of the catalogue belongs to; NULL for a check from elsewhere.
const struct check_group *catalogue_group_of(const struct check *check);

// Does id match one of the comma-separated globs? As in a shell (fnmatch(3)), case ignored.
bool glob_list_matches(const char *globs, const char *id);

// The first glob of the list that matches no check, copied to ret_glob; false if each matches one.
bool glob_list_unknown(const char *globs, char *ret_glob, size_t size);

#endif
