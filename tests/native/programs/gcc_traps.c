/* What compilers make of ordinary C, and of gcc's extensions, where no relocation tells the whole. */
typedef unsigned u32;
#define NOINLINE __attribute__((noinline, noclone))

static void leave(u32 status)
{
    for (;;)
        __asm__ volatile("int $0x80" : : "a"(1), "b"(status & 255));
}

static void check(int line, u32 found, u32 expected)
{
    if (found != expected)
        leave(line);
}
#define CHECK(found, expected) check(__LINE__, found, expected)

static u32 counter;

NOINLINE static u32 threaded(const unsigned char *code)
{
    static const void *const ways[] = {&&add, &&twice, &&done};
    u32 value = 0;
    goto *ways[*code++];
add:
    value += 3;
    goto *ways[*code++];
twice:
    value *= 2;
    goto *ways[*code++];
done:
    return value;
}

NOINLINE static u32 by_distance(const unsigned char *code)
{
    static const int ways[] = {&&add - &&add, &&twice - &&add, &&done - &&add};
    u32 value = 0;
    goto *(&&add + ways[*code++]);
add:
    value += 3;
    goto *(&&add + ways[*code++]);
twice:
    value *= 2;
    goto *(&&add + ways[*code++]);
done:
    return value;
}

/* A nested function whose address is taken: gcc writes a trampoline onto the stack. */
NOINLINE static u32 apply(u32 (*f)(u32), u32 x) { return f(x) + f(x + 1); }
NOINLINE static u32 nested(u32 base)
{
    u32 add(u32 x) { return x + base; }
    return apply(add, 1);
}

NOINLINE static u32 *wanted_frame(void) { return __builtin_frame_address(0); }
NOINLINE static const void *caller(void) { return __builtin_return_address(0); }

NOINLINE static u32 variadic(u32 count, ...)
{
    __builtin_va_list arguments;
    u32 sum = 0;
    __builtin_va_start(arguments, count);
    while (count--)
        sum = sum * 10 + __builtin_va_arg(arguments, u32);
    __builtin_va_end(arguments);
    return sum;
}

static void *resume[5];
NOINLINE static void jump_back(void) { __builtin_longjmp(resume, 1); }

extern u32 missing(u32) __attribute__((weak));
extern u32 renamed(u32) __attribute__((alias("original")));
__attribute__((used)) u32 original(u32 x) { return x + 5; }

NOINLINE static u32 text_length(const char *text)
{
    u32 length = 0;
    while (*text++)
        length++;
    return length;
}

struct operations { const char *name; u32 (*run)(u32); struct operations *next; };
static u32 increment(u32 x) { return x + 1; }
static u32 square(u32 x) { return x * x; }
static struct operations second = {"square", square, 0};
static struct operations first = {"increment", increment, &second};
static u32 (*const *volatile inside)(u32) = &first.run;

void _start(void)
{
    __asm__ volatile("and $-16, %esp");
    CHECK(threaded((const unsigned char[]){0, 1, 0, 2}), 9);
    CHECK(by_distance((const unsigned char[]){0, 1, 1, 0, 2}), 15);
    CHECK(nested(10), 23);
    CHECK(wanted_frame() != 0, 1);
    CHECK(caller() != 0, 1);
    CHECK(variadic(9, 1, 2, 3, 4, 5, 6, 7, 8, 9), 123456789);
    if (__builtin_setjmp(resume) == 0)
        jump_back();
    else
        counter++;
    CHECK(counter, 1);
    CHECK(missing == 0, 1);
    CHECK(renamed(1), 6);
    CHECK(text_length("a tail") + text_length("tail") * 10, 46);
    u32 value = 3;
    for (struct operations *o = &first; o; o = o->next)
        value = o->run(value) + text_length(o->name);
    CHECK(value, (3 + 1 + 9) * 13 + 6);
    CHECK((*inside)(1), 2);
    leave(0);
}
