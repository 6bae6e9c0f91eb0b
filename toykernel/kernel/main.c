/* The boot, from the first C function to the last command. */
#include "fs.h"

/* What the boot loader leaves behind (Multiboot 1): physical addresses throughout. */
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

static struct multiboot_module archive, disk; /* the files that we start with, and a disk if there is one */
static u32 memory_end;                        /* first address behind the memory */

/* Copy what the loader left before anything is allocated there. */
static void read_boot_info(const struct multiboot_info *info)
{
    const char *line = info->flags & 4 ? virtual(info->cmdline) : "";

    while (*line && *line != ' ')
        line++;
    if (strlen(line) >= sizeof commands)
        panic("command line too long", strlen(line));
    memcpy(commands, line, strlen(line));
    memory_end = (1024 + (info->flags & 1 ? info->mem_upper : 0)) * 1024;
    if (info->flags & 8 && info->mods_count > 0) {
        const struct multiboot_module *modules = virtual(info->mods_address);
        archive = disk = modules[0];
        disk.start = disk.end;
        if (info->mods_count > 1)
            disk = modules[1];
    }
}

void kernel_main(u32 magic, u32 info_address)
{
    serial_init(); /* now we can speak */
    if (magic != MULTIBOOT_MAGIC)
        panic("no multiboot loader", magic);
    read_boot_info(virtual(info_address));      /* command line, archive, size of memory */
    cpu_init();                                 /* segments, gates, task-state segment */
    trap_init();                                /* exceptions and int 0x80 */
    irq_init();                                 /* interrupt lines, all masked */
    mem_init(disk.end, memory_end);             /* page frames */
    ramfs_init();                               /* an empty root directory */
    unpack_archive(archive.start, archive.end); /* its files */
    devices_init();                             /* /dev */
    proc_init();                                /* /proc */
    mount_disk(disk.start, disk.end);           /* /disk, if there is one */
    timer_init();                               /* 100 interrupts a second */
    if (do_fork(init) < 0)                      /* process 1 runs the commands */
        panic("no memory for init", 0);
    idle(); /* from now on */
}
