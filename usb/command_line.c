// SPDX-License-Identifier: MIT
//
// Two names are one file if the file system says so, since a path can be written in many ways. A
// file that is not there yet is known by its name alone.

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <usb/command_line.h>

static bool is_given(const struct usb_named_file *file)
{
    return file->path && *file->path;
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, other;

    if (stat(a, &one) < 0 || stat(b, &other) < 0)
        return strcmp(a, b) == 0;
    return !S_ISCHR(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static bool collide(const struct usb_named_file *a, const struct usb_named_file *b)
{
    return is_given(a) && is_given(b) && (a->written || b->written) && same_file(a->path, b->path);
}

int usb_named_files_check(const struct usb_named_file *files,
                          size_t count,
                          char *error,
                          size_t size)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!collide(&files[j], &files[i]))
                continue;
            snprintf(error, size, "%s and %s are one file, %.128s: name one for each",
                     files[j].option, files[i].option, files[i].path);
            return -1;
        }
    }
    return 0;
}

// Of a long option optopt is 0, or what getopt_long() would have returned for it: its own letter,
// or no byte. That of a letter is a char, which may be negative.
const char *usb_unknown_option(const char *letters, const char *word, char text[USB_OPTION_TEXT])
{
    bool is_letter = optopt && optopt >= CHAR_MIN && optopt <= UCHAR_MAX;

    if (!is_letter || (isalnum((unsigned char)optopt) && strchr(letters, optopt)))
        return word;
    bool is_graph = optopt > ' ' && optopt <= '~';
    snprintf(text, USB_OPTION_TEXT, is_graph ? "-%c" : "-\\x%02X", (unsigned char)optopt);
    return text;
}

bool usb_standard_streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            return false;
    return true;
}

// Of a write that was lost at an earlier flush only ferror() is left: one byte more says why.
int usb_stdout_error(void)
{
    static int error;

    if (!error && fflush(stdout) != 0)
        error = errno;
    if (!error && ferror(stdout))
        error = fputc('\n', stdout) == EOF || fflush(stdout) != 0 ? errno : EIO;
    return error;
}
