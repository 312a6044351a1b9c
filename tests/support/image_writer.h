/* image_writer.h - JPEG and PNG pictures for tests to read. A failure to write fails the running test. */
#ifndef SUPPORT_IMAGE_WRITER_H
#define SUPPORT_IMAGE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct jpeg_form {
    int width, height;
    int components; /* 1 grey, 3 RGB, 4 CMYK as stored (255: no ink) */
    bool progressive;
    int orientation; /* EXIF's; 0: no EXIF */
} jpeg_form;

/* `samples`: rows of width × components bytes. Best quality, no subsampling. */
void image_write_jpeg(const char *path, const uint8_t *samples, const jpeg_form *form);

typedef struct png_form {
    int width, height, depth;
    int colour_type; /* as in the file: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha */
    bool interlaced;
    int orientation;        /* EXIF's; 0: no EXIF */
    const uint8_t *palette; /* RGB; type 3 */
    int palette_count;
} png_form;

/* `rows`: as they lie in the file, of `row_bytes`; 16 bits big-endian. */
void image_write_png(const char *path, const uint8_t *rows, int row_bytes, const png_form *form);

#endif
