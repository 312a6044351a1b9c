/* checkpoint_archive.h - the directory of a zip that lies in memory.
 *
 * libzip is not used: it does not tell where a record's bytes lie, which is what a reader of mapped tensors needs, so
 * that the directory would have to be read a second time beside it. */
#ifndef MODEL_CHECKPOINT_ARCHIVE_H
#define MODEL_CHECKPOINT_ARCHIVE_H

#include "base/memory.h"

/* torch.save makes a record for each storage; ResNet101 with AdamW's state has 1451. */
#define CHECKPOINT_MAX_RECORDS (1 << 16)

typedef struct checkpoint_record {
    const char *name; /* in the file; not NUL-terminated */
    size_t name_size;
    const uint8_t *data; /* in the file */
    size_t size;         /* as it lies in the file */
    unsigned method;     /* of compression; 0: none */
    uint32_t crc;        /* 0: torch was told not to compute it (torch.serialization.set_crc32_options) */
    bool verified;       /* the CRC was compared, and is right */
} checkpoint_record;

typedef struct checkpoint_archive {
    checkpoint_record *records; /* by name; no two are the same */
    size_t count;
} checkpoint_archive;

/* LANERT_EFORMAT (cut short, offsets outside), LANERT_EUNSUPPORTED (encrypted, in parts), LANERT_ELIMIT,
 * LANERT_ENOMEM; *archive is then empty. The bytes must outlive it. */
int checkpoint_archive_open(const uint8_t *data, size_t size, checkpoint_archive *archive, lanert_error *err);
void checkpoint_archive_close(checkpoint_archive *archive);

/* NULL where there is none of that name. */
checkpoint_record *checkpoint_archive_find(const checkpoint_archive *archive, const char *name, size_t name_size);

/* Compares an uncompressed record's bytes with its CRC-32, once. LANERT_EFORMAT where they are not those that were
 * written. */
int checkpoint_record_verify(checkpoint_record *record, lanert_error *err);

#endif
