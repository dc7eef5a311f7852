/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/generator.h"

#ifndef SCIENCES /* a test has its own */
#define SCIENCES "workloads/data/sciences.def"
#endif

#define SCIENCE(symbol) extern const struct generator generator_##symbol;
#include SCIENCES

static const struct generator *const generators[] = {
#define SCIENCE(symbol) &generator_##symbol,
#include SCIENCES
};

const struct generator *generator_at(int i)
{
    return i >= 0 && i < (int)(sizeof generators / sizeof generators[0]) ? generators[i] : NULL;
}

const struct generator *generator_of(const struct science *s)
{
    const struct generator *g;

    for (int i = 0; (g = generator_at(i)); i++)
        if (g->science == s)
            return g;
    return NULL;
}
