#include "support/testing.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *turn(const char *folder, const char *name)
{
    static char space[8][4096];
    static int next;
    char *out = space[next = (next + 1) % 8];
    snprintf(out, sizeof space[0], "%s/%s", folder, name);
    return out;
}

const char *shared_path(const char *shared_dir, const char *name)
{
    const char *set = getenv("LANERT_SHARED");
    return turn(set && *set ? set : shared_dir, name);
}

bool shared_is_there(const char *shared_dir, const char *name)
{
    const char *path = shared_path(shared_dir, name);
    if (file_exists(path))
        return true;
    fprintf(stderr, "skipped: %s is not there\n", path);
    return false;
}

const char *temp_path(const char *folder, const char *name)
{
    return turn(folder, name);
}

const char *temp_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = (char *)turn(base && *base ? base : "/tmp", "lanert-test-XXXXXX");
    static char kept[4096];
    if (!mkdtemp(path))
        fail_msg("%s: no temporary folder", path);
    snprintf(kept, sizeof kept, "%s", path);
    return kept;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

void temp_folder_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
