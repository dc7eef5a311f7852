/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ClusterCockpit's job archive keeps of a job: meta.json, and the series
 * of data.json. Only what means the same is filled in; hpcai500-export(1) says
 * what is not there.
 *
 * Series have equal steps there and a record has none: it has epochs, and
 * counters of whole workloads. Each is a value of the time that it was measured
 * over, and a series asks at the middle of each of its steps what there was.
 * When that time was is put together from durations, as for MLPerf's log.
 * Values are of a node: a rate of the run is shared out evenly, since a step
 * gives every rank as many samples.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/export/export.h"
#include "reports/export/export_job.h"
#include "reports/record/fields.h"

enum {
    MOST_POINTS = 600,   /* of a series */
    MOST_VALUES = 24000, /* of a metric: of wide jobs the steps are longer */
    METRICS = 8
};

struct job {
    const cJSON *doc;
    const char *host[JOB_MAX_HOSTS];
    int n_hosts, step, n; /* steps: of how many seconds, how many */
    double nodes, threads;
    bool exclusive;
    double *series; /* [METRICS][n], NAN where nothing was measured */
};

/* ---- metrics: of an epoch, or of a whole workload (epoch is NULL) ---- */

/* An epoch that was not evaluated may have been cut short: how many samples
 * it had is not known. */
static double epoch_samples(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    double seconds = export_seconds(epoch, "seconds");

    if (!(seconds > 0) || !cJSON_IsNumber(json_at(epoch, "quality")))
        return NAN;
    return json_number(w, "data.train_samples", NAN) / seconds / j->nodes;
}

static double epoch_flops(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    return epoch_samples(j, w, epoch) * json_number(w, "performance.flop_per_sample", NAN);
}

static double epoch_wait(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    double seconds = export_seconds(epoch, "seconds");

    (void)j, (void)w;
    return seconds > 0 ? json_number(epoch, "input_wait_seconds", NAN) / seconds : NAN;
}

static double counted(const cJSON *w, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "counters.%s.total", name);
    return json_number(w, path, NAN);
}

/* Of a counter in a second on a node; nobody else may have been counted there. */
static double rate(const struct job *j, const cJSON *w, const char *name)
{
    double seconds = export_seconds(w, "wall_seconds");

    return seconds > 0 && j->exclusive ? counted(w, name) / seconds / j->nodes : NAN;
}

static double run_ipc(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    double cycles = counted(w, "cycles");

    (void)j, (void)epoch;
    return cycles > 0 ? counted(w, "instructions") / cycles : NAN;
}

static double run_cpu_user(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    (void)epoch;
    return j->threads > 0 ? 100 * rate(j, w, "cpu_user_seconds") / j->threads : NAN;
}

static double run_cpu_power(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    (void)epoch;
    return rate(j, w, "energy_package_joules");
}

static double run_mem_power(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    (void)epoch;
    return rate(j, w, "energy_dram_joules");
}

/* Of the fast interconnect where there is one. */
static double run_net_bw(const struct job *j, const cJSON *w, const cJSON *epoch)
{
    double fast = rate(j, w, "ib_receive_bytes") + rate(j, w, "ib_transmit_bytes");

    (void)epoch;
    return isfinite(fast) ? fast
                          : rate(j, w, "net_receive_bytes") + rate(j, w, "net_transmit_bytes");
}

static const struct {
    const char *name, *base; /* of the unit */
    bool of_epochs;
    double (*value)(const struct job *j, const cJSON *w, const cJSON *epoch);
} metrics[METRICS] = {{"flops_any", "F/s", true, epoch_flops},
                      {"hpcai500_samples_per_second", "", true, epoch_samples},
                      {"hpcai500_input_wait", "", true, epoch_wait},
                      {"ipc", "IPC", false, run_ipc},
                      {"cpu_user", "", false, run_cpu_user},
                      {"cpu_power", "W", false, run_cpu_power},
                      {"mem_power", "W", false, run_mem_power},
                      {"net_bw", "B/s", false, run_net_bw}};

/* ---- series ---- */

/* Six digits are more than is measured, and no value is below 0 in the archive. */
static double kept(double v)
{
    char text[32];

    snprintf(text, sizeof text, "%.6g", v);
    return isfinite(v) && v >= 0 ? strtod(text, NULL) : NAN;
}

static void fill(struct job *j, int metric, double from, double to, double v)
{
    for (int i = 0; i < j->n; i++) {
        double middle = (i + 0.5) * j->step;
        if (middle >= from && middle < to)
            j->series[metric * j->n + i] = kept(v);
    }
}

static void fill_epoch(struct job *j, const cJSON *w, const cJSON *epoch, double from, double to)
{
    for (int m = 0; m < METRICS; m++)
        if (metrics[m].of_epochs)
            fill(j, m, from, to, metrics[m].value(j, w, epoch));
}

static void fill_workload(struct job *j, const cJSON *w, double begin)
{
    double at = begin + export_seconds(w, "phases.staging.median_seconds");
    double end = begin + export_seconds(w, "wall_seconds"), evaluation = export_evaluation(w);
    const cJSON *epoch;

    for (int m = 0; m < METRICS; m++)
        if (!metrics[m].of_epochs)
            fill(j, m, begin, end, metrics[m].value(j, w, NULL));
    cJSON_ArrayForEach(epoch, json_at(w, "epochs"))
    {
        double seconds = export_seconds(epoch, "seconds");
        fill_epoch(j, w, epoch, at, at + seconds);
        at += seconds + (cJSON_IsNumber(json_at(epoch, "quality")) ? evaluation : 0);
    }
}

static int open_job(struct job *j, const struct export *x, const cJSON *doc)
{
    const struct export all = {.workload = NULL};
    double wall = fmax(1, job_whole(export_seconds(doc, "time.wall_seconds"))), at = 0;
    const cJSON *w;

    *j = (struct job){.doc = doc,
                      .nodes = json_number(doc, "system.node_count", NAN),
                      .threads = json_number(doc, JOB_THREADS, NAN),
                      .exclusive = cJSON_IsTrue(json_at(doc, "job.exclusive"))};
    j->n_hosts = job_hosts(doc, j->host);
    double most = fmax(1, fmin(MOST_POINTS, (double)MOST_VALUES / fmax(1, j->n_hosts)));
    j->step = (int)ceil(fmin(wall, 1e9) / floor(most));
    j->n = (int)ceil(fmin(wall, 1e9) / j->step);
    j->series = malloc(sizeof *j->series * METRICS * (size_t)j->n);
    if (!j->series)
        return -1;
    for (int i = 0; i < METRICS * j->n; i++)
        j->series[i] = NAN;
    for (int i = 0; (w = export_workload(&all, doc, &i)); at += export_seconds(w, "wall_seconds"))
        if (!x->workload || strcmp(json_text(w, "name", ""), x->workload) == 0)
            fill_workload(j, w, at);
    return 0;
}

/* ---- as JSON ---- */

/* A metric of which nothing was measured is left out. */
static bool is_known(const struct job *j, int metric)
{
    for (int i = 0; i < j->n; i++)
        if (isfinite(j->series[metric * j->n + i]))
            return true;
    return false;
}

static int put_unit(cJSON *o, int metric)
{
    cJSON *unit = put_object(o, "unit");

    return unit && cJSON_AddStringToObject(unit, "base", metrics[metric].base) ? 0 : -1;
}

/* Over a series of which something is known. */
static int put_statistics(cJSON *o, const struct job *j, int metric)
{
    double sum = 0, least = INFINITY, most = -INFINITY;
    int known = 0;

    for (int i = 0; i < j->n; i++) {
        double v = j->series[metric * j->n + i];
        if (!isfinite(v))
            continue;
        known++;
        sum += v;
        least = fmin(least, v);
        most = fmax(most, v);
    }
    return put_number(o, "avg", kept(sum / known), NULL, NULL) ||
                   put_number(o, "min", least, NULL, NULL) || put_number(o, "max", most, NULL, NULL)
               ? -1
               : 0;
}

static int put_values(cJSON *o, const struct job *j, int metric)
{
    cJSON *list = put_array(o, "data");

    for (int i = 0; list && i < j->n; i++) {
        double v = j->series[metric * j->n + i];
        cJSON *item = isfinite(v) ? cJSON_CreateNumber(v) : cJSON_CreateNull();
        if (!item || !cJSON_AddItemToArray(list, item))
            return -1;
    }
    return list ? 0 : -1;
}

static int put_host(cJSON *list, const struct job *j, int metric, const char *host)
{
    cJSON *o = cJSON_CreateObject(), *statistics;

    if (!o || !cJSON_AddItemToArray(list, o))
        return -1;
    return put_text(o, "hostname", host, NULL, NULL) ||
                   !(statistics = put_object(o, "statistics")) ||
                   put_statistics(statistics, j, metric) || put_values(o, j, metric)
               ? -1
               : 0;
}

static int put_series(cJSON *o, const struct job *j, int metric)
{
    cJSON *node = o ? put_object(o, "node") : NULL, *list;

    if (!node || put_unit(node, metric) || put_number(node, "timestep", j->step, NULL, NULL) ||
        !(list = put_array(node, "series")))
        return -1;
    for (int i = 0; i < j->n_hosts; i++)
        if (put_host(list, j, metric, j->host[i]))
            return -1;
    return 0;
}

/* The nodes' series are the same, and so are their statistics. */
static int put_all_statistics(cJSON *o, const struct job *j)
{
    for (int m = 0; m < METRICS; m++) {
        cJSON *part = is_known(j, m) ? put_object(o, metrics[m].name) : NULL;
        if (is_known(j, m) && (!part || put_unit(part, m) || put_statistics(part, j, m)))
            return -1;
    }
    return 0;
}

/* ---- meta.json ---- */

static int put_resources(cJSON *o, const struct job *j)
{
    cJSON *list = put_array(o, "resources");

    for (int i = 0; list && i < j->n_hosts; i++) {
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(list, row) ||
            put_text(row, "hostname", j->host[i], NULL, NULL))
            return -1;
    }
    return list ? 0 : -1;
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

static int put_job(cJSON *o, const struct job *j)
{
    const cJSON *doc = j->doc, *exclusive = json_at(doc, "job.exclusive");

    return job_put(o, "jobId", doc, "job.job_id") || job_put(o, "user", doc, "job.user") ||
           job_put(o, "project", doc, "job.account") || job_put(o, "cluster", doc, "job.cluster") ||
           job_put(o, "subCluster", doc, "job.partition") ||
           job_put(o, "partition", doc, "job.partition") ||
           job_put(o, "arrayJobId", doc, "job.array_job_id") ||
           job_put_number(o, "numNodes", j->nodes > 0 ? j->nodes : NAN) ||
           job_put_number(o, "numHwthreads", job_of_all_nodes(doc, JOB_THREADS)) ||
           job_put_number(o, "numAcc",
                          job_of_all_nodes(doc, "system.layers.hardware.accelerators")) ||
           (cJSON_IsBool(exclusive) &&
            put_number(o, "exclusive", cJSON_IsTrue(exclusive), NULL, NULL)) ||
           put_text(o, "jobState", job_state(doc), NULL, NULL) ||
           job_put_number(o, "startTime",
                          job_whole(export_time(json_text(doc, "time.start", "")))) ||
           job_put_number(o, "duration",
                          fmax(1, job_whole(json_number(doc, "time.wall_seconds", NAN))));
}

static int put_meta(cJSON *o, struct export *x, const struct job *j)
{
    cJSON *part;

    return put_job(o, j) || put_resources(o, j) || put_tags(o, x, j->doc) ||
                   !(part = put_object(o, "statistics")) || put_all_statistics(part, j) ||
                   !(part = put_object(o, "metaData")) ||
                   put_text(part, "jobName", "hpcai500", NULL, NULL) ||
                   job_put(part, "hpcai500", j->doc, "run.canonical")
               ? -1
               : 0;
}

static int put_data(cJSON *o, struct export *x, const struct job *j)
{
    (void)x;
    for (int m = 0; m < METRICS; m++)
        if (is_known(j, m) && put_series(put_object(o, metrics[m].name), j, m))
            return -1;
    return 0;
}

/* ---- a line per job ---- */

static int write_line(struct export *x, const cJSON *doc,
                      int (*put)(cJSON *o, struct export *x, const struct job *j), struct err *e)
{
    struct job j;

    if (!cJSON_IsObject(json_at(doc, "job")))
        return 0; /* no job of Slurm's: nothing that ClusterCockpit could know */
    cJSON *o = cJSON_CreateObject();
    int rc = !o || open_job(&j, x, doc) < 0 ? -1 : 0;
    if (rc == 0) {
        rc = put(o, x, &j);
        free(j.series);
    }
    if (rc) {
        cJSON_Delete(o);
        return err_set(e, "out of memory");
    }
    return export_line(x, o, e);
}

static int meta_record(struct export *x, const cJSON *doc, struct err *e)
{
    return write_line(x, doc, put_meta, e);
}

static int data_record(struct export *x, const cJSON *doc, struct err *e)
{
    return write_line(x, doc, put_data, e);
}

const struct export_sink export_clustercockpit = {
    "clustercockpit",
    "meta.json of ClusterCockpit's job archive, a line per job",
    false,
    NULL,
    meta_record,
    NULL};

const struct export_sink export_clustercockpit_data = {"clustercockpit-data",
                                                       "data.json of the same jobs, a line per job",
                                                       false,
                                                       NULL,
                                                       data_record,
                                                       NULL};
