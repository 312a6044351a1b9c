/* scheduling.h - the options that say which processors a command's threads run on, and how urgently. What is set before
 * anything is opened, all threads inherit: those of the program, of the engines and of the decoders. */
#ifndef CLI_SCHEDULING_H
#define CLI_SCHEDULING_H

#include "cli/cli.h"

/* As the options had them; NULL: not said. */
typedef struct scheduling {
    const char *cpus;     /* "0-3,6" */
    const char *priority; /* "nice:N" or "fifo:N" */
} scheduling;

/* clang-format off */
#define SCHEDULING_HELP \
    "      --cpus LIST            run on these processors only, such as 0-3,6: all threads, the engine's too\n" \
    "      --priority nice:N      run at this niceness, -20 (first) to 19\n" \
    "      --priority fifo:N      run before all other programs, at this real-time priority, 1 to 99\n"
/* clang-format on */

/* Each takes the option's value, says what is wrong with it and returns false. */
bool scheduling_parse_cpus(scheduling *s, const char *value);
bool scheduling_parse_priority(scheduling *s, const char *value);

/* How many processors were listed; 0: none. */
int scheduling_cpu_count(const scheduling *s);

/* Of the thread that calls, for the threads that it will start. Where the system does not permit it, or there is no
 * such processor, `why` says so and what to do, and false is returned. */
bool scheduling_apply(const scheduling *s, char *why, size_t size);

#endif
