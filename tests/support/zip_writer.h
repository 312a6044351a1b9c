/* zip_writer.h - a zip laid out as torch.save lays it out: nothing compressed, each record's bytes at a multiple of 64,
 * sizes behind the bytes, a zip64 end. */
#ifndef SUPPORT_ZIP_WRITER_H
#define SUPPORT_ZIP_WRITER_H

#include "base/buffer.h"

/* Zero-initialise; buffer_free both buffers. */
typedef struct zip_writer {
    buffer file;      /* what is written so far; the whole zip after zip_writer_finish */
    buffer directory; /* the entries that will follow the records */
    uint64_t count;
    bool no_crc; /* leave the CRC-32 of what is added 0, as torch.serialization.set_crc32_options(False) does */
} zip_writer;

int zip_writer_add(zip_writer *z, const char *name, const void *data, size_t size, lanert_error *err);
int zip_writer_finish(zip_writer *z, lanert_error *err);
void zip_writer_close(zip_writer *z);

#endif
