#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bench.h"

/* The synthetic road in the size of most cameras. */
#define DEFAULT_SOURCE "synthetic:size=1280x720"

int bench_processors(void)
{
    cpu_set_t set;
    long count = sched_getaffinity(0, sizeof set, &set) ? sysconf(_SC_NPROCESSORS_ONLN) : CPU_COUNT(&set);
    return count < 1 ? 1 : (int)count;
}

void bench_plan_defaults(bench_plan *plan)
{
    *plan = (bench_plan){
        .devices = {.names = {NULL}, .count = 1}, /* the engine's own */
        .precisions = {.numbers = {LANERT_PRECISION_AUTO}, .count = 1},
        .threads = {.numbers = {0}, .count = 1},
        .batches = {.numbers = {1}, .count = 1},
        .source = DEFAULT_SOURCE,
        .rounds = 5,
        .warmup = 10,
        .deadline_ms = LANERT_AUTO_DEADLINE,
    };
}

bool bench_parse_names(const char *option, char *text, bench_choices *choices)
{
    char *rest = NULL;
    for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (choices->count == BENCH_MAX_CHOICES) {
            say_usage("%s: more than %d values", option, BENCH_MAX_CHOICES);
            return false;
        }
        choices->names[choices->count++] = word;
    }
    if (!choices->count)
        say_usage("%s is empty", option);
    return choices->count;
}

bool bench_parse_numbers(const char *option, char *text, int low, int high, bench_choices *choices)
{
    *choices = (bench_choices){0};
    if (!bench_parse_names(option, text, choices))
        return false;
    for (int i = 0; i < choices->count; i++)
        if (!option_int(option, choices->names[i], low, high, &choices->numbers[i]))
            return false;
    return true;
}

bool bench_parse_precisions(char *text, bench_choices *choices)
{
    *choices = (bench_choices){0};
    if (!bench_parse_names("--precision", text, choices))
        return false;
    for (int i = 0; i < choices->count; i++) {
        lanert_precision precision;
        if (!option_precision(choices->names[i], &precision))
            return false;
        choices->numbers[i] = precision;
    }
    return true;
}

bool bench_parse_load(char *text, bench_plan *plan)
{
    static const char *const kinds[] = {"cpu", "memory", "both", NULL};
    char *colon = strchr(text, ':');
    int place;
    plan->load_threads = bench_processors();
    if (colon && !option_int("--contend's N", colon + 1, 1, 1024, &plan->load_threads))
        return false;
    if (colon)
        *colon = '\0';
    if (!option_name("--contend", text, kinds, &place))
        return false;
    plan->load = (bench_load_kind)(BENCH_LOAD_CPU + place);
    return true;
}

/* "all", and nothing at all: the engines that are usable here. */
static int complete_engines(bench_choices *engines)
{
    lanert_engine_info info;
    lanert_error err;
    int rc = 0;
    bool all = engines->count == 0;
    for (int i = 0; i < engines->count; i++)
        all |= !strcmp(engines->names[i], "all");
    if (!all)
        return EXIT_DONE;
    engines->count = 0;
    for (int i = 0; engines->count < BENCH_MAX_CHOICES && (rc = lanert_engine_probe(i, &info, &err)) == 0; i++)
        if (info.usable)
            engines->names[engines->count++] = info.name;
    if (rc && rc != LANERT_END) {
        say_error("%s", err.text);
        return EXIT_FAILED;
    }
    if (!engines->count)
        say_error("no inference engine is usable; 'lanert doctor' says what is missing");
    return engines->count ? EXIT_DONE : EXIT_MODEL;
}

/* A source that is read again and again, from its start. */
static int check_source(const char *spec)
{
    lanert_source *source = NULL;
    lanert_frame frame;
    lanert_error err;
    struct stat st;
    int rc, status = EXIT_DONE;
    if (!strcmp(spec, "-") || (stat(spec, &st) == 0 && S_ISFIFO(st.st_mode)))
        return say_usage("--source %s is a pipe, and cannot be read twice: save what it brings to a file first", spec);
    if (lanert_source_open(spec, &source, &err)) {
        say_error("%s", err.text);
        return EXIT_INPUT;
    }
    if (lanert_source_describe(source)->live) {
        status = say_usage("--source %s is live and gives no frame twice: record it to a file first, and use --rate to "
                           "measure at a camera's pace",
                           spec);
    } else if ((rc = lanert_source_read(source, &frame, &err))) {
        say_error("%s", rc == LANERT_END ? "the source holds no frame" : err.text);
        status = EXIT_INPUT;
    }
    lanert_source_close(&source);
    return status;
}

/* Reports are JSON, and so is what the workers are told. */
static bool is_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

int bench_plan_rows(const bench_plan *plan)
{
    return plan->models.count * plan->engines.count * plan->devices.count * plan->precisions.count *
           plan->threads.count * plan->batches.count;
}

static int take_bundled(bench_plan *plan)
{
    lanert_error err;
    if (lanert_model_bundled(plan->bundled, sizeof plan->bundled, &err)) {
        say_error("%s", err.text);
        return EXIT_MODEL;
    }
    plan->models.names[plan->models.count++] = plan->bundled;
    return EXIT_DONE;
}

int bench_plan_complete(bench_plan *plan)
{
    int status;
    if (!plan->models.count && (status = take_bundled(plan)))
        return status;
    for (int i = 0; i < plan->models.count; i++)
        if (!is_utf8(plan->models.names[i]) || !is_utf8(plan->source))
            return say_usage("the names of models and source must be UTF-8: rename them, or make links to them");
    if (plan->deadline_ms != LANERT_AUTO_DEADLINE && !(plan->rate > 0) && !plan->load)
        return say_usage("--deadline is for frames at a pace or beside a load: --rate or --contend is missing");
    if (!plan->frames && !(plan->duration_s > 0))
        plan->duration_s = 10;
    for (int i = 0; i < plan->threads.count; i++)
        if (!plan->threads.numbers[i])
            plan->threads.numbers[i] = plan->scheduling.cpus ? scheduling_cpu_count(&plan->scheduling)
                                                             : bench_processors();
    if ((status = check_source(plan->source)) || (status = complete_engines(&plan->engines)))
        return status;
    if (bench_plan_rows(plan) > BENCH_MAX_ROWS)
        return say_usage("%d rows; at most %d are measured in one run", bench_plan_rows(plan), BENCH_MAX_ROWS);
    return EXIT_DONE;
}
