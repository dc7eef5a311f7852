/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/series.h"

#include <math.h>

void series_init(struct series *s)
{
    *s = (struct series){
        .curve = {-1},
        .transport = {NAN, NAN, NAN, NAN},
        .memory_low = NAN,
        .memory_high = NAN,
        .bf16 = NAN,
        .half_batch = NAN,
        .yardstick_moved = NAN,
        .yardstick_spread = NAN,
        .split = true,
        .cores_left = NAN,
    };
}

static bool step_is_whole(const struct series_step *p)
{
    const float parts[] = {p->between, p->input, p->cpu,  p->withheld,
                           p->lib,     p->tail,  p->exit, p->update};

    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!isfinite(parts[i]) || parts[i] < 0)
            return false;
    return isfinite(p->ready);
}

int series_check(const struct series *s, struct err *e)
{
    if (s->ranks < 1 || s->ranks > SERIES_RANKS || s->buckets > SERIES_BUCKETS)
        return err_set(e, "steps of %d ranks with %d buckets cannot be simulated", s->ranks,
                       s->buckets);
    if (s->steps < SERIES_LEAST)
        return err_set(e, "there are %ld steady steps; a prediction needs %d", s->steps,
                       SERIES_LEAST);
    for (long k = 0; k < s->steps * s->ranks; k++)
        if (!step_is_whole(&s->step[k]))
            return err_set(e, "the times of step %ld of rank %ld are not times", k % s->steps,
                           k / s->steps);
    for (int b = 0; b < s->buckets; b++)
        if (!(s->bytes[b] > 0 && s->ready[b] >= 0 && s->ready[b] <= 1))
            return err_set(e, "bucket %d has no bytes, or is ready at no time of a step", b);
    return 0;
}

void series_arrivals(const struct series *s, double *last)
{
    for (long k = 0; k < s->steps; k++) {
        last[k] = -INFINITY;
        for (int i = 0; i < s->ranks; i++)
            last[k] = fmax(last[k], series_at(s, i, k)->ready);
    }
}

double series_period(const struct series *s, long from, long to)
{
    double sum = 0;
    long n = 0;

    for (long k = from + 1; k < to; k++)
        if (!s->first[k]) {
            sum += s->last[k] - s->last[k - 1];
            n++;
        }
    return n ? sum / (double)n : NAN;
}

struct series_parts series_split(const struct series *s)
{
    const double n = (double)s->ranks * (double)s->steps;
    struct series_parts p = {0};

    for (long k = 0; k < s->steps; k++) {
        for (int i = 0; i < s->ranks; i++) {
            const struct series_step *step = series_at(s, i, k);
            p.input += (double)step->input / n;
            p.own += (double)step->cpu / n;
            p.withheld += (double)step->withheld / n;
            p.exchange += fmax(0, step->ready + (double)step->exit - s->last[k]) / n;
        }
    }
    return p;
}
