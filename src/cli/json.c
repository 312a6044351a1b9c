#include "cli/json.h"

/* Length of the UTF-8 sequence at s (RFC 3629), 0 where there is none. */
static int sequence(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    int length = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0, beyond = s[0] == 0xf4 && s[1] >= 0x90;
    return length && !overlong && !surrogate && !beyond ? length : 0;
}

void json_text(const char *text)
{
    putchar('"');
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int length = sequence(s);
        if (*s < ' ' || *s == '"' || *s == '\\')
            printf(*s < ' ' ? "\\u%04x" : "\\%c", *s);
        else if (length)
            fwrite(s, 1, (size_t)length, stdout);
        else
            fputs("\xef\xbf\xbd", stdout); /* U+FFFD */
        s += length ? length : 1;
    }
    putchar('"');
}

void json_number(double value)
{
    if (value - value == 0)
        printf("%.15g", value);
    else
        fputs("null", stdout);
}
