// SPDX-License-Identifier: MIT
//
// The functions that gcc may call on its own behalf even in a freestanding program: memcpy,
// memmove, memset and memcmp, as ISO C has them. Those that an image does not need are dropped by
// the linker.

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    while (length-- > 0)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t < f) {
        while (length-- > 0)
            *t++ = *f++;
    } else {
        while (length-- > 0)
            t[length] = f[length];
    }
    return to;
}

void *memset(void *to, int value, size_t length)
{
    unsigned char *t = to;

    while (length-- > 0)
        *t++ = (unsigned char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; length > 0; length--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}
