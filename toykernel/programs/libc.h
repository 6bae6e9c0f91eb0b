/* What the programs share: system calls, printing, strings. */
#pragma once

#include <stdarg.h>

#include "errno.h"
#include "syscalls.h"

/* print.c: %s, %d, %u, %x, %c and %%, with zeros in front as in %08x; one write for each call. */
#define FORMAT(text) __attribute__((format(printf, text, text + 1)))
FORMAT(1) void print(const char *format, ...);
FORMAT(1) void complain(const char *format, ...);                  /* to the standard error output */
FORMAT(3) u32 format(char *to, u32 size, const char *format, ...); /* cut off to fit; its length */

/* string.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int parse_number(const char *s); /* decimal, or -1 */
