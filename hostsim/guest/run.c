// SPDX-License-Identifier: MIT
//
// Starting the test guest: qemu with the kernel and initramfs that guest/make-guest makes, this
// machine's root by read-only 9p, the current directory by writable 9p, and one virtio-serial port
// to the agent.
//
// KVM is used where it works. Where /dev/kvm exists and does not work (mostly in nested machines),
// qemu exits or hangs: without the agent's hello in time the guest is started once more under TCG.

#include <guest/guest.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "qemu-system-x86_64"

enum {
    KVM_HELLO_MS = 10 * 1000,  // it needs 2 s
    TCG_HELLO_MS = 120 * 1000, // it needs 7 s on an idle machine
};

struct guest {
    const char *accelerator;
    int hello_ms;
    const char *files; // directory of vmlinux and initramfs
    const char *self;  // this program
    const char *shared;
    FILE *console; // what kernel, init and qemu said
    bool started;  // the agent is there
};

static bool is_program(const char *name)
{
    char path[PATH_MAX];
    const char *folders = getenv("PATH");

    for (size_t length; folders && *folders; folders += length + (folders[length] == ':')) {
        length = strcspn(folders, ":");
        snprintf(path, sizeof(path), "%.*s/%s", (int)length, folders, name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

const char *guest_missing(void)
{
    if (!is_program(QEMU))
        return "no " QEMU "; run: apt-get install qemu-system-x86 busybox-static cpio kmod";
    if (!is_program("busybox"))
        return "no busybox; run: apt-get install busybox-static cpio kmod";
    return NULL;
}

static int self_path(char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

    if (length < 0)
        return -errno;
    path[length] = 0;
    return 0;
}

// guest/make-guest stands beside this program in the build tree, in libexec once installed.
static int find_make_guest(const char *self, char path[PATH_MAX])
{
    static const char *const places[] = {"guest", "../libexec/dfurt"};
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", self);
    dirname(folder);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int length = snprintf(path, PATH_MAX, "%s/%s/make-guest", folder, places[i]);
        if (length < PATH_MAX && access(path, X_OK) == 0)
            return 0;
    }
    fprintf(stderr, "dfu-sim: make-guest is not at %s: build or install dfu-sim again\n", path);
    return -ENOENT;
}

// Have the kernel and initramfs made; learn where they are.
static int prepare_files(const char *self, char files[PATH_MAX])
{
    char program[PATH_MAX];
    int answer[2], status;

    int error = find_make_guest(self, program);
    if (error)
        return error;
    if (pipe2(answer, O_CLOEXEC) < 0)
        return -errno;

    pid_t pid = fork();
    if (pid == 0) {
        dup2(answer[1], STDOUT_FILENO);
        execl(program, program, NULL);
        fprintf(stderr, "dfu-sim: %s: %s\n", program, strerror(errno));
        _exit(127);
    }
    close(answer[1]);
    ssize_t length = pid < 0 ? 0 : read(answer[0], files, PATH_MAX - 1);
    close(answer[0]);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -errno;
    if (status != 0 || length < 2)
        return -ENOENT; // make-guest has said why
    files[length - 1] = 0;
    return 0;
}

// In an option of qemu a comma is written twice.
static void write_path(FILE *option, const char *path)
{
    for (; *path; path++) {
        if (*path == ',')
            fputc(',', option);
        fputc(*path, option);
    }
}

static char *share_option(const char *id, const char *path, const char *mode)
{
    char *text = NULL;
    size_t size;
    FILE *option = open_memstream(&text, &size);

    if (!option)
        return NULL;
    fprintf(option, "local,id=%s,security_model=none,multidevs=remap%s,path=", id, mode);
    write_path(option, path);
    return fclose(option) == 0 ? text : NULL;
}

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *pattern, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, pattern);
    int length = vasprintf(&text, pattern, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

// In the child: become qemu. It goes when dfu-sim goes, however that ends. no_timer_check: on a
// busy machine without KVM the kernel would take the timer's interrupts for missing, and panic.
// nosoftlockup and rcu_cpu_stall_suppress: there it gets no processor for seconds, and would warn
// of itself.
static _Noreturn void become_qemu(const struct guest *guest, int port)
{
    // clang-format off
    char *argv[] = {
        QEMU,
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-machine", "q35", "-cpu", "max", "-m", "1G",
        "-accel", (char *)guest->accelerator,
        "-kernel", format("%s/vmlinux", guest->files),
        "-initrd", format("%s/initramfs", guest->files),
        // An emulated processor pays for each measure against what it does not suffer from, and
        // for each instruction of the kernel that is replaced: it is translated once more.
        "-append", format("console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=0 "
                          "cryptomgr.notests no_timer_check nosoftlockup "
                          "rcupdate.rcu_cpu_stall_suppress=1 rcupdate.rcu_expedited=1 "
                          "noreplace-smp rodata=off "
                          "DFU_SIM=\"%s\" SHARED=\"%s\" MODULES=\"%s/modules/lib/modules\"",
                          guest->self, guest->shared, guest->files),
        "-serial", "stdio",
        "-fsdev", share_option("root", "/", ",readonly=on"),
        "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
        "-fsdev", share_option("shared", guest->shared, ""),
        "-device", "virtio-9p-pci,fsdev=shared,mount_tag=shared",
        "-device", "virtio-serial-pci",
        "-chardev", format("socket,id=port,fd=%d", port),
        "-device", "virtserialport,chardev=port,name=dfurt",
        NULL,
    };
    // clang-format on
    int nothing = open("/dev/null", O_RDONLY);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0); // Ctrl-C is dfu-sim's to handle
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(nothing, STDIN_FILENO);
    dup2(fileno(guest->console), STDOUT_FILENO);
    dup2(fileno(guest->console), STDERR_FILENO);
    fcntl(port, F_SETFD, 0);
    execvp(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

// The end of the guest's console, which shows why it did not start.
static void print_console(FILE *console)
{
    char line[512];

    fseek(console, 0, SEEK_END);
    long size = ftell(console);
    fseek(console, size > 2048 ? -2048 : -size, SEEK_END);
    while (fgets(line, sizeof(line), console))
        fprintf(stderr, "  %s", line);
}

static int boot_and_relay(struct guest *guest, int signals, char *const argv[])
{
    int ports[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ports) < 0)
        return -errno;
    if (ftruncate(fileno(guest->console), 0) < 0)
        return -errno;
    rewind(guest->console);
    pid_t qemu = fork();
    if (qemu == 0)
        become_qemu(guest, ports[1]);
    close(ports[1]);

    int status =
        qemu < 0 ? -errno : guest_relay(ports[0], signals, guest->hello_ms, argv, &guest->started);
    close(ports[0]);
    if (qemu > 0) {
        kill(qemu, SIGKILL);
        waitpid(qemu, NULL, 0);
    }
    return status;
}

static int run_with_fallback(struct guest *guest, int signals, char *const argv[])
{
    int status = 0;

    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        guest->accelerator = "kvm";
        guest->hello_ms = KVM_HELLO_MS;
        status = boot_and_relay(guest, signals, argv);
    }
    if (!guest->started && status <= 0) {
        guest->accelerator = "tcg";
        guest->hello_ms = TCG_HELLO_MS;
        status = boot_and_relay(guest, signals, argv);
    }
    if (status < 0) {
        fprintf(stderr, "dfu-sim: the guest failed (%s); the end of its console:\n",
                strerror(-status));
        print_console(guest->console);
    }
    return status;
}

int guest_run(char *const argv[])
{
    char self[PATH_MAX], files[PATH_MAX], shared[PATH_MAX];
    const char *missing = guest_missing();
    sigset_t stop;

    if (missing) {
        fprintf(stderr, "dfu-sim: the test guest: %s\n", missing);
        return -ENOENT;
    }
    if (!getcwd(shared, sizeof(shared)))
        return -errno;
    int error = self_path(self);
    if (error == 0)
        error = prepare_files(self, files);
    if (error)
        return error;

    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGHUP);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    int signals = signalfd(-1, &stop, SFD_CLOEXEC);
    FILE *console = tmpfile();
    int status = -errno;
    if (signals >= 0 && console) {
        struct guest guest = {.files = files, .self = self, .shared = shared, .console = console};
        status = run_with_fallback(&guest, signals, argv);
    }
    if (console)
        fclose(console);
    close(signals);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    return status;
}
