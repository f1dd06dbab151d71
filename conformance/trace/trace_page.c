// SPDX-License-Identifier: MIT
//
// trace_page - writes docs/traceability.md to stdout.

#include "clauses.h"

int main(void)
{
    clauses_write(stdout);
    return 0;
}
