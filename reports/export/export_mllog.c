/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MLPerf HPC's log: lines of ":::MLLOG {json}".
 *
 * Keys, their order and what must be said once are those that the compliance
 * checker of MLCommons (package mlperf_logging, ruleset hpc 3.0.0) asks for;
 * tests/reports/export/mllog_check.py states them again. What we did not do is not
 * claimed: cache_clear is false, since caches of servers are not ours to drop,
 * and the division is "open" unless the run followed the closed rules at the
 * published size. Instants inside a workload are put together from the
 * record's durations, in their order.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/export/export.h"
#include "reports/record/fields.h"
#include "reports/core/utf8.h"

/* Our workloads that are benchmarks of MLPerf HPC. */
static const struct benchmark {
    const char *workload, *name, *quality; /* key of the quality's lines */
} benchmarks[] = {{"cosmoflow", "cosmoflow", "eval_error"}};

enum event { POINT, START, END };

static const char *const event_names[] = {"POINT_IN_TIME", "INTERVAL_START", "INTERVAL_END"};

/* One log: where it is, and the time of the next line. */
struct log {
    struct export *x;
    char file[192];
    int lineno;
    double now; /* Unix time [s] */
    bool bad;
};

/* Takes value and metadata; NULL: null, and none. */
static void put(struct log *l, enum event event, const char *key, cJSON *value, cJSON *metadata)
{
    cJSON *o = cJSON_CreateObject();
    char *text = NULL;

    value = value ? value : cJSON_CreateNull();
    metadata = metadata ? metadata : cJSON_CreateObject();
    l->bad |= !o || !cJSON_AddStringToObject(o, "namespace", "") ||
              !cJSON_AddNumberToObject(o, "time_ms", floor(l->now * 1000 + 0.5)) ||
              !cJSON_AddStringToObject(o, "event_type", event_names[event]) ||
              !cJSON_AddStringToObject(o, "key", key) ||
              !cJSON_AddItemToObject(o, "value", value) ||
              !cJSON_AddItemToObject(o, "metadata", metadata) ||
              !cJSON_AddStringToObject(metadata, "file", l->file) ||
              !cJSON_AddNumberToObject(metadata, "lineno", ++l->lineno) ||
              !(text = cJSON_PrintUnformatted(o));
    if (text)
        fprintf(l->x->f, ":::MLLOG %s\n", text);
    free(text);
    cJSON_Delete(o);
}

static void put_text_of(struct log *l, const char *key, const char *value)
{
    put(l, POINT, key, cJSON_CreateString(value), NULL);
}

/* Nothing when it is not known. */
static void put_number_of(struct log *l, const char *key, double value)
{
    if (isfinite(value))
        put(l, POINT, key, cJSON_CreateNumber(value), NULL);
}

static cJSON *with(const char *name, double value)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, name, value);
    return o;
}

/* ---- what was submitted ---- */

static void put_submission(struct log *l, const struct benchmark *b, const cJSON *doc,
                           const cJSON *w)
{
    bool closed = strcmp(json_text(doc, "run.division", ""), "closed") == 0 &&
                  strcmp(json_text(w, "class", ""), "standard") == 0;
    const char *org = l->x->org ? l->x->org : json_text(doc, "job.cluster", "");
    const char *platform = json_text(doc, "system.nodes[0].class", "");

    put(l, POINT, "cache_clear", cJSON_CreateFalse(), NULL);
    put(l, START, "init_start", NULL, NULL);
    put_text_of(l, "submission_benchmark", b->name);
    put_text_of(l, "submission_org", *org ? org : "unknown");
    put_text_of(l, "submission_division", closed ? "closed" : "open");
    put_text_of(l, "submission_status", "onprem");
    put_text_of(l, "submission_platform", *platform ? platform : "unknown");
    put_number_of(l, "number_of_nodes", json_number(doc, "system.node_count", NAN));
    double accelerators = json_number(doc, "system.layers.hardware.accelerators", 0);
    put_number_of(l, "accelerators_per_node", accelerators > 0 ? accelerators : 0);
}

/* ---- the recipe: "sgd momentum=0.9 lr=0.001 warmup_epochs=4 decay1=0.25@32 ..." ---- */

/* Number behind " NAME=", and behind the "@" after it; NAN when there is none. */
static double recipe(const char *text, const char *name, double *at)
{
    char key[32];
    int n = snprintf(key, sizeof key, " %s=", name);
    const char *p = strstr(text, key);
    char *end;

    *at = NAN;
    if (!p)
        return NAN;
    double v = strtod(p + n, &end);
    if (end == p + n)
        return NAN;
    if (*end == '@')
        *at = strtod(end + 1, NULL);
    return v;
}

static void put_decays(struct log *l, const char *text)
{
    cJSON *epochs = cJSON_CreateArray(), *factors = cJSON_CreateArray();
    double at, factor = 0;
    char name[16];

    for (int i = 1; i < 16 && isfinite(factor); i++) {
        snprintf(name, sizeof name, "decay%d", i);
        factor = recipe(text, name, &at);
        if (isfinite(factor) && isfinite(at)) {
            cJSON_AddItemToArray(epochs, cJSON_CreateNumber(at));
            cJSON_AddItemToArray(factors, cJSON_CreateNumber(factor));
        }
    }
    put(l, POINT, "opt_learning_rate_decay_boundary_epochs", epochs, NULL);
    put(l, POINT, "opt_learning_rate_decay_factor", factors, NULL);
}

static void put_recipe(struct log *l, const cJSON *doc, const cJSON *w)
{
    const char *text = json_text(w, "hyper_parameters", "");
    double seed = json_number(doc, "run.seed", NAN), at;
    char name[32];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, " "), text);
    utf8_clean(name);
    put_number_of(l, "global_batch_size", json_number(w, "batch", NAN));
    put_text_of(l, "opt_name", name);
    put_number_of(l, "opt_base_learning_rate", recipe(text, "lr", &at));
    put_number_of(l, "opt_learning_rate_warmup_epochs", recipe(text, "warmup_epochs", &at));
    put_number_of(l, "opt_learning_rate_warmup_factor", 0); /* the rate rises from 0 */
    put_decays(l, text);
    put_number_of(l, "opt_momentum", recipe(text, "momentum", &at));
    put_number_of(l, "opt_weight_decay", 0);
    put_number_of(l, "dropout", recipe(text, "dropout", &at));
    put_number_of(l, "train_samples", json_number(w, "data.train_samples", NAN));
    put_number_of(l, "eval_samples", json_number(w, "data.eval_samples", NAN));
    put_number_of(l, "seed", seed < 9007199254740992.0 ? seed : NAN);
}

/* ---- the run ---- */

static void put_epoch(struct log *l, const struct benchmark *b, const cJSON *row, double eval)
{
    double n = json_number(row, "epoch", 0), quality = json_number(row, "quality", NAN);

    put(l, START, "epoch_start", NULL, with("epoch_num", n));
    l->now += export_seconds(row, "seconds");
    put(l, END, "epoch_stop", NULL, with("epoch_num", n));
    if (!isfinite(quality))
        return;
    put(l, START, "eval_start", NULL, with("epoch_num", n));
    l->now += eval;
    put(l, POINT, b->quality, cJSON_CreateNumber(quality), with("epoch_num", n));
    put(l, END, "eval_stop", NULL, with("epoch_num", n));
}

/* staging is before run_start: ruleset 3.0 does not count it. */
static void put_run(struct log *l, const struct benchmark *b, const cJSON *w, double begin)
{
    const cJSON *row, *epochs = json_at(w, "epochs");
    double eval = export_evaluation(w), end = begin + export_seconds(w, "wall_seconds");
    bool reached = cJSON_IsNumber(json_at(w, "quality.epochs_to_target"));
    cJSON *status = cJSON_CreateObject();

    put(l, START, "staging_start", NULL, NULL);
    l->now = begin + export_seconds(w, "phases.staging.median_seconds");
    put(l, END, "staging_stop", NULL, NULL);
    put(l, END, "init_stop", NULL, NULL);
    put(l, START, "run_start", NULL, NULL);
    cJSON_ArrayForEach(row, epochs) put_epoch(l, b, row, eval);
    l->now = end > l->now ? end : l->now;
    cJSON_AddStringToObject(status, "status", reached ? "success" : "aborted");
    put(l, END, "run_stop", NULL, status);
}

static const struct benchmark *benchmark_of(const cJSON *w)
{
    for (size_t i = 0; i < sizeof benchmarks / sizeof *benchmarks; i++)
        if (strcmp(benchmarks[i].workload, json_text(w, "name", "")) == 0)
            return &benchmarks[i];
    return NULL;
}

/* A log is of one run: one record, one workload of MLPerf's. */
static int record(struct export *x, const cJSON *doc, struct err *e)
{
    struct log l = {.x = x};
    const cJSON *w;
    double begin = export_time(json_text(doc, "time.start", ""));
    int i = 0;

    if (!isfinite(begin))
        return err_set(e, "the record does not say when it began");
    snprintf(l.file, sizeof l.file, "%.159s.json", json_text(doc, "id", "unknown"));
    utf8_clean(l.file); /* it may have been cut inside a character */
    for (; (w = export_workload(x, doc, &i)); begin += export_seconds(w, "wall_seconds")) {
        const struct benchmark *b = benchmark_of(w);
        if (!b)
            continue;
        if (x->n_workloads++)
            return err_set(e, "an MLPerf log holds one run: name one record, and --workload=NAME");
        l.now = begin;
        put_submission(&l, b, doc, w);
        put_recipe(&l, doc, w);
        put_run(&l, b, w, begin);
    }
    return l.bad ? err_set(e, "out of memory") : 0;
}

static int end(struct export *x, bool good, struct err *e)
{
    return !good || x->n_workloads
               ? 0
               : err_set(e, "none of its workloads is a benchmark of MLPerf HPC");
}

const struct export_sink export_mllog = {
    "mllog", "MLPerf HPC's log of one run", false, NULL, record, end};
