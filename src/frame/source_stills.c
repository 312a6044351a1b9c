#include "frame/source_kinds.h"
#include "frame/still.h"
#include "frame/still_list.h"

typedef struct stills {
    still_list list;
    still_reader reader;
    buffer path;
    size_t next;
} stills;

static void stills_close(void *self)
{
    stills *s = self;
    still_list_close(&s->list);
    still_reader_free(&s->reader);
    buffer_free(&s->path);
    free(s);
}

/* Takes the list over. */
static int stills_begin(still_list *list, void **self, lanert_source_info *info, lanert_error *err)
{
    stills *s;
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc) {
        still_list_close(list);
        return rc;
    }
    s->list = *list;
    info->frames = (int64_t)s->list.count;
    info->pictures = true;
    *self = s;
    return 0;
}

static int stills_open(const char *spec, void **self, lanert_source_info *info, lanert_error *err)
{
    still_list list;
    int rc = still_list_open(spec, &list, err);
    return rc ? rc : stills_begin(&list, self, info, err);
}

int source_stills_open_paths(const char *const *paths, size_t count, void **self, lanert_source_info *info,
                             lanert_error *err)
{
    still_list list;
    int rc = still_list_take(paths, count, &list, err);
    return rc ? rc : stills_begin(&list, self, info, err);
}

static int stills_read(void *self, picture *p, lanert_error *err)
{
    stills *s = self;
    if (s->next == s->list.count)
        return LANERT_END;
    size_t i = s->next++;
    p->index = (int64_t)i;
    p->time_s = 0;
    int rc = still_list_find(&s->list, i, &s->path, p->name, sizeof p->name, err);
    if (rc)
        return rc;
    snprintf(p->path, sizeof p->path, "%s", s->path.data);
    return still_read(&s->reader, s->path.data, p, err);
}

const source_ops source_stills = {"stills", stills_open, stills_read, NULL, NULL, stills_close};
