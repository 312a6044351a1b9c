/* lanert_inspect: what a file is, as JSON. */
#include <jansson.h>

#include "base/engine_file.h"
#include "base/sha256.h"
#include "model/backbone.h"
#include "model/foreign.h"
#include "model/model_read.h"

/* A metadata value may be of any length; more of it than this is not shown. */
#define MAX_SHOWN 2000

/* Text from a file: as it is where it is UTF-8, else with '?' for what is not ASCII. */
static json_t *text_of(const char *data, size_t size)
{
    char shown[MAX_SHOWN];
    size_t length = size < sizeof shown ? size : sizeof shown;
    json_t *text = size <= sizeof shown ? json_stringn(data, size) : NULL;
    if (text)
        return text;
    for (size_t i = 0; i < length; i++)
        shown[i] = (signed char)data[i] > 0 ? data[i] : '?';
    return json_stringn(shown, length);
}

static json_t *string_of(const char *text)
{
    return text_of(text, strlen(text));
}

/* What every file has. */
static int add_file(json_t *o, const char *path, const file_map *map, lanert_error *err)
{
    char sha256[65];
    int rc = sha256_hex(map->data, map->size, sha256, err);
    if (rc)
        return rc;
    json_object_set_new(o, "file", string_of(path));
    json_object_set_new(o, "bytes", json_integer((json_int_t)map->size));
    json_object_set_new(o, "sha256", json_string(sha256));
    return 0;
}

/* ---- checkpoints --------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

/* Learnt numbers, and the tensors of each type. */
static void add_counts(json_t *o, const checkpoint *ck)
{
    json_int_t parameters = 0;
    json_t *types = json_object();
    for (int i = 0; i < checkpoint_count(ck); i++) {
        const checkpoint_tensor *t = checkpoint_at(ck, i);
        const char *type = checkpoint_type_name(t->type);
        if (ends_with(t->name, ".weight") || ends_with(t->name, ".bias"))
            parameters += t->elements;
        json_object_set_new(types, type, json_integer(json_integer_value(json_object_get(types, type)) + 1));
    }
    json_object_set_new(o, "tensors", json_integer(checkpoint_count(ck)));
    json_object_set_new(o, "parameters", json_integer(parameters));
    json_object_set_new(o, "types", types);
}

static void add_checkpoint(json_t *o, const char *path, const checkpoint *ck)
{
    const backbone *b;
    const checkpoint_tensor *priors = checkpoint_find(ck, "heads.priors");
    lanert_error why;
    json_object_set_new(o, "kind", json_string("checkpoint"));
    json_object_set_new(o, "form", json_string(checkpoint_form(ck)));
    json_object_set_new(o, "key", string_of(checkpoint_key(ck)));
    json_object_set_new(o, "prefix", json_string(checkpoint_had_prefix(ck) ? "module." : ""));
    add_counts(o, ck);
    if (priors && priors->rank == 2)
        json_object_set_new(o, "priors", json_integer(priors->dims[0]));
    if (backbone_tell(ck, path, &b, &why))
        json_object_set_new(o, "problem", string_of(why.text));
    else
        json_object_set_new(o, "arch", json_string(b->name));
}

/* ---- models -------------------------------------------------------------------------------------- */

static json_t *tensors_of(const onnx_tensor *list, int count)
{
    json_t *all = json_array();
    for (int i = 0; i < count; i++) {
        json_t *t = json_object();
        json_object_set_new(t, "name", string_of(list[i].name));
        json_object_set_new(t, "type", json_string(onnx_type_words(list[i].type).text));
        json_t *shape = list[i].rank < 0 ? json_null() : json_array();
        for (int j = 0; j < list[i].rank; j++)
            json_array_append_new(shape, list[i].dims[j] < 0 ? json_string("N") : json_integer(list[i].dims[j]));
        json_object_set_new(t, "shape", shape);
        json_array_append_new(all, t);
    }
    return all;
}

static json_t *metadata_of(const onnx_head *h)
{
    json_t *all = json_object();
    for (int i = 0; i < h->entry_count; i++) {
        const onnx_entry *e = &h->entries[i];
        json_t *key = string_of(e->key);
        json_object_set_new(all, json_string_value(key), text_of(e->value.data, e->value.size));
        json_decref(key);
    }
    return all;
}

static void add_model(json_t *o, const onnx_head *h)
{
    model_info info;
    lanert_error why;
    bool ours = model_is_ours(h);
    json_object_set_new(o, "kind", json_string(ours ? "lanert model" : "onnx"));
    json_object_set_new(o, "producer", string_of(h->producer));
    json_object_set_new(o, "producer_version", string_of(h->producer_version));
    json_object_set_new(o, "ir_version", json_integer(h->ir_version));
    json_object_set_new(o, "opset", json_integer(h->opset));
    json_object_set_new(o, "nodes", json_integer(h->nodes));
    json_object_set_new(o, "initializers", json_integer(h->initializers));
    json_object_set_new(o, "inputs", tensors_of(h->inputs, h->input_count));
    json_object_set_new(o, "outputs", tensors_of(h->outputs, h->output_count));
    json_object_set_new(o, "metadata", metadata_of(h));
    /* Any preset: a plain export is checked for its tensors. */
    if (model_read(h, ours ? NULL : lanert_preset_name(0), &info, &why))
        json_object_set_new(o, "problem", string_of(why.text));
    else if (ours)
        json_object_set_new(o, "arch", json_string(info.arch));
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/* Zips and pickles are for the checkpoint reader; it also has the words for what is neither checkpoint nor model. */
static bool is_for_checkpoint_reader(const file_map *map)
{
    bool zip = map->size >= 4 && !memcmp(map->data, "PK\3\4", 4), pickle = map->size && map->data[0] == 0x80;
    return zip || pickle || foreign_tell(map->data, map->size);
}

/* What TensorRT built of the model, where the file has it. */
static void add_engine(json_t *o, const file_map *map)
{
    engine_file f;
    lanert_error why;
    if (engine_file_read(map->data, map->size, &f, &why)) {
        json_object_set_new(o, "problem", string_of(why.text));
        return;
    }
    if (!f.plan)
        return;
    const engine_stamp *s = &f.stamp;
    json_t *engine = json_pack("{s:s, s:o, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:I}", "tensorrt", s->tensorrt,
                               "gpu", string_of(s->gpu), "capability", s->capability, "driver", s->driver, "precision",
                               s->precision, "workspace_mb", s->workspace_mb, "min_batch", s->min_batch, "opt_batch",
                               s->opt_batch, "max_batch", s->max_batch, "version_compatible",
                               (int)s->version_compatible, "plan_bytes", (json_int_t)f.plan_size);
    json_object_set_new(o, "engine", engine);
}

static int describe(json_t *o, const char *path, const file_map *map, lanert_error *err)
{
    onnx_head *head = NULL;
    checkpoint *ck = NULL;
    int rc;
    if (is_for_checkpoint_reader(map)) {
        if (!(rc = checkpoint_open_memory(map->data, map->size, path, &ck, err)))
            add_checkpoint(o, path, ck);
    } else if (!(rc = onnx_head_open_memory(map->data, map->size, path, &head, err))) {
        add_model(o, head);
        add_engine(o, map);
    }
    checkpoint_close(&ck);
    onnx_head_close(&head);
    return rc;
}

int lanert_inspect(const char *path, char **json, lanert_error *err)
{
    file_map map;
    int rc;
    if (!path || !json)
        return error_set(err, LANERT_EINVAL, "lanert_inspect: path and json must not be NULL");
    *json = NULL;
    if ((rc = file_map_open(path, 0, &map, err)))
        return rc;
    json_t *o = json_object(), *kind = json_object();
    /* What is none of these need not be read to its end for a checksum. */
    if (!(rc = describe(kind, path, &map, err)) && !(rc = add_file(o, path, &map, err)) &&
        (json_object_update(o, kind) || !(*json = json_dumps(o, JSON_INDENT(2)))))
        rc = error_set(err, LANERT_ENOMEM, "out of memory for the description of %s", path);
    json_decref(kind);
    json_decref(o);
    file_map_close(&map);
    return rc;
}
