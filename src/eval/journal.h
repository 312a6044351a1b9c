/* journal.h - finished frames on disk, so that a run that was killed goes on where it was.
 *
 * A text file: "lanert-val 1 <frames> <lanes>", the two hashes of a journal_key, then a line a frame, in the order they
 * were finished, each written in one go with a checksum at its end. A last line that is cut off is a frame that was
 * being written: it is thrown away and scored again. Any other damage is an error. A shard's result is its journal. */
#ifndef EVAL_JOURNAL_H
#define EVAL_JOURNAL_H

#include "eval/scorer.h"

/* What the figures depend on, as SHA-256. */
typedef struct journal_key {
    char frames[65]; /* the data set and its list */
    char lanes[65];  /* where the lanes come from; "" where that is not known: the first journal read tells it */
} journal_key;

typedef struct journal {
    int fd; /* −1 while closed */
    char *path;
    int unsynced; /* lines since the last flush to the disk */
    char line[512];
} journal;

/* Opens path to be added to, made where it is not there, after taking its frames into records[count]. LANERT_EINVAL
 * where the file's key is another, or another process has it open. */
int journal_open(journal *j, const char *path, journal_key *key, frame_record *records, size_t count,
                 lanert_error *err);
/* Takes the frames of a journal into records; leaves the file as it is. LANERT_EFORMAT where a frame is there already
 * with other figures. */
int journal_read(const char *path, journal_key *key, frame_record *records, size_t count, lanert_error *err);
int journal_add(journal *j, size_t frame, const frame_record *record, lanert_error *err);
/* Flushes to the disk and closes; harmless on a closed one. */
int journal_close(journal *j, lanert_error *err);

#endif
