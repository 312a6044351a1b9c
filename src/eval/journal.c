/* journal.c - finished frames on disk. */
#include "eval/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <unistd.h>

#define SYNC_EVERY 256 /* frames that a power cut may cost */

/* FNV-1a, 32 bits (Fowler, Noll, Vo): against lines cut off or changed by chance. */
static uint32_t checksum(const char *text, size_t size)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    return sum;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* "frame missing predicted labelled hits… accuracy fp fn checksum": decimal, the three doubles as their bits. */
static size_t write_line(char *out, size_t size, size_t frame, const frame_record *r)
{
    size_t n = (size_t)snprintf(out, size, "%zu %d %u %u", frame, r->missing, r->predicted, r->labelled);
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
        n += (size_t)snprintf(out + n, size - n, " %u", r->hits[t]);
    const tusimple_score *s = &r->tusimple;
    n += (size_t)snprintf(out + n, size - n, " %" PRIx64 " %" PRIx64 " %" PRIx64, bits_of(s->accuracy), bits_of(s->fp),
                          bits_of(s->fn));
    return n + (size_t)snprintf(out + n, size - n, " %08" PRIx32 "\n", checksum(out, n));
}

/* Takes one number and the space before it. */
static bool take_number(const char **p, const char *end, unsigned base, uint64_t limit, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";
    const char *start = *p;
    *value = 0;
    for (; *p < end && **p != ' '; (*p)++) {
        const char *digit = **p ? strchr(digits, **p) : NULL;
        if (!digit || digit >= digits + base || *value > (limit - (uint64_t)(digit - digits)) / base)
            return false;
        *value = *value * base + (uint64_t)(digit - digits);
    }
    bool some = *p > start;
    *p += *p < end;
    return some;
}

static bool read_line(const char *text, size_t size, size_t *frame, frame_record *r)
{
    const char *p = text, *end = text + size;
    uint64_t head[4], hits[LANERT_VAL_THRESHOLDS], score[3], sum;
    bool good = take_number(&p, end, 10, SIZE_MAX, &head[0]) && take_number(&p, end, 10, 1, &head[1]) &&
                take_number(&p, end, 10, UINT16_MAX, &head[2]) && take_number(&p, end, 10, UINT16_MAX, &head[3]);
    for (int t = 0; good && t < LANERT_VAL_THRESHOLDS; t++)
        good = take_number(&p, end, 10, UINT16_MAX, &hits[t]);
    for (int i = 0; good && i < 3; i++)
        good = take_number(&p, end, 16, UINT64_MAX, &score[i]);
    size_t summed = (size_t)(p - text);
    if (!good || !take_number(&p, end, 16, UINT32_MAX, &sum) || p != end || checksum(text, summed - 1) != sum)
        return false;
    *frame = (size_t)head[0];
    *r = (frame_record){.done = true,
                        .missing = head[1] != 0,
                        .predicted = (uint16_t)head[2],
                        .labelled = (uint16_t)head[3],
                        .tusimple = {double_of(score[0]), double_of(score[1]), double_of(score[2])}};
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
        r->hits[t] = (uint16_t)hits[t];
    return true;
}

static bool same(const frame_record *a, const frame_record *b)
{
    return a->missing == b->missing && a->predicted == b->predicted && a->labelled == b->labelled &&
           memcmp(a->hits, b->hits, sizeof a->hits) == 0 && memcmp(&a->tusimple, &b->tusimple, sizeof a->tusimple) == 0;
}

/* Takes the frames of a journal's lines behind its first; *used becomes the end of the last whole one. */
static int read_frames(const char *path, const file_map *map, size_t from, frame_record *records, size_t count,
                       size_t *used, lanert_error *err)
{
    const char *text = (const char *)map->data;
    size_t frame;
    frame_record r;
    *used = from;
    for (int line = 2; *used < map->size; line++) {
        const char *start = text + *used, *stop = memchr(start, '\n', map->size - *used);
        if (!stop)
            return 0;
        if (!read_line(start, (size_t)(stop - start), &frame, &r) || frame >= count)
            return error_set(err, LANERT_EFORMAT,
                             "%s:%d: damaged, or not a journal's line; start anew with another file", path, line);
        if (records[frame].done && !same(&records[frame], &r))
            return error_set(err, LANERT_EFORMAT, "%s:%d: frame %zu is there already, with other figures", path, line,
                             frame);
        records[frame] = r;
        *used += (size_t)(stop - start) + 1;
    }
    return 0;
}

static size_t write_head(char *out, size_t size, const journal_key *key)
{
    return (size_t)snprintf(out, size, "lanert-val 1 %s %s\n", key->frames, key->lanes);
}

/* Takes from a journal of the same frames where its lanes come from. */
static void learn_lanes(journal_key *key, const file_map *map)
{
    char head[256];
    const size_t length = write_head(head, sizeof head, key) - 1, hash = sizeof key->lanes - 1;
    if (*key->lanes || map->size < length + hash || memcmp(map->data, head, length) != 0)
        return;
    memcpy(key->lanes, map->data + length, hash);
    key->lanes[hash] = '\0';
}

/* A head that was cut off while it was written is a journal without frames: *used stays 0. */
static int read_journal(const char *path, journal_key *key, frame_record *records, size_t count, size_t *used,
                        lanert_error *err)
{
    char head[256];
    file_map map;
    int rc = file_map_open(path, DATASET_MAX_LIST_FILE, &map, err);
    *used = 0;
    if (rc)
        return rc;
    learn_lanes(key, &map);
    size_t length = write_head(head, sizeof head, key);
    if (map.size >= length && memcmp(map.data, head, length) == 0)
        rc = read_frames(path, &map, length, records, count, used, err);
    else if (map.size >= length || (map.size && memcmp(map.data, head, map.size) != 0))
        rc = error_set(err, LANERT_EINVAL,
                       "%s:1: not a journal of this run: it is of another data set, list, model or "
                       "predictions, or not a journal; use another file",
                       path);
    file_map_close(&map);
    return rc;
}

int journal_read(const char *path, journal_key *key, frame_record *records, size_t count, lanert_error *err)
{
    size_t used;
    return read_journal(path, key, records, count, &used, err);
}

static int write_all(const journal *j, const char *text, size_t size, lanert_error *err)
{
    while (size) {
        ssize_t n = write(j->fd, text, size);
        if (n < 0 && errno != EINTR)
            return error_errno(err, LANERT_EIO, errno, "%s: cannot be written", j->path);
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int journal_open(journal *j, const char *path, journal_key *key, frame_record *records, size_t count, lanert_error *err)
{
    size_t used;
    int rc = 0;
    *j = (journal){.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666), .path = strdup(path)};
    if (!j->path)
        rc = error_set(err, LANERT_ENOMEM, "out of memory");
    else if (j->fd < 0)
        rc = error_errno(err, LANERT_EIO, errno, "%s: journal cannot be opened", path);
    else if (flock(j->fd, LOCK_EX | LOCK_NB) < 0)
        rc = error_set(err, LANERT_EINVAL, "%s: another run is writing to this journal; give each its own", path);
    if (!rc && !(rc = read_journal(path, key, records, count, &used, err)) && ftruncate(j->fd, (off_t)used) < 0)
        rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be cut", path);
    if (!rc && !used)
        rc = write_all(j, j->line, write_head(j->line, sizeof j->line, key), err);
    if (rc)
        journal_close(j, NULL);
    return rc;
}

int journal_add(journal *j, size_t frame, const frame_record *record, lanert_error *err)
{
    int rc = write_all(j, j->line, write_line(j->line, sizeof j->line, frame, record), err);
    if (!rc && ++j->unsynced == SYNC_EVERY) {
        j->unsynced = 0;
        if (fdatasync(j->fd) < 0)
            rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be written", j->path);
    }
    return rc;
}

int journal_close(journal *j, lanert_error *err)
{
    int rc = 0;
    if (j->fd >= 0) {
        bool bad = fdatasync(j->fd) < 0;
        int why = errno;
        if ((close(j->fd) < 0 && !bad && (why = errno)) || bad)
            rc = error_errno(err, LANERT_EIO, why, "%s: cannot be written", j->path);
    }
    j->fd = -1;
    FREE(j->path);
    return rc;
}
