#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/outputs.h"
#include "cli/val.h"

#define LISTED 10 /* worst frames, where --worst does not say how many */

typedef struct side {
    const char *name;       /* as it was given */
    char *spec;             /* of a model: the same, cut up */
    detector_options model; /* .model NULL: predictions */
    char *lanes;            /* folder or file of its lanes */
    lanert_val *val;        /* NULL: no data set was named */
    lanert_val_report report;
} side;

typedef struct apart {
    char *name;
    lanert_compare_frame frame;
} apart;

typedef struct comparison {
    const val_job *job;
    side sides[2];
    char *temporary; /* folder of lanes that nobody asked to keep; NULL: none */
    lanert_compare_total total;
    apart *worst; /* [listed] the worst first */
    int listed, count;
    progress progress;
    int64_t done, differing; /* frames, and those with any difference */
} comparison;

/* ---- the two sides ---- */

static bool is_model(const char *name)
{
    const char *found = strstr(name, ".onnx");
    return found && (found[5] == '\0' || found[5] == ',');
}

/* Where the lanes of models go: --save, or a folder that is removed in the end. */
static const char *lanes_folder(comparison *c)
{
    const char *above = getenv("TMPDIR");
    if (c->job->save || c->temporary)
        return c->job->save ? c->job->save : c->temporary;
    c->temporary = output_join(above && *above ? above : "/tmp", "lanert-val-XXXXXX");
    if (c->temporary && !mkdtemp(c->temporary)) {
        say_error("%s: no folder for the lanes could be made; --save names another", c->temporary);
        free(c->temporary);
        c->temporary = NULL;
    }
    return c->temporary;
}

static int open_side(comparison *c, int i)
{
    side *s = &c->sides[i];
    const bool tusimple = c->job->data.dataset && !strcmp(c->job->data.dataset, "tusimple");
    static const char *const names[2][2] = {{"a", "b"}, {"a.json", "b.json"}};
    s->name = c->job->sides[i];
    if (!is_model(s->name)) {
        s->lanes = strdup(s->name);
        return s->lanes ? EXIT_DONE : EXIT_FAILED;
    }
    if (!c->job->data.dataset)
        return say_usage("%s: a model needs pictures: --dataset and --root are missing", s->name);
    s->model = c->job->detector;
    s->spec = strdup(s->name);
    if (!s->spec || !detector_options_parse_spec(&s->model, s->spec))
        return s->spec ? EXIT_USAGE : EXIT_FAILED;
    const char *folder = lanes_folder(c);
    s->lanes = folder ? output_join(folder, names[tusimple][i]) : NULL;
    return s->lanes ? EXIT_DONE : EXIT_FAILED;
}

/* A model's lanes are scored as the files that they become: what is compared is what was scored. */
static int score_side(const comparison *c, side *s)
{
    lanert_val_options data = c->job->data;
    int status = EXIT_DONE;
    if (s->model.model) {
        status = val_score(c->job, &data, &s->model, s->lanes, &s->val);
        lanert_val_close(&s->val);
    }
    data.predictions = s->lanes;
    if (!status)
        status = val_score(c->job, &data, NULL, NULL, &s->val);
    if (!status)
        lanert_val_summary(s->val, &s->report);
    return status;
}

/* ---- how far they are apart ---- */

static bool is_worse(const lanert_compare_frame *a, const lanert_compare_frame *b)
{
    int lanes_a = a->lost + a->gained, lanes_b = b->lost + b->gained;
    return lanes_a != lanes_b ? lanes_a > lanes_b : a->largest_px > b->largest_px;
}

static bool differs(const lanert_compare_frame *f)
{
    return f->lost || f->gained || f->largest_px > 0;
}

/* Puts the frame in its place among the worst; false where memory is out. */
static bool rank(comparison *c, const lanert_compare_frame *frame)
{
    int at = c->count;
    while (at > 0 && is_worse(frame, &c->worst[at - 1].frame))
        at--;
    if (at == c->listed || !differs(frame))
        return true;
    char *name = strdup(frame->name);
    if (!name)
        return false;
    if (c->count == c->listed)
        free(c->worst[--c->count].name);
    memmove(&c->worst[at + 1], &c->worst[at], (size_t)(c->count - at) * sizeof *c->worst);
    c->worst[at] = (apart){name, *frame};
    c->count++;
    return true;
}

static int on_frame(void *context, const lanert_compare_frame *frame)
{
    comparison *c = context;
    c->done++;
    c->differing += differs(frame);
    if (progress_due(&c->progress))
        progress_draw(&c->progress, c->done, "frames compared");
    return interrupted() || !rank(c, frame);
}

static int compare_lanes(comparison *c)
{
    const val_job *job = c->job;
    lanert_compare_options options;
    lanert_error err;
    c->listed = job->worst_folder ? job->worst : LISTED;
    if (!(c->worst = calloc((size_t)c->listed + 1, sizeof *c->worst))) {
        say_error("out of memory");
        return EXIT_FAILED;
    }
    lanert_compare_defaults(&options);
    options.dataset = job->data.dataset;
    options.root = job->data.root;
    options.list = job->data.list;
    options.csv = job->per_image;
    options.force = job->force;
    options.allow_missing = job->data.allow_missing;
    options.on_frame = on_frame;
    options.context = c;
    progress_start(&c->progress, c->sides[0].val ? lanert_val_count(c->sides[0].val) : -1, job->quiet);
    int rc = lanert_compare(c->sides[0].lanes, c->sides[1].lanes, &options, &c->total, &err);
    progress_clear(&c->progress);
    if (rc == LANERT_END) {
        say_error(interrupted() ? "interrupted" : "out of memory");
        return EXIT_FAILED;
    }
    return rc ? val_failed(rc, &err) : EXIT_DONE;
}

static int draw_worst(const comparison *c)
{
    lanert_val_frame frame;
    val_job job = *c->job;
    int64_t *frames = calloc((size_t)c->count + 1, sizeof *frames);
    if (!frames) {
        say_error("out of memory");
        return EXIT_FAILED;
    }
    for (int64_t i = 0; lanert_val_frame_at(c->sides[0].val, i, &frame, NULL) == 0; i++)
        for (int k = 0; k < c->count; k++)
            if (!strcmp(c->worst[k].name, frame.name))
                frames[k] = i;
    job.detector.model = NULL;
    int status = val_draw(&job, c->sides[1].val, c->sides[0].val, frames, c->count);
    free(frames);
    return status;
}

/* ---- the report ---- */

static void print_row(const char *name, double a, double b)
{
    printf("%-14s %9.2f %9.2f %+9.2f\n", name, 100 * a, 100 * b, 100 * (b - a));
}

static void print_scores(const comparison *c)
{
    const lanert_val_report *a = &c->sides[0].report, *b = &c->sides[1].report;
    char name[64];
    printf("%s: %lld frame%s\n%-14s %9s %9s %9s\n", c->job->data.dataset, (long long)a->frames, plural(a->frames), "",
           "A", "B", "B - A");
    if (!a->category_count) {
        print_row("accuracy", a->accuracy, b->accuracy);
        print_row("F1", a->f1, b->f1);
        print_row("FP", a->fp, b->fp);
        print_row("FN", a->fn, b->fn);
        return;
    }
    print_row("mF1", a->categories[0].mean_f1, b->categories[0].mean_f1);
    print_row("F1@75", a->categories[0].at[5].f1, b->categories[0].at[5].f1);
    for (int i = 0; i < a->category_count; i++) {
        const lanert_val_counts *p = &a->categories[i].at[0], *q = &b->categories[i].at[0];
        bool lanes = p->tp + p->fn; /* cross has none: its false positives are its figure */
        snprintf(name, sizeof name, "%s %s", lanes ? "F1@50" : "FP@50", a->categories[i].name);
        if (lanes)
            print_row(name, p->f1, q->f1);
        else
            printf("%-14s %9lld %9lld %+9lld\n", name, (long long)p->fp, (long long)q->fp, (long long)(q->fp - p->fp));
    }
}

static void print_text(const comparison *c)
{
    const lanert_compare_total *t = &c->total;
    printf("A: %s\nB: %s\n", c->sides[0].name, c->sides[1].name);
    if (c->sides[0].val)
        print_scores(c);
    printf("lanes in %lld frame%s: %lld in both, %.3f px apart (at most %.3f); %lld lost, %lld gained\n",
           (long long)t->frames, plural(t->frames), (long long)t->matched, t->mean_px, t->largest_px,
           (long long)t->lost, (long long)t->gained);
    printf("frames that differ at all: %lld (%.2f %%)\n", (long long)c->differing,
           t->frames ? 100.0 * (double)c->differing / (double)t->frames : 0);
    for (int i = 0; i < c->count; i++) {
        const lanert_compare_frame *f = &c->worst[i].frame;
        printf("  %s: %d lost, %d gained, %d in both, %.2f px apart (at most %.2f)\n", c->worst[i].name, f->lost,
               f->gained, f->matched, f->mean_px, f->largest_px);
    }
}

static void print_distance(double mean_px, double largest_px)
{
    fputs("\"mean_px\": ", stdout);
    json_number(mean_px);
    fputs(", \"largest_px\": ", stdout);
    json_number(largest_px);
}

static void print_distances(const comparison *c)
{
    const lanert_compare_total *t = &c->total;
    printf("  \"distance\": {\n    \"frames\": %lld, \"missing_a\": %lld, \"missing_b\": %lld, \"matched\": %lld, "
           "\"lost\": %lld, \"gained\": %lld, \"differing\": %lld, ",
           (long long)t->frames, (long long)t->missing_a, (long long)t->missing_b, (long long)t->matched,
           (long long)t->lost, (long long)t->gained, (long long)c->differing);
    print_distance(t->mean_px, t->largest_px);
    fputs(",\n    \"worst\": [", stdout);
    for (int i = 0; i < c->count; i++) {
        const lanert_compare_frame *f = &c->worst[i].frame;
        fputs(i ? ",\n      {\"frame\": " : "\n      {\"frame\": ", stdout);
        json_text(c->worst[i].name);
        printf(", \"matched\": %d, \"lost\": %d, \"gained\": %d, ", f->matched, f->lost, f->gained);
        print_distance(f->mean_px, f->largest_px);
        putchar('}');
    }
    fputs("]\n  },\n  ", stdout);
}

static void print_side(const comparison *c, const side *s, const char *name)
{
    printf("  \"%s\": {\n", name);
    if (s->val)
        val_print_members("    ", c->job->data.dataset, &s->report);
    fputs("    \"lanes\": ", stdout);
    json_text(s->name);
    fputs("\n  },\n", stdout);
}

static void print_difference(const comparison *c)
{
    const lanert_val_report *a = &c->sides[0].report, *b = &c->sides[1].report;
    fputs("  \"difference\": {\"f1\": ", stdout);
    json_number(val_f1(b) - val_f1(a));
    fputs(a->category_count ? ", \"mean_f1\": " : ", \"accuracy\": ", stdout);
    json_number(a->category_count ? val_mean_f1(b) - val_mean_f1(a) : b->accuracy - a->accuracy);
    fputs("},\n", stdout);
}

static void print_json(const comparison *c, const val_gate *gates, int count)
{
    puts("{");
    print_side(c, &c->sides[0], "a");
    print_side(c, &c->sides[1], "b");
    if (c->sides[0].val)
        print_difference(c);
    print_distances(c);
    val_print_gates(gates, count);
    puts("\n}");
}

static int report(const comparison *c)
{
    const val_job *job = c->job;
    const double a = val_f1(&c->sides[0].report), b = val_f1(&c->sides[1].report);
    val_gate gates[2];
    int count = 0;
    if (job->min_f1 >= 0)
        gates[count++] = val_check_least("min-f1", "B's F1", b, job->min_f1);
    if (job->max_drop >= 0)
        gates[count++] = val_check_most("max-drop", "the drop of F1 from A to B", a - b, job->max_drop);
    if (job->json)
        print_json(c, gates, count);
    else
        print_text(c);
    return val_end(gates, count);
}

/* ---- all of it ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)kind, (void)walk;
    return remove(path);
}

static void close_all(comparison *c)
{
    for (int i = 0; i < 2; i++) {
        lanert_val_close(&c->sides[i].val);
        free(c->sides[i].spec);
        free(c->sides[i].lanes);
    }
    for (int i = 0; i < c->count; i++)
        free(c->worst[i].name);
    free(c->worst);
    if (c->temporary)
        nftw(c->temporary, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(c->temporary);
}

int val_compare(const val_job *job)
{
    comparison c = {.job = job};
    int status = EXIT_DONE;
    for (int i = 0; i < 2 && !status; i++)
        status = open_side(&c, i);
    for (int i = 0; i < 2 && !status && job->data.dataset; i++)
        status = score_side(&c, &c.sides[i]);
    if (!status)
        status = compare_lanes(&c);
    if (!status && job->worst_folder)
        status = draw_worst(&c);
    if (!status)
        status = report(&c);
    close_all(&c);
    return status;
}
