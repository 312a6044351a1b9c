/* lane_text.c - reads `.lines.txt`. */
#include <locale.h>
#include <math.h>

#include "eval/lane_reader.h"

#define NUMBER_MAX 400 /* characters of one number */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Space within a line. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* strtod, with a point for the decimal point. */
static bool scan_slowly(const char *from, size_t length, double *value)
{
    char copy[NUMBER_MAX + 1];
    if (length > NUMBER_MAX)
        return false;
    memcpy(copy, from, length);
    copy[length] = '\0';
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return false;
    *value = strtod_l(copy, NULL, plain);
    freelocale(plain);
    return true;
}

static bool scan_word(const char **text, const char *end, const char *word)
{
    const char *p = *text;
    for (; *word; word++, p++)
        if (p == end || (*p | 0x20) != *word)
            return false;
    *text = p;
    return true;
}

static bool scan_special(const char **text, const char *end, bool minus, double *value)
{
    if (scan_word(text, end, "nan"))
        *value = NAN;
    else if (scan_word(text, end, "infinity") || scan_word(text, end, "inf"))
        *value = minus ? -INFINITY : INFINITY;
    else
        return false;
    return true;
}

/* Skips digits, taking them into *whole; returns how many there were. */
static int scan_digits(const char **text, const char *end, uint64_t *whole)
{
    const char *p = *text;
    for (; p < end && is_digit(*p); p++)
        *whole = *whole * 10 + (uint64_t)(*p - '0'); /* wraps only where there are too many to be used */
    int count = p - *text > NUMBER_MAX ? NUMBER_MAX : (int)(p - *text);
    *text = p;
    return count;
}

/* Skips an exponent, if one is there; a value too large to matter stands for larger ones. */
static int scan_exponent(const char **text, const char *end)
{
    const char *p = *text;
    if (p == end || (*p | 0x20) != 'e')
        return 0;
    bool minus = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    int value = 0, digits = 0;
    for (; p < end && is_digit(*p); p++, digits++)
        value = value < 10000 ? value * 10 + (*p - '0') : value;
    if (!digits)
        return 0;
    *text = p;
    return minus ? -value : value;
}

/* Up to 15 digits and a power of ten up to 22 are both exact doubles, so one operation rounds correctly
 * (W. Clinger, "How to read floating point numbers accurately", 1990); strtod does the others. */
bool number_scan(const char **text, const char *end, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = *text;
    bool minus = p < end && *p == '-';
    uint64_t whole = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p < end && !is_digit(*p) && *p != '.') {
        if (!scan_special(&p, end, minus, value))
            return false;
        *text = p;
        return true;
    }
    int digits = scan_digits(&p, end, &whole), decimals = 0;
    if (p < end && *p == '.') {
        p++;
        decimals = scan_digits(&p, end, &whole);
    }
    if (digits + decimals == 0)
        return false;
    int exponent = scan_exponent(&p, end) - decimals;
    if (digits + decimals <= 15 && exponent >= -22 && exponent <= 22) {
        *value = exponent < 0 ? (double)whole / power[-exponent] : (double)whole * power[exponent];
        *value = minus ? -*value : *value;
    } else if (!scan_slowly(*text, (size_t)(p - *text), value)) {
        return false;
    }
    *text = p;
    return true;
}

/* What stands at p, for a message: printable, and not long. */
static int refuse_word(const lane_set *set, int line, const char *p, const char *end, lanert_error *err)
{
    char word[25];
    size_t n = 0;
    for (; p < end && !is_blank(*p) && !is_line_end(*p) && n + 1 < sizeof word; p++)
        word[n++] = *p >= ' ' && *p <= '~' ? *p : '?';
    word[n] = '\0';
    return error_set(err, LANERT_EFORMAT, "%s:%d: \"%s\" is not a number; expected pairs of numbers, x and y",
                     set->name, line, word);
}

static int read_line(const char *p, const char *end, int line, lane_set *set, lanert_error *err)
{
    double number[2];
    int have = 0, rc = lane_set_begin(set, line, err);
    while (!rc) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            break;
        const char *word = p;
        if (!number_scan(&p, end, &number[have]) || (p < end && !is_blank(*p)))
            return refuse_word(set, line, word, end, err);
        if (++have == 2) {
            rc = lane_set_add(set, number[0], number[1], err);
            have = 0;
        }
    }
    if (!rc && have)
        rc = error_set(err, LANERT_EFORMAT, "%s:%d: %zu numbers; expected pairs of numbers, x and y", set->name, line,
                       2 * set->lanes[set->lane_count - 1].count + 1);
    if (!rc && set->lanes[set->lane_count - 1].count < 2)
        lane_set_drop(set);
    return rc;
}

int lanes_read_text(const char *text, size_t size, const char *name, lane_set *set, lanert_error *err)
{
    const char *end = text + size;
    int rc = 0;
    lane_set_clear(set, name);
    for (int line = 1; !rc && text < end; line++) {
        const char *stop = text;
        while (stop < end && !is_line_end(*stop))
            stop++;
        rc = read_line(text, stop, line, set, err);
        text = stop < end ? stop + 1 : end;
        if (stop < end && *stop == '\r' && text < end && *text == '\n')
            text++;
    }
    return rc;
}
