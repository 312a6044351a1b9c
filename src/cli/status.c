#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static bool can_be_read(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

int status_of(int rc, const char *input)
{
    switch (rc) {
    case 0:
        return EXIT_DONE;
    case LANERT_EINVAL:
        return EXIT_USAGE;
    case LANERT_ENOTFOUND: /* the input, or what works on it */
        return can_be_read(input) ? EXIT_MODEL : EXIT_INPUT;
    case LANERT_EIO: /* of the one file or the other */
        return can_be_read(input) ? EXIT_FAILED : EXIT_INPUT;
    case LANERT_EEXIST:
    case LANERT_ENOMEM:
    case LANERT_END:
        return EXIT_FAILED;
    default:
        return EXIT_MODEL;
    }
}
