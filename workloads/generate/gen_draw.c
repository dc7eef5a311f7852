/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/gen_draw.h"

#include <assert.h>
#include <math.h>

#include "workloads/generate/gen_math.h"

#define TWO_PI 0x1.921fb54442d18p+2

void draw_init(struct draw *d, uint64_t seed, uint64_t stream)
{
    *d = (struct draw){.seed = seed, .stream = stream};
}

double draw_between(struct draw *d, double least, double most)
{
    return least + (most - least) * draw_uniform(d);
}

double draw_log_between(struct draw *d, double least, double most)
{
    return least * gen_exp(gen_log(most / least) * draw_uniform(d));
}

double draw_normal(struct draw *d)
{
    double s, c;

    if (d->has_next) {
        d->has_next = false;
        return d->next;
    }
    double radius = sqrt(-2 * gen_log(draw_uniform(d)));
    gen_sincos(TWO_PI * draw_uniform(d), &s, &c);
    d->next = radius * s;
    d->has_next = true;
    return radius * c;
}

double draw_exponential(struct draw *d)
{
    return -gen_log(draw_uniform(d));
}

/* k (1 + c N)^3, accepted below the density's bound. */
double draw_gamma(struct draw *d, double shape)
{
    const double k = shape - 1.0 / 3, c = 1 / sqrt(9 * k);

    assert(shape >= 1);
    for (;;) {
        double x = draw_normal(d), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = draw_uniform(d);
        if (gen_log(u) < 0.5 * x * x + k * (1 - v + gen_log(v)))
            return k * v;
    }
}

/* The uniforms whose product stays above e^-mean (Knuth). */
int draw_poisson(struct draw *d, double mean)
{
    double floor = gen_exp(-mean), product = draw_uniform(d);
    int n = 0;

    assert(mean >= 0 && mean <= 500);
    for (; product > floor; n++)
        product *= draw_uniform(d);
    return n;
}

bool draw_chance(struct draw *d, double probability)
{
    return draw_uniform(d) < probability;
}
