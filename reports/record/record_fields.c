/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/record_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct field record_run_fields[] = {
    FIELD(record_run, text, TEXT, "text"),
    FIELD(record_run, canonical, TEXT, "canonical"),
    FIELD(record_run, seed, U64, "seed"),
    FIELD_OR(record_run, level, TEXT, "level", "no level was claimed", 0),
    FIELD(record_run, division, TEXT, "division"),
    FIELD_END,
};

const struct field record_job_fields[] = {
    FIELD(record_job, cluster, TEXT, "cluster"),
    FIELD(record_job, job_id, LONG, "job_id"),
    FIELD(record_job, step_id, TEXT, "step_id"),
    FIELD(record_job, restart, INT, "restart"),
    FIELD_OR(record_job, array_job_id, LONG, "array_job_id", "not an array job", -1),
    FIELD_OR(record_job, array_task_id, LONG, "array_task_id", "not an array job", -1),
    FIELD_OR(record_job, het_job_id, LONG, "het_job_id", "not a heterogeneous job", -1),
    FIELD_OR(record_job, het_offset, LONG, "het_offset", "not a heterogeneous job", -1),
    FIELD(record_job, user, TEXT, "user"),
    FIELD(record_job, uid, LONG, "uid"),
    FIELD_OR(record_job, account, TEXT, "account", "Slurm names no account", 0),
    FIELD_OR(record_job, partition, TEXT, "partition", "Slurm names no partition", 0),
    FIELD_END,
};

const struct field record_workload_head_fields[] = {
    FIELD(workload_result, name, TEXT, "name"),
    FIELD(workload_result, suite, TEXT, "suite"),
    FIELD_OR(workload_result, class_name, TEXT, "class", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, engine, TEXT, "engine", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, dtype, TEXT, "dtype", "stopped before it was chosen", 0),
    FIELD(workload_result, ranks, INT, "ranks"),
    FIELD_OR(workload_result, threads, INT, "threads", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, batch, LONG, "batch", "stopped before it was chosen", 0),
    FIELD_OR(workload_result, parameters, U64, "parameters", "stopped before the net was built", 0),
    FIELD_OR(workload_result, hyper_parameters, TEXT, "hyper_parameters",
             "the workload does not say", 0),
    FIELD_OR(workload_result, data_origin, TEXT, "data_origin", "stopped before data were found",
             0),
    FIELD_OR(workload_result, data_path, TEXT, "data.path", "stopped before data were found", 0),
    FIELD_OR(workload_result, data_manifest_sha256, TEXT, "data.manifest_sha256",
             "the data have no manifest", 0),
    FIELD_OR(workload_result, train_samples, U64, "data.train_samples",
             "stopped before data were found", 0),
    FIELD_OR(workload_result, eval_samples, U64, "data.eval_samples",
             "stopped before data were found", 0),
    FIELD_OR(workload_result, sample_bytes, U64, "data.sample_bytes", "not asked of the files", 0),
    FIELD_OR(workload_result, metric, TEXT, "quality.metric", "stopped before it was chosen", 0),
    FIELD(workload_result, higher_is_better, BOOL, "quality.higher_is_better"),
    FIELD_OR(workload_result, target, POSITIVE, "quality.target", "no target was set", 0),
    FIELD_END,
};

const struct field record_workload_fields[] = {
    FIELD(workload_result, status, STATUS, "status"),
    FIELD(workload_result, valid, BOOL, "valid"),
    FIELD(workload_result, achieved, MEASURE, "quality.achieved"),
    FIELD_OR(workload_result, baseline, DOUBLE, "quality.baseline", "not computed", 0),
    FIELD_OR(workload_result, baseline_domain_name, TEXT, "quality.baseline_domain.name",
             "no baseline of the field", 0),
    FIELD(workload_result, baseline_domain, MEASURE, "quality.baseline_domain.value"),
    FIELD_OR(workload_result, epochs_to_target, INT, "quality.epochs_to_target",
             "the target was not reached", 0),
    FIELD(workload_result, rcp.seeds, INT, "quality.rcp.seeds"),
    FIELD_OR(workload_result, rcp.mean_epochs, DOUBLE, "quality.rcp.mean_epochs",
             "no reference convergence point for this run", 0),
    FIELD_OR(workload_result, rcp.std_epochs, DOUBLE, "quality.rcp.std_epochs",
             "no reference convergence point for this run", 0),
    FIELD_OR(workload_result, rcp.min_epochs, DOUBLE, "quality.rcp.min_epochs",
             "no reference convergence point for this run", 0),
    FIELD(workload_result, samples_per_second, MEASURE, "performance.samples_per_second"),
    FIELD_OR(workload_result, flop_per_sample, POSITIVE, "performance.flop_per_sample",
             "stopped before the net was built", 0),
    FIELD_OR(workload_result, flop_per_sample_3x, POSITIVE, "performance.flop_per_sample_3x",
             "stopped before the net was built", 0),
    FIELD(workload_result, flop_per_second, MEASURE, "performance.flop_per_second"),
    FIELD(workload_result, time_to_quality_seconds, MEASURE, "performance.time_to_quality_seconds"),
    FIELD(workload_result, vflops_n5, MEASURE, "performance.vflops.n5"),
    FIELD(workload_result, vflops_n10, MEASURE, "performance.vflops.n10"),
    FIELD_OR(workload_result, arena_bytes, U64, "performance.arena_bytes",
             "stopped before memory was planned", 0),
    FIELD(workload_result, stalls.steps, LONG, "performance.stalls.steps"),
    FIELD(workload_result, stalls.stalled, LONG, "performance.stalls.stalled"),
    FIELD_OR(workload_result, stalls.stalled_seconds, DOUBLE, "performance.stalls.stalled_seconds",
             "steps were not timed", 0),
    FIELD_END,
};

const struct field record_epoch_fields[] = {
    FIELD(result_epoch, epoch, INT, "epoch"),
    FIELD_OR(result_epoch, seconds, DOUBLE, "seconds", "not timed", 0),
    FIELD_OR(result_epoch, input_wait_seconds, DOUBLE, "input_wait_seconds", "not timed", 0),
    FIELD_OR(result_epoch, train_loss, DOUBLE, "train_loss", "the loss is not finite", 0),
    FIELD_OR(result_epoch, train_quality, DOUBLE, "train_quality", "not evaluated", 0),
    FIELD_OR(result_epoch, quality, DOUBLE, "quality", "not evaluated in this epoch", 0),
    FIELD_END,
};

#define KIND_TEXT   0
#define KIND_NUMBER 1

const struct fact_info record_fact_info[FACT_COUNT] = {
#define FACT(layer, key, kind, title) {#key, LAYER_##layer, KIND_##kind},
#include "reports/record/facts.def"
};

const struct fact_info record_inventory_info[INVENTORY_COUNT] = {
#define INVENTORY(key, kind, title) {#key, -1, KIND_##kind},
#include "reports/record/facts.def"
};

static int fact_put(cJSON *o, const struct fact_info *info, const struct record_fact *f,
                    const struct nulls *n)
{
    const char *why = f->state == FACT_UNKNOWN ? f->text
                      : f->state == FACT_UNSET ? "not recorded"
                                               : "recorded as another type";

    if (f->state == FACT_NUMBER && info->number)
        return put_number(o, info->key, f->number, why, n);
    if (f->state == FACT_TEXT && !info->number)
        return put_text(o, info->key, f->text, why, n);
    if (n)
        return put_null(o, info->key, why, n);
    cJSON *reason = cJSON_AddObjectToObject(o, info->key);
    return reason ? put_text(reason, "why", why, NULL, NULL) : -1;
}

int record_facts_put(cJSON *o, const struct fact_info *info, const struct record_fact *facts,
                     int first, int last, const struct nulls *n)
{
    int rc = 0;

    for (int i = first; i < last; i++)
        rc |= fact_put(o, &info[i], &facts[i], n);
    return rc;
}

void record_facts_get(const cJSON *o, const struct fact_info *info, struct record_fact *facts,
                      int count)
{
    for (int i = 0; i < count; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, info[i].key);
        if (cJSON_IsString(v))
            record_fact_text(&facts[i], v->valuestring);
        else if (cJSON_IsNumber(v))
            record_fact_number(&facts[i], v->valuedouble);
        else
            record_fact_unknown(&facts[i], json_text(v, "why", "not recorded"));
    }
}

struct workload_result record_honest(const struct workload_result *r)
{
    struct workload_result h = *r;
    struct measure *const claims[] = {
        &h.achieved,  &h.samples_per_second, &h.flop_per_second, &h.time_to_quality_seconds,
        &h.vflops_n5, &h.vflops_n10,         &h.baseline_domain};

    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        if (h.status != RUN_COMPLETE && claims[i]->value == 0 && !claims[i]->reason)
            *claims[i] = unmeasured("stopped before it was measured");
    if (!h.baseline_domain_name[0] && !h.baseline_domain.reason)
        h.baseline_domain = unmeasured("no baseline of the field");
    if (h.rcp.seeds == 0)
        h.rcp.mean_epochs = h.rcp.std_epochs = h.rcp.min_epochs = NAN;
    if (h.stalls.steps == 0)
        h.stalls.stalled_seconds = NAN;
    if (h.status != RUN_COMPLETE && h.baseline == 0)
        h.baseline = NAN;
    return h;
}

int record_node_put(cJSON *o, const struct record_node *node, const struct nulls *n)
{
    return put_text(o, "name", node->name, NULL, n) |
           put_text(o, "host", node->host, "the node did not say", n) |
           put_text(o, "class", node->class_name, "the site names no class", n) |
           put_text(o, "build_id", node->build_id, "the node did not say", n);
}

bool record_has_ranks(const struct record *r)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (r->workloads[i].n_ranks > 1)
            return true;
    return r->n_nodes > 1;
}
