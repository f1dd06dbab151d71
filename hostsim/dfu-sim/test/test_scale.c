// SPDX-License-Identifier: MIT
//
// dfu-sim serve with as many devices as it takes: what a device costs in memory, and what the
// others cost a transfer. The program's path is the first argument.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <usbip/proto.h>

enum {
    MANY = 4096,
    PORTS = 15, // of a bus
    BYTES_A_DEVICE = 8192,
    TURNS = 15,
    TRANSFERS = 400, // of a turn
    DESCRIPTOR = 18,
};

static const char *program;

// ---- The server ----

struct server {
    pid_t pid;
    int port;
    FILE *out;
};

static struct server start(unsigned count)
{
    struct server server;
    char text[16], line[64], last[64] = "";
    int pipes[2];

    snprintf(text, sizeof text, "%u", count);
    assert_int_equal(pipe(pipes), 0);
    server.pid = fork();
    if (server.pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); // a line for each client that goes
        execl(program, "dfu-sim", "serve", "--listen", "127.0.0.1:0", "--count", text, NULL);
        _exit(127);
    }
    close(pipes[1]);
    server.out = fdopen(pipes[0], "r");
    assert_non_null(fgets(line, sizeof line, server.out));
    assert_int_equal(sscanf(line, "listening on 127.0.0.1:%d", &server.port), 1);
    for (unsigned i = 0; i < count; i++)
        assert_non_null(fgets(last, sizeof last, server.out));
    snprintf(line, sizeof line, "%u-%u\n", (count - 1) / PORTS + 1, (count - 1) % PORTS + 1);
    assert_string_equal(last, line);
    return server;
}

static void stop(struct server *server)
{
    int status = -1;

    kill(server->pid, SIGTERM);
    waitpid(server->pid, &status, 0);
    fclose(server->out);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static long resident_bytes(const struct server *server)
{
    char path[64];
    long size, resident;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)server->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

// ---- Its clients ----

struct client {
    int fd;
    uint32_t devid;
    uint32_t seqnum;
};

static int connect_to(const struct server *server)
{
    static const int on = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)server->port),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// A server listens after 5 s, whether or not all of its devices have enumerated: on a busy machine
// those that have not are not exported yet.
static int import_once_there(const struct server *server, const struct usbip_request *request)
{
    enum { AGAIN_MS = 10, TRIES = 6000 };
    uint8_t bytes[USBIP_IMPORT_SIZE];
    uint32_t status = USBIP_OP_NO_DEVICE;
    int fd = -1;

    for (int i = 0; i < TRIES && status == USBIP_OP_NO_DEVICE; i++) {
        size_t length = usbip_request_encode(bytes, request);
        if (i > 0) {
            close(fd);
            poll(NULL, 0, AGAIN_MS);
        }
        fd = connect_to(server);
        assert_int_equal(send(fd, bytes, length, 0), length);
        assert_int_equal(recv(fd, bytes, USBIP_OP_SIZE, MSG_WAITALL), USBIP_OP_SIZE);
        usbip_op_decode(USBIP_REP_IMPORT, &status, bytes, USBIP_OP_SIZE);
    }
    assert_int_equal(status, USBIP_OP_OK);
    return fd;
}

static struct client import(const struct server *server, unsigned number)
{
    struct usbip_request request = {.op = USBIP_REQ_IMPORT};
    uint8_t bytes[USBIP_RECORD_SIZE];
    struct usbip_record record = {0};

    snprintf(request.bus_id, sizeof request.bus_id, "%u-%u", (number - 1) / PORTS + 1,
             (number - 1) % PORTS + 1);
    struct client client = {.fd = import_once_there(server, &request)};
    assert_int_equal(recv(client.fd, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
    usbip_record_decode(&record, bytes, sizeof bytes);
    assert_string_equal(record.bus_id, request.bus_id);
    client.devid = record.busnum << 16 | record.devnum;
    return client;
}

static void get_device(struct client *client)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT,
        .seqnum = ++client->seqnum,
        .devid = client->devid,
        .in = true,
        .length = DESCRIPTOR,
        .setup = {USBDEV_DIR_IN, USBDEV_GET_DESCRIPTOR, 0, USBDEV_DT_DEVICE, 0, 0, DESCRIPTOR, 0},
    };
    uint8_t bytes[USBIP_HEADER_SIZE + DESCRIPTOR];

    usbip_command_encode(bytes, &command);
    assert_int_equal(send(client->fd, bytes, USBIP_HEADER_SIZE, 0), USBIP_HEADER_SIZE);
    assert_int_equal(recv(client->fd, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
    assert_int_equal(bytes[USBIP_HEADER_SIZE + 1], USBDEV_DT_DEVICE);
}

static struct client everybody[MANY];

static void import_everybody(const struct server *server)
{
    for (unsigned i = 0; i < MANY; i++) {
        everybody[i] = import(server, i + 1);
        get_device(&everybody[i]);
    }
}

static void let_everybody_go(void)
{
    for (unsigned i = 0; i < MANY; i++)
        close(everybody[i].fd);
}

static void skip_without_descriptors(void)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < MANY + 200) {
        print_message("this system gives a process %lu descriptors\n",
                      (unsigned long)limit.rlim_max);
        skip();
    }
    limit.rlim_cur = MANY + 200;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// ---- Memory ----

static void device__takes_no_more_than_8_KiB(void **state)
{
    struct server one = start(1);
    struct server many = start(MANY);
    (void)state;

    skip_without_descriptors();
    long unused = (resident_bytes(&many) - resident_bytes(&one)) / (MANY - 1);
    import_everybody(&many);
    long used = (resident_bytes(&many) - resident_bytes(&one)) / (MANY - 1);

    print_message("%ld bytes a device, %ld with its client\n", unused, used);
    assert_in_range(unused, 1, BYTES_A_DEVICE);
    assert_in_range(used, 1, BYTES_A_DEVICE);
    let_everybody_go();
    stop(&one);
    stop(&many);
}

static void server__without_memory_for_all_says_what_to_do(void **state)
{
    static const char advice[] = " of 4096: no memory for the device; ask for fewer\n";
    char command[300], text[200] = "";
    unsigned number = 0;
    (void)state;

    snprintf(command, sizeof command,
             "prlimit --data=4000000 '%s' serve --listen 127.0.0.1:0 --count %d 2>&1", program,
             MANY);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';

    assert_int_equal(WEXITSTATUS(pclose(out)), 2);
    assert_int_equal(sscanf(text, "dfu-sim serve: device %u", &number), 1);
    assert_in_range(number, 2, MANY);
    assert_string_equal(strstr(text, " of "), advice);
}

// ---- Time ----

static double transfer_us(struct client *client)
{
    struct timespec begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < TRANSFERS; i++)
        get_device(client);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return ((double)(end.tv_sec - begin.tv_sec) * 1e6 +
            (double)(end.tv_nsec - begin.tv_nsec) / 1e3) /
           TRANSFERS;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

// The two are measured in turns, and the fastest turn of each counts: whatever else the machine
// does only adds. A ratio that is not kept is measured again before it is believed.
static double ratio(struct client *few, struct client *many)
{
    double few_us = 1e9, many_us = 1e9;

    for (int i = 0; i < TURNS; i++) {
        few_us = smaller(few_us, transfer_us(few));
        many_us = smaller(many_us, transfer_us(many));
    }
    print_message("%.1f us a transfer of one device, %.1f us of one of %d\n", few_us, many_us,
                  MANY);
    return many_us / few_us;
}

static void assert_as_fast(struct client *few, struct client *many)
{
    double best = 1e9;

    for (int attempt = 0; attempt < 5 && best > 1.2; attempt++)
        best = smaller(best, ratio(few, many));
    if (best > 1.2)
        fail_msg("a transfer takes %.2f times as long as where there is one device", best);
}

static void transfer__takes_as_long_as_with_one_device(void **state)
{
    struct server one = start(1);
    struct server many = start(MANY);
    struct client alone = import(&one, 1);
    (void)state;

    skip_without_descriptors();
    struct client among = import(&many, MANY / 2);
    assert_as_fast(&alone, &among); // nobody uses the others
    close(among.fd);
    get_device(&alone);

    import_everybody(&many);
    assert_as_fast(&alone, &everybody[MANY / 2]); // everybody uses one
    let_everybody_go();
    close(alone.fd);
    stop(&one);
    stop(&many);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device__takes_no_more_than_8_KiB),
        cmocka_unit_test(server__without_memory_for_all_says_what_to_do),
        cmocka_unit_test(transfer__takes_as_long_as_with_one_device),
    };

    program = argc == 2 ? argv[1] : "dfu-sim";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
