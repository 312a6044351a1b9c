#include "support/testing.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *turn(const char *in, const char *name)
{
    static char space[8][4096];
    static int next;
    char *out = space[next = (next + 1) % 8];
    snprintf(out, sizeof space[0], "%s/%s", in, name);
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

const char *temp_path(const char *in, const char *name)
{
    return turn(in, name);
}

const char *folder;

int make_folder(void **state)
{
    static char kept[4096];
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(kept, sizeof kept, "%s/lanert-test-XXXXXX", base && *base ? base : "/tmp");
    folder = mkdtemp(kept);
    return folder ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void put_file(const char *name, const void *bytes, size_t size)
{
    lanert_error err;
    const char *path = temp_path(folder, name);
    assert_ok(file_make_folders_above(path, &err));
    assert_ok(file_write(path, bytes, size, true, &err));
}

void put_text(const char *name, const char *text)
{
    put_file(name, text, strlen(text));
}
