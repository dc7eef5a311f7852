/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator benchmarks: which rows there are, and what each needs. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/micro/harness.h"
#include "workloads/micro/sample.h"
#include "workloads/micro/shapes.h"

enum { PARTS = 3 };

/* For plans, until something is measured: FLOP/s and bytes/s of a thread. A row whose
 * one pass is slow has fewer samples, never less than the first of these. */
static const double guess_flops = 2e10, guess_bytes = 3e9, most_row_seconds = 60;
enum { LEAST_SAMPLES = 5 };

/* What is opened once: a shape in one precision. */
struct row_case {
    const struct operator_shape *s;
    bool bf16;
};

struct operators {
    const struct micro_host *h;
    enum operator_kind kind;
    struct shapes shapes;
    struct row_case *cases;
    int n_cases, n_rows, position;
};

/* ---- the list ---- */

static int parts_of(const struct operator_shape *s)
{
    int n = 0;

    for (int p = 0; p < PARTS; p++)
        n += s->parts >> p & 1;
    return n;
}

static void add(struct operators *o, const struct operator_shape *s, bool bf16)
{
    o->cases[o->n_cases++] = (struct row_case){s, bf16};
    o->n_rows += parts_of(s);
}

/* tiny: in bfloat16 what only moves values moves half as many bytes, which is all that
 * its rows would tell. */
static bool one_type(const struct micro_host *h, enum operator_kind kind)
{
    return h->class == CLASS_TINY && kind != OPERATOR_CONV && kind != OPERATOR_DECONV &&
           kind != OPERATOR_GEMM && kind != OPERATOR_ATTENTION;
}

static int list(struct operators *o, const struct micro_host *h, enum operator_kind kind,
                struct err *e)
{
    *o = (struct operators){.h = h, .kind = kind};
    if (shapes_list(&o->shapes, kind, h->class, h->comm->size, e) < 0)
        return -1;
    o->cases = malloc(2 * ((size_t)o->shapes.n + 1) * sizeof *o->cases);
    if (!o->cases)
        return err_set(e, "out of memory for the rows of %s", operator_name(kind));
    for (int i = 0; i < o->shapes.n; i++) {
        const struct operator_shape *s = &o->shapes.v[i];
        const bool has_bf16 = operator_has_bf16(s), both = h->dtype != DTYPE_BF16;
        if (both || !has_bf16)
            add(o, s, false);
        if (has_bf16 && !(both && one_type(h, kind)))
            add(o, s, true);
    }
    return 0;
}

static void unlist(struct operators *o)
{
    shapes_free(&o->shapes);
    free(o->cases);
}

/* ---- plans ---- */

/* Seconds of one pass, guessed. */
static double guess(const struct micro_host *h, const struct operator_shape *s)
{
    double flop =
        s->kind <= OPERATOR_ATTENTION && s->kind != OPERATOR_POOL ? 2 * operator_work(s) : 0;

    return (flop / guess_flops + 4 * operator_values(s) / guess_bytes) / h->threads;
}

static int samples_of(const struct micro_host *h, const struct operator_shape *s)
{
    double fit = most_row_seconds / guess(h, s);

    return fit >= h->samples            ? h->samples
           : h->samples < LEAST_SAMPLES ? h->samples
           : fit < LEAST_SAMPLES        ? LEAST_SAMPLES
                                        : (int)fit;
}

/* Of a row: the floor or one pass a sample; before it a step, and the check of it,
 * which costs some ten passes. */
static double seconds_of(const struct micro_host *h, const struct operator_shape *s)
{
    double once = guess(h, s), turns = h->turns ? h->n_nodes : 1;

    return (samples_of(h, s) + 2) * fmax(h->floor_seconds, once) * turns + 10 * once;
}

static void plan(enum operator_kind kind, const struct micro_host *h, struct micro_plan *plan)
{
    struct operators o;

    memset(plan, 0, sizeof *plan);
    if (list(&o, h, kind, NULL) == 0) {
        plan->rows = o.n_rows;
        for (int i = 0; i < o.n_cases; i++) {
            const struct operator_shape *s = o.cases[i].s;
            double bytes = operator_bytes(s);
            bool fits = !h->memory_bytes || bytes < (double)h->memory_bytes;
            plan->expected_seconds += fits ? parts_of(s) * seconds_of(h, s) : 0;
            if (fits && bytes > (double)plan->memory_bytes) /* larger ones are left out */
                plan->memory_bytes = (uint64_t)bytes;
        }
        snprintf(plan->title, sizeof plan->title, "%d rows of %d samples: %d shape%s, by direction",
                 o.n_rows, h->samples, o.shapes.n, o.shapes.n == 1 ? "" : "s");
    }
    unlist(&o);
}

/* ---- one row ---- */

/* As the harness wants it. */
struct part {
    struct operation *o;
    enum engine_pass part;
    double seconds; /* of the last run, where only part of it counts */
};

static int check(void *ctx, long *wrong, struct err *e)
{
    struct part *p = ctx;

    return operator_check(p->o, p->part, wrong, e);
}

static int run_part(void *ctx, long times, long *wrong, struct err *e)
{
    struct part *p = ctx;

    (void)wrong;
    return operator_run(p->o, p->part, times, &p->seconds, e);
}

static double seconds(void *ctx)
{
    return ((struct part *)ctx)->seconds;
}

static void head(const struct operators *o, int at, enum engine_pass part, struct micro_row *r)
{
    static const char *const directions[] = {"forward", "backward_data", "backward_weights"};
    const struct row_case *c = &o->cases[at];

    snprintf(r->name, sizeof r->name, "%s", operator_name(o->kind));
    snprintf(r->what, sizeof r->what, "%s", operator_what(c->s));
    operator_text(c->s, r->shape);
    snprintf(r->dtype, sizeof r->dtype, "%s", c->bf16 ? "bf16" : "f32");
    snprintf(r->direction, sizeof r->direction, "%s", directions[part]);
    snprintf(r->found_in, sizeof r->found_in, "%s", c->s->from);
    snprintf(r->unit, sizeof r->unit, "FLOP/s");
    r->threads = o->h->threads;
    r->index = PARTS * at + (int)part;
    r->more_is_better = true;
}

static int measure(struct operators *o, int at, struct operation *op, enum engine_pass part,
                   struct err *e)
{
    const struct engine_cost cost = operator_cost(op, part);
    struct micro_host h = *o->h;
    struct part p = {.o = op, .part = part};
    struct harness_row row = {.ctx = &p, .check = check, .run = run_part};

    head(o, at, part, &row.head);
    row.head.flop = cost.flop;
    row.head.bytes = (uint64_t)cost.bytes;
    snprintf(row.head.implementation, sizeof row.head.implementation, "%s", operator_how(op, part));
    row.work = cost.flop > 0 ? cost.flop : cost.bytes;
    if (!(cost.flop > 0))
        snprintf(row.head.unit, sizeof row.head.unit, "B/s");
    if (o->kind == OPERATOR_OPTIMIZER)
        row.seconds = seconds;
    h.samples = samples_of(o->h, o->cases[at].s);
    return harness_measure(&h, &row, ++o->position, e);
}

static int skip(const struct operators *o, int at, enum engine_pass part, const char *why,
                struct err *e)
{
    struct harness_row row = {0};

    head(o, at, part, &row.head);
    return harness_skip(o->h, &row.head, why, e);
}

/* All directions of a shape; *done: rows. */
static int measure_case(struct operators *o, int at, int *done, bool *over, struct err *e)
{
    const struct micro_host *h = o->h;
    const struct row_case *c = &o->cases[at];
    const struct operator_setting set = {.backend = h->backend,
                                         .bf16 = c->bf16,
                                         .threads = h->threads,
                                         .seed = h->seed,
                                         .memory_bytes = h->memory_bytes};
    struct err why = ERR_INIT;
    struct operation *op = operator_open(c->s, &set, &why);
    bool opened = comm_agree(h->comm, op ? 0 : -1, &why) == 0;
    int rc = 0;

    for (int p = 0; p < PARTS && rc == 0 && !*over; p++) {
        if (!(c->s->parts >> p & 1))
            continue;
        rc = harness_over(h, over, e);
        if (rc == 0 && !*over) {
            rc = opened ? measure(o, at, op, (enum engine_pass)p, e)
                        : skip(o, at, (enum engine_pass)p, why.text, e);
            *done += rc == 0;
        }
    }
    operator_close(op);
    return rc;
}

/* ---- the benchmarks ---- */

static int run_cases(struct operators *o, int *done, struct err *e)
{
    const struct micro_host *h = o->h;
    int *order = malloc(((size_t)o->n_cases + 1) * sizeof *order), rc = 0;
    bool over = false;

    if (comm_agree(h->comm, order ? 0 : err_set(e, "out of memory for the order of rows"), e) < 0) {
        free(order);
        return -1;
    }
    sample_order(order, o->n_cases, h->seed, 0, 0);
    for (int i = 0; i < o->n_cases && rc == 0 && !over; i++) {
        if (h->count)
            h->count(h->ctx, operator_name(o->kind), (uint64_t)*done, (uint64_t)o->n_rows);
        rc = measure_case(o, order[i], done, &over, e);
    }
    free(order);
    return rc;
}

static int run(enum operator_kind kind, const struct micro_host *h, int *done, struct err *e)
{
    struct operators o;
    int rc = comm_agree(h->comm, list(&o, h, kind, e), e);

    if (rc == 0)
        rc = run_cases(&o, done, e);
    unlist(&o);
    return rc;
}

#define BENCH(symbol, kind)                                                                        \
    static void plan_##symbol(const struct micro_host *h, struct micro_plan *p)                    \
    {                                                                                              \
        plan(kind, h, p);                                                                          \
    }                                                                                              \
    static int run_##symbol(const struct micro_host *h, int *done, struct err *e)                  \
    {                                                                                              \
        return run(kind, h, done, e);                                                              \
    }                                                                                              \
    const struct micro_bench micro_##symbol = {plan_##symbol, run_##symbol}

BENCH(conv, OPERATOR_CONV);
BENCH(deconv, OPERATOR_DECONV);
BENCH(pool, OPERATOR_POOL);
BENCH(gemm, OPERATOR_GEMM);
BENCH(attention, OPERATOR_ATTENTION);
BENCH(norm, OPERATOR_NORM);
BENCH(act, OPERATOR_ACT);
BENCH(loss, OPERATOR_LOSS);
BENCH(optimizer, OPERATOR_OPTIMIZER);
