#include "base/error.h"

#include <stdarg.h>
#include <string.h>

int error_set(lanert_error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

/* strerror_r comes in two kinds; this is GNU's, which may return a constant string instead. */
static const char *errno_text(int errnum, char *space, size_t size)
{
    return strerror_r(errnum, space, size);
}

int error_errno(lanert_error *err, int code, int errnum, const char *format, ...)
{
    if (err) {
        char space[128];
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", errno_text(errnum, space, sizeof space));
    }
    return code;
}

int error_within(lanert_error *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", inner);
    return err->code;
}

const char *lanert_error_name(int code)
{
    static const char *const names[] = {"OK",        "EINVAL",  "ENOMEM", "EIO",    "EFORMAT", "EUNSUPPORTED",
                                        "ENOTFOUND", "EENGINE", "ELIMIT", "EEXIST", "END"};
    size_t i = (size_t) - (long)code;
    return code <= 0 && i < sizeof names / sizeof *names ? names[i] : "unknown";
}
