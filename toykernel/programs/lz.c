/* lz pack|unpack: make a text shorter by pointing at what was there before (Lempel and Ziv; Storer and Szymanski).

   Packed, eight items follow each byte of flags, lowest bit first: 0 is a byte as it is, 1 is two bytes that say how
   far back (12 bits) and for how long (4 bits) to copy. */
#include "file.h"
#include "stream.h"

enum { WINDOW = 4096, SHORTEST = 3, LONGEST = SHORTEST + 15, ITEMS = 8, HASHES = 1024 };

static unsigned char in_buffer[512], out_buffer[512];
static struct stream in = STREAM(0, in_buffer), out = STREAM(1, out_buffer);

static struct {
    unsigned char bytes[1 + 2 * ITEMS]; /* the flags first */
    u32 size, items;                    /* how many there are */
} group;

static void put_group(void)
{
    for (u32 i = 0; i < group.size; i++)
        put(&out, group.bytes[i]);
    group.size = group.items = 0;
}

static void add_item(u32 flag, u32 value)
{
    if (group.items == 0)
        group.bytes[group.size++] = 0;
    group.bytes[0] |= flag << group.items++;
    group.bytes[group.size++] = value;
    if (flag)
        group.bytes[group.size++] = value >> 8;
    if (group.items == ITEMS)
        put_group();
}

/* Where the same three bytes were seen last, as far as a table without chains remembers; they are there now. */
static u32 seen_before(const unsigned char *text, u32 at)
{
    static u32 last[HASHES]; /* position + 1 */
    u32 hash = ((text[at] << 16 | text[at + 1] << 8 | text[at + 2]) * 2654435761u) >> 22, before = last[hash];

    last[hash] = at + 1;
    return before ? before - 1 : at;
}

static u32 matching(const unsigned char *a, const unsigned char *b, u32 most)
{
    u32 n = 0;

    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* Pack what begins at `at`; how many bytes that takes care of. */
static u32 pack_item(const unsigned char *text, u32 at, u32 left)
{
    u32 before = left < SHORTEST ? at : seen_before(text, at), back = at - before, length = 0;

    if (back > 0 && back <= WINDOW)
        length = matching(text + before, text + at, left < LONGEST ? left : LONGEST);
    if (length < SHORTEST) {
        add_item(0, text[at]);
        return 1;
    }
    add_item(1, (back - 1) | (length - SHORTEST) << 12);
    return length;
}

static void pack(void)
{
    u32 size;
    const unsigned char *text = load(0, &size);

    for (u32 at = 0; at < size;)
        at += pack_item(text, at, size - at);
    put_group();
}

static unsigned char window[WINDOW]; /* the last bytes that were unpacked, in a ring */
static u32 unpacked;

static void emit(int byte)
{
    put(&out, byte);
    window[unpacked++ % WINDOW] = byte;
}

/* The copy may run into its own beginning: that repeats it. */
static void copy(u32 item)
{
    u32 back = (item & (WINDOW - 1)) + 1, length = (item >> 12) + SHORTEST;

    while (length-- > 0)
        emit(window[(unpacked - back) % WINDOW]);
}

static void unpack(void)
{
    for (int flags; (flags = get(&in)) != END;)
        for (int i = 0, byte; i < ITEMS && (byte = get(&in)) != END; i++, flags >>= 1) {
            if (flags & 1)
                copy(byte | get(&in) << 8);
            else
                emit(byte);
        }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "pack") == 0)
        pack();
    else if (argc == 2 && strcmp(argv[1], "unpack") == 0)
        unpack();
    else
        die("usage: lz pack|unpack\n");
    flush(&out);
    return 0;
}
