#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/outputs.h"

static const char help[] =
    "usage: lanert bench [--model MODEL.onnx]... [OPTION]...\n"
    "\n"
    "Measures how fast models run: frames a second end to end, and how long each stage of a frame takes. Each\n"
    "combination of model, engine, device, precision, threads and batch is a row, measured in a process of its own;\n"
    "rows take turns, round after round. docs/BENCHMARKS.md says what the figures mean.\n"
    "\n"
    "  -m, --model MODEL.onnx     may be repeated; without it, the bundled one\n"
    "      --preset NAME          culane, tusimple, llamas or road: needed for a plain export, which does not say\n"
    "      --engine A,B...        all (the default: those that are usable), auto, onnxruntime, openvino,\n"
    "                             tensorrt\n"
    "      --device A,B...        cpu (the default), cuda, cuda:1, tensorrt, auto; see 'lanert detect'\n"
    "      --precision A,B...     auto (the default; see 'lanert detect'), fp32, fp16, bf16\n"
    "      --threads N,N...       of the engine; 0 (the default): one for each processor\n"
    "      --batch N,N...         frames that go through the engine together (default 1)\n"
    "      --source SOURCE        pictures, a video file, or synthetic: (the default, at 1280x720); see 'lanert "
    "detect'\n"
    "\n"
    "      --duration SECONDS     of each row and phase, over all rounds (default 10)\n"
    "      --frames N             of each row and phase; without --duration, however long they take\n"
    "      --rounds N             turns of each row (default 5); 1: one row after the other\n"
    "      --warmup N             frames before anything is measured (default 10)\n"
    "      --rate FPS             measure at a camera's pace too: idle gaps, deadlines missed, frames lost\n"
    "      --deadline MS          of --rate and --contend, from a frame's arrival to its lanes: auto (the default) is "
    "4\n"
    "                             times the idle median; or off\n"
    "      --contend KIND[:N]     measure beside a competing load too: cpu, memory or both, N threads of each "
    "(default:\n"
    "                             one for each processor)\n" SCHEDULING_HELP "\n"
    "      --json                 the report as JSON\n"
    "      --csv                  the report as CSV, a line a row\n"
    "      --plot FILE.svg        the report as a picture, besides\n"
    "      --force                overwrite FILE.svg\n"
    "      --compare OLD.json     say what became of an older report's rows\n"
    "      --max-slowdown PERCENT slower than this is a regression (default 10)\n"
    "  -v, --verbose              every stage's percentiles\n"
    "  -q, --quiet                no progress\n"
    "  -h, --help                 this text\n"
    "\n"
    "exit status: 0 done, 1 a report could not be written, 2 wrong usage, 3 no row could run, 4 the source or "
    "OLD.json\n"
    "could not be read, 5 a regression\n";

typedef struct job {
    bench_plan plan;
    bool json, csv, verbose, quiet, force, worker;
    const char *plot, *older;
    double max_slowdown; /* percent */
} job;

enum {
    PRESET = 256,
    ENGINE,
    DEVICE,
    PRECISION,
    THREADS,
    BATCH,
    SOURCE,
    DURATION,
    FRAMES,
    ROUNDS,
    WARMUP,
    RATE,
    DEADLINE,
    CONTEND,
    CPUS,
    PRIORITY,
    JSON,
    CSV,
    PLOT,
    FORCE,
    COMPARE,
    SLOWDOWN,
    WORKER
};

static const struct option longs[] = {
    {"model", required_argument, NULL, 'm'},
    {"preset", required_argument, NULL, PRESET},
    {"engine", required_argument, NULL, ENGINE},
    {"device", required_argument, NULL, DEVICE},
    {"precision", required_argument, NULL, PRECISION},
    {"threads", required_argument, NULL, THREADS},
    {"batch", required_argument, NULL, BATCH},
    {"source", required_argument, NULL, SOURCE},
    {"duration", required_argument, NULL, DURATION},
    {"frames", required_argument, NULL, FRAMES},
    {"rounds", required_argument, NULL, ROUNDS},
    {"warmup", required_argument, NULL, WARMUP},
    {"rate", required_argument, NULL, RATE},
    {"deadline", required_argument, NULL, DEADLINE},
    {"contend", required_argument, NULL, CONTEND},
    {"cpus", required_argument, NULL, CPUS},
    {"priority", required_argument, NULL, PRIORITY},
    {"json", no_argument, NULL, JSON},
    {"csv", no_argument, NULL, CSV},
    {"plot", required_argument, NULL, PLOT},
    {"force", no_argument, NULL, FORCE},
    {"compare", required_argument, NULL, COMPARE},
    {"max-slowdown", required_argument, NULL, SLOWDOWN},
    {"verbose", no_argument, NULL, 'v'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"worker", no_argument, NULL, WORKER}, /* of our own processes */
    {0},
};

static bool set_text(const char **value)
{
    *value = optarg;
    return true;
}

static bool set_flag(bool *value)
{
    *value = true;
    return true;
}

static bool add_model(bench_choices *models)
{
    if (models->count == BENCH_MAX_CHOICES)
        return say_usage("more than %d models", BENCH_MAX_CHOICES), false;
    models->names[models->count++] = optarg;
    return true;
}

static bool parse_preset(const char **preset)
{
    static const char *const names[] = {"culane", "tusimple", "llamas", "road", NULL};
    int place;
    return option_name("--preset", optarg, names, &place) && set_text(preset);
}

static bool parse_names(const char *option, bench_choices *names)
{
    names->count = 0;
    return bench_parse_names(option, optarg, names);
}

static bool parse_option(job *j, int c)
{
    bench_plan *p = &j->plan;
    switch (c) {
    case 'm':
        return add_model(&p->models);
    case PRESET:
        return parse_preset(&p->preset);
    case ENGINE:
        return parse_names("--engine", &p->engines);
    case DEVICE:
        return parse_names("--device", &p->devices);
    case PRECISION:
        return bench_parse_precisions(optarg, &p->precisions);
    case THREADS:
        return bench_parse_numbers("--threads", optarg, 0, 1024, &p->threads);
    case BATCH:
        return bench_parse_numbers("--batch", optarg, 1, 64, &p->batches);
    case SOURCE:
        return set_text(&p->source);
    case DURATION:
        return option_double("--duration", optarg, 0.001, 1e6, &p->duration_s);
    case FRAMES:
        return option_int("--frames", optarg, 1, BENCH_MAX_FRAMES, &p->frames);
    case ROUNDS:
        return option_int("--rounds", optarg, 1, 1000, &p->rounds);
    case WARMUP:
        return option_int("--warmup", optarg, 0, BENCH_MAX_FRAMES, &p->warmup);
    case RATE:
        return option_double("--rate", optarg, 0.1, 1e4, &p->rate);
    case DEADLINE:
        return option_deadline(optarg, &p->deadline_ms);
    case CONTEND:
        return bench_parse_load(optarg, p);
    case CPUS:
        return scheduling_parse_cpus(&p->scheduling, optarg);
    case PRIORITY:
        return scheduling_parse_priority(&p->scheduling, optarg);
    case JSON:
        return set_flag(&j->json);
    case CSV:
        return set_flag(&j->csv);
    case PLOT:
        return set_text(&j->plot);
    case FORCE:
        return set_flag(&j->force);
    case COMPARE:
        return set_text(&j->older);
    case SLOWDOWN:
        return option_double("--max-slowdown", optarg, 0, 1e6, &j->max_slowdown);
    case 'v':
        return set_flag(&j->verbose);
    case 'q':
        return set_flag(&j->quiet);
    case WORKER:
        return set_flag(&j->worker);
    default:
        return false;
    }
}

/* ---- the report ---- */

static int print_report(const job *j, const json_t *report)
{
    const json_t *comparison = bench_at(report, "comparison");
    if (j->json) {
        json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        putchar('\n');
    } else if (j->csv) {
        bench_print_csv(report, stdout);
    } else {
        bench_print_table(report, j->verbose, stdout);
    }
    if (comparison && !j->json)
        bench_print_comparison(comparison, j->csv ? stderr : stdout);
    if (!fflush(stdout) && !ferror(stdout))
        return EXIT_DONE;
    say_error("standard output cannot be written");
    return EXIT_FAILED;
}

/* The gate: after all that was asked for is written. */
static int judge(const job *j, const json_t *report)
{
    if (!bench_rows_done(report)) {
        say_error("no row could run");
        return EXIT_MODEL;
    }
    if (j->older && interrupted()) {
        say_error("interrupted: whether anything became slower is not known");
        return EXIT_FAILED;
    }
    if (j->older && !(bench_number(report, "comparison.matched") > 0)) {
        say_error("%s has none of these rows: nothing was compared", j->older);
        return EXIT_INPUT;
    }
    return bench_number(report, "comparison.regressions") > 0 ? EXIT_GATE : EXIT_DONE;
}

static int run(const job *j)
{
    json_t *older = NULL, *report = NULL;
    int status = EXIT_INPUT, plotted = EXIT_DONE;
    if (j->older && !(older = bench_load_report(j->older)))
        return status;
    status = EXIT_FAILED;
    if (!(report = bench_run(&j->plan, j->quiet)) ||
        (older && json_object_set_new(report, "comparison", bench_compare(older, report, j->max_slowdown / 100)))) {
        say_error("out of memory");
        goto out;
    }
    if (j->plot)
        plotted = bench_write_plot(report, j->plot, j->force);
    status = print_report(j, report);
    if (!status && !(status = plotted))
        status = judge(j, report);
out:
    json_decref(report);
    json_decref(older);
    return status;
}

int cmd_bench(int argc, char **argv)
{
    job j = {.max_slowdown = 10};
    int c, status;
    bench_plan_defaults(&j.plan);
    while ((c = option_next(argc, argv, ":m:vqh", longs)) != -1) {
        if (c == 'h')
            return print_help(help);
        if (!parse_option(&j, c))
            return EXIT_USAGE;
    }
    if (j.worker)
        return bench_worker();
    if (optind != argc)
        return say_usage("bench takes no argument, but got '%s'; pictures are told by --source", argv[optind]);
    if (j.json && j.csv)
        return say_usage("--json and --csv cannot both go to standard output");
    if (j.plot && (status = output_file_check(j.plot, j.force)))
        return status;
    if ((status = bench_plan_complete(&j.plan)))
        return status;
    interrupt_catch();
    return run(&j);
}
