// SPDX-License-Identifier: MIT
//
// command_line.h - what the programs look at before they open anything.

#ifndef USB_COMMAND_LINE_H
#define USB_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

// A file that a command line names.
struct usb_named_file {
    const char *option; // --capture
    const char *path;   // NULL or "": not given
    bool written;
};

// Is a file named twice, one time to be written? A device such as /dev/null takes any number of
// writers. Returns 0, or -1 with one line in error.
int usb_named_files_check(const struct usb_named_file *files,
                          size_t count,
                          char *error,
                          size_t size);

// The option that getopt_long() has just returned '?' for, as a message names it: word, which is
// argv[optind - 1], or of letters that are joined, "-xy", the one that is unknown, in text. letters
// are those that exist.
enum { USB_OPTION_TEXT = 8 };
const char *usb_unknown_option(const char *letters, const char *word, char text[USB_OPTION_TEXT]);

// Open each standard stream that is closed, so that writes to it fail: a file that is opened while
// one is closed takes its number, and what is meant for the stream would be written into the file.
// Returns whether all are open.
bool usb_standard_streams_open(void);

// Has all that was printed arrived? Returns 0, or the errno of a write that was lost.
int usb_stdout_error(void);

#endif
