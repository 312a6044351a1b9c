#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"detect", "find lanes in pictures, videos and cameras", cmd_detect},
    {"convert", "make a model of a CLRNet checkpoint", cmd_convert},
    {"quantize", "make a model in eight bits of one in fp32", cmd_quantize},
    {"build", "make a TensorRT engine of a model, for this machine's GPU", cmd_build},
    {"val", "measure accuracy as the benchmarks do, or compare two models", cmd_val},
    {"bench", "measure how fast models run", cmd_bench},
    {"inspect", "say what a checkpoint or model is", cmd_inspect},
    {"doctor", "say what this machine has and lacks", cmd_doctor},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static int print_usage(void)
{
    printf("lanert - lane detection with CLRNet\n\nusage: lanert COMMAND [OPTION]... [ARGUMENT]...\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].what);
    return print_help("\n'lanert COMMAND --help' says more; 'lanert --version' which version this is.\n");
}

int main(int argc, char **argv)
{
    /* A reader of our output that leaves is a write error, to be reported as such; so is a file that grows
     * over the limit set for it. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* Else ONNX Runtime, from release 1.32 on, keeps a device's id and events under ~/.cache for its maker to fetch. */
    setenv("ORT_DISABLE_TELEMETRY", "1", 0);
    /* Larger blocks are mapped, and so go back to the system when they are freed: what an engine takes while it
     * compiles a model would else stay with the process. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    if (argc < 2)
        return print_usage(), EXIT_USAGE;
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return print_usage();
    if (!strcmp(name, "--version") || !strcmp(name, "-V"))
        return printf("lanert %s\n", lanert_version()) < 0 ? EXIT_FAILED : EXIT_DONE;
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!strcmp(name, commands[i].name)) {
            say_command(name);
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return say_usage(*name == '-' ? "unknown option '%s'" : "there is no command '%s'", name);
}
