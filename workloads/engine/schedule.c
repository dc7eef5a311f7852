/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/schedule.h"

double schedule_rate(const struct schedule *s, double epoch)
{
    double factor = 1;

    for (int i = 0; i < s->n_decays; i++)
        if (epoch >= s->decays[i].epoch)
            factor = s->decays[i].factor;
    if (epoch < s->warmup_epochs)
        factor *= s->warmup_factor + (1 - s->warmup_factor) * epoch / s->warmup_epochs;
    return s->base * factor;
}
