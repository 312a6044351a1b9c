/* lanert.h - lane detection with CLRNet, for C and C++ programs.
 *
 * The way of a frame: open a model once, open a detector for each stream, hand it frames, get
 * lanes in the frame's own pixels.
 *
 *     lanert_model *model; lanert_detector *det; lanert_error err; lanert_result result;
 *     if (lanert_model_open("r18.onnx", NULL, &model, &err) ||
 *         lanert_detector_open(model, NULL, &det, &err)) { puts(err.text); return 1; }
 *     lanert_detect(det, &frame, 1, &result, &err);
 *
 * Conventions, of every function here:
 *   - An int result is 0 or a negative LANERT_E… code. The last parameter `err` may be NULL; where a
 *     call fails it holds the code and a sentence that says which file or field, what was found, what
 *     was expected and what to do. It is untouched where a call succeeds.
 *   - Who opens closes. lanert_…_close(&x) takes NULL and sets x to NULL.
 *   - Borrowed pointers are const and live until the next call on the handle they came from.
 *   - Options may be NULL: the defaults. Otherwise start from lanert_…_defaults().
 *   - Coordinates: pixels of the frame handed in, x to the right, y down, (0, 0) the upper left
 *     corner of the picture.
 *   - The library never prints, never exits, and keeps no global state.
 *   - A model may be used by many threads; every other handle by one thread at a time.
 */
#ifndef LANERT_H
#define LANERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LANERT_API __attribute__((visibility("default")))
#else
#define LANERT_API
#endif

/* ---- errors ---------------------------------------------------------------------------------- */

enum {
    LANERT_OK = 0,
    LANERT_EINVAL = -1,       /* an argument of the call is wrong */
    LANERT_ENOMEM = -2,       /* memory could not be had */
    LANERT_EIO = -3,          /* the system refused to open, read or write (errno's text is in the message) */
    LANERT_EFORMAT = -4,      /* a file or stream is not what it should be */
    LANERT_EUNSUPPORTED = -5, /* a file is sound, but of a kind that is not handled */
    LANERT_ENOTFOUND = -6,    /* no such file, device or engine */
    LANERT_EENGINE = -7,      /* an inference engine failed, or cannot run this model */
    LANERT_ELIMIT = -8,       /* larger than a stated limit */
    LANERT_EEXIST = -9,       /* a file is there already and would be lost */
    LANERT_END = -10,         /* no more frames: not a failure */
};

typedef struct lanert_error {
    int code;
    char text[1024];
} lanert_error;

/* A short fixed name of a code, such as "EFORMAT". Never NULL. */
LANERT_API const char *lanert_error_name(int code);

/* The library's version, such as "0.1.0". */
LANERT_API const char *lanert_version(void);

/* ---- frames and lanes ------------------------------------------------------------------------ */

typedef enum lanert_pixel_format {
    LANERT_BGR = 0, /* 3 bytes a pixel, blue first: what OpenCV and the reference read */
    LANERT_RGB,     /* 3 bytes a pixel, red first */
    LANERT_NV12,    /* plane 0: Y, plane 1: interleaved U and V of half the width and height (rounded up) */
} lanert_pixel_format;

/* How NV12 becomes colour; unused for BGR and RGB. */
typedef enum lanert_colour {
    LANERT_BT601_LIMITED = 0,
    LANERT_BT709_LIMITED,
    LANERT_BT601_FULL,
    LANERT_BT709_FULL,
} lanert_colour;

/* Rows of a lane: as many as CLRNet has offsets. */
#define LANERT_LANE_POINTS 72
/* The most lanes any model or option may ask for. */
#define LANERT_MAX_LANES 16

typedef struct lanert_point {
    double x, y; /* pixels of the frame */
} lanert_point;

typedef struct lanert_lane {
    float score;                             /* 0 to 1 */
    int count;                               /* points in use, 2 to LANERT_LANE_POINTS */
    lanert_point points[LANERT_LANE_POINTS]; /* from the far end (top) to the near one, y rising */
} lanert_lane;

/* A view of one picture; the memory stays the giver's. */
typedef struct lanert_frame {
    lanert_pixel_format format;
    int width, height;      /* pixels, each 1 to 16384 */
    const uint8_t *data[2]; /* BGR, RGB: data[0]; NV12: Y and UV */
    int stride[2];          /* bytes from one row to the next */
    lanert_colour colour;

    /* Where it came from; a source fills these in, a program of its own may leave them 0. */
    int64_t index; /* 0, 1, 2 … in the source */
    double time_s; /* seconds from the source's start */
    bool damaged;  /* of a damaged video: some pixels were guessed, or rest on such: up to the next sound key frame */
    const char *path;         /* of a picture from a file of its own: that file; else NULL */
    const char *name;         /* the file, relative to what was asked for; the video's or device's name else */
    const lanert_lane *truth; /* the known lanes of a drawn frame, else NULL */
    int truth_count;
} lanert_frame;

typedef struct lanert_result {
    int count;                /* lanes, best score first */
    const lanert_lane *lanes; /* the detector's own; live until the next call on it */
    double read_ms;           /* in a pipeline, reading and decoding this frame, beside the other stages; else 0 */
    double preprocess_ms;     /* cut, resize and layout of this frame */
    double inference_ms;      /* the engine's time; of a batch, the batch's time over its frames */
    double decode_ms;         /* NMS and lanes */
    double latency_ms;        /* the three stages' sum; live, in a pipeline: from the frame's arrival to its delivery */
    bool late;                /* in a pipeline with a deadline: latency_ms is beyond it */
} lanert_result;

/* ---- models ---------------------------------------------------------------------------------- */

typedef struct lanert_model lanert_model;

/* What a data set fixes: culane, tusimple, llamas, or what a model's metadata says. */
typedef struct lanert_preset {
    char name[32];
    int ori_width, ori_height; /* the data set's own picture size */
    int cut_height;            /* rows cut away at the top, at that size */
    float conf;                /* score a lane needs, 0 to 1 */
    float nms_thres;           /* mean distance under which two lanes are one, pixels at width 800 */
    int max_lanes;             /* 1 to LANERT_MAX_LANES */
} lanert_preset;

/* The preset of that name, or NULL. lanert_preset_name(i) lists them, NULL after the last. */
LANERT_API const lanert_preset *lanert_preset_find(const char *name);
LANERT_API const char *lanert_preset_name(int i);

typedef enum lanert_precision {
    LANERT_PRECISION_AUTO = 0, /* what the model's types say, or bf16 or fp16: see lanert_detector_options */
    LANERT_FP32,
    LANERT_FP16,
    LANERT_BF16,
} lanert_precision;

/* "auto", "fp32", "fp16", "bf16"; -1 where the name is none of these. */
LANERT_API int lanert_precision_parse(const char *name);
LANERT_API const char *lanert_precision_name(lanert_precision precision);

/* Opens an ONNX model that lanert_convert wrote, or a plain export of CLRNet (float NCHW in,
 * [N,192,78] out), which carries no preset: it must then be given. `preset` NULL: the model's own.
 * Reads the file's head only; the engine reads the weights when a detector opens. */
LANERT_API int lanert_model_open(const char *path, const char *preset, lanert_model **model, lanert_error *err);
LANERT_API void lanert_model_close(lanert_model **model);
/* The path of the model that comes with lanert, as installed or built; LANERT_ENOTFOUND where it is not there. */
LANERT_API int lanert_model_bundled(char *path, size_t size, lanert_error *err);
/* The model's preset, metadata and all; lives as long as the model. */
LANERT_API const lanert_preset *lanert_model_preset(const lanert_model *model);

/* ---- detectors ------------------------------------------------------------------------------- */

typedef struct lanert_detector lanert_detector;

typedef enum lanert_resize {
    LANERT_LINEAR = 0, /* OpenCV's INTER_LINEAR: what deployments of CLRNet use */
    LANERT_CUBIC,      /* OpenCV's INTER_CUBIC: what the authors' validation uses */
} lanert_resize;

typedef struct lanert_detector_options {
    const char *engine; /* NULL or "auto": the first usable one; else a name of lanert_engine_info */
    const char *device; /* NULL: the engine's own, the processor where it has the choice; "cpu"; "cuda", "cuda:1" …:
                         * an NVIDIA GPU; "tensorrt", "tensorrt:1" …: the same through ONNX Runtime's TensorRT
                         * provider; "auto": a GPU where engine and machine have one, else, and where it fails
                         * before the first frame, the processor */
    /* Of the engine's arithmetic, where it has a choice. Auto: as the model's types say; but of a model in float, bf16
     * or fp16 where the processor has instructions for it, the engine uses them, and a few drawn roads, tried while the
     * detector opens, show the same lanes in it for less of the processor's time. */
    lanert_precision precision;
    int threads; /* of the engine; 0: one for each processor */
    int batch;   /* the most frames one lanert_detect call may bring, 1 to 64 */
    lanert_resize resize;
    /* Below 0: the model's own. */
    float conf;      /* 0 to 1 */
    float nms_thres; /* pixels at width 800 */
    int max_lanes;   /* 1 to LANERT_MAX_LANES */
    double cut;      /* the part of a picture's height to cut away at the top, 0 to below 1 */
    /* May be NULL. Told while a detector opens: what takes minutes, before it is done (TensorRT builds), and why the
     * processor stands in for a GPU. */
    void (*on_note)(void *context, const char *text);
    void *context; /* handed to it */
} lanert_detector_options;

LANERT_API void lanert_detector_defaults(lanert_detector_options *options);
/* ONNX Runtime's libraries, from release 1.32 on, keep a device's id and events under ~/.cache for their maker, unless
 * ORT_DISABLE_TELEMETRY=1 is in the environment when a detector opens: as lanert, set it where main begins. */
LANERT_API int lanert_detector_open(const lanert_model *model, const lanert_detector_options *options,
                                    lanert_detector **det, lanert_error *err);
LANERT_API void lanert_detector_close(lanert_detector **det);
/* "onnxruntime", "openvino" …: the engine that auto chose. */
LANERT_API const char *lanert_detector_engine(const lanert_detector *det);
/* "cpu", "cuda:0" …: the device that it computes on. */
LANERT_API const char *lanert_detector_device(const lanert_detector *det);
/* "fp32", "fp16", "bf16", "int8": what was asked for or chosen, or the model's types; processors compute a model in
 * fp16 in fp32. *why (`why` may be NULL): what the trial of auto showed, or that the model's eight bits are not
 * made for a processor; else empty. */
LANERT_API const char *lanert_detector_precision(const lanert_detector *det, const char **why);

/* Finds the lanes of `count` frames (1 to options.batch), of any sizes and formats, in one run of the
 * engine; results[i] belongs to frames[i]. Allocates nothing after the first call. */
LANERT_API int lanert_detect(lanert_detector *det, const lanert_frame *frames, int count, lanert_result *results,
                             lanert_error *err);

/* ---- converting, quantising and inspecting ------------------------------------------------------------- */

enum { LANERT_OUTPUT_LANES = 1, LANERT_OUTPUT_RAW = 2, LANERT_OUTPUT_BOTH = 3 };

typedef struct lanert_convert_options {
    const char *preset;         /* required: "culane", "tusimple", "llamas" or "road" */
    lanert_precision precision; /* LANERT_FP32 or LANERT_FP16 */
    int outputs;                /* LANERT_OUTPUT_…; _RAW by default */
    int shrink;                 /* 1; or 2: it was trained on pictures half as wide and high, which the graph makes */
    int keep_priors;            /* only so many, the best, go on after the first stage, and into raw; 0: all */
    bool force;                 /* overwrite a file that is there */
} lanert_convert_options;

LANERT_API void lanert_convert_defaults(lanert_convert_options *options);
/* Reads a checkpoint of the reference (nothing in it is executed) and writes an ONNX model, whole or
 * not at all. */
LANERT_API int lanert_convert(const char *checkpoint, const char *onnx, const lanert_convert_options *options,
                              lanert_error *err);

/* How the range of a value is chosen that eight bits shall hold, from what it is on frames. */
typedef enum lanert_calibration {
    LANERT_MINMAX = 0, /* all of it */
    LANERT_PERCENTILE, /* all but a ten-thousandth of the numbers of either sign */
    LANERT_ENTROPY,    /* the range from which rounding to eight bits takes the least information */
    LANERT_MSE,        /* the one with the smallest squared error */
} lanert_calibration;

/* "minmax", "percentile", "entropy", "mse", NULL after the last. */
LANERT_API const char *lanert_calibration_name(int i);

typedef enum lanert_layer_state {
    LANERT_LAYER_INT8 = 0,
    LANERT_LAYER_ASKED,     /* float: its name is that of a pattern of keep_float */
    LANERT_LAYER_SMALL,     /* float: there is nothing to be gained */
    LANERT_LAYER_SENSITIVE, /* float: the predictions would suffer too much */
    LANERT_LAYER_JUDGED,    /* float: the judge was not content with it in eight bits */
} lanert_layer_state;

/* What lanert_quantize does, in this order; the last two again for each model that is judged. */
typedef enum lanert_quantize_step {
    LANERT_STEP_READ = 0,  /* frames from their sources */
    LANERT_STEP_CALIBRATE, /* finding the ranges of values */
    LANERT_STEP_RUN,       /* the model as it is */
    LANERT_STEP_MEASURE,   /* each layer in eight bits, alone */
    LANERT_STEP_CORRECT,   /* biases */
    LANERT_STEP_CHECK,     /* the model in eight bits */
} lanert_quantize_step;

/* How far predictions lie from those of the model as it was. */
typedef struct lanert_deviation {
    double snr_db;    /* signal to noise of the scores' logits; INFINITY where there is no noise */
    int lanes;        /* of the model as it was, in all frames looked at */
    int lost, gained; /* lanes in one of the two alone */
    double moved_px;  /* the others, in the mean, at width 800 */
} lanert_deviation;

/* A layer and what became of it. */
typedef struct lanert_quantize_layer {
    const char *name; /* of its node in the graph */
    const char *op;   /* "Conv", "Gemm", "MatMul" */
    double share;     /* of all layers' multiplications, 0 to 1 */
    lanert_layer_state state;
    bool measured;          /* where not, the following is zero */
    lanert_deviation alone; /* with this layer alone in eight bits */
} lanert_quantize_layer;

typedef struct lanert_quantize_report {
    int samples;             /* frames that were used */
    int layers, int8_layers; /* all, and those in eight bits */
    double share;            /* of the multiplications that are in eight bits, 0 to 1 */
    lanert_deviation whole;  /* of the model as it was written */
} lanert_quantize_report;

typedef struct lanert_quantize_options {
    const char *const *sources; /* required: frames like those it will be used on, as lanert_source_open takes them */
    int source_count;
    int samples; /* frames, evenly spread over the sources, 1 to 1000 */
    lanert_calibration calibration;
    bool per_channel;     /* weights have a scale for each output channel; else one for all */
    bool unsigned_values; /* values between layers are uint8 (the default), as processors want; else symmetric int8,
                           * which alone TensorRT takes */
    const char *const *keep_float; /* shell patterns of the names of layers that stay in float32 */
    int keep_float_count;
    /* Frames on which each layer is measured alone, 0 to 1000; layers that alone leave a signal-to-noise ratio below 30
     * dB stay in float32. 0: none is measured. */
    int sensitivity;
    const char *engine; /* that runs the frames; NULL or "auto": the first usable one */
    int threads;        /* of the engine; 0: one for each processor */
    bool force;         /* overwrite a file that is there */
    /* May be NULL. Told at the start of each step and as it goes on; non-zero ends it all with LANERT_END. */
    int (*on_progress)(void *context, lanert_quantize_step step, int64_t done, int64_t total);
    /* May be NULL. Told of each layer, in the graph's order, before the model is written; and again of those that the
     * judge sends back to float32. */
    void (*on_layer)(void *context, const lanert_quantize_layer *layer);
    /* May be NULL; needs sensitivity. Judges models by a measure of the caller's: first the float32 one, whose
     * int8_layers are 0, then the one in eight bits before it has its name. `path` opens it until the call returns. 0:
     * go on. Above 0, of the one in eight bits: the layer that alone leaves the lowest signal-to-noise ratio goes back
     * to float32, the next time the next 2, then 4 …, but no more than half of all, and what comes of it is judged
     * again; LANERT_ELIMIT where no more may go back. Below 0: an error, which ends it all. */
    int (*judge)(void *context, const char *path, const lanert_quantize_report *report, lanert_error *err);
    void *context; /* handed to all three */
} lanert_quantize_options;

LANERT_API void lanert_quantize_defaults(lanert_quantize_options *options);
/* Makes of a float32 model that lanert_convert wrote, with raw predictions among its outputs, one whose layers compute
 * in eight bits: QuantizeLinear and DequantizeLinear pairs, which engines fuse. Written whole or not at all. `report`
 * may be NULL. */
LANERT_API int lanert_quantize(const char *model, const char *onnx, const lanert_quantize_options *options,
                               lanert_quantize_report *report, lanert_error *err);

typedef struct lanert_build_options {
    const char *precision; /* "fp32", "fp16" or "int8": what the model's types must be; NULL: whatever they are */
    const char *device;    /* NULL: "cuda", the first NVIDIA GPU; "cuda:1" … */
    int workspace_mb;      /* the most of the GPU's memory that the build may try; 0: all */
    int min_batch, opt_batch, max_batch; /* frames in one run: the fewest, those it is built for, the most; 1 to 64 */
    bool version_compatible;             /* so that later releases of TensorRT run it too, perhaps slower */
    const char *timing_cache;            /* a file of measurements: read where it is there, and written; NULL: none */
    bool force;                          /* overwrite a file that is there */
} lanert_build_options;

LANERT_API void lanert_build_defaults(lanert_build_options *options);
/* Builds a TensorRT engine of an ONNX model for this machine's GPU, which takes minutes: a file, named to end in
 * ".engine" and written whole or not at all, that is the model and what was built of it, and is opened as a model. Of a
 * model that has the raw predictions and the lanes, it computes the former, which detectors read. */
LANERT_API int lanert_build(const char *model, const char *output, const lanert_build_options *options,
                            lanert_error *err);

/* Says what a file is (checkpoint, lanert model, plain ONNX) as a JSON text, to be freed by the caller
 * with free(). */
LANERT_API int lanert_inspect(const char *path, char **json, lanert_error *err);

/* ---- engines --------------------------------------------------------------------------------- */

typedef struct lanert_engine_info {
    const char *name; /* "onnxruntime", "openvino" */
    bool usable;
    char version[64]; /* empty where not found */
    char path[512];   /* of its library; empty where not found */
    char note[512];   /* what is missing and how to get it; empty where usable */
    char devices[64]; /* "cpu, cuda": what it can be told to compute on, if the machine has it */
} lanert_engine_info;

/* The i-th engine this build knows, in auto's order of preference; LANERT_END after the last. Loads the
 * engine's library to look. */
LANERT_API int lanert_engine_probe(int i, lanert_engine_info *info, lanert_error *err);

typedef struct lanert_device_info {
    char name[24]; /* "cuda:0" */
    bool usable;
    char model[128];    /* "NVIDIA GeForce RTX 4060"; empty, as what follows, where not known */
    char capability[8]; /* "8.9": its generation, as NVIDIA counts them */
    char driver[16];    /* "13.0": the newest CUDA that the driver knows */
    double memory_gb;
    char note[512]; /* what is missing and how to get it; empty where usable */
} lanert_device_info;

/* The i-th NVIDIA GPU; LANERT_END after the last. Without driver or GPU the first is not usable, and its note says
 * why. */
LANERT_API int lanert_device_probe(int i, lanert_device_info *info, lanert_error *err);

/* ---- sources --------------------------------------------------------------------------------- */

typedef struct lanert_source lanert_source;

typedef struct lanert_source_info {
    int width, height; /* of the first frame; 0 where not known yet */
    double rate;       /* frames a second; 0 for pictures */
    int64_t frames;    /* how many there will be, if known, else -1: an estimate for containers */
    bool live;         /* a camera or network stream: frames are lost where they are not taken in time */
    bool pictures;     /* stills, each with a name of its own, rather than one video */
    const char *name;  /* of the source, for people */
} lanert_source_info;

/* Opens a picture, folder, glob, list file, video file, "rtsp://…", "/dev/videoN", "-" (a video on
 * standard input) or "synthetic:[seed=1,frames=250,rate=25,size=1280x720]". */
LANERT_API int lanert_source_open(const char *spec, lanert_source **source, lanert_error *err);
LANERT_API void lanert_source_close(lanert_source **source);
LANERT_API const lanert_source_info *lanert_source_describe(const lanert_source *source);
/* Opens pictures by their paths, in this order, each frame named by its path. */
LANERT_API int lanert_source_open_pictures(const char *const *paths, int64_t count, lanert_source **source,
                                           lanert_error *err);
/* The next frame, BGR, borrowed until the next call. LANERT_END after the last one. */
LANERT_API int lanert_source_read(lanert_source *source, lanert_frame *frame, lanert_error *err);

/* What is wrong with a video, as far as it was read and its decoder tells. */
typedef struct lanert_damage {
    int64_t frames;   /* given as damaged (see lanert_frame) */
    int64_t packets;  /* that could not be decoded: most hold a frame, which is missing */
    double first_s;   /* the time of the first of these, or of the frame before it */
    double missing_s; /* at the end: how much longer its header says that it is */
} lanert_damage;

/* All zeros where nothing is wrong. */
LANERT_API lanert_damage lanert_source_damage(const lanert_source *source);

/* ---- sinks ----------------------------------------------------------------------------------- */

typedef struct lanert_sink lanert_sink;

typedef struct lanert_sink_options {
    const char *format; /* "video", "pictures", "culane", "tusimple", "llamas", "jsonl"; NULL: by the name */
    const lanert_source_info *source; /* rate, pictures or video; borrowed during open */
    const lanert_preset *preset;      /* borrowed during open */
    bool force;                       /* overwrite files that are there */
    const char *title;                /* drawn on videos and pictures: model and engine; NULL: none */
    bool truth;                       /* frame.truth is drawn on them too, dashed */
} lanert_sink_options;

/* A writer of results: annotated video or pictures, or lane files. Files appear whole or not at all,
 * when the sink is finished (a video) or as each is complete (pictures and lane files), and in a folder
 * that is there; a folder of results is made. `path` "-" is standard output, for jsonl and tusimple. */
LANERT_API int lanert_sink_open(const char *path, const lanert_sink_options *options, lanert_sink **sink,
                                lanert_error *err);
LANERT_API int lanert_sink_write(lanert_sink *sink, const lanert_frame *frame, const lanert_result *result,
                                 lanert_error *err);
/* FFmpeg's name of the encoder of a video, such as "libx264", from its first frame on; else "". */
LANERT_API const char *lanert_sink_encoder(const lanert_sink *sink);
/* Completes the files. Close alone, without finish, throws unfinished files away. */
LANERT_API int lanert_sink_finish(lanert_sink *sink, lanert_error *err);
LANERT_API void lanert_sink_close(lanert_sink **sink);

/* ---- the pipeline ---------------------------------------------------------------------------- */

typedef struct lanert_stats {
    /* received = frames + dropped + skipped, however the run ends. */
    int64_t received;   /* frames that the source gave */
    int64_t frames;     /* results given */
    int64_t dropped;    /* live or paced: replaced by a newer frame; else only what was on its way when a run failed */
    int64_t skipped;    /* pictures that could not be read */
    int64_t late;       /* results given past the deadline */
    double deadline_ms; /* what that was; 0: there was none */
    int64_t lanes;
    double elapsed_s;                                                 /* first frame asked for to last result given */
    double read_ms, preprocess_ms, inference_ms, decode_ms, write_ms; /* sums over the frames */
    double latency_p50_ms, latency_p99_ms, latency_max_ms;
} lanert_stats;

/* Takes each result, in order, on the thread that called lanert_run; non-zero ends the run with it. */
typedef int lanert_on_result(void *context, const lanert_frame *frame, const lanert_result *result, lanert_error *err);
/* Asked for each frame; non-zero ends the run cleanly, as if the source had ended. */
typedef int lanert_should_stop(void *context);
/* Told of each picture that cannot be read. 0: go on without it; non-zero: end the run with the error. */
typedef int lanert_on_bad_picture(void *context, const lanert_error *why);

#define LANERT_OWN_RATE -1

/* The deadline that follows from the detector's speed: so many times the median latency of a frame where nothing else
 * is computed. */
#define LANERT_AUTO_DEADLINE -1
#define LANERT_DEADLINE_TIMES 4

typedef struct lanert_run_options {
    lanert_on_result *on_result;
    lanert_should_stop *should_stop;       /* may be NULL */
    lanert_on_bad_picture *on_bad_picture; /* may be NULL: any bad picture ends the run */
    void *context;                         /* handed to the three above */
    /* Of files: frames a second, at which they then come and are dropped as a camera's would, or LANERT_OWN_RATE, the
     * video's own. 0: as fast as they are read. */
    double rate;
    /* Of live sources and paced files: results delivered later than this after their frame's arrival are marked as
     * late, and counted. A frame arrives when it is read, but not before it is due. 0: none. LANERT_AUTO_DEADLINE: of
     * files that are not paced none; of the others, it is measured before the first frame is read, which takes a second
     * or so: a machine that is busy just then makes it longer. */
    double deadline_ms;
} lanert_run_options;

/* Runs a source through a detector: reading, inference and the caller's on_result overlap in threads. Nothing of a
 * file is dropped; of a live source, and of a file with a rate, the newest frame wins: one that waits when it comes is
 * dropped. Threads started here and by engines inherit the processors and the priority of the thread that calls. */
LANERT_API int lanert_run(lanert_detector *det, lanert_source *source, const lanert_run_options *options,
                          lanert_stats *stats, lanert_error *err);

/* ---- accuracy -------------------------------------------------------------------------------- */

/* Lanes against a data set's annotations, by the measures of the reference's evaluators, count for count. CULane and
 * LLAMAS: lanes are drawn 30 pixels wide and matched by their IoU. TuSimple: rows near enough. */
typedef struct lanert_val lanert_val;

/* Intersections over union from which a lane counts as found: above 0.50, 0.55 … 0.95. */
#define LANERT_VAL_THRESHOLDS 10
LANERT_API double lanert_val_threshold(int i);

typedef struct lanert_val_options {
    const char *dataset; /* required: "culane", "tusimple" or "llamas" */
    const char *root;    /* required: the folder of the annotations */
    /* NULL: culane <root>/list/test.txt, a picture a line, or without <root>/list every picture below root that has its
     * .lines.txt beside it; tusimple <root>/test_label.json, the labels themselves;
     * llamas every label in <root>/labels/valid, or in root where that is not there. */
    const char *list;
    const char *predictions; /* folder of .lines.txt, or TuSimple's JSON lines; NULL: lanert_val_add brings lanes */
    const char *journal;     /* file that finished frames are added to, and taken from; NULL: none */
    const char *identity;    /* what else the lanes depend on (model, settings): a journal belongs to one; NULL: "" */
    /* Where predictions, identity and journal are all NULL, the first journal merged says it. */
    int shard, shards;  /* this run's part: 1 of 1 is all; frames are dealt out in turn */
    int threads;        /* of lanert_val_run; 0: one for each processor */
    bool allow_missing; /* frames without predictions count as frames without lanes; else they are an error */
} lanert_val_options;

LANERT_API void lanert_val_defaults(lanert_val_options *options);
/* Reads the lists, and the journal where there is one. */
LANERT_API int lanert_val_open(const lanert_val_options *options, lanert_val **val, lanert_error *err);
LANERT_API void lanert_val_close(lanert_val **val);

typedef struct lanert_val_frame {
    const char *name;        /* as the list has it; lives as long as val */
    bool wanted;             /* of this shard, and not finished */
    bool done, missing;      /* finished; without a prediction */
    int predicted, labelled; /* lanes of a finished frame */
    int tp[LANERT_VAL_THRESHOLDS];
    double accuracy, fp, fn; /* tusimple only */
} lanert_val_frame;

/* The frames of all shards, numbered from 0. */
LANERT_API int64_t lanert_val_count(const lanert_val *val);
LANERT_API int lanert_val_frame_at(const lanert_val *val, int64_t i, lanert_val_frame *frame, lanert_error *err);
/* The path of frame i's picture, to be freed by the caller with free(). */
LANERT_API int lanert_val_picture(const lanert_val *val, int64_t i, char **path, lanert_error *err);

/* Told after frames are finished; non-zero ends the run with LANERT_END: what is finished stays so. */
typedef int lanert_val_on_progress(void *context, int64_t done, int64_t total);
/* Scores the predictions of every frame that is wanted. The result does not depend on threads. */
LANERT_API int lanert_val_run(lanert_val *val, lanert_val_on_progress *on_progress, void *context, lanert_error *err);
/* Scores lanes that a detector found in frame i, in pixels of its width × height picture, as if they had been written
 * to a file first. `result` NULL: it has none, and counts as missing. One thread at a time. */
LANERT_API int lanert_val_add(lanert_val *val, int64_t i, int width, int height, const lanert_result *result,
                              lanert_error *err);
enum { LANERT_VAL_LABELLED, LANERT_VAL_PREDICTED };
/* The lanes of frame i as its label or its file of predictions has them, to be drawn: at most LANERT_MAX_LANES into
 * lanes, thinned to LANERT_LANE_POINTS points, in pixels of the data set's pictures; scores -1. A file that is not
 * there gives none. One thread at a time. */
LANERT_API int lanert_val_lanes(lanert_val *val, int64_t i, int which, lanert_lane *lanes, int *count,
                                lanert_error *err);
/* Takes in the frames that another shard's journal holds. */
LANERT_API int lanert_val_merge(lanert_val *val, const char *journal, lanert_error *err);

typedef struct lanert_val_counts {
    int64_t tp, fp, fn;
    double precision, recall, f1; /* 0 where there is no true positive */
} lanert_val_counts;

typedef struct lanert_val_category {
    const char *name; /* "all", then CULane's "normal", "crowd", … "cross" (no lanes: only fp counts), "night" */
    int64_t frames;
    lanert_val_counts at[LANERT_VAL_THRESHOLDS];
    double mean_precision, mean_recall, mean_f1; /* over the thresholds */
} lanert_val_category;

typedef struct lanert_val_report {
    int64_t frames;     /* finished ones, of which the following speaks */
    int64_t missing;    /* of these, frames without predictions */
    int64_t unfinished; /* frames of this or another shard not scored yet */
    int category_count; /* 0 for tusimple */
    lanert_val_category categories[10];
    double accuracy, f1, fp, fn; /* tusimple only */
} lanert_val_report;

LANERT_API void lanert_val_summary(const lanert_val *val, lanert_val_report *report);
/* A line for each finished frame, in the list's order; written whole or not at all. */
LANERT_API int lanert_val_write_csv(const lanert_val *val, const char *path, bool force, lanert_error *err);

/* How far two sets of lanes lie apart: a model's before and after a change, say. */
typedef struct lanert_compare_frame {
    const char *name;
    int matched, lost, gained;  /* lanes in both; in a alone; in b alone */
    double mean_px, largest_px; /* of matched lanes: columns apart, over the rows that both reach */
    bool missing_a, missing_b;  /* no file there; counted as without lanes */
} lanert_compare_frame;

typedef struct lanert_compare_options {
    const char *dataset, *root, *list; /* the frames, as lanert_val_options has them; NULL: all that are there */
    const char *csv;                   /* table of frames to write, whole or not at all; NULL: none */
    bool force;                        /* overwrite it */
    double limit_px;                   /* lanes further apart than this on average are not the same lane */
    bool allow_missing;                /* frames that one side lacks count as without lanes; else they are an error */
    int (*on_frame)(void *context, const lanert_compare_frame *frame); /* may be NULL; non-zero ends with LANERT_END */
    void *context;
} lanert_compare_options;

typedef struct lanert_compare_total {
    int64_t frames, missing_a, missing_b, matched, lost, gained;
    double mean_px, largest_px; /* the mean is over matched lanes */
} lanert_compare_total;

LANERT_API void lanert_compare_defaults(lanert_compare_options *options);
/* a and b: predictions: two folders of .lines.txt, or two files of TuSimple's JSON lines. */
LANERT_API int lanert_compare(const char *a, const char *b, const lanert_compare_options *options,
                              lanert_compare_total *total, lanert_error *err);

#ifdef __cplusplus
}
#endif
#endif
