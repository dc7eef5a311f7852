/* SPDX-License-Identifier: BSD-3-Clause */
/* The set of collisions for the driver: images, weights, what cuts reach. */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "workloads/data/science_hep.h"
#include "workloads/generate/generator.h"
#include "workloads/generate/hep/hep.h"
#include "workloads/generate/hep/hep_baseline.h"
#include "workloads/metric.h"

/* The mean weight of a background event that the trigger took: 200,000 events of
 * seed 13 had .3544 +- .0005 (test_hep asks 4,000 of them again). A signal event weighs 1. Divided by it, both classes
 * weigh the same on the average, whatever events a file holds. */
#define BACKGROUND_WEIGHT 0.3544

/* A sample's features: the observables, its weight, its class. */
enum { FEATURE_WEIGHT = HEP_OBSERVABLES, FEATURE_LABEL, FEATURES };

struct maker {
    int edge;
    struct hep_sample sample;
};

static void *open_maker(const struct data_class *c, const struct layout *l, struct err *e)
{
    struct maker *m = calloc(1, sizeof *m);

    (void)l;
    if (m)
        m->edge = (int)c->size[3];
    else
        err_set(e, "no memory for an event");
    return m;
}

static int make(void *maker, uint64_t seed, uint64_t sample, void *const field[], float *features,
                struct err *e)
{
    struct maker *m = maker;
    const struct hep_sample *s = &m->sample;
    double seen[HEP_OBSERVABLES];

    (void)e;
    hep_sample(&hep_learnable, seed, sample, &m->sample);
    const bool signal = s->event.process == HEP_SUSY;
    const double weight = s->event.weight;
    hep_channels(&s->image, m->edge, field[HEP_IMAGE]);
    *(float *)field[HEP_LABEL] = signal;
    *(float *)field[HEP_WEIGHT] = (float)weight;
    *(float *)field[HEP_NORMWEIGHT] = (float)(signal ? weight : weight / BACKGROUND_WEIGHT);
    *(float *)field[HEP_PASSES] = 1; /* what is not triggered is not there */
    hep_observables(s->jets, seen);
    for (int i = 0; i < HEP_OBSERVABLES; i++)
        features[i] = (float)seen[i];
    features[FEATURE_WEIGHT] = *(const float *)field[HEP_NORMWEIGHT];
    features[FEATURE_LABEL] = signal;
    return 0;
}

static struct hep_seen *see(const float *rows, size_t n)
{
    struct hep_seen *seen = calloc(n, sizeof *seen);

    for (size_t i = 0; seen && i < n; i++) {
        const float *f = rows + i * FEATURES;
        for (int k = 0; k < HEP_OBSERVABLES; k++)
            seen[i].observable[k] = (double)f[k];
        seen[i].weight = (double)f[FEATURE_WEIGHT];
        seen[i].label = f[FEATURE_LABEL] > 0;
    }
    return seen;
}

/* A cut on HT, on the number of jets, and the regression on all six. */
static int baselines(const float *train, size_t n, const float *validation, size_t m,
                     double value[SCIENCE_BASELINES], struct err *e)
{
    struct hep_seen *fitted = see(train, n), *judged = see(validation, m);
    struct score *score = calloc(m, sizeof *score);
    struct hep_logistic l;
    int rc = fitted && judged && score ? 0 : err_set(e, "no memory for %zu events", n + m);

    if (rc == 0)
        hep_logistic_fit(fitted, n, &l);
    for (int k = HEP_HT_AUC; rc == 0 && k <= HEP_LOGISTIC_AUC; k++) {
        for (size_t i = 0; i < m; i++) {
            const struct hep_seen *s = &judged[i];
            const double x =
                k == HEP_LOGISTIC_AUC ? hep_logistic_score(&l, s->observable) : s->observable[k];
            score[i] = (struct score){i, (float)x, (float)s->weight, s->label};
        }
        scores_sort(score, m);
        value[k] = metric_auc(score, m).value;
        if (isnan(value[k]))
            rc = err_set(e, "%zu validation events hold one class only, or have no weight", m);
    }
    free(score);
    free(judged);
    free(fitted);
    return rc;
}

static void notes(const struct data_class *c, struct manifest *m)
{
    manifest_note(m, "signal", "gluino pairs to ten quarks, masses %g and %g GeV",
                  hep_learnable.gluino, hep_learnable.neutralino);
    manifest_note(m, "background", "quark and gluon jets, pT^-5");
    manifest_note(m, "trigger", "HT above 1.2 TeV and four jets above 60 GeV");
    manifest_note(m, "cells", "%ld in eta (-2.5 to 2.5) and in phi", c->size[3]);
}

const struct generator generator_hep = {
    .science = &science_hep,
    .features = FEATURES,
    .open = open_maker,
    .close = free,
    .make = make,
    .baselines = baselines,
    .notes = notes,
};
