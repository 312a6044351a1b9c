#include <sys/stat.h>

#include "cli/quantize_val.h"

#define MAX_SOURCES 64
#define MAX_PATTERNS 64

static const char help[] =
    "usage: lanert quantize MODEL.onnx -o OUT.onnx --calib SOURCE... [OPTION]...\n"
    "\n"
    "Makes a model that computes in eight bits of one that 'lanert convert' wrote in fp32: smaller, and faster on\n"
    "processors with instructions for it (AVX-512 VNNI, AMX). It is run on the frames of the sources, which should be\n"
    "like those that it will be used on. Prints a line for each layer: its share of the multiplications, and what\n"
    "eight bits do to the predictions.\n"
    "\n"
    "  -o, --output OUT.onnx       where the model in eight bits goes\n"
    "      --calib SOURCE...       pictures, folders, lists or videos, as 'lanert detect' takes them, up to the next\n"
    "                              option\n"
    "      --samples N             frames of them, evenly spread, 1 to 1000 (default 64)\n"
    "      --method NAME           how the range of a value is chosen: minmax (the default), percentile (99.99 %),\n"
    "                              entropy or mse\n"
    "      --per-channel           weights have a scale for each output channel (the default)\n"
    "      --per-tensor            one scale for all weights of a layer\n"
    "      --values NAME           uint8 (the default), which processors want; or int8, which TensorRT wants:\n"
    "                              ONNX Runtime is slow with it, and OpenVINO without AMX less exact\n"
    "      --keep-float PATTERN    layers whose name is like this (*, ?, [...]) stay in fp32; may be repeated\n"
    "      --sensitivity N         frames on which each layer is measured alone (default 2); one that by itself\n"
    "                              leaves a signal-to-noise ratio below 30 dB stays in fp32; 0: none is measured,\n"
    "                              which is quicker\n"
    "\n"
    "      --val FOLDER...         labelled pictures in CULane's form (PICTURE.lines.txt beside each), or lists of\n"
    "                              such, up to the next option: their F1 at an IoU of 0.5 in fp32 and in int8\n"
    "      --max-drop X            the most of it that may be lost, 0 to 1: while more is, the layers with the lowest\n"
    "                              signal-to-noise ratio go back to fp32, the worst one, then 2, 4, ... more, half\n"
    "                              of all at most\n"
    "\n"
    "      --engine NAME           that runs the frames: auto (the default), onnxruntime or openvino\n"
    "      --threads N             of the engine; 0 (the default): one for each processor\n"
    "      --force                 overwrite OUT.onnx\n"
    "  -q, --quiet                 say nothing but errors\n"
    "  -h, --help                  this text\n"
    "\n"
    "exit status: 0 done, 1 not finished or not written, 2 wrong usage, 3 the model or engine is not usable, 4 the\n"
    "model or a source could not be read, 5 --max-drop is not reached, and nothing was written\n";

typedef struct job {
    const char *model, *output;
    lanert_quantize_options options;
    const char *sources[MAX_SOURCES], *patterns[MAX_PATTERNS];
    quantize_val val;
    progress progress;
    int step; /* a lanert_quantize_step; -1: before the first */
    bool head_printed, drop_limited, quiet;
} job;

enum {
    CALIB = 256,
    SAMPLES,
    METHOD,
    PER_CHANNEL,
    PER_TENSOR,
    VALUES,
    KEEP_FLOAT,
    SENSITIVITY,
    VAL,
    MAX_DROP,
    ENGINE,
    THREADS,
    FORCE
};

static const struct option longs[] = {
    {"output", required_argument, NULL, 'o'},
    {"calib", required_argument, NULL, CALIB},
    {"samples", required_argument, NULL, SAMPLES},
    {"method", required_argument, NULL, METHOD},
    {"per-channel", no_argument, NULL, PER_CHANNEL},
    {"per-tensor", no_argument, NULL, PER_TENSOR},
    {"values", required_argument, NULL, VALUES},
    {"keep-float", required_argument, NULL, KEEP_FLOAT},
    {"sensitivity", required_argument, NULL, SENSITIVITY},
    {"val", required_argument, NULL, VAL},
    {"max-drop", required_argument, NULL, MAX_DROP},
    {"engine", required_argument, NULL, ENGINE},
    {"threads", required_argument, NULL, THREADS},
    {"force", no_argument, NULL, FORCE},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* ---- options ---- */

static bool add_source(job *j, const char *source)
{
    if (j->options.source_count == MAX_SOURCES)
        return say_usage("more than %d sources: name folders or lists", MAX_SOURCES), false;
    j->sources[j->options.source_count++] = source;
    return true;
}

/* All arguments up to the next option: option_next goes on behind them. */
static bool take_sources(job *j, int c, char **argv)
{
    for (const char *source = optarg; source; source = argv[optind++]) {
        if (!(c == CALIB ? add_source(j, source) : quantize_val_add(&j->val, source)))
            return false;
        if (!argv[optind] || (argv[optind][0] == '-' && argv[optind][1]))
            break;
    }
    return true;
}

static bool take_pattern(job *j)
{
    if (j->options.keep_float_count == MAX_PATTERNS)
        return say_usage("more than %d times --keep-float", MAX_PATTERNS), false;
    j->patterns[j->options.keep_float_count++] = optarg;
    return true;
}

static bool take_method(job *j)
{
    const char *names[8] = {NULL};
    int place;
    for (int i = 0; i < 7 && lanert_calibration_name(i); i++)
        names[i] = lanert_calibration_name(i);
    if (!option_name("--method", optarg, names, &place))
        return false;
    j->options.calibration = (lanert_calibration)place;
    return true;
}

static bool take_values(job *j)
{
    static const char *const names[] = {"uint8", "int8", NULL};
    int place;
    if (!option_name("--values", optarg, names, &place))
        return false;
    j->options.unsigned_values = place == 0;
    return true;
}

static bool parse_option(job *j, int c, char **argv)
{
    lanert_quantize_options *o = &j->options;
    switch (c) {
    case 'o':
        j->output = optarg;
        return true;
    case CALIB:
    case VAL:
        return take_sources(j, c, argv);
    case MAX_DROP:
        return j->drop_limited = option_double("--max-drop", optarg, 0, 1, &j->val.max_drop);
    case SAMPLES:
        return option_int("--samples", optarg, 1, 1000, &o->samples);
    case SENSITIVITY:
        return option_int("--sensitivity", optarg, 0, 1000, &o->sensitivity);
    case METHOD:
        return take_method(j);
    case PER_CHANNEL:
    case PER_TENSOR:
        o->per_channel = c == PER_CHANNEL;
        return true;
    case VALUES:
        return take_values(j);
    case KEEP_FLOAT:
        return take_pattern(j);
    case ENGINE:
        o->engine = optarg;
        return true;
    case THREADS:
        return option_int("--threads", optarg, 0, 1024, &o->threads);
    case FORCE:
        return o->force = true;
    case 'q':
        return j->quiet = true;
    default:
        return false;
    }
}

/* ---- what is told ---- */

static int on_progress(void *context, lanert_quantize_step step, int64_t done, int64_t total)
{
    static const char *const words[] = {
        [LANERT_STEP_READ] = "frames read",
        [LANERT_STEP_CALIBRATE] = "frames looked through",
        [LANERT_STEP_RUN] = "frames run in fp32",
        [LANERT_STEP_MEASURE] = "layers measured",
        [LANERT_STEP_CORRECT] = "frames for the biases",
        [LANERT_STEP_CHECK] = "frames run in int8",
    };
    job *j = context;
    j->step = (int)step;
    /* A source may wait for ever. */
    interrupt_at_once(step == LANERT_STEP_READ ? EXIT_FAILED : -1);
    if (!done) {
        progress_clear(&j->progress);
        progress_start(&j->progress, total, j->quiet);
    }
    if (progress_due(&j->progress))
        progress_draw(&j->progress, done, words[step]);
    return interrupted();
}

static void print_deviation(const lanert_deviation *d)
{
    printf(" %7.1f %5d %6d %6.2f", d->snr_db, d->lost, d->gained, d->moved_px);
}

static void on_layer(void *context, const lanert_quantize_layer *layer)
{
    static const char *const states[] = {[LANERT_LAYER_INT8] = "int8",
                                         [LANERT_LAYER_ASKED] = "fp32, as asked",
                                         [LANERT_LAYER_SMALL] = "fp32, small",
                                         [LANERT_LAYER_SENSITIVE] = "fp32, sensitive",
                                         [LANERT_LAYER_JUDGED] = "fp32, for the F1"};
    job *j = context;
    progress_clear(&j->progress);
    if (!j->head_printed)
        printf("%-30s %-6s %6s %7s %5s %6s %6s\n", "layer", "", "work %", "SNR dB", "lost", "gained", "px");
    j->head_printed = true;
    printf("%-30s %-6s %6.2f", layer->name, layer->op, 100 * layer->share);
    if (layer->measured)
        print_deviation(&layer->alone);
    else
        printf(" %7s %5s %6s %6s", "-", "-", "-", "-");
    printf("  %s\n", states[layer->state]);
}

static int judge(void *context, const char *path, const lanert_quantize_report *report, lanert_error *err)
{
    job *j = context;
    progress_clear(&j->progress);
    return quantize_val_judge(&j->val, path, report, err);
}

static double megabytes(const char *path)
{
    struct stat st = {0};
    stat(path, &st);
    return (double)st.st_size / 1e6;
}

static void print_report(const job *j, const lanert_quantize_report *r, double seconds)
{
    printf("%-30s %-6s %6.2f", "all in int8", "", 100 * r->share);
    print_deviation(&r->whole);
    printf("  %d of %d layers; of %d lane%s in %d frame%s\n", r->int8_layers, r->layers, r->whole.lanes,
           plural(r->whole.lanes), r->samples, plural(r->samples));
    if (!j->quiet)
        say_note("%s: %.1f MB, int8, of %s (%.1f MB) in %.1f s", j->output, megabytes(j->output), j->model,
                 megabytes(j->model), seconds);
}

/* While frames are read, what is wrong is a source. */
static int status_at(const job *j, int rc)
{
    if (j->step != LANERT_STEP_READ || rc == LANERT_EINVAL || rc == LANERT_ENOMEM || rc == LANERT_END)
        return status_of(rc, j->model);
    return EXIT_INPUT;
}

static int failed(const job *j, int rc, const lanert_error *err)
{
    if (!interrupted() && j->val.status)
        return j->val.status;
    if (!interrupted() && rc == LANERT_ELIMIT && j->val.rounds)
        return quantize_val_missed(&j->val);
    say_error("%s", interrupted() ? "interrupted: nothing was written" : err->text);
    return status_at(j, rc);
}

static int run(job *j)
{
    lanert_quantize_report report;
    lanert_error err;
    double start = now_s();
    int rc = lanert_quantize(j->model, j->output, &j->options, &report, &err);
    progress_clear(&j->progress);
    if (rc)
        return failed(j, rc, &err);
    print_report(j, &report, now_s() - start);
    return EXIT_DONE;
}

/* What is wrong with the options together, NULL where nothing is. */
static const char *check(const job *j)
{
    if (!j->output)
        return "-o OUT.onnx is missing";
    if (!j->options.source_count)
        return "--calib is missing: pictures or videos like those that the model will be used on";
    if (j->drop_limited && !j->val.count)
        return "--max-drop needs --val: labelled pictures on which the F1 is measured";
    if (j->val.count && !j->options.sensitivity)
        return "--val needs --sensitivity, by which the layers are found that go back to fp32; expected 1 or more";
    return NULL;
}

int cmd_quantize(int argc, char **argv)
{
    job j = {.step = -1};
    int c;
    lanert_quantize_defaults(&j.options);
    quantize_val_init(&j.val);
    j.options.sources = j.sources;
    j.options.keep_float = j.patterns;
    j.options.on_progress = on_progress;
    j.options.on_layer = on_layer;
    j.options.context = &j;
    while ((c = option_next(argc, argv, ":o:qh", longs)) != -1) {
        if (c == 'h')
            return print_help(help);
        if (!parse_option(&j, c, argv))
            return EXIT_USAGE;
    }
    if (optind != argc - 1)
        return say_usage(optind == argc ? "no model was named" : "one model at a time");
    j.model = argv[optind];
    const char *wrong = check(&j);
    if (wrong)
        return say_usage("%s", wrong);
    j.val.output = j.output;
    j.val.quiet = j.quiet;
    j.val.detector.engine = j.options.engine;
    j.val.detector.threads = j.options.threads;
    if (j.val.count)
        j.options.judge = judge;
    interrupt_catch();
    return run(&j);
}
