#include "cli/cpu.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* x86 and Arm names. */
const char *const cpu_features[] = {"sse4_1",   "avx",         "avx2",        "fma",      "f16c",
                                    "avx512f",  "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile",
                                    "amx_bf16", "amx_int8",    "asimd",       "asimdhp",  "asimddp",
                                    "bf16",     "i8mm",        "sve",         NULL};

/* Copies what follows "name<tab>: " on the first line that has it. */
static void take_line(const char *line, const char *name, char *out, size_t size)
{
    const char *colon = strchr(line, ':');
    if (*out || !colon || strncmp(line, name, strlen(name)))
        return;
    colon += 1 + strspn(colon + 1, " ");
    snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
}

void cpu_look(cpu *c)
{
    char line[sizeof c->flags], flags[sizeof c->flags - 2] = "";
    *c = (cpu){.threads = sysconf(_SC_NPROCESSORS_ONLN)};
    c->memory_gb = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) / 1e9;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        take_line(line, "model name", c->model, sizeof c->model);
        take_line(line, "flags", flags, sizeof flags);
        take_line(line, "Features", flags, sizeof flags);
    }
    if (f)
        fclose(f);
    snprintf(c->flags, sizeof c->flags, " %s ", flags);
}

bool cpu_has(const cpu *c, const char *feature)
{
    char word[64];
    snprintf(word, sizeof word, " %s ", feature);
    return strstr(c->flags, word) != NULL;
}
