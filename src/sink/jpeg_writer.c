#include <errno.h>
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "sink/picture_writer.h"

#define QUALITY 92

typedef struct jpeg_failure {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    int errnum;
    char text[JMSG_LENGTH_MAX];
} jpeg_failure;

static void give_up(j_common_ptr info)
{
    jpeg_failure *f = (jpeg_failure *)info->err;
    f->errnum = errno;
    info->err->format_message(info, f->text);
    longjmp(f->back, 1);
}

static void say_nothing(j_common_ptr info)
{
    (void)info;
}

int jpeg_write(FILE *stream, const char *name, const canvas *picture, lanert_error *err)
{
    struct jpeg_compress_struct jpeg = {0};
    jpeg_failure failure;
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = give_up;
    failure.manager.output_message = say_nothing;
    if (setjmp(failure.back)) {
        jpeg_destroy_compress(&jpeg);
        return ferror(stream) ? error_errno(err, LANERT_EIO, failure.errnum, "%s: cannot be written", name)
                              : error_set(err, LANERT_EIO, "%s: cannot be written: %s", name, failure.text);
    }
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, stream);
    jpeg.image_width = (JDIMENSION)picture->width;
    jpeg.image_height = (JDIMENSION)picture->height;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    /* Colour at full size: a thin line keeps its own. */
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = picture->bgra + (size_t)jpeg.next_scanline * (size_t)picture->stride;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return 0;
}
