/* json.h - values of JSON (RFC 8259), on standard output. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdio.h>

/* A string; bytes that are not UTF-8 become U+FFFD. */
void json_text(const char *text);
/* A number; null where it is none (NaN, infinite). */
void json_number(double value);

#endif
