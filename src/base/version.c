#include <lanert/lanert.h>

const char *lanert_version(void)
{
    return LANERT_VERSION;
}
