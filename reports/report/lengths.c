/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/lengths.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reports/judge/stat.h"
#include "reports/record/fields.h"

static const struct lengths none = {NAN, NAN, NAN};

struct lengths lengths_recorded(const cJSON *workload)
{
    const cJSON *s = json_at(workload, "performance.stalls");

    return (struct lengths){json_number(s, "median_seconds", NAN),
                            json_number(s, "p99_seconds", NAN),
                            json_number(s, "most_seconds", NAN)};
}

struct all {
    double *of;
    int n, room;
};

static int keep(struct all *all, double length, struct err *e)
{
    if (!isfinite(length))
        return 0;
    if (all->n == all->room) {
        const int room = all->room ? 2 * all->room : 4096;
        double *more = realloc(all->of, (size_t)room * sizeof *more);
        if (!more)
            return err_set(e, "out of memory for the lengths of %d steps", room);
        all->of = more;
        all->room = room;
    }
    all->of[all->n++] = length;
    return 0;
}

static bool in_window(const struct steps_workload *w, double step)
{
    return w->stride <= 1 || w->window <= 0 || (long)step / w->window % w->stride == 0;
}

static int add_block(struct steps_file *f, int block, const struct steps_workload *w,
                     struct all *all, struct err *e)
{
    int n, rc;
    const struct steps_block *b = steps_file_blocks(f, &n) + block;
    struct steps_row *rows = calloc((size_t)b->rows + 1, sizeof *rows);

    if (!rows)
        return err_set(e, "out of memory for %d steps", b->rows);
    rc = steps_file_rows(f, block, rows, e);
    for (int i = 0; rc == 0 && i < b->rows; i++)
        if (in_window(w, rows[i].step))
            rc = keep(all, rows[i].length, e);
    free(rows);
    return rc;
}

/* The first block of the workload is of the first rank and epoch that are there. */
static int add_rank(struct steps_file *f, int workload, struct all *all, struct err *e)
{
    const struct steps_block *blocks, *first = NULL;
    int n, n_workloads, rc = 0;
    const struct steps_workload *w = steps_file_workloads(f, &n_workloads) + workload;

    blocks = steps_file_blocks(f, &n);
    for (int i = 0; i < n; i++)
        if (blocks[i].workload == workload &&
            (!first || blocks[i].rank < first->rank ||
             (blocks[i].rank == first->rank && blocks[i].epoch < first->epoch)))
            first = &blocks[i];
    for (int i = 0; first && rc == 0 && i < n; i++)
        if (blocks[i].workload == workload && blocks[i].rank == first->rank &&
            blocks[i].epoch > first->epoch)
            rc = add_block(f, i, w, all, e);
    return rc;
}

int lengths_filed(struct steps_file *f, int workload, struct lengths *l, struct err *e)
{
    struct all all = {NULL, 0, 0};
    const int rc = add_rank(f, workload, &all, e);

    *l = none;
    if (rc == 0 && all.n) {
        l->p99 = stat_select(all.of, all.n, (int)ceil(0.99 * all.n) - 1);
        l->most = stat_select(all.of, all.n, all.n - 1);
        l->median = stat_select(all.of, all.n, all.n / 2);
    }
    free(all.of);
    return rc;
}
