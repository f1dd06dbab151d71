// SPDX-License-Identifier: MIT
//
// gate.h - decides whether a request may be sent to this device now.
//
// A suite is run on products with firmware that must survive, and some boot loaders do more at a
// request than DFU 1.1 says: they program at the DNLOAD itself, or at the GETSTATUS after it, or in
// every state. Every control transfer of a run is shown to the gate before it is sent;
// probe_control() is its only caller. The gate knows which options were given, the mode of the
// device, the state that it reported last and whether anything may have changed it since, and which
// memory has a backup. A request that it refuses is not sent, whichever check asked for it.
//
// The rules:
//
//   standard requests     all, but SET_DESCRIPTOR and SET_FEATURE(TEST_MODE)
//   vendor requests       with --allow-vendor: a product may give them any meaning
//   class requests 7..255 the samples of gate_samples, which no known product gives a meaning to
//   reserved type         7Fh, which no known product gives a meaning to; GETSTATUS and GETSTATE
//   DETACH                without --no-detach, in both modes
//   at run time           DNLOAD, CLRSTATUS, ABORT only in appIDLE or appDETACH, as the device has
//                         said just before; no request repairs another state (a bus reset may).
//                         No DNLOAD after one that was not refused, but the same one again where
//                         the device did not answer it
//   in DFU mode           DNLOAD with --allow-write only, and only over what is kept: the image of
//                         a plain device; the scratch page of a DfuSe one. A download of nothing,
//                         which begins manifestation, only behind the whole image
//                         DfuSe's Set Address Pointer (AN3156 5.2) without --allow-write where the
//                         address can be read and is read next
//                         DfuSe's Read Unprotect (92h) and mass erase (41h alone) never
//   bulk, interrupt       IN; OUT with --allow-vendor
//
// In doubt about the mode or the dialect, nothing is downloaded. Where the device is not known to
// be a boot loader, GETSTATUS is not sent in dfuDNLOAD-SYNC and dfuMANIFEST-SYNC, where it begins
// to program, nor after a DNLOAD that was not refused before GETSTATE has said another state.

#ifndef CONFORMANCE_GATE_H
#define CONFORMANCE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>
#include <usb/dfuse_layout.h>

enum gate_answer {
    GATE_SEND,
    GATE_ASK_STATE,         // ask the device for its state, then the gate again
    GATE_NEEDS_DETACH,      // refused by --no-detach
    GATE_NEEDS_WRITE,       // --allow-write
    GATE_NEEDS_VENDOR,      // --allow-vendor
    GATE_NEEDS_STATE,       // a device that reports appIDLE or appDETACH
    GATE_NEEDS_KEPT,        // no backup of what it could overwrite
    GATE_BEGINS_TO_PROGRAM, // GETSTATUS, where a DNLOAD may have been taken at run time
    GATE_NEVER,
};

enum gate_mode {
    GATE_RUN_TIME,
    GATE_DFU_MODE,
    GATE_MODE_UNKNOWN, // descriptors and state contradict each other
};

enum gate_dialect {
    GATE_DIALECT_UNKNOWN, // bcdDFUVersion says DfuSe and no layout does, or the reverse
    GATE_PLAIN,
    GATE_DFUSE,
};

// What is known of the state of the device, beside enum dfurt_state.
enum {
    GATE_STATE_STALE = -1,  // not asked since something may have changed it
    GATE_STATE_SILENT = -2, // GETSTATE and GETSTATUS were asked, and both STALL
};

// What became of a DNLOAD at run time.
enum gate_dnload {
    GATE_DNLOAD_UNTRIED,
    GATE_DNLOAD_REFUSED,
    GATE_DNLOAD_UNANSWERED, // nor refused
    GATE_DNLOAD_TAKEN,
};

enum { GATE_MOST_REGIONS = 32 };

// Addresses first to last, both included.
struct gate_range {
    uint32_t first;
    uint32_t last;
};

// What the options allow: DETACH, DNLOAD in DFU mode, vendor requests.
struct gate_leave {
    bool detach;
    bool write;
    bool vendor;
};

struct gate {
    struct gate_leave leave;

    // The device, as its descriptors have it.
    enum gate_mode mode;
    enum gate_dialect dialect;
    uint8_t interface; // the DFU one
    uint16_t wTransferSize;
    struct gate_region {
        struct gate_range range;
        bool readable;
    } regions[GATE_MOST_REGIONS]; // DfuSe: all that the layouts name
    size_t region_count;

    // The memory that has a backup: the image of a plain device, the page of a DfuSe one. NULL and
    // an empty range (first > last): none.
    struct gate_kept {
        const uint8_t *image;
        size_t image_length;
        struct gate_range page;
    } kept;

    // What went over the bus.
    int state;             // enum dfurt_state, or GATE_STATE_...
    bool getstate_stalled; // just now
    bool silent;           // at run time GETSTATE and GETSTATUS both STALL
    bool took_dnload;      // at run time a DNLOAD did not STALL, and no state was reported since
    enum gate_dnload at_run_time[2][2]; // in appIDLE and appDETACH, without and with data
    bool pointing; // without --allow-write: the address pointer was set, and nothing is read yet
    bool pointer_known; // DfuSe: the address pointer
    uint32_t pointer;
    size_t sent; // plain: bytes of the image that were accepted, in order and as they are kept
    uint16_t next_block;

    // A request was sent that may have changed memory; was accepted; no state was reported since;
    // one was reported after such a request that means work on a download. gate_restored() clears
    // them.
    bool dirty;
    bool accepted;
    bool unanswered;
    bool worked;
};

// Requests that DFU does not have, for checks that need one. No known product implements them on
// its DFU interface (one implements F0h to F8h).
extern const uint8_t gate_samples[];
extern const size_t gate_sample_count;

// Nothing is known of the device, and no memory is kept.
void gate_init(struct gate *gate, const struct gate_leave *leave);

// The device as it was enumerated: its DFU interface, and the wTransferSize of its functional
// descriptor; 0 where it has none.
void gate_set_device(struct gate *gate,
                     enum gate_mode mode,
                     uint8_t interface,
                     uint16_t wTransferSize);

// The memory of a boot loader: the layouts of its alternate settings, and whether its bcdDFUVersion
// says DfuSe. It is DfuSe if both say so, and plain if neither does.
void gate_set_memory(struct gate *gate,
                     bool says_dfuse,
                     const struct dfuse_layout *layouts,
                     size_t count);

// The memory that has a backup, which must outlive the gate's use of it: instead of what was kept
// before, an image of a plain device; these bytes of a DfuSe one; or nothing.
void gate_keep_image(struct gate *gate, const uint8_t *image, size_t length);
void gate_keep_page(struct gate *gate, uint32_t address, size_t length);
void gate_keep_nothing(struct gate *gate);

// May this be sent now? data holds wLength bytes where the direction is OUT, else it is not read.
enum gate_answer
gate_ask(const struct gate *gate, const struct usbdev_setup_packet *setup, const uint8_t *data);

// A bulk or interrupt transfer.
enum gate_answer
gate_ask_transfer(const struct gate *gate, uint8_t bEndpointAddress, size_t length);

// The request was sent and ended with result: the bytes of the data stage, or negative for a STALL
// or any other error; stalled tells which. data is what was sent or what came.
void gate_saw(struct gate *gate,
              const struct usbdev_setup_packet *setup,
              const uint8_t *data,
              int result,
              bool stalled);

// A bus reset, another configuration, a device that left or came back: the state is no longer
// known.
void gate_moved(struct gate *gate);

// Time has passed: states that a timer ends are no longer known.
void gate_waited(struct gate *gate);

// Memory is as it was before the first request that may have changed it.
void gate_restored(struct gate *gate);

// Memory is not what is kept: it was written, for all that is known.
void gate_assume_written(struct gate *gate);

// A download of the image begins at its first block.
void gate_begin_image(struct gate *gate);

// Is this outside of everything that the layouts name, and of the windows of external memory
// (60000000h to 9FFFFFFFh)?
bool gate_is_nowhere(const struct gate *gate, uint32_t address);

// Why the gate refuses, to end "needs ..." or for a person; "" for GATE_SEND.
const char *gate_answer_text(enum gate_answer answer);

#endif
