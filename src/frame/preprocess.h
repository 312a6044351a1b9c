/* preprocess.h - from a frame to the network's uint8 input: cut, resize, BGR.
 *
 * Linear equals OpenCV's cv2.resize(img[cut:], (800, 320)) of 8-bit BGR to the bit. Cubic equals what its
 * published x86 builds give but for one byte in ten thousand, which is off by one level, as builds without IPP
 * are (resize_plain.c). NV12 becomes BGR first, within one level of exact arithmetic and of OpenCV. Kernels in
 * vector code are chosen once, when a preprocess is opened, and are checked against the plain C ones by the
 * tests. */
#ifndef FRAME_PREPROCESS_H
#define FRAME_PREPROCESS_H

#include "base/memory.h"

typedef struct preprocess preprocess;

/* Sized for nothing yet: memory grows at the first frame of each larger size and is kept. LANERT_EINVAL for a
 * `resize` that is none. */
int preprocess_open(lanert_resize resize, preprocess **pre, lanert_error *err);
void preprocess_close(preprocess **pre);

/* Cuts `cut_rows` rows (0 to height − 1) off the top of the frame and resizes what is left to
 * out_width × out_height BGR, rows out_width × 3 bytes apart. LANERT_EINVAL for a frame that is not sound
 * (no data, a stride too short or negative, a size out of range) or an output side not 1 to 16384;
 * LANERT_ENOMEM, after which the next call may well succeed. */
int preprocess_run(preprocess *pre, const lanert_frame *frame, int cut_rows, int out_width, int out_height,
                   uint8_t *out, lanert_error *err);

/* The float input of a plain export: BGR uint8 HWC to float NCHW, each the float quotient of its byte and 255. */
void preprocess_to_nchw(const uint8_t *bgr, int width, int height, float *out);

#endif
