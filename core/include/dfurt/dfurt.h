// SPDX-License-Identifier: MIT
//
// dfurt.h - the DFU run-time class of a USB device (DFU 1.1 chapters 3 to 5, tables A.2.1, A.2.2).
//
// What it is. A device that offers DFU at run time has one interface, class FE/01/01, and a state
// machine of two states: appIDLE and appDETACH. This is that machine, and the bytes that describe
// it. It does no I/O, keeps no globals and allocates nothing: you pass it the events of the bus, it
// returns the answer, and it calls enter_dfu when the product is to become its boot loader.
//
// The contract. The owner of endpoint 0 (usbdev.h, or a USB stack you already have) calls
//
//     dfurt_setup()           for each class request to the DFU interface,
//     dfurt_status_complete() when the status stage of a request that dfurt_setup() accepted has
//                             completed on the bus,
//     dfurt_bus_reset()       at each USB bus reset,
//     dfurt_tick()            now and then, with the milliseconds since the last call.
//
// The decision falls at the SETUP; DETACH takes effect, and its time begins to run, when its
// status stage has completed. The device never leaves the bus before (hosts report an I/O error
// otherwise).
//
// Both kinds of device, chosen by DFURT_ATTR_WILL_DETACH in bmAttributes (DFU 1.1 4.1.3, 5.1):
//   set    the device leaves by itself: settle_ms after the status stage, enter_dfu is called;
//   clear  the device waits for a bus reset: if one comes while the detach timer runs, enter_dfu
//          is called; if none comes, the timer expires, silently, back to appIDLE.
//
//                         DETACH accepted, status stage complete
//        appIDLE ------------------------------------------------------> appDETACH
//           ^                                                              |  |
//           +-- any request but GETSTATUS, GETSTATE (STALL); cancel; ------+  | bus reset; or, with
//           |   or, with WILL_DETACH clear, the timer expires                 | WILL_DETACH set,
//           +---------------------- enter_dfu <-------------------------------+ settle_ms are over
//
// Tables A.2.1 and A.2.2 to the letter: GETSTATUS and GETSTATE are answered in both states; every
// other request, and one with the wrong direction, STALLs and leads to appIDLE, a second DETACH
// included. Neither state has an error status.
//
// What the specification leaves open, and what is done here:
//   - The detach timer waits min(wValue of DETACH, wDetachTimeOut), and no longer than may_detach
//     allows. A larger wValue is accepted: dfu-util and fwupd always send 1000.
//   - A time of 0 expires at once. So with WILL_DETACH clear, wValue 0 is acknowledged and leads
//     straight back to appIDLE; with it set, wValue and wDetachTimeOut do not matter.
//   - A DETACH whose status stage does not complete has no effect: a new SETUP, of any kind, and
//     a bus reset abandon it (USB 2.0 5.5.5, 8.5.3). A GETSTATUS in its place says appIDLE.
//   - A bus reset in the settle time enters DFU mode at once: the state is appDETACH (A.2.2), and
//     the host has been told that the device will go.
//   - A reply is cut to wLength (USB 2.0 9.3.5), to nothing if that is 0. DETACH with a data stage
//     STALLs. The direction bit counts even where wLength is 0: a read never detaches a device.
//   - SET_CONFIGURATION and SET_INTERFACE do not touch the state.
//
// In a USB stack that you have, and in a product of usbdev.h and this: examples/.
//
// What must be the boot loader's. The host reads the functional descriptor at run time and again in
// DFU mode, and the two are to be the same (DFU 1.1 4.1.3, 4.2.4): wDetachTimeOut, wTransferSize,
// bcdDFUVersion and bmAttributes are those of the boot loader that will do the work, with
// DFURT_ATTR_WILL_DETACH as this device behaves. For the ROM of an STM32F072: 255, 2048, 0x011A and
// 0x0B. `dfu-conformance` compares them (DM-DESC-04a to -04c).
//
// What a version promises. Versions are MAJOR.MINOR.PATCH; until 1.0 a MINOR may change anything
// and says so in CHANGELOG.md. From 1.0 on, source that compiles against a version compiles and
// behaves the same with every later one of the same MAJOR. Structs that a product fills in
// (dfurt_config, and in usbdev.h usbdev_driver, usbdev_handler, usbdev_function, usbdev_config) may
// gain members at their end, which mean the old behaviour when zero. The members of structs that
// dfurt alone writes (dfurt, usbdev) may change in any version. Object code belongs to the very
// version of its headers. Every name of these headers begins with dfurt_, DFURT_, usbdev_ or
// USBDEV_; they compile as C11 and C++17, before and after any others.
//
// All calls come from one context (the USB interrupt, or one loop): nothing here locks.

#ifndef DFURT_DFURT_H
#define DFURT_DFURT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>

#ifdef __cplusplus
extern "C" {
#endif

// 0x00MMmmpp: MAJOR, MINOR, PATCH.
#define DFURT_VERSION 0x000100

// What dfurt_setup() returns when it does not return a length.
enum {
    DFURT_STALL = -1,    // answer with a STALL handshake
    DFURT_NOT_MINE = -2, // not a class request to this interface: the state did not change
};

// What a product chooses. Constant for the life of the device; may live in flash.
struct dfurt_config {
    // The next four as in the boot loader's functional descriptor; see above.
    uint16_t wDetachTimeOut;  // ms, the most the device waits for the bus reset (DFU 1.1 4.1.3).
                              // With DFURT_ATTR_WILL_DETACH clear, 0 can never reach DFU mode.
    uint16_t wTransferSize;   // bytes a control transfer to the boot loader can carry; at least
                              // bMaxPacketSize0
    uint16_t bcdDFUVersion;   // 0x0110; 0x011A where the boot loader speaks DfuSe
    uint8_t bmAttributes;     // DFURT_ATTR_...
    uint8_t bInterfaceNumber; // 0..255, the number of the DFU interface. Where the stack tells it
                              // later: dfurt_set_interface_number().
    uint8_t iInterface;       // string index of the interface's name, 0 for none
    uint8_t settle_ms;        // 0..255 ms between the status stage of DETACH and enter_dfu

    // May the device detach now? Called at the SETUP of DETACH in appIDLE. Return false to refuse:
    // the request STALLs and the state stays appIDLE. *timeout_ms holds the time that is about to
    // run, the detach timer or the settle time; it may be made shorter, never longer (longer is
    // ignored). NULL: always.
    bool (*may_detach)(void *context, uint16_t *timeout_ms);

    // Become the boot loader: drop the pull-up and reset. Called once for each detach, from within
    // dfurt_status_complete(), dfurt_tick() or dfurt_bus_reset(), never before the status stage
    // has completed. It may return (a simulator does) or not (a product does not); the state is
    // appIDLE again by then. Required.
    void (*enter_dfu)(void *context);
};

// One instance. The caller's memory; every field is private to dfurt.c.
struct dfurt {
    const struct dfurt_config *config;
    void *context;
    uint16_t remaining_ms; // of the detach timer or the settle time
    uint8_t bState;        // enum dfurt_state, appIDLE or appDETACH
    bool accepted;         // a DETACH was; its status stage has not completed
    uint8_t bInterfaceNumber;
};

// Start in appIDLE, as after a power-on reset. context is handed to the callbacks.
void dfurt_init(struct dfurt *dfurt, const struct dfurt_config *config, void *context);

// The number that the stack has given the DFU interface, in place of the config's. At any time; the
// state does not change, and dfurt_descriptors() still uses the config's number.
void dfurt_set_interface_number(struct dfurt *dfurt, uint8_t bInterfaceNumber);

// appIDLE or appDETACH: the bState that GETSTATUS says now.
static inline enum dfurt_state dfurt_state(const struct dfurt *dfurt)
{
    return (enum dfurt_state)dfurt->bState;
}

// Decide on one SETUP packet (DFU 1.1 chapter 3, tables A.2.1 and A.2.2).
//
// reply: DFURT_STATUS_REPLY_SIZE bytes for the data stage of an IN request.
//
// Returns the number of reply bytes (0..6, never more than wLength; 0 for DETACH: go to the status
// stage), DFURT_STALL, or DFURT_NOT_MINE when bmRequestType or any of the 16 bits of wIndex say
// that the request has another owner: the state does not change.
int dfurt_setup(struct dfurt *dfurt,
                const struct usbdev_setup_packet *setup,
                uint8_t reply[DFURT_STATUS_REPLY_SIZE]);

// The same for a SETUP packet as it came over the wire.
static inline int dfurt_setup_bytes(struct dfurt *dfurt,
                                    const uint8_t bytes[USBDEV_SETUP_SIZE],
                                    uint8_t reply[DFURT_STATUS_REPLY_SIZE])
{
    const struct usbdev_setup_packet setup = usbdev_setup_load(bytes);

    return dfurt_setup(dfurt, &setup, reply);
}

// The status stage of the request that dfurt_setup() accepted last has completed (USB 2.0 8.5.3).
// Not to be called for the request of another owner.
void dfurt_status_complete(struct dfurt *dfurt);

// The bus was reset (tables A.2.1 and A.2.2): in appDETACH calls enter_dfu; otherwise the device
// stays in run time.
void dfurt_bus_reset(struct dfurt *dfurt);

// elapsed_ms milliseconds have passed since the last call. Runs the detach timer and the settle
// time, which expire when as many milliseconds have been reported: call it each millisecond, or as
// often as the accuracy needs.
void dfurt_tick(struct dfurt *dfurt, uint16_t elapsed_ms);

// Back to appIDLE by the product's own decision; the host is not informed. At any time; within
// may_detach it changes nothing (return false there), within enter_dfu it is too late.
void dfurt_cancel(struct dfurt *dfurt);

// The interface descriptor and the functional descriptor after it (DFU 1.1 4.1.2, 4.1.3), built
// from the config: one source of truth for every product and test.
enum {
    DFURT_DESCRIPTORS_SIZE =
        USBDEV_INTERFACE_DESCRIPTOR_SIZE + USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE,
};
void dfurt_descriptors(const struct dfurt_config *config, uint8_t bytes[DFURT_DESCRIPTORS_SIZE]);

// The same bytes as an initializer, for a configuration descriptor that lies in flash; give it the
// very constants that the config is made of.
#define DFURT_DESCRIPTORS(bInterfaceNumber, iInterface, bmAttributes, wDetachTimeOut,              \
                          wTransferSize, bcdDFUVersion)                                            \
    USBDEV_INTERFACE_DESCRIPTOR_SIZE, USBDEV_DT_INTERFACE, (bInterfaceNumber), 0, 0,               \
        DFURT_INTERFACE_CLASS, DFURT_INTERFACE_SUBCLASS, DFURT_PROTOCOL_RUNTIME, (iInterface),     \
        DFURT_FUNCTIONAL_DESCRIPTOR(bmAttributes, wDetachTimeOut, wTransferSize, bcdDFUVersion)

// The functional descriptor alone (DFU 1.1 4.1.3), where the stack writes the interface descriptor
// itself: as an initializer, and built from the config.
#define DFURT_FUNCTIONAL_DESCRIPTOR(bmAttributes, wDetachTimeOut, wTransferSize, bcdDFUVersion)    \
    USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE, USBDEV_DT_DFU_FUNCTIONAL, (bmAttributes),               \
        (uint8_t)(wDetachTimeOut), (uint8_t)((wDetachTimeOut) >> 8), (uint8_t)(wTransferSize),     \
        (uint8_t)((wTransferSize) >> 8), (uint8_t)(bcdDFUVersion), (uint8_t)((bcdDFUVersion) >> 8)

static inline void dfurt_functional_descriptor(const struct dfurt_config *config,
                                               uint8_t bytes[USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE])
{
    uint8_t descriptors[DFURT_DESCRIPTORS_SIZE];

    dfurt_descriptors(config, descriptors);
    for (int i = 0; i < USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE; i++)
        bytes[i] = descriptors[USBDEV_INTERFACE_DESCRIPTOR_SIZE + i];
}

#ifdef __cplusplus
}
#endif

#endif
