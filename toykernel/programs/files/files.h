/* Files by name, by descriptor and by content: the corners of each call.  What is printed is what Linux would. */
#pragma once

#include "libc.h"

#define SHOW(expression) show(#expression, expression)

enum { PAGE = 4096, ROOM = 3 * PAGE };

extern char buffer[ROOM];

/* main.c */
void show(const char *what, int result);
void say(const char *text);
char *nowhere(void); /* the first address behind the program */
u32 sum(int fd);     /* of all bytes of a file, each weighted by its position */
int contains(int fd, const char *text, int length);

/* One for each group of calls; they leave nothing behind. */
void names(void);
void directories(void);
void listing(void);
void removed(void);
void sizes(void);
void descriptors(void);
void flags(void);
void states(void);
void pipes(void);
void devices(void);
