#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

static volatile sig_atomic_t caught, at_once;

static void catch_signal(int number)
{
    (void)number;
    caught = 1;
    if (at_once)
        _exit(EXIT_DONE);
}

void interrupt_at_once(bool on)
{
    at_once = on;
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
