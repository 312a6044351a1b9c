#include "cli/scheduling.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A number at *text, which is moved behind it. */
static bool take_number(const char **text, long high, long *value)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *value = strtol(*text, &end, 10);
    *text = end;
    return !errno && *value <= high;
}

static bool read_cpus(const char *text, cpu_set_t *set)
{
    CPU_ZERO(set);
    for (;; text++) {
        long first, last;
        if (!take_number(&text, CPU_SETSIZE - 1, &first))
            return false;
        last = first;
        if (*text == '-' && (text++, !take_number(&text, CPU_SETSIZE - 1, &last) || last < first))
            return false;
        for (long i = first; i <= last; i++)
            CPU_SET((size_t)i, set);
        if (*text != ',')
            return !*text;
    }
}

bool scheduling_parse_cpus(scheduling *s, const char *value)
{
    cpu_set_t set;
    s->cpus = value;
    if (read_cpus(value, &set))
        return true;
    say_usage("--cpus is '%s'; expected processors, 0 to %d, such as 0-3,6", value, CPU_SETSIZE - 1);
    return false;
}

int scheduling_cpu_count(const scheduling *s)
{
    cpu_set_t set;
    return s->cpus && read_cpus(s->cpus, &set) ? CPU_COUNT(&set) : 0;
}

static bool read_priority(const char *text, bool *fifo, int *level)
{
    char *end;
    *fifo = !strncmp(text, "fifo:", 5);
    if (!*fifo && strncmp(text, "nice:", 5))
        return false;
    errno = 0;
    long n = strtol(text + 5, &end, 10);
    *level = (int)n;
    return !errno && end != text + 5 && !*end && (*fifo ? n >= 1 && n <= 99 : n >= -20 && n <= 19);
}

bool scheduling_parse_priority(scheduling *s, const char *value)
{
    bool fifo;
    int level;
    s->priority = value;
    if (read_priority(value, &fifo, &level))
        return true;
    say_usage("--priority is '%s'; expected nice:N, -20 to 19, or fifo:N, 1 to 99", value);
    return false;
}

/* The kernel drops processors that this process may not use, as long as one is left. */
static bool set_cpus(const char *cpus, char *why, size_t size)
{
    cpu_set_t wanted, got;
    read_cpus(cpus, &wanted);
    if (sched_setaffinity(0, sizeof wanted, &wanted) && errno != EINVAL) {
        snprintf(why, size, "--cpus %s: %s", cpus, strerror(errno));
        return false;
    }
    if (!sched_getaffinity(0, sizeof got, &got) && CPU_EQUAL(&wanted, &got))
        return true;
    int missing = 0;
    while (missing < CPU_SETSIZE - 1 && (!CPU_ISSET((size_t)missing, &wanted) || CPU_ISSET((size_t)missing, &got)))
        missing++;
    snprintf(why, size, "--cpus %s: there is no processor %d, or this process may not use it", cpus, missing);
    return false;
}

static bool set_priority(const char *priority, char *why, size_t size)
{
    bool fifo = false;
    int level = 0;
    read_priority(priority, &fifo, &level);
    const struct sched_param param = {.sched_priority = level};
    if (!(fifo ? sched_setscheduler(0, SCHED_FIFO, &param) : setpriority(PRIO_PROCESS, 0, level)))
        return true;
    if (errno == EPERM || errno == EACCES)
        snprintf(why, size,
                 "--priority %s: the system does not permit it: run as root or with CAP_SYS_NICE (in a container: "
                 "--cap-add SYS_NICE), or have a line 'USER - %s %d' in /etc/security/limits.conf and log in again",
                 priority, fifo ? "rtprio" : "nice", level);
    else
        snprintf(why, size, "--priority %s: %s", priority, strerror(errno));
    return false;
}

bool scheduling_apply(const scheduling *s, char *why, size_t size)
{
    return (!s->cpus || set_cpus(s->cpus, why, size)) && (!s->priority || set_priority(s->priority, why, size));
}
