#include <stdlib.h>

#include "cli/cli.h"

static const char help[] =
    "usage: lanert inspect FILE...\n"
    "\n"
    "Says, as JSON, what each file is: a checkpoint, a model that 'lanert convert' wrote, or another ONNX model.\n"
    "\n"
    "  -h, --help     this text\n"
    "\n"
    "exit status: 0 done, 2 wrong usage, 3 a file is none of these, 4 a file could not be read\n";

static int inspect_one(const char *path)
{
    char *json = NULL;
    lanert_error err;
    int rc = lanert_inspect(path, &json, &err);
    if (rc) {
        say_error("%s", err.text);
        return rc == LANERT_ENOTFOUND || rc == LANERT_EIO ? EXIT_INPUT : EXIT_MODEL;
    }
    bool broken = puts(json) < 0 || fflush(stdout);
    free(json);
    if (broken)
        say_error("standard output cannot be written");
    return broken ? EXIT_FAILED : EXIT_DONE;
}

int cmd_inspect(int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'}, {0}};
    int c, status = EXIT_DONE;
    while ((c = option_next(argc, argv, ":h", longs)) != -1) {
        if (c == 'h')
            return print_help(help);
        if (c != 'j')
            return EXIT_USAGE;
    }
    if (optind == argc)
        return say_usage("no file was named");
    for (int i = optind; i < argc; i++) {
        int one = inspect_one(argv[i]);
        status = one ? one : status;
    }
    return status;
}
