/* Files as the training set reads and writes them: an error ends the program with a message. */
#pragma once

#include "libc.h"

/* End the program with a message. */
#define die(...) (complain(__VA_ARGS__), exit(1))

/* What a system call returned, if it is not an error. */
int check(int result, const char *what);

/* The file of that name, open for reading; the standard input where there is no name. */
int open_input(const char *name);

/* Read until there are n bytes or the file ends: how many there are.  A pipe gives them in pieces. */
u32 read_fully(int fd, void *buf, u32 n);

void write_fully(int fd, const void *buf, u32 n);

/* All that is left of a file: mapped where that goes, else read piece by piece behind the program's data. */
const unsigned char *load(int fd, u32 *size);
