// SPDX-License-Identifier: MIT
//
// Packets of every kind of endpoint: RM0091 30.5.2 to 30.5.4, rule by rule.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usbfs_bench.h"

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

static void setup__without_room_for_it_is_lost_and_warned_of(void **state)
{
    struct fixture *f = *state;

    write_table(f, 0, TX_BUFFER, RX_BUFFER, 0); // NUM_BLOCK 0, as for an empty packet
    assert_int_equal(setup(f), SIM_NO_RESPONSE);
    assert_int_equal(f->report.warning_count, 1);
    write_table(f, 0, TX_BUFFER, RX_BUFFER, CONTROL_64);
    assert_int_equal(setup(f), SIM_ACK);
    assert_int_equal(f->report.warning_count, 1);
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

static void in__clears_the_setup_bit_unless_ctr_rx_is_set(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | F072_EP_CTR_RX | 0x10); // NAK -> VALID
    assert_int_equal(in(f, 0), SIM_ACK);
    assert_true(read_register(f, F072_USB_EP0R) & F072_EP_SETUP);

    write_register(f, F072_USB_EP0R, F072_EP_CONTROL); // clear CTR_RX and CTR_TX
    assert_int_equal(setup(f), SIM_ACK);
    write_register(f, F072_USB_EP0R, F072_EP_CONTROL | 0x10);
    assert_int_equal(in(f, 0), SIM_ACK);
    assert_false(read_register(f, F072_USB_EP0R) & F072_EP_SETUP);
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

// A packet to send in each.
static void write_two_packets(struct fixture *f)
{
    write_double_table(f);
    memcpy(f->usb.pma + BUFFER_0, "row 0", 5);
    memcpy(f->usb.pma + BUFFER_1, "row 1!", 6);
    usbdev_store_le16(f->usb.pma + 8 + 2, 5);
    usbdev_store_le16(f->usb.pma + 8 + 6, 6);
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

    write_two_packets(f);
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

    write_two_packets(f);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL(setup__sets_nak_both_ways_and_data1_both_ways),
        CONTROL(setup__is_taken_over_stall),
        CONTROL(setup__gets_no_handshake_while_ctr_rx_is_set),
        CONTROL(setup__only_control_endpoints_take_it),
        CONTROL(setup__without_room_for_it_is_lost_and_warned_of),
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
        CONTROL(in__clears_the_setup_bit_unless_ctr_rx_is_set),
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
