/* randomcalls SEED COUNT [FROM TO]: remove what another run has left, make so many calls, print a checksum of all
   results now and then, and what is in the files at the end; of the calls between FROM and TO print each one. */
#include "randomcalls.h"

enum { REPORT = 1000 };

static u32 from = ~0u, to; /* the calls to be shown */
static u32 number;         /* of the call */
static u32 total_weight;

static const struct operation *draw_operation(void)
{
    const struct operation *operation = operations;
    u32 n = draw(total_weight);

    for (; n >= operation->weight; operation++)
        n -= operation->weight;
    return operation;
}

static void show(const struct call *c, int result)
{
    print("%u %s \"%s\" %d %d %d = %d sum %x\n", number, c->name, shown(c->path), c->a, c->b, c->c, result,
          c->sum);
}

/* Make one call; the checksum with its results. */
static u32 make_call(u32 sum)
{
    const struct operation *operation = draw_operation();
    struct call call = {.name = operation->name, .path = ""};
    int result = operation->run(&call);

    if (from <= number && number <= to)
        show(&call, result);
    return ((sum << 5 | sum >> 27) ^ (u32)result) + call.sum;
}

/* A child's calls, which have the parent's number. */
int run_calls(u32 seed_value, u32 n)
{
    u32 sum = 0;

    seed(seed_value);
    while (n-- > 0)
        sum = make_call(sum);
    return sum;
}

static void run(u32 count)
{
    u32 sum = 0;

    for (number = 1; number <= count; number++) {
        sum = make_call(sum);
        if (number % REPORT == 0 || number == count)
            print("%u calls: %x\n", number, sum);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) {
        print("usage: randomcalls SEED COUNT [FROM TO]\n");
        return 2;
    }
    if (argc == 5) {
        from = parse_number(argv[3]);
        to = parse_number(argv[4]);
    }
    for (const struct operation *operation = operations; operation->name; operation++)
        total_weight += operation->weight;
    make_pattern();
    remove_world();
    mkdir("/world", 0755);
    mkdir("/disk/world", 0755);
    chdir("/world");
    seed(parse_number(argv[1]));
    run(parse_number(argv[2]));
    for (int fd = 3; fd < NR_FDS; fd++)
        close(fd);
    print_world();
    sync(); /* so that nothing waits to be written */
    return 0;
}
