/* outputs.h - the -o and --format options of one command, and the sinks they become. */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/cli.h"

#define OUTPUTS_MAX 8

typedef struct output {
    const char *path, *format; /* format NULL: told by the path */
    lanert_sink *sink;
} output;

typedef struct outputs {
    output list[OUTPUTS_MAX];
    int count;
    const char *pending_format; /* a --format that waits for its -o */
} outputs;

/* A --format belongs to the -o before it if that has none yet, else to the next one. Each says what is
 * wrong and returns false. */
bool outputs_add_path(outputs *o, const char *path);
bool outputs_add_format(outputs *o, const char *format);
bool outputs_check(const outputs *o);

/* False, and said, where an output is this input: writing it would destroy what is read. */
bool outputs_spare(const outputs *o, const char *input);

/* True where one of them is standard output. */
bool outputs_use_stdout(const outputs *o);

/* Whether a file can be put under that name at the end, told before the work: EXIT_DONE, or the exit status of what was
 * said to be wrong. */
int output_file_check(const char *path, bool force);

/* The same of those outputs that are files and there. */
int outputs_check_files(const outputs *o, bool force);

/* "folder/name", to be freed; NULL: no memory. */
char *output_join(const char *folder, const char *name);

/* Makes a folder, and those above it; as output_file_check. */
int output_folder_make(const char *path);

int outputs_open(outputs *o, const lanert_sink_options *options, lanert_error *err);
int outputs_write(outputs *o, const lanert_frame *frame, const lanert_result *result, lanert_error *err);
/* Says what is written, and by which encoder; after the first frame. */
void outputs_say(const outputs *o);
/* Finishes all, even where one fails; the first failure is told. */
int outputs_finish(outputs *o, lanert_error *err);
void outputs_close(outputs *o);

#endif
