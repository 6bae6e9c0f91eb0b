/* Commit: the log gets a descriptor, a copy of each changed block, and at last a record that says that this is all. */
#include "journal.h"

static struct log_record record;
static u8 nothing[BLOCK_SIZE];

/* Read or write a block beside the cache. */
void move_block(const struct journal *journal, int rw, u32 block, void *data)
{
    struct buffer_head bh = {.b_dev = journal->j_dev, .b_blocknr = block, .b_data = data};

    ll_rw_block(rw, &bh);
}

/* Write the next block of the log, and add it to the checksum. */
static u32 append_block(struct journal *journal, void *data, u32 sum)
{
    move_block(journal, DISK_WRITE, journal->j_first + journal->j_head++, data);
    return checksum(data, BLOCK_SIZE, sum);
}

/* The block behind the commit record is cleared before that is written: what lies there is from an earlier round, and
   may be a file's, which can look like a transaction. */
static void write_transaction(struct journal *journal)
{
    u32 sum;

    memset(&record, 0, sizeof record);
    for (struct buffer_head *bh = journal->j_buffers; bh; bh = bh->b_next)
        if (bh->b_state & BH_MAPPED)
            record.tags[record.count++] = bh->b_blocknr;
    if (!record.count)
        return;
    move_block(journal, DISK_WRITE, journal->j_first + journal->j_head + record.count + 2, nothing);
    record.magic = JOURNAL_MAGIC;
    record.kind = LOG_DESCRIPTOR;
    record.sequence = journal->j_sequence++;
    sum = append_block(journal, &record, 0);
    for (struct buffer_head *bh = journal->j_buffers; bh; bh = bh->b_next)
        if (bh->b_state & BH_MAPPED)
            sum = append_block(journal, bh->b_data, sum);
    record.kind = LOG_COMMIT;
    record.count = sum;
    append_block(journal, &record, 0);
}

/* All that it changed is in the log now, but for what has no block: the hole of a file. */
static void retire_transaction(struct journal *journal)
{
    struct buffer_head *bh;

    while ((bh = journal->j_buffers)) {
        journal->j_buffers = bh->b_next;
        bh->b_state &= ~BH_JOURNALED;
        if (bh->b_state & BH_MAPPED)
            bh->b_state |= BH_DIRTY;
        else
            brelse(bh);
    }
    journal->j_count = 0;
}

/* Let the log begin anew: transactions before this one are not wanted any more. */
void journal_reset(struct journal *journal)
{
    static struct log_record first = {.magic = JOURNAL_MAGIC};

    first.sequence = journal->j_sequence;
    move_block(journal, DISK_WRITE, journal->j_first, &first);
    journal->j_head = 1;
}

/* Checkpoint: write everything home, behind a commit, so that nothing else gets there.  The log is empty then. */
static void checkpoint(struct journal *journal)
{
    if (journal->j_head == 1)
        return;
    write_dirty_buffers();
    journal_reset(journal);
}

/* Make the running transaction safe: once this returns, a mount finds all of it.  The log has room for the next. */
void journal_commit(struct journal *journal)
{
    write_transaction(journal);
    retire_transaction(journal);
    if (journal->j_head + journal->j_most + 3 > journal->j_blocks)
        checkpoint(journal);
}

/* The same, and everything is at home. */
void journal_flush(struct journal *journal)
{
    journal_commit(journal);
    checkpoint(journal);
}
