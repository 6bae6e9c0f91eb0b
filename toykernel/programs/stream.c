#include "stream.h"
#include "file.h"

int refill(struct stream *in)
{
    in->at = 0;
    in->end = check(read(in->fd, in->bytes, in->size), "read");
    return in->end ? in->bytes[in->at++] : END;
}

void flush(struct stream *out)
{
    write_fully(out->fd, out->bytes, out->at);
    out->at = 0;
}

static int is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

int get_number(struct stream *in)
{
    int byte = get(in), number = 0;

    while (byte != END && !is_digit(byte))
        byte = get(in);
    if (byte == END)
        return END;
    for (; is_digit(byte); byte = get(in))
        number = number * 10 + byte - '0';
    return number;
}
