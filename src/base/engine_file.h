/* engine_file.h - a model together with what TensorRT built of it: an ONNX file with one field more behind its own,
 * which readers of ONNX pass over, so that an engine file is a model too. docs/FORMATS.md has the layout.
 *
 * A plan is code. Nobody but who named the file says that it may be run, and that it is one shows in its name. */
#ifndef BASE_ENGINE_FILE_H
#define BASE_ENGINE_FILE_H

#include "base/file.h"

#define ENGINE_FILE_EXTENSION ".engine"
/* As lanert_detector_options has it. */
#define ENGINE_MAX_BATCH 64
/* 1 TiB. */
#define ENGINE_MAX_WORKSPACE_MB (1 << 20)

/* What a plan was built of, by, for and how. Texts are printable. */
typedef struct engine_stamp {
    char tensorrt[16];                   /* "10.16.1" */
    char gpu[128];                       /* "NVIDIA H100 80GB HBM3" */
    char capability[8];                  /* "9.0" */
    char driver[16];                     /* "13.0": the newest CUDA that it knew */
    char model[65];                      /* SHA-256 of the ONNX model */
    char precision[8];                   /* "fp32", "fp16", "int8": what the model's types and Q/DQ pairs ask for */
    int workspace_mb;                    /* 0: all of the GPU's memory; at most ENGINE_MAX_WORKSPACE_MB */
    int min_batch, opt_batch, max_batch; /* 1 to ENGINE_MAX_BATCH, rising */
    bool version_compatible;             /* runs on later releases of TensorRT too */
    char plan[65];                       /* SHA-256 of the plan */
} engine_stamp;

/* Views of the file's bytes. */
typedef struct engine_file {
    const uint8_t *model, *plan; /* plan NULL: a model alone */
    size_t model_size, plan_size;
    engine_stamp stamp;
} engine_file;

bool engine_file_is_named(const char *path);
/* LANERT_EFORMAT where the bytes are no protobuf message, or the field is not as engine_file_write writes it. */
int engine_file_read(const void *data, size_t size, engine_file *f, lanert_error *err);
/* LANERT_EFORMAT where model or plan are not those that the stamp has the checksums of. */
int engine_file_check(const engine_file *f, lanert_error *err);
/* Fills in the stamp's checksums, writes model and plan into a file that is open, and commits it. */
int engine_file_write(engine_file *f, file_writer *w, lanert_error *err);

/* The stamp as text, a line a field, without the plan's checksum. */
#define ENGINE_STAMP_TEXT 1024
void engine_stamp_format(const engine_stamp *stamp, char text[ENGINE_STAMP_TEXT]);

#endif
