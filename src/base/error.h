/* error.h - filling in the caller's lanert_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <lanert/lanert.h>

/* Puts the code and the formatted sentence into err (which may be NULL; what does not fit is cut) and
 * returns the code, so that a caller writes `return error_set(err, LANERT_EIO, "…")`. */
int error_set(lanert_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of `errnum` (an errno value) behind the sentence. */
int error_errno(lanert_error *err, int code, int errnum, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Puts "prefix: " in front of a text that a lower room set. Returns err's code, or `code` if err is NULL. */
int error_within(lanert_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
