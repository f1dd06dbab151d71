// SPDX-License-Identifier: MIT
//
// The rules of RM0091 chapter 30, one by one, by register accesses and packets.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stm32f072/usbfs.h>

enum { ADDRESS = 5, TX_BUFFER = 0x80, RX_BUFFER = 0xC0 };
enum { CONTROL_64 = 0x8400 }; // COUNT_RX: two blocks of 32 bytes

static const uint8_t get_status[USBDEV_SETUP_SIZE] = {0x80, 0, 0, 0, 0, 0, 2, 0};

struct fixture {
    struct f072_report report;
    struct f072_usbfs usb;
    uint64_t now_ns;
    uint8_t packet[SIM_MAX_PACKET];
    bool data1;
};

static uint16_t read_register(struct fixture *f, uint32_t offset)
{
    return f072_usbfs_read(&f->usb, offset);
}

static void write_register(struct fixture *f, uint32_t offset, unsigned value)
{
    f072_usbfs_write(&f->usb, offset, (uint16_t)value, f->now_ns);
}

static void write_table(struct fixture *f, unsigned n, uint16_t tx, uint16_t rx, uint16_t count_rx)
{
    usbdev_store_le16(f->usb.pma + 8 * n, tx);
    usbdev_store_le16(f->usb.pma + 8 * n + 4, rx);
    usbdev_store_le16(f->usb.pma + 8 * n + 6, count_rx);
}

static void set_tx_count(struct fixture *f, unsigned n, uint16_t count)
{
    usbdev_store_le16(f->usb.pma + 8 * n + 2, count);
}

static uint16_t rx_count(struct fixture *f, unsigned n)
{
    return usbdev_load_le16(f->usb.pma + 8 * n + 6);
}

static void elapse(struct fixture *f, uint64_t ns)
{
    f->now_ns += ns;
    f072_usbfs_advance(&f->usb, f->now_ns);
}

// A peripheral that a driver has switched on: connected, not yet reset by the host.
static int attach(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    f.report.quiet = true;
    f.usb.report = &f.report;
    f072_usbfs_reset(&f.usb);
    f.usb.clocked = true;
    f.usb.vbus = true;
    write_register(&f, F072_USB_CNTR, F072_CNTR_FRES);
    write_register(&f, F072_USB_CNTR, 0);
    write_register(&f, F072_USB_ISTR, 0);
    write_register(&f, F072_USB_BCDR, F072_BCDR_DPPU);
    *state = &f;
    return 0;
}

// Reset by the host, endpoint 0 ready at ADDRESS, register 0.
static int open_control(void **state)
{
    attach(state);
    struct fixture *f = *state;
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    f072_usbfs_bus_reset(&f->usb, false, f->now_ns);
    write_register(f, F072_USB_ISTR, 0);
    write_table(f, 0, TX_BUFFER, RX_BUFFER, CONTROL_64);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x3020); // STAT_RX VALID, STAT_TX NAK
    write_register(f, F072_USB_DADDR, F072_DADDR_EF | ADDRESS);
    return 0;
}

// To the end of the handshake; the peripheral sees no time pass.
static int ended(struct fixture *f, int result)
{
    if (f->usb.transaction.kind != F072_TRANSACTION_NONE)
        f072_usbfs_advance(&f->usb, f->usb.transaction.end_ns);
    return result;
}

static int setup(struct fixture *f)
{
    return ended(f, f072_usbfs_setup(&f->usb, ADDRESS, 0, get_status, f->now_ns));
}

static int out(struct fixture *f, uint8_t endpoint, bool data1, size_t length)
{
    for (size_t i = 0; i < length; i++)
        f->packet[i] = (uint8_t)(i + 1);
    return ended(f,
                 f072_usbfs_out(&f->usb, ADDRESS, endpoint, data1, f->packet, length, f->now_ns));
}

static int in(struct fixture *f, uint8_t endpoint)
{
    return ended(f, f072_usbfs_in(&f->usb, ADDRESS, endpoint, &f->data1, f->packet, f->now_ns));
}

// ---- EPnR (30.6.1) ----

static void epnr__toggles_stat_and_dtog_where_a_one_is_written(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x3020);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x5050);

    assert_int_equal(read_register(f, F072_USB_EP0R), F072_EP_CONTROL | 0x6070);
}

static void epnr__clears_ctr_by_zero_and_never_sets_it(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x3020 | F072_EP_CTR_RX | F072_EP_CTR_TX);
    assert_int_equal(read_register(f, F072_USB_EP0R), F072_EP_CONTROL | 0x3020);

    write_register(f, F072_USB_DADDR, F072_DADDR_EF | ADDRESS);
    write_table(f, 0, TX_BUFFER, RX_BUFFER, CONTROL_64);
    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_CTR_RX);
    assert_true(read_register(f, F072_USB_EP0R) & F072_EP_CTR_RX);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL);
    assert_false(read_register(f, F072_USB_EP0R) & F072_EP_CTR_RX);
}

static void epnr__cannot_write_setup(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_SETUP);
    assert_false(read_register(f, F072_USB_EP0R) & F072_EP_SETUP);
}

static void epnr__writes_type_kind_and_address_plainly(void **state)
{
    struct fixture *f = *state;

    write_register(f, 4 * 3, F072_EP_INTERRUPT | F072_EP_KIND | 9);
    assert_int_equal(read_register(f, 4 * 3), F072_EP_INTERRUPT | F072_EP_KIND | 9);

    write_register(f, 4 * 3, F072_EP_BULK | 2);
    assert_int_equal(read_register(f, 4 * 3), F072_EP_BULK | 2);
}

// ---- ISTR, CNTR, FNR, DADDR, BTABLE, BCDR (30.6.1) ----

static void istr__clears_flags_by_zero_and_keeps_them_by_one(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    elapse(f, 2 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_SOF | F072_USB_ESOF);

    write_register(f, F072_USB_ISTR, ~(unsigned)F072_USB_SOF);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);

    write_register(f, F072_USB_ISTR, 0xFFFF);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);
}

static void istr__names_the_register_and_the_direction(void **state)
{
    struct fixture *f = *state;

    write_table(f, 3, TX_BUFFER, RX_BUFFER, CONTROL_64);
    set_tx_count(f, 3, 4);
    write_register(f, 4 * 3, F072_EP_BULK | 0x3030 | 9);
    assert_int_equal(in(f, 9), 4);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | 3);

    assert_int_equal(out(f, 9, false, 4), SIM_ACK);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | F072_ISTR_DIR | 3);
}

static void istr__gives_the_lowest_register_first(void **state)
{
    struct fixture *f = *state;

    write_register(f, 4 * 2, F072_EP_BULK | 0x0030 | 1);
    write_register(f, 4 * 5, F072_EP_BULK | 0x0030 | 2);
    assert_int_equal(in(f, 2), 0);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | 5);
    assert_int_equal(in(f, 1), 0);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | 2);
}

static void interrupt__follows_flags_and_masks_as_a_level(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    assert_false(f072_usbfs_interrupt(&f->usb));

    write_register(f, F072_USB_CNTR, F072_USB_SOF);
    assert_true(f072_usbfs_interrupt(&f->usb));

    write_register(f, F072_USB_ISTR, (uint16_t)~F072_USB_SOF);
    assert_false(f072_usbfs_interrupt(&f->usb));
}

static void interrupt__stays_until_every_ctr_is_cleared(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_USB_CTR);
    assert_int_equal(setup(f), SIM_ACK);
    assert_true(f072_usbfs_interrupt(&f->usb));
    write_register(f, F072_USB_ISTR, 0); // CTR cannot be cleared here
    assert_true(f072_usbfs_interrupt(&f->usb));

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL);
    assert_false(f072_usbfs_interrupt(&f->usb));
}

static void reset_values__are_those_of_the_manual(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_reset(&f->usb);

    assert_int_equal(read_register(f, F072_USB_CNTR), 3);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
    assert_int_equal(read_register(f, F072_USB_DADDR), 0);
    assert_int_equal(read_register(f, F072_USB_BTABLE), 0);
    assert_int_equal(read_register(f, F072_USB_BCDR), 0);
    assert_false(f072_usbfs_connected(&f->usb));
}

static void fres__raises_reset_and_clears_endpoints(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FRES);

    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_RESET);
    assert_int_equal(read_register(f, F072_USB_EP0R), 0);
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
}

// A driver that forces a reset in suspend restores EPnR alone, and keeps its address.
static void fres__leaves_the_address(void **state)
{
    struct fixture *f = *state;
    uint16_t ep0 = read_register(f, F072_USB_EP0R);

    write_register(f, F072_USB_CNTR, F072_CNTR_FRES);
    write_register(f, F072_USB_CNTR, 0);
    write_register(f, F072_USB_ISTR, (uint16_t)~F072_USB_RESET);
    write_register(f, F072_USB_EP0R, ep0);

    assert_int_equal(read_register(f, F072_USB_DADDR), F072_DADDR_EF | ADDRESS);
    assert_int_equal(setup(f), SIM_ACK);
}

static void fnr__shows_frame_lock_and_lines(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 0x7FE, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_FNR), F072_FNR_RXDP | 0x7FE);
    elapse(f, SIM_MS);
    f072_usbfs_sof(&f->usb, 0x7FF, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_FNR), F072_FNR_RXDP | F072_FNR_LCK | 0x7FF);

    elapse(f, 2 * SIM_MS); // a lost frame does not unlock it, suspend does
    assert_int_equal(read_register(f, F072_USB_FNR),
                     F072_FNR_RXDP | F072_FNR_LCK | 1 << 11 | 0x7FF);
    elapse(f, 2 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_FNR), F072_FNR_RXDP | 3 << 11 | 0x7FF);

    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    assert_false(read_register(f, F072_USB_FNR) & (F072_FNR_RXDP | F072_FNR_RXDM));
}

static void btable__moves_the_table(void **state)
{
    struct fixture *f = *state;

    memcpy(f->usb.pma + 0x200, f->usb.pma, 8);
    memset(f->usb.pma, 0, 8);
    write_register(f, F072_USB_BTABLE, 0x207);
    assert_int_equal(read_register(f, F072_USB_BTABLE), 0x200);

    assert_int_equal(setup(f), SIM_ACK);
    assert_memory_equal(f->usb.pma + RX_BUFFER, get_status, sizeof get_status);
}

// The packet memory has 1 KB: addresses in it have 10 bits.
static void btable__rows_beyond_the_packet_memory_wrap(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_BTABLE, 0x3F8);
    write_table(f, 1, 0x140, 0x180, 0); // row of register 2
    memcpy(f->usb.pma + 0x140, "dfurt", 5);
    set_tx_count(f, 1, 5);
    write_register(f, 4 * 2, F072_EP_BULK | 0x0030 | 2);
    assert_int_equal(in(f, 2), 5);
    assert_memory_equal(f->packet, "dfurt", 5);
}

static void buffers__ignore_the_bits_that_are_not_theirs(void **state)
{
    struct fixture *f = *state;

    write_table(f, 1, TX_BUFFER | 1, RX_BUFFER | 1, CONTROL_64);
    memcpy(f->usb.pma + TX_BUFFER, "dfurt", 5);
    set_tx_count(f, 1, 0xFC00 | 5); // COUNT_TX has bits 9..0
    write_register(f, 4 * 1, F072_EP_BULK | 0x3030 | 1);
    assert_int_equal(in(f, 1), 5);
    assert_memory_equal(f->packet, "dfurt", 5);
    assert_int_equal(out(f, 1, false, 1), SIM_ACK);
    assert_int_equal(f->usb.pma[RX_BUFFER], 1);
}

static void cntr__pdwn_takes_it_off_the_bus(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_PDWN);
    assert_false(f072_usbfs_connected(&f->usb));
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    elapse(f, 10 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
}

static void cntr__fsusp_answers_no_packet(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
    assert_int_equal(in(f, 0), SIM_NO_RESPONSE);
    write_register(f, F072_USB_CNTR, 0);
    assert_int_equal(setup(f), SIM_ACK);
}

static void bcdr__pull_up_is_the_connect_signal(void **state)
{
    struct fixture *f = *state;

    assert_true(f072_usbfs_connected(&f->usb));
    write_register(f, F072_USB_BCDR, 0);
    assert_false(f072_usbfs_connected(&f->usb));
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
}

// The detector of chargers finds an ordinary port.
static void bcdr__detects_contact_and_no_charger(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_BCDR, 0x0003); // BCDEN, DCDEN
    assert_int_equal(read_register(f, F072_USB_BCDR), 0x0013);
    write_register(f, F072_USB_BCDR, 0x0005); // BCDEN, PDEN
    assert_int_equal(read_register(f, F072_USB_BCDR), 0x0005);
    write_register(f, F072_USB_BCDR, 0x0009); // BCDEN, SDEN
    assert_int_equal(read_register(f, F072_USB_BCDR), 0x0009);
    f->usb.vbus = false;
    write_register(f, F072_USB_BCDR, 0x0003);
    assert_int_equal(read_register(f, F072_USB_BCDR), 0x0003);
}

// What is written reads back where software may write, and nowhere else.
static void registers__keep_the_bits_that_software_may_write(void **state)
{
    static const struct {
        uint32_t offset;
        uint16_t writable;
    } rows[] = {
        {F072_USB_CNTR, 0xFFBF},   // all but bit 6
        {F072_USB_DADDR, 0x00FF},  // EF, ADD
        {F072_USB_BTABLE, 0xFFF8}, // multiples of 8
        {F072_USB_LPMCSR, 0x0003}, // LPMACK, LPMEN; the others are the hardware's
        {F072_USB_BCDR, 0x800F},   // DPPU and the enable bits
    };
    struct fixture *f = *state;

    f->usb.vbus = false; // or BCDR detects something
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_register(f, rows[i].offset, 0xFFFF);
        assert_int_equal(read_register(f, rows[i].offset), rows[i].writable);
        write_register(f, rows[i].offset, 0);
        assert_int_equal(read_register(f, rows[i].offset), 0);
    }
    uint16_t fnr = read_register(f, F072_USB_FNR);
    write_register(f, F072_USB_FNR, (uint16_t)~fnr);
    assert_int_equal(read_register(f, F072_USB_FNR), fnr);
}

// Each of CNTR's masks lets its flag through to the interrupt, and no other.
static void cntr__masks_each_event_by_itself(void **state)
{
    struct fixture *f = *state;

    for (unsigned bit = 8; bit < 15; bit++) {
        f->usb.istr = (uint16_t)(1u << bit);
        write_register(f, F072_USB_CNTR, F072_USB_EVENTS & ~(1u << bit));
        assert_false(f072_usbfs_interrupt(&f->usb));
        write_register(f, F072_USB_CNTR, 1u << bit);
        assert_true(f072_usbfs_interrupt(&f->usb));
    }
}

// ---- Bus reset ----

static void bus_reset__clears_endpoints_but_their_ctr(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);

    assert_int_equal(read_register(f, F072_USB_EP0R), F072_EP_CTR_RX);
    assert_int_equal(read_register(f, F072_USB_DADDR), 0);
    assert_true(read_register(f, F072_USB_ISTR) & F072_USB_RESET);
}

static void bus_reset__nothing_is_received_until_its_flag_is_cleared(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    f072_usbfs_bus_reset(&f->usb, false, f->now_ns);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x3020);
    write_register(f, F072_USB_DADDR, F072_DADDR_EF);
    assert_int_equal(f072_usbfs_setup(&f->usb, 0, 0, get_status, f->now_ns), SIM_NO_RESPONSE);

    write_register(f, F072_USB_ISTR, (uint16_t)~F072_USB_RESET);
    assert_int_equal(f072_usbfs_setup(&f->usb, 0, 0, get_status, f->now_ns), SIM_ACK);
}

static void unclocked__does_not_notice_the_bus(void **state)
{
    struct fixture *f = *state;

    f->usb.clocked = false;
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);

    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
}

// ---- Time on the bus ----

// A driver that clears CTR_TX while a packet is under way does not lose the packet's end.
static void transaction__shows_in_epnr_when_its_handshake_is_over(void **state)
{
    enum { LENGTH = 62, END_NS = (13 + LENGTH) * 667 };
    struct fixture *f = *state;

    set_tx_count(f, 0, LENGTH);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x0010); // NAK -> VALID
    uint16_t before = read_register(f, F072_USB_EP0R);
    assert_int_equal(f072_usbfs_in(&f->usb, ADDRESS, 0, &f->data1, f->packet, f->now_ns), LENGTH);
    assert_true(f072_usbfs_next_event(&f->usb) == f->now_ns + END_NS);
    elapse(f, END_NS - 1);
    assert_int_equal(read_register(f, F072_USB_EP0R), before);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL); // CTR_TX 0
    elapse(f, 1);
    assert_int_equal(read_register(f, F072_USB_EP0R),
                     (before ^ F072_EP_DTOG_TX ^ 0x0010) | F072_EP_CTR_TX);
}

static void transaction__is_over_before_the_next_event_on_the_bus(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f072_usbfs_setup(&f->usb, ADDRESS, 0, get_status, f->now_ns), SIM_ACK);
    assert_false(read_register(f, F072_USB_EP0R) & F072_EP_CTR_RX);
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_EP0R), F072_EP_CTR_RX);
}

// ---- SETUP (30.5.2) ----

static void setup__sets_nak_both_ways_and_data1_both_ways(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);

    assert_int_equal(read_register(f, F072_USB_EP0R), F072_EP_CONTROL | F072_EP_CTR_RX |
                                                          F072_EP_SETUP | 0x2020 | F072_EP_DTOG_RX |
                                                          F072_EP_DTOG_TX);
    assert_int_equal(rx_count(f, 0), CONTROL_64 | 8);
    assert_memory_equal(f->usb.pma + RX_BUFFER, get_status, sizeof get_status);
}

static void setup__is_taken_over_stall(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x2030); // VALID, NAK -> STALL, STALL
    assert_int_equal(read_register(f, F072_USB_EP0R), F072_EP_CONTROL | 0x1010);

    assert_int_equal(setup(f), SIM_ACK);
}

static void setup__gets_no_handshake_while_ctr_rx_is_set(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    assert_int_equal(setup(f), SIM_NO_RESPONSE);

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL);
    assert_int_equal(setup(f), SIM_ACK);
}

static void setup__only_control_endpoints_take_it(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_EP0R, F072_EP_BULK);
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
}

static void setup__another_address_is_not_answered(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f072_usbfs_setup(&f->usb, ADDRESS + 1, 0, get_status, f->now_ns),
                     SIM_NO_RESPONSE);
    write_register(f, F072_USB_DADDR, ADDRESS); // without EF
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
}

// ---- OUT (30.5.2) ----

static void out__goes_to_nak_toggles_and_clears_setup(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x1000); // clear CTR_RX, NAK -> VALID
    assert_int_equal(out(f, 0, true, 3), SIM_ACK);

    assert_int_equal(read_register(f, F072_USB_EP0R),
                     F072_EP_CONTROL | F072_EP_CTR_RX | 0x2020 | F072_EP_DTOG_TX);
    assert_int_equal(rx_count(f, 0), CONTROL_64 | 3);
    assert_int_equal(out(f, 0, false, 3), SIM_NAK);
}

static void out__setup_bit_is_frozen_while_ctr_rx_is_set(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_CTR_RX | 0x1000);
    assert_int_equal(out(f, 0, true, 3), SIM_ACK);
    assert_true(read_register(f, F072_USB_EP0R) & F072_EP_SETUP);
}

static void out__a_repeated_packet_is_acknowledged_and_dropped(void **state)
{
    struct fixture *f = *state;

    write_table(f, 1, TX_BUFFER, RX_BUFFER, CONTROL_64);
    write_register(f, 4 * 1, F072_EP_BULK | 0x3000 | 1);
    uint16_t before = read_register(f, 4 * 1);
    assert_int_equal(out(f, 1, true, 5), SIM_ACK);

    assert_int_equal(read_register(f, 4 * 1), before);
    assert_int_equal(rx_count(f, 1), CONTROL_64);
}

// USB 2.0 table 8-6: the toggle comes before the room for a packet, and STALL before the toggle.
static void out__a_repeated_packet_is_acknowledged_without_room_for_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    assert_int_equal(out(f, 0, true, 0), SIM_NAK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_DTOG_RX);
    uint16_t before = read_register(f, F072_USB_EP0R);
    assert_int_equal(out(f, 0, true, 0), SIM_ACK);
    assert_int_equal(read_register(f, F072_USB_EP0R), before);

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x3000); // NAK -> STALL
    assert_int_equal(out(f, 0, true, 0), SIM_STALL);
}

static void out__status_out_stalls_data_and_takes_none(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_KIND | 0x1000);
    assert_int_equal(out(f, 0, true, 1), SIM_STALL);
    assert_int_equal(out(f, 0, true, 0), SIM_ACK);
}

static void out__overrun_is_stalled_without_event(void **state)
{
    static const struct {
        uint16_t count_rx;
        size_t size;
    } rows[] = {
        {0x1000, 8},   // BL_SIZE 0, 4 blocks of 2
        {0x7C00, 62},  // BL_SIZE 0, 31 blocks of 2
        {0x8000, 32},  // BL_SIZE 1, the smallest
        {0x8400, 64},  // BL_SIZE 1
        {0x9C00, 256}, // BL_SIZE 1
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_register(f, 4 * 1, read_register(f, 4 * 1) & F072_EP_STAT_RX); // DISABLED
        write_register(f, 4 * 1, 0x3000 | (read_register(f, 4 * 1) & F072_EP_DTOG_RX) | 1);
        write_table(f, 1, TX_BUFFER, RX_BUFFER, rows[i].count_rx);

        assert_int_equal(out(f, 1, false, rows[i].size + 1), SIM_STALL);
        assert_false(read_register(f, 4 * 1) & F072_EP_CTR_RX);
        assert_int_equal(out(f, 1, false, rows[i].size), SIM_ACK);
        assert_int_equal(rx_count(f, 1), rows[i].count_rx | rows[i].size);
    }
}

static void out__bytes_beyond_the_packet_stay_as_they_were(void **state)
{
    struct fixture *f = *state;

    f->usb.pma[RX_BUFFER + 3] = 0xA5;
    assert_int_equal(out(f, 0, false, 3), SIM_ACK);
    assert_int_equal(f->usb.pma[RX_BUFFER + 2], 3);
    assert_int_equal(f->usb.pma[RX_BUFFER + 3], 0xA5);
}

static void out__answers_what_stat_rx_says(void **state)
{
    static const int answers[] = {SIM_NO_RESPONSE, SIM_STALL, SIM_NAK, SIM_ACK};
    struct fixture *f = *state;

    write_table(f, 1, TX_BUFFER, RX_BUFFER, CONTROL_64);
    for (unsigned stat = 0; stat < 4; stat++) {
        write_register(f, 4 * 1, ((read_register(f, 4 * 1) & F072_EP_STAT_RX) ^ stat << 12) | 1);
        assert_int_equal(out(f, 1, false, 1), answers[stat]);
    }
}

// ---- IN (30.5.2) ----

static void in__sends_toggles_and_goes_to_nak(void **state)
{
    struct fixture *f = *state;

    memcpy(f->usb.pma + TX_BUFFER, "dfurt", 5);
    set_tx_count(f, 0, 5);
    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_CTR_RX | 0x0010); // NAK -> VALID
    assert_int_equal(in(f, 0), 5);

    assert_true(f->data1);
    assert_memory_equal(f->packet, "dfurt", 5);
    assert_int_equal(read_register(f, F072_USB_EP0R) &
                         (F072_EP_CTR_TX | F072_EP_DTOG_TX | F072_EP_STAT_TX),
                     F072_EP_CTR_TX | 0x0020);
    assert_int_equal(in(f, 0), SIM_NAK);
}

static void in__answers_what_stat_tx_says(void **state)
{
    static const int answers[] = {SIM_NO_RESPONSE, SIM_STALL, SIM_NAK, 0};
    struct fixture *f = *state;

    for (unsigned stat = 0; stat < 4; stat++) {
        write_register(f, 4 * 1, ((read_register(f, 4 * 1) & F072_EP_STAT_TX) ^ stat << 4) | 1);
        assert_int_equal(in(f, 1), answers[stat]);
    }
}

static void in__two_registers_can_share_an_address_one_for_each_direction(void **state)
{
    struct fixture *f = *state;

    write_table(f, 2, TX_BUFFER, RX_BUFFER, CONTROL_64);
    write_register(f, 4 * 1, F072_EP_BULK | 0x0030 | 1);
    write_register(f, 4 * 2, F072_EP_BULK | 0x3000 | 1);

    assert_int_equal(in(f, 1), 0);
    assert_int_equal(out(f, 1, false, 1), SIM_ACK);
    assert_true(read_register(f, 4 * 1) & F072_EP_CTR_TX);
    assert_true(read_register(f, 4 * 2) & F072_EP_CTR_RX);
}

static void buffers__beyond_the_packet_memory_are_reported(void **state)
{
    struct fixture *f = *state;

    write_table(f, 0, 0x3F0, RX_BUFFER, CONTROL_64);
    set_tx_count(f, 0, 17);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x0010);
    assert_int_equal(in(f, 0), SIM_NO_RESPONSE);

    assert_string_equal(f->report.trouble,
                        "the buffer of USB_EP0R, 17 bytes at 3F0h, lies beyond the packet memory");
}

// ---- Double-buffered bulk endpoints (30.5.3) ----

enum { DOUBLE = F072_EP_BULK | F072_EP_KIND };
enum { BUFFER_0 = TX_BUFFER, BUFFER_1 = RX_BUFFER };

// Row 0 and row 1 of register 1 with room for 64 bytes each.
static void write_double_table(struct fixture *f)
{
    write_table(f, 1, BUFFER_0, BUFFER_1, CONTROL_64);
    usbdev_store_le16(f->usb.pma + 8 + 2, CONTROL_64);
}

// The driver has dealt with a packet: it clears CTR_RX, and toggles SW_BUF if it frees a row.
static void deal_with_out(struct fixture *f, bool free_row)
{
    write_register(f, 4, DOUBLE | F072_EP_CTR_TX | (free_row ? F072_EP_DTOG_TX : 0) | 1);
}

// SW_BUF set against DTOG_RX: one row is the driver's from the start.
static void double_out__alternates_rows_while_the_driver_frees_them(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    write_register(f, 4, DOUBLE | 0x3000 | F072_EP_DTOG_TX | 1);
    assert_int_equal(out(f, 1, false, 3), SIM_ACK);
    assert_int_equal(read_register(f, 4), DOUBLE | F072_EP_CTR_RX | F072_EP_DTOG_RX | 0x3000 |
                                              F072_EP_DTOG_TX | 1); // STAT_RX stays VALID
    assert_int_equal(usbdev_load_le16(f->usb.pma + 8 + 2), CONTROL_64 | 3);
    assert_memory_equal(f->usb.pma + BUFFER_0, "\1\2\3", 3);

    assert_int_equal(out(f, 1, true, 5), SIM_NAK); // DTOG_RX = SW_BUF
    deal_with_out(f, true);
    assert_int_equal(out(f, 1, true, 5), SIM_ACK);
    assert_int_equal(rx_count(f, 1), CONTROL_64 | 5);
    assert_memory_equal(f->usb.pma + BUFFER_1, "\1\2\3\4\5", 5);
    assert_int_equal(out(f, 1, false, 1), SIM_NAK);
    deal_with_out(f, true);
    assert_int_equal(out(f, 1, false, 1), SIM_ACK);
    assert_int_equal(usbdev_load_le16(f->usb.pma + 8 + 2), CONTROL_64 | 1);
}

// Both bits alike: two rows are free, and the first transaction is taken all the same.
static void double_out__takes_two_packets_before_the_driver_frees_a_row(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    write_register(f, 4, DOUBLE | 0x3000 | 1);
    assert_int_equal(out(f, 1, false, 3), SIM_ACK);
    assert_int_equal(out(f, 1, true, 4), SIM_ACK);
    assert_int_equal(out(f, 1, false, 5), SIM_NAK);
    assert_int_equal(read_register(f, 4), DOUBLE | F072_EP_CTR_RX | 0x3000 | 1);

    deal_with_out(f, false); // CTR alone frees nothing
    assert_int_equal(out(f, 1, false, 5), SIM_NAK);
    deal_with_out(f, true);
    assert_int_equal(out(f, 1, false, 5), SIM_ACK);
}

static void double_out__drops_a_repeated_packet(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    write_register(f, 4, DOUBLE | 0x3000 | F072_EP_DTOG_TX | 1);
    assert_int_equal(out(f, 1, true, 3), SIM_ACK);

    assert_int_equal(read_register(f, 4), DOUBLE | 0x3000 | F072_EP_DTOG_TX | 1);
    assert_int_equal(usbdev_load_le16(f->usb.pma + 8 + 2), CONTROL_64);
}

// A STAT other than VALID that software writes is what counts.
static void double_out__answers_what_software_writes_to_stat(void **state)
{
    static const int answers[] = {SIM_NO_RESPONSE, SIM_STALL, SIM_NAK, SIM_ACK};
    struct fixture *f = *state;

    write_double_table(f);
    for (unsigned stat = 0; stat < 4; stat++) {
        write_register(f, 4, DOUBLE | ((read_register(f, 4) & F072_EP_STAT_RX) ^ stat << 12) | 1);
        assert_int_equal(out(f, 1, false, 1), answers[stat]);
    }
}

static void double_in__sends_two_packets_then_waits_for_the_driver(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    memcpy(f->usb.pma + BUFFER_0, "row 0", 5);
    memcpy(f->usb.pma + BUFFER_1, "row 1!", 6);
    usbdev_store_le16(f->usb.pma + 8 + 2, 5);
    usbdev_store_le16(f->usb.pma + 8 + 6, 6);
    write_register(f, 4, DOUBLE | 0x0030 | 1);

    assert_int_equal(in(f, 1), 5);
    assert_false(f->data1);
    assert_memory_equal(f->packet, "row 0", 5);
    assert_int_equal(in(f, 1), 6);
    assert_true(f->data1);
    assert_memory_equal(f->packet, "row 1!", 6);
    assert_int_equal(in(f, 1), SIM_NAK);
    assert_int_equal(read_register(f, 4), DOUBLE | F072_EP_CTR_TX | 0x0030 | 1);

    write_register(f, 4, DOUBLE | F072_EP_DTOG_RX | 1); // SW_BUF: row 0 is filled again
    assert_int_equal(in(f, 1), 5);
    assert_false(f->data1);
    assert_int_equal(in(f, 1), SIM_NAK);
}

// Setting DBL_BUF again begins anew.
static void double_in__begins_anew_when_dbl_buf_is_set_again(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    usbdev_store_le16(f->usb.pma + 8 + 2, 5);
    usbdev_store_le16(f->usb.pma + 8 + 6, 6);
    write_register(f, 4, DOUBLE | 0x0030 | 1);
    assert_int_equal(in(f, 1), 5);
    assert_int_equal(in(f, 1), 6);
    assert_int_equal(in(f, 1), SIM_NAK);

    write_register(f, 4, F072_EP_BULK | 1);
    write_register(f, 4, DOUBLE | 1);
    assert_int_equal(in(f, 1), 5);
}

static void double_buffers__come_first_in_istr(void **state)
{
    struct fixture *f = *state;

    write_register(f, 4 * 2, F072_EP_BULK | 0x0030 | 2);
    write_register(f, 4 * 5, DOUBLE | 0x0030 | 5);
    write_register(f, 4 * 6, DOUBLE | 0x0030 | 6);
    assert_int_equal(in(f, 2), 0);
    assert_int_equal(in(f, 6), 0);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | 6);
    assert_int_equal(in(f, 5), 0);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | 5);
}

static void double_buffers__in_both_directions_are_warned_of(void **state)
{
    struct fixture *f = *state;

    write_register(f, 4, DOUBLE | 0x3000 | 1);
    assert_int_equal(f->report.warning_count, 0);
    write_register(f, 4, DOUBLE | 0x0030 | 1);
    assert_int_equal(f->report.warning_count, 1);
}

// ---- Isochronous endpoints (30.5.4) ----

static void isochronous_out__fills_the_rows_in_turn_without_a_handshake(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    write_register(f, 4, F072_EP_ISOCHRONOUS | 0x3000 | 1);
    assert_int_equal(out(f, 1, false, 3), SIM_NO_HANDSHAKE);
    assert_int_equal(usbdev_load_le16(f->usb.pma + 8 + 2), CONTROL_64 | 3);
    assert_memory_equal(f->usb.pma + BUFFER_0, "\1\2\3", 3);
    assert_int_equal(read_register(f, 4),
                     F072_EP_ISOCHRONOUS | F072_EP_CTR_RX | F072_EP_DTOG_RX | 0x3000 | 1);

    assert_int_equal(out(f, 1, false, 5), SIM_NO_HANDSHAKE); // CTR_RX is set still
    assert_int_equal(rx_count(f, 1), CONTROL_64 | 5);
    assert_int_equal(out(f, 1, false, 1), SIM_NO_HANDSHAKE); // over the first
    assert_int_equal(usbdev_load_le16(f->usb.pma + 8 + 2), CONTROL_64 | 1);
}

static void isochronous_out__cuts_what_is_too_long_and_tells_of_it(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    write_register(f, 4, F072_EP_ISOCHRONOUS | 0x3000 | 1);
    f->usb.pma[BUFFER_0 + 64] = 0xA5;
    assert_int_equal(out(f, 1, false, 65), SIM_NO_HANDSHAKE);
    assert_true(read_register(f, 4) & F072_EP_CTR_RX);
    assert_int_equal(usbdev_load_le16(f->usb.pma + 8 + 2), CONTROL_64 | 64);
    assert_int_equal(f->usb.pma[BUFFER_0 + 63], 64);
    assert_int_equal(f->usb.pma[BUFFER_0 + 64], 0xA5);
}

static void isochronous_in__sends_the_rows_in_turn_as_data0(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    memcpy(f->usb.pma + BUFFER_0, "row 0", 5);
    memcpy(f->usb.pma + BUFFER_1, "row 1!", 6);
    usbdev_store_le16(f->usb.pma + 8 + 2, 5);
    usbdev_store_le16(f->usb.pma + 8 + 6, 6);
    write_register(f, 4, F072_EP_ISOCHRONOUS | 0x0030 | 1);

    assert_int_equal(in(f, 1), 5);
    assert_memory_equal(f->packet, "row 0", 5);
    assert_int_equal(read_register(f, 4),
                     F072_EP_ISOCHRONOUS | F072_EP_CTR_TX | F072_EP_DTOG_TX | 0x0030 | 1);
    assert_int_equal(in(f, 1), 6);
    assert_memory_equal(f->packet, "row 1!", 6);
    assert_false(f->data1);
    assert_int_equal(in(f, 1), 5); // once more, as it is
}

static void isochronous__answers_where_stat_is_valid_alone(void **state)
{
    struct fixture *f = *state;

    write_double_table(f);
    for (unsigned stat = 0; stat < 3; stat++) {
        unsigned old = read_register(f, 4) & (F072_EP_STAT_RX | F072_EP_STAT_TX);
        write_register(f, 4, (old ^ stat << 12) | F072_EP_ISOCHRONOUS | 1);
        assert_int_equal(out(f, 1, false, 1), SIM_NO_RESPONSE);
        old = read_register(f, 4) & (F072_EP_STAT_RX | F072_EP_STAT_TX);
        write_register(f, 4, (old ^ stat << 4) | F072_EP_ISOCHRONOUS | 1);
        assert_int_equal(in(f, 1), SIM_NO_RESPONSE);
    }
}

static void isochronous__comes_first_in_istr(void **state)
{
    struct fixture *f = *state;

    write_register(f, 4 * 2, F072_EP_BULK | 0x0030 | 2);
    write_register(f, 4 * 5, F072_EP_ISOCHRONOUS | 0x0030 | 5);
    assert_int_equal(in(f, 2), 0);
    assert_int_equal(in(f, 5), 0);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_CTR | 5);
}

static void isochronous__in_both_directions_is_warned_of(void **state)
{
    struct fixture *f = *state;

    write_register(f, 4, F072_EP_ISOCHRONOUS | 0x3000 | 1);
    assert_int_equal(f->report.warning_count, 0);
    write_register(f, 4, F072_EP_ISOCHRONOUS | 0x0030 | 1);
    assert_int_equal(f->report.warning_count, 1);
}

// ---- Suspend and resume (30.5.5) ----

static void suspend__comes_after_three_missing_frames(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    write_register(f, F072_USB_ISTR, 0);
    elapse(f, SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
    elapse(f, SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);
    elapse(f, SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);
    elapse(f, SIM_MS / 10);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF | F072_USB_SUSP);
}

static void suspend__frames_keep_it_away(void **state)
{
    struct fixture *f = *state;

    for (uint16_t frame = 0; frame < 20; frame++) {
        f072_usbfs_sof(&f->usb, frame, f->now_ns);
        elapse(f, SIM_MS);
    }
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_SOF);
}

static void suspend__an_event_is_announced_only_while_the_timer_runs(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    assert_in_range(f072_usbfs_next_event(&f->usb), f->now_ns + SIM_MS, f->now_ns + 2 * SIM_MS);

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    assert_true(f072_usbfs_next_event(&f->usb) == UINT64_MAX);
}

static void resume__wakes_a_suspended_peripheral_and_ends_low_power(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_LP_MODE);
    f072_usbfs_resume(&f->usb, f->now_ns);

    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_WKUP);
    assert_int_equal(read_register(f, F072_USB_CNTR), F072_CNTR_FSUSP);
    assert_true(read_register(f, F072_USB_FNR) & F072_FNR_RXDM);
}

// K lasts 20 ms; the check for suspend is off until the first SOF after it.
static void resume__is_not_taken_for_another_suspend(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    f072_usbfs_resume(&f->usb, f->now_ns);
    write_register(f, F072_USB_CNTR, 0);
    write_register(f, F072_USB_ISTR, 0);
    elapse(f, 20 * SIM_MS);
    assert_false(read_register(f, F072_USB_ISTR) & F072_USB_SUSP);

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    elapse(f, 4 * SIM_MS);
    assert_true(read_register(f, F072_USB_ISTR) & F072_USB_SUSP);
}

static void resume__without_fsusp_is_no_event(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_resume(&f->usb, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
}

static void resume__a_bus_reset_wakes_too(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_WKUP | F072_USB_RESET);
}

// RESUME alone drives K: drivers clear FSUSP before they set it (RM0091 30.5.5).
static void remote_wakeup__needs_no_fsusp(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    write_register(f, F072_USB_CNTR, 0);
    assert_false(f072_usbfs_waking(&f->usb));
    write_register(f, F072_USB_CNTR, F072_CNTR_RESUME);
    assert_true(f072_usbfs_waking(&f->usb));
}

static void remote_wakeup__is_driven_while_resume_is_set_and_timed_by_esof(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    elapse(f, 100 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
    assert_false(f072_usbfs_waking(&f->usb));

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_RESUME);
    assert_true(f072_usbfs_waking(&f->usb));
    elapse(f, 2 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    assert_false(f072_usbfs_waking(&f->usb));
}

static void remote_wakeup__lasts_1_to_15_ms_or_is_warned_of(void **state)
{
    static const struct {
        uint64_t lasts_us;
        unsigned warnings;
    } rows[] = {{999, 1}, {1000, 0}, {15000, 0}, {15001, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_control(state);
        struct fixture *f = *state;
        f->report.warning_count = 0;
        elapse(f, 10 * SIM_MS);
        write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_RESUME);
        elapse(f, rows[i].lasts_us * 1000);
        write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
        assert_int_equal(f->report.warning_count, rows[i].warnings);
    }
}

// ---- LPM (30.6.1, LPMCSR) ----

enum { LPM_BESL_5 = 5 << SIM_LPM_BESL_SHIFT };

static int lpm(struct fixture *f, unsigned attributes)
{
    return f072_usbfs_lpm(&f->usb, ADDRESS, (uint16_t)attributes);
}

static void lpm__answers_what_lpmcsr_says(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lpm(f, SIM_LPM_L1), SIM_NO_RESPONSE);
    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN);
    assert_int_equal(lpm(f, SIM_LPM_L1), SIM_NYET);
    assert_int_equal(lpm(f, 2), SIM_STALL); // another link state
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);

    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN | F072_LPMCSR_LPMACK);
    assert_int_equal(lpm(f, 2), SIM_STALL);
    assert_int_equal(lpm(f, SIM_LPM_L1 | SIM_LPM_bRemoteWake | LPM_BESL_5), SIM_ACK);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_L1REQ);
    assert_int_equal(read_register(f, F072_USB_LPMCSR), 0x005B); // BESL, REMWAKE, LPMACK, LPMEN
    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN);
    assert_int_equal(read_register(f, F072_USB_LPMCSR), 0x0059);
    write_register(f, F072_USB_ISTR, (uint16_t)~F072_USB_L1REQ);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
}

static void lpm__interrupts_by_l1reqm(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN | F072_LPMCSR_LPMACK);
    assert_int_equal(lpm(f, SIM_LPM_L1), SIM_ACK);
    assert_false(f072_usbfs_interrupt(&f->usb));
    write_register(f, F072_USB_CNTR, F072_USB_L1REQ);
    assert_true(f072_usbfs_interrupt(&f->usb));
}

static void lpm__l1resume_drives_resume_for_50_us_and_clears_itself(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_L1RESUME);
    assert_int_equal(f072_usbfs_next_event(&f->usb), f->now_ns + 50000);
    elapse(f, 49000);
    assert_true(f072_usbfs_waking(&f->usb));
    elapse(f, 1000);
    assert_false(f072_usbfs_waking(&f->usb));
    assert_int_equal(read_register(f, F072_USB_CNTR), F072_CNTR_FSUSP);
}

#define ATTACHED(name) cmocka_unit_test_setup(name, attach)
#define CONTROL(name) cmocka_unit_test_setup(name, open_control)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACHED(epnr__toggles_stat_and_dtog_where_a_one_is_written),
        ATTACHED(epnr__clears_ctr_by_zero_and_never_sets_it),
        ATTACHED(epnr__cannot_write_setup),
        ATTACHED(epnr__writes_type_kind_and_address_plainly),
        ATTACHED(istr__clears_flags_by_zero_and_keeps_them_by_one),
        CONTROL(istr__names_the_register_and_the_direction),
        CONTROL(istr__gives_the_lowest_register_first),
        CONTROL(interrupt__follows_flags_and_masks_as_a_level),
        CONTROL(interrupt__stays_until_every_ctr_is_cleared),
        CONTROL(reset_values__are_those_of_the_manual),
        CONTROL(fres__raises_reset_and_clears_endpoints),
        CONTROL(fres__leaves_the_address),
        CONTROL(fnr__shows_frame_lock_and_lines),
        CONTROL(btable__moves_the_table),
        CONTROL(btable__rows_beyond_the_packet_memory_wrap),
        CONTROL(buffers__ignore_the_bits_that_are_not_theirs),
        CONTROL(cntr__pdwn_takes_it_off_the_bus),
        CONTROL(cntr__fsusp_answers_no_packet),
        CONTROL(bcdr__pull_up_is_the_connect_signal),
        ATTACHED(bcdr__detects_contact_and_no_charger),
        ATTACHED(registers__keep_the_bits_that_software_may_write),
        ATTACHED(cntr__masks_each_event_by_itself),
        CONTROL(bus_reset__clears_endpoints_but_their_ctr),
        CONTROL(bus_reset__nothing_is_received_until_its_flag_is_cleared),
        CONTROL(unclocked__does_not_notice_the_bus),
        CONTROL(transaction__shows_in_epnr_when_its_handshake_is_over),
        CONTROL(transaction__is_over_before_the_next_event_on_the_bus),
        CONTROL(setup__sets_nak_both_ways_and_data1_both_ways),
        CONTROL(setup__is_taken_over_stall),
        CONTROL(setup__gets_no_handshake_while_ctr_rx_is_set),
        CONTROL(setup__only_control_endpoints_take_it),
        CONTROL(setup__another_address_is_not_answered),
        CONTROL(out__goes_to_nak_toggles_and_clears_setup),
        CONTROL(out__setup_bit_is_frozen_while_ctr_rx_is_set),
        CONTROL(out__a_repeated_packet_is_acknowledged_and_dropped),
        CONTROL(out__a_repeated_packet_is_acknowledged_without_room_for_it),
        CONTROL(out__status_out_stalls_data_and_takes_none),
        CONTROL(out__overrun_is_stalled_without_event),
        CONTROL(out__bytes_beyond_the_packet_stay_as_they_were),
        CONTROL(out__answers_what_stat_rx_says),
        CONTROL(in__sends_toggles_and_goes_to_nak),
        CONTROL(in__answers_what_stat_tx_says),
        CONTROL(in__two_registers_can_share_an_address_one_for_each_direction),
        CONTROL(buffers__beyond_the_packet_memory_are_reported),
        CONTROL(double_out__alternates_rows_while_the_driver_frees_them),
        CONTROL(double_out__takes_two_packets_before_the_driver_frees_a_row),
        CONTROL(double_out__drops_a_repeated_packet),
        CONTROL(double_out__answers_what_software_writes_to_stat),
        CONTROL(double_in__sends_two_packets_then_waits_for_the_driver),
        CONTROL(double_in__begins_anew_when_dbl_buf_is_set_again),
        CONTROL(double_buffers__come_first_in_istr),
        CONTROL(double_buffers__in_both_directions_are_warned_of),
        CONTROL(isochronous_out__fills_the_rows_in_turn_without_a_handshake),
        CONTROL(isochronous_out__cuts_what_is_too_long_and_tells_of_it),
        CONTROL(isochronous_in__sends_the_rows_in_turn_as_data0),
        CONTROL(isochronous__answers_where_stat_is_valid_alone),
        CONTROL(isochronous__comes_first_in_istr),
        CONTROL(isochronous__in_both_directions_is_warned_of),
        CONTROL(suspend__comes_after_three_missing_frames),
        CONTROL(suspend__frames_keep_it_away),
        CONTROL(suspend__an_event_is_announced_only_while_the_timer_runs),
        CONTROL(resume__wakes_a_suspended_peripheral_and_ends_low_power),
        CONTROL(resume__is_not_taken_for_another_suspend),
        CONTROL(resume__without_fsusp_is_no_event),
        CONTROL(resume__a_bus_reset_wakes_too),
        CONTROL(remote_wakeup__needs_no_fsusp),
        CONTROL(remote_wakeup__is_driven_while_resume_is_set_and_timed_by_esof),
        CONTROL(remote_wakeup__lasts_1_to_15_ms_or_is_warned_of),
        CONTROL(lpm__answers_what_lpmcsr_says),
        CONTROL(lpm__interrupts_by_l1reqm),
        CONTROL(lpm__l1resume_drives_resume_for_50_us_and_clears_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
