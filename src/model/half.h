/* half.h - float32 to IEEE 754 half precision. */
#ifndef MODEL_HALF_H
#define MODEL_HALF_H

#include <stdint.h>

/* The largest finite half. */
#define HALF_MAX 65504.0f

/* Rounds to nearest, ties to even; what is too large becomes infinite, NaN stays NaN. */
uint16_t half_from_float(float value);

#endif
