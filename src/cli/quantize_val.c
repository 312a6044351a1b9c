#include "cli/quantize_val.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/val.h"

#define AT_50 0 /* place of the threshold */

void quantize_val_init(quantize_val *v)
{
    *v = (quantize_val){.max_drop = 1};
    lanert_detector_defaults(&v->detector);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Lists are told by their names, as sources are. */
static bool is_list(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && !strcmp(path + length - 4, ".txt");
}

bool quantize_val_add(quantize_val *v, const char *source)
{
    if (v->count == QUANTIZE_VAL_SOURCES)
        return say_usage("more than %d folders after --val", QUANTIZE_VAL_SOURCES), false;
    if (!is_folder(source) && !is_list(source)) {
        say_usage("--val is '%s'; expected a folder of pictures with their labels beside them (PICTURE.lines.txt, in "
                  "CULane's form), or a list of such pictures (.txt)",
                  source);
        return false;
    }
    v->sources[v->count++] = source;
    return true;
}

/* ---- one model ---- */

typedef struct tally {
    int64_t pictures, tp, fp, fn;
} tally;

/* A list's pictures are named from its folder. */
static int open_val(const char *source, lanert_val_options *o, char *folder, size_t size, lanert_val **val)
{
    lanert_error err;
    const char *slash = strrchr(source, '/');
    lanert_val_defaults(o);
    o->dataset = "culane";
    o->root = source;
    if (!is_folder(source)) {
        snprintf(folder, size, "%.*s", slash ? (int)(slash - source) + 1 : 1, slash ? source : ".");
        o->root = folder;
        o->list = source;
    }
    int rc = lanert_val_open(o, val, &err);
    return rc ? val_failed(rc, &err) : EXIT_DONE;
}

static int score_source(const quantize_val *v, const char *source, const lanert_model *model, lanert_detector *det,
                        tally *t)
{
    char folder[4096];
    lanert_val_report report;
    lanert_val *val;
    val_job job = {.quiet = v->quiet};
    int status = open_val(source, &job.data, folder, sizeof folder, &val);
    if (status)
        return status;
    status = val_find_lanes(&job, model, det, NULL, val);
    lanert_val_summary(val, &report);
    lanert_val_close(&val);
    const lanert_val_counts *counts = &report.categories[0].at[AT_50];
    t->pictures += report.frames;
    t->tp += counts->tp;
    t->fp += counts->fp;
    t->fn += counts->fn;
    return interrupted() ? EXIT_FAILED : status;
}

static int score_model(const quantize_val *v, const char *path, const lanert_detector_options *options, tally *t)
{
    lanert_model *model = NULL;
    lanert_detector *det = NULL;
    lanert_error err;
    int status = EXIT_DONE;
    if (lanert_model_open(path, NULL, &model, &err) || lanert_detector_open(model, options, &det, &err)) {
        say_error("%s", err.text);
        status = EXIT_MODEL;
    }
    for (int i = 0; !status && i < v->count; i++)
        status = score_source(v, v->sources[i], model, det, t);
    lanert_detector_close(&det);
    lanert_model_close(&model);
    return status;
}

/* ---- the judge ---- */

/* A model that finds nothing has nothing to lose. */
static int take_exact(quantize_val *v, const quantize_score *score, const tally *t)
{
    v->exact = *score;
    if (t->tp)
        return EXIT_DONE;
    say_error("%s: the fp32 model finds none of its %lld labelled lanes, so that none can be lost; expected labels of "
              "its kind, in pixels of a 1640x590 picture",
              v->sources[0], (long long)t->fn);
    return EXIT_INPUT;
}

static bool is_good(quantize_val *v, const quantize_score *score)
{
    if (!v->rounds++ || score->f1 > v->best.f1)
        v->best = *score;
    return v->exact.f1 - score->f1 <= 100 * v->max_drop;
}

static void print_score(const quantize_val *v, const quantize_score *score, const tally *t)
{
    if (score->int8_layers)
        printf("round %d: %d of %d layers in int8, F1@0.5 %.2f, drop %.2f\n", v->rounds, score->int8_layers,
               score->layers, score->f1, v->exact.f1 - score->f1);
    else
        printf("fp32: F1@0.5 %.2f, of %lld labelled lanes in %lld pictures\n", score->f1, (long long)(t->tp + t->fn),
               (long long)t->pictures);
    fflush(stdout);
}

int quantize_val_judge(quantize_val *v, const char *path, const lanert_quantize_report *report, lanert_error *err)
{
    tally t = {0};
    bool good = true;
    lanert_detector_options options = v->detector;
    options.precision = report->int8_layers ? LANERT_PRECISION_AUTO : LANERT_FP32;
    v->status = score_model(v, path, &options, &t);
    quantize_score score = {.f1 = t.tp ? 200.0 * (double)t.tp / (double)(2 * t.tp + t.fp + t.fn) : 0,
                            .layers = report->layers,
                            .int8_layers = report->int8_layers};
    if (!v->status && score.int8_layers)
        good = is_good(v, &score);
    else if (!v->status)
        v->status = take_exact(v, &score, &t);
    if (v->status) {
        *err = (lanert_error){.code = LANERT_END, .text = "the model could not be measured"};
        return LANERT_END;
    }
    print_score(v, &score, &t);
    return !good;
}

int quantize_val_missed(const quantize_val *v)
{
    say_error("%s: --max-drop %g is not reached: the best of %d models, with %d of %d layers in int8, has an F1@0.5 of "
              "%.2f, %.2f points below the %.2f of fp32; nothing was written",
              v->output, v->max_drop, v->rounds, v->best.int8_layers, v->best.layers, v->best.f1,
              v->exact.f1 - v->best.f1, v->exact.f1);
    return EXIT_GATE;
}
