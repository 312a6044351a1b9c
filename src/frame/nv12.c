#include "frame/nv12.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Sums are integers of 1/32 level. Luma enters as 64 times its value, chroma as 128 times, so that the weights
 * (luma's of 16384, chroma's of 8192) fit 16 bits and one rounded multiplication (a·b/32768) gives that unit. */
typedef struct nv12_matrix {
    int16_t black; /* the luma of black */
    int16_t luma, red_v, green_u, green_v, blue_u;
} nv12_matrix;

#define ROUND16(x) (int16_t)((x) + 0.5)
/* kr, kb: the shares of red and blue in luma; ys, cs: what luma and chroma are stretched by to fill 0 to 255. */
#define MATRIX(black, kr, kb, ys, cs)                                                                                  \
    {                                                                                                                  \
        (black), ROUND16((ys)*16384), ROUND16(2 * (1 - (kr)) * (cs)*8192),                                             \
            ROUND16(2 * (1 - (kb)) * (kb) / (1 - (kr) - (kb)) * (cs)*8192),                                            \
            ROUND16(2 * (1 - (kr)) * (kr) / (1 - (kr) - (kb)) * (cs)*8192), ROUND16(2 * (1 - (kb)) * (cs)*8192)        \
    }

/* ITU-R BT.601 and BT.709, with luma 16 to 235 and chroma 16 to 240, or both 0 to 255. */
static const nv12_matrix matrices[] = {
    [LANERT_BT601_LIMITED] = MATRIX(16, 0.299, 0.114, 255.0 / 219, 255.0 / 224),
    [LANERT_BT709_LIMITED] = MATRIX(16, 0.2126, 0.0722, 255.0 / 219, 255.0 / 224),
    [LANERT_BT601_FULL] = MATRIX(0, 0.299, 0.114, 1.0, 1.0),
    [LANERT_BT709_FULL] = MATRIX(0, 0.2126, 0.0722, 1.0, 1.0),
};

nv12_row *nv12_best(void)
{
    nv12_row *avx2 = nv12_avx2();
    return avx2 ? avx2 : nv12_plain();
}

/* ---- plain C --------------------------------------------------------------------------------- */

/* a·b/32768, rounded: what pmulhrsw computes. */
static inline int scaled(int a, int b)
{
    return (a * b + 16384) >> 15;
}

static inline uint8_t to_byte(int sum)
{
    int level = (sum + 16) >> 5;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static void plain_span(const uint8_t *y, const uint8_t *uv, int from, int to, const nv12_matrix *m, uint8_t *bgr)
{
    for (int i = from; i < to; i++) {
        int luma = y[i] > m->black ? scaled((y[i] - m->black) * 64, m->luma) : 0;
        int u = (uv[i & ~1] - 128) * 128, v = (uv[i | 1] - 128) * 128;
        bgr[3 * i] = to_byte(luma + scaled(u, m->blue_u));
        bgr[3 * i + 1] = to_byte(luma - scaled(u, m->green_u) - scaled(v, m->green_v));
        bgr[3 * i + 2] = to_byte(luma + scaled(v, m->red_v));
    }
}

static void plain_row(const uint8_t *y, const uint8_t *uv, int width, lanert_colour colour, uint8_t *bgr)
{
    plain_span(y, uv, 0, width, &matrices[colour], bgr);
}

nv12_row *nv12_plain(void)
{
    return plain_row;
}

/* ---- AVX2 ------------------------------------------------------------------------------------ */

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

/* 16 sums to bytes, in the low half of each lane. */
AVX2 static inline __m256i sums_to_bytes(__m256i sums)
{
    __m256i levels = _mm256_srai_epi16(_mm256_add_epi16(sums, _mm256_set1_epi16(16)), 5);
    return _mm256_packus_epi16(levels, levels);
}

/* 8 pixels a lane, from three registers with a colour each in the low half of the lanes, to 24 bytes a lane; writes
 * 4 bytes more. */
AVX2 static inline void store_bgr(__m256i blue, __m256i green, __m256i red, uint8_t *bgr)
{
    const __m256i drop_fourth =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    __m256i bg = _mm256_unpacklo_epi8(blue, green), rr = _mm256_unpacklo_epi8(red, red);
    __m256i first = _mm256_shuffle_epi8(_mm256_unpacklo_epi16(bg, rr), drop_fourth);
    __m256i second = _mm256_shuffle_epi8(_mm256_unpackhi_epi16(bg, rr), drop_fourth);
    _mm_storeu_si128((__m128i *)bgr, _mm256_castsi256_si128(first));
    _mm_storeu_si128((__m128i *)(bgr + 12), _mm256_castsi256_si128(second));
    _mm_storeu_si128((__m128i *)(bgr + 24), _mm256_extracti128_si256(first, 1));
    _mm_storeu_si128((__m128i *)(bgr + 36), _mm256_extracti128_si256(second, 1));
}

AVX2 static void avx2_row(const uint8_t *y, const uint8_t *uv, int width, lanert_colour colour, uint8_t *bgr)
{
    const nv12_matrix *m = &matrices[colour];
    const __m256i luma_weight = _mm256_set1_epi16(m->luma), blue_u = _mm256_set1_epi16(m->blue_u);
    const __m256i green_u = _mm256_set1_epi16(m->green_u), green_v = _mm256_set1_epi16(m->green_v);
    const __m256i red_v = _mm256_set1_epi16(m->red_v), grey = _mm256_set1_epi16(128);
    const __m128i black = _mm_set1_epi8((char)m->black);
    const __m128i repeat_u = _mm_setr_epi8(0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
    const __m128i repeat_v = _mm_add_epi8(repeat_u, _mm_set1_epi8(1));
    int i = 0;
    for (; i + 16 <= width; i += 16) {
        __m128i chroma = _mm_loadu_si128((const __m128i *)(uv + i));
        __m128i above = _mm_subs_epu8(_mm_loadu_si128((const __m128i *)(y + i)), black);
        __m256i u = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(chroma, repeat_u));
        __m256i v = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(chroma, repeat_v));
        __m256i luma = _mm256_mulhrs_epi16(_mm256_slli_epi16(_mm256_cvtepu8_epi16(above), 6), luma_weight);
        u = _mm256_slli_epi16(_mm256_sub_epi16(u, grey), 7);
        v = _mm256_slli_epi16(_mm256_sub_epi16(v, grey), 7);
        __m256i green =
            _mm256_sub_epi16(_mm256_sub_epi16(luma, _mm256_mulhrs_epi16(u, green_u)), _mm256_mulhrs_epi16(v, green_v));
        store_bgr(sums_to_bytes(_mm256_add_epi16(luma, _mm256_mulhrs_epi16(u, blue_u))), sums_to_bytes(green),
                  sums_to_bytes(_mm256_add_epi16(luma, _mm256_mulhrs_epi16(v, red_v))), bgr + 3 * i);
    }
    plain_span(y, uv, i, width, m, bgr);
}

nv12_row *nv12_avx2(void)
{
    return __builtin_cpu_supports("avx2") ? avx2_row : NULL;
}

#else

nv12_row *nv12_avx2(void)
{
    return NULL;
}

#endif
