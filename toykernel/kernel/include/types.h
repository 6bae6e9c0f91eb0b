/* Integers by size, and the names that Linux gives them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

typedef int ssize_t;
typedef int off_t;
typedef long long loff_t; /* a position in a file */
