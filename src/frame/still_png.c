#include "frame/still_codec.h"

#include <setjmp.h>

#include <png.h>

/* libpng's handlers get to it through the pointers they were given. */
typedef struct job {
    const uint8_t *bytes;
    size_t size, at;
    lanert_error *err;
} job;

static void on_error(png_structp png, png_const_charp why)
{
    job *j = png_get_error_ptr(png);
    error_set(j->err, LANERT_EFORMAT, "is not a sound PNG picture: %s", why);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp why)
{
    (void)png, (void)why;
}

static void on_read(png_structp png, png_bytep out, size_t n)
{
    job *j = png_get_io_ptr(png);
    if (n > j->size - j->at)
        png_error(png, "it is truncated: its end is missing");
    memcpy(out, j->bytes + j->at, n);
    j->at += n;
}

/* Everything to 8-bit BGR. Rows come out as they lie in the file: no gamma, no background. */
static void choose_layout(png_structp png, png_infop info)
{
    int type = png_get_color_type(png, info);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    if (type & PNG_COLOR_MASK_COLOR) {
        png_set_bgr(png);
    } else {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
    }
}

static int exif_orientation(png_structp png, png_infop info)
{
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(png, info, &size, &exif))
        return still_orientation(exif, size);
#else
    (void)png, (void)info;
#endif
    return 1;
}

static int decode(png_structp png, png_infop info, job *j, picture *p, int *orientation)
{
    if (setjmp(png_jmpbuf(png)))
        return LANERT_EFORMAT;
    png_set_read_fn(png, j, on_read);
    png_set_user_limits(png, PNG_UINT_31_MAX,
                        PNG_UINT_31_MAX); /* picture_resize holds it to ours, with a better word */
    png_read_info(png, info);
    int rc = picture_resize(p, (int)png_get_image_width(png, info), (int)png_get_image_height(png, info), j->err);
    if (rc)
        return rc;
    choose_layout(png, info);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (size_t)p->width * 3)
        png_error(png, "its rows are not of the length that its header gives");
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < p->height; y++)
            png_read_row(png, p->bgr + (ptrdiff_t)y * p->stride, NULL);
    png_read_end(png, info);
    *orientation = exif_orientation(png, info);
    return 0;
}

/* A side of 0 is refused by libpng too, with "Invalid IHDR data": this says which. */
static bool has_a_size(const uint8_t *bytes, size_t size)
{
    static const uint8_t zero[4];
    return size < 24 || (memcmp(bytes + 16, zero, 4) != 0 && memcmp(bytes + 20, zero, 4) != 0);
}

int still_decode_png(const uint8_t *bytes, size_t size, picture *p, int *orientation, lanert_error *err)
{
    job j = {.bytes = bytes, .size = size, .err = err};
    if (!has_a_size(bytes, size))
        return error_set(err, LANERT_EFORMAT, "its header gives a width or height of 0 pixels");
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int rc = info ? decode(png, info, &j, p, orientation)
                  : error_set(err, LANERT_ENOMEM, "out of memory: libpng cannot start");
    png_destroy_read_struct(&png, &info, NULL);
    return rc;
}
