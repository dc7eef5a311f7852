/* SPDX-License-Identifier: BSD-3-Clause */
/* Latency of the memory: each load's address is what the one before it found. */
#include <config.h>

#include <stdlib.h>

#include "reports/core/clock.h"
#include "workloads/node/speed.h"
#include "workloads/philox.h"

enum { LINES = 1 << 20, LINE = 64 / sizeof(uint64_t) }; /* 64 MiB */

struct chase {
    uint64_t *next; /* [LINES * LINE]: index of the next line's first word */
    uint64_t at;
};

/* One ring through all lines (Sattolo 1986). */
static void link_lines(uint64_t *next, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    for (uint64_t i = 0; i < LINES; i++)
        next[i * LINE] = i * LINE;
    for (uint64_t i = LINES - 1; i > 0; i--) {
        uint32_t at[4] = {(uint32_t)i, 0, 0, UINT32_C(0x63686173)};
        philox4x32(at, key, at);
        uint64_t j = ((uint64_t)at[0] * i) >> 32, t = next[i * LINE];
        next[i * LINE] = next[j * LINE];
        next[j * LINE] = t;
    }
}

struct chase *chase_open(uint64_t seed, struct err *e)
{
    struct chase *c = calloc(1, sizeof *c);

    if (!c || !(c->next = aligned_alloc(64, (size_t)LINES * LINE * sizeof *c->next))) {
        free(c);
        err_set(e, "out of memory for a chase of 64 MiB");
        return NULL;
    }
    link_lines(c->next, seed);
    return c;
}

double chase_load_seconds(struct chase *c, double seconds)
{
    double begin = clock_now(), took = 0;
    uint64_t at = c->at;
    long loads = 0;

    for (; took < seconds; took = clock_now() - begin) {
        for (int i = 0; i < 4096; i++)
            at = c->next[at];
        loads += 4096;
    }
    c->at = at; /* what was found is used: the loads cannot be left out */
    return took / (double)loads;
}

void chase_close(struct chase *c)
{
    if (!c)
        return;
    free(c->next);
    free(c);
}
