/* The unpickler on hand-written pickles: what each opcode makes, and every way in which a pickle is refused. */
#include "model/pickle.h"

#include "support/testing.h"

/* A pickle as a string literal, without its NUL. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/* Parts of pickles. */
#define PROTO "\x80\x02"
#define TEXT(length, text) "X" length "\0\0\0" text
#define ORDERED_DICT "ccollections\nOrderedDict\n)R"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
/* A float storage '0' of 12 elements. */
#define STORAGE "(" TEXT("\x07", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0") TEXT("\3", "cpu") "K\x0ctQ"
#define HOOKS "\x89" ORDERED_DICT
#define LONG(bytes) "\x8a\x08" bytes
#define HUGE_LONG LONG("\xff\xff\xff\xff\xff\xff\xff\x7f")
#define NEGATIVE "J\xff\xff\xff\xff"

static int load(const uint8_t *bytes, size_t size, pickle *p, lanert_error *err)
{
    size_t at = 0;
    return pickle_load(bytes, size, &at, p, err);
}

static void reads_scalars(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *bytes;
        size_t size;
        pickle_kind kind;
        int64_t value;
    } cases[] = {
        {BYTES("N."), PICKLE_NONE, 0},
        {BYTES("\x88."), PICKLE_BOOL, 1},
        {BYTES("\x89."), PICKLE_BOOL, 0},
        {BYTES("K\xff."), PICKLE_INT, 255},
        {BYTES("M\x01\xff."), PICKLE_INT, 0xff01},
        {BYTES("J\xff\xff\xff\xff."), PICKLE_INT, -1},
        {BYTES("J\x00\x00\x00\x80."), PICKLE_INT, INT32_MIN},
        {BYTES("\x8a\x00."), PICKLE_INT, 0},
        {BYTES("\x8a\x01\x80."), PICKLE_INT, -128},
        {BYTES("\x8a\x02\xff\x00."), PICKLE_INT, 255},
        {BYTES(LONG("\0\0\0\0\0\0\0\x80") "."), PICKLE_INT, INT64_MIN},
        {BYTES(HUGE_LONG "."), PICKLE_INT, INT64_MAX},
        {BYTES("\x8a\x09zzzzzzzzz."), PICKLE_NUMBER, 0},
        {BYTES("Gzzzzzzzz."), PICKLE_NUMBER, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lanert_error err = {0};
        pickle p;
        assert_ok(load(cases[i].bytes, cases[i].size, &p, &err));
        assert_int_equal(p.root->kind, cases[i].kind);
        assert_int_equal(p.root->integer, cases[i].value);
        pickle_free(&p);
    }
}

static void reads_containers(void **state)
{
    (void)state;
    static const char bytes[] = PROTO "}(" TEXT("\1", "a") "]q\0(K\1K\2e" TEXT(
        "\1", "b") "(K\1K\2K\3K\4tr\1\0\0\0"
                   "h\0j\1\0\0\0u" /* the list is a key: dicts are read, not hashed */
        TEXT("\1", "a") "Ns" TEXT("\1", "c") "K\1K\2\x86s.";
    lanert_error err = {0};
    pickle p;
    assert_ok(load(BYTES(bytes), &p, &err));
    assert_int_equal(p.root->kind, PICKLE_DICT);
    assert_int_equal(p.root->list.count, 10);
    assert_int_equal(p.root->list.items[1]->list.count, 2);
    assert_int_equal(p.root->list.items[1]->list.items[1]->integer, 2);
    assert_ptr_equal(p.root->list.items[1], p.root->list.items[4]);
    assert_ptr_equal(p.root->list.items[3], p.root->list.items[5]);
    assert_int_equal(pickle_find(p.root, "a")->kind, PICKLE_NONE);
    assert_int_equal(pickle_find(p.root, "b")->kind, PICKLE_TUPLE);
    assert_int_equal(pickle_find(p.root, "b")->list.count, 4);
    assert_int_equal(pickle_find(p.root, "c")->list.items[0]->integer, 1);
    assert_null(pickle_find(p.root, "d"));
    pickle_free(&p);
}

static void leaves_the_place_behind_the_pickle(void **state)
{
    (void)state;
    lanert_error err = {0};
    pickle p;
    size_t at = 2;
    assert_ok(pickle_load((const uint8_t *)"zzK\7.rest", 9, &at, &p, &err));
    assert_int_equal(at, 5);
    assert_int_equal(p.root->integer, 7);
    pickle_free(&p);
}

static void reads_tensors(void **state)
{
    (void)state;
    static const char bytes[] = "ctorch._utils\n_rebuild_parameter\n(" REBUILD "(" STORAGE
                                "K\1K\2K\3\x86K\1K\4\x86" HOOKS "tR" HOOKS "tR.";
    lanert_error err = {0};
    pickle p;
    assert_ok(load(BYTES(bytes), &p, &err));
    assert_int_equal(p.root->kind, PICKLE_TENSOR);
    const pickle_tensor *t = p.root->tensor;
    assert_int_equal(t->offset, 1);
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->dims[0], 2);
    assert_int_equal(t->dims[1], 3);
    assert_int_equal(t->strides[0], 1);
    assert_int_equal(t->strides[1], 4);
    assert_int_equal(t->elements, 6);
    assert_int_equal(t->storage->elements, 12);
    assert_int_equal(t->storage->type, CHECKPOINT_F32);
    assert_int_equal(p.storage_count, 1);
    pickle_free(&p);
}

static void knows_31_opcodes(void **state)
{
    (void)state;
    int known = 0;
    for (int opcode = 0; opcode < 256; opcode++) {
        uint8_t byte = (uint8_t)opcode;
        lanert_error err = {0};
        pickle p;
        int rc = load(&byte, 1, &p, &err);
        if (rc == LANERT_EUNSUPPORTED) {
            assert_non_null(strstr(err.text, "is refused"));
        } else {
            assert_int_equal(rc, LANERT_EFORMAT);
            known++;
        }
    }
    assert_int_equal(known, 31);
}

static void refuses_globals(void **state)
{
    (void)state;
    static const char *const names[] = {"os\nsystem",
                                        "builtins\neval",
                                        "torch\nload",
                                        "torch\nFloatTensor",
                                        "collections\nOrderedDic",
                                        "collections\nOrderedDictt",
                                        "collection\nsOrderedDict",
                                        "\n",
                                        "numpy.core.multiarray\nscalar"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char bytes[64], dotted[64];
        snprintf(bytes, sizeof bytes, "c%s\n)R.", names[i]);
        snprintf(dotted, sizeof dotted, "'%s' is refused", names[i]);
        *strchr(dotted, '\n') = '.';
        lanert_error err = {0};
        pickle p;
        assert_fails(load((const uint8_t *)bytes, strlen(bytes), &p, &err), LANERT_EUNSUPPORTED, dotted);
    }
}

static void shows_names_harmlessly(void **state)
{
    (void)state;
    lanert_error err = {0};
    pickle p;
    assert_fails(load(BYTES("c\x1b[31m\xff\nx\n."), &p, &err), LANERT_EUNSUPPORTED, "'?[31m?.x'");
}

static void refuses_bad_pickles(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *bytes;
        size_t size;
        int code;
        const char *part;
    } cases[] = {
        {BYTES(""), LANERT_EFORMAT, "at byte 0: 1 bytes were expected, but only 0 are left"},
        {BYTES(PROTO), LANERT_EFORMAT, "at byte 2: 1 bytes"},
        {BYTES("\x80\x04."), LANERT_EUNSUPPORTED, "pickle protocol 4; expected 2"},
        {BYTES("."), LANERT_EFORMAT, "stops with 0 values"},
        {BYTES("NN."), LANERT_EFORMAT, "at byte 2: the pickle stops with 2 values"},
        {BYTES("(N."), LANERT_EFORMAT, "stops with"},
        {BYTES("J\0\0\0"), LANERT_EFORMAT, "4 bytes were expected, but only 3"},
        {BYTES("\x8a\x05zz"), LANERT_EFORMAT, "5 bytes were expected"},
        {BYTES("X\5\0\0\0abcd"), LANERT_EFORMAT, "5 bytes were expected, but only 4"},
        {BYTES("X\xff\xff\xff\xff"), LANERT_ELIMIT, "a string of 4294967295 bytes"},
        {BYTES("cos\nsystem"), LANERT_EFORMAT, "a global's name does not end"},
        {BYTES("c"), LANERT_EFORMAT, "a global's name does not end"},
        {BYTES("t."), LANERT_EFORMAT, "a container ends that never began"},
        {BYTES("u."), LANERT_EFORMAT, "a container ends that never began"},
        {BYTES("e."), LANERT_EFORMAT, "a container ends that never began"},
        {BYTES("N\x86."), LANERT_EFORMAT, "2 values are needed, but 1 are there"},
        {BYTES("NN(N\x86."), LANERT_EFORMAT, "2 values are needed, but 1 are there"},
        {BYTES("](a."), LANERT_EFORMAT, "2 values are needed, but 0 are there"},
        {BYTES("(e"), LANERT_EFORMAT, "1 values are needed, but 0 are there"},
        {BYTES("N(Ne."), LANERT_EFORMAT, "items are put into None; expected a list"},
        {BYTES("}Na."), LANERT_EFORMAT, "items are put into a dict; expected a list"},
        {BYTES(")Na."), LANERT_EFORMAT, "items are put into a tuple"},
        {BYTES("]NNs."), LANERT_EFORMAT, "items are put into a list; expected a dict"},
        {BYTES("}(Nu."), LANERT_EFORMAT, "a key without a value"},
        {BYTES("q\0."), LANERT_EFORMAT, "1 values are needed"},
        {BYTES("h\0."), LANERT_EFORMAT, "memo slot 0 is empty"},
        {BYTES("Nq\1h\0."), LANERT_EFORMAT, "memo slot 0 is empty"},
        {BYTES("j\xff\xff\xff\xff."), LANERT_EFORMAT, "memo slot 4294967295 is empty"},
        {BYTES("Nr\xff\xff\xff\xff."), LANERT_ELIMIT, "memo slot 4294967295; at most"},
        {BYTES("N)R."), LANERT_EFORMAT, "None is called with a tuple"},
        {BYTES("ccollections\nOrderedDict\n]R."), LANERT_EFORMAT, "a type is called with a list"},
        {BYTES("ccollections\nOrderedDict\n]\x85R."), LANERT_EUNSUPPORTED, "made from 1 arguments, as Python 2 did"},
        {BYTES("ctorch\nFloatStorage\nK\x63\x85R."), LANERT_EFORMAT, "torch.FloatStorage is called"},
        {BYTES("ctorch._utils\n_rebuild_parameter\n)R."), LANERT_EFORMAT, "a parameter is not made from a tensor"},
        {BYTES("ctorch._utils\n_rebuild_parameter\nNNN\x87R."), LANERT_EFORMAT,
         "a parameter is not made from a tensor"},
        {BYTES("}}b."), LANERT_EFORMAT, "a dict is given the state of a dict; expected an OrderedDict"},
        {BYTES("]}b."), LANERT_EFORMAT, "a list is given the state"},
        {BYTES(ORDERED_DICT "]b."), LANERT_EFORMAT, "expected an OrderedDict and a dict"},
        {BYTES("NQ."), LANERT_EFORMAT, "not a storage's tuple"},
        {BYTES("NNN\x87Q."), LANERT_EFORMAT, "not a storage's tuple"},
        {BYTES("(" TEXT("\6", "module") "NNNNtQ."), LANERT_EUNSUPPORTED, "tagged 'module'; only 'storage'"},
        {BYTES("(NNNNNtQ."), LANERT_EFORMAT, "the tag of a persistent id is None; expected a string"},
        {BYTES("(" TEXT("\7", "storage") "NNNNtQ."), LANERT_EFORMAT, "the type of a storage is None"},
        {BYTES("(" TEXT("\7", "storage") "ccollections\nOrderedDict\n" TEXT("\1", "0") "NK\1tQ."), LANERT_EFORMAT,
         "the type of a storage is collections.OrderedDict"},
        {BYTES("(" TEXT("\7", "storage") "ctorch\nFloatStorage\nK\1NK\1tQ."), LANERT_EFORMAT,
         "the key of a storage is an integer"},
        {BYTES("(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\0", "") "NK\1tQ."), LANERT_ELIMIT,
         "a storage's key has 0 bytes"},
        {BYTES("(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0") "N" NEGATIVE "tQ."), LANERT_EFORMAT,
         "the number of elements of a storage is -1"},
        {BYTES("(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0") "N" HUGE_LONG "tQ."), LANERT_EFORMAT,
         "storage '0' claims 9223372036854775807 elements"},
        {BYTES("(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0") "NK\1NN\x86tQ."), LANERT_EUNSUPPORTED,
         "storage '0' is a view"},
        {BYTES(REBUILD ")R."), LANERT_EFORMAT, "rebuilt from 0 arguments"},
        {BYTES(REBUILD "(NK\0))" HOOKS "tR."), LANERT_EFORMAT, "the storage of a tensor is None"},
        {BYTES(REBUILD "(" STORAGE NEGATIVE "))" HOOKS "tR."), LANERT_EFORMAT, "the offset of a tensor is -1"},
        {BYTES(REBUILD "(" STORAGE "K\0])" HOOKS "tR."), LANERT_EFORMAT, "the size of a tensor is a list"},
        {BYTES(REBUILD "(" STORAGE "K\0)]" HOOKS "tR."), LANERT_EFORMAT, "the stride of a tensor is a list"},
        {BYTES(REBUILD "(" STORAGE "K\0K\1\x85)" HOOKS "tR."), LANERT_EFORMAT, "1 dimensions but 0 strides"},
        {BYTES(REBUILD "(" STORAGE "K\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1t(K\1K\1K\1K\1K\1K\1K\1K\1K\1t" HOOKS "tR."),
         LANERT_ELIMIT, "9 dimensions; at most 8"},
        {BYTES(REBUILD "(" STORAGE "K\0N\x85K\1\x85" HOOKS "tR."), LANERT_EFORMAT, "the size of a tensor is None"},
        {BYTES(REBUILD "(" STORAGE "K\0" NEGATIVE "\x85K\1\x85" HOOKS "tR."), LANERT_EFORMAT, "size of a tensor is -1"},
        {BYTES(REBUILD "(" STORAGE "K\0K\2\x85" NEGATIVE "\x85" HOOKS "tR."), LANERT_EFORMAT,
         "stride of a tensor is -1"},
        {BYTES(REBUILD "(" STORAGE "K\0K\x0d\x85K\1\x85" HOOKS "tR."), LANERT_EFORMAT,
         "reaches beyond the 12 elements of its storage '0'"},
        {BYTES(REBUILD "(" STORAGE "K\1K\x0c\x85K\1\x85" HOOKS "tR."), LANERT_EFORMAT, "reaches beyond"},
        {BYTES(REBUILD "(" STORAGE "K\x0c))" HOOKS "tR."), LANERT_EFORMAT, "reaches beyond"},
        {BYTES(REBUILD "(" STORAGE "K\x0dK\0\x85K\1\x85" HOOKS "tR."), LANERT_EFORMAT, "reaches beyond"},
        {BYTES(REBUILD "(" STORAGE "K\0K\2\x85" HUGE_LONG "\x85" HOOKS "tR."), LANERT_EFORMAT, "reaches beyond"},
        {BYTES(REBUILD "(" STORAGE "K\2K\3\x85" HUGE_LONG "\x85" HOOKS "tR."), LANERT_EFORMAT, "reaches beyond"},
        {BYTES(REBUILD "(" STORAGE "K\0" HUGE_LONG "K\2\x86K\0K\0\x86" HOOKS "tR."), LANERT_EFORMAT,
         "multiply to more than 63 bits"},
        {BYTES(REBUILD "(" STORAGE "K\0))" HOOKS "}NNstR."), LANERT_EUNSUPPORTED, "a lazy negation or conjugation"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lanert_error err = {0};
        pickle p;
        assert_fails(load(cases[i].bytes, cases[i].size, &p, &err), cases[i].code, cases[i].part);
        assert_null(p.root);
    }
}

static void stops_at_its_limits(void **state)
{
    (void)state;
    static const struct {
        char opcode;
        size_t count;
        const char *part;
    } cases[] = {
        {'(', PICKLE_MAX_MARKS + 1, "containers nest deeper than 256"},
        {'N', PICKLE_MAX_STACK + 1, "more than 65536 values wait"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lanert_error err = {0};
        pickle p;
        uint8_t *bytes = malloc(cases[i].count);
        assert_non_null(bytes);
        memset(bytes, cases[i].opcode, cases[i].count);
        assert_fails(load(bytes, cases[i].count, &p, &err), LANERT_ELIMIT, cases[i].part);
        free(bytes);
    }
}

static void counts_its_objects(void **state)
{
    (void)state;
    lanert_error err = {0};
    pickle p;
    buffer b = {0};
    assert_ok(buffer_text(&b, "]", &err));
    for (int i = 0; i < PICKLE_MAX_VALUES; i++)
        assert_ok(buffer_text(&b, "Na", &err));
    assert_fails(load((const uint8_t *)b.data, b.size, &p, &err), LANERT_ELIMIT, "more than 1048576 objects");
    buffer_free(&b);
}

/* Each list holds the one before it ten times: 10^100 items, were they ever written out. */
static void shares_what_is_shared(void **state)
{
    (void)state;
    lanert_error err = {0};
    pickle p;
    buffer b = {0};
    assert_ok(buffer_text(&b, "]r", &err));
    assert_ok(buffer_add(&b, "\0\0\0\0", 4, &err));
    for (uint8_t i = 0; i < 100; i++) {
        assert_ok(buffer_text(&b, "](", &err));
        for (int n = 0; n < 10; n++)
            assert_ok(buffer_add(&b, (const uint8_t[]){'h', i}, 2, &err));
        assert_ok(buffer_add(&b, (const uint8_t[]){'e', 'q', (uint8_t)(i + 1), 0x86}, 4, &err));
    }
    assert_ok(buffer_text(&b, ".", &err));
    assert_ok(load((const uint8_t *)b.data, b.size, &p, &err));
    assert_true(p.value_count < 300);
    pickle_free(&p);
    buffer_free(&b);
}

static void survives_cycles(void **state)
{
    (void)state;
    lanert_error err = {0};
    pickle p;
    assert_ok(load(BYTES("]q\0h\0a."), &p, &err));
    assert_ptr_equal(p.root->list.items[0], p.root);
    pickle_free(&p);
}

static void takes_no_error(void **state)
{
    (void)state;
    pickle p;
    assert_int_equal(load(BYTES("cos\nsystem\n."), &p, NULL), LANERT_EUNSUPPORTED);
    assert_int_equal(load(BYTES("Nr\xff\xff\xff\xff."), &p, NULL), LANERT_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_scalars),
        cmocka_unit_test(reads_containers),
        cmocka_unit_test(leaves_the_place_behind_the_pickle),
        cmocka_unit_test(reads_tensors),
        cmocka_unit_test(knows_31_opcodes),
        cmocka_unit_test(refuses_globals),
        cmocka_unit_test(shows_names_harmlessly),
        cmocka_unit_test(refuses_bad_pickles),
        cmocka_unit_test(stops_at_its_limits),
        cmocka_unit_test(counts_its_objects),
        cmocka_unit_test(shares_what_is_shared),
        cmocka_unit_test(survives_cycles),
        cmocka_unit_test(takes_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
