/* search PATTERN [FILE]: where a text contains a pattern (Boyer and Moore's way, as Horspool made it simple).

   Compare at the pattern's end.  Whatever stands there in the text must, at the next place tried, stand under the
   same byte of the pattern: most places are skipped. */
#include "file.h"

static u32 skip[256]; /* how far the pattern moves on, by the text's byte under its last one */

static void make_table(const unsigned char *pattern, u32 length)
{
    for (u32 i = 0; i < 256; i++)
        skip[i] = length;
    for (u32 i = 0; i + 1 < length; i++)
        skip[pattern[i]] = length - 1 - i;
}

static int matches(const unsigned char *text, const unsigned char *pattern, u32 length)
{
    while (length > 0 && text[length - 1] == pattern[length - 1])
        length--;
    return length == 0;
}

int main(int argc, char **argv)
{
    const unsigned char *pattern = (unsigned char *)argv[1], *text;
    u32 length = argc > 1 ? strlen(argv[1]) : 0, size, found = 0, first = 0, tried = 0;

    if (length == 0 || argc > 3)
        die("usage: search PATTERN [FILE]\n");
    make_table(pattern, length);
    text = load(open_input(argv[2]), &size);
    for (u32 at = 0; at + length <= size; at += skip[text[at + length - 1]], tried++)
        if (matches(text + at, pattern, length) && found++ == 0)
            first = at;
    print("search: %u times, first at %u, %u of %u places tried\n", found, first, tried, size);
    return 0;
}
