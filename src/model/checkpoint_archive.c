/* Offsets, signatures and fields are those of PKWARE's APPNOTE.TXT 6.3.10, section 4.3. */
#include "model/checkpoint_archive.h"

#include <zlib.h>

#include "model/checkpoint_bytes.h"

enum {
    LOCAL_SIZE = 30,
    ENTRY_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    MAX_COMMENT = 0xffff,
    FLAG_ENCRYPTED = 1,
    ZIP64_FIELD = 1,
};

#define LOCAL_SIGNATURE 0x04034b50u
#define ENTRY_SIGNATURE 0x02014b50u
#define END_SIGNATURE 0x06054b50u
#define END64_SIGNATURE 0x06064b50u
#define LOCATOR_SIGNATURE 0x07064b50u
/* In a field of 16 or 32 bits: the number is in the zip64 structure. */
#define IN_ZIP64_16 0xffffu
#define IN_ZIP64_32 0xffffffffu

/* Where the directory lies. */
typedef struct extent {
    uint64_t at, size, entries;
} extent;

/* The end record is the last thing in the file but for its comment. */
static int find_end(const uint8_t *data, size_t size, size_t *end, lanert_error *err)
{
    *end = 0;
    for (size_t comment = 0; comment <= MAX_COMMENT && comment + END_SIZE <= size; comment++) {
        const uint8_t *p = data + size - END_SIZE - comment;
        if (bytes_le(p, 4) == END_SIGNATURE && bytes_le(p + 20, 2) == comment) {
            *end = size - END_SIZE - comment;
            return 0;
        }
    }
    return error_set(err, LANERT_EFORMAT,
                     "begins as a zip, but its directory is not at the end: the file is cut short or damaged; copy or "
                     "download it again");
}

static int read_end64(const uint8_t *data, size_t end, extent *directory, lanert_error *err)
{
    if (end < LOCATOR_SIZE || bytes_le(data + end - LOCATOR_SIZE, 4) != LOCATOR_SIGNATURE)
        return error_set(err, LANERT_EFORMAT, "the zip64 locator is missing before byte %zu", end);
    uint64_t at = bytes_le(data + end - LOCATOR_SIZE + 8, 8);
    if (at > end || end - at < END64_SIZE || bytes_le(data + at, 4) != END64_SIGNATURE)
        return error_set(err, LANERT_EFORMAT, "the zip64 end record is not at byte %llu, where its locator says",
                         (unsigned long long)at);
    *directory = (extent){
        .entries = bytes_le(data + at + 32, 8), .size = bytes_le(data + at + 40, 8), .at = bytes_le(data + at + 48, 8)};
    return 0;
}

static int find_directory(const uint8_t *data, size_t size, extent *directory, lanert_error *err)
{
    size_t end;
    *directory = (extent){0};
    int rc = find_end(data, size, &end, err);
    if (rc)
        return rc;
    const uint8_t *p = data + end;
    if (bytes_le(p + 4, 2) || bytes_le(p + 6, 2))
        return error_set(err, LANERT_EUNSUPPORTED, "is one part of a zip in several; expected a single file");
    *directory = (extent){.entries = bytes_le(p + 10, 2), .size = bytes_le(p + 12, 4), .at = bytes_le(p + 16, 4)};
    if ((directory->entries == IN_ZIP64_16 || directory->size == IN_ZIP64_32 || directory->at == IN_ZIP64_32) &&
        (rc = read_end64(data, end, directory, err)))
        return rc;
    if (directory->at > end || directory->size > end - directory->at)
        return error_set(err, LANERT_EFORMAT,
                         "the zip's directory (%llu bytes at byte %llu) does not lie before byte %zu",
                         (unsigned long long)directory->size, (unsigned long long)directory->at, end);
    if (directory->entries > CHECKPOINT_MAX_RECORDS)
        return error_set(err, LANERT_ELIMIT, "%llu records; at most %d are read",
                         (unsigned long long)directory->entries, CHECKPOINT_MAX_RECORDS);
    return 0;
}

/* Takes from the zip64 field, in its fixed order, those numbers that did not fit an entry's 32 bits. */
static int widen(const uint8_t *extra, size_t extra_size, uint64_t *const numbers[3], lanert_error *err)
{
    const uint8_t *field = NULL;
    size_t left = 0;
    while (extra_size >= 4 && !field) {
        size_t n = bytes_le(extra + 2, 2);
        if (n > extra_size - 4)
            break;
        if (bytes_le(extra, 2) == ZIP64_FIELD) {
            field = extra + 4;
            left = n;
        }
        extra += 4 + n;
        extra_size -= 4 + n;
    }
    for (int i = 0; i < 3; i++) {
        if (*numbers[i] != IN_ZIP64_32)
            continue;
        if (left < 8)
            return error_set(err, LANERT_EFORMAT, "its zip64 field is missing or too short");
        *numbers[i] = bytes_le(field, 8);
        field += 8;
        left -= 8;
    }
    return 0;
}

/* Finds the record's bytes by its local header, whose name and padding may differ in length from the directory's. */
static int locate(const uint8_t *data, uint64_t limit, uint64_t at, checkpoint_record *r, lanert_error *err)
{
    if (at > limit || limit - at < LOCAL_SIZE || bytes_le(data + at, 4) != LOCAL_SIGNATURE)
        return error_set(err, LANERT_EFORMAT, "its local header is not at byte %llu, where the directory says",
                         (unsigned long long)at);
    const uint8_t *local = data + at;
    size_t name_size = bytes_le(local + 26, 2), head = LOCAL_SIZE + name_size + bytes_le(local + 28, 2);
    if (head > limit - at || name_size != r->name_size || memcmp(local + LOCAL_SIZE, r->name, name_size) != 0)
        return error_set(err, LANERT_EFORMAT, "its local header at byte %llu is another record's",
                         (unsigned long long)at);
    if (r->size > limit - at - head)
        return error_set(err, LANERT_EFORMAT, "its %zu bytes from byte %llu on run into the directory", r->size,
                         (unsigned long long)(at + head));
    r->data = local + head;
    return 0;
}

static int read_entry(const uint8_t *data, uint64_t limit, const uint8_t *entry, checkpoint_record *r,
                      lanert_error *err)
{
    uint64_t flags = bytes_le(entry + 8, 2);
    uint64_t packed = bytes_le(entry + 20, 4), size = bytes_le(entry + 24, 4), at = bytes_le(entry + 42, 4);
    const uint8_t *extra = entry + ENTRY_SIZE + r->name_size;
    r->method = (unsigned)bytes_le(entry + 10, 2);
    int rc = widen(extra, bytes_le(entry + 30, 2), (uint64_t *const[3]){&size, &packed, &at}, err);
    if (rc)
        return rc;
    if (flags & FLAG_ENCRYPTED)
        return error_set(err, LANERT_EUNSUPPORTED, "it is encrypted; expected a zip as torch.save writes it");
    if ((!r->method && packed != size) || packed > SIZE_MAX)
        return error_set(err, LANERT_EFORMAT, "it claims %llu bytes stored as %llu", (unsigned long long)size,
                         (unsigned long long)packed);
    r->crc = (uint32_t)bytes_le(entry + 16, 4);
    r->size = (size_t)packed;
    return locate(data, limit, at, r, err);
}

static int read_directory(const uint8_t *data, const extent *directory, checkpoint_archive *archive, lanert_error *err)
{
    const uint8_t *p = data + directory->at;
    uint64_t left = directory->size, claimed = 0;
    for (uint64_t i = 0; i < directory->entries; i++) {
        checkpoint_record *r = &archive->records[i];
        if (left < ENTRY_SIZE || bytes_le(p, 4) != ENTRY_SIGNATURE)
            return error_set(err, LANERT_EFORMAT, "the zip's directory ends after %llu of its %llu records",
                             (unsigned long long)i, (unsigned long long)directory->entries);
        r->name = (const char *)p + ENTRY_SIZE;
        r->name_size = bytes_le(p + 28, 2);
        size_t n = ENTRY_SIZE + r->name_size + bytes_le(p + 30, 2) + bytes_le(p + 32, 2);
        if (n > left)
            return error_set(err, LANERT_EFORMAT, "record %llu of the zip's directory is cut short",
                             (unsigned long long)i);
        int rc = read_entry(data, directory->at, p, r, err);
        if (rc)
            return error_within(err, rc, "record '%s'", bytes_show(r->name, r->name_size).text);
        /* Each record is checked against its CRC, which would take for ever where many share their bytes. */
        claimed += LOCAL_SIZE + r->name_size + r->size;
        if (claimed > directory->at)
            return error_set(
                err, LANERT_EFORMAT, "the zip's records overlap: record '%s' brings them to %llu bytes in %llu",
                bytes_show(r->name, r->name_size).text, (unsigned long long)claimed, (unsigned long long)directory->at);
        p += n;
        left -= n;
        archive->count++;
    }
    if (left)
        return error_set(err, LANERT_EFORMAT, "%llu bytes follow the last record in the zip's directory",
                         (unsigned long long)left);
    return 0;
}

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_records(const void *a, const void *b)
{
    const checkpoint_record *r = a, *s = b;
    return compare_names(r->name, r->name_size, s->name, s->name_size);
}

int checkpoint_archive_open(const uint8_t *data, size_t size, checkpoint_archive *archive, lanert_error *err)
{
    extent directory;
    *archive = (checkpoint_archive){0};
    int rc = find_directory(data, size, &directory, err);
    if (rc || (rc = memory_new(&archive->records, (size_t)directory.entries, sizeof *archive->records, err)))
        return rc;
    rc = read_directory(data, &directory, archive, err);
    if (!rc)
        qsort(archive->records, archive->count, sizeof *archive->records, compare_records);
    for (size_t i = 1; i < archive->count && !rc; i++)
        if (compare_records(archive->records + i - 1, archive->records + i) == 0)
            rc = error_set(err, LANERT_EFORMAT, "record '%s' is there twice",
                           bytes_show(archive->records[i].name, archive->records[i].name_size).text);
    if (rc)
        checkpoint_archive_close(archive);
    return rc;
}

void checkpoint_archive_close(checkpoint_archive *archive)
{
    FREE(archive->records);
    archive->count = 0;
}

checkpoint_record *checkpoint_archive_find(const checkpoint_archive *archive, const char *name, size_t name_size)
{
    checkpoint_record wanted = {.name = name, .name_size = name_size};
    return bsearch(&wanted, archive->records, archive->count, sizeof wanted, compare_records);
}

int checkpoint_record_verify(checkpoint_record *record, lanert_error *err)
{
    if (record->verified || record->crc == 0)
        return 0;
    uint32_t crc = (uint32_t)crc32_z(0, record->data, record->size);
    if (crc != record->crc)
        return error_set(
            err, LANERT_EFORMAT,
            "record '%s' is damaged: its CRC-32 is %08x, the directory says %08x; copy or download the file "
            "again",
            bytes_show(record->name, record->name_size).text, crc, record->crc);
    record->verified = true;
    return 0;
}
