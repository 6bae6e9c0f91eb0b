/* The driver of a disk that the boot loader has put into memory. */
#include "buffer.h"

/* Done at once; a real disk would queue it. */
static void ramdisk_request(struct block_device *device, int rw, struct buffer_head *bh)
{
    void *place = device->private + bh->b_blocknr * BLOCK_SIZE;

    if (rw == DISK_WRITE)
        memcpy(place, bh->b_data, BLOCK_SIZE);
    else
        memcpy(bh->b_data, place, BLOCK_SIZE);
}

static struct block_device ramdisk = {.request_fn = ramdisk_request};

/* The whole blocks between two physical addresses. */
struct block_device *ramdisk_init(u32 start, u32 end)
{
    ramdisk.blocks = (end - start) >> BLOCK_SHIFT;
    ramdisk.private = virtual(start);
    return &ramdisk;
}
