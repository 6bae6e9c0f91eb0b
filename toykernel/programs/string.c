/* Strings and memory. */
#include "libc.h"

void *memcpy(void *to, const void *from, size_t n)
{
    void *d = to;
    size_t words = n / 4;
    asm volatile("rep movsl\n\tmovl %3, %%ecx\n\trep movsb"
                 : "+&D"(d), "+&S"(from), "+&c"(words)
                 : "r"(n & 3)
                 : "memory");
    return to;
}

void *memset(void *to, int value, size_t n)
{
    void *d = to;
    size_t words = n / 4;
    asm volatile("rep stosl\n\tmovl %3, %%ecx\n\trep stosb"
                 : "+&D"(d), "+&c"(words)
                 : "a"((unsigned char)value * 0x01010101u), "r"(n & 3)
                 : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

size_t strlen(const char *s)
{
    const char *end = s;
    while (*end)
        end++;
    return end - s;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    return (unsigned char)*a - (unsigned char)*b;
}

int parse_number(const char *s)
{
    int value = 0;

    if (!*s)
        return -1;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || value > (0x7FFFFFFF - 9) / 10)
            return -1;
        value = value * 10 + *s - '0';
    }
    return value;
}
