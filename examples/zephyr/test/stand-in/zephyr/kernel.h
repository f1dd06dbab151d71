// SPDX-License-Identifier: MIT
//
// What the adapter uses of Zephyr's kernel.h: declarations of our own, for the test alone.

#ifndef STAND_IN_ZEPHYR_KERNEL_H
#define STAND_IN_ZEPHYR_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_SYSTEM_WORKQUEUE_PRIORITY (-1)
#define CONFIG_SMP 0
#define IS_ENABLED(option) (option)
#define BUILD_ASSERT(expression) _Static_assert(expression, #expression)

typedef int64_t k_timeout_t;
#define K_MSEC(ms) ((k_timeout_t)(ms))

struct k_work {
    void (*handler)(struct k_work *work);
};
struct k_work_delayable {
    struct k_work work;
};
#define K_WORK_DELAYABLE_DEFINE(name, function) struct k_work_delayable name = {{function}}

struct k_work_delayable *k_work_delayable_from_work(struct k_work *work);
int k_work_schedule(struct k_work_delayable *work, k_timeout_t delay);
int64_t k_uptime_delta(int64_t *reference);

#endif
