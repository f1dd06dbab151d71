// SPDX-License-Identifier: MIT
//
// The file is read back by the rules of the pcapng specification, block by block; tshark reads it
// in conformance/test_capture_in_tshark.py.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <capture/capture.h>

static const struct capture_origin origin = {.program = "test 1", .interface = "a device"};

struct file {
    char path[64];
    uint8_t bytes[4096];
    size_t length;
};

static struct capture *begin(struct file *file)
{
    char error[128] = "";
    int fd;

    snprintf(file->path, sizeof(file->path), "/tmp/dfurt-capture-XXXXXX");
    fd = mkstemp(file->path);
    assert_true(fd >= 0);
    close(fd);

    struct capture *capture = capture_open(file->path, &origin, error, sizeof(error));
    assert_non_null(capture);
    return capture;
}

static void finish(struct file *file, struct capture *capture)
{
    FILE *stream;

    assert_int_equal(capture_close(capture), 0);
    stream = fopen(file->path, "rb");
    assert_non_null(stream);
    file->length = fread(file->bytes, 1, sizeof(file->bytes), stream);
    fclose(stream);
    unlink(file->path);
}

static uint32_t le32(const uint8_t *bytes)
{
    return usbdev_load_le16(bytes) | (uint32_t)usbdev_load_le16(bytes + 2) << 16;
}

// The n-th block from 0; both its lengths must agree.
static const uint8_t *block(const struct file *file, unsigned n)
{
    size_t at = 0;

    for (;;) {
        assert_true(at + 12 <= file->length);
        uint32_t size = le32(file->bytes + at + 4);
        assert_int_equal(size % 4, 0);
        assert_true(size >= 12 && at + size <= file->length);
        assert_int_equal(le32(file->bytes + at + size - 4), size);
        if (n-- == 0)
            return file->bytes + at;
        at += size;
    }
}

static void file__begins_with_section_and_usbmon_interface(void **state)
{
    (void)state;
    // The pcapng specification, Section Header Block and Interface Description Block.
    static const uint8_t expected[] = {
        0x0A, 0x0D, 0x0D, 0x0A, 44,   0,    0,    0,              // type, length
        0x4D, 0x3C, 0x2B, 0x1A, 1,    0,    0,    0,              // byte order, version 1.0
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,           // section length: not said
        4,    0,    6,    0,    't',  'e',  's',  't',  ' ', '1', // shb_userappl
        0,    0,                                                  // padding
        0,    0,    0,    0,    44,   0,    0,    0,              // opt_endofopt, length
        1,    0,    0,    0,    44,   0,    0,    0,              // type, length
        220,  0,    0,    0,    0,    0,    0,    0,              // link type, no limit
        2,    0,    8,    0,    'a',  ' ',  'd',  'e',  'v', 'i', 'c', 'e', // if_name
        9,    0,    1,    0,    9,    0,    0,    0,                        // if_tsresol: 10^-9 s
        0,    0,    0,    0,    44,   0,    0,    0,                        // opt_endofopt, length
    };
    struct file file;

    finish(&file, begin(&file));

    assert_int_equal(file.length, sizeof expected);
    assert_memory_equal(file.bytes, expected, sizeof expected);
}

// Linux Documentation/usb/usbmon.rst: 0 isochronous, 1 interrupt, 2 control, 3 bulk.
static void submission__has_the_type_of_usbmon(void **state)
{
    static const uint8_t types[][2] = {
        {USBDEV_ENDPOINT_CONTROL, 2},
        {USBDEV_ENDPOINT_ISOCHRONOUS, 0},
        {USBDEV_ENDPOINT_BULK, 3},
        {USBDEV_ENDPOINT_INTERRUPT, 1},
    };
    struct file file;
    struct capture *capture = begin(&file);
    (void)state;

    for (unsigned i = 0; i < 4; i++)
        capture_submitted(capture, &(struct capture_urb){.type = types[i][0]});
    finish(&file, capture);

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(block(&file, 2 + i)[28 + 9], types[i][1]);
}

static void submission__is_a_usbmon_record(void **state)
{
    (void)state;
    static const uint8_t detach[] = {0x21, 0x00, 0xE8, 0x03, 0x00, 0x00, 0x00, 0x00};
    // Linux Documentation/usb/usbmon.rst, struct usbmon_packet, field by field.
    static const uint8_t expected[64] = {
        7,    0,    0,    0,    0,    0,    0,    0,    // id
        'S',  2,    0x00, 5,                            // submission, control, endpoint 0, device
        1,    0,    0,    '>',                          // bus, setup present, no data
        20,   0,    0,    0,    0,    0,    0,    0,    // seconds
        0x40, 0xE2, 0x01, 0,                            // 123456 us
        0x8D, 0xFF, 0xFF, 0xFF,                         // -EINPROGRESS
        0,    0,    0,    0,    0,    0,    0,    0,    // lengths
        0x21, 0x00, 0xE8, 0x03, 0x00, 0x00, 0x00, 0x00, // setup
    };
    struct file file;
    struct capture *capture = begin(&file);

    uint64_t frame = capture_submitted(capture, &(struct capture_urb){
                                                    .id = 7,
                                                    .time_ns = UINT64_C(20123456789),
                                                    .bus = 1,
                                                    .device = 5,
                                                    .type = USBDEV_ENDPOINT_CONTROL,
                                                    .setup = detach,
                                                });
    finish(&file, capture);

    const uint8_t *packet = block(&file, 2);
    uint64_t time_ns = (uint64_t)le32(packet + 12) << 32 | le32(packet + 16);
    assert_int_equal(frame, 1);
    assert_int_equal(le32(packet), 6);
    assert_int_equal(file.length, packet - file.bytes + le32(packet + 4));
    assert_int_equal(time_ns, UINT64_C(20123456789));
    assert_int_equal(le32(packet + 20), 64);
    assert_memory_equal(packet + 28, expected, sizeof(expected));
}

static void completion__carries_in_data_and_comment(void **state)
{
    (void)state;
    static const uint8_t data[] = {1, 2, 3, 4, 5};
    struct file file;
    struct capture *capture = begin(&file);

    capture_completed(capture, &(struct capture_urb){
                                   .bEndpointAddress = 0x81,
                                   .type = USBDEV_ENDPOINT_BULK,
                                   .length = sizeof(data),
                                   .data = data,
                                   .comment = "RT-DESC-01",
                               });
    finish(&file, capture);

    const uint8_t *packet = block(&file, 2);
    const uint8_t *record = packet + 28;
    const uint8_t *option = record + 64 + 8; // 5 bytes of data padded to 8
    assert_int_equal(record[8], 'C');
    assert_int_equal(record[9], 3);
    assert_int_equal(record[14], '-');
    assert_int_equal(record[15], 0);
    assert_int_equal(le32(record + 32), sizeof(data));
    assert_int_equal(le32(record + 36), sizeof(data));
    assert_memory_equal(record + 64, data, sizeof(data));
    assert_int_equal(usbdev_load_le16(option), 1);
    assert_int_equal(usbdev_load_le16(option + 2), 10);
    assert_memory_equal(option + 4, "RT-DESC-01", 10);
}

static void open__says_why_it_failed(void **state)
{
    (void)state;
    char error[128] = "";

    assert_null(capture_open("/nonexistent/x.pcapng", &origin, error, sizeof(error)));

    assert_string_equal(
        error, "cannot write the capture /nonexistent/x.pcapng: No such file or directory");
}

static void close__reports_a_full_disk(void **state)
{
    (void)state;
    char error[128];
    struct capture *capture = capture_open("/dev/full", &origin, error, sizeof(error));
    assert_non_null(capture);

    assert_int_equal(capture_close(capture), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file__begins_with_section_and_usbmon_interface),
        cmocka_unit_test(submission__has_the_type_of_usbmon),
        cmocka_unit_test(submission__is_a_usbmon_record),
        cmocka_unit_test(completion__carries_in_data_and_comment),
        cmocka_unit_test(open__says_why_it_failed),
        cmocka_unit_test(close__reports_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
