/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/clock_offset.h"

#include <math.h>

static const double drift = 50e-6; /* of a crystal, each way */

struct clock_offset clock_of_rounds(const struct clock_round *rounds, int n)
{
    const struct clock_round *best = rounds;

    for (int i = 1; i < n; i++)
        if (rounds[i].t1 - rounds[i].t0 < best->t1 - best->t0)
            best = &rounds[i];
    return (struct clock_offset){best->t0 + (best->t1 - best->t0) / 2 - best->there,
                                 (best->t1 - best->t0) / 2};
}

struct clock_offset clock_chain(struct clock_offset a_b, struct clock_offset b_c)
{
    return (struct clock_offset){a_b.seconds + b_c.seconds, a_b.bound + b_c.bound};
}

struct clock_offset clock_between(double t0, struct clock_offset at_t0, double t1,
                                  struct clock_offset at_t1, double at)
{
    const double part = t1 > t0 ? fmin(fmax((at - t0) / (t1 - t0), 0), 1) : 0;
    const double outside = fmax(fmax(t0 - at, at - t1), 0);

    return (struct clock_offset){at_t0.seconds + part * (at_t1.seconds - at_t0.seconds),
                                 fmax(at_t0.bound, at_t1.bound) + 2 * drift * outside};
}

void clock_constrain(struct clock_range *r, double our_begin, double our_end, double their_begin,
                     double their_end)
{
    r->most = fmin(r->most, our_end - their_begin);
    r->least = fmax(r->least, our_begin - their_end);
}
