/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading, and what it says of noise. Links: past_links.c; appending: past_keep.c */
#include <config.h>

#include "reports/validate/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/judge.h"
#include "reports/validate/json_line.h"
#include "reports/validate/lines.h"
#include "reports/validate/node_line.h"
#include "reports/validate/past_inner.h"

static const enum metric_kind kinds[NODE_METRICS] = {
#define NODE_METRIC(symbol, name, kind, unit, more_is_better, what) KIND_##kind,
#include "reports/core/node_metrics.def"
};

static const char no_memory[] = "out of memory for the values of earlier runs";

const char past_what[] = "the values";

enum metric_kind past_kind(int metric)
{
    return kinds[metric];
}

const char *past_identity(const struct node_result *r)
{
    return r->serial[0] ? r->serial : r->node;
}

/* ---- lines of parts ---- */

static const char kind[] = "noise 1";

static const struct field fields[] = {
    FIELD(noise_line, class, TEXT, "class", "of hardware"),
    FIELD(noise_line, metric, TEXT, "metric", "name"),
    FIELD(noise_line, value, DOUBLE, "value", "of a typical node", .why = "?"),
    FIELD(noise_line, between, DOUBLE, "between", "node to node", .unit = "%", .why = "?"),
    FIELD(noise_line, run, DOUBLE, "run", "run to run of a node", .unit = "%", .why = "?"),
    FIELD(noise_line, step, DOUBLE, "step", "step to step", .unit = "%", .why = "?"),
    FIELD(noise_line, shift, DOUBLE, "shift", "of all nodes", .unit = "%", .why = "?"),
    FIELD(noise_line, freedom, DOUBLE, "freedom", "degrees", .why = "?"),
    FIELD(noise_line, runs, INT, "runs", "that it is of"),
    FIELD(noise_line, nodes, INT, "nodes", "that it is of"),
    FIELD(noise_line, time, LONG, "time", "of the newest", .unit = "Unix seconds"),
    FIELD_END,
};

bool noise_print(const struct noise_line *l, char line[PAST_LINE_SIZE])
{
    return json_line_end(json_line_begin(kind, fields, l), line, PAST_LINE_SIZE);
}

int noise_parse(const char *line, struct noise_line *l)
{
    *l = (struct noise_line){.value = NAN};
    cJSON *o = lines_is(line, kind) ? json_line_open(line, kind, fields, l) : NULL;
    const bool is = o != NULL;

    cJSON_Delete(o);
    return is && l->value > 0 && l->between >= 0 && l->run >= 0 && l->step >= 0 && l->shift >= 0 &&
                   l->freedom >= 1 && node_metric_find(l->metric) >= 0
               ? 0
               : -1;
}

/* ---- reading ---- */

void past_software_of(const struct node_result *r, char text[PAST_SOFTWARE_SIZE])
{
    snprintf(text, PAST_SOFTWARE_SIZE, "%.60s, %.30s", r->kernel, r->isa);
}

static int add_line(struct past *p, const struct node_result *r)
{
    char software[PAST_SOFTWARE_SIZE];

    past_software_of(r, software);
    struct value v = {.run = names_add(&p->runs, r->run),
                      .node = names_add(&p->nodes, past_identity(r)),
                      .class = past_add_class(p, r->class),
                      .software = names_add(&p->softwares, software),
                      .step = (short)r->round};

    if (v.run < 0 || v.node < 0 || v.class < 0 || v.software < 0)
        return -1;
    p->newest[v.class] = v.software;
    p->time = r->time > p->time ? r->time : p->time;
    for (v.metric = 0; v.metric < NODE_METRICS; v.metric++) {
        v.x = judge_loss(r->values[v.metric].value, 1, node_metric_row(v.metric)->more_is_better);
        if (isfinite(v.x) && past_add_value(p, v) < 0)
            return -1;
    }
    return 0;
}

static int add_noise(struct past *p, const struct noise_line *l)
{
    if (past_add_class(p, l->class) < 0)
        return -1;
    void *more = json_line_room(p->noises, p->n_noises, &p->noises_room, sizeof *p->noises);
    if (!more)
        return -1;
    p->noises = more;
    p->noises[p->n_noises++] = *l;
    return 0;
}

static int take_line(const char *line, void *ctx, struct err *e)
{
    struct past *p = ctx;
    struct node_result r;
    struct noise_line noise;
    struct link_line link;
    int rc = 0;

    if (link_line_parse(line, &link) == 0) /* most lines are links */
        rc = past_add_link(p, &link);
    else if (node_line_parse(line, &r) == 0)
        rc = r.run[0] ? add_line(p, &r) : 0;
    else if (noise_parse(line, &noise) == 0)
        rc = add_noise(p, &noise);
    return rc < 0 ? err_set(e, "%s", no_memory) : 0;
}

/* Of the values of a node and metric those of the newest PAST_KEEP runs count. */
static int forget_old(struct past *p)
{
    struct {
        int run, runs;
    } *last = calloc((size_t)p->nodes.n * NODE_METRICS + 1, sizeof *last);

    if (!last)
        return -1;
    for (int i = p->n - 1; i >= 0; i--) {
        struct value *v = &p->values[i];
        const size_t at = (size_t)v->node * NODE_METRICS + (size_t)v->metric;
        if (last[at].run != v->run + 1) {
            last[at].run = v->run + 1;
            last[at].runs++;
        }
        v->old = last[at].runs > PAST_KEEP;
    }
    free(last);
    return 0;
}

struct past *past_open(const char *path, struct err *e)
{
    struct past *p = calloc(1, sizeof *p);
    char line[NODE_LINE_SIZE + 1];

    if (!p) {
        err_set(e, "%s", no_memory);
        return NULL;
    }
    if (lines_read(past_what, path, line, sizeof line, take_line, p, e) == 0) {
        const bool ended = past_end_links(p) == 0;
        p->picked = malloc((size_t)(p->n + 1) * sizeof *p->picked);
        p->own = calloc((size_t)p->nodes.n + 1, sizeof *p->own);
        p->seen = calloc((size_t)p->runs.n + 1, sizeof *p->seen);
        if (ended && p->picked && p->own && p->seen && forget_old(p) == 0)
            return p;
        err_set(e, "%s", no_memory);
    }
    past_close(p);
    return NULL;
}

void past_close(struct past *p)
{
    if (!p)
        return;
    names_fini(&p->runs);
    names_fini(&p->nodes);
    names_fini(&p->classes);
    names_fini(&p->softwares);
    free(p->newest);
    free(p->values);
    free(p->pairs);
    free(p->noises);
    free(p->picked);
    free(p->own);
    free(p->seen);
    free(p);
}

/* ---- what it says ---- */

const char *past_class(const struct past *p, int i)
{
    return i < p->classes.n ? p->classes.of[i] : NULL;
}

/* Runs of a class (-1: of all) with a software (-1: any). */
static int count_runs(const struct past *p, int class, int software)
{
    int n = 0;

    memset(p->seen, 0, (size_t)p->runs.n);
    for (int i = 0; i < p->n; i++) {
        const struct value *v = &p->values[i];
        if (v->old || p->seen[v->run] || (class >= 0 && v->class != class) ||
            (software >= 0 && v->software != software))
            continue;
        p->seen[v->run] = true;
        n++;
    }
    return n;
}

int past_runs(const struct past *p, const char *class)
{
    const int is = names_find(&p->classes, class);

    return *class && is < 0 ? 0 : count_runs(p, *class ? is : -1, -1);
}

const char *past_software(const struct past *p, int class)
{
    return p->newest[class] < 0 ? NULL : p->softwares.of[p->newest[class]];
}

int past_software_runs(struct past *p, int class)
{
    return count_runs(p, class, p->newest[class]);
}

int past_parts(struct past *p, int class, int metric, bool newest, struct judge_history *h,
               struct err *e)
{
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        const struct value *v = &p->values[i];
        if (v->class == class && v->metric == metric && !v->old &&
            (!newest || v->software == p->newest[class]))
            p->picked[n++] = (struct variance_value){v->run, v->node, v->step, v->x};
    }
    if (variance_parts(p->picked, n, p->runs.n, p->nodes.n, kinds[metric], h, p->own) < 0)
        return err_set(e, "out of memory for the noise of %s", node_metric_row(metric)->name);
    return 0;
}

/* The newest parts that were kept; NULL: none. */
static const struct noise_line *newest_noise(const struct past *p, const char *class, int metric)
{
    for (int i = p->n_noises - 1; i >= 0; i--)
        if (strcmp(p->noises[i].class, class) == 0 &&
            strcmp(p->noises[i].metric, node_metric_row(metric)->name) == 0)
            return &p->noises[i];
    return NULL;
}

int past_noise(struct past *p, const char *class, int metric, struct judge_history *h,
               struct err *e)
{
    if (past_parts(p, names_find(&p->classes, class), metric, false, h, e) < 0)
        return -1;
    const struct noise_line *kept = h->known ? NULL : newest_noise(p, class, metric);
    if (kept)
        *h = (struct judge_history){
            .between = kept->between,
            .run = kept->run,
            .step = kept->step,
            .shift = kept->shift,
            .freedom = kept->freedom,
            .baseline = judge_loss(kept->value, 1, node_metric_row(metric)->more_is_better),
            .known = true,
            .metrics = 1};
    return 0;
}

struct variance_node past_own(const struct past *p, const struct node_result *r)
{
    const int node = names_find(&p->nodes, past_identity(r));

    return node < 0 ? (struct variance_node){NAN, 0} : p->own[node];
}
