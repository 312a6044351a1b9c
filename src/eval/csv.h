/* csv.h - a field of a table in text (RFC 4180). */
#ifndef EVAL_CSV_H
#define EVAL_CSV_H

#include <stdio.h>

/* In quotes where it needs them. */
void csv_text(FILE *out, const char *text);

#endif
