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

/* Write everything home, behind a commit: nothing that is not committed gets there. */
void journal_checkpoint(struct journal *journal)
{
    if (journal->j_head == 1)
        return;
    write_dirty_buffers();
    journal_reset(journal);
}
