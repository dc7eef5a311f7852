/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/steps_keep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/steps_column.h"

static const double stall = 1.5; /* x the median, as `stalls` of the record */

/* A row as it is held: whole numbers as in the file. */
struct held {
    long step;
    int epoch;
    bool near;
    int64_t cell[];
};

static size_t cells(const struct steps_keep *k)
{
    size_t n = 0;

    for (const struct steps_column *c = steps_columns; c->name; c++)
        n++;
    for (const struct steps_column *c = steps_bucket_columns; c->name; c++)
        n += (size_t)k->buckets;
    return n;
}

static size_t held_size(const struct steps_keep *k)
{
    return sizeof(struct held) + cells(k) * sizeof(int64_t);
}

static struct held *held_at(const struct steps_keep *k, int i)
{
    return (struct held *)(void *)(k->rows + (size_t)i * held_size(k));
}

void steps_keep_init(struct steps_keep *k, int buckets)
{
    *k = (struct steps_keep){.stride = 1,
                             .buckets = buckets < STEPS_MAX_BUCKETS ? buckets : STEPS_MAX_BUCKETS};
}

void steps_keep_fini(struct steps_keep *k)
{
    free(k->rows);
    *k = (struct steps_keep){0};
}

/* ---- steps ---- */

static bool in_window(const struct steps_keep *k, long step)
{
    return step / STEPS_WINDOW % k->stride == 0;
}

bool steps_keep_wants(const struct steps_keep *k, long step, bool near)
{
    return in_window(k, step) || (near && k->stalls < STEPS_STALLS);
}

/* Rows to and from what is held. */
static void move_row(const struct steps_keep *k, struct held *h, struct steps_row *row, bool out)
{
    int64_t *cell = h->cell;
    const struct {
        const struct steps_column *columns;
        int n;
    } tables[] = {{steps_columns, 1}, {steps_bucket_columns, k->buckets}};

    for (int t = 0; t < 2; t++)
        for (int b = 0; b < tables[t].n; b++)
            for (const struct steps_column *c = tables[t].columns; c->name; c++, cell++)
                if (out)
                    *steps_cell(row, c, b) = steps_from_file(*cell, c->kind, steps_tick);
                else
                    *cell = steps_to_file(*steps_cell(row, c, b), c->kind);
}

/* Only what is in windows or near stalls stays; of those near stalls the first. */
static void sweep(struct steps_keep *k)
{
    int n = 0;

    k->stalls = 0;
    for (int i = 0; i < k->n; i++) {
        const struct held *h = held_at(k, i);
        const bool window = in_window(k, h->step);
        if (!window && !(h->near && k->stalls < STEPS_STALLS))
            continue;
        k->stalls += !window;
        if (n != i)
            memmove(held_at(k, n), h, held_size(k));
        n++;
    }
    k->n = n;
}

bool steps_keep_thin(struct steps_keep *k)
{
    const long last = k->n ? held_at(k, k->n - 1)->step / STEPS_WINDOW : 0;

    if (k->stride > last)
        return false;
    k->stride *= 2;
    sweep(k);
    return true;
}

int steps_keep_add(struct steps_keep *k, int epoch, const struct steps_row *row, bool near)
{
    struct steps_row copy = *row;

    if (k->n == k->room) {
        const int room = k->room ? 2 * k->room : STEPS_WINDOW;
        char *rows = realloc(k->rows, (size_t)room * held_size(k));
        if (!rows)
            return -1;
        k->rows = rows;
        k->room = room;
    }
    struct held *h = held_at(k, k->n);
    *h = (struct held){.step = (long)row->step, .epoch = epoch, .near = near};
    move_row(k, h, &copy, false);
    k->stalls += !in_window(k, h->step);
    k->n++;
    while (k->n - k->stalls > STEPS_KEPT && steps_keep_thin(k))
        ;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int steps_near_stalls(const double *length, long n, bool *near)
{
    double *sorted = malloc(((size_t)n + 1) * sizeof *sorted);

    if (!sorted)
        return -1;
    memcpy(sorted, length, (size_t)n * sizeof *sorted);
    memset(near, 0, (size_t)n * sizeof *near);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    const double limit = n ? stall * sorted[n / 2] : 0;
    free(sorted);
    for (long k = 0; k < n; k++)
        for (long i = k - STEPS_AROUND; length[k] > limit && i <= k + STEPS_AROUND; i++)
            if (i >= 0 && i < n)
                near[i] = true;
    return 0;
}

int steps_keep_pack(const struct steps_keep *k, int *at, struct steps_block *b, void **bytes,
                    struct err *e)
{
    const int first = *at;
    int end = first;

    if (first == k->n)
        return 0;
    while (end < k->n && end - first < STEPS_MAX_ROWS &&
           held_at(k, end)->epoch == held_at(k, first)->epoch)
        end++;
    struct steps_row *rows = malloc((size_t)(end - first) * sizeof *rows);
    if (!rows)
        return err_set(e, "out of memory for the steps file");
    for (int i = first; i < end; i++)
        move_row(k, held_at(k, i), &rows[i - first], true);
    *bytes = steps_pack(rows, end - first, k->buckets, &b->bytes, e);
    free(rows);
    b->epoch = held_at(k, first)->epoch;
    b->rows = end - first;
    *at = end;
    return *bytes ? 1 : -1;
}

/* ---- ranks ---- */

struct worker {
    double own;
    int rank;
};

static int by_work(const void *a, const void *b)
{
    const struct worker *x = a, *y = b;

    return x->own != y->own ? (x->own > y->own) - (x->own < y->own) : x->rank - y->rank;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

enum { EXTREMES = 16 };

int steps_choose_ranks(const double *own, int n, int chosen[STEPS_RANKS_KEPT])
{
    struct worker *all;
    const int between = STEPS_RANKS_KEPT - 2 * EXTREMES;

    if (n <= STEPS_RANKS_KEPT) {
        for (int i = 0; i < n; i++)
            chosen[i] = i;
        return n;
    }
    all = malloc((size_t)n * sizeof *all);
    if (!all)
        return -1;
    for (int i = 0; i < n; i++)
        all[i] = (struct worker){isfinite(own[i]) ? own[i] : 0, i};
    qsort(all, (size_t)n, sizeof *all, by_work);
    for (int i = 0; i < EXTREMES; i++) {
        chosen[i] = all[i].rank;
        chosen[EXTREMES + i] = all[n - 1 - i].rank;
    }
    for (int i = 0; i < between; i++) {
        const double place = (i + 0.5) / between * (n - 2 * EXTREMES);
        chosen[2 * EXTREMES + i] = all[EXTREMES + (int)place].rank;
    }
    free(all);
    qsort(chosen, STEPS_RANKS_KEPT, sizeof *chosen, by_number);
    return STEPS_RANKS_KEPT;
}
