/* place.h - where this code lies on the disk. What comes with lanert is found from there, so that an installed tree may
 * be moved. */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

#include <limits.h>
#include <stdbool.h>

/* The folder of the program or shared library that this code is linked into. */
bool place_own_folder(char folder[PATH_MAX]);
/* Whether path is the folder or something in it, by their names alone. */
bool place_is_under(const char *path, const char *folder);

#endif
