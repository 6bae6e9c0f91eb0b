/* Formatted output. */
#include "libc.h"

enum { LINE = 256 }; /* what is longer is cut off */

struct line {
    char text[LINE];
    u32 length;
};

static void put(struct line *line, char c)
{
    if (line->length < LINE)
        line->text[line->length++] = c;
}

static void put_string(struct line *line, const char *s)
{
    while (*s)
        put(line, *s++);
}

static void put_number(struct line *line, u32 value, u32 base)
{
    char digits[10];
    int n = 0;

    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n > 0)
        put(line, digits[--n]);
}

static void put_signed(struct line *line, int value)
{
    if (value < 0)
        put(line, '-');
    put_number(line, value < 0 ? -(u32)value : (u32)value, 10);
}

static void put_argument(struct line *line, char kind, va_list *arguments)
{
    switch (kind) {
    case 's':
        put_string(line, va_arg(*arguments, const char *));
        break;
    case 'd':
        put_signed(line, va_arg(*arguments, int));
        break;
    case 'u':
        put_number(line, va_arg(*arguments, u32), 10);
        break;
    case 'x':
        put_number(line, va_arg(*arguments, u32), 16);
        break;
    case 'c':
        put(line, va_arg(*arguments, int));
        break;
    default:
        put(line, kind);
    }
}

void print(const char *format, ...)
{
    struct line line;
    va_list arguments;

    line.length = 0;
    va_start(arguments, format);
    for (; *format; format++) {
        if (*format == '%' && format[1])
            put_argument(&line, *++format, &arguments);
        else
            put(&line, *format);
    }
    va_end(arguments);
    write(1, line.text, line.length);
}
