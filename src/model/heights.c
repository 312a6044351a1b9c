#include "model/heights.h"

#include <math.h>
#include <string.h>

#include "model/metadata.h"

/* Half of a bfloat16's last place below 1, the most that 16 bits move a height. */
#define ROUNDING 0x1p-9
/* A float32 of 2^-16 to 1 is the nearest one to its own 12 decimals. */
#define DECIMALS 12

static double even_step(int i)
{
    return (double)(HEIGHTS_COUNT - 1 - i) / (HEIGHTS_COUNT - 1);
}

void heights_even(float *heights)
{
    for (int i = 0; i < HEIGHTS_COUNT; i++)
        heights[i] = (float)even_step(i);
}

int heights_check(const float *heights, lanert_error *err)
{
    for (int i = 0; i < HEIGHTS_COUNT; i++)
        if (!(heights[i] >= 0 && heights[i] <= 1 && fabs(heights[i] - even_step(i)) <= ROUNDING))
            return error_set(err, LANERT_EFORMAT, "holds %g at element %d, expected %g (%d even steps from 1 to 0)",
                             (double)heights[i], i, even_step(i), HEIGHTS_COUNT - 1);
    return 0;
}

void heights_format(const float *heights, char text[HEIGHTS_TEXT])
{
    for (int i = 0; i < HEIGHTS_COUNT; i++) {
        if (i)
            *text++ = ' ';
        text += decimal_format(heights[i], DECIMALS, text);
    }
}

int heights_parse(const char *text, float *heights, lanert_error *err)
{
    for (int i = 0; i < HEIGHTS_COUNT; i++) {
        const char *end = decimal_scan(text, &heights[i]);
        if (!end || *end != (i < HEIGHTS_COUNT - 1 ? ' ' : '\0'))
            return error_set(err, LANERT_EFORMAT,
                             "has '%.40s' at element %d; expected %d decimal numbers, a space between", text, i,
                             HEIGHTS_COUNT);
        text = end + 1;
    }
    return heights_check(heights, err);
}
