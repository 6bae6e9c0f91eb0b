/* What the boot loader leaves behind (Multiboot 1): physical addresses throughout. */
#pragma once

#include "types.h"

#define MULTIBOOT_MAGIC 0x2BADB002

struct multiboot_info {
    u32 flags;        /* which of the following are there */
    u32 mem_lower;    /* KiB from 0 */
    u32 mem_upper;    /* KiB from 1 MiB; flag 0 */
    u32 boot_device;  /* flag 1, not used here */
    u32 cmdline;      /* string; flag 2 */
    u32 mods_count;   /* modules; flag 3 */
    u32 mods_address; /* array of them */
};

struct multiboot_module {
    u32 start;    /* first byte; at a page */
    u32 end;      /* behind the last byte */
    u32 string;   /* its name, not used here */
    u32 reserved; /* 0 */
};
