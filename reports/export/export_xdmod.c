/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The summary of a job that Open XDMoD's Job Performance module reads from
 * MongoDB. Only what means the same is filled in; hpcai500-export(1) says what
 * is not there.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "reports/export/export.h"
#include "reports/export/export_job.h"
#include "reports/record/fields.h"
#include "reports/core/result.h"

static int put_hosts(cJSON *o, const cJSON *doc)
{
    const char *host[JOB_MAX_HOSTS];
    int n = job_hosts(doc, host);
    cJSON *list = cJSON_CreateStringArray(host, n);

    return list && cJSON_AddItemToObject(o, "host_list", list) ? 0 : -1;
}

static int put_acct(cJSON *o, const cJSON *doc)
{
    double nodes = json_number(doc, "system.node_count", NAN);

    return job_put(o, "id", doc, "job.job_id") || job_put(o, "user", doc, "job.user") ||
           job_put(o, "account", doc, "job.account") ||
           job_put(o, "partition", doc, "job.partition") || job_put_number(o, "nodes", nodes) ||
           job_put_number(o, "ncpus", job_of_all_nodes(doc, JOB_THREADS)) ||
           job_put_number(o, "start_time",
                          job_whole(export_time(json_text(doc, "time.start", "")))) ||
           job_put_number(o, "end_time", job_whole(export_time(json_text(doc, "time.end", "")))) ||
           put_hosts(o, doc);
}

/* Statistics as the module's maps read them: METRIC.avg. */
static int put_average(cJSON *o, const char *name, double v)
{
    cJSON *metric = isfinite(v) ? put_object(o, name) : NULL;

    if (!isfinite(v))
        return 0;
    return metric ? put_number(metric, "avg", v, NULL, NULL) : -1;
}

static int put_result(cJSON *o, const cJSON *w)
{
    static const struct {
        const char *name, *path;
    } rows[] = {{"samples_per_second", "performance.samples_per_second"},
                {"flop_per_second", "performance.flop_per_second"},
                {"time_to_quality_seconds", "performance.time_to_quality_seconds"},
                {"energy_joules", "performance.energy_joules"},
                {"quality", "quality.achieved"},
                {"wall_seconds", "wall_seconds"},
                {"input_wait_seconds", "phases.input_wait.median_seconds"},
                {"exposed_allreduce_seconds", "phases.exposed_allreduce.median_seconds"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (put_average(o, rows[i].name, json_number(w, rows[i].path, NAN)))
            return -1;
    return job_put(o, "class", w, "class") || job_put(o, "valid", w, "valid") ||
           job_put(o, "metric", w, "quality.metric");
}

static int put_results(cJSON *o, struct export *x, const cJSON *doc)
{
    const cJSON *w;
    int i = 0;

    while ((w = export_workload(x, doc, &i))) {
        cJSON *part = put_object(o, json_text(w, "name", "unknown"));
        if (!part || put_result(part, w))
            return -1;
        x->n_workloads++;
    }
    return job_put(o, "record", doc, "id") || job_put(o, "status", doc, "status");
}

static int xdmod_record(struct export *x, const cJSON *doc, struct err *e)
{
    const cJSON *exclusive = json_at(doc, "job.exclusive");
    cJSON *o, *part;

    if (!cJSON_IsObject(json_at(doc, "job")))
        return 0; /* the module joins by job */
    o = cJSON_CreateObject();
    int bad = !o || job_put(o, "_id", doc, "id") || !(part = put_object(o, "acct")) ||
              put_acct(part, doc) ||
              (cJSON_IsBool(exclusive) && put_bool(o, "shared", cJSON_IsFalse(exclusive))) ||
              !(part = put_object(o, "summarization")) ||
              put_bool(part, "complete", strcmp(job_state(doc), "completed") == 0) ||
              put_text(part, "version", "hpcai500-1", NULL, NULL) ||
              !(part = put_object(o, "hpcai500")) || put_results(part, x, doc);
    if (bad) {
        cJSON_Delete(o);
        return err_set(e, "out of memory");
    }
    return export_line(x, o, e);
}

const struct export_sink export_xdmod = {
    "xdmod",      "summaries for Open XDMoD's Job Performance module, a line per job",
    false,        NULL,
    xdmod_record, NULL};
