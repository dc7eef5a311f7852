/* SPDX-License-Identifier: BSD-3-Clause */
/* Its generator. */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "workloads/generate/generator.h"
#include "workloads/philox.h"

extern const struct science science_nothing;
extern const struct generator generator_nothing;

static void *make_maker(const struct data_class *c, const struct layout *l, struct err *e)
{
    void *maker = malloc(1);

    (void)c;
    (void)l;
    if (!maker)
        err_set(e, "no memory");
    return maker;
}

static int make(void *maker, uint64_t seed, uint64_t sample, void *const field[], float *features,
                struct err *e)
{
    float *x = field[0], *mean = field[1];
    uint32_t draw[4];

    (void)maker;
    (void)e;
    philox_at(seed, sample, 0, draw);
    *mean = 0;
    for (int i = 0; i < 3; i++) {
        x[i] = (float)draw[i] * 0x1p-31F - 1;
        *mean += x[i] / 3;
    }
    *features = *mean;
    return 0;
}

/* The mean of the training labels. */
static int baselines(const float *train, size_t n, const float *validation, size_t m,
                     double value[SCIENCE_BASELINES], struct err *e)
{
    double mean = 0, error = 0;

    (void)e;
    for (size_t i = 0; i < n; i++)
        mean += (double)train[i] / (double)n;
    for (size_t i = 0; i < m; i++)
        error += fabs((double)validation[i] - mean) / (double)m;
    value[0] = error;
    return 0;
}

static void notes(const struct data_class *c, struct manifest *m)
{
    (void)c;
    manifest_note(m, "numbers", "uniform between -1 and 1");
}

static const char *libraries(void)
{
    return "";
}

const struct generator generator_nothing = {
    .science = &science_nothing,
    .features = 1,
    .open = make_maker,
    .close = free,
    .make = make,
    .baselines = baselines,
    .notes = notes,
    .libraries = libraries,
};
