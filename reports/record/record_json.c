/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as text. Everything that grows with the machine passes a limit,
 * and the limits halve until the text fits RECORD_MAX_BYTES.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/record_put.h"

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

bool record_has_ranks(const struct record *r)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (r->workloads[i].n_ranks > 1)
            return true;
    return r->n_nodes > 1 || r->n_micro > 0;
}

/* ---- workloads ---- */

int record_others_put(cJSON *o, const struct workload_result *w, const struct nulls *n)
{
    cJSON *array = put_array(o, "quality.others");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < w->n_others; i++) {
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        struct nulls at = n ? nulls_at(n, "quality.others[%d]", i) : (struct nulls){NULL, ""};
        rc = fields_put(row, record_quality_fields, &w->others[i], n ? &at : NULL);
    }
    return rc;
}

/* All epochs, or the first and the latest ones. */
static int put_epochs(cJSON *o, const struct workload_result *w, const struct record_limits *limit,
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

static int put_workload(cJSON *array, const struct record *r, int i,
                        const struct record_limits *limit, const struct nulls *n)
{
    const struct record_workload *w = &r->workloads[i];
    const struct workload_result honest = record_honest(&w->result);
    struct nulls at = nulls_at(n, "workloads[%d]", i);
    cJSON *o = cJSON_CreateObject();

    if (!o || !cJSON_AddItemToArray(array, o))
        return -1;
    return fields_put(o, record_workload_head_fields, &honest, &at) |
           fields_put(o, record_workload_fields, &honest, &at) |
           record_others_put(o, &honest, &at) | fields_put(o, record_cost_fields, w, &at) |
           put_epochs(o, &w->result, limit, &at) | record_put_phases(o, r, w, limit, &at) |
           record_put_counters(o, r, w, &at) | record_put_profile(o, &w->result, limit, &at) |
           record_put_why(o, r, w, &at);
}

/* ---- the whole ---- */

/* A file beside the record, null when it is not there. */
static int put_side(cJSON *doc, const char *name, const struct record_side *side,
                    const struct field *fields, const char *why, const struct nulls *n)
{
    cJSON *o;

    if (!side || !side->name[0])
        return put_null(doc, name, why, n);
    o = put_object(doc, name);
    return o ? fields_put(o, fields, side, n) : -1;
}

/* What is not complete is not valid, and both have a reason. */
static int put_head(cJSON *doc, const struct record *r, const struct record_sides *sides,
                    const struct nulls *n)
{
    const struct nulls status = nulls_at(n, "status"), valid = nulls_at(n, "valid");
    bool complete = r->status == RUN_COMPLETE;
    struct record_head head = {.status = r->status, .valid = r->valid && complete};

    record_id(r, head.id);
    int rc = fields_put(doc, record_head_fields, &head, n);
    if (!complete)
        rc |= put_reason(&status, "the reason is not known");
    if (!head.valid)
        rc |= put_reason(&valid, complete ? "the reason is not known" : "the run is not complete");
    rc |= put_side(doc, "ranks_file", sides ? &sides->ranks : NULL, record_ranks_file_fields,
                   record_has_ranks(r) ? "it was not written" : "one rank: the record holds it all",
                   n);
    return rc | put_side(doc, "steps_file", sides ? &sides->steps : NULL, record_steps_file_fields,
                         "no steps were kept", n);
}

static int put_times(cJSON *doc, const struct record *r, const struct nulls *n)
{
    struct record_times times = {.wall_seconds = r->time.wall_seconds};
    struct nulls at = nulls_at(n, "time");
    cJSON *o = put_object(doc, "time");

    record_utc(r->time.start, times.start);
    record_utc(r->time.end, times.end);
    return o ? fields_put(o, record_times_fields, &times, &at) : -1;
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

static cJSON *build(const struct record *r, const struct record_sides *sides,
                    const struct record_limits *limit)
{
    cJSON *doc = cJSON_CreateObject();
    struct nulls top = {cJSON_CreateObject(), ""};
    struct nulls run = nulls_at(&top, "run");
    cJSON *o, *workloads;
    int rc = -1;

    if (!doc || !top.reasons || put_reasons(top.reasons, r) < 0)
        goto out;
    rc = put_head(doc, r, sides, &top);
    if (!(o = put_object(doc, "run"))) {
        rc = -1;
        goto out;
    }
    rc |= fields_put(o, record_run_fields, &r->run, &run) | record_put_job(doc, r, limit, &top) |
          record_put_system(doc, r, limit, &top) | put_times(doc, r, &top);
    if (!(workloads = put_array(doc, "workloads"))) {
        rc = -1;
        goto out;
    }
    for (int i = 0; i < r->n_workloads; i++)
        rc |= put_workload(workloads, r, i, limit, &top);
    rc |= record_put_micro(doc, r, limit, &top);
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

char *record_to_json(const struct record *r, const struct record_sides *sides, struct err *e)
{
    struct record_limits limit = {RECORD_MAX_NODES,  RECORD_MAX_NAMES,     RECORD_MAX_EPOCHS,
                                  RECORD_MAX_WORST,  RECORD_MAX_OPERATORS, RECORD_MAX_MICRO,
                                  RECORD_MAX_SAMPLES};

    for (; limit.nodes > 0; limit.nodes /= 2, limit.names /= 2, limit.epochs /= 2,
                            limit.operators /= 2, limit.micro /= 2, limit.samples /= 2) {
        cJSON *doc = build(r, sides, &limit);
        char *text = doc ? cJSON_Print(doc) : NULL;
        cJSON_Delete(doc);
        if (!text) {
            err_set(e, "there is not enough memory for the record");
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
