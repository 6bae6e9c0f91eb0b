/* crc32 [FILE]...: the checksum of Ethernet, gzip and PNG.

   The bytes are the coefficients of a polynomial over the field of two elements; the checksum is its remainder on
   division by x^32 + x^26 + ... + 1.  Bits are reflected: the lowest one belongs to the highest power. */
#include "file.h"

#define POLYNOMIAL 0xEDB88320 /* without x^32 */

static u32 remainders[256]; /* of each byte, followed by four zeros */
static unsigned char page[4096];

static void make_table(void)
{
    for (u32 byte = 0; byte < 256; byte++) {
        u32 rest = byte;
        for (int bit = 0; bit < 8; bit++)
            rest = rest >> 1 ^ (rest & 1 ? POLYNOMIAL : 0);
        remainders[byte] = rest;
    }
}

static void show_checksum(const char *name)
{
    u32 crc = 0xFFFFFFFF, size = 0; /* from ones, so that zeros in front count */
    int fd = open_input(name), n;

    while ((n = check(read(fd, page, sizeof page), "read")) > 0) {
        size += n;
        for (int i = 0; i < n; i++)
            crc = crc >> 8 ^ remainders[(crc ^ page[i]) & 255];
    }
    close(fd);
    print("crc32: %08x, %u bytes%s%s\n", ~crc, size, name ? " of " : "", name ? name : "");
}

int main(int argc, char **argv)
{
    make_table();
    if (argc == 1)
        show_checksum(NULL);
    for (int i = 1; i < argc; i++)
        show_checksum(argv[i]);
    return 0;
}
