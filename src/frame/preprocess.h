/* preprocess.h - from a frame to the network's uint8 input: cut, resize, BGR.
 *
 * Equals OpenCV's cv2.resize of img[cut:, :, :] to 800×320 on 8-bit BGR. Kernels in vector code are
 * chosen once, when a preprocess is opened, and are checked against the plain C ones by the tests. */
#ifndef FRAME_PREPROCESS_H
#define FRAME_PREPROCESS_H

#include "base/memory.h"

typedef struct preprocess preprocess;

/* Sized for nothing yet: tables grow at the first frame of each new size and are kept. */
int preprocess_open(lanert_resize resize, preprocess **pre, lanert_error *err);
void preprocess_close(preprocess **pre);

/* Cuts `cut_rows` rows (0 to height − 1) off the top of the frame and resizes what is left to
 * out_width × out_height BGR, rows out_width × 3 bytes apart. LANERT_EINVAL for a frame that is not sound
 * (no data, a stride too short, a size out of range). */
int preprocess_run(preprocess *pre, const lanert_frame *frame, int cut_rows, int out_width, int out_height,
                   uint8_t *out, lanert_error *err);

/* The float input of a plain export: BGR uint8 HWC to float NCHW over 255. */
void preprocess_to_nchw(const uint8_t *bgr, int width, int height, float *out);

#endif
