// SPDX-License-Identifier: MIT
//
// The proof of the seam between usbdev.c and a class. Frama-C's WP plug-in shows, for every SETUP
// packet, every config, small or full, and every state of a device, that
//
//   - each SETUP is decided on, once (usbdev_setup);
//   - a class or vendor request to an interface of the current configuration is handed to the
//     function that owns the interface, once, whatever its direction, wLength and high byte of
//     wIndex (decide, owner_is_asked);
//   - one to an interface that does not exist or has no owner STALLs, and no handler is called.
//
// Between this and dfurt_proof.c lies the handler of usbdev_dfurt.c, one line that calls
// dfurt_setup(): the unit tests of the cells go through it.
//
// What is assumed: handlers, drivers and what makes a device full do not change the private fields
// of the device, as the headers say; and a standard request leaves the device's pointers to its
// config as they are. Run-time errors are not asked for here: descriptors are trusted.

#include "../usbdev_private.h"

//@ ghost int asked;                  // calls of a handler's setup
//@ ghost void *asked_context;        // of the last one
//@ ghost uint8_t asked_type;         // and its SETUP packet
//@ ghost uint8_t asked_request;
//@ ghost uint16_t asked_value;
//@ ghost uint16_t asked_index;
//@ ghost uint16_t asked_length;
//@ ghost int decided;                // calls of decide()
//@ ghost int port;                   // stands for what a driver does

// ---- What is on the other side of each pointer ----

/*@ requires \valid(request);
    assigns request->data, request->length, asked, asked_context, asked_type, asked_request,
            asked_value, asked_index, asked_length;
    ensures asked == \old(asked) + 1 && asked_context == context;
    ensures asked_type == \old(request->setup.bmRequestType);
    ensures asked_request == \old(request->setup.bRequest);
    ensures asked_value == \old(request->setup.wValue);
    ensures asked_index == \old(request->setup.wIndex);
    ensures asked_length == \old(request->setup.wLength); */
int any_setup(void *context, struct usbdev_request *request);

//@ assigns port;
void any_ep_in(void *any, uint8_t endpoint, const uint8_t *data, uint16_t length);
//@ assigns port;
void any_ep_out(void *any, uint8_t endpoint);
//@ assigns port;
void any_ep0_stall(void *any);

// A class or vendor request to the device or an endpoint.
/*@ requires \valid(dev);
    assigns dev->request.data, dev->request.length, dev->owner, dev->scratch[0 .. 63], port, asked,
   asked_context, asked_type, asked_request, asked_value, asked_index, asked_length; */
int any_full_request(struct usbdev *dev, const struct usbdev_setup_packet *setup);

/*@ requires \valid(dev);
    assigns dev->scratch[0 .. 63]; */
uint16_t any_make_packet(struct usbdev *dev);

// ---- A device, its config and its functions ----
//
// The parts of any device, separated from each other.

extern struct usbdev a_device;
extern const struct usbdev_config a_config;
extern const struct usbdev_driver a_driver;
extern const struct usbdev_function some_functions[255];
extern const struct usbdev_handler some_handlers[255];
extern const struct usbdev_full a_full;
extern const struct usbdev_strings some_strings;

/*@ predicate driver_ok(struct usbdev *dev) =
      dev->driver == &a_driver &&
      a_driver.ep_in == &any_ep_in && a_driver.ep_out == &any_ep_out && a_driver.ep0_stall ==
   &any_ep0_stall;

    predicate full_ok =
      (a_config.full == \null || a_config.full == &a_full) &&
      a_full.other_request == &any_full_request;

    predicate strings_ok =
      (a_config.strings == \null || a_config.strings == &some_strings) &&
      some_strings.make_packet == &any_make_packet;

    predicate handler_ok(integer i) =
      some_functions[i].handler == some_handlers + i && some_handlers[i].setup == &any_setup;

    predicate functions_ok =
      a_config.functions == &some_functions[0] &&
      (\forall integer i; 0 <= i < a_config.function_count ==> handler_ok(i));

    predicate well(struct usbdev *dev) =
      dev->config == &a_config && driver_ok(dev) && full_ok && strings_ok &&
      functions_ok && (dev->text != \null ==> a_config.strings != \null);

    predicate owns(integer i, integer interface) =
      (uint8_t)(interface - some_functions[i].bFirstInterface) < some_functions[i].bInterfaceCount;

    predicate none_before(integer count, integer interface) =
      \forall integer i; 0 <= i < count ==> !owns(i, interface);

    predicate is_owner(integer i, integer interface) =
      0 <= i < a_config.function_count && owns(i, interface) && none_before(i, interface);

    predicate to_an_interface(integer bmRequestType) =
      ((bmRequestType & 0x60) == 0x20 || (bmRequestType & 0x60) == 0x40) &&
      (bmRequestType & 0x1F) == 1;

    predicate exists(struct usbdev *dev, integer interface) =
      dev->configuration != \null && interface < dev->configuration[4];
*/

/*@ requires dev == &a_device && well(dev);
    assigns \nothing;
    ensures \result == \null ==> none_before(a_config.function_count, interface);
    ensures \result != \null ==> (\exists integer i; is_owner(i, interface) &&
              \result == some_functions + i); */
const struct usbdev_function *usbdev_function_of(const struct usbdev *dev, uint8_t interface);

//@ assigns \nothing;
static inline uint16_t usbdev_load_le16(const uint8_t *bytes);

//@ assigns \nothing;
static inline struct usbdev_setup_packet usbdev_setup_load(const uint8_t bytes[USBDEV_SETUP_SIZE]);

// ---- What follows the decision ----

/*@ requires dev == &a_device && well(dev);
    assigns dev->stage, port;
    ensures dev->stage == 0; */
void usbdev_stall(struct usbdev *dev);

/*@ requires dev == &a_device && well(dev);
    assigns dev->stage, port; */
void usbdev_begin_status_in(struct usbdev *dev);

/*@ requires dev == &a_device && well(dev);
    assigns dev->stage, dev->request.length, dev->scratch[0 .. 63], port; */
static void begin_data_in(struct usbdev *dev);

/*@ requires dev == &a_device && well(dev);
    assigns dev->stage, dev->request.length, port; */
static void begin_data_out(struct usbdev *dev);

// ---- The order in which a request finds its owner ----

/*@ requires well(dev);
    assigns dev->request.data, dev->request.length, dev->owner, dev->remote_wakeup,
            dev->alternate[0 .. 7], dev->halted, dev->scratch[0 .. 63], dev->text,
            dev->configuration, port, asked, asked_context, asked_type, asked_request, asked_value,
            asked_index, asked_length;
    ensures well(dev); */
static int standard_request(struct usbdev *dev, const struct usbdev_setup_packet *setup);

/*@ requires dev == &a_device && well(dev) && setup == &dev->request.setup;
    assigns dev->request.data, dev->request.length, dev->owner, dev->remote_wakeup,
            dev->alternate[0 .. 7], dev->halted, dev->scratch[0 .. 63], dev->text,
            dev->configuration, port, asked, asked_context, asked_type, asked_request, asked_value,
            asked_index, asked_length, decided;
    ensures well(dev) && decided == \old(decided) + 1;

    behavior owner_is_asked:
      assumes to_an_interface(setup->bmRequestType) && exists(dev, (uint8_t)setup->wIndex);
      ensures \forall integer i; \old(is_owner(i, (uint8_t)setup->wIndex)) ==>
        asked == \old(asked) + 1 && asked_context == some_functions[i].context &&
        asked_type == setup->bmRequestType && asked_request == setup->bRequest &&
        asked_value == setup->wValue && asked_index == setup->wIndex &&
        asked_length == setup->wLength;
      ensures none_before(a_config.function_count, (uint8_t)setup->wIndex) ==>
        asked == \old(asked) && \result == USBDEV_STALL;

    behavior nobody_is_asked:
      assumes to_an_interface(setup->bmRequestType) && !exists(dev, (uint8_t)setup->wIndex);
      ensures asked == \old(asked) && \result == USBDEV_STALL;

    disjoint behaviors; */
static int decide(struct usbdev *dev, const struct usbdev_setup_packet *setup);

/*@ requires dev == &a_device && well(dev) && \separated(dev, setup + (0 .. 7));
    ensures decided == \old(decided) + 1; */
void usbdev_setup(struct usbdev *dev, const uint8_t setup[USBDEV_SETUP_SIZE]);

#include "../usbdev.c"
