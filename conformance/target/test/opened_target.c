// SPDX-License-Identifier: MIT

#include "opened_target.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct target *open_target(const char *text)
{
    struct target_spec spec;
    char error[400] = "";
    struct target *target = NULL;
    if (target_spec_parse(&spec, text, error, sizeof error) == 0)
        target = target_open(&spec, error, sizeof error);
    if (!target)
        fail_msg("%s: %s", text, error);
    return target;
}
