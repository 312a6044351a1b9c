/* cache.h - our own folder of files that were made once and may be made again: $XDG_CACHE_HOME/lanert, or
 * ~/.cache/lanert.
 *
 * Some of them are code in all but name, so that nobody else may have put them there: the folders are made for their
 * owner alone, and refused where others may enter them. */
#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include "base/error.h"

#define CACHE_PATH 4096

/* Puts the path of the part of that name into `path`, and makes the folder. LANERT_EIO where there is no home, or it is
 * not to be trusted. */
int cache_folder(const char *part, char path[CACHE_PATH], lanert_error *err);

#endif
