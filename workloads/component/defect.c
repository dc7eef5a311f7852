/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Visual inspection: a U-Net (unet.h) says of every pixel of a surface whether
 * it is good, or which of five flaws it is part of.
 *
 *   x grey levels, mean 0 and deviation 1 in each picture     B x 1 x H x W
 *   logits of good, scratch, pit, crack, stain, missing part  B x 6 x H x W
 *
 * Loss: cross-entropy with class weights, the mean over pixels (not divided by
 * the weights). Training pictures are mirrored and turned (the square's eight
 * symmetries).
 *
 * Quality: the mean over the five flaws of the intersection over union, each
 * counted over all pixels of the validation set (the largest logit; ties to the
 * lower class); a flaw that no mask has is left out. Beside it: each class's IoU,
 * average precision and false rejects of whole pictures. A picture's score is
 * the mean of its 16 largest 1 - p(good); it is flawed when its mask is anywhere.
 * Precision counts pictures by the set's weights (science_defect.c: 3 % of the
 * weight is flawed); false rejects are the part of the good ones at or above
 * the highest threshold that finds 99 % of the flawed, given 128 of these.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "workloads/component/harness.h"
#include "workloads/component/unet.h"
#include "workloads/data/science_defect.h"
#include "workloads/philox.h"

/* A stream of the seed that meets no other. */
#define TURN_KEY UINT64_C(0x646566656374)

enum { K = FLAW_CLASSES, TOP = 16, FEWEST_FLAWED = 128 };

/* About share^-.4 of each class, so that the mean weight of a pixel is 1: good
 * pixels are fifteen times as many as all others together. */
static const float class_weights[K] = {0.8f, 6.5f, 6.5f, 7.0f, 3.7f, 3.2f};

static const struct unet tiny_net = {.width = 16, .levels = 3, .classes = K};
static const struct unet small_net = {.width = 16, .levels = 4, .classes = K};
static const struct unet published_net = {.width = 64, .levels = 4, .classes = K};

#define NOTES "class_weights=0.8,6.5,6.5,7,3.7,3.2 init=he bn=global flips=8"

/* The rule for targets is in contrib/evidence/rcp.sh; what it printed for tiny is in
 * contrib/evidence/results/rcp-defect-tiny-10-0.md: ten of ten seeds, six epochs.
 * That ten times longer training stays below .70, where the rule would ask for
 * more, was not tried. Fewer epochs than the mean less four standard deviations are
 * not plausible. Small is a U-Net of width 16 (at 32 an epoch took twenty minutes on
 * a core): contrib/evidence/results/rcp-defect-small-3-0.md. Standard was not trained
 * yet. */
static const struct recipe recipes[] = {
    {.class = CLASS_TINY,
     .batch = 4,
     .epochs = 10,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(4e-3, 10),
     .augment = true,
     .target = 0.45,
     .rcp = {.seeds = 10, .mean_epochs = 6.0, .std_epochs = 1.05, .min_epochs = 2},
     .parameters = 482534,
     .own = &tiny_net,
     .notes = NOTES},
    {.class = CLASS_SMALL,
     .batch = 8,
     .epochs = 12,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(2e-3, 12),
     .augment = true,
     .target = 0.55,
     .rcp = {.seeds = 3, .mean_epochs = 4.0, .std_epochs = 1.0, .min_epochs = 1},
     .beats_domain = true,
     .parameters = 1942374,
     .own = &small_net,
     .notes = NOTES},
    {.class = CLASS_STANDARD,
     .batch = 16,
     .epochs = 20,
     .optimizer = RECIPE_ADAM,
     .schedule = RECIPE_COSINE(1e-3, 20),
     .augment = true,
     .target = 0.5,
     .beats_domain = true,
     .parameters = 31036806,
     .own = &published_net,
     .notes = NOTES},
};

/* ---- the feed --------------------------------------------------------- */

/* One field's values by row and column, whatever its order and type in memory. */
struct plane {
    const struct dataset_field *field;
    const void *values;
};

static float at(const struct plane *p, long y, long x)
{
    const long i = y * p->field->stride[0] + x * p->field->stride[1];

    return p->field->type == NUMBER_INT16 ? (float)((const int16_t *)p->values)[i]
                                          : ((const float *)p->values)[i];
}

/* The picture's levels less `shift`, times `scale`, by a symmetry: bit 2
 * transposes, then bit 0 turns it upside down and bit 1 left to right. */
static void turn(const struct plane *p, unsigned how, float shift, float scale, float *out)
{
    const long h = p->field->dims[0], w = p->field->dims[1];

    for (long y = 0; y < h; y++)
        for (long x = 0; x < w; x++) {
            long a = how & 1 ? h - 1 - y : y, b = how & 2 ? w - 1 - x : x;
            *out++ = (how & 4 ? at(p, b, a) - shift : at(p, a, b) - shift) * scale;
        }
}

static int make(const void *ctx, const struct loader_sample *in, float *const out[], struct err *e)
{
    const struct dataset_info *info = in->info;
    const struct plane image = {&info->field[DEFECT_IMAGE], in->field[DEFECT_IMAGE]};
    const struct plane mask = {&info->field[DEFECT_MASK], in->field[DEFECT_MASK]};
    const long h = image.field->dims[0], w = image.field->dims[1];
    uint32_t draw[4] = {0};
    double sum = 0, squares = 0;

    (void)ctx;
    if (h != mask.field->dims[0] || w != mask.field->dims[1])
        return err_set(e, "sample %llu: a picture of %ld x %ld has a mask of %ld x %ld",
                       (unsigned long long)in->id, h, w, mask.field->dims[0], mask.field->dims[1]);
    if (in->augment)
        philox_at(in->seed ^ TURN_KEY, in->id, in->epoch, draw);
    const unsigned how = draw[0] & (h == w ? 7 : 3);
    for (long y = 0; y < h; y++)
        for (long x = 0; x < w; x++) {
            double v = (double)at(&image, y, x);
            sum += v;
            squares += v * v;
        }
    const double n = (double)(h * w), mean = sum / n;
    const double deviation = sqrt(fmax(squares / n - mean * mean, 1e-12));
    turn(&image, how, (float)mean, (float)(1 / deviation), out[0]);
    turn(&mask, how, 0, 1, out[1]);
    out[2][0] = *(const float *)in->field[DEFECT_WEIGHT];
    return 0;
}

/* ---- the network ------------------------------------------------------ */

static void build(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed)
{
    long dims[SCIENCE_AXES];

    (void)feed;
    science_dims(&science_defect, DEFECT_IMAGE, c, dims);
    n->feed[0] = graph_input(n->graph, "image", SHAPE(1, dims[0], dims[1]), CHANNELS_FIRST);
    n->feed[1] = graph_input(n->graph, "mask", SHAPE(dims[0], dims[1]), CHANNELS_FIRST);
    n->feed[2] = graph_input(n->graph, "weight", SHAPE(1), CHANNELS_FIRST); /* for observe() */
    n->out[0] = n->answer = graph_output(unet_build(r->own, n->model, n->group, n->feed[0]));
    n->loss = op_cross_entropy(n->out[0], n->feed[1], class_weights, NULL);
}

static void describe(const struct recipe *r, const struct data_class *c, char *text, size_t size)
{
    const struct unet *u = r->own;

    snprintf(text, size, "%ld^2, %d levels from %d channels", c->size[3], u->levels + 1, u->width);
}

/* ---- quality ---------------------------------------------------------- */

/* sums[SUM_HIT + k] ...: pixels of class k that were found, called so wrongly,
 * missed. */
enum { SUM_HIT = 0, SUM_FALSE = K, SUM_MISS = 2 * K, SUM_PIXELS = 3 * K };

/* The mean of the TOP largest so far, which `top` keeps in falling order. */
static void keep_top(double top[TOP], double p)
{
    int i = TOP - 1;

    if (p <= top[i])
        return;
    for (; i > 0 && top[i - 1] < p; i--)
        top[i] = top[i - 1];
    top[i] = p;
}

/* One picture: K x n logits, n truths. Returns its score. */
static double observe_picture(double sums[TALLY_SUMS], const float *logits, const float *truth,
                              size_t n, bool *flawed)
{
    double top[TOP] = {0}, mean = 0;

    for (size_t i = 0; i < n; i++) {
        const int is = (int)truth[i];
        double good = 0, bad = 0;
        int called = 0;
        for (int k = 1; k < K; k++)
            if (logits[(size_t)k * n + i] > logits[(size_t)called * n + i])
                called = k;
        for (int k = 0; k < K; k++)
            *(k ? &bad : &good) +=
                exp((double)logits[(size_t)k * n + i] - (double)logits[(size_t)called * n + i]);
        keep_top(top, bad / (good + bad));
        sums[called == is ? SUM_HIT + is : SUM_MISS + is]++;
        if (called != is)
            sums[SUM_FALSE + called]++;
        *flawed |= is != FLAW_NONE;
    }
    sums[SUM_PIXELS] += (double)n;
    for (int i = 0; i < TOP; i++)
        mean += top[i] / TOP;
    return mean;
}

static int observe(struct tally *t, const struct loader_batch *b, const float *const out[],
                   struct err *e)
{
    const size_t n = b->floats[1];

    for (int i = 0; i < b->n; i++) {
        bool flawed = false;
        double score = observe_picture(t->sums, out[0] + (size_t)i * K * n,
                                       b->feed[1] + (size_t)i * n, n, &flawed);
        const struct score s = {b->ids[i], (float)score, b->feed[2][i], flawed};
        if (tally_score(t, &s, e) < 0)
            return -1;
    }
    return 0;
}

/* Whoever calls every pixel the same flaw is right where it is: its share is
 * its IoU, and that of the others 0. */
static void judge(const struct tally *t, struct judgement *j)
{
    static const char *const names[K] = {"iou_good",  "iou_scratch", "iou_pit",
                                         "iou_crack", "iou_stain",   "iou_missing"};
    double sum = 0, most = 0;
    int present = 0;

    for (int k = 0; k < K; k++) {
        const struct counts c = {t->sums[SUM_HIT + k], t->sums[SUM_FALSE + k],
                                 t->sums[SUM_MISS + k]};
        const struct metric iou = metric_iou(&c);
        judgement_add(j, names[k], iou, true);
        if (k == FLAW_NONE || c.hit + c.miss == 0)
            continue;
        present++;
        sum += iou.value;
        most = fmax(most, (c.hit + c.miss) / t->sums[SUM_PIXELS]);
    }
    j->quality = present ? sum / present : 0;
    j->trivial = present ? most / present : 0;
    judgement_add(j, "average_precision", metric_average_precision(t->scores, t->n_scores), true);
    judgement_add(j, "false_rejects",
                  metric_false_rejects(t->scores, t->n_scores, 0.99, FEWEST_FLAWED), false);
}

static const struct component defect = {
    .name = "defect",
    .title = "U-Net",
    .science = &science_defect,
    .metric = "mean_iou",
    .higher_is_better = true,
    .domain = 1,
    .domain_title = "threshold on brightness",
    .recipes = recipes,
    .n_recipes = sizeof recipes / sizeof recipes[0],
    .make = make,
    .build = build,
    .describe = describe,
    .observe = observe,
    .judge = judge,
    .answers = DEFECT_MASK,
    .answer = ANSWER_CLASSES,
};

const struct workload workload_defect = HARNESS_WORKLOAD(&defect);
