/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as text. Everything that grows with the machine passes a limit,
 * and the limits halve until the text fits RECORD_MAX_BYTES.
 */
#include <config.h>

#include "reports/record/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/record_fields.h"
#include "reports/core/sha256.h"

struct limits {
    int nodes;  /* rows of system.nodes */
    int names;  /* of job.nodes and job.plugin_remote */
    int epochs; /* per workload */
    int worst;  /* ranks per phase */
};

static void hash_text(const char *text, char hex[SHA256_HEX_SIZE])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, text, strlen(text));
    sha256_hex(&s, hex);
}

/* SHA-256 over the object's text without white space, before it has a hash. */
static int put_hash(cJSON *o)
{
    char hex[SHA256_HEX_SIZE];
    char *text = cJSON_PrintUnformatted(o);

    if (!text)
        return -1;
    hash_text(text, hex);
    free(text);
    return put_text(o, "hash", hex, NULL, NULL);
}

/* ---- nodes ---- */

struct node_order {
    int node;
    int alike; /* nodes with the same inventory */
    char hex[SHA256_HEX_SIZE];
};

static int by_hash(const void *a, const void *b)
{
    const struct node_order *x = a, *y = b;
    int c = strcmp(x->hex, y->hex);
    return c ? c : x->node - y->node;
}

static int odd_first(const void *a, const void *b)
{
    const struct node_order *x = a, *y = b;
    return x->alike != y->alike ? (x->alike < y->alike ? -1 : 1) : x->node - y->node;
}

static int hash_node(const struct record_node *node, char hex[SHA256_HEX_SIZE])
{
    cJSON *o = cJSON_CreateObject();
    char *text = NULL;

    if (o &&
        record_facts_put(o, record_inventory_info, node->inventory, 0, INVENTORY_COUNT, NULL) == 0)
        text = cJSON_PrintUnformatted(o);
    if (text)
        hash_text(text, hex);
    free(text);
    cJSON_Delete(o);
    return text ? 0 : -1;
}

/* rows in the order of their hashes: how many nodes are alike. */
static void count_alike(struct node_order *rows, int n)
{
    for (int begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && strcmp(rows[begin].hex, rows[end].hex) == 0; end++)
            ;
        for (int k = begin; k < end; k++)
            rows[k].alike = end - begin;
    }
}

/* Nodes in their order, or the rarest inventories first when not all can be
 * shown; digest is the hash over all inventories, whatever the names. */
static struct node_order *order_nodes(const struct record *r, const struct limits *limit,
                                      char digest[SHA256_HEX_SIZE])
{
    struct node_order *rows = calloc((size_t)r->n_nodes + 1, sizeof *rows);
    struct sha256 s;

    for (int i = 0; rows && i < r->n_nodes; i++) {
        rows[i].node = i;
        if (hash_node(&r->nodes[i], rows[i].hex) < 0) {
            free(rows);
            return NULL;
        }
    }
    if (!rows)
        return NULL;
    qsort(rows, (size_t)r->n_nodes, sizeof *rows, by_hash);
    sha256_init(&s);
    for (int i = 0; i < r->n_nodes; i++)
        sha256_add(&s, rows[i].hex, SHA256_HEX_SIZE - 1);
    sha256_hex(&s, digest);
    if (r->n_nodes > limit->nodes)
        count_alike(rows, r->n_nodes);
    qsort(rows, (size_t)r->n_nodes, sizeof *rows, odd_first);
    return rows;
}

static int put_nodes(cJSON *system, const struct record *r, const struct node_order *order,
                     const struct limits *limit, const struct nulls *n)
{
    cJSON *array = put_array(system, "nodes");
    int shown = r->n_nodes < limit->nodes ? r->n_nodes : limit->nodes;
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < shown; i++) {
        const struct record_node *node = &r->nodes[order[i].node];
        struct nulls at = nulls_at(n, "nodes[%d]", i);
        struct nulls below = nulls_at(&at, "inventory");
        cJSON *o = cJSON_CreateObject();
        if (!o || !cJSON_AddItemToArray(array, o))
            return -1;
        cJSON *inventory = record_node_put(o, node, &at) == 0 ? put_object(o, "inventory") : NULL;
        rc = inventory ? record_facts_put(inventory, record_inventory_info, node->inventory, 0,
                                          INVENTORY_COUNT, &below)
                       : -1;
    }
    return rc | put_number(system, "node_count", r->n_nodes, NULL, n) |
           put_number(system, "nodes_omitted", r->n_nodes - shown, NULL, n);
}

/* ---- the nine layers ---- */

static bool facts_equal(const struct record_fact *a, const struct record_fact *b)
{
    if (a->state != b->state)
        return false;
    if (a->state == FACT_NUMBER)
        return a->number == b->number;
    return strcmp(a->text, b->text) == 0;
}

/* The inventory that all nodes share; null where they differ. */
static int put_hardware(cJSON *o, const struct record *r, const char *digest, const struct nulls *n)
{
    struct record_fact common[INVENTORY_COUNT] = {0};

    for (int k = 0; k < INVENTORY_COUNT; k++) {
        if (r->n_nodes)
            common[k] = r->nodes[0].inventory[k];
        else
            record_fact_unknown(&common[k], "no node was described");
        for (int i = 1; i < r->n_nodes; i++)
            if (!facts_equal(&common[k], &r->nodes[i].inventory[k])) {
                record_fact_unknown(&common[k], "differs between nodes");
                break;
            }
    }
    return put_number(o, "node_count", r->n_nodes, NULL, n) |
           put_text(o, "inventories_sha256", digest, NULL, n) |
           record_facts_put(o, record_inventory_info, common, 0, INVENTORY_COUNT, n);
}

static const struct field hyper_fields[] = {
    FIELD(workload_result, name, TEXT, "name"),
    FIELD_OR(workload_result, batch, LONG, "batch", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, hyper_parameters, TEXT, "hyper_parameters",
             "the workload does not say", 0),
    FIELD_END,
};

static const struct field domain_fields[] = {
    FIELD(workload_result, name, TEXT, "name"),
    FIELD_OR(workload_result, class_name, TEXT, "class", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, data_origin, TEXT, "data_origin", "stopped before data were found",
             0),
    FIELD_OR(workload_result, data_manifest_sha256, TEXT, "manifest_sha256",
             "the data have no manifest", 0),
    FIELD_OR(workload_result, train_samples, U64, "train_samples", "stopped before data were found",
             0),
    FIELD_OR(workload_result, eval_samples, U64, "eval_samples", "stopped before data were found",
             0),
    FIELD_OR(workload_result, metric, TEXT, "metric", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, target, POSITIVE, "target", "no target was set", 0),
    FIELD_END,
};

/* One row per workload, by a table. */
static int put_workload_rows(cJSON *o, const struct record *r, const struct field *table,
                             const struct nulls *n)
{
    cJSON *array = put_array(o, "workloads");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < r->n_workloads; i++) {
        struct nulls at = nulls_at(n, "workloads[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        rc = fields_put(row, table, &r->workloads[i].result, &at);
    }
    return rc;
}

static int put_layer_facts(cJSON *o, const struct record *r, int layer, const struct nulls *n)
{
    int rc = 0;

    for (int i = 0; i < FACT_COUNT; i++)
        if (record_fact_info[i].layer == layer)
            rc |= record_facts_put(o, record_fact_info, r->facts, i, i + 1, n);
    return rc;
}

static int put_layers(cJSON *system, const struct record *r, const char *digest,
                      const struct nulls *n)
{
    static const char *const names[] = {
#define LAYER(key, title) #key,
#include "reports/record/facts.def"
    };
    cJSON *layers = put_object(system, "layers");
    int rc = layers ? 0 : -1;

    for (int i = 0; rc == 0 && i < LAYER_COUNT; i++) {
        struct nulls above = nulls_at(n, "layers");
        struct nulls at = nulls_at(&above, "%s", names[i]);
        cJSON *o = put_object(layers, names[i]);
        if (!o)
            return -1;
        if (i == LAYER_hardware)
            rc = put_hardware(o, r, digest, &at);
        else if (i == LAYER_hyper_parameters)
            rc = put_workload_rows(o, r, hyper_fields, &at);
        else if (i == LAYER_problem_domain)
            rc = put_workload_rows(o, r, domain_fields, &at);
        else
            rc = put_layer_facts(o, r, i, &at);
        rc |= put_hash(o);
    }
    return rc;
}

static int put_system(cJSON *doc, const struct record *r, const struct limits *limit,
                      const struct nulls *n)
{
    char digest[SHA256_HEX_SIZE];
    struct nulls at = nulls_at(n, "system");
    cJSON *system = put_object(doc, "system");
    struct node_order *order = order_nodes(r, limit, digest);
    int rc = -1;

    if (system && order)
        rc = put_layers(system, r, digest, &at) | put_nodes(system, r, order, limit, &at);
    free(order);
    return rc;
}

/* ---- run, job, time ---- */

static int put_names(cJSON *o, const char *key, const struct record *r, bool plugin_only,
                     const struct limits *limit)
{
    char omitted[48];
    cJSON *array = put_array(o, key);
    int seen = 0;

    for (int i = 0; array && i < r->n_nodes; i++) {
        if (plugin_only && !r->nodes[i].plugin_remote)
            continue;
        if (seen++ >= limit->names)
            continue;
        cJSON *name = json_string(r->nodes[i].name);
        if (!name || !cJSON_AddItemToArray(array, name))
            return -1;
    }
    snprintf(omitted, sizeof omitted, "%s_omitted", key);
    return array ? put_number(o, omitted, seen > limit->names ? seen - limit->names : 0, NULL, NULL)
                 : -1;
}

static int put_job(cJSON *doc, const struct record *r, const struct limits *limit,
                   const struct nulls *n)
{
    struct nulls at = nulls_at(n, "job");

    if (!r->job.present)
        return put_null(doc, "job", "not started by Slurm", n);
    cJSON *o = put_object(doc, "job");
    if (!o)
        return -1;
    int rc = fields_put(o, record_job_fields, &r->job, &at);
    if (r->job.exclusive < 0)
        rc |= put_null(
            o, "exclusive",
            "what Slurm says of the job's processors does not tell whether it had all of them",
            &at);
    else
        rc |= put_bool(o, "exclusive", r->job.exclusive);
    return rc | put_names(o, "nodes", r, false, limit) |
           put_names(o, "plugin_remote", r, true, limit);
}

static int put_time(cJSON *doc, const struct record *r, const struct nulls *n)
{
    char start[RECORD_UTC_SIZE], end[RECORD_UTC_SIZE];

    record_utc(r->time.start, start);
    record_utc(r->time.end, end);
    return put_text(doc, "time.start", start, NULL, n) | put_text(doc, "time.end", end, NULL, n) |
           put_number(doc, "time.wall_seconds", r->time.wall_seconds, "not timed", n);
}

/* ---- ranks: quantiles and the worst ---- */

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

#define NO_NODE "the rank did not say on which node it ran"

static int put_worst(cJSON *o, const struct record *r, const struct record_workload *w,
                     const struct ranked *v, int n_worst, const struct nulls *n)
{
    cJSON *array = put_array(o, "worst");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < n_worst; i++) {
        struct nulls at = nulls_at(n, "worst[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        rc = put_number(row, "rank", v[i].rank, NULL, &at) |
             put_text(row, "node", node_of(r, w, v[i].rank), NO_NODE, &at) |
             put_number(row, "seconds", v[i].value, NULL, &at);
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
    return put_number(o, "min_seconds", v[count - 1].value, NULL, &at) |
           put_number(o, "median_seconds", median_of(v, count), NULL, &at) |
           put_number(o, "p95_seconds", p95_of(v, count), NULL, &at) |
           put_number(o, "max_seconds", v[0].value, NULL, &at) |
           put_text(o, "max_node", node_of(r, w, v[0].rank), NO_NODE, &at) |
           put_worst(o, r, w, v, count < worst ? count : worst, &at);
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

/* DLIO's accelerator utilisation of the steady state: the part of it in
 * which a rank computed, median over ranks. */
static double utilisation(const struct record_workload *w, struct ranked *v)
{
    int n = 0;

    for (int k = 0; k < w->n_ranks; k++) {
        const double *s = w->ranks[k].phase_seconds;
        double steady = s[PHASE_COMPUTE] + s[PHASE_INPUT_WAIT] + s[PHASE_EXPOSED_ALLREDUCE] +
                        s[PHASE_IMBALANCE];
        if (!rank_known(w, k))
            continue;
        if (!(steady > 0))
            return NAN;
        v[n++] = (struct ranked){s[PHASE_COMPUTE] / steady, k};
    }
    qsort(v, (size_t)n, sizeof *v, highest_first);
    return n ? median_of(v, n) : NAN;
}

static int put_phases(cJSON *o, const struct record *r, const struct record_workload *w,
                      const struct limits *limit, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "phases");
    struct ranked *v = calloc((size_t)w->n_ranks + 1, sizeof *v);
    int known = ranks_known(w);
    double error = known ? phase_error(w) : NAN;
    cJSON *phases;
    int rc;

    if (!v)
        return -1;
    rc = put_number(o, "performance.utilisation", utilisation(w, v),
                    "there was no steady state: no epoch after the first", n);
    rc |= put_number(o, "wall_seconds", w->result.wall_seconds, "not timed", n);
    rc |= put_number(o, "phase_sum_error", error, "no rank left its phases", n);
    rc |= put_number(o, "ranks_known", known, NULL, n);
    if (known == 0) {
        rc |= put_null(o, "phases", "no rank left its phases", n);
    } else if ((phases = put_object(o, "phases"))) {
        for (int p = 0; p < PHASE_COUNT; p++)
            rc |= put_phase(phases, r, w, (enum phase)p, v, limit->worst, &at);
    } else {
        rc = -1;
    }
    if (error > 0.02)
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
        rc = put_number(ranks, "counted", count, NULL, &at) |
             put_number(ranks, "min", v[count - 1].value, NULL, &at) |
             put_number(ranks, "median", median_of(v, count), NULL, &at) |
             put_number(ranks, "max", v[0].value, NULL, &at) |
             put_text(ranks, "max_node", node_of(r, w, v[0].rank), NO_NODE, &at) |
             put_text(ranks, "min_node", node_of(r, w, v[count - 1].rank), NO_NODE, &at);
    }
    free(v);
    return rc;
}

static int put_counter(cJSON *counters, const struct record *r, const struct record_workload *w,
                       const struct record_counter *c, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "%s", c->name);
    struct nulls below = nulls_at(&at, "phases");
    cJSON *o, *phases;

    if (c->total.reason || !isfinite(c->total.value))
        return put_null(counters, c->name, c->total.reason ? c->total.reason : "not finite", n);
    if (!(o = put_object(counters, c->name)))
        return -1;
    int rc = put_text(o, "unit", c->unit, NULL, &at) |
             put_text(o, "source", c->source, "the counter does not say", &at) |
             put_number(o, "total", c->total.value, NULL, &at) |
             put_number(o, "running_ratio", c->ratio, "not a counter that is multiplexed", &at) |
             put_counter_ranks(o, r, w, c, &at);
    if (!(phases = put_object(o, "phases")))
        return -1;
    for (int p = 0; p < PHASE_COUNT; p++)
        rc |=
            put_number(phases, phase_name((enum phase)p),
                       c->phases[p].reason ? NAN : c->phases[p].value, c->phases[p].reason, &below);
    return rc;
}

static int put_counters(cJSON *o, const struct record *r, const struct record_workload *w,
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

/* ---- workloads ---- */

/* All epochs, or the first and the latest ones. */
static int put_epochs(cJSON *o, const struct workload_result *w, const struct limits *limit,
                      const struct nulls *n)
{
    cJSON *array = put_array(o, "epochs");
    int omitted = w->n_epochs > limit->epochs ? w->n_epochs - limit->epochs : 0;
    int rc = array ? 0 : -1, shown = 0;

    for (int i = 0; rc == 0 && i < w->n_epochs; i++) {
        if (i > 0 && i <= omitted)
            continue;
        struct nulls at = nulls_at(n, "epochs[%d]", shown++);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        rc = fields_put(row, record_epoch_fields, &w->epochs[i], &at);
    }
    return rc | put_number(o, "epochs_omitted", omitted, NULL, n);
}

static const struct field layer_fields[] = {
    FIELD(record_layer_time, name, TEXT, "name"),
    FIELD(record_layer_time, op, TEXT, "op"),
    FIELD_OR(record_layer_time, forward_seconds, DOUBLE, "forward_seconds", "not timed", 0),
    FIELD_OR(record_layer_time, backward_seconds, DOUBLE, "backward_seconds", "not timed", 0),
    FIELD_OR(record_layer_time, flop, DOUBLE, "flop_per_sample", "not counted", 0),
    FIELD_END,
};

static int put_layer_times(cJSON *o, const struct record_workload *w, const struct nulls *n)
{
    if (w->n_layers == 0)
        return put_null(o, "layers", "no profile was asked for", n);
    cJSON *array = put_array(o, "layers");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < w->n_layers; i++) {
        struct nulls at = nulls_at(n, "layers[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        rc = fields_put(row, layer_fields, &w->layers[i], &at);
    }
    return rc;
}

static const struct field workload_cost_fields[] = {
    FIELD(record_workload, energy_joules, MEASURE, "performance.energy_joules"),
    FIELD(record_workload, cost, MEASURE, "performance.cost"),
    FIELD_END,
};

static int put_workload(cJSON *array, const struct record *r, int i, const struct limits *limit,
                        const struct nulls *n)
{
    const struct record_workload *w = &r->workloads[i];
    const struct workload_result honest = record_honest(&w->result);
    struct nulls at = nulls_at(n, "workloads[%d]", i);
    cJSON *o = cJSON_CreateObject();

    if (!o || !cJSON_AddItemToArray(array, o))
        return -1;
    return fields_put(o, record_workload_head_fields, &honest, &at) |
           fields_put(o, record_workload_fields, &honest, &at) |
           fields_put(o, workload_cost_fields, w, &at) | put_epochs(o, &w->result, limit, &at) |
           put_phases(o, r, w, limit, &at) | put_counters(o, r, w, &at) |
           put_layer_times(o, w, &at);
}

static const struct field micro_fields[] = {
    FIELD(record_micro, name, TEXT, "name"),
    FIELD(record_micro, shape, TEXT, "shape"),
    FIELD_OR(record_micro, dtype, TEXT, "dtype", "has no numbers", 0),
    FIELD(record_micro, direction, TEXT, "direction"),
    FIELD(record_micro, checked, BOOL, "checked"),
    FIELD(record_micro, median, MEASURE, "median"),
    FIELD(record_micro, p95, MEASURE, "p95"),
    FIELD(record_micro, unit, TEXT, "unit"),
    FIELD_OR(record_micro, slowest_node, TEXT, "slowest_node", "ran on one node", 0),
    FIELD_END,
};

static int put_micro(cJSON *array, const struct record_micro *m, int i, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "micro[%d]", i);
    cJSON *samples, *o = cJSON_CreateObject();

    if (!o || !cJSON_AddItemToArray(array, o))
        return -1;
    int rc = fields_put(o, micro_fields, m, &at);
    if (!(samples = put_array(o, "samples")))
        return -1;
    for (int k = 0; k < m->n_samples; k++) {
        if (!isfinite(m->samples[k]))
            continue;
        cJSON *v = cJSON_CreateNumber(m->samples[k]);
        if (!v || !cJSON_AddItemToArray(samples, v))
            return -1;
    }
    return rc;
}

/* ---- the whole ---- */

/* Whatever was filled in: what is not complete is not valid, and both have a
 * reason. */
static int put_head(cJSON *doc, const struct record *r, const struct record_ranks_file *ranks_file,
                    const struct nulls *n)
{
    const struct nulls status = nulls_at(n, "status"), valid = nulls_at(n, "valid");
    bool complete = r->status == RUN_COMPLETE;
    char id[RECORD_ID_SIZE];

    record_id(r, id);
    int rc = put_text(doc, "schema", RECORD_SCHEMA, NULL, n) |
             put_text(doc, "schema_version", RECORD_SCHEMA_VERSION, NULL, n) |
             put_text(doc, "id", id, NULL, n) |
             put_text(doc, "status", status_name((int)r->status), NULL, n) |
             put_bool(doc, "valid", r->valid && complete);
    if (!complete)
        rc |= put_reason(&status, "nobody said why");
    if (!r->valid || !complete)
        rc |= put_reason(&valid, complete ? "nobody said why" : "the run is not complete");
    if (!ranks_file)
        return rc | put_null(doc, "ranks_file",
                             record_has_ranks(r) ? "it was not written"
                                                 : "one rank: the record holds it all",
                             n);
    return rc | put_text(doc, "ranks_file.name", ranks_file->name, NULL, n) |
           put_text(doc, "ranks_file.sha256", ranks_file->sha256, NULL, n);
}

static int put_reasons(cJSON *reasons, const struct record *r)
{
    int rc = 0;

    for (int i = 0; i < r->n_reasons; i++) {
        cJSON *text = json_string(r->reasons[i].text);
        if (!text || !cJSON_AddItemToObject(reasons, r->reasons[i].path, text))
            rc = -1;
    }
    return rc;
}

static cJSON *build(const struct record *r, const struct record_ranks_file *ranks_file,
                    const struct limits *limit)
{
    cJSON *doc = cJSON_CreateObject();
    struct nulls top = {cJSON_CreateObject(), ""};
    struct nulls run = nulls_at(&top, "run");
    cJSON *o, *workloads, *micro;
    int rc = -1;

    if (!doc || !top.reasons || put_reasons(top.reasons, r) < 0)
        goto out;
    rc = put_head(doc, r, ranks_file, &top);
    if (!(o = put_object(doc, "run"))) {
        rc = -1;
        goto out;
    }
    rc |= fields_put(o, record_run_fields, &r->run, &run) |
          put_text(o, "rules_version", RECORD_RULES_VERSION, NULL, &run) |
          put_job(doc, r, limit, &top) | put_system(doc, r, limit, &top) | put_time(doc, r, &top);
    if (!(workloads = put_array(doc, "workloads")) || !(micro = put_array(doc, "micro"))) {
        rc = -1;
        goto out;
    }
    for (int i = 0; i < r->n_workloads; i++)
        rc |= put_workload(workloads, r, i, limit, &top);
    for (int i = 0; i < r->n_micro; i++)
        rc |= put_micro(micro, &r->micro[i], i, &top);
    if (rc == 0 && cJSON_AddItemToObject(doc, "reasons", top.reasons))
        top.reasons = NULL;
    else
        rc = -1;
out:
    cJSON_Delete(top.reasons);
    if (rc == 0)
        return doc;
    cJSON_Delete(doc);
    return NULL;
}

char *record_to_json(const struct record *r, const struct record_ranks_file *ranks_file,
                     struct err *e)
{
    struct limits limit = {.nodes = 64, .names = 4096, .epochs = 256, .worst = 8};

    for (; limit.nodes > 0; limit.nodes /= 2, limit.names /= 2, limit.epochs /= 2) {
        cJSON *doc = build(r, ranks_file, &limit);
        char *text = doc ? cJSON_Print(doc) : NULL;
        cJSON_Delete(doc);
        if (!text) {
            err_set(e, "the record needs more memory than there is");
            return NULL;
        }
        if (strlen(text) < RECORD_MAX_BYTES)
            return text;
        free(text);
    }
    err_set(e, "the record of %d workloads and %d micro benchmarks does not fit %d bytes",
            r->n_workloads, r->n_micro, RECORD_MAX_BYTES);
    return NULL;
}
