#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench.h"

/* What one thread does between two looks at whether to stop: tens of microseconds. */
#define CPU_STEPS 16384
#define MEMORY_BYTES 65536
/* Together the buffers are this many times the last-level cache, so that every pass goes to memory. */
#define CACHES 4
#define MIN_BUFFER_BYTES ((size_t)8 << 20)
/* Where the system does not say how large the cache is. */
#define USUAL_CACHE_BYTES ((size_t)32 << 20)

typedef struct loader {
    pthread_t thread;
    bool memory;
    uint64_t *words; /* [size], of the loaders of memory */
    size_t size;
    atomic_bool *stop;
    double work; /* steps or bytes; the thread's until it is joined */
} loader;

struct bench_load {
    loader *loaders;
    int count, started;
    atomic_bool stop;
    double start_s;
};

static void spin(loader *l)
{
    uint64_t state = 1;
    double value = 1;
    volatile double keep = 0;
    while (!atomic_load_explicit(l->stop, memory_order_relaxed)) {
        for (int i = 0; i < CPU_STEPS; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
            value = value * 0.999999 + 1e-6 * (double)(state >> 63);
        }
        keep = value;
        l->work += CPU_STEPS;
    }
    (void)keep;
}

static void stream(loader *l)
{
    size_t chunk = MEMORY_BYTES / sizeof *l->words, at = 0;
    while (!atomic_load_explicit(l->stop, memory_order_relaxed)) {
        for (size_t i = at; i < at + chunk; i++)
            l->words[i] += i;
        at = at + 2 * chunk <= l->size ? at + chunk : 0;
        l->work += 2 * MEMORY_BYTES;
    }
}

static void *run_loader(void *context)
{
    loader *l = context;
    if (l->memory)
        stream(l);
    else
        spin(l);
    return NULL;
}

static size_t buffer_bytes(int threads)
{
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t bytes = CACHES * (cache > 0 ? (size_t)cache : USUAL_CACHE_BYTES) / (size_t)threads;
    return bytes < MIN_BUFFER_BYTES ? MIN_BUFFER_BYTES : bytes;
}

static bool add_loaders(bench_load *load, bool memory, int threads)
{
    for (int i = 0; i < threads; i++) {
        loader *l = &load->loaders[load->count++];
        *l = (loader){.memory = memory, .stop = &load->stop};
        if (!memory)
            continue;
        l->size = buffer_bytes(threads) / sizeof *l->words;
        if (!(l->words = malloc(l->size * sizeof *l->words)))
            return false;
        memset(l->words, 1, l->size * sizeof *l->words);
    }
    return true;
}

bench_load *bench_load_open(bench_load_kind kind, int threads)
{
    bench_load *load = calloc(1, sizeof *load);
    if (load && (load->loaders = calloc(2 * (size_t)threads, sizeof *load->loaders)) &&
        (kind == BENCH_LOAD_MEMORY || add_loaders(load, false, threads)) &&
        (kind == BENCH_LOAD_CPU || add_loaders(load, true, threads)))
        return load;
    bench_load_close(load);
    return NULL;
}

bool bench_load_start(bench_load *load)
{
    bench_work nothing = {0};
    atomic_store(&load->stop, false);
    load->start_s = now_s();
    for (load->started = 0; load->started < load->count; load->started++) {
        loader *l = &load->loaders[load->started];
        l->work = 0;
        if (pthread_create(&l->thread, NULL, run_loader, l)) {
            bench_load_stop(load, &nothing);
            return false;
        }
    }
    return true;
}

void bench_load_stop(bench_load *load, bench_work *work)
{
    atomic_store(&load->stop, true);
    work->seconds += now_s() - load->start_s;
    for (; load->started; load->started--) {
        loader *l = &load->loaders[load->started - 1];
        pthread_join(l->thread, NULL);
        *(l->memory ? &work->memory_bytes : &work->cpu_steps) += l->work;
    }
}

void bench_load_close(bench_load *load)
{
    if (!load)
        return;
    for (int i = 0; i < load->count; i++)
        free(load->loaders[i].words);
    free(load->loaders);
    free(load);
}
