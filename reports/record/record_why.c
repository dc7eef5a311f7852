/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a record: the slowest path of a workload's steps, and what limited them. */
#include <config.h>

#include "reports/record/record_put.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static int put_path(cJSON *o, const char *name, const struct result_path *path, const char *none,
                    const struct nulls *n)
{
    struct nulls at = nulls_at(n, "%s", name);
    cJSON *p;

    if (path->steps == 0)
        return put_null(o, name, none, n);
    return (p = put_object(o, name)) ? fields_put(p, record_path_fields, path, &at) : -1;
}

/* count structs of `size` bytes, each a row by the table. */
static int put_rows(cJSON *o, const char *name, const struct field *table, const void *rows,
                    size_t size, int count, const struct nulls *n)
{
    cJSON *list = put_array(o, name);
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < count; i++) {
        struct nulls at = nulls_at(n, "%s[%d]", name, i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(list, row))
            return -1;
        rc = fields_put(row, table, (const char *)rows + (size_t)i * size, &at);
    }
    return rc;
}

static const char *node_of(const struct record *r, const struct record_workload *w, int rank)
{
    const int node = rank < w->n_ranks ? w->ranks[rank].node : -1;

    return node >= 0 && node < r->n_nodes ? r->nodes[node].name : "";
}

/* Whether rank a comes before b in the order of those that compute longest. */
static bool computes_longer(const struct record_rank *a, const struct record_rank *b)
{
    const double x = a->phase_seconds[PHASE_COMPUTE], y = b->phase_seconds[PHASE_COMPUTE];

    return x > y || (x == y && a < b);
}

/* The ranks of phases.compute.worst that have a yardstick. */
static int put_of_slowest(cJSON *p, const struct record *r, const struct record_workload *w,
                          const struct nulls *n)
{
    struct record_worst rows[RECORD_MAX_WORST];
    const struct record_rank *last = NULL, *next;
    int count = 0;

    for (int i = 0; i < RECORD_MAX_WORST; i++, last = next) {
        next = NULL;
        for (int k = 0; k < w->n_ranks; k++) {
            const struct record_rank *rank = &w->ranks[k];
            if (isfinite(rank->wall_seconds) && (!last || computes_longer(last, rank)) &&
                (!next || computes_longer(rank, next)))
                next = rank;
        }
        if (!next)
            break;
        const int rank = (int)(next - w->ranks);
        if (next->steady.yardstick_seconds > 0)
            rows[count++] =
                (struct record_worst){rank, node_of(r, w, rank), next->steady.yardstick_seconds};
    }
    return put_rows(p, "of_slowest", record_worst_fields, rows, sizeof *rows, count, n);
}

static int put_yardstick(cJSON *o, const struct record *all, const struct record_workload *w,
                         const struct nulls *n)
{
    const struct workload_result *r = &w->result;
    struct nulls at = nulls_at(n, "yardstick");
    cJSON *p;

    if (r->yardstick.readings == 0)
        return put_null(o, "yardstick",
                        "the run ended before a second reading, or a rank had no memory for it", n);
    if (!(p = put_object(o, "yardstick")))
        return -1;
    return fields_put(p, record_yardstick_fields, &r->yardstick, &at) |
           put_of_slowest(p, all, w, &at);
}

static int put_transport(cJSON *o, const struct record *r, const struct record_workload *w,
                         const struct nulls *n)
{
    const struct result_transport *t = &w->result.transport;
    struct record_link links[RESULT_LINKS];
    struct nulls at = nulls_at(n, "transport");
    cJSON *p;

    if (t->rounds == 0)
        return put_null(o, "transport",
                        t->reason[0] ? t->reason : "the run ended before it could be tested", n);
    if (!(p = put_object(o, "transport")))
        return -1;
    for (int i = 0; i < t->n_links; i++)
        links[i] =
            (struct record_link){node_of(r, w, t->link[i].from), node_of(r, w, t->link[i].to),
                                 t->link[i].alpha, t->link[i].rate};
    return fields_put(p, record_transport_fields, t, &at) |
           put_rows(p, "sums", record_sum_fields, t->sum, sizeof *t->sum, RESULT_SUMS, &at) |
           put_rows(p, "links", record_link_fields, links, sizeof *links, t->n_links, &at);
}

/* ---- what messages cost in training ---- */

/* A rank that receives slowly comes first; where the rate is not told, its low end counts, and
 * where bytes take no time that can be seen, it comes last. */
static double speed_of(const struct result_wire *w)
{
    return isfinite(w->rate.value) ? w->rate.value : isfinite(w->rate.low) ? w->rate.low : INFINITY;
}

static int slowest_first(const void *a, const void *b)
{
    const struct record_rank *const *x = a, *const *y = b;
    const double s = speed_of(&(*x)->steady.wire), t = speed_of(&(*y)->steady.wire);

    return s != t ? (s > t) - (s < t) : (*x > *y) - (*x < *y);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over the ranks of the number at `offset` in a struct result_wire; NAN: of less than
 * half of them there is one. v: scratch of n. */
static double median_of(const struct record_rank **ranks, int n, size_t offset, double *v)
{
    int known = 0;

    for (int i = 0; i < n; i++) {
        const double x = *(const double *)((const char *)&ranks[i]->steady.wire + offset);
        if (isfinite(x))
            v[known++] = x;
    }
    if (2 * known < n)
        return NAN;
    qsort(v, (size_t)known, sizeof *v, ascending);
    return (v[known / 2] + v[(known - 1) / 2]) / 2;
}

static struct result_value median_value(const struct record_rank **ranks, int n, size_t at,
                                        double *v)
{
    return (struct result_value){median_of(ranks, n, at + offsetof(struct result_value, value), v),
                                 median_of(ranks, n, at + offsetof(struct result_value, low), v),
                                 median_of(ranks, n, at + offsetof(struct result_value, high), v)};
}

/* Over the ranks that tell it. */
static void fill_wire(const struct record_rank **ranks, int n, double *v, struct record_wire *w)
{
    struct result_wire *of = &w->of;

    *w = (struct record_wire){.ranks = n, .of = {.least_bytes = INFINITY}};
    for (int i = 0; i < n; i++) {
        const struct result_wire *own = &ranks[i]->steady.wire;
        of->sums += own->sums;
        of->least_bytes = fmin(of->least_bytes, own->least_bytes);
        of->most_bytes = fmax(of->most_bytes, own->most_bytes);
    }
    of->alpha = median_value(ranks, n, offsetof(struct result_wire, alpha), v);
    of->rate = median_value(ranks, n, offsetof(struct result_wire, rate), v);
}

static int put_received(cJSON *p, const struct record *r, const struct record_workload *w,
                        const struct record_rank **ranks, int n, const struct nulls *at)
{
    struct record_received rows[RESULT_LINKS];
    const int kept = n < RESULT_LINKS ? n : RESULT_LINKS;

    for (int i = 0; i < kept; i++) {
        const int rank = (int)(ranks[i] - w->ranks);
        rows[i] = (struct record_received){rank, node_of(r, w, rank), ranks[i]->steady.wire.alpha,
                                           ranks[i]->steady.wire.rate};
    }
    return put_rows(p, "received", record_received_fields, rows, sizeof *rows, kept, at);
}

static int put_wire(cJSON *o, const struct record *r, const struct record_workload *w,
                    const struct nulls *n)
{
    const size_t room = (size_t)w->n_ranks + 1;
    const struct record_rank **ranks = malloc(room * sizeof *ranks);
    double *v = malloc(room * sizeof *v);
    struct nulls at = nulls_at(n, "transport_in_training");
    struct record_wire wire;
    cJSON *p;
    int count = 0, rc = -1;

    for (int k = 0; ranks && k < w->n_ranks; k++)
        if (w->ranks[k].steady.wire.sums > 0)
            ranks[count++] = &w->ranks[k];
    if (ranks && v && count == 0) {
        rc = put_null(o, "transport_in_training", RECORD_NO_WIRE, n);
    } else if (ranks && v && (p = put_object(o, "transport_in_training"))) {
        qsort(ranks, (size_t)count, sizeof(struct record_rank *), slowest_first);
        fill_wire(ranks, count, v, &wire);
        rc = fields_put(p, record_wire_fields, &wire, &at) |
             put_received(p, r, w, ranks, count, &at);
    }
    free(ranks);
    free(v);
    return rc;
}

static int put_ablation(cJSON *o, const struct record_ablation *a, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "ablation");
    cJSON *p;

    if (a->n_arms == 0)
        return put_null(o, "ablation",
                        a->reason[0] ? a->reason : "it was not asked for (diagnose=no)", n);
    if (!(p = put_object(o, "ablation")))
        return -1;
    return fields_put(p, record_ablation_fields, a, &at) |
           put_rows(p, "arms", record_arm_fields, a->arms, sizeof *a->arms, a->n_arms, &at);
}

/* Means over the ranks that have a steady state; how many. */
static int fill_loader(const struct record *r, const struct record_workload *w,
                       struct record_loader *l)
{
    struct result_rank *to = &l->of;
    double gain = 0;
    int n = 0, told = 0;

    for (int k = 0; k < w->n_ranks; k++) {
        const struct result_rank *s = &w->ranks[k].steady;
        const struct {
            double *to, from;
        } sums[] = {{&to->produce_seconds, s->produce_seconds},
                    {&to->read_seconds, s->read_seconds},
                    {&to->inflate_seconds, s->inflate_seconds},
                    {&to->convert_seconds, s->convert_seconds},
                    {&to->read_cpu_seconds, s->read_cpu_seconds},
                    {&to->inflate_cpu_seconds, s->inflate_cpu_seconds},
                    {&to->convert_cpu_seconds, s->convert_cpu_seconds},
                    {&to->find_seconds, s->find_seconds},
                    {&to->ready, s->ready}};
        if (s->steps == 0)
            continue;
        n++;
        for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) /* the mean so far */
            *sums[i].to += (sums[i].from - *sums[i].to) / n;
        if (s->read_gain > 0) {
            gain += s->read_gain;
            told++;
        }
        l->file_bytes += s->file_bytes / (double)s->steps;
        l->memory_bytes += s->memory_bytes / (double)s->steps;
        l->keeping |= s->keeping;
        if (n == 1 || s->produce_seconds > l->most) {
            const int node = w->ranks[k].node;
            l->most = s->produce_seconds;
            l->most_node = node >= 0 && node < r->n_nodes ? r->nodes[node].name : "";
        }
    }
    to->read_gain = told > 0 ? gain / told : NAN;
    return n;
}

static int put_loader(cJSON *o, const struct record *r, const struct record_workload *w,
                      const struct nulls *n)
{
    struct nulls at = nulls_at(n, "loader");
    struct record_loader l = {.most_node = ""};
    cJSON *p;

    if (fill_loader(r, w, &l) == 0)
        return put_null(o, "loader",
                        "there was no epoch after the first, or its ranks could not be asked", n);
    return (p = put_object(o, "loader")) ? fields_put(p, record_loader_fields, &l, &at) : -1;
}

int record_put_why(cJSON *o, const struct record *all, const struct record_workload *w,
                   const struct nulls *n)
{
    const struct workload_result *r = &w->result;
    struct nulls clock_at = nulls_at(n, "clock"), why_at = nulls_at(n, "why");
    struct nulls asking_at = nulls_at(n, "run_delay");
    struct result_clock compared = r->clock;
    cJSON *clock = put_object(o, "clock"), *asking = put_object(o, "run_delay"), *why;
    int rc =
        put_path(o, "path", &r->path, "there was no epoch after the first", n) |
        put_path(o, "first_path", &r->first_path, "the first epoch has fewer than two steps", n);

    if (!clock || !asking)
        return -1;
    if (r->path.steps == 0) /* no steady state */
        compared.wire_error_seconds = compared.least_wait_seconds = NAN;
    rc |= fields_put(clock, record_clock_fields, &compared, &clock_at) |
          fields_put(asking, record_asking_fields, &r->asking, &asking_at) |
          put_yardstick(o, all, w, n) | put_loader(o, all, w, n) | put_transport(o, all, w, n) |
          put_wire(o, all, w, n) | put_ablation(o, &w->ablation, n);
    if (!w->why.cause[0])
        return rc | put_null(o, "why", "the run ended before its ranks could be compared", n);
    if (!(why = put_object(o, "why")))
        return -1;
    return rc | fields_put(why, record_why_fields, &w->why, &why_at) |
           put_rows(why, "causes", record_cause_fields, w->why.causes, sizeof *w->why.causes,
                    w->why.n_causes, &why_at);
}
