/* Pseudo-random system calls.  tests/toykernel/model draws the same ones and knows what they give, so that the order
   of draws here and there must be the same. */
#pragma once

#include "libc.h"

enum { PAGE = 4096, ROOM = 3 * PAGE, SHORTEST_SPARE = 24, NR_FDS = 32 };

/* A call to be made: what is drawn for it, and what comes of it. */
struct call {
    const char *name; /* of the call */
    const char *path; /* that it takes, or "" */
    int a, b, c;      /* numbers that it takes */
    u32 sum;          /* over all bytes that it delivered */
};

struct operation {
    const char *name;
    u32 weight;                /* how often it is drawn, relative to the others */
    int (*run)(struct call *); /* draw arguments, make the call; what is to be compared */
};

/* calls.c, descriptors.c */
extern const struct operation operations[];

/* draw.c */
void seed(u32 value);
u32 draw(u32 n);
int draw_fd(void);
const char *draw_path(void);
const char *shown(const char *path);
char *draw_target(u32 *there);
const char *draw_source(void);
u32 draw_size(void);
int draw_position(void);
extern char room[ROOM]; /* where what is read goes */
void copy_string(char *to, const char *from);
void make_pattern(void);
u32 adler(u32 sum, const void *from, u32 n);

/* main.c */
int run_calls(u32 seed_value, u32 n);

/* world.c */
void print_world(void);
void remove_world(void);
