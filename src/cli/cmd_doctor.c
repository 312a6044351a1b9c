#include <stdio.h>

#include "cli/cli.h"
#include "cli/cpu.h"
#include "cli/json.h"

static const char help[] =
    "usage: lanert doctor [--json]\n"
    "\n"
    "Says what this machine has: the inference engines that were found, with versions and places, what is missing and\n"
    "how to get it, what the processor can do, NVIDIA's GPUs, and where the bundled model lies.\n"
    "\n"
    "      --json     as JSON\n"
    "  -h, --help     this text\n"
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

static void print_model(bool json)
{
    lanert_error err;
    char path[4096];
    bool there = lanert_model_bundled(path, sizeof path, &err) == 0;
    if (!json)
        printf("%-12s %s\n", "model", there ? path : err.text);
    else
        print_json_pair("model", there ? path : "", "}\n");
}

int cmd_doctor(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    lanert_engine_info info;
    lanert_error err;
    cpu c;
    bool json = false;
    int option, usable = 0, rc;
    while ((option = option_next(argc, argv, ":h", longs)) != -1) {
        if (option == 'h')
            return print_help(help);
        if (option != 'j')
            return EXIT_USAGE;
        json = true;
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
    print_model(json);
    if (print_help(""))
        return EXIT_FAILED;
    if (!usable)
        say_error("no inference engine is usable: scripts/build.sh installs them");
    return usable ? EXIT_DONE : EXIT_MODEL;
}
