#include "lane/text.h"

#include <inttypes.h>
#include <math.h>

#define LONGEST_NUMBER 320 /* "%.0f.0" of the largest double */
#define LARGEST_FIXED 1e9  /* times 1e6 still below 2^53 */

/* |v| × scale to the nearest whole number, ties to even, as if the product were exact: fma gives what the
 * product lost, which decides where the rounded one lies half way. */
static uint64_t round_product(double v, double scale)
{
    double product = v * scale, lost = fma(v, scale, -product);
    double whole = floor(product), over = product - whole - 0.5;
    bool up = over > 0 || (over == 0 && (lost > 0 || (lost == 0 && fmod(whole, 2) != 0)));
    return (uint64_t)whole + up;
}

static int format_fixed(char *text, double v, int decimals)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    if (!isfinite(v))
        return snprintf(text, LONGEST_NUMBER, "null");
    if (fabs(v) >= LARGEST_FIXED)
        return snprintf(text, LONGEST_NUMBER, "%.0f.0", v);
    uint64_t n = round_product(fabs(v), powers[decimals]), unit = (uint64_t)powers[decimals];
    return snprintf(text, LONGEST_NUMBER, "%s%" PRIu64 ".%0*" PRIu64, signbit(v) ? "-" : "", n / unit, decimals,
                    n % unit);
}

int text_fixed(buffer *out, double v, int decimals, lanert_error *err)
{
    char text[LONGEST_NUMBER];
    return buffer_add(out, text, (size_t)format_fixed(text, v, decimals), err);
}

int text_number(buffer *out, double v, int decimals, lanert_error *err)
{
    char text[LONGEST_NUMBER];
    size_t n = (size_t)format_fixed(text, v, decimals);
    while (text[n - 1] == '0' && text[n - 2] != '.')
        n--;
    return buffer_add(out, text, n, err);
}

/* The character at s, and how many bytes it takes; U+FFFD and 1 where they are not UTF-8. */
static int next_character(const unsigned char *s, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int length = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
    *code = length > 1 ? s[0] & (0x7fu >> length) : s[0];
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) /* the NUL at the end is none either */
            length = 0;
        else
            *code = *code << 6 | (s[i] & 0x3fu);
    }
    if (length && *code >= least[length] && *code <= 0x10ffff && !(*code >= 0xd800 && *code <= 0xdfff))
        return length;
    *code = 0xfffd;
    return 1;
}

static int add_character(buffer *out, uint32_t code, lanert_error *err)
{
    static const char plain[] = "\"\\\b\f\n\r\t", escaped[] = "\"\\bfnrt";
    const char *found = code && code < 0x80 ? strchr(plain, (int)code) : NULL;
    if (found)
        return buffer_format(out, err, "\\%c", escaped[found - plain]);
    if (code >= ' ' && code <= '~')
        return buffer_add(out, &(char){(char)code}, 1, err);
    if (code < 0x10000)
        return buffer_format(out, err, "\\u%04x", (unsigned)code);
    code -= 0x10000;
    return buffer_format(out, err, "\\u%04x\\u%04x", (unsigned)(0xd800 | code >> 10),
                         (unsigned)(0xdc00 | (code & 0x3ff)));
}

int text_string(buffer *out, const char *bytes, lanert_error *err)
{
    const unsigned char *s = (const unsigned char *)bytes;
    int rc = buffer_text(out, "\"", err);
    while (!rc && *s) {
        uint32_t code;
        s += next_character(s, &code);
        rc = add_character(out, code, err);
    }
    return rc ? rc : buffer_text(out, "\"", err);
}
