/* val.h - the evaluation of one data set, in one process. */
#ifndef EVAL_VAL_H
#define EVAL_VAL_H

#include <pthread.h>

#include "eval/journal.h"

struct lanert_val {
    dataset data;
    frame_record *records; /* [data.count] */
    char key[65];          /* SHA-256 of all that the records depend on */
    journal journal;
    bool allow_missing;
    int shard, shards, threads;

    scorer own; /* of lanert_val_add; opened when first used */
    bool opened;
    buffer text;
};

#define VAL_MAX_THREADS 256

/* Of this shard, and not finished. */
bool val_wants(const lanert_val *val, size_t frame);
/* Keeps a frame's figures, in the journal too. */
int val_keep(lanert_val *val, size_t frame, const frame_record *record, lanert_error *err);

#endif
