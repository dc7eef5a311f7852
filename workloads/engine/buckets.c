/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/buckets.h"

#include <math.h>
#include <stdlib.h>

struct table {
    int n;
    double *ready;  /* [n + 1] of parts 0 .. j: the latest */
    double *before; /* [n + 1] bytes of the parts before j */
    double *end;    /* [BUCKETS_MOST + 1][n + 1]: F */
    int *from;      /* the same: i of the minimum */
};

static int table_init(struct table *t, const struct bucket_part *parts, int n)
{
    const size_t row = (size_t)n + 1, all = row * (BUCKETS_MOST + 1);

    *t = (struct table){.n = n};
    t->ready = calloc(2 * row + all, sizeof *t->ready);
    t->from = calloc(all, sizeof *t->from);
    if (!t->ready || !t->from)
        return -1;
    t->before = t->ready + row;
    t->end = t->before + row;
    for (int j = 1; j <= n; j++) {
        t->ready[j] = fmax(t->ready[j - 1], parts[j - 1].ready);
        t->before[j] = t->before[j - 1] + (double)parts[j - 1].bytes;
    }
    return 0;
}

/* F(k, .) from F(k - 1, .). */
static void fill(struct table *t, int k)
{
    const double *last = t->end + (size_t)(k - 1) * (size_t)(t->n + 1);
    double *end = t->end + (size_t)k * (size_t)(t->n + 1);
    int *from = t->from + (size_t)k * (size_t)(t->n + 1);

    end[0] = INFINITY;
    for (int j = 1; j <= t->n; j++) {
        end[j] = INFINITY;
        for (int i = 0; i < j; i++) {
            double at = fmax(last[i], t->ready[j]) + BUCKET_SECONDS +
                        (t->before[j] - t->before[i]) / BUCKET_RATE;
            if (at < end[j]) {
                end[j] = at;
                from[j] = i;
            }
        }
    }
}

int buckets_cut(const struct bucket_part *parts, int n, double backward, int end[BUCKETS_MOST])
{
    const int most = n < BUCKETS_MOST ? n : BUCKETS_MOST;
    const size_t row = (size_t)n + 1;
    double best = INFINITY;
    struct table t;
    int k = -1;

    if (n == 0)
        return 0;
    if (table_init(&t, parts, n) < 0)
        goto out;
    for (int j = 1; j <= n; j++)
        t.end[j] = INFINITY; /* no bucket holds no part but none */
    for (k = 1; k <= most; k++) {
        fill(&t, k);
        best = fmin(best, t.end[(size_t)k * row + (size_t)n]);
    }
    k = 1;
    while (t.end[(size_t)k * row + (size_t)n] > best + BUCKET_SLACK * backward)
        k++;
    for (int b = k, j = n; b > 0; b--) {
        end[b - 1] = j;
        j = t.from[(size_t)b * row + (size_t)j];
    }
out:
    free(t.ready);
    free(t.from);
    return k;
}
