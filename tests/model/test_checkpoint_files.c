/* Files made by hand: those that are no checkpoints, are wrong or damaged are refused with the reason, none does harm,
 * and sound ones of an unusual layout are read. */
#include "model/checkpoint_asserts.h"
#include "support/checkpoint_writer.h"
#include "support/zip_writer.h"

static void refuses_other_files(void **state)
{
    (void)state;
    char tar[600] = "archive/", noise[600];
    memcpy(tar + 257, "ustar", 5);
    memset(noise, 1, sizeof noise);
    assert_refused(&(buffer){tar, sizeof tar, 0, 0}, LANERT_EUNSUPPORTED, "is a tar");
    assert_refused(&(buffer){noise, sizeof noise, 0, 0}, LANERT_EFORMAT, "is not a checkpoint of torch.save");
    assert_refused(&(buffer){noise, 1, 0, 0}, LANERT_EFORMAT, "is not a checkpoint of torch.save");
    assert_refused(&(buffer){noise, 0, 0, 0}, LANERT_EFORMAT, "is empty");
    assert_refused(&(buffer){(char *)"<!DOCTYPE html>", 15, 0, 0}, LANERT_EFORMAT, "web page");
    assert_refused(&(buffer){(char *)"dear diary", 10, 0, 0}, LANERT_EFORMAT, "is text");
    assert_refused(&(buffer){(char *)"\x1f\x8b\x08", 3, 0, 0}, LANERT_EFORMAT, "is a gzip file: unpack it first");
    assert_refused(&(buffer){(char *)"\x08\x08\x12\x06lanert", 10, 0, 0}, LANERT_EFORMAT, "an ONNX model");
    assert_refused(&(buffer){(char *)"\x80\x02N.", 4, 0, 0}, LANERT_EUNSUPPORTED, "not one that torch.save wrote");
    assert_refused(&(buffer){(char *)"PK\3\4", 4, 0, 0}, LANERT_EFORMAT, "its directory is not at the end");
}

/* ---- zips made by hand ------------------------------------------------------------------------------- */

/* A pickle of {'net': {'a': two float32 in storage '0'}}. */
#define TEXT(length, text) "X" length "\0\0\0" text
#define TENSOR_OF(elements)                                                                                            \
    "ctorch._utils\n_rebuild_tensor_v2\n((" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0")             \
        TEXT("\3", "cpu") elements "tQK\0K\2\x85K\1\x85\x89NtR"
#define TENSOR TENSOR_OF("K\2")
#define NET "\x80\x02}" TEXT("\3", "net") "}" TEXT("\1", "a") TENSOR "ss."
#define RECORD(name, bytes)                                                                                            \
    {                                                                                                                  \
        name, bytes, sizeof(bytes) - 1                                                                                 \
    }
#define OBJECT RECORD("top/data.pkl", NET)
#define DATA RECORD("top/data/0", "\0\0\x80\x3f\0\0\0\x40")

typedef struct record {
    const char *name, *bytes;
    size_t size;
} record;

static buffer zip_of(const record *records, size_t count, bool no_crc)
{
    lanert_error err;
    zip_writer z = {.no_crc = no_crc};
    for (size_t i = 0; i < count; i++)
        assert_ok(zip_writer_add(&z, records[i].name, records[i].bytes, records[i].size, &err));
    assert_ok(zip_writer_finish(&z, &err));
    buffer_free(&z.directory);
    return z.file;
}

#define ZIP(...) zip_of((const record[]){__VA_ARGS__}, sizeof((const record[]){__VA_ARGS__}) / sizeof(record), false)

static void refuse_zip(buffer file, int code, const char *part)
{
    assert_refused(&file, code, part);
    buffer_free(&file);
}

static void refuses_wrong_records(void **state)
{
    (void)state;
    buffer sound = ZIP(OBJECT, DATA, RECORD("top/byteorder", "little"), RECORD("top/version", "3\n"));
    lanert_error err;
    checkpoint *ck;
    assert_ok(checkpoint_open_memory(sound.data, sound.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&sound);

    refuse_zip(ZIP(DATA), LANERT_EUNSUPPORTED, "a zip without a data.pkl");
    refuse_zip(ZIP(RECORD("culane_r18.pth", "x")), LANERT_EUNSUPPORTED,
               "'culane_r18.pth'): where it is a checkpoint packed");
    refuse_zip(ZIP(RECORD("a/b/data.pkl", NET)), LANERT_EUNSUPPORTED, "a zip without a data.pkl");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("b/data.pkl", NET)), LANERT_EFORMAT,
               "holds two checkpoints, 'b/data.pkl' and 'top/data.pkl'");
    refuse_zip(ZIP(OBJECT, DATA, DATA), LANERT_EFORMAT, "record 'top/data/0' is there twice");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("top/constants.pkl", "")), LANERT_EUNSUPPORTED,
               "is a TorchScript archive (it has 'top/constants.pkl')");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("top/code/x.py", "")), LANERT_EUNSUPPORTED,
               "is a TorchScript archive (it has 'top/code')");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("top/byteorder", "big")), LANERT_EUNSUPPORTED,
               "record 'top/byteorder' says 'big'");
    refuse_zip(ZIP(OBJECT), LANERT_EFORMAT, "record 'top/data/0' is missing");
    refuse_zip(ZIP(OBJECT, RECORD("top/data/0", "1234567")), LANERT_EFORMAT,
               "record 'top/data/0' has 7 bytes; data.pkl says 2 elements of float32, 8 bytes");
    refuse_zip(ZIP(RECORD("top/data.pkl", NET "N"), DATA), LANERT_EFORMAT, "goes on for 1 bytes behind its pickle");
    refuse_zip(ZIP(RECORD("top/data.pkl", "cos\nsystem\n."), DATA), LANERT_EUNSUPPORTED,
               "record 'top/data.pkl': at byte 0: the global 'os.system' is refused");
}

static void refuses_wrong_state_dicts(void **state)
{
    (void)state;
#define OBJECT_OF(bytes) ZIP(RECORD("top/data.pkl", bytes), DATA)
    refuse_zip(OBJECT_OF("]."), LANERT_EUNSUPPORTED, "holds a list; expected a state dict");
    refuse_zip(OBJECT_OF(TENSOR "."), LANERT_EUNSUPPORTED, "holds a tensor; expected a state dict");
    refuse_zip(
        OBJECT_OF("}" TEXT("\1", "a") "Ns" TEXT("\1", "b") "}s."), LANERT_EUNSUPPORTED,
        "holds no state dict: neither tensors nor a dict under 'net', 'state_dict' or 'model', but the keys 'a', 'b'");
    refuse_zip(OBJECT_OF("}" TEXT("\1", "a") TENSOR "s" TEXT("\1", "b") "Ns."), LANERT_EUNSUPPORTED,
               "entry 'b' of the state dict is None; expected a tensor");
    refuse_zip(OBJECT_OF("}" TEXT("\3", "net") "}K\1" TENSOR "ss."), LANERT_EFORMAT,
               "a key of the state dict is an integer");
    refuse_zip(OBJECT_OF("}" TEXT("\3", "net") "}" TEXT("\2", "a\n") TENSOR "ss."), LANERT_EUNSUPPORTED,
               "the name 'a?' has a byte other than printable ASCII");
    refuse_zip(OBJECT_OF("}" TEXT("\1", "a") TENSOR "s" TEXT("\1", "a") TENSOR "s."), LANERT_EFORMAT,
               "tensor 'a' is in the state dict twice");
    refuse_zip(OBJECT_OF("}" TEXT("\1", "a") TENSOR_OF(TEXT("\1", "2")) "s."), LANERT_EFORMAT,
               "number of elements of a storage is a string");
}

static void keeps_names_of_which_some_have_the_prefix(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer file = OBJECT_OF("}" TEXT("\x08", "module.a") TENSOR "s" TEXT("\1", "a") TENSOR "s.");
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_false(checkpoint_had_prefix(ck));
    assert_non_null(checkpoint_find(ck, "module.a"));
    assert_non_null(checkpoint_find(ck, "a"));
    checkpoint_close(&ck);
    buffer_free(&file);
}

/* ---- zips damaged by hand ------------------------------------------------------------------------------ */

/* The bytes `what` in the file, the last time that they are there. */
static char *last_of(const buffer *file, const char *what, size_t n)
{
    for (char *p = file->data + file->size - n; p >= file->data; p--)
        if (memcmp(p, what, n) == 0)
            return p;
    fail_msg("nothing to damage");
    return NULL;
}

static void put(char *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (char)(value >> (8 * i));
}

/* Writes `value` at `offset` from a structure of the sound zip: its last entry (of data/0), end, zip64 end or locator.
 */
static void refuse_with(const char *signature, size_t offset, uint64_t value, size_t n, int code, const char *part)
{
    buffer file = ZIP(OBJECT, DATA);
    put(last_of(&file, signature, 4) + offset, value, n);
    refuse_zip(file, code, part);
}

static void refuses_damaged_zips(void **state)
{
    (void)state;
    refuse_with("PK\1\2", 10, 8, 2, LANERT_EUNSUPPORTED, "record 'top/data/0' is compressed (method 8)");
    refuse_with("PK\1\2", 8, 1, 2, LANERT_EUNSUPPORTED, "record 'top/data/0': it is encrypted");
    refuse_with("PK\1\2", 20, 7, 4, LANERT_EFORMAT, "record 'top/data/0': it claims 8 bytes stored as 7");
    refuse_with("PK\1\2", 16, 1, 4, LANERT_EFORMAT, "record 'top/data/0' is damaged: its CRC-32 is");
    refuse_with("PK\1\2", 42, 0, 4, LANERT_EFORMAT, "its local header at byte 0 is another record's");
    refuse_with("PK\1\2", 42, 1, 4, LANERT_EFORMAT, "its local header is not at byte 1");
    refuse_with("PK\1\2", 42, 0xfffffff0, 4, LANERT_EFORMAT, "its local header is not at byte 4294967280");
    refuse_with("PK\1\2", 42, 0xffffffff, 4, LANERT_EFORMAT, "its zip64 field is missing or too short");
    refuse_with("PK\1\2", 20, 0x0fffffff0fffffff, 8, LANERT_EFORMAT, "its 268435455 bytes from byte");
    refuse_with("PK\1\2", 28, 0xffff, 2, LANERT_EFORMAT, "record 1 of the zip's directory is cut short");
    refuse_with("PK\1\2", 32, 0xffff, 2, LANERT_EFORMAT, "record 1 of the zip's directory is cut short");
    refuse_with("PK\1\2", 0, 0, 1, LANERT_EFORMAT, "the zip's directory ends after 1 of its 2 records");
    refuse_with("PK\3\4", 26, 0xffff, 2, LANERT_EFORMAT, "another record's");
    refuse_with("PK\3\4", 28, 0xffff, 2, LANERT_EFORMAT, "another record's");
    refuse_with("PK\3\4", 30, 'x', 1, LANERT_EFORMAT, "another record's");
    refuse_with("PK\5\6", 4, 1, 2, LANERT_EUNSUPPORTED, "one part of a zip in several");
    refuse_with("PK\5\6", 20, 1, 2, LANERT_EFORMAT, "its directory is not at the end");
    refuse_with("PK\6\6", 0, 0, 4, LANERT_EFORMAT, "the zip64 end record is not at byte");
    refuse_with("PK\6\6", 32, 3, 8, LANERT_EFORMAT, "the zip's directory ends after 2 of its 3 records");
    refuse_with("PK\6\6", 32, 1, 8, LANERT_EFORMAT, "bytes follow the last record in the zip's directory");
    refuse_with("PK\6\6", 32, 1 << 20, 8, LANERT_ELIMIT, "1048576 records; at most 65536");
    refuse_with("PK\6\6", 40, UINT64_MAX, 8, LANERT_EFORMAT, "the zip's directory (18446744073709551615 bytes at byte");
    refuse_with("PK\6\6", 48, UINT64_MAX, 8, LANERT_EFORMAT, "at byte 18446744073709551615) does not lie before");
    refuse_with("PK\6\7", 0, 0, 4, LANERT_EFORMAT, "the zip64 locator is missing");
    refuse_with("PK\6\7", 8, UINT64_MAX, 8, LANERT_EFORMAT, "the zip64 end record is not at byte 18446744073709551615");
}

/* The first record, data.pkl, claims all that follows it, up to the directory. */
static void refuses_overlapping_records(void **state)
{
    (void)state;
    buffer file = ZIP(OBJECT, DATA);
    char *end64 = last_of(&file, "PK\6\6", 4), *entry = file.data;
    uint64_t at;
    memcpy(&at, end64 + 48, 8);
    entry += at;
    put(entry + 20, at - 64, 4);
    put(entry + 24, at - 64, 4);
    refuse_zip(file, LANERT_EFORMAT, "the zip's records overlap: record 'top/data/0' brings them to");
}

static void reads_plain_and_zip64_directories(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer file = ZIP(OBJECT, DATA);
    char *end = last_of(&file, "PK\5\6", 4), *end64 = last_of(&file, "PK\6\6", 4);
    memcpy(end + 16, end64 + 48, 4);
    memset(end64, 0, (size_t)(end - end64));
    assert_ok(buffer_text(&file, "a comment", &err));
    put(last_of(&file, "PK\5\6", 4) + 20, 9, 2);
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&file);
}

/* The last entry, of data/0, with sizes and offset in its zip64 field, behind a field of another kind. */
static void reads_zip64_entries(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer plain = ZIP(OBJECT, DATA), file = {0};
    char *entry = last_of(&plain, "PK\1\2", 4), *end64 = last_of(&plain, "PK\6\6", 4), field[4 + 2 + 4 + 24] = {0};
    uint32_t at;
    memcpy(&at, entry + 42, 4);
    memset(entry + 20, 0xff, 8);
    memset(entry + 42, 0xff, 4);
    put(entry + 30, sizeof field, 2);
    put(field, 0x7075, 2);
    put(field + 2, 2, 2);
    put(field + 6, 1, 2);
    put(field + 8, 24, 2);
    put(field + 10, 8, 8);
    put(field + 18, 8, 8);
    put(field + 26, at, 8);
    uint64_t size;
    memcpy(&size, end64 + 40, 8);
    put(end64 + 40, size + sizeof field, 8);
    put(end64 + 56 + 8, (uint64_t)(end64 - plain.data) + sizeof field, 8);
    assert_ok(buffer_add(&file, plain.data, (size_t)(end64 - plain.data), &err));
    assert_ok(buffer_add(&file, field, sizeof field, &err));
    assert_ok(buffer_add(&file, end64, (size_t)(plain.data + plain.size - end64), &err));
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&plain);
    buffer_free(&file);
}

static void reads_files_without_crc(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer file = zip_of((const record[]){OBJECT, DATA}, 2, true);
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&file);
}

/* ---- the legacy form ----------------------------------------------------------------------------------- */

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define PROTOCOL "\x80\x02M\xe9\x03."
#define SYSTEM "}" TEXT("\x0d", "little_endian") "\x88s."
#define KEYS "](" TEXT("\1", "0") "e."
#define STORAGE                                                                                                        \
    "\2\0\0\0\0\0\0\0"                                                                                                 \
    "\0\0\x80\x3f\0\0\0\x40"

static void refuses_wrong_legacy_files(void **state)
{
    (void)state;
#define LEGACY(bytes) (&(buffer){(char *)(bytes), sizeof(bytes) - 1, 0, 0})
    lanert_error err;
    checkpoint *ck;
    const buffer *sound = LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS STORAGE);
    assert_ok(checkpoint_open_memory(sound->data, sound->size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);

    assert_refused(LEGACY(MAGIC "K\1."), LANERT_EUNSUPPORTED, "its second pickle is not 1001");
    assert_refused(LEGACY(MAGIC "N."), LANERT_EUNSUPPORTED, "its second pickle is not 1001");
    assert_refused(LEGACY(MAGIC "x"), LANERT_EUNSUPPORTED, "pickle of the protocol: at byte 15: pickle opcode 0x78");
    assert_refused(LEGACY(MAGIC PROTOCOL "}."), LANERT_EFORMAT, "does not say whether it is little_endian");
    assert_refused(LEGACY(MAGIC PROTOCOL "N."), LANERT_EFORMAT, "does not say whether it is little_endian");
    assert_refused(LEGACY(MAGIC PROTOCOL "}" TEXT("\x0d", "little_endian") "\x89s."), LANERT_EUNSUPPORTED,
                   "big-endian machine");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM "cos\nsystem\n."), LANERT_EUNSUPPORTED,
                   "pickle of the object: at byte");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "}."), LANERT_EFORMAT,
                   "its fifth pickle is a dict; expected a list");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "]Na."), LANERT_EFORMAT,
                   "a storage's key in its fifth pickle is None");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "]."), LANERT_EFORMAT,
                   "storage '0' is not listed, though a tensor lies in it");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "]" TEXT("\1", "1") "a." STORAGE), LANERT_EFORMAT,
                   "storage '1' is listed, but no tensor lies in it");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "](" TEXT("\1", "0") TEXT("\1", "0") "e." STORAGE STORAGE),
                   LANERT_EFORMAT, "storage '0' is listed twice");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS STORAGE "x"), LANERT_EFORMAT,
                   "1 bytes follow the last storage");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS "\2\0\0"), LANERT_EFORMAT,
                   "the file is cut short at storage '0'");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS "\2\0\0\0\0\0\0\0zzzz"), LANERT_EFORMAT,
                   "storage '0' has 8 bytes at byte");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS "\3\0\0\0\0\0\0\0zzzz"), LANERT_EFORMAT,
                   "storage '0' has 3 elements at byte");
}

/* ---- every damage to a small file ---------------------------------------------------------------------- */

static const float weights[] = {1, -2, 3.5f, 4e-8f, 5, 6e30f};

/* Two tensors, one of them a double. */
static void add_tensors(checkpoint_writer *w)
{
    lanert_error err;
    assert_ok(checkpoint_writer_add(w, "conv.weight", CHECKPOINT_F32, SHAPE(2, 3), weights, &err));
    assert_ok(checkpoint_writer_add(w, "conv.bias", CHECKPOINT_F64, SHAPE(2), (const double[]){0.5, -0.25}, &err));
}

static buffer small_file(checkpoint_writer_form form)
{
    lanert_error err;
    checkpoint_writer w;
    buffer file = {0};
    assert_ok(checkpoint_writer_open(NULL, form, &w, &err));
    add_tensors(&w);
    assert_ok(checkpoint_writer_bytes(&w, &file, &err));
    checkpoint_writer_close(&w);
    return file;
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (EACH_FORM(form)) {
        buffer file = small_file(form);
        for (size_t n = 0; n < file.size; n++) {
            lanert_error err;
            checkpoint *ck;
            /* Memory of that size, so that a sanitizer sees a read behind it. */
            char *part = malloc(n ? n : 1);
            assert_non_null(part);
            memcpy(part, file.data, n);
            int rc = checkpoint_open_memory(part, n, "file", &ck, &err);
            if (rc != LANERT_EFORMAT && rc != LANERT_EUNSUPPORTED)
                fail_msg("%zu of %zu bytes: %s", n, file.size, lanert_error_name(rc));
            free(part);
        }
        buffer_free(&file);
    }
}

/* Reads all of a file that may be damaged. True where it is the small one, unharmed. */
static bool is_small_file(const buffer *file)
{
    lanert_error err;
    checkpoint *ck;
    float out[8] = {0};
    char *copy = malloc(file->size);
    assert_non_null(copy);
    memcpy(copy, file->data, file->size);
    bool same = false;
    if (checkpoint_open_memory(copy, file->size, "file", &ck, &err) == 0) {
        same = checkpoint_count(ck) == 2;
        for (int i = 0; i < checkpoint_count(ck); i++) {
            const checkpoint_tensor *t = checkpoint_at(ck, i);
            assert_true(t->elements <= 6);
            same &= checkpoint_read(t, out, &err) == 0 &&
                    memcmp(out, i ? (const float[]){0.5f, -0.25f} : weights, (size_t)t->elements * sizeof *out) == 0;
        }
        checkpoint_close(&ck);
    } else {
        same = true;
    }
    free(copy);
    return same;
}

/* A flipped bit is refused or without effect where the file has checksums, and harmless in any. */
static void survives_every_flipped_bit(void **state)
{
    (void)state;
    for (EACH_FORM(form)) {
        buffer file = small_file(form);
        for (size_t bit = 0; bit < 8 * file.size; bit++) {
            file.data[bit / 8] ^= (char)(1 << bit % 8);
            if (!is_small_file(&file) && form == CHECKPOINT_WRITER_ZIP)
                fail_msg("bit %zu changes the values, unseen", bit);
            file.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        buffer_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(refuses_wrong_records),
        cmocka_unit_test(refuses_wrong_state_dicts),
        cmocka_unit_test(keeps_names_of_which_some_have_the_prefix),
        cmocka_unit_test(refuses_damaged_zips),
        cmocka_unit_test(refuses_overlapping_records),
        cmocka_unit_test(reads_plain_and_zip64_directories),
        cmocka_unit_test(reads_zip64_entries),
        cmocka_unit_test(reads_files_without_crc),
        cmocka_unit_test(refuses_wrong_legacy_files),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_every_flipped_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
