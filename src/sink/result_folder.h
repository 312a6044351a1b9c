/* result_folder.h - a folder with a result for each picture, and where in it a picture's result lies. */
#ifndef SINK_RESULT_FOLDER_H
#define SINK_RESULT_FOLDER_H

#include "base/buffer.h"

/* Makes the folder. LANERT_EEXIST where it is there already and holds anything, unless `force`. */
int result_folder_open(const char *folder, bool force, lanert_error *err);

/* Adds the result's path to `out`:
 *     of a picture    <folder>/<its name without extension><extension>, with the name's own folders;
 *     of a video      <folder>/<its file's name without extension>/<index, 5 digits><extension>;
 *     without a name  <folder>/<index, 5 digits><extension>.
 * A name is not trusted: a leading "/", "." and ".." never lead out of the folder. `source` may be NULL: pictures. */
int result_folder_path(const char *folder, const lanert_frame *frame, const lanert_source_info *source,
                       const char *extension, buffer *out, lanert_error *err);

#endif
