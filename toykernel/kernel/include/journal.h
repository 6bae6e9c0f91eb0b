/* The journal: changes of several blocks reach the disk together or not at all, also if the power fails. */
#pragma once

#include "buffer.h"

#define JOURNAL_MAGIC 0x4C4E524A /* "JRNL" */

enum { LOG_DESCRIPTOR = 1, LOG_COMMIT = 2, MOST_TAGS = 252, MIN_JOURNAL = 96 };

/* The journal's first block, which says where a mount begins; and what stands before and behind a transaction. */
struct log_record {
    u32 magic;    /* JOURNAL_MAGIC */
    u32 kind;     /* LOG_…, or 0 for the first block */
    u32 sequence; /* of the transaction; in the first block, of the first one that is not at home yet */
    u32 count;    /* of its blocks; in the commit record, the checksum of all before it */
    u32 tags[MOST_TAGS]; /* their numbers, in the descriptor */
};

/* The right to change blocks in the running transaction.  Nobody sleeps who has one, so there is one at most. */
struct handle {
    struct journal *h_journal; /* NULL while nobody has it */
    u32 h_credits;             /* buffers that it may still add */
};

struct journal {
    struct block_device *j_dev;    /* where it is */
    u32 j_first;                   /* its first block */
    u32 j_blocks;                  /* how many it has */
    u32 j_head;                    /* where in it the next transaction goes */
    u32 j_sequence;                /* that transaction's number */
    u32 j_most;                    /* buffers of a transaction */
    struct buffer_head *j_buffers; /* those of the running one */
    u32 j_count;                   /* how many */
    struct handle j_handle;        /* the one that there is */
};

/* journal/handle.c */
struct handle *journal_start(struct journal *journal, u32 credits);
void journal_stop(struct handle *handle);
void journal_get_write_access(struct handle *handle, struct buffer_head *bh);

/* journal/transaction.c */
bool do_get_write_access(struct journal *journal, struct buffer_head *bh);
void journal_forget(struct buffer_head *bh);

/* journal/commit.c, journal/recovery.c */
void move_block(const struct journal *journal, int rw, u32 block, void *data);
void journal_commit(struct journal *journal);
void journal_flush(struct journal *journal);
void journal_reset(struct journal *journal);
int journal_load(struct journal *journal);
