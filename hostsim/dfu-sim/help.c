// SPDX-License-Identifier: MIT

#include "help.h"

#include "option_table.h"

enum { TEXT_COLUMN = 21 };

void help_print_command(FILE *stream, const struct help_command *command)
{
    fprintf(stream, "  dfu-sim %s%s\n      %s\n", command->name, command->arguments,
            command->summary);
}

// A name too long for its column has a line of its own.
static void print_option(FILE *stream, const struct option_row *row)
{
    int width = fprintf(stream, "  --%s%s%s", row->name, row->argument ? " " : "",
                        row->argument ? row->argument : "");

    if (width >= TEXT_COLUMN) {
        fputc('\n', stream);
        width = 0;
    }
    fprintf(stream, "%*s%s\n", TEXT_COLUMN - width, "", row->text);
}

void help_print_options(FILE *stream, unsigned accepted)
{
    for (const struct option_row *row = option_table; row->name; row++)
        if (!row->set || (row->set & accepted))
            print_option(stream, row);
}
