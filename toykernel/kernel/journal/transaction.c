/* The running transaction: the buffers that were changed since the last commit, and stay in memory until the next. */
#include "journal.h"

/* Let the buffer take part in it; false if it did.  The journal is one user of a buffer that takes part, or is dirty,
   or both. */
bool do_get_write_access(struct journal *journal, struct buffer_head *bh)
{
    if (bh->b_state & BH_JOURNALED)
        return false;
    if (!(bh->b_state & BH_DIRTY))
        get_buffer(bh);
    bh->b_state |= BH_JOURNALED;
    bh->b_next = journal->j_buffers;
    journal->j_buffers = bh;
    journal->j_count++;
    return true;
}

/* The buffer's block is free: whatever is in it need not be written anywhere.  The transaction that frees the block
   is the running one; if that is lost, so are the changes that are forgotten here. */
void journal_forget(struct buffer_head *bh)
{
    u32 state = bh->b_state;

    unmap_buffer(bh);
    bh->b_state &= ~BH_DIRTY;
    if (!(state & BH_DIRTY) || state & BH_JOURNALED)
        get_buffer(bh); /* it has a user then, which leaves at once */
    brelse(bh);
}
