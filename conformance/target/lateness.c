// SPDX-License-Identifier: MIT
//
// The thread writes down when it is due to wake. So whoever asks before it has woken, as after a
// SIGCONT, counts what it is overdue by.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lateness.h"
#include "wall_clock.h"

enum {
    PERIOD_US = 5000,
    TOLERANCE_US = 1000, // timers are not exact
};

struct lateness {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stopped;
    bool stop;
    uint64_t due_us;
    uint64_t late_us;
    int schedstat; // of the caller's thread, or -1
};

static uint64_t overdue_us(const struct lateness *lateness, uint64_t now)
{
    return now > lateness->due_us + TOLERANCE_US ? now - lateness->due_us : 0;
}

static void *witness(void *context)
{
    struct lateness *lateness = context;
    pthread_mutex_lock(&lateness->mutex);
    while (!lateness->stop) {
        const struct timespec due = {.tv_sec = (time_t)(lateness->due_us / 1000000),
                                     .tv_nsec = (long)(lateness->due_us % 1000000 * 1000)};
        while (!lateness->stop &&
               pthread_cond_timedwait(&lateness->stopped, &lateness->mutex, &due) == 0)
            ;
        uint64_t now = wall_clock_us(); // once: no time passes between the two
        lateness->late_us += overdue_us(lateness, now);
        lateness->due_us = now + PERIOD_US;
    }
    pthread_mutex_unlock(&lateness->mutex);
    return NULL;
}

// Signals are for the thread that runs the suite.
static int start(struct lateness *lateness)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&lateness->thread, NULL, witness, lateness);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static void release(struct lateness *lateness)
{
    if (lateness->schedstat >= 0)
        close(lateness->schedstat);
    pthread_cond_destroy(&lateness->stopped);
    pthread_mutex_destroy(&lateness->mutex);
    free(lateness);
}

struct lateness *lateness_open(void)
{
    struct lateness *lateness = calloc(1, sizeof *lateness);
    pthread_condattr_t attributes;
    if (!lateness)
        return NULL;
    pthread_mutex_init(&lateness->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lateness->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    lateness->due_us = wall_clock_us() + PERIOD_US; // a thread that does not begin is late, too
    lateness->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (start(lateness) == 0)
        return lateness;
    release(lateness);
    return NULL;
}

// "TIME-ON-A-PROCESSOR TIME-WAITING SLICES", in ns.
static uint64_t waited_us(const struct lateness *lateness)
{
    char text[100];
    unsigned long long ran_ns, waited_ns;
    ssize_t length =
        lateness->schedstat < 0 ? 0 : pread(lateness->schedstat, text, sizeof text - 1, 0);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return sscanf(text, "%llu %llu", &ran_ns, &waited_ns) == 2 ? waited_ns / 1000 : 0;
}

uint64_t lateness_us(struct lateness *lateness)
{
    pthread_mutex_lock(&lateness->mutex);
    uint64_t late_us = lateness->late_us + overdue_us(lateness, wall_clock_us());
    pthread_mutex_unlock(&lateness->mutex);
    return late_us + waited_us(lateness);
}

void lateness_close(struct lateness *lateness)
{
    if (!lateness)
        return;
    pthread_mutex_lock(&lateness->mutex);
    lateness->stop = true;
    pthread_cond_signal(&lateness->stopped);
    pthread_mutex_unlock(&lateness->mutex);
    pthread_join(lateness->thread, NULL);
    release(lateness);
}
