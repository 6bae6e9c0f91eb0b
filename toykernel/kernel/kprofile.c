/* The profiling system call (§5).  Probes that a rewriter inserts register here what they write. */
#include "fs.h"
#include "io.h"
#include "kprofile.h"
#include "syscall.h"

enum command { START, WRITE, STOP };
enum { NR_STAMPS = 4096, SNAPSHOT_SIZE = 1 << 20 };

/* In the file although it is all zero: a rewriter fills it in. */
struct kprofile_area kprofile_areas[NR_TYPES] __attribute__((section(".data"))) = {};

/* What the probes had counted when they were stopped.  They go on, also while the copy is sent. */
static u8 snapshots[SNAPSHOT_SIZE];
static bool stopped[NR_TYPES]; /* is what lies there to be sent? */

static struct stamp {
    u32 number;  /* of the system call */
    u32 pid;     /* who called */
    u64 entered; /* time stamp counter at the gate */
    u64 left;    /* and on the way back */
} stamps[NR_STAMPS];
static u32 nr_stamps; /* how many were taken; those that find no room are lost */

void system_call(void), system_call_timed(void); /* entry.S */

/* From system_call_timed. */
void kprofile_enter(void)
{
    current->entered = __builtin_ia32_rdtsc();
}

void kprofile_leave(u32 number)
{
    u64 now = __builtin_ia32_rdtsc();
    if (nr_stamps < NR_STAMPS)
        stamps[nr_stamps++] = (struct stamp){number, current->pid, current->entered, now};
}

static void send(u32 type, const void *start, u32 size)
{
    u32 header[] = {type, size};
    serial_write(PROFILE, header, sizeof header);
    serial_write(PROFILE, start, size);
}

/* The kernel's own type: the gate itself changes, so that nobody pays who does not measure. */
static int profile_cycles(u32 command)
{
    if (command == START)
        nr_stamps = 0;
    if (command == WRITE)
        send(CYCLES, stamps, nr_stamps * sizeof *stamps);
    else
        set_gate(SYSTEM_CALL, SYSTEM_GATE, command == START ? system_call_timed : system_call);
    return 0;
}

/* Where the copy of an area goes: behind those of the types before it.  NULL if there is no room. */
static void *snapshot_of(u32 type)
{
    u32 at = 0;

    for (u32 before = 0; before < type; before++)
        at += kprofile_areas[before].size;
    return at + kprofile_areas[type].size <= SNAPSHOT_SIZE ? snapshots + at : NULL;
}

static int profile_area(u32 command, u32 type)
{
    const struct kprofile_area *area = &kprofile_areas[type];
    void *snapshot = snapshot_of(type);

    if (!area->size)
        return -ENODEV;
    if (!snapshot)
        return -ENOMEM;
    disable_interrupts(); /* they count, too: a copy taken around one would not fit together */
    if (command == START)
        memset(area->start, 0, area->size);
    else if (!stopped[type])
        memcpy(snapshot, area->start, area->size);
    enable_interrupts();
    if (command == WRITE)
        send(type, snapshot, area->size);
    else
        stopped[type] = command == STOP;
    return 0;
}

SYSCALL_DEFINE2(kprofile, u32, command, u32, type)
{
    if (type >= NR_TYPES || command > STOP)
        return -EINVAL;
    return type == CYCLES ? profile_cycles(command) : profile_area(command, type);
}
