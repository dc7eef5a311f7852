/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps and drifts by ranks; change.h says the formula. */
#include <config.h>

#include "reports/judge/change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* c(n): T is above it in CHANGE_RATE of series without change. Simulated,
 * 200,000 shuffles each: tests/reports/judge/test_change --table. */
static const struct {
    int n;
    double critical;
} table[] = {
    {12, 2.7175},  {13, 2.7775},  {14, 2.8284},  {15, 2.8284},  {16, 2.8889},  {18, 2.9321},
    {20, 2.9716},  {25, 3.0571},  {30, 3.1137},  {40, 3.2094},  {50, 3.2623},  {70, 3.3323},
    {100, 3.4082}, {150, 3.4859}, {200, 3.5309}, {300, 3.5743}, {500, 3.6318}, {1000, 3.6801},
};

enum { ROWS = sizeof table / sizeof *table };

double change_critical(int n)
{
    int i = 1;

    if (n <= table[0].n)
        return table[0].critical;
    if (n >= table[ROWS - 1].n)
        return table[ROWS - 1].critical;
    while (table[i].n < n)
        i++;
    double share = (log(n) - log(table[i - 1].n)) / (log(table[i].n) - log(table[i - 1].n));
    return table[i - 1].critical + share * (table[i].critical - table[i - 1].critical);
}

/* ---- ranks ---- */

struct ranked {
    double x, rank;
    int at;
};

static int by_value(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->x, y = ((const struct ranked *)b)->x;
    return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
    int x = ((const struct ranked *)a)->at, y = ((const struct ranked *)b)->at;
    return (x > y) - (x < y);
}

/* Mid-ranks of x in its order; free() them. */
static struct ranked *rank_all(const double *x, int n)
{
    struct ranked *r = malloc((size_t)n * sizeof *r);

    if (!r)
        return NULL;
    for (int i = 0; i < n; i++)
        r[i] = (struct ranked){x[i], 0, i};
    qsort(r, (size_t)n, sizeof *r, by_value);
    for (int i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && r[end].x == r[i].x; end++)
            ;
        for (int k = i; k < end; k++)
            r[k].rank = (i + 1 + end) / 2.0;
    }
    qsort(r, (size_t)n, sizeof *r, by_place);
    return r;
}

double change_statistic(const double *x, int n, int *cut)
{
    double middle = (n + 1) / 2.0, spread = 0, sum = 0, most = 0;

    *cut = 0;
    if (n < CHANGE_SHORTEST)
        return 0;
    struct ranked *r = rank_all(x, n);
    if (!r)
        return 0;
    for (int i = 0; i < n; i++)
        spread += (r[i].rank - middle) * (r[i].rank - middle);
    spread /= n - 1;
    for (int t = 1; spread > 0 && t <= n - CHANGE_LEAST; t++) {
        sum += r[t - 1].rank - middle;
        double z = fabs(sum) / sqrt((double)t * (n - t) / n * spread);
        if (t >= CHANGE_LEAST && z > most) {
            most = z;
            *cut = t;
        }
    }
    free(r);
    return most;
}

/* ---- step or drift ---- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double change_median(const double *x, int n)
{
    double *sorted = n > 0 ? malloc((size_t)n * sizeof *sorted) : NULL;

    if (!sorted)
        return NAN;
    memcpy(sorted, x, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_number);
    double m = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    free(sorted);
    return m;
}

/* Copies x, clipped to median +- 6 scaled MADs. */
static void clip(const double *x, int n, double *y)
{
    double middle = change_median(x, n);

    for (int i = 0; i < n; i++)
        y[i] = fabs(x[i] - middle);
    double reach = 6 * 1.4826 * change_median(y, n);
    for (int i = 0; i < n; i++)
        y[i] = reach > 0 ? fmin(fmax(x[i], middle - reach), middle + reach) : x[i];
}

/* Sum of squares around the mean. */
static double scatter(const double *y, int n)
{
    double mean = 0, sum = 0;

    for (int i = 0; i < n; i++)
        mean += y[i] / n;
    for (int i = 0; i < n; i++)
        sum += (y[i] - mean) * (y[i] - mean);
    return sum;
}

/* Least squares over the index; returns the sum of squares around the line. */
static double fit_line(const double *y, int n, double *first, double *last)
{
    double middle = (n - 1) / 2.0, mean = 0, xy = 0, xx = 0, sum = 0;

    for (int i = 0; i < n; i++)
        mean += y[i] / n;
    for (int i = 0; i < n; i++) {
        xy += (i - middle) * (y[i] - mean);
        xx += (i - middle) * (i - middle);
    }
    double slope = xy / xx;
    for (int i = 0; i < n; i++) {
        double off = y[i] - mean - slope * (i - middle);
        sum += off * off;
    }
    *first = mean - slope * middle;
    *last = mean + slope * middle;
    return sum;
}

static double bic(double squares, int n, int parameters)
{
    return n * log(fmax(squares, 1e-300) / n) + parameters * log(n);
}

/* Names the change of a segment whose T was too large. */
static void name_change(const double *x, int n, struct change *c)
{
    double *y = malloc((size_t)n * sizeof *y), first, last;
    int t = c->at;

    c->kind = CHANGE_STEP;
    c->before = change_median(x, t);
    c->after = change_median(x + t, n - t);
    if (!y)
        return;
    clip(x, n, y);
    double line = bic(fit_line(y, n, &first, &last), n, 2);
    double step = bic(scatter(y, t) + scatter(y + t, n - t), n, 3);
    free(y);
    if (step <= line)
        return;
    c->kind = CHANGE_DRIFT;
    c->at = 0;
    c->before = first;
    c->after = last;
}

/* ---- a whole series ---- */

/* Looks into [from, end); after a step into both sides. The recursion ends:
 * sides are shorter, and CHANGE_MOST bounds them. */
static int look(const double *x, int from, int end, struct change *changes, int room)
{
    struct change c = {.from = from, .end = end, .critical = change_critical(end - from)};

    if (room <= 0)
        return 0;
    c.statistic = change_statistic(x + from, end - from, &c.at);
    if (!(c.statistic > c.critical))
        return 0;
    name_change(x + from, end - from, &c);
    c.at += from;
    if (c.kind == CHANGE_DRIFT) {
        *changes = c;
        return 1;
    }
    int n = look(x, from, c.at, changes, room - 1);
    changes[n++] = c;
    return n + look(x, c.at, end, changes + n, room - n);
}

int change_find(const double *x, int n, struct change changes[CHANGE_MOST])
{
    int skip = n > CHANGE_LONGEST ? n - CHANGE_LONGEST : 0;

    return look(x, skip, n, changes, CHANGE_MOST);
}
