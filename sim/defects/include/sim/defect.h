// SPDX-License-Identifier: MIT
//
// defect.h - devices with one deliberate defect each, to test the conformance suite.
//
// A defect is a row of data: a name, a summary, and the few differences from a good device. Every
// hook may be NULL; the device behaves well in everything that no hook changes. Hooks are called in
// both modes of a board and look at view->runtime or view->bootloader where they mean one.
//
// Most defects are data alone: patches of descriptor bytes, and rules that answer some requests
// otherwise than the device would. A hook does what data cannot. A new defect is a new row in the
// group of its subject, defects_*.c.

#ifndef SIM_DEFECT_H
#define SIM_DEFECT_H

#include <sim/bootloader.h>
#include <sim/name.h>
#include <sim/runtime.h>

enum { DEFECT_REPLY_SIZE = RUNTIME_MAX_CONFIGURATION + USBDEV_DEVICE_DESCRIPTOR_SIZE };

// The device as a hook sees it. All of it may be changed.
struct defect_view {
    struct native *native;         // the USB peripheral of the present mode
    struct runtime *runtime;       // at run time, else NULL
    struct bootloader *bootloader; // in DFU mode, else NULL
    uint8_t *device_descriptor;
    uint8_t *configuration; // wTotalLength bytes; RUNTIME_MAX_CONFIGURATION there is room for at
                            // run time, BOOTLOADER_MAX_CONFIGURATION in DFU mode
    uint8_t interface;      // number of the DFU interface
    uint8_t *reply;         // DEFECT_REPLY_SIZE bytes for the setup hook
    const struct memory *memory;    // the board's flash, in either mode
    void (*enter_dfu)(void *board); // leave the bus for DFU mode, now
    void *board;
    unsigned starts;  // how often the board has started, in either mode, this time included
    uint32_t scratch; // a defect's own memory; 0 each time the device starts
    uint8_t delayed[USBDEV_SETUP_SIZE]; // a SETUP that is answered later
    uint32_t delay_ms;                  // in so many milliseconds; 0: there is none
};

// In which modes a patch or a rule holds.
enum {
    AT_RUN_TIME = 1,
    IN_DFU_MODE = 2,
    IN_BOTH_MODES = AT_RUN_TIME | IN_DFU_MODE,
};

// One wrong byte of a descriptor.
struct defect_patch {
    enum defect_descriptor {
        PATCH_END, // ends a list
        PATCH_DEVICE,
        PATCH_CONFIGURATION,
        PATCH_DFU_INTERFACE, // the first descriptor of the DFU interface
        PATCH_FUNCTIONAL,
        PATCH_ENDPOINT, // the first one
    } descriptor;
    uint8_t modes;
    uint8_t offset;
    uint8_t value;
    bool late; // only once the device is configured: no host would enumerate it otherwise
};

// A request that is answered otherwise. The first rule that matches decides.
struct defect_rule {
    uint8_t modes;   // 0 ends a list
    uint16_t states; // a bit for each DFU state in which it holds; 0: in all
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t wValue_mask; // which bits of wValue must be those of wValue
    uint16_t wValue;
    enum defect_length {
        ANY_LENGTH,
        NO_DATA,   // wLength 0
        WITH_DATA, // wLength not 0
        OVER_TRANSFER_SIZE,
    } length;
    enum defect_target {
        DFU_INTERFACE, // wIndex is the DFU interface
        ANY_INDEX,
        LOW_BYTE, // only the low byte of wIndex is, not the high one
        OTHER_INDEX,
    } target;
    enum defect_action {
        DO_ACK, // accept, without data, and do nothing
        DO_STALL,
        DO_REPLY,       // these bytes, cut to wLength
        DO_REPLY_WHOLE, // these bytes, whatever wLength is
        DO_DETACH,      // as a DETACH that is right
        DO_SILENT,      // NAK from then on
        DO_HANG,        // answer no packet any more
        DO_DELAY,       // as the good device would, but after delay_ms
    } action;
    const uint8_t *reply;
    uint8_t reply_length;
    uint8_t next; // the DFU state that follows; 0: the one there is
    uint16_t delay_ms;
};

struct sim_defect {
    const char *name;
    const char *summary;
    const struct defect_patch *patches; // or NULL
    const struct defect_rule *rules;    // or NULL; asked before the setup hook

    // The descriptors are asked for: view has copies of them, to be rewritten. The configuration
    // is as long as its wTotalLength says.
    void (*describe)(struct defect_view *view);

    // A SETUP arrived. Returns what native_override returns: the length of a reply at view->reply,
    // sent as it is even beyond wLength; 0 to acknowledge; NATIVE_STALL; NATIVE_SILENT;
    // NATIVE_PASS to leave it to the good device.
    int (*setup)(struct defect_view *view, const struct usbdev_setup_packet *setup);

    // A bus reset begins; called before the good device sees it.
    void (*bus_reset)(struct defect_view *view);

    // A millisecond has passed; called after the good device has dealt with it.
    void (*tick)(struct defect_view *view);

    // How long the board is off the bus when it changes from one mode into the other; 0: as long as
    // a good one.
    uint32_t reset_ms;

    // The board changes from one mode into the other at once and with the pull-up on: the host sees
    // no disconnect.
    bool keeps_pull_up;
};

// In what a board differs from its model, and what each difference sees of the device that is up.
enum { DIFFERENCES = 3 };

struct difference {
    const struct sim_defect *defect; // or NULL
    struct defect_view view;
};

// How the rows of the groups are written.
#define PATCHES(...)                                                                               \
    (const struct defect_patch[])                                                                  \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define RULES(...)                                                                                 \
    (const struct defect_rule[])                                                                   \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define BYTES(...)                                                                                 \
    .reply = (const uint8_t[]){__VA_ARGS__}, .reply_length = sizeof((uint8_t[]){__VA_ARGS__})

// bmRequestType of DFU's requests (DFU 1.1 table 3.1).
enum {
    TO_DFU = USBDEV_DIR_OUT | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
    FROM_DFU = USBDEV_DIR_IN | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
};

// Groups, each terminated by a NULL name.
extern const struct sim_defect defects_of_answers[]; // one byte of one answer
extern const struct sim_defect defects_of_descriptor_sets[];
extern const struct sim_defect defects_of_device_states[];
extern const struct sim_defect defects_of_halts[];
extern const struct sim_defect defects_of_detach[];
extern const struct sim_defect defects_of_descriptors[];
extern const struct sim_defect defects_of_standard_descriptors[];
extern const struct sim_defect defects_of_systems[];
extern const struct sim_defect defects_of_losses[];
extern const struct sim_defect defects_of_late_losses[];
extern const struct sim_defect defects_of_questions[]; // silent, or hung, in one state
extern const struct sim_defect defects_of_requests[];
extern const struct sim_defect defects_of_standard_requests[];
extern const struct sim_defect defects_of_states[];
extern const struct sim_defect defects_of_dfu_mode[];
extern const struct sim_defect defects_of_downloads[];
extern const struct sim_defect defects_of_handlers[];
extern const struct sim_defect defects_of_dfuse[];
extern const struct sim_defect defects_of_limits[]; // one beyond

// Their answer to a SETUP, as for the setup hook: the first that decides. Descriptors are changed
// by all of them, in this order.
int defects_answer(struct difference list[DIFFERENCES], const struct usbdev_setup_packet *setup);

// At run time: be in appDETACH from now on, as by a DETACH with this wValue that has just
// completed, whatever state there was.
void defect_detach(struct defect_view *view, uint16_t timeout_ms);

// Is it this request, of this type, to the DFU interface? In either mode.
bool defect_is_request(const struct defect_view *view,
                       const struct usbdev_setup_packet *setup,
                       uint8_t bmRequestType,
                       uint8_t bRequest);

// The same in DFU mode alone.
bool defect_is_asked(const struct defect_view *view,
                     const struct usbdev_setup_packet *setup,
                     uint8_t bmRequestType,
                     uint8_t bRequest);

// In DFU mode: start whatever the flash holds, now; for the setup and the tick hook.
void defect_start_firmware(struct defect_view *view);

// In DFU mode: GETSTATUS is about to begin to work on a block.
bool defect_begins_work(const struct defect_view *view, const struct usbdev_setup_packet *setup);

// In DFU mode: the answer of the good boot loader, at view->reply, to be changed. Returns its
// length, cut to wLength, or NATIVE_STALL.
int defect_good_reply(struct defect_view *view, const struct usbdev_setup_packet *setup);

// A setup hook: in DFU mode class requests STALL before the first SET_INTERFACE. It takes scratch.
int defect_wait_for_set_interface(struct defect_view *view,
                                  const struct usbdev_setup_packet *setup);

// A millisecond has passed.
void defect_tick(const struct sim_defect *defect, struct defect_view *view);

// NULL: no such defect.
const struct sim_defect *sim_find_defect(const char *name);

// The n-th descriptor of this type in the configuration that a defect changes, counted from 0; NULL
// if there are fewer.
uint8_t *defect_find(const struct defect_view *view, uint8_t bDescriptorType, unsigned n);

// For describe(). Put descriptors at this place of the configuration, or at its end.
void defect_insert(struct defect_view *view, uint8_t *place, const uint8_t *bytes, size_t length);
void defect_append(struct defect_view *view, const uint8_t *bytes, size_t length);

// An interface of the vendor's class with this number at the end, with one setting and without
// endpoints; and, as a setup hook does, what it answers to standard requests once the device is
// configured (usbdev has no such interface): those numbered from first on, so many of them.
void defect_append_interface(struct defect_view *view, uint8_t number);
int defect_answer_for_interfaces(struct defect_view *view,
                                 const struct usbdev_setup_packet *setup,
                                 uint16_t first,
                                 uint16_t count);

// For describe(). A copy of the DFU functional descriptor in front of the second setting of the DFU
// interface in DFU mode, so that each has one. Returns the second of the two, or NULL without a
// second setting.
uint8_t *defect_repeat_functional(struct defect_view *view);

// Their names, terminated by a NULL name.
const struct sim_name *defect_names(void);

#endif
