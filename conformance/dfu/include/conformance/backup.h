// SPDX-License-Identifier: MIT
//
// backup.h - a copy of what checks write over, to restore it.
//
// The checks write to a plain device's image, and to one page of a DfuSe device. Before the first
// of them writes:
//
//   plain   the image is uploaded twice. It is kept if both uploads are equal and may be firmware:
//           not blank, not a text, not one block again and again, not a stub of a few bytes. Then
//           its first two blocks are downloaded and uploaded: a device that returns other bytes
//           programs wrongly, and nothing more is written to it. One that refuses them may take
//           others for a command: no others are sent to it. Then they are sent with each byte
//           changed: a device that returns a mix of both uploads bytes that are not in its memory,
//           and nothing more is written to it either. Then the image is downloaded with a byte of
//           each block changed, and uploaded: a device that returns the old ones does not read what
//           it writes, and nothing is manifested or written any more. If it then starts as before
//           it holds downloads back until manifestation, and is unchanged. An image that is given
//           by --restore is taken as it is.
//   DfuSe   the last page that is blank in two uploads, or the page that the person names
//           (--scratch), uploaded twice; and all other memory of alternate setting 0 that is there,
//           since a wrong loader may write beside the page, unless that takes minutes to read.
//           Between its two readings the firmware is started, where the device can leave DFU mode:
//           it may count its starts there.
//
// The backup is also a file, so that a killed run loses nothing: the next run with --allow-write
// finds the file and restores it first, if the device has a serial number and its flash is what an
// interrupted download leaves: of a DfuSe device, if nothing but the page has changed. Otherwise
// nothing is written, and the last line says how to restore the file. The image or page is
// restored, uploaded and compared before the device leaves DFU mode and at the end of the run,
// tried three times. Once, and at the end, it is read in another stay in DFU mode, since an upload
// may return a copy of what was downloaded. An image whose proof failed is uploaded and compared
// before it is manifested. Where a restored image or page differs from the backup, no check writes
// after that; nor where another board answers in the device's place, or may at another place: it is
// sent nothing of the backup. Where the device does not take the backup, but two uploads are equal
// to it and the device starts as before, it is whole. The runner owns the backup; the gate lets
// nothing be written without it.

#ifndef CONFORMANCE_BACKUP_H
#define CONFORMANCE_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/image_file.h>
#include <conformance/probe.h>

enum {
    BACKUP_PATH = 512,
    BACKUP_SERIAL = 384, // 126 characters in UTF-8
    BACKUP_TRIES = 3,
};

// What the person gives; NULL and false where nothing was given.
struct backup_options {
    const char *restore_path; // of the image to restore
    bool scratch_given;
    uint32_t scratch;
    const char *folder;                               // where the file goes; NULL: memory alone
    void (*tell)(const char *what, const char *path); // a message for a person, or NULL
};

// The device that it is of, and when that was found on the bus.
struct backup_owner {
    uint16_t idVendor, idProduct;
    char serial[BACKUP_SERIAL];
    bool known; // the serial number, which may be none
    uint64_t returned_us;
};

struct backup {
    struct backup_options options;
    const struct image_file
        *restore; // what is put back instead of what was read, or NULL; not owned

    bool tried;
    bool ready;            // checks may write
    char why[PROBE_WORDS]; // why not
    bool no_file;          // because this host cannot keep one
    bool moved;            // because the device came back at another place (target.h)
    bool foretold;         // that the run takes long

    // What is kept, and of which device.
    struct backup_owner owner;
    uint8_t *bytes;
    size_t length;
    bool is_page;
    uint32_t address;            // of the page
    uint32_t sector_size;        // the page is one or more sectors of this size
    struct dfuse_layout memory;  // DfuSe: what is there of alternate setting 0
    uint8_t *rest;               // and what it holds, as far as it can be read, or NULL
    bool *restless;              // its sectors that change by themselves, in their order
    struct backup_other *others; // DfuSe: regions of the other alternate settings, or NULL
    size_t other_count;

    struct {
        char path[BACKUP_PATH]; // empty: there is none
        int lock;
        bool has_serial;        // the device, so that a file is known to be its own
        struct image_file left; // by an interrupted run
        bool damaged;           // that one
    } file;

    // What was written over is being put back and compared: neither a signal nor a limit of time
    // ends that.
    bool restoring;

    // The next block of a download: its place in the image, and its number.
    size_t at;
    uint16_t block;

    // How it went.
    struct {
        bool written;            // a check, or the proof, wrote over it
        bool verified;           // restored, or never written over, and read back equal
        bool lost;               // it could not be restored
        bool unread;             // so, but nothing was read as another byte, and the device answers
        bool untouched;          // so, but no block was worked on, and nothing read as another byte
        unsigned spoilt;         // so often the image was manifested and read as other bytes
        bool manifesting;        // and the device was not found to answer since
        bool refused;            // the device did not take it the last time
        bool afresh;             // verified in another stay in DFU mode than the one that wrote
        bool seen_afresh;        // so, ever
        bool stays;              // the device does not leave DFU mode, so that it cannot be
        bool proved;             // an upload returned what was downloaded
        size_t read_back;        // so many bytes of it, from the first on
        bool differs;            // the last upload was not what it should be
        bool differs_beside;     // DfuSe: of other memory than the page
        bool may_manifest;       // an upload was what was downloaded, or says nothing
        bool unproved;           // restored, but an upload does not return what was downloaded
        char loss[PROBE_WORDS];  // what is lost, and where
        char doubt[PROBE_WORDS]; // why it is not verified
    } fate;
};

enum flash_ending {
    FLASH_NOT_WRITTEN, // nothing was sent that writes
    FLASH_UNCHANGED,
    FLASH_RESTORED,
    FLASH_NOT_VERIFIED,
    FLASH_LOST,
};

// Keep what checks write over, unless that was done before. The device must be in DFU mode; it is
// in dfuIDLE afterwards. Returns whether checks may write; else the reason is in why.
bool backup_ready(struct probe *probe, char *why, size_t size);

// The same for a check, which is a SKIP if they may not: INCONCLUSIVE where the device is not what
// prevents it, but this host cannot keep the backup's file, or a place where it may be another one.
bool backup_given(struct probe *probe);

// Restore it if the device was written to, and compare. Afterwards the device is in dfuIDLE.
// Returns false with the reason in why.
bool backup_restore(struct probe *probe, char *why, size_t size);

// DfuSe, and backup->rest is there: is all other memory that can be read, that of other alternate
// settings included, as it was before the first check wrote? Returns false, with the reason in why,
// where it cannot be read; else *ret_same is set, and what differs is in why.
bool backup_compare_rest(struct probe *probe, bool *ret_same, char *why, size_t size);

// Is there a backup file of an interrupted run? The device must be in DFU mode. Its path is in
// backup->file.path then.
bool backup_is_left_over(struct probe *probe);

// After the last backup_restore(): read what it restored once more, in another stay in DFU mode
// than the one that wrote it, where the device can leave it. It is brought back to the mode that it
// is in.
void backup_read_last(struct probe *probe);

// The state of the flash at the end of the run: one line for a person. Sends nothing.
enum flash_ending backup_end(struct probe *probe, char *line, size_t size);

// Frees what it keeps; the backup file stays unless backup_end() has removed it.
void backup_finish(struct backup *backup);

// Is it erased flash? length is not 0.
bool backup_is_blank(const uint8_t *bytes, size_t length);

#endif
