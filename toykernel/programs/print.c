/* Formatted output. */
#include "libc.h"

enum { LINE = 256 }; /* what is longer is cut off */

struct line {
    char *text;
    u32 size, length; /* of what fits, and of what is there */
};

static void put(struct line *line, char c)
{
    if (line->length < line->size)
        line->text[line->length++] = c;
}

static void put_string(struct line *line, const char *s)
{
    while (*s)
        put(line, *s++);
}

static void put_number(struct line *line, u32 value, u32 base, int width)
{
    char digits[10];
    int n = 0;

    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    for (; width > n; width--)
        put(line, '0');
    while (n > 0)
        put(line, digits[--n]);
}

static void put_signed(struct line *line, int value)
{
    if (value < 0)
        put(line, '-');
    put_number(line, value < 0 ? -(u32)value : (u32)value, 10, 0);
}

static void put_argument(struct line *line, char kind, int width, va_list *arguments)
{
    switch (kind) {
    case 's':
        put_string(line, va_arg(*arguments, const char *));
        break;
    case 'd':
        put_signed(line, va_arg(*arguments, int));
        break;
    case 'u':
        put_number(line, va_arg(*arguments, u32), 10, width);
        break;
    case 'x':
        put_number(line, va_arg(*arguments, u32), 16, width);
        break;
    case 'c':
        put(line, va_arg(*arguments, int));
        break;
    default:
        put(line, kind);
    }
}

static void put_all(struct line *line, const char *format, va_list *arguments)
{
    for (; *format; format++) {
        int width = 0;
        if (*format != '%' || !format[1]) {
            put(line, *format);
            continue;
        }
        while (*++format >= '0' && *format <= '9')
            width = width * 10 + *format - '0';
        put_argument(line, *format, width, arguments);
    }
}

void print(const char *format, ...)
{
    char text[LINE];
    struct line line = {text, LINE, 0};
    va_list arguments;

    va_start(arguments, format);
    put_all(&line, format, &arguments);
    va_end(arguments);
    write(1, text, line.length);
}

void complain(const char *format, ...)
{
    char text[LINE];
    struct line line = {text, LINE, 0};
    va_list arguments;

    va_start(arguments, format);
    put_all(&line, format, &arguments);
    va_end(arguments);
    write(2, text, line.length);
}

u32 format(char *to, u32 size, const char *format, ...)
{
    struct line line = {to, size - 1, 0};
    va_list arguments;

    va_start(arguments, format);
    put_all(&line, format, &arguments);
    va_end(arguments);
    to[line.length] = 0;
    return line.length;
}
