/* Memory and strings.  The compiler calls the first two by itself. */
#include "kernel.h"

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
                 : "a"((u8)value * 0x01010101u), "r"(n & 3)
                 : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *p = a, *q = b;
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
