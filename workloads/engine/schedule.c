/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/schedule.h"

#include <math.h>

/* The part of the base that the schedule's kind leaves at this place. */
static double fallen(const struct schedule *s, double epoch)
{
    double x = s->epochs > 0 && epoch < s->epochs ? epoch / s->epochs : 1;
    double left = 1;

    switch (s->kind) {
    case SCHEDULE_STEPS:
        return 1;
    case SCHEDULE_POLYNOMIAL:
        left = pow(1 - x, s->power);
        break;
    case SCHEDULE_COSINE:
        left = (1 + cos(3.14159265358979323846 * x)) / 2;
        break;
    }
    return s->end_factor + (1 - s->end_factor) * left;
}

double schedule_rate(const struct schedule *s, double epoch)
{
    double factor = 1;

    for (int i = 0; i < s->n_decays; i++)
        if (epoch >= s->decays[i].epoch)
            factor = s->decays[i].factor;
    if (epoch < s->warmup_epochs)
        factor *= s->warmup_factor + (1 - s->warmup_factor) * epoch / s->warmup_epochs;
    return s->base * factor * fallen(s, epoch);
}
