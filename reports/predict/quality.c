/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/quality.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/runspec.h"
#include "reports/judge/stat.h"
#include "reports/record/fields.h"

/* A test has points of its own. */
#ifndef QUALITY_CONVERGENCE
#define QUALITY_CONVERGENCE "reports/core/convergence.def"
#endif

static const double converges = 0.9; /* of the seeds, at least */

static const struct point {
    const char *workload, *class_name;
    double batch;
    int seeds, reached;
    double mean, std;
} points[] = {
#define CONVERGENCE(workload, class, batch, seeds, reached, mean, std)                             \
    {#workload, #class, batch, seeds, reached, mean, std},
#include QUALITY_CONVERGENCE
};

static const struct point *point_of(const struct quality_run *q, double batch)
{
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        if (strcmp(points[i].workload, q->workload) == 0 &&
            strcmp(points[i].class_name, q->class_name) == 0 && points[i].batch == batch)
            return &points[i];
    return NULL;
}

/* ---- of a run ---- */

/* Of the workload of that name: target, data or model of its own. */
static bool has_own(const char *canonical, const char *name)
{
    struct runspec spec;

    if (runspec_parse(&spec, canonical, NULL) < 0)
        return true;
    for (int i = 0; i < spec.n_workloads; i++)
        if (strcmp(runspec_workload(spec.workloads[i])->name, name) == 0 &&
            (runspec_target(&spec, i) != 0 || *runspec_model(&spec, i) || *runspec_data(&spec, i)))
            return true;
    return false;
}

void quality_read(struct quality_run *q, const struct cJSON *work, const char *canonical)
{
    const double epochs =
        cJSON_GetArraySize(json_at(work, "epochs")) + json_number(work, "epochs_omitted", 0);

    *q = (struct quality_run){
        .workload = json_text(work, "name", ""),
        .class_name = json_text(work, "class", ""),
        .batch = json_number(work, "batch", NAN),
        .seconds = json_number(work, "performance.time_to_quality_seconds", NAN),
        .epochs = json_number(work, "quality.epochs_to_target", NAN),
        .speed = json_number(work, "performance.samples_per_second", NAN),
        .samples = json_number(work, "data.train_samples", NAN),
        .evaluation = (json_number(work, "phases.evaluation.median_seconds", 0) +
                       json_number(work, "phases.checkpoint.median_seconds", 0)) /
                      epochs};
    q->own = has_own(canonical, q->workload);
}

/* ---- after a change ---- */

bool quality_differs(enum what_kind k)
{
    return k == WHAT_NODES || k == WHAT_NODES_WEAK || k == WHAT_BATCH || k == WHAT_ACCUMULATE;
}

/* What the changes make of batch and nodes. */
static void scale(const struct what *w, int n, double *batch, double *nodes)
{
    *batch = *nodes = 1;
    for (int i = 0; i < n; i++) {
        if (w[i].kind == WHAT_NODES || w[i].kind == WHAT_NODES_WEAK)
            *nodes *= w[i].factor;
        if (w[i].kind == WHAT_BATCH || w[i].kind == WHAT_ACCUMULATE || w[i].kind == WHAT_NODES_WEAK)
            *batch *= w[i].factor;
    }
}

/* Epochs after over before, and what of ln of them is not known; -1 and a sentence. */
static int epochs_after(const struct quality_run *q, double batch, double *ratio, double *sigma,
                        struct err *e)
{
    const struct point *here = point_of(q, q->batch), *there = point_of(q, q->batch * batch);

    *ratio = 1;
    *sigma = 0;
    if (batch == 1)
        return 0;
    if (q->own)
        return err_set(e, "the run has a target, data or a model of its own: how many epochs those "
                          "take at another batch was not measured");
    if (!here || !there)
        return err_set(e, "epochs to the target at a batch of %g were not measured",
                       here ? q->batch * batch : q->batch);
    if (there->reached < converges * there->seeds)
        return 1;
    *ratio = there->mean / here->mean;
    *sigma = sqrt(here->std * here->std / here->seeds / here->mean / here->mean +
                  there->std * there->std / there->seeds / there->mean / there->mean) *
             stat_student(0.95, here->seeds + there->seeds - 2);
    return 0;
}

static double seconds_after(const struct quality_run *q, double gain, double epochs, double nodes)
{
    const double epoch = q->samples / q->speed;
    const double before = fmax(0, q->seconds - q->epochs * (epoch + q->evaluation));

    return before + q->epochs * epochs * (epoch / gain + q->evaluation / nodes);
}

static void refuse(struct quality *out, const char *why)
{
    out->state = QUALITY_REFUSED;
    out->gain = out->low = out->high = out->epochs = NAN;
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, why);
}

static void never(const struct quality_run *q, double batch, struct quality *out)
{
    const struct point *p = point_of(q, q->batch * batch);
    struct err e = ERR_INIT;

    err_set(&e, "it would not converge: at a batch of %g the target was reached by %d of %d seeds",
            p->batch, p->reached, p->seeds);
    refuse(out, e.text);
    out->state = QUALITY_NEVER;
}

/* ln of before over after, at a gain. */
static double sooner(const struct quality_run *q, double gain, double epochs, double nodes)
{
    return log(seconds_after(q, 1, 1, 1) / seconds_after(q, gain, epochs, nodes));
}

struct quality_run quality_faster(const struct quality_run *q, double gain)
{
    struct quality_run r = *q;

    r.seconds = seconds_after(q, gain, 1, 1);
    r.speed *= gain;
    return r;
}

void quality_after(const struct quality_run *q, const struct what *w, int n,
                   const struct prediction *gain, struct quality *out)
{
    double batch, nodes, sigma;
    struct err e = ERR_INIT;

    *out = (struct quality){.state = QUALITY_REFUSED};
    scale(w, n, &batch, &nodes);
    const int rc = epochs_after(q, batch, &out->epochs, &sigma, &e);
    if (rc > 0) {
        never(q, batch, out);
        return;
    }
    if (!isfinite(q->seconds) || !isfinite(q->epochs))
        err_set(&e, "the run did not reach its target");
    else if (gain->state == PREDICT_REFUSED)
        snprintf(e.text, sizeof e.text, "%s", gain->why);
    if (e.text[0]) {
        refuse(out, e.text);
        return;
    }
    const double high = sooner(q, gain->high, out->epochs, nodes);
    if (gain->state == PREDICT_BOUND) {
        out->state = QUALITY_BOUND;
        out->gain = out->low = NAN;
        out->high = exp(high + sigma);
        return;
    }
    const double middle = sooner(q, gain->gain, out->epochs, nodes);
    const double low = sooner(q, gain->low, out->epochs, nodes);
    out->state = QUALITY_KNOWN;
    out->gain = exp(middle);
    out->low = exp(middle - hypot(middle - low, sigma));
    out->high = exp(middle + hypot(high - middle, sigma));
}
