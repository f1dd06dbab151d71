// SPDX-License-Identifier: MIT
//
// backup_bench.h - a simulated boot loader behind a cable that spoils what is downloaded where a
// test says so, and the backup of a run with leave to write.

#ifndef CONFORMANCE_BACKUP_BENCH_H
#define CONFORMANCE_BACKUP_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <conformance/backup.h>
#include <conformance/probe.h>
#include <conformance/target.h>

enum { FIRST_PAGE = 0x08000000, LAST_PAGES = 0x0801F000 };

struct cable {
    struct target base;
    struct target *target;
    bool spoils;    // the last byte of each block
    bool elsewhere; // DfuSe: each erase takes the first page
    bool keeps;     // DfuSe: what it is told to erase, until blank bytes are written over it
    bool refuses;
    bool spoils_end; // manifests, and uploads another last byte from then on
    bool spoilt;
    bool denies_end;    // manifests, and says dfuDNLOAD-IDLE then
    bool denied;        // has manifested, and was not asked since
    bool errs;          // takes each download, is in dfuERROR then, and uploads nothing
    bool stays;         // in DFU mode, whatever reset it sees
    unsigned pulled_at; // at this block the plug is pulled, and put back when it is waited for
    bool away;
    unsigned requests; // control requests that were asked for
    unsigned cut_at; // like a check that a signal ends: from this request on nothing is sent, while
                     // it is not 0
    bool exchanged;  // the board behind it says another serial number
    bool moved;      // it is looked at again at another place than it was
    uint8_t alternate;
    uint8_t changed; // DfuSe: bits that are flipped in what other alternate settings upload
    bool flickers;   // other ones each time
    bool hides;      // DfuSe: uploads of what is below the last two pages STALL
    bool restless;   // DfuSe: the first byte of the first page is another one at each reading
    bool misreads;   // so, at the next one alone
    uint8_t readings;
    uint32_t pointer;
    unsigned erased_below; // sectors
    unsigned blocks;       // that were downloaded
    uint8_t last;          // byte of them
    uint8_t first;         // byte of the first block of an image
    unsigned firsts;       // so often it was another one
    unsigned ends;         // downloads of nothing
};

struct bench {
    struct cable cable;
    struct probe probe;
    struct backup backup;
    char folder[64];
    char why[PROBE_WORDS];
};

// Plugs in a device of that name and brings it into DFU mode; the test fails if it cannot. Files
// are kept in a folder of its own, which closing removes.
void bench_open(struct bench *bench, const char *device);
void bench_close(struct bench *bench);

// Another run on the same device: nothing of the one before is known but what is on disk.
void bench_begin_run(struct bench *bench);

// backup_ready(), with the reason in why.
bool bench_is_ready(struct bench *bench);
bool bench_keeps_on_disk(const struct bench *bench);

// A check writes: the next block of what is kept.
int bench_write_something(struct bench *bench);

// Its page is erased, or another one where the cable says so.
bool bench_erase_page(struct bench *bench);

// The last line of the run.
void bench_assert_ends(struct bench *bench, enum flash_ending ending, const char *text);

#endif
