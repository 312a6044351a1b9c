/* open_source.c - a source opened so that the wait for it can be ended, whatever it waits for: a pipe that nobody
 * writes to, a host that does not answer, the look-up of its name. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"

#define POLL_MS 50

typedef struct opening {
    const char *spec;
    lanert_source *source;
    lanert_error err;
    int rc;
} opening;

static void *open_it(void *context)
{
    opening *o = context;
    o->rc = lanert_source_open(o->spec, &o->source, &o->err);
    return NULL;
}

/* False where that was given up. */
static bool wait_for(pthread_t thread, lanert_should_stop *should_stop, void *context)
{
    struct timespec until;
    do {
        if (should_stop(context))
            return false;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += POLL_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
    } while (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
    return true;
}

int open_source(const char *spec, lanert_should_stop *should_stop, void *context, lanert_source **source,
                lanert_error *err)
{
    pthread_t thread;
    opening *o = calloc(1, sizeof *o);
    *source = NULL;
    if (!o)
        return lanert_source_open(spec, source, err);
    o->spec = spec;
    if (pthread_create(&thread, NULL, open_it, o)) {
        free(o);
        return lanert_source_open(spec, source, err);
    }
    if (!wait_for(thread, should_stop, context)) {
        pthread_detach(thread); /* it keeps o, for what is left of the program */
        return LANERT_END;
    }
    int rc = o->rc;
    *source = o->source;
    *err = o->err;
    free(o);
    return rc;
}
