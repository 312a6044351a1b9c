/* cli.h - what the subcommands share. The program uses nothing of the library but lanert.h. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>

#include <lanert/lanert.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_MODEL = 3, EXIT_INPUT = 4, EXIT_GATE = 5 };

/* One file a subcommand: cmd_<name>.c. */
int cmd_bench(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_detect(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_quantize(int argc, char **argv);
int cmd_val(int argc, char **argv);

/* ---- words.c: what is said to people, on stderr ---- */

/* "lanert detect: …", whatever -q says. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and where to find help; returns EXIT_USAGE. */
int say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line of what is going on, on stderr, with nothing in front. */
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The "s" of a plural: "" of one. */
const char *plural(int64_t count);
/* Prints a help text to stdout; returns EXIT_DONE, or EXIT_FAILED where stdout is broken. */
int print_help(const char *text);
/* The subcommand in front of each message. */
void say_command(const char *name);

/* ---- status.c ---- */

/* The exit status of what makes one file of another, `input`, and ended with rc. */
int status_of(int rc, const char *input);

/* ---- options.c ---- */

/* getopt_long, with `shorts` beginning in ':'. '?' where an option is unknown, ambiguous, or has a value too few or too
 * many, which is said. */
int option_next(int argc, char **argv, const char *shorts, const struct option *longs);

/* Values of options; each says what is wrong and returns false. */
bool option_int(const char *option, const char *text, int low, int high, int *value);
bool option_double(const char *option, const char *text, double low, double high, double *value);
/* One of the names, as its place in the list (NULL at the end). */
bool option_name(const char *option, const char *text, const char *const *names, int *value);
bool option_precision(const char *text, lanert_precision *value);
/* "auto", "off" or milliseconds, as lanert_run_options has them. */
bool option_deadline(const char *text, double *value);

/* ---- interrupt.c ---- */

/* The first Ctrl-C (SIGINT, SIGTERM, SIGHUP) asks for a clean end; the second ends at once. */
void interrupt_catch(void);
/* The first ends at once too, with this status, until it is -1 again: for waits that nothing else can end, with nothing
 * yet to lose. */
void interrupt_at_once(int status);
bool interrupted(void);

/* ---- open_source.c ---- */

/* As lanert_source_open, of a spec that lives as long as the program; LANERT_END once should_stop, asked twenty times a
 * second, is not 0: what is still being opened is then left behind, and the program is to end soon. */
int open_source(const char *spec, lanert_should_stop *should_stop, void *context, lanert_source **source,
                lanert_error *err);

/* ---- progress.c: one line on stderr, rewritten in place; nothing where stderr is no terminal ---- */

typedef struct progress {
    bool on, drawn;
    double next_s, start_s;
    int64_t total; /* -1: not known */
} progress;

double now_s(void);
void progress_start(progress *p, int64_t total, bool quiet);
/* True when it is time to draw again, five times a second. */
bool progress_due(progress *p);
/* `words` follow the count, the share and the time left. */
void progress_draw(progress *p, int64_t count, const char *words);
/* Wipes the line, so that a message can be printed. */
void progress_clear(progress *p);

#endif
