/* SPDX-License-Identifier: BSD-3-Clause */
/* What was added up, as values: of a phase, of this rank, of all ranks. */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "papi/state.h"

/* The phases [first, last] together. */
static struct measure value_over(const struct row *r, enum counter_kind kind, int first, int last)
{
    double sum = 0;
    long readings = 0;

    for (int p = first; p <= last; p++) {
        if (r->lost[p])
            return unmeasured(r->lost[p]);
        if (kind != COUNTER_PEAK)
            sum += r->sum[p];
        else if (r->readings[p] && (!readings || r->sum[p] > sum))
            sum = r->sum[p];
        readings += r->readings[p];
    }
    if (!readings && first != last)
        return unmeasured("no phase has ended yet");
    if (!readings && phase_inside_step((enum phase)first))
        return unmeasured("a part of training steps: counted in train and first_epoch");
    if (!readings)
        return unmeasured("the phase was not entered");
    return measured(kind == COUNTER_LEVEL ? sum / (double)readings : sum);
}

struct measure counters_value(const struct counters *c, int i, enum phase p)
{
    const struct row *r = &c->rows[i];

    if (!row_counts(r))
        return unmeasured(r->off);
    if (p == PHASE_COUNT)
        return value_over(r, counters_info(i)->kind, 0, PHASE_COUNT - 1);
    return value_over(r, counters_info(i)->kind, (int)p, (int)p);
}

const char *counters_source(const struct counters *c, int i)
{
    return row_counts(&c->rows[i]) ? c->rows[i].from : "";
}

double counters_ratio(const struct counters *c, int i)
{
    return row_counts(&c->rows[i]) ? c->rows[i].ratio : NAN;
}

struct counters_cost counters_cost(const struct counters *c)
{
    return c->cost;
}

void counters_export(const struct counters *c, struct counters_row rows[COUNTER_COUNT])
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        for (int p = 0; p <= PHASE_COUNT; p++) {
            struct measure m = counters_value(c, i, (enum phase)p);

            rows[i].value[p] = m.reason ? NAN : m.value;
        }
        rows[i].entered = c->entered;
        rows[i].ratio = counters_ratio(c, i);
        rows[i].domain = c->rows[i].domain;
    }
}

/* One rank's value, for combine: */
struct share {
    uint64_t domain;
    double value;
};

static int by_domain(const void *a, const void *b)
{
    const struct share *x = a, *y = b;

    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* Each domain once, its largest reading: ranks read at slightly different
 * moments. Sorts. */
static double sum_of_domains(struct share *s, int n)
{
    double sum = 0;

    qsort(s, (size_t)n, sizeof(*s), by_domain);
    for (int r = 0; r < n; r++)
        if (r == n - 1 || s[r].domain == 0 || s[r].domain != s[r + 1].domain)
            sum += s[r].value;
    return sum;
}

struct measure counters_combine(const struct counters_row *rows, size_t stride, int ranks, int i,
                                enum phase p)
{
    struct share *s = calloc(ranks > 0 ? (size_t)ranks : 1, sizeof(*s));
    double sum = 0, max = 0;
    int n = 0;
    const char *why = s ? NULL : "no memory to add it up";

    for (int r = 0; r < ranks && !why; r++) {
        const struct counters_row *row = &rows[(size_t)r * stride];
        double v = row->value[p];

        if (!(row->entered >> p & 1))
            continue;
        if (isnan(v))
            why = "not every rank could count it";
        max = n == 0 || v > max ? v : max;
        sum += v;
        s[n++] = (struct share){row->domain, v};
    }
    if (!why && n == 0)
        why = "no rank entered the phase";
    if (!why && counters_info(i)->kind == COUNTER_TOTAL)
        sum = sum_of_domains(s, n);
    free(s);
    if (why)
        return unmeasured(why);
    return measured(counters_info(i)->kind == COUNTER_PEAK    ? max
                    : counters_info(i)->kind == COUNTER_LEVEL ? sum / n
                                                              : sum);
}
