#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

static const char *command = "";

void say_command(const char *name)
{
    command = name;
}

static void say(const char *format, va_list args)
{
    fprintf(stderr, "lanert%s%s: ", *command ? " " : "", command);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void say_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

int say_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    fprintf(stderr, "Try 'lanert%s%s --help'.\n", *command ? " " : "", command);
    return EXIT_USAGE;
}

int print_help(const char *text)
{
    if (fputs(text, stdout) < 0 || fflush(stdout)) {
        say_error("standard output cannot be written");
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}
