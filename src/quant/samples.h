/* samples.h - frames to calibrate with, as the network sees them. */
#ifndef QUANT_SAMPLES_H
#define QUANT_SAMPLES_H

#include "model/preset.h"

#define SAMPLES_MAX 1000
#define SAMPLE_BYTES ((size_t)NET_WIDTH * NET_HEIGHT * 3)

/* Zero-initialise; free with samples_free. */
typedef struct samples {
    uint8_t *pixels; /* [count][320][800][3], blue first */
    int count;
} samples;

/* Told how many frames are read, or done; non-zero ends what is done with them with LANERT_END. */
typedef int samples_progress(void *context, int64_t done, int64_t total);

/* `count` frames (1 to SAMPLES_MAX), or fewer where there are fewer, the same number of each source, evenly spread over
 * it; of a source that does not say how long it is (a stream), its first ones. LANERT_EINVAL where there are none. */
int samples_read(const char *const *sources, int source_count, int count, const lanert_preset *preset,
                 samples_progress *on_progress, void *context, samples *s, lanert_error *err);
void samples_free(samples *s);
static inline const uint8_t *samples_at(const samples *s, int i)
{
    return s->pixels + (size_t)i * SAMPLE_BYTES;
}

#endif
