/* adpcm encode|decode: sound of 16 bits a sample in 4 bits, and back (the IMA's algorithm, 1992).

   Both sides guess that a sample is like the one before.  Four bits say how far it is off, in steps that grow where
   the guess was bad and shrink where it was good.  The encoder listens to what it says: errors do not add up. */
#include "file.h"
#include "stream.h"

enum { SIGN = 8, LAST_STEP = 88 };

static const short steps[LAST_STEP + 1] = {
    7,    8,     9,     10,    11,    12,    13,    14,    16,    17,    19,    21,    23,    25,    28,
    31,   34,    37,    41,    45,    50,    55,    60,    66,    73,    80,    88,    97,    107,   118,
    130,  143,   157,   173,   190,   209,   230,   253,   279,   307,   337,   371,   408,   449,   494,
    544,  598,   658,   724,   796,   876,   963,   1060,  1166,  1282,  1411,  1552,  1707,  1878,  2066,
    2272, 2499,  2749,  3024,  3327,  3660,  4026,  4428,  4871,  5358,  5894,  6484,  7132,  7845,  8630,
    9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
};
static const signed char change[SIGN] = {-1, -1, -1, -1,
                                         2,  4,  6,  8}; /* of the step, by the code without its sign */

static int guess, step; /* the last sample as the decoder has it, and an index of steps */
static unsigned char in_buffer[1000], out_buffer[1000];
static struct stream in = STREAM(0, in_buffer), out = STREAM(1, out_buffer);

static int limited(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

/* The bits of a code stand for a step, its half, and its quarter; an eighth is always added. */
static int decode(int code)
{
    int size = steps[step], offset = size >> 3;

    for (int bit = 4; bit > 0; bit >>= 1, size >>= 1)
        if (code & bit)
            offset += size;
    guess = limited(code & SIGN ? guess - offset : guess + offset, -32768, 32767);
    step = limited(step + change[code & ~SIGN], 0, LAST_STEP);
    return guess;
}

static int encode(int sample)
{
    int size = steps[step], off = sample - guess, code = off < 0 ? SIGN : 0;

    off = off < 0 ? -off : off;
    for (int bit = 4; bit > 0; bit >>= 1, size >>= 1)
        if (off >= size) {
            code |= bit;
            off -= size;
        }
    decode(code);
    return code;
}

/* Little-endian; silence behind the end. */
static int get_sample(void)
{
    int low = get(&in), high = get(&in);

    return high == END ? 0 : (short)(low | high << 8);
}

static void put_sample(int sample)
{
    put(&out, sample);
    put(&out, sample >> 8);
}

/* Two samples make a byte, the first one its upper half. */
static void encode_all(void)
{
    int first = get_sample();

    for (; in.end > 0; first = get_sample()) {
        int high = encode(first);
        put(&out, high << 4 | encode(get_sample()));
    }
}

static void decode_all(void)
{
    for (int byte; (byte = get(&in)) != END;) {
        put_sample(decode(byte >> 4));
        put_sample(decode(byte & 15));
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "encode") == 0)
        encode_all();
    else if (argc == 2 && strcmp(argv[1], "decode") == 0)
        decode_all();
    else
        die("usage: adpcm encode|decode\n");
    flush(&out);
    return 0;
}
