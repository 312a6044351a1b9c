#include <signal.h>

#include "cli/cli.h"

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
    (void)number;
    caught = 1;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = catch_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool interrupted(void)
{
    return caught;
}
