// SPDX-License-Identifier: MIT
//
// A row is a name in a column and words behind it, broken between words at the width of the
// terminal; the next line begins in the same column. Width counts UTF-8 characters, not bytes.

#include <inttypes.h>
#include <string.h>

#include "report_text.h"

// Columns that the first `length` bytes take: a UTF-8 character is one.
static unsigned width(const char *words, size_t length)
{
    unsigned columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)words[i] & 0xC0) != 0x80;
    return columns;
}

// The length of what is not broken: a word, or an item with the comma or semicolon behind it.
typedef size_t unit_length(const char *words);

static size_t word_length(const char *words)
{
    return strcspn(words, " ");
}

static size_t item_length(const char *words)
{
    size_t length = strcspn(words, ",;");
    return length + (words[length] != '\0');
}

static void put_wrapped(const struct report_text *text,
                        unsigned column,
                        const char *words,
                        unit_length *length_of)
{
    unsigned at = column;
    for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
        size_t length = length_of(words);
        unsigned columns = width(words, length);
        if (at > column && at + 1 + columns > text->columns) {
            fprintf(text->out, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            fputc(' ', text->out);
            at++;
        }
        fwrite(words, 1, length, text->out);
        at += columns;
        words += length;
    }
    fputc('\n', text->out);
}

void text_wrapped(const struct report_text *text, unsigned column, const char *words)
{
    put_wrapped(text, column, words, word_length);
}

void text_items(const struct report_text *text, unsigned column, const char *words)
{
    put_wrapped(text, column, words, item_length);
}

static const char *colour_of(const struct result *result)
{
    if (result->waiver || result_informs(result))
        return "\033[2m";
    switch (result->verdict) {
    case VERDICT_PASS:
        return "\033[32m";
    case VERDICT_FAIL:
        return "\033[1;31m";
    case VERDICT_WARN:
        return "\033[33m";
    case VERDICT_SKIP:
        return "\033[2m";
    case VERDICT_INCONCLUSIVE:
        return "\033[35m";
    }
    return "";
}

// Short words, so that the ids stand in one column.
static const char *short_text(const struct result *result)
{
    bool is_long = result->verdict == VERDICT_INCONCLUSIVE && !result->waiver;
    return is_long ? "INCONC." : result_text(result);
}

void text_verdict(const struct report_text *text, const struct result *result)
{
    fprintf(text->out, "%s%-*s%s", text->colour ? colour_of(result) : "", TEXT_VERDICT_WIDTH,
            short_text(result), text->colour ? "\033[0m" : "");
}

static void put_row(const struct report_text *text, const char *name, const char *words)
{
    enum { NAME_WIDTH = 10 };
    if (!words || !*words)
        return;
    fprintf(text->out, "%*s%-*s", TEXT_VERDICT_WIDTH, "", NAME_WIDTH, name);
    text_wrapped(text, TEXT_VERDICT_WIDTH + NAME_WIDTH, words);
}

void text_trouble(const struct report_text *text, const struct result *result)
{
    put_row(text, "trouble", result->trouble);
}

void text_also(const struct report_text *text, const char *ids)
{
    put_row(text, "also", ids);
}

void text_finding(const struct report_text *text, const struct result *result)
{
    const struct finding *finding = &result->finding;
    char frames[80];
    put_row(text, "sent", finding->sent);
    put_row(text, "expected", finding->expected);
    put_row(text, "received", finding->received);
    put_row(text, *finding->received || result->verdict == VERDICT_PASS ? "note" : "because",
            finding->message);
    text_trouble(text, result);
    if (result->first_frame && result->verdict != VERDICT_PASS) {
        snprintf(frames, sizeof frames, "%" PRIu64 " to %" PRIu64 " of the capture",
                 result->first_frame, result->last_frame);
        put_row(text, "frames", frames);
    }
    put_row(text, "waived", result->waiver);
}

void text_result(const struct report_text *text, const struct result *result)
{
    text_verdict(text, result);
    fprintf(text->out, "%s  %s\n%*s", result->check->id, result->check->section, TEXT_VERDICT_WIDTH,
            "");
    text_wrapped(text, TEXT_VERDICT_WIDTH, result->check->sentence);
    text_finding(text, result);
}
