// SPDX-License-Identifier: MIT
//
// standard_times.h - checks of how long standard requests take (USB 2.0 9.2.6.3, 9.2.6.4).

#ifndef CONFORMANCE_STANDARD_TIMES_H
#define CONFORMANCE_STANDARD_TIMES_H

#include <conformance/probe.h>

// All requests without a data stage that a configured device has, each within 50 ms.
void standard_no_data_in_time(struct probe *probe);

// All requests that return data: each packet within 500 ms.
void standard_data_in_time(struct probe *probe);

// SET_ADDRESS within 50 ms.
void standard_address_in_time(struct probe *probe);

#endif
