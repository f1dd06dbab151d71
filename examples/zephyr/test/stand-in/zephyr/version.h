// SPDX-License-Identifier: MIT
//
// What the adapter uses of Zephyr's version.h, which its build makes: the test is built for both
// sides of the change in 4.5.

#ifndef STAND_IN_ZEPHYR_VERSION_H
#define STAND_IN_ZEPHYR_VERSION_H

#define ZEPHYR_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#ifdef STAND_IN_ZEPHYR_4_4
#define ZEPHYR_VERSION_CODE ZEPHYR_VERSION(4, 4, 1)
#else
#define ZEPHYR_VERSION_CODE ZEPHYR_VERSION(4, 5, 0)
#endif

#endif
