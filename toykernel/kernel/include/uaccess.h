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

/* "Should the instruction at 1 fault, go on at 3": mm/extable.c looks the pair up. */
#define FIXUP(text)                                                                                          \
    ".section .fixup, \"ax\"\n3:\t" text "\n\tjmp 2b\n\t.previous\n\t"                                       \
    ".section __ex_table, \"a\"\n\t.long 1b, 3b\n\t.previous"

/* Read a byte at `from`; 0 or -EFAULT. */
static inline int get_user_byte(char *value, const char *from)
{
    int error = 0;
    if (!access_ok(from, 1))
        return -EFAULT;
    asm volatile("1: movb %2, %1\n2:\n\t" FIXUP("movl %3, %0\n\txorb %1, %1")
                 : "+r"(error), "=q"(*value)
                 : "m"(*from), "i"(-EFAULT));
    return error;
}

/* Write a word at `to`; 0 or -EFAULT. */
static inline int put_user(u32 value, u32 *to)
{
    int error = 0;
    if (!access_ok(to, sizeof *to))
        return -EFAULT;
    asm volatile("1: movl %1, %2\n2:\n\t" FIXUP("movl %3, %0")
                 : "+r"(error)
                 : "r"(value), "m"(*to), "i"(-EFAULT)
                 : "memory");
    return error;
}
