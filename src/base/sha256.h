/* sha256.h - a SHA-256 as 64 lower-case hexadecimal digits. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/error.h"

int sha256_hex(const void *data, size_t size, char out[65], lanert_error *err);
/* Of what a file holds; fails as file_map_open does. */
int sha256_file(const char *path, char out[65], lanert_error *err);

#endif
