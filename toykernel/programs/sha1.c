/* sha1 [FILE]: the Secure Hash Algorithm of FIPS 180.

   A state of five words is stirred by each block of sixteen; the last block ends with the length in bits. */
#include "file.h"

enum { BLOCK = 64, LENGTH = 8, ROUNDS = 80 };

static u32 state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
static unsigned char buffer[16 * BLOCK];

static u32 rotate(u32 word, int n)
{
    return word << n | word >> (32 - n);
}

/* The block's words, first byte highest, and 64 more that are made of them. */
static void expand(const unsigned char *block, u32 words[ROUNDS])
{
    for (int i = 0; i < BLOCK / 4; i++, block += 4)
        words[i] = block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3];
    for (int i = BLOCK / 4; i < ROUNDS; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
}

/* Choice, parity, majority, parity: twenty rounds each, with a constant of its own. */
static u32 mix(int round, u32 b, u32 c, u32 d)
{
    switch (round / 20) {
    case 0:
        return ((b & c) | (~b & d)) + 0x5A827999;
    case 1:
        return (b ^ c ^ d) + 0x6ED9EBA1;
    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
    default:
        return (b ^ c ^ d) + 0xCA62C1D6;
    }
}

static void stir(const unsigned char *block)
{
    u32 words[ROUNDS], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    expand(block, words);
    for (int round = 0; round < ROUNDS; round++) {
        u32 sum = rotate(a, 5) + mix(round, b, c, d) + e + words[round];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = sum;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* What is left over after the whole blocks, a one bit, zeros, and the length: one block or two. */
static void finish(const unsigned char *rest, u32 n, u32 length)
{
    unsigned char last[2 * BLOCK] = {0};
    u32 size = n + 1 + LENGTH <= BLOCK ? BLOCK : 2 * BLOCK;

    memcpy(last, rest, n);
    last[n] = 0x80;
    last[size - 5] = length >> 29;
    for (u32 i = 1; i <= 4; i++)
        last[size - i] = length << 3 >> 8 * (i - 1);
    for (u32 at = 0; at < size; at += BLOCK)
        stir(last + at);
}

int main(int argc, char **argv)
{
    int fd = open_input(argc > 1 ? argv[1] : NULL);
    u32 length = 0, n, at;

    do {
        length += n = read_fully(fd, buffer, sizeof buffer);
        for (at = 0; at + BLOCK <= n; at += BLOCK)
            stir(buffer + at);
    } while (n == sizeof buffer);
    finish(buffer + at, n - at, length);
    print("sha1: %08x%08x%08x%08x%08x\n", state[0], state[1], state[2], state[3], state[4]);
    return 0;
}
