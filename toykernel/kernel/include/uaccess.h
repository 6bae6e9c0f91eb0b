/* Touching a program's memory, which may not be there. */
#pragma once

#include "kernel.h"

/* Is it in the program's part of the address space?  Whether there is memory, the access itself will show. */
static inline bool access_ok(const void *address, size_t n)
{
    return n <= PAGE_OFFSET && (u32)address <= PAGE_OFFSET - n;
}

/* uaccess.S: return how many bytes were not copied; these take any address. */
size_t __copy_to_user(void *to, const void *from, size_t n);
size_t __copy_from_user(void *to, const void *from, size_t n);

static inline size_t copy_to_user(void *to, const void *from, size_t n)
{
    return access_ok(to, n) ? __copy_to_user(to, from, n) : n;
}

static inline size_t copy_from_user(void *to, const void *from, size_t n)
{
    return access_ok(from, n) ? __copy_from_user(to, from, n) : n;
}

/* getuser.S has a routine for each size, which checks the address and keeps no convention.
   get_user: read what `from` points to into `value`, 0 if it cannot be read; 0 or -EFAULT. */
#define get_user(value, from)                                                                                \
    ({                                                                                                       \
        int error_;                                                                                          \
        u32 value_;                                                                                          \
        asm volatile("call __get_user_%c3"                                                                   \
                     : "=a"(error_), "=d"(value_)                                                            \
                     : "0"(from), "i"(sizeof *(from))                                                        \
                     : "memory");                                                                            \
        (value) = (__typeof__(*(from)))value_;                                                               \
        error_;                                                                                              \
    })

/* put_user: write `value` to where `to` points; 0 or -EFAULT. */
#define put_user(value, to)                                                                                  \
    ({                                                                                                       \
        int error_;                                                                                          \
        asm volatile("call __put_user_%c3"                                                                   \
                     : "=a"(error_)                                                                          \
                     : "0"(to), "d"(value), "i"(sizeof *(to))                                                \
                     : "ecx", "memory");                                                                     \
        error_;                                                                                              \
    })
