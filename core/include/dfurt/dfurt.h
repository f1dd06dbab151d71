// SPDX-License-Identifier: MIT
//
// dfurt.h - the DFU run-time class of a USB device (DFU 1.1 chapters 3 to 5, tables A.2.1, A.2.2).
//
// What it is. A device that offers DFU at run time has one interface, class FE/01/01, and a state
// machine of two states: appIDLE and appDETACH. This is that machine, and the bytes that describe
// it. It does no I/O, keeps no globals and allocates nothing: you hand it what the bus brings, it
// says what to answer, and it calls enter_dfu when the product is to become its boot loader.
//
// The contract. The owner of endpoint 0 (usbdev.h, or a USB stack you already have) calls
//
//     dfurt_setup()           for each class request to the DFU interface,
//     dfurt_status_complete() when the status stage of a request that dfurt_setup() accepted has
//                             completed on the bus,
//     dfurt_bus_reset()       at each USB bus reset,
//     dfurt_tick()            now and then, with the milliseconds since the last call.
//
// The decision falls at the SETUP; the device never leaves the bus before the status stage of
// DETACH has completed (DFU 1.1 5.1; hosts report an I/O error otherwise).
//
// Both kinds of device, chosen by DFU_ATTR_WILL_DETACH in bmAttributes:
//   set    the device leaves by itself: settle_ms after the status stage, enter_dfu is called;
//   clear  the device waits for a bus reset: if one comes while the detach timer runs, enter_dfu
//          is called; if none comes, the timer expires, silently, back to appIDLE.
//
// The detach timer waits min(wValue of DETACH, wDetachTimeOut), and no longer than may_detach
// allows. In appDETACH every DFU request but GETSTATUS and GETSTATE, a second DETACH included,
// STALLs and returns the device to appIDLE (table A.2.2).
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

// What dfurt_setup() returns when it does not return a length.
enum {
    DFURT_STALL = -1,    // answer with a STALL handshake
    DFURT_NOT_MINE = -2, // not a class request to this interface: nothing has changed here
};

// What a product chooses. Constant for the life of the device; may live in flash.
struct dfurt_config {
    uint16_t wDetachTimeOut;  // ms, the most the device waits for the bus reset (DFU 1.1 4.1.3).
                              // With DFU_ATTR_WILL_DETACH clear, 0 can never reach DFU mode.
    uint16_t wTransferSize;   // bytes a control transfer to the boot loader can carry; at least
                              // bMaxPacketSize0. Say what the boot loader says.
    uint16_t bcdDFUVersion;   // 0x0110; 0x011A where the boot loader speaks DfuSe
    uint8_t bmAttributes;     // DFU_ATTR_...; say what the boot loader says
    uint8_t bInterfaceNumber; // 0..255, the number of the DFU interface
    uint8_t iInterface;       // string index of the interface's name, 0 for none
    uint8_t settle_ms;        // 0..255 ms between the status stage of DETACH and enter_dfu

    // May the device detach now? Called at DETACH in appIDLE. Return false to refuse (the request
    // STALLs and the state stays appIDLE). *timeout_ms holds the timer that is about to run; it
    // may be made shorter, never longer (longer is ignored). NULL: always.
    bool (*may_detach)(void *context, uint16_t *timeout_ms);

    // Become the boot loader: drop the pull-up and reset. Called once for each detach, never
    // before the status stage has completed. It may return (a simulator) or not (a product).
    // Required.
    void (*enter_dfu)(void *context);
};

// One instance. The caller's memory; every field is private to dfurt.c.
struct dfurt {
    const struct dfurt_config *config;
    void *context;
    uint16_t remaining_ms; // detach timer, or settle time once the status stage has completed
    uint8_t bState;        // enum dfu_state, appIDLE or appDETACH
    uint8_t pending;       // what waits for the status stage or the settle time
};

// Start in appIDLE, as after a power-on reset. context is handed to the callbacks.
void dfurt_init(struct dfurt *dfurt, const struct dfurt_config *config, void *context);

// Decide on one SETUP packet (DFU 1.1 chapter 3, tables A.2.1 and A.2.2).
//
// reply: DFU_STATUS_REPLY_SIZE bytes for the data stage of an IN request.
//
// Returns the number of reply bytes (0..6, never more than wLength; 0 for DETACH: go to the status
// stage), DFURT_STALL, or DFURT_NOT_MINE when bmRequestType or any of the 16 bits of wIndex say
// that the request is for someone else.
int dfurt_setup(struct dfurt *dfurt,
                const struct usb_setup *setup,
                uint8_t reply[DFU_STATUS_REPLY_SIZE]);

// The status stage of the request that dfurt_setup() accepted has completed (USB 2.0 8.5.3).
void dfurt_status_complete(struct dfurt *dfurt);

// The bus was reset (DFU 1.1 A.2.1, A.2.2): in appDETACH with the timer running, calls enter_dfu;
// otherwise the device stays in run time.
void dfurt_bus_reset(struct dfurt *dfurt);

// elapsed_ms milliseconds have passed. Runs the detach timer and the settle time.
void dfurt_tick(struct dfurt *dfurt, uint16_t elapsed_ms);

// Back to appIDLE without a word to the host: the product changed its mind.
void dfurt_cancel(struct dfurt *dfurt);

// The interface descriptor and the functional descriptor after it, built from the config
// (DFU 1.1 4.1.2, 4.1.3): one source of truth for every product and test.
enum {
    DFURT_DESCRIPTORS_SIZE = USB_INTERFACE_DESCRIPTOR_SIZE + USB_DFU_FUNCTIONAL_DESCRIPTOR_SIZE
};
void dfurt_descriptors(const struct dfurt_config *config, uint8_t bytes[DFURT_DESCRIPTORS_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
