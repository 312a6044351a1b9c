/* range.h - the range of a value that eight bits shall hold. */
#ifndef QUANT_RANGE_H
#define QUANT_RANGE_H

#include "model/qdq.h"
#include "quant/observer.h"

/* How much of the numbers of either sign LANERT_PERCENTILE leaves out: 99.99 % are held. */
#define RANGE_TAIL 1e-4

/* What is outside the range becomes its end. `is_unsigned`: as qdq_plan's unsigned_values. */
qdq_range range_choose(const observer *o, lanert_calibration method, bool is_unsigned);

#endif
