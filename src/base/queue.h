/* queue.h - a bounded queue of pointers between threads. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <pthread.h>

#include "base/memory.h"

/* Sized when opened; push and pop allocate nothing. */
typedef struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void **items;
    size_t capacity, head, count;
    bool closed, ready;
} queue;

int queue_open(queue *q, size_t capacity, lanert_error *err);
void queue_destroy(queue *q); /* takes a zeroed queue too */

/* Waits while the queue is full. False once it is closed: the item stays the caller's. */
bool queue_push(queue *q, void *item);
/* Waits while it is full, so that a sole pusher's next push does not. False once it is closed. */
bool queue_wait_room(queue *q);
/* Waits while it is empty. False once it is closed and empty. */
bool queue_pop(queue *q, void **item);
/* The same, for at most so many milliseconds; *item is NULL where the time ran out. */
bool queue_pop_within(queue *q, void **item, int ms);
/* Takes an item if there is one. */
bool queue_try_pop(queue *q, void **item);
/* Wakes everyone: nothing more goes in; what is in may still be taken. */
void queue_close(queue *q);

#endif
