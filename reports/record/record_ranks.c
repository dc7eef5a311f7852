/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a record: what is over the ranks, phases and counters; least, median,
 * most and the worst, with their nodes. */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "reports/record/record_put.h"

/* ---- quantiles and the worst ---- */

/* A partial record may lack ranks: their wall time is not finite. */
static bool rank_known(const struct record_workload *w, int rank)
{
    return isfinite(w->ranks[rank].wall_seconds);
}

static int ranks_known(const struct record_workload *w)
{
    int n = 0;

    for (int k = 0; k < w->n_ranks; k++)
        n += rank_known(w, k);
    return n;
}

struct ranked {
    double value;
    int rank;
};

static int highest_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->rank - y->rank;
}

/* Middle of n values in falling order; the mean of two for an even n. */
static double median_of(const struct ranked *v, int n)
{
    return n % 2 ? v[n / 2].value : (v[n / 2 - 1].value + v[n / 2].value) / 2;
}

/* Nearest rank: the least value that 95 % do not exceed. */
static double p95_of(const struct ranked *v, int n)
{
    return v[n - (int)ceil(0.95 * n)].value;
}

static const char *node_of(const struct record *r, const struct record_workload *w, int rank)
{
    int node = w->ranks[rank].node;
    return node >= 0 && node < r->n_nodes ? r->nodes[node].name : "";
}

static int put_worst(cJSON *o, const struct record *r, const struct record_workload *w,
                     const struct ranked *v, int n_worst, const struct nulls *n)
{
    cJSON *array = put_array(o, "worst");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < n_worst; i++) {
        struct record_worst worst = {v[i].rank, node_of(r, w, v[i].rank), v[i].value};
        struct nulls at = nulls_at(n, "worst[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        rc = fields_put(row, record_worst_fields, &worst, &at);
    }
    return rc;
}

static int put_phase(cJSON *phases, const struct record *r, const struct record_workload *w,
                     enum phase p, struct ranked *v, int worst, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "%s", phase_name(p));
    cJSON *o = put_object(phases, phase_name(p));
    int count = 0;

    if (!o)
        return -1;
    for (int k = 0; k < w->n_ranks; k++) {
        double seconds = w->ranks[k].phase_seconds[p];
        if (rank_known(w, k))
            v[count++] = (struct ranked){isfinite(seconds) && seconds > 0 ? seconds : 0, k};
    }
    qsort(v, (size_t)count, sizeof *v, highest_first);
    struct record_spread spread = {.min = v[count - 1].value,
                                   .median = median_of(v, count),
                                   .p95 = p95_of(v, count),
                                   .max = v[0].value,
                                   .max_node = node_of(r, w, v[0].rank)};
    return fields_put(o, record_spread_fields, &spread, &at) |
           put_worst(o, r, w, v, count < worst ? count : worst, &at);
}

/* Median and most of a part of a phase; v: scratch. */
static int put_split(cJSON *splits, const struct record *r, const struct record_workload *w,
                     enum phase_part s, const char *path, struct ranked *v, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "%s", path);
    cJSON *o = put_object(splits, path);
    int count = 0;

    if (!o)
        return -1;
    for (int k = 0; k < w->n_ranks; k++) {
        const double seconds = w->ranks[k].split_seconds[s];
        if (rank_known(w, k))
            v[count++] = (struct ranked){isfinite(seconds) && seconds > 0 ? seconds : 0, k};
    }
    qsort(v, (size_t)count, sizeof *v, highest_first);
    const struct record_spread spread = {
        .median = median_of(v, count), .max = v[0].value, .max_node = node_of(r, w, v[0].rank)};
    return fields_put(o, record_part_fields, &spread, &at);
}

static int put_splits(cJSON *o, const struct record *r, const struct record_workload *w,
                      struct ranked *v, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "splits");
    cJSON *splits;
    double sum = 0;

    for (int k = 0; k < w->n_ranks; k++)
        for (int s = 0; s < SPLIT_COUNT; s++)
            sum += w->ranks[k].split_seconds[s];
    if (!(sum > 0)) /* of journals, which have phases alone */
        return put_null(o, "splits", "the run ended before its ranks could be asked", n);
    int rc = (splits = put_object(o, "splits")) ? 0 : -1;

#define SPLIT(phase, name, title)                                                                  \
    if (rc == 0)                                                                                   \
        rc = put_split(splits, r, w, SPLIT_##phase##_##name, #phase "." #name, v, &at);
#include "reports/core/splits.def"
    return rc;
}

/* Most that a rank's phases miss its wall time by, as part of it. */
static double phase_error(const struct record_workload *w)
{
    double most = 0;

    for (int k = 0; k < w->n_ranks; k++) {
        double sum = 0, wall = w->ranks[k].wall_seconds;
        for (int p = 0; p < PHASE_COUNT; p++)
            sum += w->ranks[k].phase_seconds[p];
        double error = wall > 0 ? fabs(sum - wall) / wall : 0;
        if (rank_known(w, k))
            most = error > most || isnan(error) ? error : most;
    }
    return most;
}

/* What a rank does with a batch that is there: it waits for nobody. */
static double at_work(const double phase_seconds[PHASE_COUNT])
{
    return phase_seconds[PHASE_COMPUTE] + phase_seconds[PHASE_WITHHELD] +
           phase_seconds[PHASE_EXCHANGE_CPU] + phase_seconds[PHASE_UPDATE];
}

/* Accelerator utilisation as DLIO and MLPerf Storage define it, of the steady
 * state: compute over compute and input wait, median over ranks. */
static double utilisation(const struct record_workload *w, struct ranked *v)
{
    int n = 0;

    for (int k = 0; k < w->n_ranks; k++) {
        const double *s = w->ranks[k].phase_seconds;
        double steady = at_work(s) + s[PHASE_INPUT_WAIT];
        if (!rank_known(w, k))
            continue;
        if (!(steady > 0))
            return NAN;
        v[n++] = (struct ranked){at_work(s) / steady, k};
    }
    qsort(v, (size_t)n, sizeof *v, highest_first);
    return n ? median_of(v, n) : NAN;
}

int record_put_phases(cJSON *o, const struct record *r, const struct record_workload *w,
                      const struct record_limits *limit, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "phases");
    struct ranked *v = calloc((size_t)w->n_ranks + 1, sizeof *v);
    int known = ranks_known(w);
    cJSON *phases;

    if (!v)
        return -1;
    struct record_shares shares = {.utilisation = utilisation(w, v),
                                   .wall_seconds = w->result.wall_seconds,
                                   .phase_sum_error = known ? phase_error(w) : NAN,
                                   .ranks_known = known};
    int rc = fields_put(o, record_shares_fields, &shares, n);
    if (known == 0) {
        rc |= put_null(o, "phases", "no rank left its phases", n) |
              put_null(o, "splits", "no rank left its phases", n);
    } else if ((phases = put_object(o, "phases"))) {
        for (int p = 0; p < PHASE_COUNT; p++)
            rc |= put_phase(phases, r, w, (enum phase)p, v, limit->worst, &at);
        rc |= put_splits(o, r, w, v, n);
    } else {
        rc = -1;
    }
    if (shares.phase_sum_error > 0.02)
        rc |= put_reason(&at, "phases and wall time differ by more than 2 %");
    free(v);
    return rc;
}

/* ---- counters ---- */

static int put_counter_ranks(cJSON *o, const struct record *r, const struct record_workload *w,
                             const struct record_counter *c, const struct nulls *n)
{
    struct ranked *v = calloc((size_t)w->n_ranks + 1, sizeof *v);
    struct nulls at = nulls_at(n, "ranks");
    cJSON *ranks;
    int count = 0, rc = -1;

    for (int k = 0; v && c->per_rank && k < w->n_ranks; k++) {
        double value = c->per_rank[k * (PHASE_COUNT + 1) + PHASE_COUNT];
        if (isfinite(value))
            v[count++] = (struct ranked){value, k};
    }
    if (v && count == 0) {
        rc = put_null(o, "ranks", "no value per rank", n);
    } else if (v && (ranks = put_object(o, "ranks"))) {
        qsort(v, (size_t)count, sizeof *v, highest_first);
        struct record_counter_ranks spread = {.counted = count,
                                              .min = v[count - 1].value,
                                              .median = median_of(v, count),
                                              .max = v[0].value,
                                              .max_node = node_of(r, w, v[0].rank),
                                              .min_node = node_of(r, w, v[count - 1].rank)};
        rc = fields_put(ranks, record_counter_ranks_fields, &spread, &at);
    }
    free(v);
    return rc;
}

/* What is counted from the border before compute to the one after it is of all phases inside
 * steps together: it is the loop's, and no phase's. */
static int put_counted(cJSON *phases, enum phase p, const struct measure *m, const struct nulls *n)
{
    const double v = m->reason ? NAN : m->value;

    if (p != PHASE_COMPUTE)
        return put_number(phases, phase_name(p), v, m->reason, n);
    return put_number(phases, RECORD_TRAIN, v, m->reason, n) |
           put_number(phases, phase_name(p), NAN,
                      m->reason ? m->reason : "counted with all else in training steps: train", n);
}

static int put_counter(cJSON *counters, const struct record *r, const struct record_workload *w,
                       const struct record_counter *c, const struct nulls *n)
{
    const struct record_counter_head head = {c->unit, c->source, c->total.value, c->ratio};
    struct nulls at = nulls_at(n, "%s", c->name);
    struct nulls below = nulls_at(&at, "phases");
    cJSON *o, *phases;

    if (c->total.reason || !isfinite(c->total.value))
        return put_null(counters, c->name, c->total.reason ? c->total.reason : "not finite", n);
    if (!(o = put_object(counters, c->name)))
        return -1;
    int rc = fields_put(o, record_counter_fields, &head, &at) | put_counter_ranks(o, r, w, c, &at);
    if (!(phases = put_object(o, "phases")))
        return -1;
    for (int p = 0; p < PHASE_COUNT; p++)
        rc |= put_counted(phases, (enum phase)p, &c->phases[p], &below);
    return rc;
}

int record_put_counters(cJSON *o, const struct record *r, const struct record_workload *w,
                        const struct nulls *n)
{
    struct nulls at = nulls_at(n, "counters");
    cJSON *counters;
    int rc = 0;

    if (w->n_counters == 0)
        return put_null(o, "counters", "no counter was read", n);
    if (!(counters = put_object(o, "counters")))
        return -1;
    for (int i = 0; i < w->n_counters; i++)
        rc |= put_counter(counters, r, w, &w->counters[i], &at);
    return rc;
}
