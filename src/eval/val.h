/* val.h - the evaluation of one data set, in one process. */
#ifndef EVAL_VAL_H
#define EVAL_VAL_H

#include <pthread.h>

#include "eval/journal.h"

struct lanert_val {
    dataset data;
    frame_record *records; /* [data.count] */
    journal_key key;
    journal journal;
    bool allow_missing;
    int shard, shards, threads;

    scorer own; /* of the calls on one frame; opened when first used */
    bool opened;
    buffer text;
};

#define VAL_MAX_THREADS 256

/* Of this shard, and not finished. */
bool val_wants(const lanert_val *val, size_t frame);
/* Whether there is a frame of that number. */
int val_check_frame(const lanert_val *val, int64_t i, lanert_error *err);
/* Opens val->own where it is not open yet. */
int val_open_own(lanert_val *val, lanert_error *err);
/* Keeps a frame's figures, in the journal too. */
int val_keep(lanert_val *val, size_t frame, const frame_record *record, lanert_error *err);

#endif
