/* replay.c - runs a fuzz target over every file of its corpus, where libFuzzer is not there. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
    char path[4096];
    file_map map;
    lanert_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_map_open(path, 0, &map, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    /* A copy of exactly the input's size, so that AddressSanitizer sees a read past its end. */
    uint8_t *copy = malloc(map.size ? map.size : 1);
    if (copy) {
        memcpy(copy, map.size ? (const void *)map.data : "", map.size);
        LLVMFuzzerTestOneInput(copy, map.size);
    }
    free(copy);
    file_map_close(&map);
    return copy ? 0 : 1;
}

int main(int argc, char **argv)
{
    int count = 0, status = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    if (!folder) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        status |= replay(argv[1], entry->d_name);
        count++;
    }
    closedir(folder);
    printf("%d inputs\n", count);
    return count ? status : 1;
}
