/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Climate: a network says of every place of a moment's weather whether it is
 * part of a tropical cyclone, of an atmospheric river, or of neither (DeepCAM: Kurth
 * et al. 2018, arXiv 1810.01993; MLPerf HPC). DeepLabv3+ (deeplab.h) at standard, a U-Net
 * (unet.h) at the smaller classes; small has a DeepLabv3+ of an eighth of the widths, too
 * (model=deeplab).
 *
 *   x sixteen channels, each less its mean and over its deviation  B x 16 x H x W
 *     in training, by stats.h5 beside the parts where it is there (DeepCAM's (x - min) /
 *     (max - min) leaves most channels within a tenth of their range, given one strong storm)
 *   logits of background, cyclone, river                           B x 3 x H x W
 *
 * Loss: cross-entropy with class weights frequency^-.125, the mean over places (not
 * divided by the weights), as in the reference. A training moment is rolled in
 * longitude and mirrored at the equator, with the other sign for V850 and VBOT: exact
 * symmetries of weather without continents, which a mirror in longitude is not. Only of
 * generated sets: published weather has continents, and DeepCAM's files do not say which of
 * their channels is which.
 *
 * Quality: the mean over moments of the mean over the three classes of the
 * intersection over union, in which a class that is neither there nor called counts 1
 * (metric_sample_iou(); each moment counts once). The largest logit counts, ties to the
 * lower class. Beside it: each class's IoU over all places of the validation set.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/deeplab.h"
#include "workloads/component/harness.h"
#include "workloads/component/unet.h"
#include "workloads/data/science_weather.h"
#include "workloads/philox.h"

/* A stream of the seed that meets no other. */
#define ROLL_KEY UINT64_C(0x6465657063616d)

enum { K = WEATHER_CLASSES, C = WEATHER_CHANNELS };

/* Training moments that the channels' means and deviations are taken of where stats.h5
 * does not say them. */
enum { SCALE_SAMPLES = 64 };

/* One of the two. */
struct own {
    struct unet unet;
    struct deeplab deeplab; /* divide 0: it is the other */
    float weight[K];        /* share^-.125 of each class in the training part */
};

/* Shares .97957, .005406, .015023 of the set of tiny; .984, .00029, .016 of small; .98627,
 * .000458, .01327 of the published one. */
#define WEIGHTS_TINY                                                                               \
    {                                                                                              \
        1.0026f, 1.9204f, 1.6901f                                                                  \
    }
#define WEIGHTS_SMALL                                                                              \
    {                                                                                              \
        1.002f, 2.768f, 1.677f                                                                     \
    }
#define WEIGHTS_PUBLISHED                                                                          \
    {                                                                                              \
        1.0017f, 2.6145f, 1.7165f                                                                  \
    }

static const struct own tiny = {.unet = {.width = 16, .levels = 3, .classes = K},
                                .weight = WEIGHTS_TINY};
static const struct own small = {.unet = {.width = 16, .levels = 4, .classes = K},
                                 .weight = WEIGHTS_SMALL};
static const struct own deeplab_small = {.deeplab = {.divide = 8, .middle = 4, .classes = K},
                                         .weight = WEIGHTS_SMALL};
static const struct own published = {.deeplab = {.divide = 1, .middle = 16, .classes = K},
                                     .weight = WEIGHTS_PUBLISHED};

#define NOTES "class_weights=freq^-0.125 init=he bn=global roll mirror"

#define RECIPE_ADAMW                                                                               \
    {                                                                                              \
        .kind = OPTIMIZER_ADAMW, OPTIMIZER_ADAM_COMMON, .weight_decay = 0.01f                      \
    }

/* The rule for targets is in contrib/evidence/rcp.sh; what it printed for tiny is in
 * contrib/evidence/results/rcp-deepcam-tiny-10-0.md: ten of ten seeds. .67 is 60 % of the
 * way from the regression (.5088) as long as ten times longer training stays below .777,
 * which was not tried. Fewer epochs than the mean less four standard deviations are not
 * plausible. Small was not trained yet.
 *
 * Standard: MLPerf HPC's target, network, loss and rule. Entries with a batch of 2,048 have
 * a rate of 0.0055 that grows over the first 400 steps (6.8 epochs) and is a tenth from
 * step 800 (13.5 epochs) on; here it is that of a batch of 16 by the root of the
 * batch. Their norms are of one or two samples; ours of the whole batch. Not trained. */
static const struct recipe recipes[] = {
    {.class = CLASS_TINY,
     .model = "unet",
     .batch = 4,
     .epochs = 20,
     .optimizer = RECIPE_ADAMW,
     .schedule = RECIPE_COSINE(3e-3, 20),
     .augment = true,
     .target = 0.67,
     .rcp = {.seeds = 10, .mean_epochs = 7.7, .std_epochs = 1.34, .min_epochs = 2},
     .parameters = 484643,
     .own = &tiny,
     .notes = NOTES},
    {.class = CLASS_SMALL,
     .model = "unet",
     .batch = 4,
     .epochs = 12,
     .optimizer = RECIPE_ADAMW,
     .schedule = RECIPE_COSINE(2e-3, 12),
     .augment = true,
     .target = 0.67,
     .beats_domain = true,
     .parameters = 1944483,
     .own = &small,
     .notes = NOTES},
    {.class = CLASS_SMALL,
     .model = "deeplab",
     .batch = 4,
     .epochs = 12,
     .optimizer = RECIPE_ADAMW,
     .schedule = RECIPE_COSINE(2e-3, 12),
     .augment = true,
     .target = 0.67,
     .beats_domain = true,
     .parameters = 627168,
     .own = &deeplab_small,
     .notes = NOTES},
    {.class = CLASS_STANDARD,
     .model = "deeplab",
     .batch = 16,
     .epochs = 25,
     .optimizer = {.kind = OPTIMIZER_LAMB, OPTIMIZER_LAMB_COMMON, .weight_decay = 0.01f},
     .schedule = {.base = 4.86e-4, .warmup_epochs = 6.8, .n_decays = 1, .decays = {{13.5, 0.1}}},
     .augment = true,
     .target = 0.82,
     .beats_domain = true,
     .parameters = 56454720,
     .own = &published,
     .notes = NOTES},
};

/* ---- the feed --------------------------------------------------------- */

struct feed {
    float mean[C], scale[C]; /* 1 / deviation */
};

static const float *channel(const struct dataset_field *f, const void *values, int c, long y)
{
    return (const float *)values + c * f->stride[0] + y * f->stride[1];
}

/* Sums of each channel of one moment and of its squares, added. */
static void see(const struct dataset_field *f, const void *values, double sum[C], double squares[C])
{
    for (int c = 0; c < C; c++)
        for (long y = 0; y < f->dims[1]; y++) {
            const float *row = channel(f, values, c, y);
            for (long x = 0; x < f->dims[2]; x++) {
                const double v = (double)row[x * f->stride[2]];
                sum[c] += v;
                squares[c] += v * v;
            }
        }
}

/* By DeepCAM's statistics. 1: there are none, or a channel varies so little (a variance of
 * 1e-5 of the mean square) that a difference of float32 numbers does not tell how much. */
static int take_statistics(struct feed *own, const struct dataset *train, struct err *e)
{
    float mean[C], squares[C];
    int rc = dataset_beside(train, "stats.h5", "climate/mean", mean, C, e);

    if (rc == 0)
        rc = dataset_beside(train, "stats.h5", "climate/sqmean", squares, C, e);
    for (int c = 0; rc == 0 && c < C; c++) {
        const double m = (double)mean[c], variance = (double)squares[c] - m * m;
        if (!isfinite(m) || !isfinite(squares[c]) || variance < -1e-5 * (double)squares[c])
            return err_set(e, "stats.h5 says of channel %d a mean of %g and a mean square of %g", c,
                           m, (double)squares[c]);
        if (!(variance > 1e-5 * (double)squares[c]))
            rc = 1;
        own->mean[c] = mean[c];
        own->scale[c] = (float)(1 / sqrt(variance));
    }
    return rc;
}

/* Of some of the training moments. */
static int measure(struct feed *own, struct dataset *train, struct err *e)
{
    const struct dataset_info *info = dataset_info(train);
    const struct dataset_field *f = &info->field[WEATHER_DATA];
    const uint64_t n = info->samples < SCALE_SAMPLES ? info->samples : SCALE_SAMPLES;
    const double places = (double)n * (double)(f->dims[1] * f->dims[2]);
    double sum[C] = {0}, squares[C] = {0};
    char *sample = NULL;
    int rc = 0;

    if (posix_memalign((void **)&sample, 64, info->sample_bytes))
        return err_set(e, "no memory for a moment of weather");
    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        rc = dataset_read(train, i * info->samples / n, sample, NULL, e);
        if (rc == 0)
            see(f, sample + f->offset, sum, squares);
    }
    for (int c = 0; c < C; c++) {
        const double mean = sum[c] / places, variance = squares[c] / places - mean * mean;
        own->mean[c] = (float)mean;
        own->scale[c] = variance > 0 ? (float)(1 / sqrt(variance)) : 1;
    }
    free(sample);
    return rc;
}

static int begin(void *feed, const struct recipe *r, struct dataset *train, struct err *e)
{
    int rc = take_statistics(feed, train, e);

    (void)r;
    return rc == 1 ? measure(feed, train, e) : rc;
}

static float label(const struct dataset_field *f, const void *values, long y, long x)
{
    const long i = y * f->stride[0] + x * f->stride[1];

    return f->type == NUMBER_INT16 ? (float)((const int16_t *)values)[i]
                                   : ((const float *)values)[i];
}

/* What the mirror turns round: the winds along the meridian. */
static bool is_northward(int c)
{
    return c == WEATHER_V850 || c == WEATHER_VBOT;
}

static int make(const void *ctx, const struct loader_sample *in, float *const out[], struct err *e)
{
    const struct dataset_field *f = &in->info->field[WEATHER_DATA];
    const struct dataset_field *m = &in->info->field[WEATHER_LABELS];
    const long height = f->dims[1], width = f->dims[2];
    const struct feed *feed = ctx;
    uint32_t draw[4] = {0};
    float *to = out[0];

    if (height != m->dims[0] || width != m->dims[1])
        return err_set(e, "sample %llu: a moment of %ld x %ld has labels of %ld x %ld",
                       (unsigned long long)in->id, height, width, m->dims[0], m->dims[1]);
    if (in->augment && in->info->generated)
        philox_at(in->seed ^ ROLL_KEY, in->id, in->epoch, draw);
    const long roll = (long)((uint64_t)draw[0] * (uint64_t)width >> 32);
    const bool mirror = draw[1] & 1;
    for (int c = 0; c < C; c++)
        for (long y = 0; y < height; y++) {
            const float *row = channel(f, in->field[WEATHER_DATA], c, mirror ? height - 1 - y : y);
            const float sign = mirror && is_northward(c) ? -1 : 1;
            for (long x = 0; x < width; x++) {
                const long from = x + roll < width ? x + roll : x + roll - width;
                *to++ = (sign * row[from * f->stride[2]] - feed->mean[c]) * feed->scale[c];
            }
        }
    to = out[1];
    for (long y = 0; y < height; y++)
        for (long x = 0; x < width; x++)
            *to++ = label(m, in->field[WEATHER_LABELS], mirror ? height - 1 - y : y,
                          (x + roll) % width);
    return 0;
}

/* ---- the network ------------------------------------------------------ */

static void build(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed)
{
    const struct own *own = r->own;
    long dims[SCIENCE_AXES];

    (void)feed;
    science_dims(&science_weather, WEATHER_DATA, c, dims);
    n->feed[0] = graph_input(n->graph, "data", SHAPE(dims[0], dims[1], dims[2]), CHANNELS_FIRST);
    n->feed[1] = graph_input(n->graph, "labels", SHAPE(dims[1], dims[2]), CHANNELS_FIRST);
    struct tensor *logits = own->deeplab.divide
                                ? deeplab_build(&own->deeplab, n->model, n->group, n->feed[0])
                                : unet_build(&own->unet, n->model, n->group, n->feed[0]);
    n->out[0] = n->answer = graph_output(logits);
    n->loss = op_cross_entropy(n->out[0], n->feed[1], own->weight, NULL);
}

static void describe(const struct recipe *r, const struct data_class *c, char *text, size_t size)
{
    const struct own *own = r->own;

    if (!own->deeplab.divide)
        snprintf(text, size, "U-Net, %ld x %ld, %d levels from %d channels", c->size[2], c->size[3],
                 own->unet.levels + 1, own->unet.width);
    else
        snprintf(text, size, "DeepLabv3+, %ld x %ld, Xception of %d blocks%s", c->size[2],
                 c->size[3], own->deeplab.middle + 4,
                 own->deeplab.divide > 1 ? ", an eighth of the widths" : "");
}

/* ---- quality ---------------------------------------------------------- */

/* sums[]: each class's counts over all places; over the moments the quality, and what it
 * is where every place is called class k. */
enum {
    SUM_HIT,
    SUM_FALSE = SUM_HIT + K,
    SUM_MISS = SUM_FALSE + K,
    SUM_QUALITY = SUM_MISS + K,
    SUM_CONSTANT,
    SUM_MOMENTS = SUM_CONSTANT + K
};

static int largest(const float *logits, size_t n, size_t i)
{
    int called = 0;

    for (int k = 1; k < K; k++)
        if (logits[(size_t)k * n + i] > logits[(size_t)called * n + i])
            called = k;
    return called;
}

/* The quality of one moment of n places where all are called class k. */
static double constant(const double present[K], size_t n, int k)
{
    struct counts counts[K] = {{0}};

    for (int c = 0; c < K; c++)
        *(c == k ? &counts[c].hit : &counts[c].miss) = present[c];
    counts[k].false_alarm = (double)n - present[k];
    return metric_sample_iou(counts, K);
}

/* One moment: K x n logits, n truths. */
static void observe_moment(double sums[TALLY_SUMS], const float *logits, const float *truth,
                           size_t n)
{
    struct counts counts[K] = {{0}};
    double present[K] = {0};

    for (size_t i = 0; i < n; i++) {
        const int is = (int)truth[i], called = largest(logits, n, i);
        present[is]++;
        if (called == is) {
            counts[is].hit++;
            continue;
        }
        counts[is].miss++;
        counts[called].false_alarm++;
    }
    for (int k = 0; k < K; k++) {
        sums[SUM_HIT + k] += counts[k].hit;
        sums[SUM_FALSE + k] += counts[k].false_alarm;
        sums[SUM_MISS + k] += counts[k].miss;
        sums[SUM_CONSTANT + k] += constant(present, n, k);
    }
    sums[SUM_QUALITY] += metric_sample_iou(counts, K);
    sums[SUM_MOMENTS]++;
}

static int observe(struct tally *t, const struct loader_batch *b, const float *const out[],
                   struct err *e)
{
    const size_t n = b->floats[1];

    (void)e;
    for (size_t i = 0; i < (size_t)b->n; i++)
        observe_moment(t->sums, out[0] + i * K * n, b->feed[1] + i * n, n);
    return 0;
}

static void judge(const struct tally *t, struct judgement *j)
{
    static const char *const names[K] = {"iou_background", "iou_cyclone", "iou_river"};
    const double moments = fmax(t->sums[SUM_MOMENTS], 1);

    j->quality = t->sums[SUM_QUALITY] / moments;
    j->trivial = 0;
    for (int k = 0; k < K; k++) {
        const struct counts c = {t->sums[SUM_HIT + k], t->sums[SUM_FALSE + k],
                                 t->sums[SUM_MISS + k]};
        j->trivial = fmax(j->trivial, t->sums[SUM_CONSTANT + k] / moments);
        judgement_add(j, names[k], metric_iou(&c), true);
    }
}

static const struct component deepcam = {
    .name = "deepcam",
    .title = "Climate segmentation:",
    .science = &science_weather,
    .metric = "sample_iou",
    .higher_is_better = true,
    .domain = WEATHER_LOGISTIC_IOU,
    .domain_title = "regression on a place's channels",
    .recipes = recipes,
    .n_recipes = sizeof recipes / sizeof recipes[0],
    .feed_bytes = sizeof(struct feed),
    .begin = begin,
    .make = make,
    .build = build,
    .describe = describe,
    .observe = observe,
    .judge = judge,
    .answers = WEATHER_LABELS,
    .answer = ANSWER_CLASSES,
};

const struct workload workload_deepcam = HARNESS_WORKLOAD(&deepcam);
