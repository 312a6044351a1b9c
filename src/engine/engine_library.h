/* engine_library.h - finding and loading the libraries of inference SDKs.
 *
 * They are looked for in these places; the first library that loads is taken:
 *   1. the folder that the environment variable LANERT_ENGINES names: <it>/<engine>/lib, <it>/<engine>, <it>
 *   2. beside what this code is linked into (the program, or the shared library):
 *      <its folder>/lanert/<engine>, <its folder>/../lib/lanert/<engine>
 *   3. for programs run in their build tree only: <build>/engines/<engine>, what was built with them, and
 *      <source>/.deps/<engine>/lib, where scripts/deps.sh puts it
 *   4. the system's loader path
 * In a folder, the library with the highest version in its name. */
#ifndef ENGINE_ENGINE_LIBRARY_H
#define ENGINE_ENGINE_LIBRARY_H

#include "base/error.h"

typedef struct engine_library {
    void *handle;
    char path[512];
} engine_library;

/* What to do where ONNX Runtime or OpenVINO is not there. */
#define ENGINE_LIBRARY_ADVICE "run scripts/deps.sh before building, or set LANERT_ENGINES to the folder that holds it"

/* Opens `file` ("libonnxruntime.so", whatever version follows) of that engine; in the loader path
 * `soname` is tried first. LANERT_ENOTFOUND with the advice; LANERT_EENGINE where it is there but does not load. */
int engine_library_open(const char *engine, const char *file, const char *soname, const char *advice,
                        engine_library *lib, lanert_error *err);
void engine_library_close(engine_library *lib); /* takes a zeroed one too */

/* Puts the address of a function into *function (a pointer to a function pointer); LANERT_EENGINE where
 * the library has none of that name. */
int engine_library_function(const engine_library *lib, const char *name, void *function, lanert_error *err);

/* Puts the code and "what: text" into err, the SDK's text made one line (sdk_text.h). Returns the code. */
int engine_library_error(lanert_error *err, int code, const char *what, const char *text);

#endif
