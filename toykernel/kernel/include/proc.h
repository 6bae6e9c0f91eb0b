/* Files whose text is made when they are read. */
#pragma once

#include "fs.h"

struct text {
    char *to;     /* where the part goes that is wanted */
    u32 from;     /* its first byte */
    u32 size;     /* how many bytes it may have */
    u32 position; /* how many were made, wanted or not */
};

struct proc_file {
    const char *name;            /* in /proc */
    void (*make)(struct text *); /* makes all of it */
};

enum { NR_PROC_FILES = 3 };
extern const struct proc_file proc_files[NR_PROC_FILES]; /* fs/proc_text.c */
