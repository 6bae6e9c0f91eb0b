/* What a filesystem does with the journal: start, get access to buffers, change them, say so, stop. */
#include "journal.h"

/* Begin a change of so many blocks at most.  All changes between start and stop belong to one transaction. */
struct handle *journal_start(struct journal *journal, u32 credits)
{
    struct handle *handle = &journal->j_handle;

    if (handle->h_journal)
        panic("journal: two handles", journal->j_sequence);
    if (journal->j_count + credits > journal->j_most)
        journal_commit(journal);
    handle->h_journal = journal;
    handle->h_credits = credits;
    return handle;
}

/* The change is complete.  It is safe when its transaction is committed. */
void journal_stop(struct handle *handle)
{
    handle->h_journal = NULL;
}

/* Before a buffer is changed: what it holds when the transaction is committed will be safe. */
void journal_get_write_access(struct handle *handle, struct buffer_head *bh)
{
    if (do_get_write_access(handle->h_journal, bh) && handle->h_credits-- == 0)
        panic("journal: no credits left", bh->b_blocknr);
}
