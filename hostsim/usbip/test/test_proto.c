// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usb/bytes.h>
#include <usbip/proto.h>

// GET_DESCRIPTOR(DEVICE), 18 bytes, as Linux sends it.
static const uint8_t submit_in[USBIP_HEADER_SIZE] = {
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x12, 0x34, 0x00, 0x01, 0x00, 0x02, // SUBMIT, seqnum, devid
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,                         // IN, endpoint 0
    0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x12, 0x00, 0x00, 0x00, 0x00, // flags, 18 bytes
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05,                         // packets, interval
    0x80, 0x06, 0x00, 0x01, 0x00, 0x00, 0x12, 0x00,
};

static const struct usbip_command submit_in_command = {
    .code = USBIP_CMD_SUBMIT,
    .seqnum = 0x1234,
    .devid = 0x10002,
    .in = true,
    .flags = USBIP_DIR_IN,
    .length = 18,
    .interval = 5,
    .setup = {0x80, 0x06, 0x00, 0x01, 0x00, 0x00, 0x12, 0x00},
};

static const uint8_t unlink_bytes[USBIP_HEADER_SIZE] = {
    [3] = 2, [7] = 9, [9] = 1, [11] = 2, [0x17] = 8,
};

static const uint8_t import_bytes[USBIP_IMPORT_SIZE] = {
    0x01, 0x11, 0x80, 0x03, 0x00, 0x00, 0x00, 0x00, '1', '-', '1',
};

static void assert_same_command(const struct usbip_command *a, const struct usbip_command *b)
{
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->seqnum, b->seqnum);
    assert_int_equal(a->devid, b->devid);
    assert_int_equal(a->in, b->in);
    assert_int_equal(a->endpoint, b->endpoint);
    assert_int_equal(a->unlinked, b->unlinked);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->iso_packets, b->iso_packets);
    assert_int_equal(a->interval, b->interval);
    assert_memory_equal(a->setup, b->setup, USBDEV_SETUP_SIZE);
}

// The submission above with one field of its header replaced.
static int decode_with(size_t offset, uint32_t value, struct usbip_command *ret_command)
{
    uint8_t bytes[USBIP_HEADER_SIZE];

    memcpy(bytes, submit_in, sizeof bytes);
    store_be32(bytes + offset, value);
    return usbip_command_decode(ret_command, bytes, sizeof bytes);
}

static void submit__decodes_the_bytes_linux_sends(void **state)
{
    (void)state;
    struct usbip_command command;

    int used = usbip_command_decode(&command, submit_in, sizeof submit_in);

    assert_int_equal(used, USBIP_HEADER_SIZE);
    assert_same_command(&command, &submit_in_command);
}

static void submit__encodes_the_bytes_linux_sends(void **state)
{
    (void)state;
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_command_encode(bytes, &submit_in_command);

    assert_memory_equal(bytes, submit_in, sizeof bytes);
}

static void unlink__names_the_submission_it_takes_back(void **state)
{
    (void)state;
    const struct usbip_command expected = {
        .code = USBIP_CMD_UNLINK, .seqnum = 9, .devid = 0x10002, .unlinked = 8};
    struct usbip_command command;
    uint8_t bytes[USBIP_HEADER_SIZE];

    int used = usbip_command_decode(&command, unlink_bytes, sizeof unlink_bytes);
    usbip_command_encode(bytes, &expected);

    assert_int_equal(used, USBIP_HEADER_SIZE);
    assert_same_command(&command, &expected);
    assert_memory_equal(bytes, unlink_bytes, sizeof bytes);
}

static void command__needs_every_byte_of_its_header(void **state)
{
    (void)state;
    struct usbip_command command = {.seqnum = 77};

    for (size_t length = 0; length < USBIP_HEADER_SIZE; length++)
        assert_int_equal(usbip_command_decode(&command, submit_in, length), 0);

    assert_int_equal(command.seqnum, 77);
}

static void command__refuses_fields_out_of_range(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint32_t value;
        int expected;
    } cases[] = {
        {0x00, 0, USBIP_ERR_CODE},
        {0x00, USBIP_RET_SUBMIT, USBIP_ERR_CODE},
        {0x00, USBIP_RET_UNLINK, USBIP_ERR_CODE},
        {0x00, 5, USBIP_ERR_CODE},
        {0x00, 0x01000000, USBIP_ERR_CODE},
        {0x00, UINT32_MAX, USBIP_ERR_CODE},
        {0x0C, 2, USBIP_ERR_DIRECTION},
        {0x0C, UINT32_MAX, USBIP_ERR_DIRECTION},
        {0x10, 16, USBIP_ERR_ENDPOINT},
        {0x10, 0x81, USBIP_ERR_ENDPOINT},
        {0x10, UINT32_MAX, USBIP_ERR_ENDPOINT},
        {0x18, USBIP_MAX_LENGTH + 1, USBIP_ERR_LENGTH},
        {0x18, 0x7FFFFFFF, USBIP_ERR_LENGTH},
        {0x18, 0x80000000, USBIP_ERR_LENGTH},
        {0x18, UINT32_MAX, USBIP_ERR_LENGTH},
        {0x20, USBIP_MAX_ISO_PACKETS + 1, USBIP_ERR_PACKETS},
        {0x20, 0xFFFFFFFE, USBIP_ERR_PACKETS},
        {0x20, 0x80000000, USBIP_ERR_PACKETS},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct usbip_command command = {.seqnum = 77};

        assert_int_equal(decode_with(cases[i].offset, cases[i].value, &command), cases[i].expected);

        assert_int_equal(command.seqnum, 77);
    }
}

static void command__accepts_fields_at_their_limit(void **state)
{
    (void)state;
    struct usbip_command command;

    assert_int_equal(decode_with(0x18, USBIP_MAX_LENGTH, &command), USBIP_HEADER_SIZE);
    assert_int_equal(command.length, USBIP_MAX_LENGTH);

    assert_int_equal(decode_with(0x10, 15, &command), USBIP_HEADER_SIZE);
    assert_int_equal(command.endpoint, 15);

    assert_int_equal(decode_with(0x20, USBIP_MAX_ISO_PACKETS, &command), USBIP_HEADER_SIZE);
    assert_int_equal(command.iso_packets, USBIP_MAX_ISO_PACKETS);
}

static void command__takes_both_spellings_of_not_isochronous(void **state)
{
    (void)state;
    struct usbip_command linux_form;
    struct usbip_command documented_form;

    assert_int_equal(decode_with(0x20, 0, &linux_form), USBIP_HEADER_SIZE);
    assert_int_equal(decode_with(0x20, 0xFFFFFFFF, &documented_form), USBIP_HEADER_SIZE);

    assert_int_equal(linux_form.iso_packets, 0);
    assert_int_equal(documented_form.iso_packets, 0);
}

static void payload__is_out_data_and_isochronous_descriptors(void **state)
{
    (void)state;
    struct usbip_command command = {.code = USBIP_CMD_SUBMIT, .length = 100};

    assert_int_equal(usbip_command_payload(&command), 100);
    command.iso_packets = 3;
    assert_int_equal(usbip_command_payload(&command), 100 + 3 * 16);
    command.in = true;
    assert_int_equal(usbip_command_payload(&command), 3 * 16);
    command.code = USBIP_CMD_UNLINK;
    assert_int_equal(usbip_command_payload(&command), 0);
}

static void reply__has_status_and_length_where_linux_looks(void **state)
{
    (void)state;
    static const uint8_t golden[USBIP_HEADER_SIZE] = {
        [3] = 3,       [6] = 0x12,    [7] = 0x34,    [0x14] = 0xFF,
        [0x15] = 0xFF, [0x16] = 0xFF, [0x17] = 0xE0, [0x1B] = 18,
    };
    const struct usbip_reply stall = {
        .code = USBIP_RET_SUBMIT, .seqnum = 0x1234, .status = -32, .actual_length = 18};
    uint8_t bytes[USBIP_HEADER_SIZE];
    struct usbip_reply reply;

    usbip_reply_encode(bytes, &stall);
    int used = usbip_reply_decode(&reply, golden, sizeof golden);

    assert_memory_equal(bytes, golden, sizeof golden);
    assert_int_equal(used, USBIP_HEADER_SIZE);
    assert_int_equal(reply.code, USBIP_RET_SUBMIT);
    assert_int_equal(reply.seqnum, 0x1234);
    assert_int_equal(reply.status, -32);
    assert_int_equal(reply.actual_length, 18);
}

static void unlink_reply__carries_econnreset(void **state)
{
    (void)state;
    static const uint8_t golden[USBIP_HEADER_SIZE] = {
        [3] = 4, [7] = 9, [0x14] = 0xFF, [0x15] = 0xFF, [0x16] = 0xFF, [0x17] = 0x98,
    };
    const struct usbip_reply cancelled = {
        .code = USBIP_RET_UNLINK, .seqnum = 9, .status = USBIP_STATUS_ECONNRESET};
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_reply_encode(bytes, &cancelled);

    assert_memory_equal(bytes, golden, sizeof golden);
}

static void reply__refuses_fields_out_of_range(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint32_t value;
        int expected;
    } cases[] = {
        {0x00, USBIP_CMD_SUBMIT, USBIP_ERR_CODE}, {0x00, 0, USBIP_ERR_CODE},
        {0x00, UINT32_MAX, USBIP_ERR_CODE},       {0x18, USBIP_MAX_LENGTH + 1, USBIP_ERR_LENGTH},
        {0x18, UINT32_MAX, USBIP_ERR_LENGTH},     {0x20, 1, USBIP_ERR_PACKETS},
        {0x20, UINT32_MAX, USBIP_HEADER_SIZE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[USBIP_HEADER_SIZE] = {[3] = USBIP_RET_SUBMIT};
        struct usbip_reply reply;

        store_be32(bytes + cases[i].offset, cases[i].value);

        assert_int_equal(usbip_reply_decode(&reply, bytes, sizeof bytes), cases[i].expected);
    }
}

static void reply__needs_every_byte_of_its_header(void **state)
{
    (void)state;
    const uint8_t bytes[USBIP_HEADER_SIZE] = {[3] = USBIP_RET_SUBMIT};
    struct usbip_reply reply;

    for (size_t length = 0; length < sizeof bytes; length++)
        assert_int_equal(usbip_reply_decode(&reply, bytes, length), 0);
}

static void request__import_carries_the_bus_id(void **state)
{
    (void)state;
    struct usbip_request request;
    uint8_t bytes[USBIP_IMPORT_SIZE];

    int used = usbip_request_decode(&request, import_bytes, sizeof import_bytes);
    size_t size = usbip_request_encode(bytes, &request);

    assert_int_equal(used, USBIP_IMPORT_SIZE);
    assert_int_equal(request.op, USBIP_REQ_IMPORT);
    assert_string_equal(request.bus_id, "1-1");
    assert_int_equal(size, USBIP_IMPORT_SIZE);
    assert_memory_equal(bytes, import_bytes, sizeof bytes);
}

static void request__import_needs_every_byte(void **state)
{
    (void)state;
    struct usbip_request request;

    for (size_t length = 0; length < USBIP_IMPORT_SIZE; length++)
        assert_int_equal(usbip_request_decode(&request, import_bytes, length), 0);
}

static void request__devlist_is_eight_bytes(void **state)
{
    (void)state;
    static const uint8_t golden[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    struct usbip_request request = {0};
    uint8_t bytes[USBIP_IMPORT_SIZE];

    int used = usbip_request_decode(&request, golden, sizeof golden);

    assert_int_equal(used, sizeof golden);
    assert_int_equal(request.op, USBIP_REQ_DEVLIST);
    assert_int_equal(usbip_request_encode(bytes, &request), sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void request__refuses_what_is_not_one(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[USBIP_OP_SIZE];
        size_t length;
        int expected;
    } cases[] = {
        {{0x01, 0x10}, 2, USBIP_ERR_VERSION},
        {{'G', 'E', 'T', ' ', '/'}, 5, USBIP_ERR_VERSION},
        {{0x01, 0x11, 0x80, 0x04}, 8, USBIP_ERR_CODE},
        {{0x01, 0x11, 0x00, 0x03}, 8, USBIP_ERR_CODE},
        {{0x01, 0x11, 0x80, 0x05, 0, 0, 0, 1}, 8, USBIP_ERR_STATUS},
    };
    struct usbip_request request;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(usbip_request_decode(&request, cases[i].bytes, cases[i].length),
                         cases[i].expected);
}

static void request__refuses_a_bus_id_that_does_not_end(void **state)
{
    (void)state;
    uint8_t bytes[USBIP_IMPORT_SIZE];
    struct usbip_request request;

    memcpy(bytes, import_bytes, USBIP_OP_SIZE);
    memset(bytes + USBIP_OP_SIZE, '1', USBIP_BUS_ID_SIZE);

    assert_int_equal(usbip_request_decode(&request, bytes, sizeof bytes), USBIP_ERR_TEXT);
}

static void op_reply__must_answer_what_was_asked(void **state)
{
    (void)state;
    static const uint8_t busy[] = {0x01, 0x11, 0x00, 0x03, 0, 0, 0, 2};
    uint8_t bytes[USBIP_OP_SIZE];
    uint32_t status = 99;

    for (size_t length = 0; length < sizeof busy; length++)
        assert_int_equal(usbip_op_decode(USBIP_REP_IMPORT, &status, busy, length), 0);
    assert_int_equal(usbip_op_decode(USBIP_REP_DEVLIST, &status, busy, 8), USBIP_ERR_CODE);
    assert_int_equal(status, 99);
    assert_int_equal(usbip_op_decode(USBIP_REP_IMPORT, &status, busy, 8), 8);
    usbip_op_encode(bytes, USBIP_REP_IMPORT, USBIP_OP_BUSY);

    assert_int_equal(status, USBIP_OP_BUSY);
    assert_memory_equal(bytes, busy, sizeof busy);
}

static void count__is_bounded(void **state)
{
    (void)state;
    static const uint8_t two[] = {0, 0, 0, 2};
    static const uint8_t many[] = {0x7F, 0xFF, 0xFF, 0xFF};
    uint32_t count = 0;

    assert_int_equal(usbip_count_decode(&count, two, 3), 0);
    assert_int_equal(usbip_count_decode(&count, many, 4), USBIP_ERR_COUNT);
    assert_int_equal(usbip_count_decode(&count, two, 4), 4);

    assert_int_equal(count, 2);
}

static const struct usbip_record runtime_record = {
    .path = "/sys/devices/dfu-sim/1-1",
    .bus_id = "1-1",
    .busnum = 1,
    .devnum = 2,
    .speed = USBIP_SPEED_FULL,
    .idVendor = 0x1209,
    .idProduct = 0x0001,
    .bcdDevice = 0x0203,
    .bDeviceClass = 0xEF,
    .bDeviceSubClass = 0x02,
    .bDeviceProtocol = 0x01,
    .bConfigurationValue = 1,
    .bNumConfigurations = 2,
    .bNumInterfaces = 3,
};

static void record__puts_each_field_in_its_place(void **state)
{
    (void)state;
    static const uint8_t numbers[] = {0,    0,    0,    1,    0,    0,    0,    2,
                                      0,    0,    0,    2,    0x12, 0x09, 0x00, 0x01,
                                      0x02, 0x03, 0xEF, 0x02, 0x01, 1,    2,    3};
    uint8_t bytes[USBIP_RECORD_SIZE];

    usbip_record_encode(bytes, &runtime_record);

    assert_string_equal((const char *)bytes, "/sys/devices/dfu-sim/1-1");
    assert_string_equal((const char *)bytes + 256, "1-1");
    assert_memory_equal(bytes + 288, numbers, sizeof numbers);
    assert_int_equal(288 + sizeof numbers, USBIP_RECORD_SIZE);
}

static void record__comes_back_as_it_was(void **state)
{
    (void)state;
    uint8_t bytes[USBIP_RECORD_SIZE];
    struct usbip_record record = {0};

    usbip_record_encode(bytes, &runtime_record);
    for (size_t length = 0; length < sizeof bytes; length++)
        assert_int_equal(usbip_record_decode(&record, bytes, length), 0);
    assert_int_equal(usbip_record_decode(&record, bytes, sizeof bytes), USBIP_RECORD_SIZE);

    assert_memory_equal(&record, &runtime_record, sizeof record);
}

static void record__refuses_endless_text_and_unknown_speed(void **state)
{
    (void)state;
    uint8_t bytes[USBIP_RECORD_SIZE];
    struct usbip_record record;

    usbip_record_encode(bytes, &runtime_record);
    memset(bytes, '/', USBIP_PATH_SIZE);
    assert_int_equal(usbip_record_decode(&record, bytes, sizeof bytes), USBIP_ERR_TEXT);

    usbip_record_encode(bytes, &runtime_record);
    memset(bytes + 256, '1', USBIP_BUS_ID_SIZE);
    assert_int_equal(usbip_record_decode(&record, bytes, sizeof bytes), USBIP_ERR_TEXT);

    usbip_record_encode(bytes, &runtime_record);
    bytes[299] = 7;
    assert_int_equal(usbip_record_decode(&record, bytes, sizeof bytes), USBIP_ERR_SPEED);
}

static void interface__is_three_bytes_and_a_pad(void **state)
{
    (void)state;
    static const uint8_t golden[] = {0xFE, 0x01, 0x02, 0x00};
    const struct usbip_interface dfu = {0xFE, 0x01, 0x02};
    uint8_t bytes[USBIP_INTERFACE_SIZE];

    usbip_interface_encode(bytes, &dfu);

    assert_memory_equal(bytes, golden, sizeof golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(submit__decodes_the_bytes_linux_sends),
        cmocka_unit_test(submit__encodes_the_bytes_linux_sends),
        cmocka_unit_test(unlink__names_the_submission_it_takes_back),
        cmocka_unit_test(command__needs_every_byte_of_its_header),
        cmocka_unit_test(command__refuses_fields_out_of_range),
        cmocka_unit_test(command__accepts_fields_at_their_limit),
        cmocka_unit_test(command__takes_both_spellings_of_not_isochronous),
        cmocka_unit_test(payload__is_out_data_and_isochronous_descriptors),
        cmocka_unit_test(reply__has_status_and_length_where_linux_looks),
        cmocka_unit_test(unlink_reply__carries_econnreset),
        cmocka_unit_test(reply__refuses_fields_out_of_range),
        cmocka_unit_test(reply__needs_every_byte_of_its_header),
        cmocka_unit_test(request__import_carries_the_bus_id),
        cmocka_unit_test(request__import_needs_every_byte),
        cmocka_unit_test(request__devlist_is_eight_bytes),
        cmocka_unit_test(request__refuses_what_is_not_one),
        cmocka_unit_test(request__refuses_a_bus_id_that_does_not_end),
        cmocka_unit_test(op_reply__must_answer_what_was_asked),
        cmocka_unit_test(count__is_bounded),
        cmocka_unit_test(record__puts_each_field_in_its_place),
        cmocka_unit_test(record__comes_back_as_it_was),
        cmocka_unit_test(record__refuses_endless_text_and_unknown_speed),
        cmocka_unit_test(interface__is_three_bytes_and_a_pad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
