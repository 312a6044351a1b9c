#include "base/place.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

bool place_own_folder(char folder[PATH_MAX])
{
    static const char here = 0;
    Dl_info info;
    struct link_map *map;
    if (!dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP))
        return false;
    /* The loader knows the program itself by no name, or by argv[0]. */
    if (!realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", folder))
        return false;
    *strrchr(folder, '/') = 0;
    return true;
}

bool place_is_under(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}
