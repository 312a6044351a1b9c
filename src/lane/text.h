/* text.h - numbers and strings as the lane files and JSON hold them, whatever the program's locale. */
#ifndef LANE_TEXT_H
#define LANE_TEXT_H

#include "base/buffer.h"

/* What printf's "%.*f" gives in the C locale, 1 to 6 decimals; from 1e9 on without its fraction (".0").
 * "null", as JSON has it, for NaN and infinity. */
int text_fixed(buffer *out, double v, int decimals, lanert_error *err);
/* The same without the zeros at the end, but for the first decimal: 12.5, 300.0. */
int text_number(buffer *out, double v, int decimals, lanert_error *err);
/* A JSON string in quotes, in ASCII as Python's json.dumps writes it. Bytes that are not UTF-8 (a file's name
 * may hold any) become U+FFFD. */
int text_string(buffer *out, const char *bytes, lanert_error *err);

#endif
