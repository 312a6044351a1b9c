#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Of a line: a path is at most 4096 bytes long, an error's text 1024. */
#define LONGEST 8192

static const char *command = "";

void say_command(const char *name)
{
    command = name;
}

/* Names may hold anything: what would move the cursor, or end the line, is shown as \x1b. In one piece, so that lines
 * of several programs do not mix. */
static void print_line(const char *prefix, const char *format, va_list args)
{
    char text[LONGEST], line[LONGEST * 4 + 2], *out = line;
    int used = snprintf(text, sizeof text, "%s", prefix);
    vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        out += sprintf(out, *s < ' ' || *s == 0x7f ? "\\x%02x" : "%c", *s);
    strcpy(out, "\n");
    fputs(line, stderr);
}

static void say(const char *format, va_list args)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "lanert%s%s: ", *command ? " " : "", command);
    print_line(prefix, format, args);
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

void say_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line("", format, args);
    va_end(args);
}

const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

int print_help(const char *text)
{
    if (fputs(text, stdout) < 0 || fflush(stdout)) {
        say_error("standard output cannot be written");
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}
