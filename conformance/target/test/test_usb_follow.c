// SPDX-License-Identifier: MIT
//
// Which device is ours, on machines that are a folder of files like sysfs's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "usb_follow.h"

static char root[] = "/tmp/dfurt-sysfs-XXXXXX";

static void shell(const char *command)
{
    char line[600];
    snprintf(line, sizeof line, "cd %s && %s", root, command);
    assert_int_equal(system(line), 0);
}

static void
put(const char *place, unsigned address, const char *ids, const char *serial, unsigned age_ms)
{
    char line[500];
    snprintf(line, sizeof line,
             "mkdir -p %s/power %s:1.0 && echo %u >%s/devnum && echo %u >%s/busnum && "
             "echo %.4s >%s/idVendor && echo %s >%s/idProduct && echo %s >%s/serial && "
             "echo %u >%s/power/connected_duration && "
             "echo fe >%s:1.0/bInterfaceClass && echo 01 >%s:1.0/bInterfaceSubClass",
             place, place, address, place, (unsigned)atoi(place), place, ids, place, ids + 5, place,
             serial, place, age_ms, place, place, place);
    shell(line);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    assert_non_null(mkdtemp(root));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char line[100];
    snprintf(line, sizeof line, "rm -r %s", root);
    return system(line);
}

static struct usb_follow follow;
static char said[200]; // what the last look said

// Our device has address 5 and serial number A; then it is gone.
static void start_at(const char *place)
{
    put(place, 5, "1209:0001", "A", 60000);
    follow = (struct usb_follow){.address = 5,
                                 .serial = "A",
                                 .idVendor = 0x1209,
                                 .idProduct = 1,
                                 .vendor = 0x1209,
                                 .product = 1};
    snprintf(follow.place, sizeof follow.place, "%s", place);
    usb_list_read(&follow.before, root);
    usb_sysfs_peer(root, place, follow.peer);
}

static void start(void)
{
    start_at("1-1");
}

static void take_away(const char *place)
{
    char line[100];
    snprintf(line, sizeof line, "rm -r %s %s:1.0", place, place);
    shell(line);
}

static void leave(void)
{
    take_away("1-1");
}

static enum usb_follow_result look(bool elsewhere, char place[USB_PLACE_SIZE])
{
    static struct usb_list now;
    const struct usb_seen *seen = NULL;
    usb_list_read(&now, root);
    said[0] = '\0';
    enum usb_follow_result result =
        usb_follow_choose(&follow, &now, 3000, elsewhere, &seen, said, sizeof said);
    strcpy(place, result == USB_FOLLOW_FOUND ? seen->place : "");
    return result;
}

static void expect_found(bool elsewhere, const char *wanted)
{
    char place[USB_PLACE_SIZE];
    assert_int_equal(look(elsewhere, place), USB_FOLLOW_FOUND);
    assert_string_equal(place, wanted);
}

static void expect_nothing(void)
{
    char place[USB_PLACE_SIZE];
    assert_int_equal(look(true, place), USB_FOLLOW_NONE);
}

// ---- What sysfs says ----

static void list__holds_devices_with_their_interfaces(void **state)
{
    (void)state;
    static struct usb_list list;
    put("1-4.2", 12, "0483:df11", "S 1", 70);
    shell("mkdir usb1 1-0:1.0 && echo 1 >usb1/devnum && echo 1d6b >usb1/idVendor");

    usb_list_read(&list, root);

    assert_int_equal(list.count, 1);
    assert_string_equal(list.devices[0].place, "1-4.2");
    assert_int_equal(list.devices[0].bus, 1);
    assert_int_equal(list.devices[0].address, 12);
    assert_int_equal(list.devices[0].idVendor, 0x0483);
    assert_int_equal(list.devices[0].idProduct, 0xDF11);
    assert_string_equal(list.devices[0].serial, "S 1");
    assert_int_equal(list.devices[0].age_ms, 70);
    assert_true(list.devices[0].dfu);
}

static void no_sysfs__is_an_empty_list(void **state)
{
    (void)state;
    static struct usb_list list;

    usb_list_read(&list, "/nonexistent");

    assert_int_equal(list.count, 0);
    assert_int_equal(usb_sysfs_address("/nonexistent", "1-1"), -1);
    assert_int_equal(usb_sysfs_address(root, "1-1"), 0);
}

static void peer__is_the_other_place_of_the_socket(void **state)
{
    (void)state;
    char peer[USB_PLACE_SIZE];
    shell("mkdir -p 2-0:1.0/usb2-port1 1-0:1.0/usb1-port3 2-1:1.0/2-1-port4 1-3:1.0/1-3-port4");
    shell("ln -s ../../1-0:1.0/usb1-port3 2-0:1.0/usb2-port1/peer");
    shell("ln -s ../../1-3:1.0/1-3-port4 2-1:1.0/2-1-port4/peer");

    usb_sysfs_peer(root, "2-1", peer);
    assert_string_equal(peer, "1-3");
    usb_sysfs_peer(root, "2-1.4", peer);
    assert_string_equal(peer, "1-3.4");
    usb_sysfs_peer(root, "1-3", peer);
    assert_string_equal(peer, "");
}

// ---- Which one is ours ----

static void same_place__is_ours_whatever_it_calls_itself(void **state)
{
    (void)state;
    start();
    expect_nothing();
    leave();
    expect_nothing();

    put("1-1", 6, "0483:df11", "B", 10);

    expect_found(false, "1-1");
}

static void peer_place__is_the_same_socket(void **state)
{
    (void)state;
    shell("mkdir -p 1-0:1.0/usb1-port1 2-0:1.0/usb2-port9 && "
          "ln -s ../../2-0:1.0/usb2-port9 1-0:1.0/usb1-port1/peer");
    start();
    follow.only_place = true;
    leave();

    put("2-9", 4, "0483:df11", "", 10);

    expect_found(false, "2-9");
}

static void other_place__is_ours_by_serial_number_and_only_later(void **state)
{
    (void)state;
    char place[USB_PLACE_SIZE];
    start();
    leave();
    put("3-7", 9, "0483:df11", "A", 10);

    assert_int_equal(look(false, place), USB_FOLLOW_NONE);
    expect_found(true, "3-7");
}

static void other_place__is_never_ours_where_a_person_named_the_place(void **state)
{
    (void)state;
    start();
    follow.only_place = true;
    leave();

    put("1-2", 9, "0483:df11", "A", 10);

    expect_nothing();
    assert_string_equal(said, "path= allows 1-1 alone, and a device like it came to another place: "
                              "0483:df11 at 1-2");
}

static void board_that_was_there__is_never_ours(void **state)
{
    (void)state;
    put("1-2", 3, "0483:df11", "A", 90000);
    start();
    leave();

    expect_nothing();
}

// It was plugged in when ours was still there, only not seen yet.
static void board_that_connected_before_ours_left__is_not_ours(void **state)
{
    (void)state;
    start();
    leave();

    put("1-2", 9, "0483:df11", "A", 3001);
    expect_nothing();
    put("1-2", 9, "0483:df11", "A", 2999);
    expect_found(true, "1-2");
}

static void two_candidates__are_none(void **state)
{
    (void)state;
    char place[USB_PLACE_SIZE];
    start();
    leave();

    put("1-2", 9, "0483:df11", "A", 10);
    put("1-3", 10, "0483:df11", "A", 20);

    assert_int_equal(look(true, place), USB_FOLLOW_SEVERAL);
}

static void other_place_beside_its_own__are_two_candidates(void **state)
{
    (void)state;
    char place[USB_PLACE_SIZE];
    start();
    leave();

    put("1-1", 6, "1209:0001", "A", 10);
    put("1-3", 10, "0483:df11", "A", 20);

    assert_int_equal(look(false, place), USB_FOLLOW_SEVERAL);
    follow.only_place = true;
    expect_found(false, "1-1");
}

// It may be another board, and ours is not back yet.
static void own_place_as_it_was__counts_after_a_look_elsewhere(void **state)
{
    (void)state;
    char place[USB_PLACE_SIZE];
    start();
    leave();

    put("1-1", 6, "1209:0001", "A", 10);

    assert_int_equal(look(false, place), USB_FOLLOW_NONE);
    expect_found(true, "1-1");
    follow.only_place = true;
    expect_found(false, "1-1");
}

// ---- Behind a hub at 1-2, beside a board of the same serial number ----

static void hub(void)
{
    shell(
        "mkdir -p 1-2/power 1-2:1.0 && echo 2 >1-2/devnum && echo 1 >1-2/busnum && "
        "echo 0424 >1-2/idVendor && echo 2514 >1-2/idProduct && echo 09 >1-2:1.0/bInterfaceClass");
    put("1-2.4", 6, "1209:0001", "A", 60000);
    start_at("1-2.3");
}

static void other_port_of_the_hub__is_ours_where_nothing_was(void **state)
{
    (void)state;
    hub();
    take_away("1-2.3");

    put("1-2.1", 7, "0483:df11", "A", 10);

    expect_found(true, "1-2.1");
}

static void neighbour_that_enumerates_again__is_not_ours(void **state)
{
    (void)state;
    hub();
    take_away("1-2.3");
    take_away("1-2.4");

    put("1-2.4", 7, "0483:df11", "A", 10);
    expect_nothing();
    put("1-2.3", 8, "0483:df11", "A", 10);
    expect_found(false, "1-2.3");
}

// All behind it have new places; which board is which, no port tells.
static void hub_that_is_plugged_in_elsewhere__leaves_two_candidates(void **state)
{
    (void)state;
    char place[USB_PLACE_SIZE];
    hub();
    shell("rm -r 1-2*");

    put("1-3.3", 8, "1209:0001", "A", 10);
    put("1-3.4", 9, "1209:0001", "A", 10);

    assert_int_equal(look(true, place), USB_FOLLOW_SEVERAL);
}

static void no_serial_number__is_no_serial_number_in_common(void **state)
{
    (void)state;
    start();
    follow.serial[0] = '\0';
    leave();

    put("1-2", 9, "0483:df11", "", 10);

    expect_nothing();
}

static void dfu_mode_ids__tell_it_without_a_serial_number(void **state)
{
    (void)state;
    start();
    follow.dfu_vendor = 0x0483;
    follow.dfu_product = 0xDF11;
    leave();

    put("1-2", 9, "0483:df12", "A", 10);
    expect_nothing();
    put("2-5", 9, "0483:df11", "B", 10);
    expect_found(true, "2-5");
    shell("rm -r 2-5 2-5:1.0");
    put("2-6", 10, "1209:0001", "", 10);
    expect_found(true, "2-6");
}

// ---- Whether it may be another board ----

static void expect_moved(const char *place, bool wanted)
{
    snprintf(follow.place, sizeof follow.place, "%s", place);
    usb_sysfs_peer(root, place, follow.peer);
    assert_int_equal(usb_follow_moved(&follow), wanted);
}

static void other_place__may_be_another_board_of_the_same_serial_number(void **state)
{
    (void)state;
    shell("mkdir -p 1-0:1.0/usb1-port1 2-0:1.0/usb2-port9 && "
          "ln -s ../../2-0:1.0/usb2-port9 1-0:1.0/usb1-port1/peer && "
          "ln -s ../../1-0:1.0/usb1-port1 2-0:1.0/usb2-port9/peer");
    start();
    strcpy(follow.first, "1-1");

    expect_moved("1-1", false);
    expect_moved("1-2", true);
    expect_moved("2-9", false); // the same socket
}

static void other_place__is_that_of_a_board_that_was_named(void **state)
{
    (void)state;
    start();
    strcpy(follow.first, "1-1");
    strcpy(follow.named, "A");

    expect_moved("1-2", false);
    strcpy(follow.serial, "B"); // its boot loader's
    expect_moved("1-2", true);
    follow.dfu_vendor = 0x0483;
    expect_moved("1-2", false);
    follow.named[0] = '\0';
    expect_moved("1-2", true);
}

static void node__says_what_is_wrong_with_it(void **state)
{
    (void)state;
    char text[300];

    assert_true(usb_node_fault(255, 254, text, sizeof text));

    assert_non_null(strstr(text, "/dev/bus/usb/255/254 cannot be opened: No such file"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(list__holds_devices_with_their_interfaces),
        TEST(no_sysfs__is_an_empty_list),
        TEST(peer__is_the_other_place_of_the_socket),
        TEST(same_place__is_ours_whatever_it_calls_itself),
        TEST(peer_place__is_the_same_socket),
        TEST(other_place__is_ours_by_serial_number_and_only_later),
        TEST(other_place__is_never_ours_where_a_person_named_the_place),
        TEST(board_that_was_there__is_never_ours),
        TEST(board_that_connected_before_ours_left__is_not_ours),
        TEST(two_candidates__are_none),
        TEST(other_place_beside_its_own__are_two_candidates),
        TEST(own_place_as_it_was__counts_after_a_look_elsewhere),
        TEST(other_port_of_the_hub__is_ours_where_nothing_was),
        TEST(neighbour_that_enumerates_again__is_not_ours),
        TEST(hub_that_is_plugged_in_elsewhere__leaves_two_candidates),
        TEST(no_serial_number__is_no_serial_number_in_common),
        TEST(dfu_mode_ids__tell_it_without_a_serial_number),
        TEST(other_place__may_be_another_board_of_the_same_serial_number),
        TEST(other_place__is_that_of_a_board_that_was_named),
        TEST(node__says_what_is_wrong_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
