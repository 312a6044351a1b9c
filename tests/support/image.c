#include "support/image.h"

#include <png.h>

#include "support/testing.h"

image image_read_png(const char *path)
{
    png_image head = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&head, path))
        fail_msg("%s: %s", path, head.message);
    head.format = PNG_FORMAT_BGR;
    image picture = {.width = (int)head.width, .height = (int)head.height, .bgr = malloc(PNG_IMAGE_SIZE(head))};
    if (!picture.bgr || !png_image_finish_read(&head, NULL, picture.bgr, 0, NULL))
        fail_msg("%s: %s", path, picture.bgr ? head.message : "no memory");
    return picture;
}

void image_free(image *picture)
{
    free(picture->bgr);
    *picture = (image){0};
}
