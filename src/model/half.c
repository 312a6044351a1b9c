#include "model/half.h"

#include <math.h>
#include <string.h>

uint16_t half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float size = fabsf(value);
    if (isnan(value))
        return sign | 0x7e00;
    if (size >= 65520.0f) /* half way from HALF_MAX to 2^16 */
        return sign | 0x7c00;
    if (size < 0x1p-14f) /* subnormal: a multiple of 2^-24 */
        return sign | (uint16_t)rintf(size * 0x1p24f);
    /* 13 bits of the fraction go; a carry runs on into the exponent, as it should. */
    uint32_t kept = (bits & 0x7fffffff) - ((127 - 15) << 23);
    return sign | (uint16_t)((kept + 0xfff + (kept >> 13 & 1)) >> 13);
}
