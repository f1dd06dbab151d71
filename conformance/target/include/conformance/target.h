// SPDX-License-Identifier: MIT
//
// target.h - the seam between the checks and a device, however it is reached.
//
// A target is one device: behind libusb (target_usb.c), behind a USB/IP server (target_usbip.c), or
// simulated in this process (target_sim.c). It stays the same device when it leaves the bus and
// comes back as its boot loader: the transport follows it by place and serial number.
//
// The device is in the configuration that its host gave it, or the first one. Where that has no DFU
// interface and another one has (DFU 1.1 4.1), the target selects the other one whenever it has
// found the device, as a driver for DFU would, and the first one again when it is closed.
//
// Capabilities say what the transport can carry. A function without its capability is never called:
// the runner turns a check that needs it into a SKIP with its reason.
//
// Errors say what the transport knows. STALL, TIMEOUT (it only NAKed) and OVERFLOW (it sent more
// than was asked for) are the device's doing. GONE and IO may be the cable's: no check fails a
// device for them alone. UNSUPPORTED is a capability that was not asked for.
//
// Times are the target's: wall-clock time on a bus, virtual time on sim:, where a wait takes no
// wall-clock time.

#ifndef CONFORMANCE_TARGET_H
#define CONFORMANCE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>
#include <usb/result.h>

enum target_capability {
    TARGET_CAN_RESET = 1 << 0,   // reset() reaches the device
    TARGET_CAN_RAW = 1 << 1,     // requests to absent interfaces and endpoints reach the device
    TARGET_CAN_ADDRESS = 1 << 2, // the Address state can be reached, and requests sent in it
    TARGET_CAN_DEFAULT = 1 << 3, // the Default state can be reached, and requests sent in it
    TARGET_CAN_SUSPEND = 1 << 4, // suspend() and resume() reach the device

    // GET_DESCRIPTOR(DEVICE) may ask for 64 or 8 bytes. A USB/IP server takes it for a bus reset.
    TARGET_CAN_ANY_LENGTH = 1 << 5,

    TARGET_CAN_POWER = 1 << 6, // power_cycle() switches the device's power off and on

    // Time is computed: nothing outside the device can make a step late.
    TARGET_VIRTUAL_TIME = 1 << 7,
    TARGET_CAN_DEPART = 1 << 8, // control_departing()

    // late_us(). Without it, a time that is exceeded is not blamed on the device.
    TARGET_KNOWS_LATENESS = 1 << 9,

    // A device that is gone after reset() has left. Elsewhere the reset of a port may have failed,
    // which Linux answers by enumerating the device anew, and tells no program.
    TARGET_TELLS_LEAVING = 1 << 10,
};

// The speed at which the device is on the bus, where the transport tells it.
enum target_speed {
    TARGET_SPEED_UNKNOWN,
    TARGET_SPEED_LOW,
    TARGET_SPEED_FULL,
    TARGET_SPEED_HIGH,
    TARGET_SPEED_SUPER,
};

enum {
    TARGET_CONFIGURATION_MAX = UINT16_MAX, // wTotalLength
    TARGET_FAULT_TEXT = 300,
    TARGET_TROUBLE = 512,
};

// The descriptors as the host read them when it enumerated the device.
struct target_descriptors {
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t configuration[TARGET_CONFIGURATION_MAX]; // the one in use
    size_t configuration_length; // the bytes received, whatever wTotalLength says
};

// Byte for byte, as far as they were received.
bool target_descriptors_equal(const struct target_descriptors *a,
                              const struct target_descriptors *b);

// How a control transfer differs from what hosts usually do. All zero: it does not.
struct target_departure {
    unsigned status_delay_ms; // the status stage is asked for so much later
    enum target_cut_off {
        TARGET_WHOLE,
        TARGET_CUT_OFF_IN_DATA,       // nothing after the first packet of the data stage
        TARGET_CUT_OFF_BEFORE_STATUS, // no status stage
    } cut_off;
};

struct target;
struct sim_flash_watch; // sim/flash_watch.h

struct target_ops {
    // A control transfer to endpoint 0. data holds setup->wLength bytes. Returns the length of the
    // data stage (0..wLength) or an enum usb_result.
    int (*control)(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms);

    // The same with stages that come late or not at all: TARGET_CAN_DEPART. A transfer that is cut
    // off returns the bytes moved until then.
    int (*control_departing)(struct target *target,
                             const struct usbdev_setup_packet *setup,
                             uint8_t *data,
                             unsigned timeout_ms,
                             const struct target_departure *departure);

    // A bulk or interrupt transfer; bit 7 of bEndpointAddress is the direction. Returns the bytes
    // that moved or an enum usb_result.
    int (*transfer)(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms);

    // Requests that a host controller driver must know about. Each returns 0 or an enum usb_result.
    int (*set_configuration)(struct target *target, uint8_t value);
    int (*set_interface)(struct target *target, uint8_t interface, uint8_t alternate);
    int (*clear_halt)(struct target *target, uint8_t bEndpointAddress);

    // Reset the bus; the host enumerates the device again. Returns 0 if it is still the device it
    // was, USB_GONE if it left the bus or enumerated with other descriptors: wait_return() then
    // finds it.
    int (*reset)(struct target *target);

    // Reset the bus and leave the device in the Default state, or give it an address and leave it
    // in the Address state. reset() ends it.
    int (*to_default)(struct target *target);
    int (*to_address)(struct target *target);

    int (*suspend)(struct target *target);
    int (*resume)(struct target *target);

    // Switch the device's power off for a second and on again, and find the device as wait_return()
    // does. Returns 0, or an enum usb_result if it did not come back.
    int (*power_cycle)(struct target *target);

    // Wait until the device has left the bus. Returns 0, or USB_TIMEOUT if it stayed.
    int (*wait_leave)(struct target *target, unsigned timeout_ms);

    // Wait until the device is on the bus, enumerated; open it, and read target->descriptors
    // anew. Returns 0, or USB_TIMEOUT if it did not come, or USB_IO if it did and fault says why it
    // cannot be used.
    int (*wait_return)(struct target *target, unsigned timeout_ms);

    uint64_t (*now_us)(struct target *target); // monotonic
    void (*sleep_ms)(struct target *target, unsigned ms);

    // By how much this host has been late in all since the target was opened, as an upper bound: it
    // was stopped, or the suite was ready to run and did not. It never decreases.
    uint64_t (*late_us)(struct target *target);

    // Trouble of the device that the bus does not show: one line of less than TARGET_TROUBLE bytes,
    // or NULL.
    const char *(*trouble)(struct target *target);

    void (*close)(struct target *target);
};

// Base of every target; concrete ones embed it as their first member.
struct target {
    const struct target_ops *ops;
    unsigned capabilities;  // enum target_capability
    uint16_t control_limit; // longest data stage of a control transfer; 0: no limit
    enum target_speed speed;
    struct target_descriptors descriptors;

    // When the device connected last, in the target's time, as the transport recorded it; 0 where
    // it cannot.
    uint64_t connected_us;

    // If this host does not let the suite use the device, or several devices may be it: what is
    // wrong and what to do, in one line; else empty.
    char fault[TARGET_FAULT_TEXT];

    // The device came back at another place on the bus than the one where it was opened, and
    // --target does not name this very board: it may be one like it. Such a device may be asked,
    // and is not written to. false on sim:, whose devices are the suite's own.
    bool moved;

    char where[96]; // where the device was found, for a person: "bus 1 path 1.2", "127.0.0.1:3240"
};

// ---- Which target: the argument of --target ----

enum target_kind {
    TARGET_KIND_USB,
    TARGET_KIND_USBIP,
    TARGET_KIND_SIM,
};

enum { TARGET_TEXT = 256 };

// A parsed SPEC. Strings that were not given are empty.
struct target_spec {
    enum target_kind kind;
    uint16_t vendor, product;         // usb
    char serial[TARGET_TEXT];         // usb, sim
    char path[TARGET_TEXT];           // usb, sim: BUS-PORTS, as in sysfs: 1-4.2
    uint16_t dfu_vendor, dfu_product; // of its boot loader (--dfu-mode); 0, 0: not given
    char power[TARGET_TEXT];          // usb: a shell command that cycles the device's power
    char host[TARGET_TEXT];           // usbip; "unix": port is the path of a Unix socket
    char port[TARGET_TEXT];           // usbip
    char bus_id[TARGET_TEXT];         // usbip
    char device[TARGET_TEXT];         // sim
    char defect[TARGET_TEXT];         // sim
    char firmware[TARGET_TEXT];       // sim
    char chip[TARGET_TEXT];           // sim
    char boot[TARGET_TEXT];           // sim
    char pin[TARGET_TEXT];            // sim
    char uart[TARGET_TEXT];           // sim
    char gdb[TARGET_TEXT];            // sim
    char moves[TARGET_TEXT];          // sim: BUS-PORTS, where it comes back, and back from there
    char twin[TARGET_TEXT];           // sim: BUS-PORTS of another one with the same serial number
    unsigned away_ms;   // sim: off the bus for so long each time it leaves; 0: not delayed
    unsigned unplug_at; // sim: unplugged at this control request; 0: never

    const struct sim_flash_watch *flash_watch; // sim: a test's; NULL when parsed
};

// Parse `usb:VID:PID[,serial=S][,path=BUS-PORTS][,power=COMMAND]`, `usbip:HOST:PORT[/BUSID]`,
// `usbip:unix:PATH[,busid=BUSID]` or
// `sim[:DEVICE[,defect=NAME][,firmware=FILE][,chip=NAME][,boot=ADDRESS][,pin=PIN=LEVEL[@MS][+...]]
// [,uart=FILE][,gdb=PORT][,serial=S][,away=MS][,unplug=REQUEST][,path=BUS-PORTS]
// [,moves=BUS-PORTS][,twin=BUS-PORTS]]`. Returns 0, or -1 with one line in error.
int target_spec_parse(struct target_spec *ret_spec, const char *text, char *error, size_t size);

// Take "VID:PID" in hex as what the device is in DFU mode. Returns 0, or -1 with one line in error.
int target_ids_parse(struct target_spec *spec, const char *text, char *error, size_t size);

// Open the device. Returns NULL with one line in error that says what was wrong and what to do.
struct target *target_open(const struct target_spec *spec, char *error, size_t size);

// The three kinds, each as target_open() opens it.
struct target *target_sim_open(const struct target_spec *spec, char *error, size_t size);
struct target *target_usb_open(const struct target_spec *spec, char *error, size_t size);
struct target *target_usbip_open(const struct target_spec *spec, char *error, size_t size);

#endif
