/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Particle physics: is an image of a calorimeter supersymmetry, or jets of
 * quarks and gluons? ResNet-50 v1.5, or HEP-CNN by model=hepcnn (hep_net.h).
 *
 *   x transverse energy, electromagnetic part, tracks   B x 3 x eta x phi
 *     each channel divided by the root of its mean square in training
 *   logits of background, signal                        B x 2
 *
 * Loss: cross-entropy, each event times its `normweight`, the mean over events.
 * A training event is rolled in phi by a random number of cells and mirrored in
 * eta: without it ResNet learns 6,000 events by heart.
 *
 * Quality: area under the ROC curve with `normweight` (metric.h), of the
 * difference of the logits. Beside it: signal efficiency where .9996 of the
 * background is rejected, given 25,000 effective events of it.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/harness.h"
#include "workloads/component/hep_net.h"
#include "workloads/data/science_hep.h"
#include "workloads/philox.h"

/* A stream of the seed that meets no other. */
#define ROLL_KEY UINT64_C(0x68657020726f6c6c)

/* Training events that the channels' mean squares are taken of. Published recipes
 * divide by the largest value: the few cells of a thousand GeV then leave the
 * others a variance of 1e-6, below batch norm's eps of 1e-5. ResNet had .946 after 16
 * epochs so, .976 after 5 by the mean square (one run each). */
enum { SCALE_SAMPLES = 2048 };

#define REJECTION 0.9996

/* One of the two. */
struct own {
    struct hep_resnet resnet;
    struct hep_cnn cnn; /* width 0: it is the other */
};

static const struct own resnet_tiny = {.resnet = {16, {1, 1, 1, 0}}};
static const struct own resnet_small = {.resnet = {16, {2, 2, 2, 2}}};
static const struct own resnet_published = {.resnet = {64, {3, 4, 6, 3}}};
static const struct own cnn_tiny = {.cnn = {16, 3, 0.1f}};
static const struct own cnn_small = {.cnn = {64, 4, 0.5f}};
static const struct own cnn_published = {.cnn = {128, 4, 0.5f}};

/* The rule for targets, 60 % of the way from the regression (.9506 at tiny), is in
 * contrib/evidence/rcp.sh; what it printed for ResNet at tiny is in
 * contrib/evidence/results/rcp-hep-tiny-10-0.md. A run ten times as long reached
 * .9894: .975 is 63 % of the way. Fewer epochs than the mean less four standard
 * deviations are not plausible. A class's models have one target. Small is ResNet of
 * width 16 (at 32 an epoch took ten minutes on two cores, and small is to be over in
 * about ten): .99 is 78 % of the way from the regression (.9552) to 1, so that no longer
 * training can break the rule; rcp-hep-small-3-0.md. Standard was not trained yet. */
static const struct recipe recipes[] = {
    {.class = CLASS_TINY,
     .model = "resnet50",
     .batch = 64,
     .epochs = 20,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(2e-3, 20),
     .augment = true,
     .target = 0.975,
     .rcp = {.seeds = 10, .mean_epochs = 5.2, .std_epochs = 0.42, .min_epochs = 3},
     .parameters = 127506,
     .own = &resnet_tiny,
     .notes = "init=he bn=global"},
    {.class = CLASS_SMALL,
     .model = "resnet50",
     .batch = 64,
     .epochs = 12,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(1e-3, 12),
     .augment = true,
     .target = 0.99,
     .rcp = {.seeds = 3, .mean_epochs = 3.0, .std_epochs = 0, .min_epochs = 2},
     .beats_domain = true,
     .parameters = 880210,
     .own = &resnet_small,
     .notes = "init=he bn=global"},
    {.class = CLASS_STANDARD,
     .model = "resnet50",
     .batch = 256,
     .epochs = 20,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(1e-3, 20),
     .augment = true,
     .target = 0.98,
     .beats_domain = true,
     .parameters = 23512130,
     .own = &resnet_published,
     .notes = "init=he bn=global"},
    {.class = CLASS_TINY,
     .model = "hepcnn",
     .batch = 64,
     .epochs = 20,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(2e-3, 20),
     .augment = true,
     .target = 0.975,
     .parameters = 7442,
     .own = &cnn_tiny,
     .notes = "init=he dropout=0.1"},
    {.class = CLASS_SMALL,
     .model = "hepcnn",
     .batch = 64,
     .epochs = 12,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(1e-3, 12),
     .augment = true,
     .target = 0.99,
     .beats_domain = true,
     .parameters = 149634,
     .own = &cnn_small,
     .notes = "init=he dropout=0.5"},
    {.class = CLASS_STANDARD,
     .model = "hepcnn",
     .batch = 256,
     .epochs = 20,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(1e-3, 20),
     .augment = true,
     .target = 0.98,
     .beats_domain = true,
     .parameters = 594178,
     .own = &cnn_published,
     .notes = "init=he dropout=0.5"},
};

/* ---- the feed --------------------------------------------------------- */

struct feed {
    float scale[HEP_CHANNELS]; /* 1 / the root of its mean square */
};

static float pixel(const struct dataset_field *f, const void *values, int c, long y, long x)
{
    return ((const float *)values)[c * f->stride[0] + y * f->stride[1] + x * f->stride[2]];
}

/* The sum of the squares of each channel of one sample, added to `sum`. */
static void see_squares(const struct dataset_field *f, const void *values, double sum[])
{
    for (int c = 0; c < HEP_CHANNELS; c++)
        for (long y = 0; y < f->dims[1]; y++)
            for (long x = 0; x < f->dims[2]; x++) {
                const double v = (double)pixel(f, values, c, y, x);
                sum[c] += v * v;
            }
}

static int begin(void *feed, const struct recipe *r, struct dataset *train, struct err *e)
{
    const struct dataset_info *info = dataset_info(train);
    const struct dataset_field *f = &info->field[HEP_IMAGE];
    const uint64_t n = info->samples < SCALE_SAMPLES ? info->samples : SCALE_SAMPLES;
    const double cells = (double)n * (double)(f->dims[1] * f->dims[2]);
    double sum[HEP_CHANNELS] = {0};
    struct feed *own = feed;
    char *sample = NULL;
    int rc = 0;

    (void)r;
    if (posix_memalign((void **)&sample, 64, info->sample_bytes))
        return err_set(e, "no memory for an event");
    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        rc = dataset_read(train, i, sample, NULL, e);
        if (rc == 0)
            see_squares(f, sample + f->offset, sum);
    }
    for (int c = 0; c < HEP_CHANNELS; c++)
        own->scale[c] = sum[c] > 0 ? (float)(1 / sqrt(sum[c] / cells)) : 1;
    free(sample);
    return rc;
}

static int make(const void *ctx, const struct loader_sample *in, float *const out[], struct err *e)
{
    const struct dataset_field *f = &in->info->field[HEP_IMAGE];
    const long height = f->dims[1], width = f->dims[2];
    const struct feed *feed = ctx;
    uint32_t draw[4] = {0};
    float *x = out[0];

    (void)e;
    if (in->augment)
        philox_at(in->seed ^ ROLL_KEY, in->id, in->epoch, draw);
    const long roll = (long)((uint64_t)draw[0] * (uint64_t)width >> 32);
    const bool mirror = draw[1] & 1;
    for (int c = 0; c < HEP_CHANNELS; c++)
        for (long eta = 0; eta < height; eta++)
            for (long phi = 0; phi < width; phi++)
                *x++ = pixel(f, in->field[HEP_IMAGE], c, mirror ? height - 1 - eta : eta,
                             (phi + roll) % width) *
                       feed->scale[c];
    *out[1] = *(const float *)in->field[HEP_LABEL];
    *out[2] = *(const float *)in->field[HEP_NORMWEIGHT];
    return 0;
}

/* ---- the network ------------------------------------------------------ */

static void build(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed)
{
    const struct own *own = r->own;
    long dims[SCIENCE_AXES];

    (void)feed;
    science_dims(&science_hep, HEP_IMAGE, c, dims);
    n->feed[0] = graph_input(n->graph, "x", SHAPE(dims[0], dims[1], dims[2]), CHANNELS_FIRST);
    n->feed[1] = graph_input(n->graph, "label", SHAPE(1), CHANNELS_FIRST);
    n->feed[2] = graph_input(n->graph, "normweight", SHAPE(1), CHANNELS_FIRST);
    struct tensor *logits = own->cnn.width
                                ? hep_cnn(n->model, n->group, n->feed[0], &own->cnn)
                                : hep_resnet(n->model, n->group, n->feed[0], &own->resnet);
    n->out[0] = n->answer = graph_output(logits);
    n->loss = op_cross_entropy(logits, n->feed[1], NULL, n->feed[2]);
}

static void describe(const struct recipe *r, const struct data_class *c, char *text, size_t size)
{
    const struct own *own = r->own;

    snprintf(text, size, "%s of width %ld, %ld x %ld cells", own->cnn.width ? "HEP-CNN" : "ResNet",
             own->cnn.width ? own->cnn.width : own->resnet.width, c->size[2], c->size[3]);
}

/* ---- quality ---------------------------------------------------------- */

static int observe(struct tally *t, const struct loader_batch *b, const float *const out[],
                   struct err *e)
{
    for (int i = 0; i < b->n; i++) {
        const float *logit = out[0] + (size_t)i * HEP_CLASSES;
        const struct score s = {b->ids[i], logit[1] - logit[0], b->feed[2][i], b->feed[1][i] > 0};
        if (tally_score(t, &s, e) < 0)
            return -1;
    }
    return 0;
}

/* A constant score has an area of a half. */
static void judge(const struct tally *t, struct judgement *j)
{
    const struct metric auc = metric_auc(t->scores, t->n_scores);

    j->quality = auc.value;
    j->why = auc.why;
    j->trivial = 0.5;
    judgement_add(j, "signal_efficiency", metric_efficiency(t->scores, t->n_scores, REJECTION),
                  true);
}

static const struct component hep = {
    .name = "hep",
    .title = "Calorimeter images:",
    .science = &science_hep,
    .metric = "auc",
    .higher_is_better = true,
    .domain = HEP_LOGISTIC_AUC,
    .domain_title = "regression on six jet observables",
    .recipes = recipes,
    .n_recipes = sizeof recipes / sizeof recipes[0],
    .feed_bytes = sizeof(struct feed),
    .begin = begin,
    .make = make,
    .build = build,
    .describe = describe,
    .observe = observe,
    .judge = judge,
    .answers = HEP_LABEL,
    .answer = ANSWER_CLASSES,
};

const struct workload workload_hep = HARNESS_WORKLOAD(&hep);
