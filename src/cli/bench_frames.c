#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

#define MAX_BYTES ((size_t)64 << 20)

/* Sources give BGR. */
static int keep(bench_frames *frames, const lanert_frame *frame, lanert_error *err)
{
    size_t row = (size_t)frame->width * 3;
    uint8_t *pixels = malloc(row * (size_t)frame->height);
    if (!pixels) {
        *err = (lanert_error){.code = LANERT_ENOMEM, .text = "out of memory for the frames that are measured"};
        return err->code;
    }
    for (int y = 0; y < frame->height; y++)
        memcpy(pixels + (size_t)y * row, frame->data[0] + (ptrdiff_t)y * frame->stride[0], row);
    frames->pixels[frames->count] = pixels;
    frames->list[frames->count++] = (lanert_frame){.format = frame->format,
                                                   .width = frame->width,
                                                   .height = frame->height,
                                                   .data = {pixels},
                                                   .stride = {(int)row}};
    return 0;
}

int bench_frames_read(bench_frames *frames, const char *spec, lanert_error *err)
{
    lanert_source *source = NULL;
    lanert_frame frame;
    size_t bytes = 0;
    int rc = lanert_source_open(spec, &source, err);
    while (!rc && frames->count < BENCH_FRAMES) {
        if ((rc = lanert_source_read(source, &frame, err)))
            break;
        bytes += (size_t)frame.width * (size_t)frame.height * 3;
        if (frames->count && bytes > MAX_BYTES)
            break;
        rc = keep(frames, &frame, err);
    }
    lanert_source_close(&source);
    return rc == LANERT_END && frames->count ? 0 : rc;
}

void bench_frames_free(bench_frames *frames)
{
    for (int i = 0; i < frames->count; i++)
        free(frames->pixels[i]);
    frames->count = 0;
}
