/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/generator.h"

#define SCIENCE(symbol) extern const struct generator generator_##symbol;
#include "workloads/data/sciences.def"

static const struct generator *const generators[] = {
#define SCIENCE(symbol) &generator_##symbol,
#include "workloads/data/sciences.def"
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
