/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A document per job for job monitoring: what ClusterCockpit's job archive
 * keeps as meta.json, and the summary that Open XDMoD's Job Performance module
 * reads from MongoDB. Only what means the same is filled in;
 * hpcai500-export(1) says what is not there.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "reports/export.h"
#include "reports/fields.h"
#include "reports/result.h"

enum { MAX_HOSTS = 4096 };

/* ---- helpers: everything that is not known is left out ---- */

static int put_known(cJSON *o, const char *name, const cJSON *doc, const char *path)
{
    const cJSON *v = json_at(doc, path);

    if (!v || cJSON_IsNull(v) || v->child)
        return 0;
    return cJSON_AddItemToObject(o, name, cJSON_Duplicate(v, 0)) ? 0 : -1;
}

static int put_known_number(cJSON *o, const char *name, double v)
{
    return isfinite(v) ? put_number(o, name, v, NULL, NULL) : 0;
}

static double whole(double v)
{
    return isfinite(v) ? floor(v + 0.5) : v;
}

/* Of the job: those of its nodes, when it had them alone. */
static double of_all_nodes(const cJSON *doc, const char *path)
{
    double n = json_number(doc, path, NAN) * json_number(doc, "system.node_count", NAN);

    return cJSON_IsTrue(json_at(doc, "job.exclusive")) && n > 0 ? n : NAN;
}

static const char threads_path[] = "system.layers.hardware.hardware_threads";

/* ---- ClusterCockpit ---- */

static const char *job_state(const cJSON *doc)
{
    const char *status = json_text(doc, "status", "");

    return strcmp(status, status_name(RUN_COMPLETE)) == 0  ? "completed"
           : strcmp(status, status_name(RUN_PARTIAL)) == 0 ? "stopped"
                                                           : "failed";
}

static int put_resources(cJSON *o, const cJSON *doc)
{
    cJSON *list = put_array(o, "resources");
    const cJSON *node;
    int n = 0;

    cJSON_ArrayForEach(node, json_at(doc, "job.nodes"))
    {
        if (!cJSON_IsString(node) || n++ >= MAX_HOSTS)
            continue;
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(list, row) ||
            put_text(row, "hostname", node->valuestring, NULL, NULL))
            return -1;
    }
    return list ? 0 : -1;
}

/* flops_any: over the workloads of the job, the average weighed by their time. */
static int put_flops(cJSON *statistics, const struct export *x, const cJSON *doc)
{
    double sum = 0, time = 0, least = INFINITY, most = 0;
    const cJSON *w;
    int i = 0;

    while ((w = export_workload(x, doc, &i))) {
        double rate = json_number(w, "performance.flop_per_second", NAN);
        double wall = json_number(w, "wall_seconds", NAN);
        if (!(rate >= 0) || !(wall > 0))
            continue;
        sum += rate * wall;
        time += wall;
        least = fmin(least, rate);
        most = fmax(most, rate);
    }
    if (!(time > 0))
        return 0;
    cJSON *o = put_object(statistics, "flops_any"), *unit = o ? put_object(o, "unit") : NULL;
    return !unit || put_text(unit, "base_unit", "F/s", NULL, NULL) ||
           put_number(o, "avg", sum / time, NULL, NULL) ||
           put_number(o, "min", least, NULL, NULL) || put_number(o, "max", most, NULL, NULL);
}

static int put_tags(cJSON *o, struct export *x, const cJSON *doc)
{
    cJSON *tags = put_array(o, "tags");
    const cJSON *w;
    char name[80];
    int i = 0;

    while (tags && (w = export_workload(x, doc, &i))) {
        cJSON *tag = cJSON_CreateObject();
        snprintf(name, sizeof name, "%.40s %.20s", json_text(w, "name", ""),
                 json_text(w, "class", ""));
        if (!tag || !cJSON_AddItemToArray(tags, tag) ||
            put_text(tag, "type", "hpcai500", NULL, NULL) ||
            put_text(tag, "name", name, NULL, NULL))
            return -1;
        x->n_workloads++;
    }
    return tags ? 0 : -1;
}

static int put_meta(cJSON *o, const cJSON *doc)
{
    double nodes = json_number(doc, "system.node_count", NAN);
    const cJSON *exclusive = json_at(doc, "job.exclusive");

    return put_known(o, "jobId", doc, "job.job_id") || put_known(o, "user", doc, "job.user") ||
           put_known(o, "project", doc, "job.account") ||
           put_known(o, "cluster", doc, "job.cluster") ||
           put_known(o, "subCluster", doc, "job.partition") ||
           put_known(o, "partition", doc, "job.partition") ||
           put_known(o, "arrayJobId", doc, "job.array_job_id") ||
           put_known_number(o, "numNodes", nodes > 0 ? nodes : NAN) ||
           put_known_number(o, "numHwthreads", of_all_nodes(doc, threads_path)) ||
           put_known_number(o, "numAcc",
                            of_all_nodes(doc, "system.layers.hardware.accelerators")) ||
           (cJSON_IsBool(exclusive) &&
            put_number(o, "exclusive", cJSON_IsTrue(exclusive), NULL, NULL)) ||
           put_text(o, "jobState", job_state(doc), NULL, NULL) ||
           put_known_number(o, "startTime", whole(export_time(json_text(doc, "time.start", "")))) ||
           put_known_number(o, "duration",
                            fmax(1, whole(json_number(doc, "time.wall_seconds", NAN))));
}

static int cockpit_record(struct export *x, const cJSON *doc, struct err *e)
{
    cJSON *o, *part;

    if (!cJSON_IsObject(json_at(doc, "job")))
        return 0; /* no job of Slurm's: nothing that ClusterCockpit could know */
    o = cJSON_CreateObject();
    int bad = !o || put_meta(o, doc) || put_resources(o, doc) || put_tags(o, x, doc) ||
              !(part = put_object(o, "statistics")) || put_flops(part, x, doc) ||
              !(part = put_object(o, "metaData")) ||
              put_text(part, "jobName", "hpcai500", NULL, NULL) ||
              put_known(part, "hpcai500", doc, "run.canonical");
    if (bad) {
        cJSON_Delete(o);
        return err_set(e, "out of memory");
    }
    return export_line(x, o, e);
}

const struct export_sink export_clustercockpit = {
    "clustercockpit",
    "meta.json of ClusterCockpit's job archive, a line per job",
    false,
    NULL,
    cockpit_record,
    NULL};

/* ---- Open XDMoD ---- */

static int put_hosts(cJSON *o, const cJSON *doc)
{
    cJSON *list = put_array(o, "host_list");
    const cJSON *node;
    int n = 0;

    cJSON_ArrayForEach(node, json_at(doc, "job.nodes"))
    {
        if (!cJSON_IsString(node) || n++ >= MAX_HOSTS)
            continue;
        cJSON *copy = cJSON_CreateString(node->valuestring);
        if (!copy || !cJSON_AddItemToArray(list, copy))
            return -1;
    }
    return list ? 0 : -1;
}

static int put_acct(cJSON *o, const cJSON *doc)
{
    double nodes = json_number(doc, "system.node_count", NAN);

    return put_known(o, "id", doc, "job.job_id") || put_known(o, "user", doc, "job.user") ||
           put_known(o, "account", doc, "job.account") ||
           put_known(o, "partition", doc, "job.partition") || put_known_number(o, "nodes", nodes) ||
           put_known_number(o, "ncpus", of_all_nodes(doc, threads_path)) ||
           put_known_number(o, "start_time",
                            whole(export_time(json_text(doc, "time.start", "")))) ||
           put_known_number(o, "end_time", whole(export_time(json_text(doc, "time.end", "")))) ||
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
    return put_known(o, "class", w, "class") || put_known(o, "valid", w, "valid") ||
           put_known(o, "metric", w, "quality.metric");
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
    return put_known(o, "record", doc, "id") || put_known(o, "status", doc, "status");
}

static int xdmod_record(struct export *x, const cJSON *doc, struct err *e)
{
    cJSON *o, *part;

    if (!cJSON_IsObject(json_at(doc, "job")))
        return 0; /* the module joins by job */
    o = cJSON_CreateObject();
    int bad = !o || put_known(o, "_id", doc, "id") || !(part = put_object(o, "acct")) ||
              put_acct(part, doc) || !(part = put_object(o, "summarization")) ||
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
