/* val_report.c - sums over frames, and the table of them. */
#include <math.h>

#include "eval/csv.h"
#include "eval/val.h"
#include "lane/text.h"

static void add_frame(lanert_val_category *c, const frame_record *r)
{
    c->frames++;
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++) {
        c->at[t].tp += r->hits[t];
        c->at[t].fp += r->predicted - r->hits[t];
        c->at[t].fn += r->labelled - r->hits[t];
    }
}

/* In the order of eval_predictions (culane_metric.py), for the same last digit. */
static void finish(lanert_val_category *c)
{
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++) {
        lanert_val_counts *n = &c->at[t];
        if (n->tp) {
            n->precision = (double)n->tp / (double)(n->tp + n->fp);
            n->recall = (double)n->tp / (double)(n->tp + n->fn);
            n->f1 = 2 * n->precision * n->recall / (n->precision + n->recall);
        }
        c->mean_precision += n->precision / LANERT_VAL_THRESHOLDS;
        c->mean_recall += n->recall / LANERT_VAL_THRESHOLDS;
        c->mean_f1 += n->f1 / LANERT_VAL_THRESHOLDS;
    }
}

static void sum_category(const lanert_val *val, unsigned bit, const char *name, lanert_val_report *report)
{
    lanert_val_category *c = &report->categories[report->category_count++];
    *c = (lanert_val_category){.name = name};
    for (size_t i = 0; i < val->data.count; i++)
        if (val->records[i].done && (!bit || val->data.frames[i].categories & bit))
            add_frame(c, &val->records[i]);
    finish(c);
}

/* bench_one_submit (tusimple_metric.py). */
static void sum_tusimple(const lanert_val *val, lanert_val_report *report)
{
    double frames = fmax((double)report->frames, 1);
    for (size_t i = 0; i < val->data.count; i++) {
        const tusimple_score *s = &val->records[i].tusimple; /* zeros where the frame is not finished */
        report->accuracy += s->accuracy;
        report->fp += s->fp;
        report->fn += s->fn;
    }
    report->accuracy /= frames;
    report->fp /= frames;
    report->fn /= frames;
    double tp = 1 - report->fp, precision = tp / (tp + report->fp), recall = tp / (tp + report->fn);
    report->f1 = tp > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

void lanert_val_summary(const lanert_val *val, lanert_val_report *report)
{
    *report = (lanert_val_report){0};
    for (size_t i = 0; i < val->data.count; i++) {
        report->frames += val->records[i].done;
        report->missing += val->records[i].missing;
    }
    report->unfinished = (int64_t)val->data.count - report->frames;
    if (!val->data.ops->rules) {
        sum_tusimple(val, report);
        return;
    }
    sum_category(val, 0, "all", report);
    for (int i = 0; i < DATASET_CATEGORIES; i++)
        if (val->data.categories & 1u << i)
            sum_category(val, 1u << i, dataset_culane_categories[i], report);
}

static void write_categories(FILE *out, unsigned categories)
{
    const char *between = "";
    for (int i = 0; i < DATASET_CATEGORIES; i++) {
        if (categories & 1u << i) {
            fprintf(out, "%s%s", between, dataset_culane_categories[i]);
            between = " ";
        }
    }
}

static void write_head(FILE *out, bool tusimple)
{
    fputs("frame,missing,predicted,labelled", out);
    if (tusimple)
        fputs(",accuracy,fp,fn", out);
    else
        fputs(",categories", out);
    for (int t = 0; !tusimple && t < LANERT_VAL_THRESHOLDS; t++)
        fprintf(out, ",tp%02d", 50 + 5 * t);
    fputc('\n', out);
}

static int write_row(FILE *out, bool tusimple, const dataset_frame *frame, const frame_record *r, lanert_error *err)
{
    const double score[] = {r->tusimple.accuracy, r->tusimple.fp, r->tusimple.fn};
    buffer number = {0};
    int rc = 0;
    csv_text(out, frame->name);
    fprintf(out, ",%d,%u,%u", r->missing, r->predicted, r->labelled);
    for (size_t i = 0; tusimple && !rc && i < ARRAY_LEN(score); i++) {
        buffer_clear(&number);
        if (!(rc = text_fixed(&number, score[i], 6, err)))
            fprintf(out, ",%s", number.data);
    }
    buffer_free(&number);
    if (!tusimple) {
        fputc(',', out);
        write_categories(out, frame->categories);
        for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
            fprintf(out, ",%u", r->hits[t]);
    }
    fputc('\n', out);
    return rc;
}

int lanert_val_write_csv(const lanert_val *val, const char *path, bool force, lanert_error *err)
{
    bool tusimple = !val->data.ops->rules;
    file_writer w;
    int rc = file_writer_open(path, force, &w, err);
    if (rc)
        return rc;
    write_head(w.stream, tusimple);
    for (size_t i = 0; !rc && i < val->data.count; i++)
        if (val->records[i].done)
            rc = write_row(w.stream, tusimple, &val->data.frames[i], &val->records[i], err);
    if (!rc)
        rc = file_writer_commit(&w, err);
    file_writer_close(&w);
    return rc;
}
