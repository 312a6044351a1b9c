#include "engine/engine_library.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>

#include "base/file.h"
#include "base/place.h"
#include "engine/sdk_text.h"

typedef struct search {
    const char *file;
    engine_library *lib;
    char failure[512]; /* of the loader, where a library was there but did not load */
} search;

/* The libraries stay mapped after dlclose: their threads and exit handlers may outlive the last engine. */
static bool load(search *s, const char *path)
{
    struct link_map *map;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return false;
    s->lib->handle = handle;
    snprintf(s->lib->path, sizeof s->lib->path, "%.511s", dlinfo(handle, RTLD_DI_LINKMAP, &map) ? path : map->l_name);
    return true;
}

/* Finds the highest version of the file in an open folder. */
static bool find_newest(DIR *folder, const char *file, char newest[NAME_MAX + 1])
{
    size_t stem = strlen(file);
    newest[0] = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (!strncmp(entry->d_name, file, stem) && (!entry->d_name[stem] || entry->d_name[stem] == '.') &&
            strverscmp(entry->d_name, newest) > 0)
            snprintf(newest, NAME_MAX + 1, "%s", entry->d_name);
    return newest[0];
}

/* Loads from the folder whose name the format gives. */
__attribute__((format(printf, 2, 3))) static bool load_from(search *s, const char *format, ...)
{
    char folder[PATH_MAX], name[NAME_MAX + 1], path[PATH_MAX + NAME_MAX + 2];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(folder, sizeof folder, format, args);
    va_end(args);
    DIR *dir = length < 0 || (size_t)length >= sizeof folder ? NULL : opendir(folder);
    bool found = dir && find_newest(dir, s->file, name);
    if (dir)
        closedir(dir);
    if (!found)
        return false;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (load(s, path))
        return true;
    if (!s->failure[0])
        snprintf(s->failure, sizeof s->failure, "%s", dlerror());
    return false;
}

int engine_library_open(const char *engine, const char *file, const char *soname, const char *advice,
                        engine_library *lib, lanert_error *err)
{
    search s = {.file = file, .lib = lib};
    char own[PATH_MAX];
    const char *set = secure_getenv("LANERT_ENGINES");
    *lib = (engine_library){0};
    if (set && *set) {
        int length = (int)path_folder_length(set);
        if (load_from(&s, "%.*s/%s/lib", length, set, engine) || load_from(&s, "%.*s/%s", length, set, engine) ||
            load_from(&s, "%.*s", length, set))
            return 0;
    }
    if (place_own_folder(own)) {
        if (load_from(&s, "%s/lanert/%s", own, engine) || load_from(&s, "%s/../lib/lanert/%s", own, engine))
            return 0;
        if (place_is_under(own, LANERT_BUILD_DIR) && (load_from(&s, "%s/engines/%s", LANERT_BUILD_DIR, engine) ||
                                                      load_from(&s, "%s/%s/lib", LANERT_DEPS_DIR, engine)))
            return 0;
    }
    /* In this order: CUDA's toolkit has a stub that is named libcuda.so. */
    if (load(&s, soname) || load(&s, file))
        return 0;
    if (s.failure[0])
        return error_set(err, LANERT_EENGINE, "the library does not load: %s", s.failure);
    return error_set(err, LANERT_ENOTFOUND, "%s is not installed: %s", file, advice);
}

void engine_library_close(engine_library *lib)
{
    if (lib->handle)
        dlclose(lib->handle);
    *lib = (engine_library){0};
}

int engine_library_function(const engine_library *lib, const char *name, void *function, lanert_error *err)
{
    void *address = dlsym(lib->handle, name);
    if (!address)
        return error_set(err, LANERT_EENGINE,
                         "%s has no function %s: it is not the library it is named after, or of "
                         "another release",
                         lib->path, name);
    memcpy(function, &address, sizeof address);
    return 0;
}

int engine_library_error(lanert_error *err, int code, const char *what, const char *text)
{
    char line[2048]; /* much of it goes */
    sdk_text_clean(text, line, sizeof line);
    return error_set(err, code, "%s: %s", what, line);
}
