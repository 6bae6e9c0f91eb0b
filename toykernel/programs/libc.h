/* What the programs share: system calls, printing, strings. */
#pragma once

#include <stdarg.h>

#include "errno.h"
#include "syscalls.h"

/* print.c: %s, %d, %u, %x, %c and %%; one write for each call. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

/* string.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int parse_number(const char *s); /* decimal, or -1 */
