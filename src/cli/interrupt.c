#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

static volatile sig_atomic_t caught, at_once = -1;

static void catch_signal(int number)
{
    static const char words[] = "lanert: interrupted: nothing was written\n";
    (void)number;
    caught = 1;
    if (at_once >= 0)
        _exit(write(STDERR_FILENO, words, sizeof words - 1) < 0 ? EXIT_FAILED : at_once);
}

void interrupt_at_once(int status)
{
    at_once = status;
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
