// The C library's strings and memory: routines that are chosen at run time (ifuncs), jump tables written by hand.
// counted: compare_words: 27
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) int compare_words(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void) {
    char text[] = "the quick brown fox jumps over the lazy dog and runs";
    char *words[16];
    int count = 0;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) words[count++] = strdup(word);
    qsort(words, count, sizeof *words, compare_words);
    for (int i = 0; i < count; i++) printf("%2d %-8s %zu\n", i, words[i], strlen(words[i]));
    for (int size = 1; size < 3000; size = size * 5 / 3 + 1) {  // every way through memcpy, memset and memcmp
        char *from = malloc(size + 16), *to = calloc(size + 16, 1);
        for (int shift = 0; shift < 4; shift++) {
            memset(from, 'a' + shift, size + 8);
            from[size / 2] = 'z';
            memcpy(to + shift, from, size);
            memmove(to + shift + 1, to + shift, size);
            if (memcmp(to + shift + 1, from, size)) return 1;
            if (memchr(from, 'z', size) != from + size / 2) return 2;
        }
        from[size] = 0;
        if (strlen(from) != (size_t)size || strchr(from, 'z') != from + size / 2 || strrchr(from, 'q')) return 3;
        if (strnlen(from, 7) != (size_t)(size < 7 ? size : 7) || strcasecmp(from, from) || strstr(from, "qq")) return 4;
        to = realloc(to, 2 * size + 64);
        strcpy(to, from);
        strcat(to, "tail");
        if (strcspn(to, "t") != (size_t)size || strncmp(to, from, size)) return 5;
        free(from);
        free(to);
    }
    return count;
}
