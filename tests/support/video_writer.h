/* video_writer.h - small videos for tests to read. A failure to write fails the running test. */
#ifndef SUPPORT_VIDEO_WRITER_H
#define SUPPORT_VIDEO_WRITER_H

#include <stdbool.h>

typedef struct video_form {
    int width, height, frames, rate;
    bool uneven;       /* frame i is shown at i² / rate seconds instead of i / rate */
    int quarter_turns; /* clockwise, that a player is asked to turn it; MP4 only */
    const char *codec; /* NULL: "mpeg4" */
    int matrix;        /* stated, as ITU-T H.273 numbers them: 1 BT.709, 6 BT.601; 0: none stated */
    bool red;          /* V is 170 and not 128 */
    bool noisy;        /* luma is noise instead, so that a frame takes kilobytes */
    bool sound_only;   /* a second of silence in its place */
} video_form;

/* The container is chosen by the name. Frame i is grey: luma video_luma(i) in the left half, 30 more in the
 * right one. */
void video_write(const char *path, const video_form *form);
int video_luma(int i);

#endif
