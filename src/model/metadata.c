#include "model/metadata.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define DECIMALS 6
#define MAX_DIGITS 9

void decimal_format(float number, char text[32])
{
    long long millionths = llround((double)number * 1e6);
    snprintf(text, 32, "%lld.%0*lld", millionths / 1000000, DECIMALS, millionths % 1000000);
    char *end = text + strlen(text);
    while (end[-1] == '0')
        *--end = '\0';
    if (end[-1] == '.')
        end[-1] = '\0';
}

bool decimal_parse(const char *text, float *number)
{
    double sum = 0, unit = 1;
    int whole = 0, fraction = 0;
    for (; isdigit((unsigned char)*text); text++, whole++)
        sum = sum * 10 + (*text - '0');
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text); text++, fraction++) {
            sum = sum * 10 + (*text - '0');
            unit *= 10;
        }
    if (*text || whole < 1 || whole > MAX_DIGITS || fraction > MAX_DIGITS)
        return false;
    *number = (float)(sum / unit);
    return true;
}
