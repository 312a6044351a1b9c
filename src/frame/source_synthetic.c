#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "frame/road.h"
#include "frame/source_kinds.h"

#define OPTIONS "seed=1, frames=250, rate=25, size=1280x720 and live=0"
#define MAX_FRAMES 1e12
#define MAX_RATE 1000.0
#define MIN_SIDE 64
/* How long a sleep goes before it looks whether it was interrupted. */
#define NAP_NS (100 * INT64_C(1000000))

typedef struct synthetic {
    uint64_t seed;
    int64_t frames, next, start_ns;
    double rate;
    int width, height;
    bool live;
    atomic_bool interrupted;
    road *road;
} synthetic;

/* A number that ends at `end`, in [low, high]; whole where `whole`. */
static bool parse_number(const char *text, char end, double low, double high, bool whole, double *out,
                         const char **rest)
{
    char *stop;
    if (!(*text >= '0' && *text <= '9') && *text != '.')
        return false;
    *out = strtod(text, &stop);
    *rest = stop;
    return *stop == end && *out >= low && *out <= high && (!whole || *out == floor(*out));
}

/* One "name=value", ended by its NUL. */
static int parse_option(synthetic *s, const char *option, lanert_error *err)
{
    const char *value = strchr(option, '='), *rest;
    size_t length = value ? (size_t)(value++ - option) : 0;
    double number = 0, height = 0;
    bool good;
#define IS(name) (length == strlen(name) && strncmp(option, name, length) == 0)
    if (IS("seed")) {
        good = parse_number(value, '\0', 0, 0x1p53, true, &number, &rest);
        s->seed = (uint64_t)number;
    } else if (IS("frames")) {
        good = parse_number(value, '\0', 1, MAX_FRAMES, true, &number, &rest);
        s->frames = (int64_t)number;
    } else if (IS("rate")) {
        good = parse_number(value, '\0', 0.1, MAX_RATE, false, &number, &rest);
        s->rate = number;
    } else if (IS("size")) {
        good = parse_number(value, 'x', MIN_SIDE, PICTURE_MAX_SIDE, true, &number, &rest) &&
               parse_number(rest + 1, '\0', MIN_SIDE, PICTURE_MAX_SIDE, true, &height, &rest) &&
               number * height <= (double)PICTURE_MAX_PIXELS;
        s->width = (int)number;
        s->height = (int)height;
    } else if (IS("live")) {
        good = parse_number(value, '\0', 0, 1, true, &number, &rest);
        s->live = number != 0;
    } else {
        return error_set(err, LANERT_EINVAL, "synthetic: has no option \"%s\"; it has " OPTIONS, option);
    }
#undef IS
    return good ? 0
                : error_set(err, LANERT_EINVAL, "synthetic: \"%s\" is out of range; the defaults are " OPTIONS, option);
}

static int parse(synthetic *s, const char *spec, lanert_error *err)
{
    char *copy = strdup(strchr(spec, ':') + 1), *place = NULL;
    int rc = copy ? 0 : error_set(err, LANERT_ENOMEM, "out of memory");
    for (char *option = copy; !rc && (option = strtok_r(option, ",", &place)); option = NULL)
        rc = parse_option(s, option, err);
    free(copy);
    return rc;
}

static void synthetic_close(void *self)
{
    synthetic *s = self;
    road_close(&s->road);
    free(s);
}

static int synthetic_open(const char *spec, void **self, lanert_source_info *info, lanert_error *err)
{
    synthetic *s;
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc)
        return rc;
    *s = (synthetic){.seed = 1, .frames = 250, .rate = 25, .width = 1280, .height = 720};
    if ((rc = parse(s, spec, err)) || (rc = road_open(s->seed, s->width, s->height, &s->road, err))) {
        synthetic_close(s);
        return rc;
    }
    info->width = s->width;
    info->height = s->height;
    info->rate = s->rate;
    info->frames = s->frames;
    info->live = s->live;
    *self = s;
    return 0;
}

static void sleep_until(synthetic *s, int64_t due_ns)
{
    int64_t left;
    while (!atomic_load(&s->interrupted) && (left = due_ns - clock_ns()) > 0) {
        struct timespec nap = {.tv_nsec = left < NAP_NS ? left : NAP_NS};
        nanosleep(&nap, NULL);
    }
}

static int synthetic_read(void *self, picture *p, lanert_error *err)
{
    synthetic *s = self;
    if (s->next == s->frames)
        return LANERT_END;
    double time_s = (double)s->next / s->rate;
    if (s->next == 0)
        s->start_ns = clock_ns();
    if (s->live)
        sleep_until(s, s->start_ns + (int64_t)(time_s * 1e9));
    if (atomic_load(&s->interrupted))
        return LANERT_END;
    int rc = road_draw(s->road, time_s, p, err);
    if (rc)
        return rc;
    p->index = s->next++;
    p->time_s = time_s;
    snprintf(p->name, sizeof p->name, "synthetic");
    return 0;
}

static void synthetic_interrupt(void *self)
{
    synthetic *s = self;
    atomic_store(&s->interrupted, true);
}

const source_ops source_synthetic = {"synthetic",         synthetic_open, synthetic_read,
                                     synthetic_interrupt, NULL,           synthetic_close};
