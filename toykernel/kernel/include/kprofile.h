/* What the profiling system call (kprofile.c) knows: types, and where their probes count. */
#pragma once

#include "types.h"

enum type { BLOCKS, EDGES, STACKS, VALUES, CYCLES, NR_TYPES };

struct kprofile_area {
    void *start; /* where the probes of this type count */
    u32 size;    /* in bytes, 0 if nothing was inserted */
};
extern struct kprofile_area kprofile_areas[NR_TYPES];
