// SPDX-License-Identifier: MIT
//
// Transactions on the USB peripheral's endpoints (RM0091 30.5.2 to 30.5.4).
//
// For each token the hardware looks for the endpoint register with this endpoint address whose
// side is not DISABLED, moves the packet from or to the buffer that the table in packet memory
// describes, sets CTR and goes to NAK until software has dealt with it. The table has two rows of
// ADDR and COUNT for each register: for transmission, then for reception.
//
// A double-buffered bulk endpoint (RM0091 30.5.3) uses both rows for its one direction. Its DTOG is
// the data toggle and says which row is the peripheral's: DTOG 0 the first, DTOG 1 the second. The
// DTOG bit of the other direction is SW_BUF, which software toggles to say that it has done with
// the other row. STAT stays VALID; where DTOG and SW_BUF are the same there is no free row, and the
// answer is NAK. That comparison is not made before the end of the first transaction after DBL_BUF
// was set, so that a driver may begin with both bits alike and two free rows.
//
// An isochronous endpoint (RM0091 30.5.4) has its two rows by the same DTOG, but no SW_BUF, no
// handshake and no flow control: in each frame the row that DTOG says is filled or sent, as DATA0,
// whether software has dealt with it or not. STAT is VALID or DISABLED.

#include "usbfs_private.h"

enum stat {
    STAT_DISABLED,
    STAT_STALL,
    STAT_NAK,
    STAT_VALID,
};

enum { ROW_TX = 0, ROW_RX = 1 };
enum { ADDR = 0, COUNT = 2, ROW_SIZE = 4 };
enum { COUNT_MASK = 0x03FF, NUM_BLOCK_SHIFT = 10, NUM_BLOCK_MASK = 0x1F, BL_SIZE = 0x8000 };

static enum stat stat_rx(uint16_t ep)
{
    return (enum stat)((ep & F072_EP_STAT_RX) >> 12);
}

static enum stat stat_tx(uint16_t ep)
{
    return (enum stat)((ep & F072_EP_STAT_TX) >> 4);
}

static uint16_t with_field(uint16_t value, uint16_t field, unsigned bits)
{
    return (uint16_t)((value & (uint16_t)~field) | bits);
}

// Of F072_EP_STAT_RX, F072_EP_STAT_TX, or both.
static void set_nak(uint16_t *ep, uint16_t stat_fields)
{
    const unsigned nak = (unsigned)STAT_NAK << 12 | (unsigned)STAT_NAK << 4;
    *ep = with_field(*ep, stat_fields, nak & stat_fields);
}

// ---- Packet memory ----

// The row that the peripheral fills next.
static unsigned receiving_row(uint16_t ep)
{
    if (f072_usbfs_has_two_rows(ep))
        return (ep & F072_EP_DTOG_RX) != 0;
    return ROW_RX;
}

// The row that it sends next.
static unsigned sending_row(uint16_t ep)
{
    if (f072_usbfs_has_two_rows(ep))
        return (ep & F072_EP_DTOG_TX) != 0;
    return ROW_TX;
}

static uint8_t *table_entry(struct f072_usbfs *usb, unsigned n, unsigned row, unsigned field)
{
    return usb->pma + (usb->btable + 2 * ROW_SIZE * n + ROW_SIZE * row + field) % F072_PMA_SIZE;
}

static bool buffer_fits(struct f072_usbfs *usb, unsigned n, unsigned address, size_t length)
{
    if (address + length <= F072_PMA_SIZE)
        return true;
    f072_trouble(usb->report,
                 "the buffer of USB_EP%uR, %u bytes at %03Xh, lies beyond the packet memory", n,
                 (unsigned)length, address);
    return false;
}

// RM0091 30.6.2, COUNTn_RX: blocks of 2 bytes, or of 32 and one more than the number says.
static unsigned buffer_size(uint16_t count_rx)
{
    unsigned blocks = count_rx >> NUM_BLOCK_SHIFT & NUM_BLOCK_MASK;

    return count_rx & BL_SIZE ? 32 * (blocks + 1) : 2 * blocks;
}

static size_t room(struct f072_usbfs *usb, unsigned n)
{
    return buffer_size(usbdev_load_le16(table_entry(usb, n, receiving_row(usb->ep[n]), COUNT)));
}

static bool store_packet(struct f072_usbfs *usb, unsigned n, const uint8_t *data, size_t length)
{
    unsigned row = receiving_row(usb->ep[n]);
    unsigned address = usbdev_load_le16(table_entry(usb, n, row, ADDR)) & ~1u;
    uint16_t count = usbdev_load_le16(table_entry(usb, n, row, COUNT));

    if (length > room(usb, n) || !buffer_fits(usb, n, address, length))
        return false;
    for (size_t i = 0; i < length; i++)
        usb->pma[address + i] = data[i];
    usbdev_store_le16(table_entry(usb, n, row, COUNT),
                      with_field(count, COUNT_MASK, (unsigned)length));
    return true;
}

// ---- Who is meant ----

static bool listening(const struct f072_usbfs *usb, uint8_t address)
{
    return f072_usbfs_powered(usb) && f072_usbfs_connected(usb) && usb->line == F072_LINE_J &&
           !(usb->istr & F072_USB_RESET) && !(usb->cntr & F072_CNTR_FSUSP) &&
           usb->daddr == (F072_DADDR_EF | address);
}

// The register that serves an endpoint address in one direction, or -1.
static int find(const struct f072_usbfs *usb, uint8_t address, uint8_t endpoint, uint16_t stat)
{
    if (!listening(usb, address))
        return -1;
    for (int n = 0; n < F072_USB_ENDPOINTS; n++)
        if ((usb->ep[n] & F072_EP_EA) == endpoint && (usb->ep[n] & stat))
            return n;
    return -1;
}

// ---- Time on the bus ----

// From the token to the end of the handshake (USB 2.0 5.8.4): a bit takes 1/12 us.
static void begin_transaction(struct f072_usbfs *usb,
                              enum f072_usb_transaction kind,
                              unsigned n,
                              size_t length,
                              uint64_t now_ns)
{
    enum { OVERHEAD_BYTES = 13, BYTE_NS = 667 };

    usb->transaction.kind = kind;
    usb->transaction.n = (uint8_t)n;
    usb->transaction.end_ns = now_ns + (OVERHEAD_BYTES + length) * BYTE_NS;
}

// ---- Double buffers ----

static bool has_no_free_row(const struct f072_usbfs *usb, unsigned n)
{
    uint16_t ep = usb->ep[n];

    return f072_usbfs_is_double_buffered(ep) && (usb->double_started >> n & 1) &&
           ((ep & F072_EP_DTOG_RX) != 0) == ((ep & F072_EP_DTOG_TX) != 0);
}

// A completed transaction sets STAT to NAK, except where two buffers do the flow control or there
// is none.
static void go_to_nak(struct f072_usbfs *usb, unsigned n, uint16_t stat_field)
{
    if (f072_usbfs_is_double_buffered(usb->ep[n]))
        usb->double_started |= (uint8_t)(1u << n);
    else if (!f072_usbfs_is_isochronous(usb->ep[n]))
        set_nak(&usb->ep[n], stat_field);
}

// ---- Transactions ----

// A driver that makes the buffer as small as the empty packet of a status stage loses the SETUP of
// a host that does not begin that stage.
static void tell_lost_setup(struct f072_usbfs *usb, unsigned n)
{
    enum { COUNT_RX_BLOCKS = 0x40006006 }; // for warnings: COUNTn_RX in the packet memory

    f072_warn_once(usb->report, COUNT_RX_BLOCKS + 8 * n,
                   "a SETUP of 8 bytes does not fit into the buffer of USB_EP%uR, whose COUNT%u_RX "
                   "has room for %zu (RM0091 30.6.2): no answer",
                   n, n, room(usb, n));
}

// A SETUP is taken over NAK and STALL, but not while the last reception is still to be read: then
// there is no handshake at all, and the host tries again (RM0091 30.5.2, control transfers).
int f072_usbfs_setup(struct f072_usbfs *usb,
                     uint8_t address,
                     uint8_t endpoint,
                     const uint8_t setup[USBDEV_SETUP_SIZE],
                     uint64_t now_ns)
{
    f072_usbfs_end_transaction(usb);
    int n = find(usb, address, endpoint, F072_EP_STAT_RX);

    if (n < 0)
        return SIM_NO_RESPONSE;
    uint16_t ep = usb->ep[n];
    if ((ep & F072_EP_TYPE) != F072_EP_CONTROL || (ep & F072_EP_CTR_RX))
        return SIM_NO_RESPONSE;
    if (!store_packet(usb, (unsigned)n, setup, USBDEV_SETUP_SIZE)) {
        tell_lost_setup(usb, (unsigned)n);
        return SIM_NO_RESPONSE;
    }
    begin_transaction(usb, F072_TRANSACTION_SETUP, (unsigned)n, USBDEV_SETUP_SIZE, now_ns);
    return SIM_ACK;
}

static void end_setup(uint16_t *ep)
{
    *ep |= F072_EP_CTR_RX | F072_EP_SETUP | F072_EP_DTOG_RX | F072_EP_DTOG_TX;
    set_nak(ep, F072_EP_STAT_RX | F072_EP_STAT_TX);
}

// With STATUS_OUT only a zero-length packet is expected (RM0091 30.6.1, EP_KIND).
static bool status_only(uint16_t ep)
{
    return (ep & (F072_EP_TYPE | F072_EP_KIND)) == (F072_EP_CONTROL | F072_EP_KIND);
}

static int
receive(struct f072_usbfs *usb, unsigned n, const uint8_t *data, size_t length, uint64_t now_ns)
{
    if (status_only(usb->ep[n]) && length > 0)
        return SIM_STALL;
    if (!store_packet(usb, n, data, length)) // an overrun is answered by STALL, without event
        return SIM_STALL;
    begin_transaction(usb, F072_TRANSACTION_OUT, n, length, now_ns);
    return SIM_ACK;
}

// EPnR.SETUP says whether the last transaction that completed was a SETUP, and is frozen while
// CTR_RX is set (RM0091 30.6.2).
static void clear_setup(uint16_t *ep)
{
    if (!(*ep & F072_EP_CTR_RX))
        *ep &= (uint16_t)~F072_EP_SETUP;
}

static void end_out(struct f072_usbfs *usb, unsigned n)
{
    uint16_t *ep = &usb->ep[n];

    clear_setup(ep);
    *ep |= F072_EP_CTR_RX;
    *ep ^= F072_EP_DTOG_RX;
    go_to_nak(usb, n, F072_EP_STAT_RX);
}

// What does not fit is lost; the driver hears of the packet all the same (RM0091 30.5.4).
static int receive_isochronous(
    struct f072_usbfs *usb, unsigned n, const uint8_t *data, size_t length, uint64_t now_ns)
{
    size_t kept = length < room(usb, n) ? length : room(usb, n);

    if (stat_rx(usb->ep[n]) != STAT_VALID || !store_packet(usb, n, data, kept))
        return SIM_NO_RESPONSE;
    begin_transaction(usb, F072_TRANSACTION_OUT, n, length, now_ns);
    return SIM_NO_HANDSHAKE;
}

// A packet that the toggle shows to be a repetition is acknowledged and dropped, also where there
// is no room for a new one (USB 2.0 table 8-6 and 8.6.4).
static int answer_out(struct f072_usbfs *usb,
                      unsigned n,
                      bool data1,
                      const uint8_t *data,
                      size_t length,
                      uint64_t now_ns)
{
    uint16_t ep = usb->ep[n];

    if (f072_usbfs_is_isochronous(ep))
        return receive_isochronous(usb, n, data, length, now_ns);
    if (stat_rx(ep) == STAT_STALL)
        return SIM_STALL;
    if (data1 != ((ep & F072_EP_DTOG_RX) != 0))
        return SIM_ACK;
    if (stat_rx(ep) == STAT_NAK || has_no_free_row(usb, n))
        return SIM_NAK;
    return receive(usb, n, data, length, now_ns);
}

int f072_usbfs_out(struct f072_usbfs *usb,
                   uint8_t address,
                   uint8_t endpoint,
                   bool data1,
                   const uint8_t *data,
                   size_t length,
                   uint64_t now_ns)
{
    f072_usbfs_end_transaction(usb);
    int n = find(usb, address, endpoint, F072_EP_STAT_RX);

    return n < 0 ? SIM_NO_RESPONSE : answer_out(usb, (unsigned)n, data1, data, length, now_ns);
}

static int send(struct f072_usbfs *usb,
                unsigned n,
                bool *ret_data1,
                uint8_t data[SIM_MAX_PACKET],
                uint64_t now_ns)
{
    unsigned row = sending_row(usb->ep[n]);
    unsigned from = usbdev_load_le16(table_entry(usb, n, row, ADDR)) & ~1u;
    unsigned length = usbdev_load_le16(table_entry(usb, n, row, COUNT)) & COUNT_MASK;

    if (!buffer_fits(usb, n, from, length))
        return SIM_NO_RESPONSE;
    for (unsigned i = 0; i < length; i++)
        data[i] = usb->pma[from + i];
    *ret_data1 = !f072_usbfs_is_isochronous(usb->ep[n]) && (usb->ep[n] & F072_EP_DTOG_TX);
    begin_transaction(usb, F072_TRANSACTION_IN, n, length, now_ns);
    return SIM_ACK + (int)length;
}

static void end_in(struct f072_usbfs *usb, unsigned n)
{
    clear_setup(&usb->ep[n]);
    usb->ep[n] ^= F072_EP_DTOG_TX;
    usb->ep[n] |= F072_EP_CTR_TX;
    go_to_nak(usb, n, F072_EP_STAT_TX);
}

static int answer_in(struct f072_usbfs *usb,
                     unsigned n,
                     bool *ret_data1,
                     uint8_t data[SIM_MAX_PACKET],
                     uint64_t now_ns)
{
    uint16_t ep = usb->ep[n];

    if (f072_usbfs_is_isochronous(ep) && stat_tx(ep) != STAT_VALID)
        return SIM_NO_RESPONSE;
    if (stat_tx(ep) == STAT_STALL)
        return SIM_STALL;
    if (stat_tx(ep) == STAT_NAK || has_no_free_row(usb, n))
        return SIM_NAK;
    return send(usb, n, ret_data1, data, now_ns);
}

int f072_usbfs_in(struct f072_usbfs *usb,
                  uint8_t address,
                  uint8_t endpoint,
                  bool *ret_data1,
                  uint8_t data[SIM_MAX_PACKET],
                  uint64_t now_ns)
{
    f072_usbfs_end_transaction(usb);
    int n = find(usb, address, endpoint, F072_EP_STAT_TX);

    return n < 0 ? SIM_NO_RESPONSE : answer_in(usb, (unsigned)n, ret_data1, data, now_ns);
}

// ---- LPM (RM0091 30.6.1, LPMCSR) ----

// The bus goes to L1: no SOF comes any more. What the device does about it is left to software.
int f072_usbfs_lpm(struct f072_usbfs *usb, uint8_t address, uint16_t bmAttributes)
{
    f072_usbfs_end_transaction(usb);
    if (!listening(usb, address) || !(usb->lpmcsr & F072_LPMCSR_LPMEN))
        return SIM_NO_RESPONSE;
    if ((bmAttributes & SIM_LPM_bLinkState) != SIM_LPM_L1)
        return SIM_STALL;
    if (!(usb->lpmcsr & F072_LPMCSR_LPMACK))
        return SIM_NYET;

    unsigned besl = bmAttributes >> SIM_LPM_BESL_SHIFT & 0xF;
    unsigned wakes = bmAttributes & SIM_LPM_bRemoteWake ? F072_LPMCSR_REMWAKE : 0;
    usb->lpmcsr = (uint16_t)((usb->lpmcsr & (F072_LPMCSR_LPMEN | F072_LPMCSR_LPMACK)) | wakes |
                             besl << F072_LPMCSR_BESL_SHIFT);
    usb->istr |= F072_USB_L1REQ;
    return SIM_ACK;
}

// ---- The end of a transaction ----

void f072_usbfs_end_transaction(struct f072_usbfs *usb)
{
    unsigned n = usb->transaction.n;
    enum f072_usb_transaction kind = usb->transaction.kind;

    usb->transaction.kind = F072_TRANSACTION_NONE;
    switch (kind) {
    case F072_TRANSACTION_NONE:
        break;
    case F072_TRANSACTION_SETUP:
        end_setup(&usb->ep[n]);
        break;
    case F072_TRANSACTION_OUT:
        end_out(usb, n);
        break;
    case F072_TRANSACTION_IN:
        end_in(usb, n);
        break;
    }
}
