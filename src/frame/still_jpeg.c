#include "frame/still_codec.h"

#include <setjmp.h>
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>

/* A progressive picture may hold any number of scans, each of them a pass over the whole picture. Encoders
 * write about ten. */
#define MAX_SCANS 500

/* libjpeg's handlers get to it through cinfo.client_data. */
typedef struct job {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    uint8_t *row; /* of CMYK */
    int rc;
    lanert_error *err;
} job;

static _Noreturn void fail(job *j, int rc)
{
    j->rc = rc;
    longjmp(j->failed, 1);
}

static void on_error(j_common_ptr cinfo)
{
    job *j = cinfo->client_data;
    char why[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, why);
    fail(j, error_set(j->err, cinfo->err->msg_code == JERR_OUT_OF_MEMORY ? LANERT_ENOMEM : LANERT_EFORMAT,
                      "is not a sound JPEG picture: %s", why));
}

/* Warnings are of lost pixels, and errors here, but for these, which cost none. */
static void on_message(j_common_ptr cinfo, int level)
{
    job *j = cinfo->client_data;
    char why[JMSG_LENGTH_MAX];
    if (level >= 0)
        return;
    switch (cinfo->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
        return;
    case JWRN_JPEG_EOF:
        fail(j, error_set(j->err, LANERT_EFORMAT, "the JPEG picture is truncated: its end is missing"));
    default:
        cinfo->err->format_message(cinfo, why);
        fail(j, error_set(j->err, LANERT_EFORMAT, "the JPEG picture is damaged: %s", why));
    }
}

static void on_progress(j_common_ptr cinfo)
{
    job *j = cinfo->client_data;
    if (j->cinfo.input_scan_number > MAX_SCANS)
        fail(j, error_set(j->err, LANERT_ELIMIT, "the JPEG picture has more than %d scans: save it anew", MAX_SCANS));
}

static int exif_orientation(const struct jpeg_decompress_struct *cinfo)
{
    for (jpeg_saved_marker_ptr m = cinfo->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
            return still_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

/* Inks are stored inverted, as Adobe's programs write them: 255 is none. */
static void cmyk_to_bgr(const uint8_t *cmyk, int width, uint8_t *bgr)
{
    for (int x = 0; x < width; x++, cmyk += 4, bgr += 3)
        for (int c = 0; c < 3; c++)
            bgr[c] = (uint8_t)(cmyk[3] - ((255 - cmyk[2 - c]) * cmyk[3] >> 8));
}

static void read_rows(job *j, picture *p)
{
    struct jpeg_decompress_struct *cinfo = &j->cinfo;
    while (cinfo->output_scanline < cinfo->output_height) {
        uint8_t *out = p->bgr + (ptrdiff_t)cinfo->output_scanline * p->stride;
        JSAMPROW row = j->row ? j->row : out;
        jpeg_read_scanlines(cinfo, &row, 1);
        if (j->row)
            cmyk_to_bgr(row, p->width, out);
    }
}

static int decode(job *j, const uint8_t *bytes, size_t size, picture *p, int *orientation)
{
    struct jpeg_decompress_struct *cinfo = &j->cinfo;
    jpeg_create_decompress(cinfo);
    cinfo->progress = &j->progress;
    jpeg_save_markers(cinfo, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(cinfo, bytes, size);
    jpeg_read_header(cinfo, TRUE);
    *orientation = exif_orientation(cinfo);
    int rc = picture_resize(p, (int)cinfo->image_width, (int)cinfo->image_height, j->err);
    if (!rc && cinfo->num_components == 4)
        rc = memory_new(&j->row, cinfo->image_width, 4, j->err);
    if (rc)
        return rc;
    cinfo->out_color_space = j->row ? JCS_CMYK : JCS_EXT_BGR;
    jpeg_start_decompress(cinfo);
    read_rows(j, p);
    return 0;
}

/* Where the handlers come back to. The job is the caller's: locals of this function would be lost. */
static int guard(job *j, const uint8_t *bytes, size_t size, picture *p, int *orientation)
{
    return setjmp(j->failed) ? j->rc : decode(j, bytes, size, p, orientation);
}

int still_decode_jpeg(const uint8_t *bytes, size_t size, picture *p, int *orientation, lanert_error *err)
{
    job j = {.err = err};
    j.cinfo.err = jpeg_std_error(&j.errors);
    j.cinfo.client_data = &j;
    j.errors.error_exit = on_error;
    j.errors.emit_message = on_message;
    j.progress.progress_monitor = on_progress;
    int rc = guard(&j, bytes, size, p, orientation);
    jpeg_destroy_decompress(&j.cinfo);
    free(j.row);
    return rc;
}
