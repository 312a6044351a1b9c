#include "model/preset.h"

#include <string.h>

/* configs/clrnet/clr_*_{culane,tusimple,llamas}.py of the reference: ori_img_w, ori_img_h, cut_height,
 * conf_threshold, nms_thres, max_lanes. */
static const lanert_preset presets[] = {
    {"culane", 1640, 590, 270, 0.4f, 50, 4},
    {"tusimple", 1280, 720, 160, 0.4f, 50, 5},
    {"llamas", 1276, 717, 300, 0.45f, 50, 4},
    /* Our own, for dash cameras, whose horizon lies between 35 and 60 % of the height: see train/README.md. */
    {"road", 1280, 720, 240, 0.45f, 50, 5},
};

#define COUNT ((int)(sizeof presets / sizeof *presets))
/* The widest picture a lanert_frame may have. */
#define MAX_SIDE 16384

const lanert_preset *lanert_preset_find(const char *name)
{
    for (int i = 0; name && i < COUNT; i++)
        if (!strcmp(name, presets[i].name))
            return &presets[i];
    return NULL;
}

const char *lanert_preset_name(int i)
{
    return i >= 0 && i < COUNT ? presets[i].name : NULL;
}

static int check_int(const char *field, int value, int low, int high, lanert_error *err)
{
    if (value >= low && value <= high)
        return 0;
    return error_set(err, LANERT_EFORMAT, "%s is %d; expected %d to %d", field, value, low, high);
}

static int check_float(const char *field, float value, float high, lanert_error *err)
{
    if (value >= 0 && value <= high)
        return 0;
    return error_set(err, LANERT_EFORMAT, "%s is %g; expected 0 to %g", field, (double)value, (double)high);
}

int preset_check(const lanert_preset *p, lanert_error *err)
{
    int rc;
    if (!memchr(p->name, '\0', sizeof p->name) || !*p->name)
        return error_set(err, LANERT_EFORMAT, "preset has no name; expected 1 to %zu bytes", sizeof p->name - 1);
    if ((rc = check_int("ori_width", p->ori_width, 1, MAX_SIDE, err)) ||
        (rc = check_int("ori_height", p->ori_height, 1, MAX_SIDE, err)) ||
        (rc = check_int("cut_height", p->cut_height, 0, p->ori_height - 1, err)) ||
        (rc = check_float("conf", p->conf, 1, err)) || (rc = check_float("nms_thres", p->nms_thres, NET_WIDTH, err)))
        return rc;
    return check_int("max_lanes", p->max_lanes, 1, LANERT_MAX_LANES, err);
}

int preset_cut_rows(const lanert_preset *p, int height)
{
    return (int)((int64_t)p->cut_height * height / p->ori_height);
}
