// SPDX-License-Identifier: MIT
//
// dfu_mode.h - the state machine of a device in DFU mode (DFU 1.1 tables A.2.3 to A.2.11), without
// USB under it: SETUP packets, data and milliseconds in, replies out.
//
// What a block means and where it goes is the dialect's: `dfuse` as ST's ROM boot loaders speak it
// (AN3156), `plain` as DFU 1.1 alone has it.
//
// A block is programmed from the next GETSTATUS on, so the first GETSTATUS after each DNLOAD
// reports dfuDNBUSY, as dfu-util expects of ST's ROM. bwPollTimeout is a little longer than the
// work takes: a host that obeys it never finds the device busy.

#ifndef SIM_DFU_MODE_H
#define SIM_DFU_MODE_H

#include <dfurt/usb_spec.h>

#include <sim/memory.h>
#include <sim/work.h>

enum { DFU_MODE_MAX_TRANSFER = UINT16_MAX };

enum { DFU_MODE_STALL = -1 };

struct dfu_mode;

struct dfu_dialect {
    // The first block of an upload is asked for, or of a download is about to come. May be NULL.
    void (*begin_upload)(struct dfu_mode *dfu);
    void (*begin_download)(struct dfu_mode *dfu);

    // Begin to work on the block in buffer, by filling in dfu->work. Returns enum dfurt_status.
    int (*begin)(struct dfu_mode *dfu);

    // Put at most length bytes of this block into buffer. Returns how many; negative: minus enum
    // dfurt_status, and the request STALLs.
    int (*upload)(struct dfu_mode *dfu, uint16_t block, uint16_t length);

    // Begin to manifest, by filling in dfu->work. Returns enum dfurt_status.
    int (*manifest)(struct dfu_mode *dfu);

    // Is this memory's firmware whole?
    bool (*valid)(const struct memory *memory);

    // Where the firmware is: its length, 0 where that is not known (then ret_address may stay).
    uint32_t (*firmware)(const struct memory *memory, uint32_t *ret_address);

    bool reports_corrupt;  // starts in dfuERROR, errFIRMWARE where the firmware is not valid
    bool leaves_from_idle; // a zero-length DNLOAD in dfuIDLE is accepted and leaves DFU mode
};

// Choices that DFU 1.1 and AN3156 leave to a boot loader. Zeroed: the usual one of each.
struct dfu_mode_choices {
    // After manifestation, or (DfuSe) a download of nothing, the device starts its firmware without
    // a bus reset.
    bool leaves_by_itself;

    // A bwPollTimeout is never longer than this: dfuDNBUSY is said again until the work is done
    // (A.2.4). 0: it is as long as the work.
    uint16_t longest_poll_ms;

    bool done_at_once;     // a block is programmed when GETSTATUS answers: never dfuDNBUSY (A.2.4)
    uint16_t manifest_ms;  // that manifestation takes beyond what it programs; 0: 10 ms
    uint32_t image_length; // known beforehand: the end of a download before is errNOTDONE (A.2.6)
    bool counts_blocks;    // a wBlockNum that does not follow the last one STALLs (6.1.1)
    bool read_protected;   // UPLOAD STALLs, errVENDOR
    bool refuses_download; // DNLOAD STALLs, errVENDOR
    bool silent_at_end;    // dfuMANIFEST-WAIT-RESET: each request STALLs (A.2.9)

    // Of the plain dialect alone.
    bool addresses_blocks; // a block belongs at wBlockNum * wTransferSize of the image
    bool erases_first;     // the first block erases the memory of the whole image
    bool two_banks;        // an image goes into the bank that does not hold the firmware
    bool judges_content;   // the firmware is valid once it has the right bytes, manifested or not

    // Of DfuSe alone.
    bool judges_address_late; // "set address pointer" accepts any address; data to or from an
                              // absent one is refused
    bool protects_address;    // "set address pointer" fails when it is carried out, errVENDOR
    uint16_t fewest_to_read;  // UPLOAD of less STALLs (AN3156 4.1)
};

extern const struct dfu_dialect dfu_dialect_dfuse;
extern const struct dfu_dialect dfu_dialect_plain;

// Put an image there as if `plain` had downloaded it, at once: the firmware of a board as
// delivered. Returns false if it does not fit.
bool dfu_plain_install(const struct memory *memory, const uint8_t *image, size_t length);

struct dfu_mode_config {
    const struct dfu_dialect *dialect;
    const struct memory *memory;
    struct dfu_mode_choices choices;
    uint16_t wTransferSize; // at most DFU_MODE_MAX_TRANSFER
    uint8_t bmAttributes;   // DFURT_ATTR_...

    // Start the firmware at this address. Called once; the state machine then stops.
    void (*leave)(void *context, uint32_t address);
    void *context;
};

struct dfu_mode {
    const struct dfu_mode_config *config;
    uint8_t bState;  // enum dfurt_state, 2..10
    uint8_t bStatus; // enum dfurt_status
    bool configured; // since it came up: bus resets count from now on
    bool has_block;  // buffer holds a block that is not worked on yet
    bool manifested;
    bool left;
    uint16_t block;      // wBlockNum of that block
    uint16_t next_block; // wBlockNum that would follow
    uint32_t received;   // bytes of the download
    uint32_t length;
    uint32_t busy_ms; // dfuDNBUSY and dfuMANIFEST: still to go
    uint32_t poll_ms; // dfuDNBUSY: of busy_ms, until GETSTATUS is answered again
    struct work work;

    uint32_t address; // dfuse: the address pointer; plain: where the next block goes or comes from
    uint8_t carry;    // plain: an odd byte that waits for its other half
    bool has_carry;
    uint32_t image;      // plain: where the image of this download or upload begins
    uint32_t upload_end; // plain
    uint8_t mark[16];    // plain: validity mark as it is programmed

    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    uint8_t buffer[DFU_MODE_MAX_TRANSFER + 1]; // the last member: a device uses wTransferSize of it
};

// As after power-on. What is in the buffer stays: a block is written there before it is read.
void dfu_mode_init(struct dfu_mode *dfu, const struct dfu_mode_config *config);

// Decide on a class request to the DFU interface. Returns the length of the reply at *ret_reply
// (IN; endpoint 0 cuts it to wLength), 0 for an OUT request that is accepted (DNLOAD: wLength bytes
// are to be put into dfu->buffer, then dfu_mode_block() called), or DFU_MODE_STALL.
int dfu_mode_setup(struct dfu_mode *dfu,
                   const struct usbdev_setup_packet *setup,
                   const uint8_t **ret_reply);

// The bytes of an accepted DNLOAD are in dfu->buffer.
void dfu_mode_block(struct dfu_mode *dfu);

// SET_CONFIGURATION was accepted: from now on a bus reset is the host's (see below).
void dfu_mode_configured(struct dfu_mode *dfu);

// With valid firmware, ends DFU mode; but not where it belongs to the device's own enumeration,
// that is, before it has been configured.
void dfu_mode_bus_reset(struct dfu_mode *dfu);

// elapsed_ms milliseconds have passed since the last call: work that was begun goes on.
void dfu_mode_tick(struct dfu_mode *dfu, uint16_t elapsed_ms);

// Does time alone change nothing: is no work under way?
bool dfu_mode_at_rest(const struct dfu_mode *dfu);

#endif
