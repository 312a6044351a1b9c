/* cpu.h - what the processor is and can do. */
#ifndef CLI_CPU_H
#define CLI_CPU_H

#include <stdbool.h>

typedef struct cpu {
    char model[128];
    char flags[4096]; /* " avx avx2 … " */
    long threads;
    double memory_gb;
} cpu;

/* Flags of /proc/cpuinfo that engines and our own kernels use; NULL at the end. */
extern const char *const cpu_features[];

void cpu_look(cpu *c);
bool cpu_has(const cpu *c, const char *feature);

#endif
