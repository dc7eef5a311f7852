/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/fit.h"

#include <math.h>
#include <stdlib.h>

#include "reports/judge/stat.h"

/* Seconds for a byte that are tried: 100 GB/s to 1 MB/s. */
static const double fastest = 1e-11, slowest = 1e-6;
enum { COARSE = 12, FINE = 3, ROUNDS = 5 };

/* Medians over the steps, seconds after the last arrival; half: NAN unknown. */
struct seen {
    double half[SERIES_RANKS], end[SERIES_RANKS];
    double own;   /* of a step, with software */
    double tail;  /* r to a */
    double least; /* of the first halves, else of the ends */
};

bool fit_knows_software(const struct series *s)
{
    return isfinite(s->transport.software) || s->ranks == 1 || s->nodes == 1;
}

int fit_blocks(long from, long to, long *block)
{
    int n = 0;

    for (long k = from; k + SERIES_BLOCK <= to; k += SERIES_BLOCK)
        block[n++] = k;
    return n;
}

/* ---- what was seen ---- */

enum what { HALF, END, WIRE, OWN };

static double value(const struct series *s, int rank, long k, enum what what)
{
    const struct series_step *p = series_at(s, rank, k);

    switch (what) {
    case HALF:
        return p->half < 0 ? NAN : p->ready + (double)p->half - s->last[k];
    case END:
        return p->ready + (double)p->exit - s->last[k];
    case WIRE:
        return play_wire(p, s->last[k]);
    case OWN:
        return series_own(p) + (double)p->lib;
    }
    return NAN;
}

/* Median over the steps of the blocks at a rank; NAN: in no step. v: room for all. */
static double median(const struct series *s, const long *block, int blocks, int rank,
                     enum what what, double *v)
{
    int n = 0;

    for (int b = 0; b < blocks; b++)
        for (long k = block[b]; k < block[b] + SERIES_BLOCK; k++) {
            const double x = value(s, rank, k, what);
            if (isfinite(x))
                v[n++] = x;
        }
    return stat_median(v, n);
}

static void look(const struct series *s, const long *block, int blocks, struct seen *seen,
                 double usual[], double *v)
{
    seen->own = 0;
    seen->least = INFINITY;
    for (int i = 0; i < s->ranks; i++) {
        seen->half[i] = median(s, block, blocks, i, HALF, v);
        seen->end[i] = median(s, block, blocks, i, END, v);
        usual[i] = median(s, block, blocks, i, WIRE, v);
        seen->own += median(s, block, blocks, i, OWN, v) / s->ranks;
        seen->least = fmin(seen->least, isfinite(seen->half[i]) ? seen->half[i] : seen->end[i]);
    }
    seen->least = fmax(0, seen->least);
}

/* ---- the links ---- */

static double apart(double played, double seen)
{
    const double floor = 1e-4; /* seconds that do not matter */
    const double d = log((fmax(0, played) + floor) / (fmax(0, seen) + floor));

    return d * d;
}

static double misfit(const struct play *p, const struct seen *seen)
{
    double half[SERIES_RANKS], end[SERIES_RANKS], sum = 0;

    play_exchange(p, seen->own, half, end);
    for (int i = 0; i < p->ranks; i++) {
        if (isfinite(seen->half[i]))
            sum += apart(half[i], seen->half[i]);
        sum += apart(end[i], seen->end[i]);
    }
    return sum;
}

/* The rank whose own first half is over before the others': what it sends comes late to
 * all but itself. -1: halves are not known. */
static int odd_rank(const struct series *s, const struct seen *seen)
{
    int odd = 0;

    for (int i = 0; i < s->ranks; i++) {
        if (!isfinite(seen->half[i]))
            return -1;
        if (seen->half[i] < seen->half[odd])
            odd = i;
    }
    return odd;
}

static void set_links(struct exchange *x, int ranks, int odd, double a, double b)
{
    for (int i = 0; i < ranks; i++)
        x->inv[i] = i == odd ? a : b;
}

/* Best of (2 n + 1)^2 places around (*a, *b), ln apart by `step`: of the odd rank and of
 * the others; without an odd one a = b. */
static void search(const struct play *p, struct exchange *x, const struct seen *seen, int odd,
                   int n, double step, double *a, double *b)
{
    const double a0 = *a, b0 = *b;
    double best = INFINITY;

    for (int i = -n; i <= n; i++)
        for (int j = odd >= 0 ? -n : i; j <= (odd >= 0 ? n : i); j++) {
            const double u = a0 * exp(i * step), v = b0 * exp(j * step);
            set_links(x, p->ranks, odd, u, v);
            const double bad = misfit(p, seen);
            if (bad < best) {
                best = bad;
                *a = u;
                *b = v;
            }
        }
    set_links(x, p->ranks, odd, *a, *b);
}

static void fit_links(const struct play *p, struct exchange *x, const struct seen *seen)
{
    const double middle = sqrt(fastest * slowest);
    const int odd = odd_rank(p->s, seen);
    double a = middle, b = middle, step = log(slowest / fastest) / COARSE;

    search(p, x, seen, odd, COARSE / 2, step, &a, &b);
    for (int i = 0; i < ROUNDS; i++) {
        step /= FINE;
        search(p, x, seen, odd, FINE, step, &a, &b);
    }
}

/* A message of the run was no slower than the least first half, whatever the test said, which
 * had the cores for itself. */
static void take_transport(const struct series *s, const struct seen *seen, enum fit_end end,
                           struct exchange *x)
{
    const double others = s->ranks > 1 ? s->ranks - 1 : 1;

    x->alpha = isfinite(s->transport.alpha) ? s->transport.alpha : 0;
    if (seen->least > 0)
        x->alpha = fmin(x->alpha, seen->least / others);
    if (!fit_knows_software(s))
        x->software = end == FIT_ALL_BYTES ? 0 : 0.9 * seen->least;
    else if (isfinite(s->transport.software))
        x->software = fmin(s->transport.software, fmax(0, seen->least - others * x->alpha));
}

int fit_exchange(const struct series *s, const long *block, int blocks, enum fit_end end,
                 struct exchange *x)
{
    double *v = malloc((size_t)blocks * SERIES_BLOCK * sizeof *v);
    struct seen seen;
    struct play p;

    if (!v)
        return -1;
    *x = (struct exchange){.inside = NAN};
    look(s, block, blocks, &seen, x->usual, v);
    free(v);
    take_transport(s, &seen, end, x);
    if (s->ranks == 1 || s->buckets == 0)
        return 0;
    if (s->nodes == 1) {
        double wire = 0;
        for (int i = 0; i < s->ranks; i++)
            wire += seen.end[i] / s->ranks;
        x->inside = fmax(0, wire) / s->bytes[s->buckets - 1];
        return 0;
    }
    play_init(&p, s, x, block, blocks);
    fit_links(&p, x, &seen);
    return 0;
}
