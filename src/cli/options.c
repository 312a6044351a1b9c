#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

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
