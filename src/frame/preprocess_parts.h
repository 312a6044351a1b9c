/* preprocess_parts.h - a preprocess put together by hand: for tests and benchmarks, which compare its parts. */
#ifndef FRAME_PREPROCESS_PARTS_H
#define FRAME_PREPROCESS_PARTS_H

#include "frame/nv12.h"
#include "frame/preprocess.h"
#include "frame/resize.h"

/* preprocess_open chooses the best parts there are; this takes the caller's. */
int preprocess_open_with(const resize_filter *filter, nv12_row *nv12, preprocess **pre, lanert_error *err);

#endif
