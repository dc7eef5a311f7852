/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/step_profile.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of an operator that differ between ranks. */
enum { SECONDS, CALLS, SHARED };

void step_profile_restart(struct step_profile *p, struct model *m)
{
    *p = (struct step_profile){.now = p->now, .steady = true};
    model_profile_reset(m);
}

void step_profile_enter(struct step_profile *p, bool first)
{
    const double now = p->now();

    if (!first && p->left > 0)
        p->between += now - p->left;
    p->left = 0;
    p->entered = now;
}

void step_profile_leave(struct step_profile *p, uint64_t exchanged_bytes)
{
    p->left = p->now();
    p->inside += p->left - p->entered;
    p->exchanged_bytes += exchanged_bytes;
    p->steps++;
}

static int rows_of(const struct graph *g)
{
    struct engine_profile_row row;
    int n = 0;

    while (graph_profile(g, n, &row))
        n++;
    return n;
}

/* Sums of this rank become means over the ranks. */
static int mean(struct comm *c, double *v, int n, struct err *e)
{
    if (c->size > 1 && c->reduce(c, v, n, COMM_SUM, e) < 0)
        return -1;
    for (int i = 0; i < n; i++)
        v[i] /= c->size;
    return 0;
}

static int gather_parts(const struct step_profile *p, const struct model *m, struct comm *c,
                        struct result_profile *r, struct err *e)
{
    double v[ENGINE_PARTS + 3] = {[ENGINE_PARTS] = p->inside, p->between, p->input};

    for (int i = 0; i < ENGINE_PARTS; i++)
        v[i] = model_profile(m, (enum engine_part)i);
    if (mean(c, v, ENGINE_PARTS + 3, e) < 0)
        return -1;
    *r = (struct result_profile){
        .steps = p->steps,
        .steady = p->steady,
        .step_seconds = v[ENGINE_PARTS] + v[ENGINE_PARTS + 1],
        .feed_seconds = v[ENGINE_PART_FEED],
        .zero_seconds = v[ENGINE_PART_ZERO],
        .exchange_seconds = v[ENGINE_PART_EXCHANGE],
        .wait_seconds = v[ENGINE_PART_WAIT],
        .update_seconds = v[ENGINE_PART_UPDATE],
        .read_seconds = v[ENGINE_PART_READ],
        .input_seconds = v[ENGINE_PARTS + 2],
        .agree_seconds = v[ENGINE_PARTS + 1],
        .exchanged_bytes = p->exchanged_bytes,
    };
    return 0;
}

/* shared[SHARED x n], least[n]: of all ranks. */
static void take_row(struct result_operator *o, const struct engine_profile_row *row,
                     const double *shared, double least)
{
    *o = (struct result_operator){
        .calls = (uint64_t)llround(shared[CALLS]),
        .seconds = shared[SECONDS],
        .least_seconds = isfinite(least) ? least : NAN,
        .flop = row->flop * shared[CALLS],
        .bytes = row->bytes * shared[CALLS],
    };
    snprintf(o->name, sizeof o->name, "%s", row->name);
    snprintf(o->op, sizeof o->op, "%s", row->op);
    snprintf(o->pass, sizeof o->pass, "%s", row->pass);
    snprintf(o->implementation, sizeof o->implementation, "%.47s", row->implementation);
    snprintf(o->dtype, sizeof o->dtype, "%s", row->dtype == TENSOR_BF16 ? "bf16" : "f32");
}

static int most_first(const void *a, const void *b)
{
    const struct result_operator *x = a, *y = b;

    if (x->seconds != y->seconds)
        return (x->seconds < y->seconds) - (x->seconds > y->seconds);
    const int name = strcmp(x->name, y->name);
    return name ? name : strcmp(x->pass, y->pass);
}

/* What no piece has is `other`: the parts sum to the step by construction. */
static void close_sum(struct result_profile *r)
{
    r->other_seconds = r->step_seconds - r->operators_seconds - r->feed_seconds - r->zero_seconds -
                       r->exchange_seconds - r->wait_seconds - r->update_seconds - r->read_seconds -
                       r->input_seconds - r->agree_seconds;
    if (r->other_seconds < 0 && r->other_seconds > -1e-9 * r->step_seconds)
        r->other_seconds = 0; /* rounding */
}

int step_profile_gather(const struct step_profile *p, const struct model *m, const struct graph *g,
                        struct comm *c, struct workload_result *r, struct err *e)
{
    const int n = rows_of(g);
    struct result_operator *rows = calloc((size_t)n + 1, sizeof *rows);
    double *shared = calloc((size_t)(SHARED + 1) * (size_t)n + 1, sizeof *shared);
    double *least = shared + (size_t)SHARED * (size_t)n;
    double steps = (double)p->steps;
    struct engine_profile_row row;
    struct result_profile made = {0};
    int rc = rows && shared ? 0 : err_set(e, "out of memory for %d rows of a profile", n);

    rc = comm_agree(c, rc, e);
    if (rc == 0 && c->size > 1)
        rc = c->reduce(c, &steps, 1, COMM_MIN, e);
    if (rc < 0 || steps < 1)
        goto out;
    for (int i = 0; graph_profile(g, i, &row); i++) {
        shared[SHARED * i + SECONDS] = row.seconds;
        shared[SHARED * i + CALLS] = (double)row.calls;
        least[i] = row.calls ? row.least : INFINITY;
    }
    rc = mean(c, shared, SHARED * n, e);
    if (rc == 0 && c->size > 1)
        rc = c->reduce(c, least, n, COMM_MIN, e);
    if (rc == 0)
        rc = gather_parts(p, m, c, &made, e);
    if (rc < 0)
        goto out;
    for (int i = 0; graph_profile(g, i, &row); i++) {
        take_row(&rows[i], &row, &shared[SHARED * i], least[i]);
        made.operators_seconds += rows[i].seconds;
    }
    close_sum(&made);
    qsort(rows, (size_t)n, sizeof *rows, most_first);
    made.n_operators = n;
    r->profile = made;
    r->operators = rows;
    rows = NULL;
out:
    free(rows);
    free(shared);
    return rc;
}
