#include "frame/display_matrix.h"

#include <math.h>
#include <stdbool.h>

/* The tangent of a degree. */
#define NEARLY_NONE 0.0175

/* Whether both are nothing, beside others that are not. */
static bool vanish(double p, double q, double r, double s)
{
    double most = NEARLY_NONE * fmin(fabs(r), fabs(s));
    return most > 0 && fabs(p) <= most && fabs(q) <= most;
}

int display_matrix_orientation(const int32_t matrix[9])
{
    double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    if (vanish(b, c, a, d))
        return a > 0 ? d > 0 ? 1 : 4 : d > 0 ? 2 : 3;
    if (vanish(a, d, b, c))
        return b > 0 ? c > 0 ? 5 : 6 : c > 0 ? 8 : 7;
    return 1;
}
