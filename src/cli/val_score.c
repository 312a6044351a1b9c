#include <stdio.h>
#include <unistd.h>

#include "cli/val.h"

int val_failed(int rc, const lanert_error *err)
{
    say_error("%s", err->text);
    switch (rc) {
    case LANERT_EINVAL:
        return EXIT_USAGE;
    case LANERT_ENOMEM:
    case LANERT_EEXIST:
        return EXIT_FAILED;
    case LANERT_EENGINE:
        return EXIT_MODEL;
    default:
        return EXIT_INPUT;
    }
}

static int64_t count_wanted(const lanert_val *val)
{
    lanert_val_frame frame;
    int64_t wanted = 0;
    for (int64_t i = 0; lanert_val_frame_at(val, i, &frame, NULL) == 0; i++)
        wanted += frame.wanted;
    return wanted;
}

static int64_t count_done(const lanert_val *val)
{
    lanert_val_report report;
    lanert_val_summary(val, &report);
    return report.frames;
}

static int say_interrupted(const lanert_val_options *data, const lanert_val *val)
{
    if (data->journal)
        say_error("interrupted: %lld of %lld frame%s are in %s; the same command goes on from there",
                  (long long)count_done(val), (long long)lanert_val_count(val), plural(lanert_val_count(val)),
                  data->journal);
    else
        say_error("interrupted; --journal FILE keeps what is finished");
    return EXIT_FAILED;
}

static int on_progress(void *context, int64_t done, int64_t total)
{
    progress *p = context;
    char words[64];
    double elapsed = now_s() - p->start_s;
    p->total = total;
    if (progress_due(p)) {
        snprintf(words, sizeof words, "%.0f a second", elapsed > 0 ? (double)done / elapsed : 0);
        progress_draw(p, done, words);
    }
    return interrupted();
}

static int score_predictions(const val_job *job, lanert_val *val)
{
    progress p;
    lanert_error err;
    progress_start(&p, count_wanted(val), job->quiet);
    int rc = lanert_val_run(val, on_progress, &p, &err);
    progress_clear(&p);
    return rc == 0 || rc == LANERT_END ? EXIT_DONE : val_failed(rc, &err);
}

static int open_val(const val_job *job, const lanert_val_options *data, const detector_options *model, lanert_val **val)
{
    char identity[512];
    lanert_val_options own = *data;
    lanert_error err;
    int status = model ? val_identity(model, identity, sizeof identity) : EXIT_DONE;
    *val = NULL;
    if (status)
        return status;
    if (model)
        own.identity = identity;
    int rc = lanert_val_open(&own, val, &err);
    if (rc)
        return val_failed(rc, &err);
    if (own.journal && !job->quiet && count_done(*val))
        say_note("%s: %lld of %lld frame%s are in it", own.journal, (long long)count_done(*val),
                 (long long)lanert_val_count(*val), plural(lanert_val_count(*val)));
    return EXIT_DONE;
}

int val_score(const val_job *job, const lanert_val_options *data, const detector_options *model, const char *save,
              lanert_val **val)
{
    /* Before the journal is there: lanes that were kept earlier may be written again only where it was. */
    bool resumed = data->journal && access(data->journal, F_OK) == 0;
    int status = open_val(job, data, model, val);
    if (status || !count_wanted(*val))
        return status;
    val_job own = *job;
    own.force |= resumed;
    status = model ? val_detect(&own, model, save, *val) : score_predictions(job, *val);
    return !status && count_wanted(*val) ? say_interrupted(data, *val) : status;
}

static int merge(const val_job *job, lanert_val **val)
{
    lanert_error err;
    int status = open_val(job, &job->data, job->detector.model ? &job->detector : NULL, val);
    for (int i = 0, rc; !status && i < job->journal_count; i++)
        if ((rc = lanert_val_merge(*val, job->journals[i], &err)))
            status = val_failed(rc, &err);
    if (status || count_done(*val) == lanert_val_count(*val))
        return status;
    say_error("%lld of %lld frame%s are in none of the journals: a shard is not finished, or was not named",
              (long long)(lanert_val_count(*val) - count_done(*val)), (long long)lanert_val_count(*val),
              plural(lanert_val_count(*val)));
    return EXIT_INPUT;
}

static int print_report(const val_job *job, const lanert_val *val)
{
    lanert_val_report report;
    val_gate gates[1];
    int count = 0;
    lanert_val_summary(val, &report);
    if (job->min_f1 >= 0)
        gates[count++] = val_check_least("min-f1", "F1", val_f1(&report), job->min_f1);
    if (job->json) {
        puts("{");
        val_print_members("  ", job->data.dataset, &report);
        fputs("  ", stdout);
        val_print_gates(gates, count);
        puts("\n}");
    } else {
        val_print_table(job->data.dataset, &report);
    }
    return val_end(gates, count);
}

static int write_table(const val_job *job, const lanert_val *val)
{
    lanert_error err;
    if (!job->per_image || lanert_val_write_csv(val, job->per_image, job->force, &err) == 0)
        return EXIT_DONE;
    say_error("%s", err.text);
    return EXIT_FAILED;
}

int val_run(const val_job *job)
{
    lanert_val *val = NULL;
    const detector_options *model = job->detector.model ? &job->detector : NULL;
    int status = job->merge ? merge(job, &val) : val_score(job, &job->data, model, job->save, &val);
    if (!status)
        status = write_table(job, val);
    if (!status && job->worst_folder)
        status = val_draw_worst(job, val);
    if (!status)
        status = print_report(job, val);
    lanert_val_close(&val);
    return status;
}
