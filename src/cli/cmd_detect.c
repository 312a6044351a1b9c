#include <stdio.h>
#include <string.h>

#include "cli/detector_options.h"
#include "cli/outputs.h"
#include "cli/scheduling.h"

static const char help[] =
    "usage: lanert detect SOURCE... [OPTION]...\n"
    "\n"
    "Finds the lanes in pictures, videos and cameras. A SOURCE is a picture, a folder of them, a quoted glob, a list\n"
    "file (.txt), a video file, rtsp://..., /dev/videoN, - (a video on standard input), or\n"
    "synthetic:[seed=1,frames=250,rate=25,size=1280x720] (a drawn road with known lanes).\n"
    "Without --model, the one that comes with lanert is used.\n"
    "\n"
    "  -o, --output OUT           by its name: a video (.mp4, .mkv, .mov), JSON lines (.jsonl; - is standard output),\n"
    "                             TuSimple's lines (.json), annotated pictures (.jpg, .png, FOLDER/); may be repeated\n"
    "      --format FORMAT        of the output beside it: video, pictures, culane, tusimple, llamas or jsonl\n"
    "      --force                overwrite files that are there\n"
    "\n" DETECTOR_HELP "\n"
    "      --rate FPS             take a file at this pace, or its 'own', as a camera brings frames: the newest wins,\n"
    "                             and one that still waits then is dropped\n"
    "      --deadline MS          mark and count results later than this after their frame, of cameras, streams and "
    "--rate:\n"
    "                             auto (the default), 4 times what a frame takes when the source is opened; or off\n"
    "      --max-missed PERCENT   a gate: at most so many of the frames are dropped, or late\n" SCHEDULING_HELP
    "      --duration SECONDS     stop after so long\n"
    "\n"
    "      --json                 the summary as JSON, on standard output\n"
    "  -v, --verbose              say what each source is, which engine runs, in which precision, and what encodes "
    "videos\n"
    "  -q, --quiet                say nothing but errors\n"
    "  -h, --help                 this text\n"
    "\n"
    "Ctrl-C ends cleanly: outputs hold all that was done until then. Without an output, the summary is all.\n"
    "\n"
    "exit status: 0 done, 1 an output could not be written, 2 wrong usage, 3 the model or engine is not usable, 4 a\n"
    "source could not be read, not all of it, or is a damaged video, 5 more frames missed their deadline than "
    "--max-missed allows\n";

typedef struct job {
    detector_options detector;
    outputs outputs;
    bool force, verbose, quiet, json;
    double duration_s;  /* 0: no end */
    double rate;        /* of files; 0: as fast as they are read */
    double deadline_ms; /* as asked for */
    double max_missed;  /* percent; below 0: no gate */
    scheduling scheduling;

    lanert_model *model;
    lanert_detector *det;
    lanert_stats stats;   /* over all sources */
    lanert_damage damage; /* likewise; first_s is not used */
    progress progress;
    double start_s;
    bool write_failed, pictures, opened, outputs_said;
} job;

/* ---- options ---- */

enum { FORMAT = 256, FORCE, RATE, DEADLINE, MISSED, CPUS, PRIORITY, DURATION, JSON };

static const struct option longs[] = {
    {"output", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, FORMAT},
    {"force", no_argument, NULL, FORCE},
    DETECTOR_LONGS,
    {"rate", required_argument, NULL, RATE},
    {"deadline", required_argument, NULL, DEADLINE},
    {"max-missed", required_argument, NULL, MISSED},
    {"cpus", required_argument, NULL, CPUS},
    {"priority", required_argument, NULL, PRIORITY},
    {"duration", required_argument, NULL, DURATION},
    {"json", no_argument, NULL, JSON},
    {"verbose", no_argument, NULL, 'v'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static bool set_flag(bool *value)
{
    *value = true;
    return true;
}

static bool parse_rate(double *rate)
{
    *rate = LANERT_OWN_RATE;
    return !strcmp(optarg, "own") || option_double("--rate", optarg, 0.1, 1e4, rate);
}

static bool parse_option(job *j, int c)
{
    switch (c) {
    case 'o':
        return outputs_add_path(&j->outputs, optarg);
    case FORMAT:
        return outputs_add_format(&j->outputs, optarg);
    case FORCE:
        return set_flag(&j->force);
    case RATE:
        return parse_rate(&j->rate);
    case DEADLINE:
        return option_deadline(optarg, &j->deadline_ms);
    case MISSED:
        return option_double("--max-missed", optarg, 0, 100, &j->max_missed);
    case CPUS:
        return scheduling_parse_cpus(&j->scheduling, optarg);
    case PRIORITY:
        return scheduling_parse_priority(&j->scheduling, optarg);
    case DURATION:
        return option_double("--duration", optarg, 0, 1e9, &j->duration_s);
    case JSON:
        return set_flag(&j->json);
    case 'v':
        return set_flag(&j->verbose);
    case 'q':
        return set_flag(&j->quiet);
    default:
        if (detector_options_own(c))
            return detector_options_parse(&j->detector, c, optarg);
        return false;
    }
}

/* ---- the run ---- */

static int should_stop(void *context)
{
    const job *j = context;
    return interrupted() || (j->duration_s > 0 && now_s() - j->start_s >= j->duration_s);
}

static void draw_progress(job *j, const lanert_result *result, int64_t count)
{
    char words[128];
    double elapsed = now_s() - j->progress.start_s;
    snprintf(words, sizeof words, "%.1f fps  latency %.0f ms  %d lane%s", elapsed > 0 ? (double)count / elapsed : 0,
             result->latency_ms, result->count, plural(result->count));
    progress_draw(&j->progress, count, words);
}

static int on_result(void *context, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    job *j = context;
    int rc = outputs_write(&j->outputs, frame, result, err);
    j->write_failed = rc != 0;
    if (!rc && j->verbose && !j->outputs_said) {
        progress_clear(&j->progress);
        outputs_say(&j->outputs);
        j->outputs_said = true;
    }
    if (!rc && progress_due(&j->progress))
        draw_progress(j, result, frame->index + 1);
    return rc;
}

static int on_bad_picture(void *context, const lanert_error *why)
{
    job *j = context;
    progress_clear(&j->progress);
    say_error("%s", why->text);
    return 0;
}

static void add_stats(lanert_stats *sum, const lanert_stats *one)
{
    sum->received += one->received;
    sum->frames += one->frames;
    sum->dropped += one->dropped;
    sum->skipped += one->skipped;
    sum->late += one->late;
    sum->lanes += one->lanes;
    sum->elapsed_s += one->elapsed_s;
    sum->read_ms += one->read_ms;
    sum->preprocess_ms += one->preprocess_ms;
    sum->inference_ms += one->inference_ms;
    sum->decode_ms += one->decode_ms;
    sum->write_ms += one->write_ms;
    /* Of several sources, the longest deadline, and the worst one's percentiles. */
    if (one->deadline_ms > sum->deadline_ms)
        sum->deadline_ms = one->deadline_ms;
    if (one->latency_p50_ms > sum->latency_p50_ms)
        sum->latency_p50_ms = one->latency_p50_ms;
    if (one->latency_p99_ms > sum->latency_p99_ms)
        sum->latency_p99_ms = one->latency_p99_ms;
    if (one->latency_max_ms > sum->latency_max_ms)
        sum->latency_max_ms = one->latency_max_ms;
}

/* "r18-culane · openvino": what made these lanes. */
static void make_title(const job *j, char *title, size_t size)
{
    const char *slash = strrchr(j->detector.model, '/'), *name = slash ? slash + 1 : j->detector.model;
    const char *dot = strrchr(name, '.');
    snprintf(title, size, "%.*s · %s", dot ? (int)(dot - name) : (int)strlen(name), name,
             lanert_detector_engine(j->det));
}

static int open_outputs(job *j, const lanert_source_info *info)
{
    char title[128];
    lanert_error err;
    make_title(j, title, sizeof title);
    lanert_sink_options options = {
        .source = info, .preset = lanert_model_preset(j->model), .force = j->force, .title = title};
    int rc = outputs_open(&j->outputs, &options, &err);
    j->opened = true;
    j->pictures = info->pictures;
    if (rc)
        say_error("%s", err.text);
    return rc == 0 ? EXIT_DONE : rc == LANERT_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

/* Tells what is wrong with a video; false where nothing is. */
static bool say_damage(job *j, const char *name, const lanert_damage *d)
{
    char frames[64] = "", packets[64] = "";
    j->damage.frames += d->frames;
    j->damage.packets += d->packets;
    j->damage.missing_s += d->missing_s;
    if (d->frames)
        snprintf(frames, sizeof frames, "%lld frame%s damaged", (long long)d->frames, d->frames == 1 ? " is" : "s are");
    if (d->packets)
        snprintf(packets, sizeof packets, "%lld packet%s could not be decoded", (long long)d->packets,
                 plural(d->packets));
    if (d->frames || d->packets)
        say_error("%s: %s%s%s, the first at %.2f s: lanes there are wrong or missing", name, frames,
                  *frames && *packets ? ", and " : "", packets, d->first_s);
    if (d->missing_s > 0)
        say_error("%s: ends %.1f s before it should: it was cut off", name, d->missing_s);
    return d->frames || d->packets || d->missing_s > 0;
}

static int run_status(const job *j, int rc, const lanert_stats *stats, bool damaged)
{
    if (rc == 0)
        return stats->skipped || damaged ? EXIT_INPUT : EXIT_DONE;
    if (j->write_failed || rc == LANERT_ENOMEM)
        return EXIT_FAILED;
    if (rc == LANERT_EINVAL && !stats->received) /* pace and deadline that do not fit the source */
        return EXIT_USAGE;
    return rc == LANERT_EENGINE ? EXIT_MODEL : EXIT_INPUT;
}

static void say_source(const job *j, const lanert_source_info *info)
{
    char size[64] = "", count[64] = "", rate[64] = "";
    const char *why, *precision = lanert_detector_precision(j->det, &why);
    if (info->width)
        snprintf(size, sizeof size, ", %dx%d", info->width, info->height);
    if (info->frames >= 0)
        snprintf(count, sizeof count, ", %lld %s%s", (long long)info->frames, info->pictures ? "picture" : "frame",
                 plural(info->frames));
    if (info->rate > 0)
        snprintf(rate, sizeof rate, " at %g a second", info->rate);
    say_note("%s: %s%s%s%s; %s on %s, %s, in %s%s%s", info->name,
             info->live       ? "live"
             : info->pictures ? "stills"
                              : "video",
             size, count, rate, j->detector.model, lanert_detector_engine(j->det), lanert_detector_device(j->det),
             precision, *why ? ": " : "", why);
}

/* Whether frames may come while they are not read, and queue. */
static bool is_stream(const char *spec)
{
    return !strcmp(spec, "-") || strstr(spec, "://") || !strncmp(spec, "/dev/", 5);
}

/* When there is a source: it takes seconds. */
static int open_detector(job *j)
{
    if (j->det)
        return EXIT_DONE;
    int status = detector_options_open(&j->detector, &j->model, &j->det);
    j->start_s = now_s();
    return status;
}

static int run_source(job *j, const char *spec)
{
    lanert_source *source = NULL;
    lanert_stats stats = {0};
    lanert_error err;
    int status;
    if (is_stream(spec) && (status = open_detector(j)))
        return status;
    int rc = open_source(spec, should_stop, j, &source, &err);
    if (rc == LANERT_END)
        return EXIT_DONE;
    if (rc) {
        say_error("%s", err.text);
        return EXIT_INPUT;
    }
    const lanert_source_info *info = lanert_source_describe(source);
    if (j->max_missed >= 0 && !info->live && j->rate == 0) {
        status = say_usage("--max-missed is for frames that come at a pace, and %s is a file, read as fast as it goes: "
                           "set a --rate",
                           info->name);
        goto out;
    }
    if ((status = open_detector(j)) || (!j->opened && (status = open_outputs(j, info))))
        goto out;
    if (j->outputs.count && info->pictures != j->pictures) {
        status =
            say_usage("%s: pictures and videos cannot go into the same outputs; run them one after the other", spec);
        goto out;
    }
    lanert_run_options options = {.on_result = on_result,
                                  .should_stop = should_stop,
                                  .on_bad_picture = on_bad_picture,
                                  .context = j,
                                  .rate = j->rate,
                                  .deadline_ms = j->deadline_ms};
    if (j->verbose)
        say_source(j, info);
    progress_start(&j->progress, info->frames, j->quiet);
    rc = lanert_run(j->det, source, &options, &stats, &err);
    progress_clear(&j->progress);
    if (rc)
        say_error("%s", err.text);
    add_stats(&j->stats, &stats);
    lanert_damage damage = lanert_source_damage(source);
    /* A stream is joined in its middle, and loses packets. */
    bool damaged = say_damage(j, info->name, &damage) && !info->live;
    status = run_status(j, rc, &stats, damaged);
out:
    lanert_source_close(&source);
    return status;
}

static int run_sources(job *j, char **specs, int count)
{
    int status = EXIT_DONE;
    lanert_error err;
    for (int i = 0; i < count && !should_stop(j); i++) {
        int one = run_source(j, specs[i]);
        status = one ? one : status;
        if (one == EXIT_FAILED || one == EXIT_USAGE || one == EXIT_MODEL)
            return status;
    }
    if (!j->stats.frames)
        return status; /* no file for nothing */
    if (outputs_finish(&j->outputs, &err)) {
        say_error("%s", err.text);
        return EXIT_FAILED;
    }
    return status;
}

/* ---- the summary ---- */

static void print_summary(const job *j, FILE *out)
{
    const lanert_stats *s = &j->stats;
    double n = s->frames ? (double)s->frames : 1;
    if (j->json) {
        fprintf(out,
                "{\"received\": %lld, \"frames\": %lld, \"dropped\": %lld, \"skipped\": %lld, \"late\": %lld, "
                "\"deadline_ms\": %.3f, \"lanes\": %lld, \"elapsed_s\": %.6f, "
                "\"fps\": %.3f, \"engine\": \"%s\", \"device\": \"%s\", \"precision\": \"%s\", "
                "\"mean_ms\": {\"read\": %.4f, \"preprocess\": %.4f, "
                "\"inference\": %.4f, \"decode\": %.4f, \"write\": %.4f}, "
                "\"latency_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, "
                "\"damage\": {\"frames\": %lld, \"packets\": %lld, \"missing_s\": %.3f}, \"interrupted\": %s}\n",
                (long long)s->received, (long long)s->frames, (long long)s->dropped, (long long)s->skipped,
                (long long)s->late, s->deadline_ms, (long long)s->lanes, s->elapsed_s,
                s->elapsed_s > 0 ? (double)s->frames / s->elapsed_s : 0, lanert_detector_engine(j->det),
                lanert_detector_device(j->det), lanert_detector_precision(j->det, NULL), s->read_ms / n,
                s->preprocess_ms / n, s->inference_ms / n, s->decode_ms / n, s->write_ms / n, s->latency_p50_ms,
                s->latency_p99_ms, s->latency_max_ms, (long long)j->damage.frames, (long long)j->damage.packets,
                j->damage.missing_s, interrupted() ? "true" : "false");
        return;
    }
    fprintf(
        out,
        "%lld frame%s, %lld lane%s in %.1f s: %.1f fps; latency p50 %.0f, p99 %.0f ms; a frame's inference %.1f ms, "
        "everything else %.1f ms (%s, %s, %s)",
        (long long)s->frames, plural(s->frames), (long long)s->lanes, plural(s->lanes), s->elapsed_s,
        s->elapsed_s > 0 ? (double)s->frames / s->elapsed_s : 0, s->latency_p50_ms, s->latency_p99_ms,
        s->inference_ms / n, (s->read_ms + s->preprocess_ms + s->decode_ms + s->write_ms) / n,
        lanert_detector_engine(j->det), lanert_detector_device(j->det), lanert_detector_precision(j->det, NULL));
    if (s->dropped)
        fprintf(out, "; %lld frame%s dropped", (long long)s->dropped, plural(s->dropped));
    if (s->deadline_ms > 0)
        fprintf(out, "; %lld later than %g ms", (long long)s->late, s->deadline_ms);
    if (s->skipped)
        fprintf(out, "; %lld picture%s could not be read", (long long)s->skipped, plural(s->skipped));
    if (j->damage.frames)
        fprintf(out, "; %lld frame%s damaged", (long long)j->damage.frames, plural(j->damage.frames));
    fprintf(out, "%s\n", interrupted() ? "; interrupted" : "");
}

static bool summarize(const job *j)
{
    if (!j->json && j->quiet)
        return true;
    print_summary(j, j->json || !j->outputs.count ? stdout : stderr);
    if (fflush(stdout) == 0)
        return true;
    say_error("standard output cannot be written");
    return false;
}

/* A frame that was dropped missed its deadline as well. */
static int judge(const job *j)
{
    const lanert_stats *s = &j->stats;
    double missed = s->received ? 100.0 * (double)(s->dropped + s->late) / (double)s->received : 0;
    if (j->max_missed < 0 || missed <= j->max_missed)
        return EXIT_DONE;
    say_error("%.4g %% of %lld frames missed the deadline of %g ms (%lld were dropped, %lld late); at most %g %% were "
              "allowed",
              missed, (long long)s->received, s->deadline_ms, (long long)s->dropped, (long long)s->late, j->max_missed);
    return EXIT_GATE;
}

static int run(job *j, char **specs, int count)
{
    char why[512];
    int status;
    if (!scheduling_apply(&j->scheduling, why, sizeof why)) {
        say_error("%s", why);
        return EXIT_FAILED;
    }
    j->start_s = now_s();
    status = run_sources(j, specs, count);
    if (j->stats.frames && !summarize(j) && !status)
        status = EXIT_FAILED;
    return status ? status : judge(j);
}

int cmd_detect(int argc, char **argv)
{
    job j = {.deadline_ms = LANERT_AUTO_DEADLINE, .max_missed = -1};
    int c, status;
    detector_options_init(&j.detector);
    while ((c = option_next(argc, argv, ":o:m:vqh", longs)) != -1) {
        if (c == 'h')
            return print_help(help);
        if (!parse_option(&j, c))
            return EXIT_USAGE;
    }
    if (optind == argc)
        return say_usage("no source was named: a picture, a folder, a video, or synthetic:");
    if (!outputs_check(&j.outputs))
        return EXIT_USAGE;
    if (j.json && outputs_use_stdout(&j.outputs))
        return say_usage("--json and an output cannot both go to standard output");
    if (j.max_missed >= 0 && j.deadline_ms == 0)
        return say_usage("--max-missed is of a deadline, and --deadline says that there is none");
    if ((status = detector_options_complete(&j.detector)))
        return status;
    if (j.quiet)
        j.detector.options.on_note = NULL;
    for (int i = optind; i < argc; i++)
        if (!outputs_spare(&j.outputs, argv[i]))
            return EXIT_USAGE;
    if (!outputs_spare(&j.outputs, j.detector.model))
        return EXIT_USAGE;
    if ((status = outputs_check_files(&j.outputs, j.force)))
        return status;
    interrupt_catch();
    status = run(&j, argv + optind, argc - optind);
    outputs_close(&j.outputs);
    lanert_detector_close(&j.det);
    lanert_model_close(&j.model);
    return status;
}
