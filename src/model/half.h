/* half.h - float32 to IEEE 754 half precision and back. */
#ifndef MODEL_HALF_H
#define MODEL_HALF_H

#include <stddef.h>
#include <stdint.h>

/* The largest finite half. */
#define HALF_MAX 65504.0f

float half_to_float(uint16_t half);
/* Rounds to nearest, ties to even; what is too large becomes infinite, NaN stays NaN. */
uint16_t half_from_float(float value);

/* Rounds the weights of a kernel, finite and at most HALF_MAX: each to one of the two halves around it, mostly the
 * nearest, so that the errors of each HALF_GROUP weights (or of all, where there are fewer) all but cancel. What is
 * smooth within the kernel then comes through as it should, where else each error adds to the others. The method is
 * SQuant's (Guo et al., ICLR 2022, "SQuant: on-the-fly data-free quantization via diagonal Hessian approximation"),
 * for steps that grow with the weights. */
#define HALF_GROUP 64
void half_from_kernel(const float *weights, size_t count, uint16_t *halves);

#endif
