/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/harness.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/micro/outlier.h"
#include "workloads/micro/sample.h"

/* A warm-up ends when a try took at least this part of the floor: the times are
 * then scaled to it. */
static const double near = 0.2;

/* A page or two of a file that others read, or that the kernel keeps, is no cache. */
static const double most_cold = 0.01, least_warm = 0.99;

/* What sample_order() draws: nodes of a round. Rows are 0. */
enum { ORDER_NODES = 1 };

int micro_samples(enum runspec_class class)
{
    return class == CLASS_TINY ? 5 : class == CLASS_SMALL ? 10 : 40;
}

double harness_seconds(const struct micro_host *h)
{
    /* warm-up: a doubling sum up to the floor and one more try */
    return (h->samples + 2.0) * h->floor_seconds * (h->turns ? h->n_nodes : 1);
}

int harness_over(const struct micro_host *h, bool *over, struct err *e)
{
    double any = h->now() >= h->deadline || (h->stop && h->stop(h->ctx));

    if (h->comm->reduce(h->comm, &any, 1, COMM_MAX, e) < 0)
        return -1;
    *over = any > 0;
    return 0;
}

static struct measure number(double v, const char *why)
{
    return isfinite(v) ? measured(v) : unmeasured(why);
}

/* ---- measuring ---- */

/* The row's work, so many times: the seconds of it that count. */
static int timed(const struct micro_host *h, const struct harness_row *row, struct reading *own,
                 long times, double *took, struct err *e)
{
    double begin = h->now();

    if (row->run(row->ctx, times, &own->wrong, e) < 0)
        return -1;
    *took = row->seconds ? row->seconds(row->ctx) : h->now() - begin;
    return 0;
}

/* How many times a sample needs to take the floor. */
static int warm_up(const struct micro_host *h, const struct harness_row *row, struct reading *own,
                   long *times, struct err *e)
{
    for (long t = 1;; t *= 2) {
        double took;
        if (timed(h, row, own, t, &took, e) < 0)
            return -1;
        if (took < near * h->floor_seconds && t < (1L << 40))
            continue;
        *times = took >= h->floor_seconds ? t : (long)ceil((double)t * h->floor_seconds / took);
        return 0;
    }
}

static int sample(const struct micro_host *h, const struct harness_row *row, struct reading *own,
                  long times, struct err *e)
{
    struct condition before, after;
    double took;

    condition_read(&before, h->now());
    if (timed(h, row, own, times, &took, e) < 0)
        return -1;
    condition_read(&after, h->now());
    condition_add(&own->sum, &before, &after);
    own->samples[own->n++] = row->value      ? row->value(row->ctx)
                             : row->work > 0 ? row->work * (double)times / took
                                             : took / (double)times;
    return 0;
}

/* One round: all ranks at once, or the nodes' in turn. round 0 warms up. order: room. */
static int one_round(const struct micro_host *h, const struct harness_row *row, int round,
                     int position, int *order, struct reading *own, long *times, struct err *e)
{
    int turns = h->turns ? h->n_nodes : 1, rc = 0;

    sample_order(order, h->n_nodes, h->seed, ORDER_NODES + (uint32_t)position, (uint32_t)round);
    for (int t = 0; t < turns; t++) {
        if (h->comm->barrier(h->comm, e) < 0)
            return -1;
        if (rc < 0 || (h->turns && order[t] != h->node))
            continue;
        rc = round ? sample(h, row, own, *times, e) : warm_up(h, row, own, times, e);
    }
    return comm_agree(h->comm, rc, e);
}

/* ---- who is slow ---- */

/* Logarithms of a rank's samples, in order; their median, and its standard error. */
static double middle(const struct reading *r, double *error)
{
    double room[HARNESS_MOST_SAMPLES];

    for (int i = 0; i < r->n; i++)
        room[i] = log(r->samples[i]);
    double m = sample_median(room, r->n);
    for (int i = 0; i < r->n; i++)
        room[i] = fabs(room[i] - m);
    *error = 1.2533 * 1.4826 * sample_median(room, r->n) / sqrt(r->n); /* of a median */
    return m;
}

/* Part of its time that a rank's threads waited for a core which others had, no quota's
 * doing: a quota stops all threads together, and run delay counts that for each. */
static double withheld(const struct reading *r, int threads)
{
    double throttled = isfinite(r->sum.throttled) ? r->sum.throttled : 0;
    double part = r->sum.delay / (r->sum.wall * threads) - throttled / r->sum.wall;

    return isfinite(part) ? fmin(0.9, fmax(0, part)) : 0;
}

/* Rates of the nodes, medians over their ranks; returns the relative error of one. Nodes
 * that take turns share cores: what other work took is not theirs and is put back, but
 * how much that changed the rate is known to a third of it only. room: [2 ranks]. */
static double node_rates(const struct micro_host *h, const struct reading *all, int threads,
                         double *rates, double *room)
{
    double *errors = room + h->comm->size, most = 0;
    int measured_ = 0;

    for (int node = 0; node < h->n_nodes; node++) {
        int n = 0;
        for (int i = 0; i < h->comm->size; i++) {
            if (all[i].node != node || all[i].n == 0)
                continue;
            double taken = h->turns ? withheld(&all[i], threads) : 0;
            room[n++] = middle(&all[i], &errors[measured_++]) - log(1 - taken);
            most = fmax(most, taken);
        }
        rates[node] = n ? exp(sample_median(room, n)) : (double)NAN;
    }
    return hypot(sample_median(errors, measured_), most / 3);
}

/* What held that node's threads back, worst rank. */
static void say_held(const struct reading *all, int n, int node, int threads, char *text,
                     size_t size)
{
    double delay = NAN, throttled = NAN;

    for (int i = 0; i < n; i++) {
        if (all[i].node != node || all[i].n == 0)
            continue;
        delay = fmax(delay, fmin(1, all[i].sum.delay / (all[i].sum.wall * threads)));
        throttled = fmax(throttled, all[i].sum.throttled);
    }
    int at = isfinite(delay) ? snprintf(text, size,
                                        "; its threads waited %.0f %% of the time for a "
                                        "core",
                                        100 * delay)
                             : snprintf(text, size, "; how long its threads waited is not known");
    if (throttled > 0)
        snprintf(text + at, size - (size_t)at, ", a CPU quota held them %.1f s", throttled);
}

/* Rank 0. The node that is slower than the others allow, and why as far as is known. */
static int name_slow(const struct micro_host *h, struct harness_row *row, const struct reading *all,
                     struct err *e)
{
    int n = h->comm->size;
    double *room = malloc((size_t)(2 * n + 2 * h->n_nodes) * sizeof *room);
    struct micro_row *r = &row->head;
    char held[112] = "";

    if (!room)
        return err_set(e, "out of memory for the nodes' rates");
    double *rates = room + 2 * n, error = node_rates(h, all, r->threads, rates, room);
    struct outlier slow =
        outlier_find(rates, h->n_nodes, error, row->spread, row->alike, rates + h->n_nodes);
    for (int i = 0; i < n && slow.node >= 0 && row->spread > 0 && r->status == MICRO_OK; i++) {
        if (all[i].node != slow.node)
            continue;
        say_held(all, n, slow.node, r->threads, held, sizeof held);
        r->status = MICRO_SLOW;
        snprintf(r->reason, sizeof r->reason, "%.32s reaches %.2f of the others' rate%s",
                 h->node_name ? h->node_name(h->ctx, i) : "?", exp(-slow.loss), held);
    }
    free(room);
    return 0;
}

/* ---- where files lay ---- */

/* NAN: a rank does not know. */
static double worst_resident(const struct reading *all, int n, bool cold)
{
    double worst = cold ? 0 : 1;

    for (int i = 0; i < n; i++) {
        if (all[i].n == 0)
            continue;
        if (isnan(all[i].resident))
            return NAN;
        worst = cold ? fmax(worst, all[i].resident) : fmin(worst, all[i].resident);
    }
    return worst;
}

void harness_cache(struct micro_row *r, bool cold, double resident)
{
    bool as_asked = cold ? resident <= most_cold : resident >= least_warm;

    snprintf(r->cache, sizeof r->cache, "%s", !as_asked ? "unknown" : cold ? "cold" : "warm");
    r->resident = number(resident, "mincore() does not tell it of these files");
}

/* Collective. Rank 0 gives the row away, but for one that is measured again. */
static int hand_over(const struct micro_host *h, struct micro_row *r, struct err *e)
{
    int rc = 0;

    if (h->comm->rank == 0 && h->swap && h->swap->again)
        micro_row_fini(r);
    else if (h->comm->rank == 0)
        rc = h->row(h->ctx, r, e);
    return comm_agree(h->comm, rc, e);
}

/* ---- the order-swap test ---- */

/* Standard errors that a difference must have to be detected (80 % power, 5 % false
 * alarms on both sides: 1.96 + 0.84), and the least that is called one. */
static const double detected = 2.8, least_difference = 0.01;

/* Rank 0. The row is one of the first two, or one of them again. */
static void keep_for_swap(const struct micro_host *h, const struct micro_row *r,
                          const struct reading *all, int position)
{
    struct micro_swapped *to = h->swap->again ? h->swap->second : h->swap->first;
    double squares = 0, error;
    int n = 0;

    if (position < 1 || position > 2)
        return;
    to += position - 1;
    for (int i = 0; i < h->comm->size; i++) {
        if (all[i].n == 0)
            continue;
        middle(&all[i], &error);
        squares += error * error;
        n++;
    }
    to->log = r->median.reason ? (double)NAN : log(r->median.value);
    to->error = n ? sqrt(squares) / n : (double)NAN;
    snprintf(to->what, sizeof to->what, "%s", r->what);
    snprintf(to->shape, sizeof to->shape, "%s", r->shape);
    snprintf(to->dtype, sizeof to->dtype, "%s", r->dtype);
    snprintf(to->direction, sizeof to->direction, "%s", r->direction);
    snprintf(to->threads, sizeof to->threads, "%d thread%s", r->threads,
             r->threads == 1 ? "" : "s");
}

enum { SWAP_NAME = 36 };

/* Names that tell two rows apart: what they are and, where that is the same, the first
 * thing in which they differ. */
static void name_two(const struct micro_swapped row[2], char name[2][SWAP_NAME])
{
    const char *const more[][2] = {{row[0].shape, row[1].shape},
                                   {row[0].dtype, row[1].dtype},
                                   {row[0].direction, row[1].direction},
                                   {row[0].threads, row[1].threads}};
    size_t k = 0;

    while (k < sizeof more / sizeof *more && strcmp(more[k][0], more[k][1]) == 0)
        k++;
    const bool alike = strcmp(row[0].what, row[1].what) == 0 && k < sizeof more / sizeof *more;
    for (int i = 0; i < 2; i++)
        snprintf(name[i], SWAP_NAME, "%.16s%s%.18s", row[i].what, alike ? " " : "",
                 alike ? more[k][i] : "");
}

/* Rank 0: the row of the test. */
static int put_swap(const struct micro_host *h, const char *name, struct err *e)
{
    const struct micro_swap *s = h->swap;
    struct measure none = unmeasured("made of other rows");
    struct micro_row r = {.ranks = h->comm->size,
                          .threads = 1,
                          .more_is_better = true,
                          .checked = true,
                          .index = INT_MAX,
                          .slowest_rank = -1};
    double ratio[2], limit[2], worst = 1;
    char names[2][SWAP_NAME];

    for (int i = 0; i < 2; i++) { /* what came first comes second now */
        const struct micro_swapped *a = &s->first[i], *b = &s->second[1 - i];
        double moved = b->log - a->log;
        ratio[i] = exp(moved);
        limit[i] = fmax(least_difference, detected * hypot(a->error, b->error));
        if (fabs(moved) > limit[i])
            r.status = MICRO_UNSTEADY;
        worst = fabs(moved) > fabs(log(worst)) ? ratio[i] : worst;
    }
    if (!isfinite(ratio[0] * ratio[1] * limit[0] * limit[1]))
        return 0; /* one of them was skipped */
    snprintf(r.name, sizeof r.name, "%s", name);
    snprintf(r.what, sizeof r.what, "order swap");
    name_two(s->first, names);
    snprintf(r.shape, sizeof r.shape, "%.30s, %.30s", names[0], names[1]);
    snprintf(r.unit, sizeof r.unit, "ratio");
    snprintf(r.direction, sizeof r.direction, "none");
    snprintf(r.reason, sizeof r.reason,
             "in the other order %s is %.3f x what it was and %s %.3f x; detectable are "
             "%.1f and %.1f %%",
             names[0], ratio[0], names[1], ratio[1], 100 * expm1(limit[0]), 100 * expm1(limit[1]));
    r.median = measured(worst);
    r.p95 = r.p99 = r.best = r.slowest = none;
    r.run_delay = r.throttled_seconds = r.foreign_cores = r.clock_hertz = r.celsius = none;
    r.algbw = r.busbw = unmeasured("not a collective");
    return h->row(h->ctx, &r, e);
}

/* Collective. The first two rows once more, the second first. */
static int swap_two(const struct micro_host *h, const char *name, const int *order,
                    int (*measure)(void *ctx, int row, int position, struct err *e), void *ctx,
                    struct err *e)
{
    bool over = true;
    int rc = harness_over(h, &over, e);

    if (rc < 0 || over)
        return rc;
    h->swap->again = true;
    rc = measure(ctx, order[1], 1, e) < 0 || measure(ctx, order[0], 2, e) < 0 ? -1 : 0;
    h->swap->again = false;
    if (rc == 0 && h->comm->rank == 0)
        rc = put_swap(h, name, e);
    return comm_agree(h->comm, rc, e);
}

int harness_skip(const struct micro_host *h, struct micro_row *r, const char *why, struct err *e)
{
    struct measure none = unmeasured("not measured");

    if (!r->shape[0])
        snprintf(r->shape, sizeof r->shape, "none");
    r->status = MICRO_SKIPPED;
    snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, why);
    r->median = r->p95 = r->p99 = r->best = r->slowest = r->algbw = r->busbw = none;
    r->run_delay = r->throttled_seconds = r->foreign_cores = r->clock_hertz = r->celsius = none;
    r->slowest_rank = -1;
    return hand_over(h, r, e);
}

int harness_measure(const struct micro_host *h, struct harness_row *row, int position,
                    struct err *e)
{
    struct reading own = {.node = h->node, .sum = condition_none()}, *all = NULL;
    int samples = h->samples < HARNESS_MOST_SAMPLES ? h->samples : HARNESS_MOST_SAMPLES;
    int *order = malloc((size_t)h->n_nodes * sizeof *order);
    long times = 1;
    int rc = !order       ? err_set(e, "out of memory for the order of the nodes")
             : row->check ? row->check(row->ctx, &own.wrong, e)
                          : 0;

    rc = comm_agree(h->comm, rc, e);
    for (int round = 0; round <= samples && rc == 0; round++)
        rc = one_round(h, row, round, position, order, &own, &times, e);
    free(order);
    own.resident = row->resident ? row->resident(row->ctx) : NAN;
    if (rc < 0 || harness_collect(h, &own, &all, e) < 0)
        return -1;
    row->head.checked = true;
    rc = h->comm->rank == 0 ? harness_fill(h, &row->head, all, position, e) : 0;
    if (rc == 0 && h->comm->rank == 0)
        rc = name_slow(h, row, all, e);
    if (row->resident && h->comm->rank == 0)
        harness_cache(&row->head, row->cold, worst_resident(all, h->comm->size, row->cold));
    if (rc == 0 && h->comm->rank == 0 && h->swap)
        keep_for_swap(h, &row->head, all, position);
    free(all);
    if (comm_agree(h->comm, rc, e) < 0)
        return -1;
    return hand_over(h, &row->head, e);
}

int harness_rows(const struct micro_host *h, const char *name, int n,
                 int (*measure)(void *ctx, int row, int position, struct err *e), void *ctx,
                 int *done, struct err *e)
{
    int *order = malloc((size_t)(n + 1) * sizeof *order);
    bool over = false;
    int rc =
        comm_agree(h->comm, order ? 0 : err_set(e, "out of memory for the rows of %s", name), e);

    if (rc == 0)
        sample_order(order, n, h->seed, 0, 0);
    if (rc == 0 && h->swap)
        for (int i = 0; i < 2; i++)
            h->swap->first[i].log = h->swap->second[i].log = NAN;
    for (int i = 0; i < n && rc == 0; i++) {
        if ((rc = harness_over(h, &over, e)) < 0 || over)
            break;
        if (h->count)
            h->count(h->ctx, name, (uint64_t)i, (uint64_t)n);
        rc = measure(ctx, order[i], i + 1, e);
        *done += rc == 0;
    }
    if (rc == 0 && !over && n > 1 && h->swap)
        rc = swap_two(h, name, order, measure, ctx, e);
    free(order);
    return rc;
}

/* ---- gathering ---- */

int harness_collect(const struct micro_host *h, const struct reading *own, struct reading **all,
                    struct err *e)
{
    struct comm *c = h->comm;
    size_t *counts = NULL;
    int rc = 0;

    *all = NULL;
    if (c->rank == 0) {
        *all = malloc((size_t)c->size * sizeof **all);
        counts = malloc((size_t)c->size * sizeof *counts);
        if (!*all || !counts)
            rc = err_set(e, "out of memory for the samples");
        for (int i = 0; rc == 0 && i < c->size; i++)
            counts[i] = sizeof *own;
    }
    rc = comm_agree(c, rc, e);
    if (rc == 0)
        rc = c->gatherv(c, own, sizeof *own, *all, counts, e);
    free(counts);
    if (rc < 0) {
        free(*all);
        *all = NULL;
    }
    return rc;
}

/* Cores of a node that others than our ranks there kept busy; NAN unknown. */
static double foreign(const struct reading *all, int n, int node)
{
    double busy = 0, own = 0;
    int ranks = 0;

    for (int i = 0; i < n; i++) {
        const struct condition *c = &all[i].sum;
        if (all[i].node != node || all[i].n == 0 || !(c->wall > 0))
            continue;
        busy += c->busy / c->wall;
        own += c->own / c->wall;
        ranks++;
    }
    return ranks ? fmax(0, busy / ranks - own) : NAN;
}

static void fill_conditions(struct micro_row *r, const struct reading *all, int n)
{
    double delay = NAN, throttled = NAN, others = NAN, hertz = NAN, celsius = NAN;

    for (int i = 0; i < n; i++) {
        const struct condition *c = &all[i].sum;
        if (all[i].n == 0)
            continue;
        /* threads that the row does not use may wait, too */
        delay = fmax(delay, fmin(1, c->delay / (c->wall * r->threads)));
        throttled = fmax(throttled, c->throttled);
        others = fmax(others, foreign(all, n, all[i].node));
        hertz = fmin(hertz, c->hertz);
        celsius = fmax(celsius, c->celsius);
    }
    r->run_delay = number(delay, "the kernel keeps no schedstat");
    r->throttled_seconds = number(throttled, "no cgroup tells it");
    r->foreign_cores = number(others, "/proc/stat cannot be read");
    r->clock_hertz = number(hertz, "the system shows no clock");
    r->celsius = number(celsius, "the system shows no temperature");
}

static int fill_samples(struct micro_row *r, const struct reading *all, int n)
{
    int total = 0, parts = 0, at = 0;

    for (int i = 0; i < n; i++) {
        total += all[i].n;
        parts += all[i].n > 0;
    }
    r->samples = malloc((size_t)(total + 1) * sizeof *r->samples);
    r->parts = malloc((size_t)(parts + 1) * sizeof *r->parts);
    if (!r->samples || !r->parts)
        return -1;
    for (int i = 0; i < n; i++) {
        if (all[i].n == 0)
            continue;
        memcpy(r->samples + at, all[i].samples, (size_t)all[i].n * sizeof *r->samples);
        r->parts[r->n_parts++] = (struct micro_part){i, all[i].node, all[i].n};
        at += all[i].n;
    }
    r->n_samples = total;
    return 0;
}

/* The first rank with a wrong number makes the row FAULTY. */
static void judge(const struct micro_host *h, struct micro_row *r, const struct reading *all, int n)
{
    for (int i = 0; i < n; i++) {
        if (all[i].wrong == 0)
            continue;
        const char *name = h->node_name ? h->node_name(h->ctx, i) : "?";
        r->status = MICRO_FAULTY;
        snprintf(r->reason, sizeof r->reason, "rank %d on %.48s computed %ld wrong number%s", i,
                 name, all[i].wrong, all[i].wrong == 1 ? "" : "s");
        return;
    }
}

int harness_fill(const struct micro_host *h, struct micro_row *r, const struct reading *all,
                 int position, struct err *e)
{
    int n = h->comm->size;

    r->position = position;
    r->algbw = r->busbw = unmeasured("not a collective");
    if (fill_samples(r, all, n) < 0 || sample_summarise(r, "no sample was taken") < 0) {
        micro_row_fini(r);
        return err_set(e, "out of memory for the samples");
    }
    r->ranks = r->n_parts;
    fill_conditions(r, all, n);
    if (r->slowest_rank >= 0 && h->n_nodes > 1 && h->node_name)
        snprintf(r->slowest_node, sizeof r->slowest_node, "%s",
                 h->node_name(h->ctx, r->slowest_rank));
    judge(h, r, all, n);
    return 0;
}
