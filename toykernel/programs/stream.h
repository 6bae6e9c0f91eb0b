/* Bytes one at a time.  The program brings the buffer, whose size is that of the system calls. */
#pragma once

#include "libc.h"

enum { END = -1 };

struct stream {
    int fd;               /* where bytes come from, or go to */
    u32 size;             /* of the buffer */
    u32 at;               /* the next byte to take, or the next free place */
    u32 end;              /* reading: behind the last byte that is there */
    unsigned char *bytes; /* the buffer */
};

#define STREAM(descriptor, buffer) {.fd = descriptor, .size = sizeof(buffer), .bytes = buffer}

int refill(struct stream *in);
void flush(struct stream *out);

/* The next byte, or END. */
static inline int get(struct stream *in)
{
    return in->at < in->end ? in->bytes[in->at++] : refill(in);
}

static inline void put(struct stream *out, int byte)
{
    if (out->at == out->size)
        flush(out);
    out->bytes[out->at++] = byte;
}

/* The next decimal number, whatever stands before it; END where none follows.  It takes one byte behind it, too. */
int get_number(struct stream *in);
