/* What is drawn: numbers, descriptors, paths, places in memory; now and then bad ones. */
#include "randomcalls.h"

enum { NEAR = 64, LONG_NAME = 256, SHOWN = 100 };
enum { MOST = 5552 }; /* bytes for which Adler's second sum does not overflow */

static u32 state = 1;

/* Any value begins another sequence. */
void seed(u32 value)
{
    state = value * 2654435761u | 1;
}

/* A number below n (Marsaglia's xorshift). */
u32 draw(u32 n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

int draw_fd(void)
{
    static const int bad[] = {-1, NR_FDS, 1000, -0x7FFFFFFF, 23};

    if (draw(16) == 0)
        return bad[draw(5)];
    return 3 + draw(10);
}

void copy_string(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
}

static char *const nowhere = (char *)0;
static char *const kernel = (char *)0xC0100000;
static char path[1000];

/* Up to three components below one of three places. */
const char *draw_path(void)
{
    static const char *const starts[] = {"", "", "/world/", "/disk/world/"};
    static const char *const names[] = {"a", "b", "c", "d", "a", "b", "c", "d", "e", ".", "..", NULL};
    const char *special[] = {nowhere, kernel, "", "/dev/null", "/dev/zero", "/", "/disk", "world"};
    u32 n = draw(48), at;

    if (n < 8)
        return special[n];
    copy_string(path, starts[draw(4)]);
    n = 1 + draw(3);
    for (u32 i = 0; i < n; i++) {
        const char *name = names[draw(12)];
        at = strlen(path);
        if (i > 0)
            path[at++] = '/';
        if (name) {
            copy_string(path + at, name);
        } else {
            memset(path + at, 'n', LONG_NAME);
            path[at + LONG_NAME] = 0;
        }
    }
    if (draw(8) == 0)
        copy_string(path + strlen(path), "/");
    return path;
}

/* A path as it can be printed. */
const char *shown(const char *p)
{
    return p == nowhere ? "(null)" : p == kernel ? "(kernel)" : strlen(p) > SHOWN ? "(long)" : p;
}

char room[ROOM];
static char pattern[ROOM];

/* A page before this address is memory, the one behind it may not be touched. */
static char *border(void)
{
    char *pages = (char *)mmap2(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mmap2(pages + PAGE, PAGE, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return pages + PAGE;
}

static char *source_border, *target_border;

/* What is written, always the same bytes. */
void make_pattern(void)
{
    seed(0);
    for (u32 i = 0; i < ROOM; i++)
        pattern[i] = draw(256);
    source_border = border();
    target_border = border();
    memcpy(source_border - PAGE, pattern, PAGE);
}

/* Where something is to be read to; so many bytes are there. */
char *draw_target(u32 *there)
{
    u32 n = draw(24), near;

    *there = 0;
    switch (n) {
    case 0:
        return nowhere;
    case 1:
        return kernel;
    case 2:
        return (char *)draw_target; /* cannot be written */
    case 3:
        near = draw(NEAR);
        *there = near;
        return target_border - near;
    }
    *there = ROOM;
    return room;
}

/* Where what is to be written comes from. */
const char *draw_source(void)
{
    u32 n = draw(24);

    switch (n) {
    case 0:
        return nowhere;
    case 1:
        return kernel;
    case 2:
        return source_border - draw(NEAR);
    }
    return pattern + draw(512);
}

u32 draw_size(void)
{
    static const u32 limits[] = {2, 64, 64, 2000, 2000, 9000};

    return draw(limits[draw(6)]);
}

/* In a file: mostly near its beginning, sometimes far away, or impossible. */
int draw_position(void)
{
    switch (draw(12)) {
    case 0:
        return -(int)draw(100);
    case 1:
        return draw(400000);
    case 2:
        return 0;
    }
    return draw(30000);
}

/* Adler-32 of more bytes.  Eight at a time, because the machine counts what programs do block by block. */
u32 adler(u32 sum, const void *from, u32 n)
{
    const unsigned char *p = from;
    u32 a = sum & 0xFFFF, b = sum >> 16;

    while (n > 0) {
        u32 piece = n < MOST ? n : MOST;
        n -= piece;
        for (; piece >= 8; piece -= 8, p += 8) {
            b += 8 * a + 8 * p[0] + 7 * p[1] + 6 * p[2] + 5 * p[3] + 4 * p[4] + 3 * p[5] + 2 * p[6] + p[7];
            a += p[0] + p[1] + p[2] + p[3] + p[4] + p[5] + p[6] + p[7];
        }
        for (; piece > 0; piece--)
            b += a += *p++;
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}
