/* mask.c - runs of pixels: taken off the canvas, measured, intersected. */
#include "eval/mask.h"

int canvas_open(canvas *c, int width, int height, lanert_error *err)
{
    if (width < 1 || width > UINT16_MAX || height < 1 || height > UINT16_MAX)
        return error_set(err, LANERT_EINVAL, "a canvas of %d×%d pixels; expected 1 to 65535 each way", width, height);
    *c = (canvas){.width = width, .height = height, .stride = (width + 63) / 64, .top = height, .bottom = -1};
    return memory_new(&c->bits, (size_t)c->stride * (size_t)height, sizeof *c->bits, err);
}

void canvas_close(canvas *c)
{
    FREE(c->bits);
}

void mask_free(mask *m)
{
    FREE(m->spans);
    *m = (mask){0};
}

/* The first column from x on whose bit is `set`; the row's width in bits (64 × stride) where there is none. */
static int next_bit(const uint64_t *row, int stride, int x, bool set)
{
    for (int w = x / 64; w < stride; w++) {
        uint64_t word = set ? row[w] : ~row[w];
        if (w == x / 64)
            word &= ~(uint64_t)0 << (x % 64);
        if (word)
            return w * 64 + __builtin_ctzll(word);
    }
    return stride * 64;
}

static int take_row(const canvas *c, int y, mask *m, lanert_error *err)
{
    const uint64_t *row = c->bits + (size_t)y * (size_t)c->stride;
    int end;
    for (int x = next_bit(row, c->stride, 0, true); x < c->width; x = next_bit(row, c->stride, end, true)) {
        int rc = memory_grow(&m->spans, &m->capacity, m->count + 1, sizeof *m->spans, err);
        if (rc)
            return rc;
        end = next_bit(row, c->stride, x, false);
        m->spans[m->count++] = (mask_span){(uint16_t)y, (uint16_t)x, (uint16_t)(end - 1)};
        m->area += end - x;
    }
    return 0;
}

int canvas_take(canvas *c, mask *m, lanert_error *err)
{
    int rc = 0;
    m->count = 0;
    m->area = 0;
    for (int y = c->top; !rc && y <= c->bottom; y++)
        rc = take_row(c, y, m, err);
    if (c->top <= c->bottom)
        memset(c->bits + (size_t)c->top * (size_t)c->stride, 0,
               (size_t)(c->bottom - c->top + 1) * (size_t)c->stride * sizeof *c->bits);
    c->top = c->height;
    c->bottom = -1;
    return rc;
}

static bool ends_before(const mask_span *a, const mask_span *b)
{
    return a->y != b->y ? a->y < b->y : a->last < b->last;
}

int64_t mask_common(const mask *a, const mask *b)
{
    int64_t common = 0;
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        const mask_span *p = &a->spans[i], *q = &b->spans[j];
        int first = p->first > q->first ? p->first : q->first;
        int last = p->last < q->last ? p->last : q->last;
        if (p->y == q->y && first <= last)
            common += last - first + 1;
        if (ends_before(p, q))
            i++;
        else
            j++;
    }
    return common;
}

double mask_iou(const mask *a, const mask *b)
{
    int64_t common = mask_common(a, b), both = a->area + b->area - common;
    return both ? (double)common / (double)both : 0;
}
