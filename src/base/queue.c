#include "base/queue.h"

#include <errno.h>
#include <time.h>

int queue_open(queue *q, size_t capacity, lanert_error *err)
{
    *q = (queue){.capacity = capacity};
    int rc = memory_new(&q->items, capacity, sizeof *q->items, err);
    if (rc)
        return rc;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    q->ready = true;
    return 0;
}

void queue_destroy(queue *q)
{
    if (!q->ready)
        return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    FREE(q->items);
    q->ready = false;
}

/* With the lock held. */
static bool wait_room(queue *q)
{
    while (q->count == q->capacity && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    return !q->closed;
}

bool queue_wait_room(queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool open = wait_room(q);
    pthread_mutex_unlock(&q->lock);
    return open;
}

bool queue_push(queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    bool open = wait_room(q);
    if (open) {
        q->items[(q->head + q->count) % q->capacity] = item;
        q->count++;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return open;
}

/* With the lock held. */
static bool take(queue *q, void **item)
{
    if (!q->count)
        return false;
    *item = q->items[q->head];
    q->head = (q->head + 1) % q->capacity;
    q->count--;
    pthread_cond_broadcast(&q->changed);
    return true;
}

bool queue_pop(queue *q, void **item)
{
    pthread_mutex_lock(&q->lock);
    while (!q->count && !q->closed)
        pthread_cond_wait(&q->changed, &q->lock);
    bool got = take(q, item);
    pthread_mutex_unlock(&q->lock);
    return got;
}

bool queue_pop_within(queue *q, void **item, int ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += ms % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    *item = NULL;
    pthread_mutex_lock(&q->lock);
    bool late = false;
    while (!q->count && !q->closed && !late)
        late = pthread_cond_timedwait(&q->changed, &q->lock, &end) == ETIMEDOUT;
    bool got = take(q, item);
    pthread_mutex_unlock(&q->lock);
    return got || late;
}

bool queue_try_pop(queue *q, void **item)
{
    pthread_mutex_lock(&q->lock);
    bool got = take(q, item);
    pthread_mutex_unlock(&q->lock);
    return got;
}

void queue_close(queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}
