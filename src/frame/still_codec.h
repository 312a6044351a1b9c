/* still_codec.h - the decoders of single pictures, as OpenCV's imread(path) gives them: 8-bit BGR, grey
 * spread over the three channels, alpha dropped, of 16 bits the high 8.
 *
 * Unlike imread, a picture that ends early or is damaged is an error (LANERT_EFORMAT), not a picture that is
 * partly grey. Messages are about the picture and do not name its file. */
#ifndef FRAME_STILL_CODEC_H
#define FRAME_STILL_CODEC_H

#include "frame/picture.h"

/* Decodes into p's pixels, resizing it. *orientation: EXIF's, 1 to 8, not applied yet. */
int still_decode_jpeg(const uint8_t *bytes, size_t size, picture *p, int *orientation, lanert_error *err);
int still_decode_png(const uint8_t *bytes, size_t size, picture *p, int *orientation, lanert_error *err);

/* The orientation in an EXIF block, from its TIFF header on; 1 where it has none or is not sound. */
int still_orientation(const uint8_t *tiff, size_t size);

#endif
