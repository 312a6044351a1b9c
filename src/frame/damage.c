#include "frame/damage.h"

/* Durations that are stated are rounded, and of the longest stream. */
#define SLACK_S 0.5

static bool is_before(int64_t a, int64_t b)
{
    return a != DAMAGE_NO_TIME && b != DAMAGE_NO_TIME && a < b;
}

static void spoil(damage *d, int64_t since, int64_t past)
{
    if (!d->spoilt || since == DAMAGE_NO_TIME || is_before(since, d->since))
        d->since = since;
    if (!d->spoilt || !is_before(past, d->past))
        d->past = past;
    d->spoilt = true;
}

static void note(damage *d, double at_s)
{
    if (!d->sum.frames && !d->sum.packets)
        d->sum.first_s = at_s;
}

void damage_on_packet(damage *d, int64_t time, bool key, bool torn)
{
    d->begun |= key;
    d->last_fed = time;
    if (torn && d->begun)
        spoil(d, time, time);
}

void damage_on_loss(damage *d)
{
    if (!d->begun)
        return;
    note(d, d->last_s);
    d->sum.packets++;
    spoil(d, DAMAGE_NO_TIME, d->last_fed);
}

bool damage_on_frame(damage *d, int64_t time, double at_s, bool key, bool sound)
{
    d->last_s = at_s;
    if (!sound)
        spoil(d, time, time);
    else if (key && (time == DAMAGE_NO_TIME || d->past == DAMAGE_NO_TIME || time > d->past))
        d->spoilt = false;
    bool damaged = !sound || (d->spoilt && !is_before(time, d->since));
    if (damaged)
        note(d, at_s);
    d->sum.frames += damaged;
    return damaged;
}

void damage_on_end(damage *d, double end_s, double stated_s)
{
    if (stated_s > end_s + SLACK_S)
        d->sum.missing_s = stated_s - end_s;
}
