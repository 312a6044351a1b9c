#include <stdio.h>

#include "cli/cli.h"
#include "cli/cpu.h"
#include "cli/json.h"

static const char help[] =
    "usage: lanert doctor [OPTION]...\n"
    "\n"
    "Says what this machine has: the inference engines that were found, with versions and places, what is missing and\n"
    "how to get it, what the processor can do, NVIDIA's GPUs, where the bundled model lies, and which engine and "
    "precision\n"
    "'auto' chooses for it.\n"
    "\n"
    "  -m, --model MODEL.onnx     another model than the bundled one\n"
    "      --json                 as JSON\n"
    "  -h, --help                 this text\n"
    "\n"
    "exit status: 0 at least one engine is usable, 3 none is\n";

static void print_json_pair(const char *name, const char *text, const char *end)
{
    printf("\"%s\": ", name);
    json_text(text);
    fputs(end, stdout);
}

static void print_cpu(const cpu *c, bool json)
{
    if (json) {
        print_json_pair("lanert", lanert_version(), ", \"cpu\": {");
        print_json_pair("model", c->model, ", ");
        printf("\"threads\": %ld, \"memory_gb\": %.1f, \"features\": [", c->threads, c->memory_gb);
    } else {
        printf("lanert %s\n\nprocessor    %s, %ld threads, %.1f GB of memory\n             ", lanert_version(),
               *c->model ? c->model : "unknown", c->threads, c->memory_gb);
    }
    const char *separator = "";
    for (int i = 0; cpu_features[i]; i++) {
        if (!cpu_has(c, cpu_features[i]))
            continue;
        printf(json ? "%s\"%s\"" : "%s%s", separator, cpu_features[i]);
        separator = json ? ", " : " ";
    }
    fputs(json ? "]}, \"engines\": [" : "\n\n", stdout);
}

static void print_engine(const lanert_engine_info *e, bool first, bool json)
{
    if (!json) {
        printf("%-12s %s %s", e->name, e->usable ? "usable," : "not usable,", *e->version ? e->version : "not found");
        printf(e->usable ? "; on %s\n" : "\n", e->devices);
        if (*e->path)
            printf("             %s\n", e->path);
        if (*e->note)
            printf("             %s\n", e->note);
        return;
    }
    fputs(first ? "{" : ", {", stdout);
    print_json_pair("name", e->name, ", ");
    printf("\"usable\": %s, ", e->usable ? "true" : "false");
    print_json_pair("version", e->version, ", ");
    print_json_pair("path", e->path, ", ");
    print_json_pair("devices", e->devices, ", ");
    print_json_pair("note", e->note, "}");
}

static void print_gpu(const lanert_device_info *d, bool first, bool json)
{
    if (!json) {
        if (d->usable)
            printf("%-12s %s, %.1f GB of memory, compute capability %s; driver for CUDA %s\n", d->name, d->model,
                   d->memory_gb, d->capability, d->driver);
        else
            printf("%-12s not usable\n             %s\n", d->name, d->note);
        return;
    }
    fputs(first ? "{" : ", {", stdout);
    print_json_pair("name", d->name, ", ");
    printf("\"usable\": %s, ", d->usable ? "true" : "false");
    print_json_pair("model", d->model, ", ");
    print_json_pair("capability", d->capability, ", ");
    print_json_pair("driver", d->driver, ", ");
    printf("\"memory_gb\": %.1f, ", d->memory_gb);
    print_json_pair("note", d->note, "}");
}

/* NVIDIA's GPUs, or why there is none. */
static int print_gpus(bool json, lanert_error *err)
{
    lanert_device_info info;
    int rc;
    for (int i = 0; (rc = lanert_device_probe(i, &info, err)) == 0; i++)
        print_gpu(&info, i == 0, json);
    return rc;
}

/* What auto chooses for the model is found out by opening it. `path` NULL: the bundled one. */
static void print_model(const char *path, bool json)
{
    char bundled[4096];
    const char *why = "", *engine = "", *precision = "";
    lanert_error err = {0};
    lanert_model *model = NULL;
    lanert_detector *det = NULL;
    if (path || !lanert_model_bundled(bundled, sizeof bundled, &err))
        path = path ? path : bundled;
    if (path && !lanert_model_open(path, NULL, &model, &err) && !lanert_detector_open(model, NULL, &det, &err)) {
        engine = lanert_detector_engine(det);
        precision = lanert_detector_precision(det, &why);
    } else {
        why = err.text;
    }
    if (json) {
        print_json_pair("model", path ? path : "", ", \"auto\": {");
        print_json_pair("engine", engine, ", ");
        print_json_pair("precision", precision, ", ");
        print_json_pair("why", why, "}}\n");
    } else {
        printf("%-12s %s\n", "model", path ? path : why);
        if (det)
            printf("             auto: %s, %s%s%s\n", engine, precision, *why ? ": " : "", why);
        else if (path)
            printf("             not usable: %s\n", why);
    }
    lanert_detector_close(&det);
    lanert_model_close(&model);
}

int cmd_doctor(int argc, char **argv)
{
    static const struct option longs[] = {{"model", required_argument, NULL, 'm'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *model = NULL;
    lanert_engine_info info;
    lanert_error err;
    cpu c;
    bool json = false;
    int option, usable = 0, rc;
    while ((option = option_next(argc, argv, ":m:h", longs)) != -1) {
        if (option == 'h')
            return print_help(help);
        if (option == 'm')
            model = optarg;
        else if (option == 'j')
            json = true;
        else
            return EXIT_USAGE;
    }
    if (optind != argc)
        return say_usage("doctor takes no argument, but got '%s'", argv[optind]);
    if (json)
        putchar('{');
    cpu_look(&c);
    print_cpu(&c, json);
    for (int i = 0; (rc = lanert_engine_probe(i, &info, &err)) == 0; i++) {
        print_engine(&info, i == 0, json);
        usable += info.usable;
    }
    if (rc == LANERT_END) {
        fputs(json ? "], \"gpus\": [" : "\n", stdout);
        rc = print_gpus(json, &err);
    }
    if (rc != LANERT_END) {
        say_error("%s", err.text);
        return EXIT_FAILED;
    }
    if (json)
        fputs("], ", stdout);
    print_model(model, json);
    if (print_help(""))
        return EXIT_FAILED;
    if (!usable)
        say_error("no inference engine is usable: scripts/build.sh installs them");
    return usable ? EXIT_DONE : EXIT_MODEL;
}
