// SPDX-License-Identifier: MIT
//
// The registers of the USB peripheral: what RM0091 30.6 says of each bit, and when the bus
// changes them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usbfs_bench.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
