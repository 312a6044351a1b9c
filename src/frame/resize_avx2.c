#include "frame/resize.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* The taps of an output are neighbours but at the edges, so 16 bytes from its first one hold them all. Outputs from
 * axis->inner up to this one may load so much without leaving the row; `step` are done at a time. */
static int wide_end(const resize_axis *axis, int taps, int step)
{
    int i = axis->inner;
    while (i + step <= axis->out && axis->taps[(i + step - 1) * taps] * 3 + 16 <= axis->in * 3)
        i += step;
    return i;
}

/* The 16 bytes at two pixels, one a lane. */
AVX2 static inline __m256i load_pair(const uint8_t *low, const uint8_t *high)
{
    __m256i pair = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low));
    return _mm256_inserti128_si256(pair, _mm_loadu_si128((const __m128i *)high), 1);
}

/* ---- linear ---------------------------------------------------------------------------------- */

/* Two taps' bytes to 16-bit pairs B B, G G, R R; −1 makes zero. */
static const int8_t linear_pairs[2][16] = {
    {0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1},
    {2, -1, 5, -1, 1, -1, 4, -1, 0, -1, 3, -1, -1, -1, -1, -1},
};

AVX2 static void linear_across(const uint8_t *row, const resize_axis *axis, bool swap, void *space)
{
    int16_t *line = space;
    const int32_t *taps = axis->taps;
    const int16_t *weights = axis->weights;
    const __m256i pairs = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)linear_pairs[swap]));
    /* Pixels 0 and 2 of four share a register, and 1 and 3: packing then puts 0 1 and 2 3 together. */
    const __m256i even = _mm256_setr_epi32(0x03020100, 0x03020100, 0x03020100, 0x03020100, 0x0b0a0908, 0x0b0a0908,
                                           0x0b0a0908, 0x0b0a0908);
    const __m256i odd = _mm256_add_epi8(even, _mm256_set1_epi8(4));
    const __m256i drop_fourth =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1));
    int end = wide_end(axis, 2, 4);
    resize_linear_across(row, axis, swap, 0, axis->inner, line);
    for (int i = axis->inner; i < end; i += 4) {
        const int32_t *t = taps + 2 * i;
        __m256i w = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(weights + 2 * i)));
        __m256i p02 = _mm256_shuffle_epi8(load_pair(row + 3 * t[0], row + 3 * t[4]), pairs);
        __m256i p13 = _mm256_shuffle_epi8(load_pair(row + 3 * t[2], row + 3 * t[6]), pairs);
        p02 = _mm256_srai_epi32(_mm256_madd_epi16(p02, _mm256_shuffle_epi8(w, even)), 4);
        p13 = _mm256_srai_epi32(_mm256_madd_epi16(p13, _mm256_shuffle_epi8(w, odd)), 4);
        __m256i four = _mm256_shuffle_epi8(_mm256_packs_epi32(p02, p13), drop_fourth);
        _mm_storeu_si128((__m128i *)(line + 3 * i), _mm256_castsi256_si128(four));
        _mm_storeu_si128((__m128i *)(line + 3 * i + 6), _mm256_extracti128_si256(four, 1));
    }
    resize_linear_across(row, axis, swap, end, axis->out, line);
}

AVX2 static inline __m256i linear_sum(const int16_t *a, const int16_t *b, __m256i wa, __m256i wb)
{
    __m256i sum = _mm256_add_epi16(_mm256_mulhi_epi16(_mm256_loadu_si256((const __m256i *)a), wa),
                                   _mm256_mulhi_epi16(_mm256_loadu_si256((const __m256i *)b), wb));
    return _mm256_srai_epi16(_mm256_add_epi16(sum, _mm256_set1_epi16(2)), 2);
}

AVX2 static void linear_down(const void *const *lines, const void *weights, int count, uint8_t *out)
{
    const int16_t *const pair[] = {lines[0], lines[1]}, *w = weights;
    const __m256i wa = _mm256_set1_epi16(w[0]), wb = _mm256_set1_epi16(w[1]);
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        __m256i low = linear_sum(pair[0] + i, pair[1] + i, wa, wb);
        __m256i high = linear_sum(pair[0] + i + 16, pair[1] + i + 16, wa, wb);
        __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
        _mm256_storeu_si256((__m256i *)(out + i), bytes);
    }
    resize_linear_down(pair, w, i, count, out);
}

/* ---- cubic ----------------------------------------------------------------------------------- */

/* One tap's bytes to 32-bit B, G, R. */
static const int8_t cubic_tap[2][16] = {
    {0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, -1, -1, -1, -1},
    {2, -1, -1, -1, 1, -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1},
};

/* One tap of two pixels, as floats, times its weights. */
AVX2 static inline __m256 cubic_term(__m256i pixels, __m256i tap, __m256 weight)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_shuffle_epi8(pixels, tap)), weight);
}

AVX2 static void cubic_across(const uint8_t *row, const resize_axis *axis, bool swap, void *space)
{
    float *line = space;
    const int32_t *taps = axis->taps;
    const float *weights = axis->weights;
    /* 3 more in the lowest byte of each 32 bits is the next tap; the fourth number of each lane is never kept. */
    const __m256i three = _mm256_set1_epi32(3);
    const __m256i tap0 = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)cubic_tap[swap]));
    const __m256i tap1 = _mm256_add_epi8(tap0, three);
    const __m256i tap2 = _mm256_add_epi8(tap1, three);
    const __m256i tap3 = _mm256_add_epi8(tap2, three);
    int end = wide_end(axis, 4, 2);
    resize_cubic_across(row, axis, swap, 0, axis->inner, line);
    for (int i = axis->inner; i < end; i += 2) {
        __m256i pixels = load_pair(row + 3 * taps[4 * i], row + 3 * taps[4 * i + 4]);
        __m256 w = _mm256_loadu_ps(weights + 4 * i);
        __m256 sum = cubic_term(pixels, tap0, _mm256_permute_ps(w, 0x00));
        sum = _mm256_add_ps(sum, cubic_term(pixels, tap1, _mm256_permute_ps(w, 0x55)));
        sum = _mm256_add_ps(sum, cubic_term(pixels, tap2, _mm256_permute_ps(w, 0xaa)));
        sum = _mm256_add_ps(sum, cubic_term(pixels, tap3, _mm256_permute_ps(w, 0xff)));
        _mm_storeu_ps(line + 3 * i, _mm256_castps256_ps128(sum));
        _mm_storeu_ps(line + 3 * i + 3, _mm256_extractf128_ps(sum, 1));
    }
    resize_cubic_across(row, axis, swap, end, axis->out, line);
}

AVX2 static inline __m256i cubic_sum(const float *const *lines, int i, const __m256 *w)
{
    __m256 sum = _mm256_mul_ps(_mm256_loadu_ps(lines[0] + i), w[0]);
    for (int k = 1; k < 4; k++)
        sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_loadu_ps(lines[k] + i), w[k]));
    return _mm256_cvtps_epi32(sum);
}

AVX2 static void cubic_down(const void *const *lines, const void *weights, int count, uint8_t *out)
{
    const float *const four[] = {lines[0], lines[1], lines[2], lines[3]}, *f = weights;
    const __m256 w[] = {_mm256_set1_ps(f[0]), _mm256_set1_ps(f[1]), _mm256_set1_ps(f[2]), _mm256_set1_ps(f[3])};
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        __m256i low = _mm256_packs_epi32(cubic_sum(four, i, w), cubic_sum(four, i + 8, w));
        __m256i high = _mm256_packs_epi32(cubic_sum(four, i + 16, w), cubic_sum(four, i + 24, w));
        __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
        _mm256_storeu_si256((__m256i *)(out + i), bytes);
    }
    resize_cubic_down(four, f, i, count, out);
}

const resize_filter *resize_avx2(lanert_resize resize)
{
    static const resize_filter linear = {
        2, sizeof(int16_t), sizeof(int16_t), resize_linear_weigh, linear_across, linear_down};
    static const resize_filter cubic = {4, sizeof(float), sizeof(float), resize_cubic_weigh, cubic_across, cubic_down};
    if (!__builtin_cpu_supports("avx2"))
        return NULL;
    return resize == LANERT_CUBIC ? &cubic : &linear;
}

#else

const resize_filter *resize_avx2(lanert_resize resize)
{
    (void)resize;
    return NULL;
}

#endif
