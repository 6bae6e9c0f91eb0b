/* Checkpoint: what was committed is written to its own place, and the log is empty again. */
#include "journal.h"

/* Let the log begin anew: transactions before this one are not wanted any more. */
void journal_reset(struct journal *journal)
{
    static struct log_record first = {.magic = JOURNAL_MAGIC};

    first.sequence = journal->j_sequence;
    move_block(journal, DISK_WRITE, journal->j_first, &first);
    journal->j_head = 1;
}

/* Commit, and write everything home.  Nothing that is not committed gets there: between a commit and the next start
   there is no such thing. */
void journal_flush(struct journal *journal)
{
    struct buffer_head *bh;
    u32 chain = 0;

    if (journal->j_count)
        journal_commit(journal);
    if (journal->j_head == 1)
        return;
    while ((bh = next_dirty_buffer(&chain))) {
        ll_rw_block(DISK_WRITE, bh);
        bh->b_state &= ~BH_DIRTY;
        brelse(bh);
    }
    journal_reset(journal);
}
