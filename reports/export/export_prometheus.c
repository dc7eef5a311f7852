/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prometheus' classic text format, for node_exporter's textfile collector: the
 * latest run of each group of like runs. No names of users, jobs or nodes are
 * labels, so the number of series is bounded: MAX_GROUPS x the rows of the
 * tables below and the RESULT_MAX_OTHERS qualities of a workload, at most some
 * 3,000, whatever the site does.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/export/export.h"
#include "reports/record/fields.h"
#include "reports/core/result.h"
#include "reports/core/utf8.h"

enum { MAX_GROUPS = 100, MAX_LABEL = 64 };

/* What makes two runs alike. */
static const struct label {
    const char *name, *path; /* of the record, or with a dot before it of the workload */
} labels[] = {{"cluster", "job.cluster"}, {"partition", "job.partition"}, {"workload", ".name"},
              {"class", ".class"},        {"engine", ".engine"},          {"dtype", ".dtype"}};

enum { N_LABELS = sizeof labels / sizeof *labels };

static const struct metric {
    const char *name, *path, *help;
} metrics[] = {
    {"hpcai500_samples_per_second", ".performance.samples_per_second",
     "Samples trained per second in steady state."},
    {"hpcai500_flop_per_second", ".performance.flop_per_second",
     "Floating point operations per second in steady state."},
    {"hpcai500_quality_achieved", ".quality.achieved",
     "Quality reached, in the workload's metric."},
    {"hpcai500_quality_target", ".quality.target", "Quality to reach."},
    {"hpcai500_time_to_quality_seconds", ".performance.time_to_quality_seconds",
     "Time until the target was reached."},
    {"hpcai500_workload_wall_seconds", ".wall_seconds", "Duration of the workload."},
    {"hpcai500_energy_joules", ".performance.energy_joules", "Energy of all nodes."},
    {"hpcai500_workload_valid", ".valid", "1 when the result may be compared."},
    {"hpcai500_ranks", ".ranks", "Processes."},
    {"hpcai500_nodes", "system.node_count", "Nodes."},
};

enum { N_METRICS = sizeof metrics / sizeof *metrics };

struct group {
    char label[N_LABELS][MAX_LABEL];
    double end; /* Unix time */
    double value[N_METRICS], phase[PHASE_COUNT];
    int n_others; /* qualities beside the primary one */
    struct {
        int metric; /* row of metrics.def: names of others are no labels */
        double value;
    } other[RESULT_MAX_OTHERS];
};

struct groups {
    int n;
    long dropped;
    struct group row[MAX_GROUPS];
};

static const cJSON *value_of(const cJSON *doc, const cJSON *w, const char *path)
{
    return path[0] == '.' ? json_at(w, path + 1) : json_at(doc, path);
}

static double number_of(const cJSON *v)
{
    if (cJSON_IsBool(v))
        return cJSON_IsTrue(v);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static void fill_others(struct group *g, const cJSON *w)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, json_at(w, "quality.others"))
    {
        int m = metric_find(json_text(row, "name", ""));
        double v = number_of(json_at(row, "value"));
        if (m < 0 || !isfinite(v) || g->n_others == RESULT_MAX_OTHERS)
            continue;
        g->other[g->n_others].metric = m;
        g->other[g->n_others++].value = v;
    }
}

static void fill(struct group *g, const cJSON *doc, const cJSON *w)
{
    char path[64];

    memset(g, 0, sizeof *g);
    for (int i = 0; i < N_LABELS; i++) {
        const cJSON *v = value_of(doc, w, labels[i].path);
        snprintf(g->label[i], MAX_LABEL, "%s", cJSON_IsString(v) ? v->valuestring : "");
        utf8_clean(g->label[i]); /* it may have been cut inside a character */
    }
    for (int i = 0; i < N_METRICS; i++)
        g->value[i] = number_of(value_of(doc, w, metrics[i].path));
    for (int p = 0; p < PHASE_COUNT; p++) {
        snprintf(path, sizeof path, "phases.%s.median_seconds", phase_name((enum phase)p));
        g->phase[p] = number_of(json_at(w, path));
    }
    fill_others(g, w);
    g->end = export_time(json_text(doc, "time.end", ""));
}

/* In place of an earlier run of its group, or in a row of its own. */
static void keep(struct groups *all, const struct group *g)
{
    for (int i = 0; i < all->n; i++)
        if (memcmp(all->row[i].label, g->label, sizeof g->label) == 0) {
            if (!(g->end < all->row[i].end))
                all->row[i] = *g;
            return;
        }
    if (all->n < MAX_GROUPS)
        all->row[all->n++] = *g;
    else
        all->dropped++;
}

static int begin(struct export *x, struct err *e)
{
    x->state = calloc(1, sizeof(struct groups));
    return x->state ? 0 : err_set(e, "out of memory");
}

static int record(struct export *x, const cJSON *doc, struct err *e)
{
    const cJSON *w;
    struct group g;
    int i = 0;

    (void)e;
    while ((w = export_workload(x, doc, &i))) {
        fill(&g, doc, w);
        keep(x->state, &g);
        x->n_workloads++;
    }
    return 0;
}

/* more: a label beside those of the group, NULL: none. */
static void print_value(FILE *f, const char *name, const struct group *g, const char *more,
                        const char *is, double value)
{
    const char *comma = "";

    if (!isfinite(value))
        return;
    fprintf(f, "%s{", name);
    for (int i = 0; i < N_LABELS; i++) {
        fprintf(f, "%s%s=\"", comma, labels[i].name);
        for (const char *c = g->label[i]; *c; c++)
            fprintf(f, "%s%c", strchr("\\\"", *c) ? "\\" : "", *c);
        fprintf(f, "\"");
        comma = ",";
    }
    if (more)
        fprintf(f, ",%s=\"%s\"", more, is);
    fprintf(f, "} ");
    export_number(f, value);
    putc('\n', f);
}

static void head(FILE *f, const char *name, const char *help)
{
    fprintf(f, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* A series twice would spoil the file: of a name that is there twice the first. */
static bool is_first(const struct group *g, int k)
{
    for (int i = 0; i < k; i++)
        if (g->other[i].metric == g->other[k].metric)
            return false;
    return true;
}

static void print_others(FILE *f, const struct groups *all)
{
    head(f, "hpcai500_quality_other", "Quality beside that of the workload's metric.");
    for (int i = 0; i < all->n; i++) {
        const struct group *g = &all->row[i];
        for (int k = 0; k < g->n_others; k++)
            if (is_first(g, k))
                print_value(f, "hpcai500_quality_other", g, "metric",
                            metric_of(g->other[k].metric)->name, g->other[k].value);
    }
}

static void print_metrics(FILE *f, const struct groups *all)
{
    for (int m = 0; m < N_METRICS; m++) {
        head(f, metrics[m].name, metrics[m].help);
        for (int i = 0; i < all->n; i++)
            print_value(f, metrics[m].name, &all->row[i], NULL, NULL, all->row[i].value[m]);
    }
    print_others(f, all);
    head(f, "hpcai500_phase_seconds", "Time in a phase of the workload, median of the ranks.");
    for (int i = 0; i < all->n; i++)
        for (int p = 0; p < PHASE_COUNT; p++)
            print_value(f, "hpcai500_phase_seconds", &all->row[i], "phase",
                        phase_name((enum phase)p), all->row[i].phase[p]);
    head(f, "hpcai500_end_timestamp_seconds", "When the latest run of the group ended.");
    for (int i = 0; i < all->n; i++)
        print_value(f, "hpcai500_end_timestamp_seconds", &all->row[i], NULL, NULL, all->row[i].end);
}

static int end(struct export *x, bool good, struct err *e)
{
    struct groups *all = x->state;

    (void)e;
    if (good) {
        print_metrics(x->f, all);
        head(x->f, "hpcai500_exported_records", "Records that were read.");
        fprintf(x->f, "hpcai500_exported_records %ld\n", x->n_records);
        head(x->f, "hpcai500_dropped_groups", "Groups beyond the limit, which are not shown.");
        fprintf(x->f, "hpcai500_dropped_groups %ld\n", all->dropped);
    }
    free(all);
    x->state = NULL;
    return 0;
}

const struct export_sink export_prometheus = {
    "prometheus", "for node_exporter's textfile collector", true, begin, record, end};
