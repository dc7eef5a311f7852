/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/sample.h"

#include <math.h>
#include <string.h>

#include "workloads/philox.h"

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int falling(const void *a, const void *b)
{
    return rising(b, a);
}

double sample_median(double *v, int n)
{
    if (n == 0)
        return NAN;
    qsort(v, (size_t)n, sizeof *v, rising);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double sample_reached(const double *v, int n, double part)
{
    int at = (int)ceil(part * n - 1e-9) - 1;

    return n == 0 ? NAN : v[at < 0 ? 0 : at];
}

/* Samples that count of one part, moved together in `into`. */
static int finite_of(const double *samples, int n, double *into)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        if (isfinite(samples[i]))
            into[count++] = samples[i];
    return count;
}

static void none(struct micro_row *r, const char *why)
{
    r->median = r->p95 = r->p99 = r->best = r->slowest = unmeasured(why);
    r->slowest_rank = -1;
}

/* Median of each rank; the median of these, and the worst. */
static void by_rank(struct micro_row *r, double *room, double *medians)
{
    int at = 0, n = 0;

    r->slowest_rank = -1;
    for (int i = 0; i < r->n_parts; at += r->parts[i++].n) {
        int count = finite_of(r->samples + at, r->parts[i].n, room);
        double m = sample_median(room, count);
        if (count == 0)
            continue;
        bool worse = r->slowest_rank < 0 ||
                     (r->more_is_better ? m < r->slowest.value : m > r->slowest.value);
        medians[n++] = m;
        if (!worse)
            continue;
        r->slowest = measured(m);
        r->slowest_rank = r->parts[i].rank;
    }
    r->median = measured(sample_median(medians, n));
    if (n == 1) {
        r->slowest = unmeasured("one rank measured it");
        r->slowest_rank = -1;
    }
}

int sample_summarise(struct micro_row *r, const char *why)
{
    size_t most = (size_t)(r->n_samples > r->n_parts ? r->n_samples : r->n_parts) + 1;
    double *room = malloc(2 * most * sizeof *room);

    if (!room)
        return -1;
    int n = finite_of(r->samples, r->n_samples, room);
    none(r, why);
    if (n > 0) {
        by_rank(r, room, room + most);
        n = finite_of(r->samples, r->n_samples, room);
        qsort(room, (size_t)n, sizeof *room, r->more_is_better ? falling : rising);
        r->best = measured(room[0]);
        r->p95 = measured(sample_reached(room, n, 0.95));
        r->p99 = measured(sample_reached(room, n, 0.99));
    }
    free(room);
    return n;
}

void sample_order(int *order, int n, uint64_t seed, uint32_t purpose, uint32_t round)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) { /* Fisher, Yates (Durstenfeld 1964) */
        uint32_t at[4] = {(uint32_t)i, purpose, round, UINT32_C(0x6d696372)}, bits[4];
        philox4x32(at, key, bits);
        int j = (int)(((uint64_t)bits[0] * (uint64_t)(i + 1)) >> 32), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}
