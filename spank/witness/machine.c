/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/witness/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first row whose flag the processor has is what it can do. */
struct ability {
    const char *flag;
    double per_cycle;
};

static const struct ability f32[] = {{"avx512f", 64}, {"fma", 32}, {"avx", 16}, {"sse2", 8}};
static const struct ability bf16[] = {{"amx_bf16", 2048}, {"avx512_bf16", 128}};

static bool has_flag(const char *flags, const char *flag)
{
    size_t n = strlen(flag);

    for (const char *at = flags; (at = strstr(at, flag)); at += n)
        if (at > flags && at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n' || !at[n]))
            return true;
    return false;
}

static double best(const char *flags, const struct ability *rows, size_t n, double otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (has_flag(flags, rows[i].flag))
            return rows[i].per_cycle;
    return otherwise;
}

void machine_read(struct witness *w, const char *path)
{
    FILE *f = fopen(path ? path : "/proc/cpuinfo", "re");
    char *line = NULL;
    size_t room = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    double per_cycle = NAN, reduced = NAN;

    while (f && isnan(per_cycle) && getline(&line, &room, f) > 0)
        if (strncmp(line, "flags", 5) == 0) {
            per_cycle = best(line, f32, sizeof f32 / sizeof *f32, NAN);
            reduced = best(line, bf16, sizeof bf16 / sizeof *bf16, per_cycle);
        }
    free(line);
    if (f)
        fclose(f);
    w->cpus = cpus > 0 ? (double)cpus : NAN;
    w->flop_f32 = w->cpus * MACHINE_HERTZ * per_cycle;
    w->flop_bf16 = w->cpus * MACHINE_HERTZ * reduced;
}
