#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench.h"

extern char **environ;

/* An answer is a report at most: some kilobytes. */
#define MAX_ANSWER ((size_t)16 << 20)

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In a process group of its own, so that Ctrl-C on the terminal is for the program alone, which passes it on. */
static bool spawn(bench_child *child, int in, int out)
{
    static char name[] = "lanert", command[] = "bench", option[] = "--worker";
    char *argv[] = {name, command, option, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions))
        return false;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        return false;
    }
    bool done = !posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO) &&
                !posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) &&
                !posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP) &&
                !posix_spawn(&child->pid, "/proc/self/exe", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return done;
}

bool bench_child_start(bench_child *child)
{
    int requests[2] = {-1, -1}, answers[2] = {-1, -1};
    *child = (bench_child){.to = -1, .from = -1};
    bool done = !pipe2(requests, O_CLOEXEC) && !pipe2(answers, O_CLOEXEC) && spawn(child, requests[0], answers[1]);
    close_fd(&requests[0]);
    close_fd(&answers[1]);
    if (!done) {
        child->pid = 0;
        close_fd(&requests[1]);
        close_fd(&answers[0]);
    }
    child->to = requests[1];
    child->from = answers[0];
    return done;
}

static bool send_line(int fd, const char *line)
{
    size_t left = strlen(line);
    while (left) {
        ssize_t n = write(fd, line, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        line += n;
        left -= (size_t)n;
    }
    return true;
}

/* One line, NUL for its end, to be freed; NULL where the process ended. An interruption is passed on once: the worker
 * ends its round and answers. */
static char *receive_line(bench_child *child)
{
    size_t size = 0, capacity = 4096;
    char *line = malloc(capacity);
    while (line && capacity <= MAX_ANSWER) {
        if (interrupted() && !child->told)
            child->told = kill(child->pid, SIGINT) == 0;
        ssize_t n = read(child->from, line + size, capacity - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size += (size_t)n;
        if (line[size - 1] == '\n') {
            line[size - 1] = '\0';
            return line;
        }
        if (size == capacity) {
            char *grown = realloc(line, capacity *= 2);
            if (!grown)
                break;
            line = grown;
        }
    }
    free(line);
    return NULL;
}

/* Why there was no answer. */
static json_t *say_end(bench_child *child)
{
    int status = 0;
    close_fd(&child->to);
    close_fd(&child->from);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    if (WIFSIGNALED(status))
        return json_pack("{s:o}", "error",
                         json_sprintf("the process that measured was ended by signal %d (%s)", WTERMSIG(status),
                                      strsignal(WTERMSIG(status))));
    return json_pack("{s:o}", "error",
                     json_sprintf("the process that measured ended, with status %d", WEXITSTATUS(status)));
}

json_t *bench_child_ask(bench_child *child, json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
    json_t *answer = NULL;
    json_decref(request);
    if (!text)
        return NULL;
    if (send_line(child->to, text) && send_line(child->to, "\n") && (line = receive_line(child)))
        answer = json_loads(line, 0, NULL);
    free(text);
    free(line);
    if (json_is_object(answer))
        return answer;
    json_decref(answer);
    return say_end(child);
}

void bench_child_end(bench_child *child)
{
    if (!child->pid)
        return;
    close_fd(&child->to);
    close_fd(&child->from);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
}
