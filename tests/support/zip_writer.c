#include "support/zip_writer.h"

enum { ALIGNMENT = 64, LOCAL_SIZE = 30, FIELD_SIZE = 4, FLAGS = 0x0808 /* sizes behind the bytes, names in UTF-8 */ };

static void put(uint8_t *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* Bit by bit, so that a reader's CRC is checked by another way of computing it. */
static uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* torch's padding: an extra field "FB" that moves the record's bytes to the alignment. */
static int add_local(zip_writer *z, const char *name, lanert_error *err)
{
    uint8_t head[LOCAL_SIZE] = "PK\3\4", field[FIELD_SIZE + ALIGNMENT];
    size_t name_size = strlen(name), end = z->file.size + LOCAL_SIZE + name_size + FIELD_SIZE;
    size_t padding = (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
    memcpy(field, "FB", 2);
    put(field + 2, padding, 2);
    memset(field + FIELD_SIZE, 'Z', ALIGNMENT);
    put(head + 6, FLAGS, 2);
    put(head + 26, name_size, 2);
    put(head + 28, FIELD_SIZE + padding, 2);
    int rc = buffer_add(&z->file, head, sizeof head, err);
    if (rc || (rc = buffer_text(&z->file, name, err)))
        return rc;
    return buffer_add(&z->file, field, FIELD_SIZE + padding, err);
}

int zip_writer_add(zip_writer *z, const char *name, const void *data, size_t size, lanert_error *err)
{
    uint8_t entry[46] = "PK\1\2", tail[16] = "PK\7\10";
    uint32_t crc = z->no_crc ? 0 : crc32_of(data, size);
    put(entry + 8, FLAGS, 2);
    put(entry + 16, crc, 4);
    put(entry + 20, size, 4);
    put(entry + 24, size, 4);
    put(entry + 28, strlen(name), 2);
    put(entry + 42, z->file.size, 4);
    memcpy(tail + 4, entry + 16, 12);
    int rc;
    if ((rc = buffer_add(&z->directory, entry, sizeof entry, err)) || (rc = buffer_text(&z->directory, name, err)) ||
        (rc = add_local(z, name, err)) || (rc = buffer_add(&z->file, data, size, err)) ||
        (rc = buffer_add(&z->file, tail, sizeof tail, err)))
        return rc;
    z->count++;
    return 0;
}

int zip_writer_finish(zip_writer *z, lanert_error *err)
{
    uint8_t end64[56] = "PK\6\6", locator[20] = "PK\6\7", end[22] = "PK\5\6";
    size_t at = z->file.size, size = z->directory.size;
    put(end64 + 4, sizeof end64 - 12, 8);
    put(end64 + 24, z->count, 8);
    put(end64 + 32, z->count, 8);
    put(end64 + 40, size, 8);
    put(end64 + 48, at, 8);
    put(locator + 8, at + size, 8);
    put(locator + 16, 1, 4);
    put(end + 8, z->count, 2);
    put(end + 10, z->count, 2);
    put(end + 12, size, 4);
    put(end + 16, 0xffffffff, 4); /* see the zip64 end */
    int rc;
    if ((rc = buffer_add(&z->file, z->directory.data, size, err)) ||
        (rc = buffer_add(&z->file, end64, sizeof end64, err)) ||
        (rc = buffer_add(&z->file, locator, sizeof locator, err)))
        return rc;
    return buffer_add(&z->file, end, sizeof end, err);
}

void zip_writer_close(zip_writer *z)
{
    buffer_free(&z->file);
    buffer_free(&z->directory);
}
