/* sort [-T DIR] [FILE]: put records of 32 bytes in order, however many there are.

   As many as memory holds are sorted there and written to a temporary file, run after run.  Then the runs are merged:
   again and again, the smallest of their first records goes out.  A heap finds the smallest, here as there. */
#include "heap.h"
#include "file.h"

enum { RECORD = 32, RUN = 2048, SECTOR = 512, MOST_RUNS = 256, NAME = 100 };

struct run {
    unsigned char sector[SECTOR]; /* a few records; the first that did not go out yet is in the heap */
    u32 size;                     /* how many bytes are there */
    u32 at, end;                  /* what is left in the temporary file */
};

typedef unsigned char *follower(unsigned char *record); /* what comes next to a record, or NULL */

static struct run *runs; /* allocated one behind the other */
static u32 run_count;
static unsigned char *heap[MOST_RUNS]; /* heap[i] is not above heap[2 i + 1] and heap[2 i + 2] */
static u32 heap_size;
static unsigned char memory[RUN], out[SECTOR];
static u32 out_size;
static int temporary; /* the file */

static int below(u32 a, u32 b)
{
    return memcmp(heap[a], heap[b], RECORD) < 0;
}

static void swap(u32 a, u32 b)
{
    unsigned char *record = heap[a];
    heap[a] = heap[b];
    heap[b] = record;
}

/* What stands here may be too large for its place: down with it. */
static void settle(u32 at)
{
    for (u32 child; (child = 2 * at + 1) < heap_size; at = child) {
        child += child + 1 < heap_size && below(child + 1, child);
        if (!below(child, at))
            return;
        swap(at, child);
    }
}

static void flush(int fd)
{
    write_fully(fd, out, out_size);
    out_size = 0;
}

/* Append a record to a file, a sector at a time. */
static void put_record(int fd, const unsigned char *record)
{
    memcpy(out + out_size, record, RECORD);
    out_size += RECORD;
    if (out_size == SECTOR)
        flush(fd);
}

/* Empty the heap into a file, the smallest record first; what is next to a record takes its place. */
static void drain(int fd, follower *next)
{
    for (u32 at = heap_size / 2; at-- > 0;)
        settle(at);
    for (; heap_size > 0; settle(0)) {
        put_record(fd, heap[0]);
        heap[0] = next(heap[0]);
        if (!heap[0])
            heap[0] = heap[--heap_size];
    }
    flush(fd);
}

static unsigned char *nothing(unsigned char *record)
{
    (void)record;
    return NULL;
}

/* Read up to a run's records into the heap; how many bytes there were. */
static u32 read_records(int fd)
{
    u32 size = read_fully(fd, memory, RUN);

    if (size % RECORD)
        die("sort: the last record has %u bytes\n", size % RECORD);
    for (heap_size = 0; heap_size < size / RECORD; heap_size++)
        heap[heap_size] = memory + heap_size * RECORD;
    return size;
}

/* The next few records of a run, from wherever they are in the file. */
static unsigned char *fetch(struct run *run)
{
    u32 left = run->end - run->at;

    check(lseek(temporary, run->at, SEEK_SET), "lseek");
    run->size = read_fully(temporary, run->sector, left < SECTOR ? left : SECTOR);
    run->at += run->size;
    return run->size ? run->sector : NULL;
}

static unsigned char *next_of_run(unsigned char *record)
{
    struct run *run = &runs[(record - runs[0].sector) / sizeof *run];

    record += RECORD;
    return record < run->sector + run->size ? record : fetch(run);
}

static void add_run(u32 start, u32 size)
{
    struct run *run = allocate(sizeof *run);

    if (run_count == MOST_RUNS)
        die("sort: more than %u runs\n", MOST_RUNS);
    if (run_count++ == 0)
        runs = run;
    run->at = start;
    run->end = start + size;
}

/* Nobody else can open it any more, and it is gone when we are. */
static int open_temporary(const char *directory)
{
    static char name[NAME];
    int fd;

    format(name, sizeof name, "%s/sort.%d", directory, getpid());
    fd = check(open(name, O_RDWR | O_CREAT | O_EXCL, 0600), name);
    check(unlink(name), name);
    return fd;
}

int main(int argc, char **argv)
{
    int at = argc > 2 && strcmp(argv[1], "-T") == 0 ? 3 : 1;
    int in = open_input(argv[at]);
    u32 size = read_records(in), start = 0;

    if (size < RUN) {
        drain(1, nothing);
        return 0;
    }
    temporary = open_temporary(at == 3 ? argv[2] : "");
    for (; size > 0; size = read_records(in)) {
        drain(temporary, nothing);
        add_run(start, size);
        start += size;
    }
    for (u32 i = 0; i < run_count; i++)
        heap[heap_size++] = fetch(&runs[i]);
    drain(1, next_of_run);
    return 0;
}
