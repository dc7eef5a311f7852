/* SPDX-License-Identifier: BSD-3-Clause */
/* Which sums count, what a size takes, the line through the sizes. */
#include <config.h>

#include "workloads/component/wire.h"

#include <math.h>
#include <stdbool.h>

static const double apart = 2;     /* a size and another that tells bytes from messages */
static const double normal = 1.96; /* 95 % */

/* ---- which sums count ---- */

/* Of the ranks: when the last began the sum of a bucket, when it was over at the last. */
struct border {
    double begun, over;
};

static bool is_whole(double bytes, int ranks)
{
    return bytes * ranks <= COMM_WHOLE * sizeof(float);
}

static long step_of(const struct steps *s, int i, int n)
{
    return s->n * i / n;
}

/* What this rank knows of step k; what is not known makes the sum not count. */
static void own_borders(const struct step_row *row, struct border b[STEPS_BUCKETS])
{
    for (int i = 0; i < STEPS_BUCKETS; i++) {
        const bool known = i < row->waits && row->start[i] > 0 && row->done_of[i] > 0;
        b[i] = known ? (struct border){row->begin + (double)row->start[i],
                                       row->begin + (double)row->done_of[i]}
                     : (struct border){INFINITY, INFINITY};
    }
}

static struct wire_size *size_of(struct wire *w, double bytes)
{
    for (int i = 0; i < w->sizes; i++)
        if (w->size[i].bytes == bytes)
            return &w->size[i];
    if (w->sizes == WIRE_SIZES)
        return NULL;
    w->size[w->sizes].bytes = bytes;
    return &w->size[w->sizes++];
}

/* A sum of a message of so many bytes whose y is between these. */
static void add(struct wire *w, double bytes, double low, double high)
{
    struct wire_size *z = size_of(w, bytes);

    if (!z)
        return;
    z->low[z->sums % WIRE_SUMS] = (float)fmax(0, low);
    z->high[z->sums % WIRE_SUMS] = (float)high;
    z->sums++;
}

static void take_step(struct wire *w, const struct step_row *row, const struct border *all,
                      double bound, int ranks)
{
    double over = 0; /* all sums before */

    for (int i = 0; i < row->waits; i++) {
        const double bytes = (double)row->bytes_of[i], begun = all[i].begun;
        const bool whole = is_whole(bytes, ranks);
        const double end = (double)(whole ? row->done_of[i] : row->half_of[i]);
        const double since = (double)row->since_of[i], high = row->begin + end - begun;
        const double low = since > 0 ? fmin(row->begin + since - begun, high) : 0;
        const bool alone = over <= begun, last = row->begin + (double)row->start[i] >= begun;

        over = fmax(over, all[i].over);
        if (!(bytes > 0) || !(end > 0) || !alone || last || !isfinite(begun) || high + bound < 0)
            continue;
        add(w, whole ? bytes : bytes / ranks, low - bound, fmax(0, high) + bound);
    }
}

int wire_epoch(struct wire *w, const struct steps *s, double bound, struct comm *c, struct err *e)
{
    struct border all[WIRE_STEPS][STEPS_BUCKETS];
    const int n = s->n < WIRE_STEPS ? (int)s->n : WIRE_STEPS;

    if (c->size == 1 || !isfinite(bound))
        return 0;
    for (int i = 0; i < n; i++)
        own_borders(&s->row[step_of(s, i, n)], all[i]);
    if (c->reduce(c, (double *)all, n * STEPS_BUCKETS * 2, COMM_MAX, e) < 0)
        return -1;
    for (int i = 0; i < n; i++)
        take_step(w, &s->row[step_of(s, i, n)], all[i], bound, c->size);
    return 0;
}

/* ---- what a size takes ---- */

/* In place; at most some hundred. */
static void ascend(double *v, int n)
{
    for (int i = 1; i < n; i++) {
        const double x = v[i];
        int k = i;
        for (; k > 0 && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

/* Of sorted values. */
static double middle_of(const double *v, int n)
{
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* y of one x. */
struct level {
    double bytes;
    struct result_value y;
};

static struct level level_of(const struct wire_size *z)
{
    const int n = z->sums < WIRE_SUMS ? (int)z->sums : WIRE_SUMS;
    const int off = (int)fmax(0, floor(n / 2.0 - normal * sqrt(n) / 2));
    double low[WIRE_SUMS], high[WIRE_SUMS];

    for (int i = 0; i < n; i++) {
        low[i] = (double)z->low[i];
        high[i] = (double)z->high[i];
    }
    ascend(low, n);
    ascend(high, n);
    return (struct level){
        z->bytes, {(middle_of(low, n) + middle_of(high, n)) / 2, low[off], high[n - 1 - off]}};
}

/* The sizes that have enough sums, the smallest first; how many. */
static int levels_of(const struct wire *w, struct level *of)
{
    int n = 0;

    for (int i = 0; i < w->sizes; i++) {
        if (w->size[i].sums < WIRE_LEAST)
            continue;
        const struct level l = level_of(&w->size[i]);
        int k = n++;
        for (; k > 0 && of[k - 1].bytes > l.bytes; k--)
            of[k] = of[k - 1];
        of[k] = l;
    }
    return n;
}

/* ---- the line through them ---- */

enum { PAIRS = WIRE_SIZES * (WIRE_SIZES - 1) / 2 };

/* Seconds a byte, of all n - 1 messages; false: no two sizes are apart. */
static bool slope_of(const struct level *of, int n, struct result_value *slope)
{
    double value[PAIRS], low[PAIRS], high[PAIRS];
    int pairs = 0;

    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) {
            const double more = of[k].bytes - of[i].bytes;
            if (of[k].bytes < apart * of[i].bytes)
                continue;
            value[pairs] = (of[k].y.value - of[i].y.value) / more;
            low[pairs] = (of[k].y.low - of[i].y.high) / more;
            high[pairs++] = (of[k].y.high - of[i].y.low) / more;
        }
    if (pairs == 0)
        return false;
    ascend(value, pairs);
    ascend(low, pairs);
    ascend(high, pairs);
    const int off = pairs >= 8;
    *slope = (struct result_value){middle_of(value, pairs), low[off], high[pairs - 1 - off]};
    return true;
}

/* NAN: they take no time that can be seen. */
static double rate_of(double others, double slope)
{
    return slope > 0 ? others / slope : NAN;
}

static struct result_value alpha_of(const struct level *of, int n, const struct result_value *slope,
                                    double others)
{
    const double per_byte = fmax(0, slope->value);
    const double low = fmax(0, of[0].y.low - slope->high * of[0].bytes);
    const double high = fmax(low, of[0].y.high - fmax(0, slope->low) * of[0].bytes);
    double left[WIRE_SIZES];

    for (int i = 0; i < n; i++)
        left[i] = of[i].y.value - per_byte * of[i].bytes;
    ascend(left, n);
    return (struct result_value){fmin(fmax(low, middle_of(left, n)), high) / others, low / others,
                                 high / others};
}

void wire_fit(const struct wire *w, int ranks, struct result_wire *r)
{
    struct level of[WIRE_SIZES];
    const double others = ranks - 1;
    const int n = levels_of(w, of);
    struct result_value slope;

    *r = (struct result_wire){.sums = 0};
    for (int i = 0; i < w->sizes; i++)
        r->sums += w->size[i].sums < WIRE_LEAST ? 0 : w->size[i].sums;
    if (n == 0 || ranks < 2)
        return;
    r->least_bytes = of[0].bytes;
    r->most_bytes = of[n - 1].bytes;
    if (slope_of(of, n, &slope)) {
        r->alpha = alpha_of(of, n, &slope, others);
        r->rate = (struct result_value){rate_of(others, slope.value), rate_of(others, slope.high),
                                        rate_of(others, slope.low)};
        return;
    }
    const struct level *most = &of[n - 1];
    r->alpha = (struct result_value){NAN, 0, most->y.high / others};
    r->rate = (struct result_value){NAN, others * most->bytes / most->y.high, NAN};
}
