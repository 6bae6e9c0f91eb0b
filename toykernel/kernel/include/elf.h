/* ELF for i386: what a program file begins with. */
#pragma once

#include "types.h"

#define ELF_MAGIC "\177ELF\1\1\1" /* 32 bits, little-endian, version 1 */

enum { ET_EXEC = 2, EM_386 = 3, PT_LOAD = 1, PT_INTERP = 3, PF_X = 1, PF_W = 2, PF_R = 4 };

struct elf_header {
    u8 e_ident[16];  /* begins with ELF_MAGIC */
    u16 e_type;      /* ET_… */
    u16 e_machine;   /* EM_… */
    u32 e_version;   /* 1 */
    u32 e_entry;     /* where it starts */
    u32 e_phoff;     /* where the program headers are, from the beginning of the file */
    u32 e_shoff;     /* section headers, not for us */
    u32 e_flags;     /* the tag of the only kernel that may run it, or 0 */
    u16 e_ehsize;    /* of this header */
    u16 e_phentsize; /* of a program header */
    u16 e_phnum;     /* how many there are */
    u16 e_shentsize;
    u16 e_shnum;
    u16 e_shstrndx;
};

struct elf_segment {
    u32 p_type;   /* PT_… */
    u32 p_offset; /* in the file */
    u32 p_vaddr;  /* in memory */
    u32 p_paddr;
    u32 p_filesz; /* bytes in the file */
    u32 p_memsz;  /* bytes in memory, the rest being zero */
    u32 p_flags;  /* PF_… */
    u32 p_align;
};
