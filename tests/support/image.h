/* image.h - PNG pictures for tests, read with libpng alone and not with what is being tested. */
#ifndef SUPPORT_IMAGE_H
#define SUPPORT_IMAGE_H

#include <stdint.h>

typedef struct image {
    int width, height;
    uint8_t *bgr; /* rows width × 3 bytes apart; freed by image_free */
} image;

/* Fails the running test where the file cannot be read. */
image image_read_png(const char *path);
void image_free(image *picture);

#endif
