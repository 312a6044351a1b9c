#include "cli/outputs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool outputs_add_path(outputs *o, const char *path)
{
    if (o->count == OUTPUTS_MAX) {
        say_usage("more than %d outputs", OUTPUTS_MAX);
        return false;
    }
    o->list[o->count++] = (output){.path = path, .format = o->pending_format};
    o->pending_format = NULL;
    return true;
}

bool outputs_add_format(outputs *o, const char *format)
{
    static const char *const formats[] = {"video", "pictures", "culane", "tusimple", "llamas", "jsonl", NULL};
    int place;
    if (!option_name("--format", format, formats, &place))
        return false;
    if (o->count && !o->list[o->count - 1].format) {
        o->list[o->count - 1].format = format;
        return true;
    }
    if (o->pending_format) {
        say_usage("two --format for one output");
        return false;
    }
    o->pending_format = format;
    return true;
}

bool outputs_check(const outputs *o)
{
    int to_stdout = 0;
    for (int i = 0; i < o->count; i++)
        to_stdout += !strcmp(o->list[i].path, "-");
    if (o->pending_format) {
        say_usage("--format %s without an output: -o OUT is missing", o->pending_format);
        return false;
    }
    if (to_stdout > 1) {
        say_usage("two outputs cannot both go to standard output");
        return false;
    }
    for (int i = 0; i < o->count; i++)
        for (int j = 0; j < i; j++)
            if (!strcmp(o->list[i].path, o->list[j].path)) {
                say_usage("%s is named as an output twice", o->list[i].path);
                return false;
            }
    return true;
}

/* In a folder, lane files lie beside the pictures, as data sets have them; annotated pictures would replace them. */
static bool replaces(const output *o, const struct stat *in)
{
    struct stat out;
    if (stat(o->path, &out) || out.st_dev != in->st_dev || out.st_ino != in->st_ino)
        return false;
    return S_ISREG(out.st_mode) || (S_ISDIR(out.st_mode) && (!o->format || !strcmp(o->format, "pictures")));
}

bool outputs_spare(const outputs *o, const char *input)
{
    struct stat in;
    if (stat(input, &in))
        return true; /* no file: a stream, a pattern, or nothing at all, which opening it will tell */
    for (int i = 0; i < o->count; i++)
        if (replaces(&o->list[i], &in)) {
            say_usage("%s is an input too, and would be overwritten: name another output", o->list[i].path);
            return false;
        }
    return true;
}

bool outputs_use_stdout(const outputs *o)
{
    for (int i = 0; i < o->count; i++)
        if (!strcmp(o->list[i].path, "-"))
            return true;
    return false;
}

int output_file_check(const char *path, bool force)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";
    if (!strcmp(path, "-"))
        return say_usage("- is standard output, where this cannot go; expected the name of a file (./- is one)");
    if (!force && stat(path, &st) == 0) {
        say_error("%s: is there already; --force overwrites it", path);
        return EXIT_FAILED;
    }
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
        return EXIT_DONE;
    say_error("%s: its folder is not there; make it first", path);
    return EXIT_FAILED;
}

int outputs_check_files(const outputs *o, bool force)
{
    struct stat st;
    int status = EXIT_DONE;
    for (int i = 0; !status && i < o->count; i++)
        if (strcmp(o->list[i].path, "-") && stat(o->list[i].path, &st) == 0 && S_ISREG(st.st_mode))
            status = output_file_check(o->list[i].path, force);
    return status;
}

char *output_join(const char *folder, const char *name)
{
    char *path = NULL;
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] == '/' ? "" : "/";
    return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

int output_folder_make(const char *path)
{
    char part[4096];
    if (!*path)
        return say_usage("the name of a folder is empty");
    for (size_t n = 1; path[n - 1]; n++)
        if (path[n] == '/' || !path[n]) {
            snprintf(part, sizeof part, "%.*s", (int)n, path);
            if (mkdir(part, 0777) == 0 || errno == EEXIST)
                continue;
            say_error("%s: folder cannot be made: %s", part, strerror(errno));
            return EXIT_FAILED;
        }
    return EXIT_DONE;
}

int outputs_open(outputs *o, const lanert_sink_options *options, lanert_error *err)
{
    for (int i = 0; i < o->count; i++) {
        lanert_sink_options own = *options;
        own.format = o->list[i].format;
        if (!own.format && !strcmp(o->list[i].path, "-"))
            own.format = "jsonl";
        int rc = lanert_sink_open(o->list[i].path, &own, &o->list[i].sink, err);
        if (rc)
            return rc;
    }
    return 0;
}

int outputs_write(outputs *o, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    for (int i = 0; i < o->count; i++) {
        int rc = lanert_sink_write(o->list[i].sink, frame, result, err);
        if (rc)
            return rc;
    }
    return 0;
}

void outputs_say(const outputs *o)
{
    for (int i = 0; i < o->count; i++) {
        const char *encoder = lanert_sink_encoder(o->list[i].sink);
        say_note("writing %s%s%s", o->list[i].path, *encoder ? ", encoded by " : "", encoder);
    }
}

int outputs_finish(outputs *o, lanert_error *err)
{
    int first = 0;
    for (int i = 0; i < o->count; i++) {
        lanert_error own;
        int rc = o->list[i].sink ? lanert_sink_finish(o->list[i].sink, &own) : 0;
        if (rc && !first) {
            *err = own;
            first = rc;
        }
    }
    return first;
}

void outputs_close(outputs *o)
{
    for (int i = 0; i < o->count; i++)
        lanert_sink_close(&o->list[i].sink);
}
