#include "model/metadata.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define MAX_WHOLE 9
#define MAX_DECIMALS 12

int decimal_format(float number, int decimals, char text[DECIMAL_TEXT])
{
    long long unit = 1;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    long long n = llround((double)number * (double)unit);
    int length = snprintf(text, DECIMAL_TEXT, "%lld.%0*lld", n / unit, decimals, n % unit);
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    text[length] = '\0';
    return length;
}

const char *decimal_scan(const char *text, float *number)
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
    if (whole < 1 || whole > MAX_WHOLE || fraction > MAX_DECIMALS)
        return NULL;
    *number = (float)(sum / unit);
    return text;
}

bool decimal_parse(const char *text, float *number)
{
    const char *end = decimal_scan(text, number);
    return end && !*end;
}
