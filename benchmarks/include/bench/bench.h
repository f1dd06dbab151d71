// SPDX-License-Identifier: MIT
//
// bench.h - what benchmark programs share: a row of the table on standard output, and a clock.
//
// A program prints its rows, each beside a rival or a floor that it has measured itself, in turns
// with what it stands beside; table.py collects the rows of all of them.

#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct bench_row {
    const char *name;
    double value;
    const char *unit;
    const char *rival; // what stands beside it, or NULL
    double rival_value;
    const char *goal; // "ratio <= 1.1", "value <= 8": ratio is value by rival_value. Or NULL.
};

static inline void bench_print(const struct bench_row *row)
{
    printf("%s\t%.6g\t%s\t%s\t%.6g\t%s\n", row->name, row->value, row->unit,
           row->rival ? row->rival : "", row->rival_value, row->goal ? row->goal : "");
    fflush(stdout);
}

static inline double bench_now_s(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline double bench_least(double a, double b)
{
    return a < b ? a : b;
}

#endif
