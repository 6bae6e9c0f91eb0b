/* Recovery: what was committed when the power failed is found in the log, and written home before anything is read. */
#include "journal.h"

static struct log_record descriptor, log_block;

/* Read a block of the log, and continue the checksum. */
static u32 read_log(const struct journal *journal, u32 at, void *data, u32 sum)
{
    move_block(journal, DISK_READ, journal->j_first + at, data);
    return checksum(data, BLOCK_SIZE, sum);
}

static bool is_record(const struct journal *journal, const struct log_record *r, u32 kind)
{
    return r->magic == JOURNAL_MAGIC && r->kind == kind && r->sequence == journal->j_sequence;
}

/* Is the next transaction all there?  Only its checksum tells: the power may have failed anywhere.  It cannot change
   blocks of the journal, nor those that the disk does not have. */
static bool find_transaction(const struct journal *journal)
{
    u32 at = journal->j_head, sum = read_log(journal, at, &descriptor, 0);

    if (!is_record(journal, &descriptor, LOG_DESCRIPTOR) || descriptor.count > MOST_TAGS ||
        at + descriptor.count + 1 >= journal->j_blocks)
        return false;
    for (u32 i = 0; i < descriptor.count; i++) {
        u32 block = descriptor.tags[i];
        if (block >= journal->j_dev->blocks || block - journal->j_first < journal->j_blocks)
            return false;
        sum = read_log(journal, ++at, &log_block, sum);
    }
    read_log(journal, ++at, &log_block, 0);
    return is_record(journal, &log_block, LOG_COMMIT) && log_block.count == sum;
}

/* Write it home, and move on to the next one. */
static void replay_transaction(struct journal *journal)
{
    for (u32 i = 0; i < descriptor.count; i++) {
        read_log(journal, journal->j_head + 1 + i, &log_block, 0);
        move_block(journal, DISK_WRITE, descriptor.tags[i], &log_block);
    }
    journal->j_head += descriptor.count + 2;
    journal->j_sequence++;
}

/* Start with the journal of a disk: 0, or -EINVAL if there is none.  If the power fails here, the next mount does the
   same again. */
int journal_load(struct journal *journal)
{
    move_block(journal, DISK_READ, journal->j_first, &log_block);
    if (journal->j_blocks < MIN_JOURNAL || log_block.magic != JOURNAL_MAGIC)
        return -EINVAL;
    journal->j_sequence = log_block.sequence;
    journal->j_head = 1;
    journal->j_most = journal->j_blocks / 4 < MOST_TAGS ? journal->j_blocks / 4 : MOST_TAGS;
    while (journal->j_head + 2 <= journal->j_blocks && find_transaction(journal))
        replay_transaction(journal);
    if (journal->j_head > 1)
        journal_reset(journal);
    return 0;
}
