/* bitcount [FILE]: how many bits are set, counted in four ways that must agree. */
#include "file.h"

enum { WORDS = 250 };

static u32 words[WORDS]; /* 1000 bytes: calls that no page and no sector ends with */
static unsigned char bits_of[256];

static u32 one_by_one(u32 word)
{
    u32 n = 0;

    for (; word; word >>= 1)
        n += word & 1;
    return n;
}

/* word - 1 turns the lowest one and the zeros below it over. */
static u32 lowest_first(u32 word)
{
    u32 n = 0;

    for (; word; word &= word - 1)
        n++;
    return n;
}

static u32 by_table(u32 word)
{
    return bits_of[word & 255] + bits_of[word >> 8 & 255] + bits_of[word >> 16 & 255] + bits_of[word >> 24];
}

/* Sums of one bit become sums of two, of four, of eight; the product adds the four bytes up in the highest. */
static u32 in_parallel(u32 word)
{
    word -= word >> 1 & 0x55555555;
    word = (word & 0x33333333) + (word >> 2 & 0x33333333);
    word = (word + (word >> 4)) & 0x0F0F0F0F;
    return word * 0x01010101 >> 24;
}

static u32 (*const methods[])(u32) = {one_by_one, lowest_first, by_table, in_parallel};
enum { METHODS = sizeof methods / sizeof *methods };

static u32 count(u32 (*method)(u32), u32 n)
{
    u32 sum = 0;

    for (u32 i = 0; i < n; i++)
        sum += method(words[i]);
    return sum;
}

int main(int argc, char **argv)
{
    int fd = open_input(argc > 1 ? argv[1] : NULL);
    u32 sums[METHODS] = {0}, size = 0, n;

    for (u32 byte = 0; byte < 256; byte++)
        bits_of[byte] = one_by_one(byte);
    do {
        memset(words, 0, sizeof words); /* the last word may be filled in part */
        size += n = read_fully(fd, words, sizeof words);
        for (u32 i = 0; i < METHODS; i++)
            sums[i] += count(methods[i], (n + 3) / 4);
    } while (n == sizeof words);
    for (u32 i = 1; i < METHODS; i++)
        if (sums[i] != sums[0])
            die("bitcount: method %u found %u, not %u\n", i, sums[i], sums[0]);
    print("bitcount: %u of %u bits\n", sums[0], size * 8);
    return 0;
}
