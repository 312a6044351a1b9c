#include "support/image_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "support/testing.h"

/* A TIFF header and a directory with the orientation alone, big-endian. */
static void make_exif(int orientation, uint8_t out[26])
{
    static const uint8_t form[26] = {'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1};
    memcpy(out, form, sizeof form);
    out[19] = (uint8_t)orientation;
}

static FILE *open_or_fail(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        fail_msg("%s: cannot be written", path);
    return f;
}

void image_write_jpeg(const char *path, const uint8_t *samples, const jpeg_form *form)
{
    static const J_COLOR_SPACE spaces[] = {0, JCS_GRAYSCALE, 0, JCS_RGB, JCS_CMYK};
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    FILE *f = open_or_fail(path);
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_stdio_dest(&cinfo, f);
    cinfo.image_width = (JDIMENSION)form->width;
    cinfo.image_height = (JDIMENSION)form->height;
    cinfo.input_components = form->components;
    cinfo.in_color_space = spaces[form->components];
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, 100, TRUE);
    cinfo.comp_info[0].h_samp_factor = cinfo.comp_info[0].v_samp_factor = 1;
    if (form->progressive)
        jpeg_simple_progression(&cinfo);
    jpeg_start_compress(&cinfo, TRUE);
    if (form->orientation) {
        uint8_t marker[6 + 26] = "Exif\0";
        make_exif(form->orientation, marker + 6);
        jpeg_write_marker(&cinfo, JPEG_APP0 + 1, marker, sizeof marker);
    }
    for (int y = 0; y < form->height; y++) {
        JSAMPROW row = (JSAMPROW)(samples + (size_t)y * (size_t)form->width * (size_t)form->components);
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    fclose(f);
}

void image_write_png(const char *path, const uint8_t *rows, int row_bytes, const png_form *form)
{
    FILE *f = open_or_fail(path);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep *pointers = calloc((size_t)form->height, sizeof *pointers);
    uint8_t exif[26];
    assert_non_null(pointers);
    if (setjmp(png_jmpbuf(png)))
        fail_msg("%s: cannot be written", path);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)form->width, (png_uint_32)form->height, form->depth, form->colour_type,
                 form->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (form->palette)
        png_set_PLTE(png, info, (png_const_colorp)form->palette, form->palette_count);
    if (form->orientation) {
        make_exif(form->orientation, exif);
        png_set_eXIf_1(png, info, sizeof exif, exif);
    }
    for (int y = 0; y < form->height; y++)
        pointers[y] = (png_bytep)(rows + (ptrdiff_t)y * row_bytes);
    png_write_info(png, info);
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(pointers);
    fclose(f);
}
