#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* The last element that getopt took: of a long option, "--name" or "--name=value". */
static const char *last_long(char **argv)
{
    const char *element = argv[optind - 1];
    return strncmp(element, "--", 2) ? NULL : element;
}

static bool takes_no_value(const struct option *longs, int value)
{
    for (; longs->name; longs++)
        if (longs->val == value && longs->has_arg == no_argument)
            return true;
    return false;
}

/* A long option that is none, or the beginning of several. */
static void say_unknown(const char *element, const struct option *longs)
{
    char begun[256] = "";
    int length = (int)strcspn(element, "=");
    for (; longs->name; longs++)
        if (!strncmp(longs->name, element + 2, (size_t)length - 2)) {
            size_t used = strlen(begun);
            snprintf(begun + used, sizeof begun - used, "%s--%s", used ? ", " : "", longs->name);
        }
    if (*begun)
        say_usage("option '%.*s' is ambiguous: %s", length, element, begun);
    else
        say_usage("unknown option '%.*s'", length, element);
}

int option_next(int argc, char **argv, const char *shorts, const struct option *longs)
{
    opterr = 0;
    int c = getopt_long(argc, argv, shorts, longs, NULL);
    const char *element = c == '?' || c == ':' ? last_long(argv) : NULL;
    int length = element ? (int)strcspn(element, "=") : 0;
    if (c == ':' && element)
        say_usage("option '%s' needs a value", element);
    else if (c == ':')
        say_usage("option '-%c' needs a value", optopt);
    else if (c == '?' && !optopt)
        say_unknown(element, longs);
    else if (c == '?' && element && element[length] && takes_no_value(longs, optopt))
        say_usage("option '%.*s' takes no value", length, element);
    else if (c == '?')
        say_usage("unknown option '-%c'", optopt);
    return c == ':' ? '?' : c;
}

bool option_int(const char *option, const char *text, int low, int high, int *value)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < low || n > high) {
        say_usage("%s is '%s'; expected a whole number from %d to %d", option, text, low, high);
        return false;
    }
    *value = (int)n;
    return true;
}

bool option_double(const char *option, const char *text, double low, double high, double *value)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end || !(n >= low && n <= high)) {
        say_usage("%s is '%s'; expected a number from %g to %g", option, text, low, high);
        return false;
    }
    *value = n;
    return true;
}

bool option_name(const char *option, const char *text, const char *const *names, int *value)
{
    char known[256] = "";
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], text)) {
            *value = i;
            return true;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    say_usage("%s is '%s'; expected one of: %s", option, text, known);
    return false;
}

bool option_precision(const char *text, lanert_precision *value)
{
    int n = lanert_precision_parse(text);
    if (n < 0) {
        say_usage("--precision is '%s'; expected one of: auto, fp32, fp16, bf16", text);
        return false;
    }
    *value = (lanert_precision)n;
    return true;
}

bool option_deadline(const char *text, double *value)
{
    *value = strcmp(text, "auto") ? 0 : LANERT_AUTO_DEADLINE;
    return *value < 0 || !strcmp(text, "off") || option_double("--deadline", text, 0, 1e6, value);
}
