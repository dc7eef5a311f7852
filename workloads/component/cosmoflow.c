/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CosmoFlow (Mathuriya et al., SC'18; MLPerf HPC's definition): a 3-D
 * convolutional network reads cosmological parameters off a cube of galaxy
 * counts at four redshifts.
 *
 *   x log(1 + count)           B x 4 x D^3
 *   stages x [conv 3^3 same, max-pool 2, leaky ReLU 0.3], base 2^i filters
 *   dense 128, leaky ReLU, dropout; dense 64, leaky ReLU, dropout
 *   dense 4, tanh, x 1.2       B x 4, unit parameters in [-1, 1]
 *
 * Loss: mean squared error. Quality: mean absolute error over the four
 * parameters. Leaky ReLU is monotone, so it commutes with max-pooling: done
 * after it, on an eighth of the data, it gives the same numbers.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>

#include "workloads/component/cosmo_convert.h"
#include "workloads/component/harness.h"

/* Training samples that the norm of the input is measured on. */
enum { NORM_SAMPLES = 64 };

/* The network's size, and whether it is fed mean 0 and variance 1 per channel. */
struct own {
    int stages, base; /* filters of the first stage */
    float dropout;
    bool norm;
};

static const struct own small_net = {.stages = 4, .base = 16, .norm = true};
static const struct own published_net = {.stages = 5, .base = 32, .dropout = 0.5f};

#define SGD                                                                                        \
    {                                                                                              \
        .kind = OPTIMIZER_SGD, .momentum = 0.9f                                                    \
    }

/* Recipe of `standard`: MLPerf HPC. The rule for targets is in
 * contrib/evidence/rcp.sh; what it printed is in
 * contrib/evidence/results/rcp-cosmoflow-{tiny-10-1,small-10-0,small-1-1}.md.
 * Fewer epochs than the mean less four standard deviations are not plausible (a
 * Student t of nine degrees is beyond that in 2 of 1,000 runs). Small's target
 * lies below its ridge (0.246). */
static const struct recipe recipes[] = {
    {.class = CLASS_TINY,
     .batch = 8,
     .epochs = 20,
     .optimizer = SGD,
     .schedule =
         {.base = 0.01, .warmup_epochs = 1, .n_decays = 2, .decays = {{13, 0.25}, {17, 0.0625}}},
     .augment = true,
     .target = 0.31,
     .rcp = {.seeds = 10, .mean_epochs = 13.0, .std_epochs = 1.25, .min_epochs = 8},
     .own = &small_net,
     .notes = "dropout=0 init=xavier norm=yes"},
    {.class = CLASS_SMALL,
     .batch = 4,
     .epochs = 10,
     .optimizer = SGD,
     .schedule =
         {.base = 0.01, .warmup_epochs = 0.4, .n_decays = 2, .decays = {{5, 0.25}, {7, 0.0625}}},
     .augment = true,
     .target = 0.24,
     .rcp = {.seeds = 10, .mean_epochs = 7.3, .std_epochs = 0.82, .min_epochs = 4},
     .beats_domain = true,
     .own = &small_net,
     .notes = "dropout=0 init=xavier norm=yes"},
    {.class = CLASS_STANDARD,
     .batch = 64,
     .epochs = 100,
     .optimizer = SGD,
     .schedule =
         {.base = 0.001, .warmup_epochs = 4, .n_decays = 2, .decays = {{32, 0.25}, {64, 0.125}}},
     .target = 0.124,
     .beats_domain = true,
     .parameters = 8907556,
     .own = &published_net,
     .notes = "dropout=0.5 init=xavier norm=no"},
};

/* ---- the feed --------------------------------------------------------- */

static int begin(void *feed, const struct recipe *r, struct dataset *train, struct err *e)
{
    const struct dataset_info *info = dataset_info(train);
    const struct dataset_field *x = &info->field[COSMO_X];
    const struct own *own = r->own;
    struct cosmo_norm norm = {{0}, {0}};
    struct convert *c = feed;

    if (own->norm && convert_measure(train, NORM_SAMPLES, &norm, e) < 0)
        return -1;
    if (convert_init(c, x->dims[0], x->type, &norm, e) < 0)
        return -1;
    c->periodic = info->generated && info->whole;
    return 0;
}

static void end(void *feed)
{
    convert_fini(feed);
}

/* ---- the network ------------------------------------------------------ */

static struct tensor *dense(struct net *n, struct tensor *t, int layer, long out)
{
    char w[32], b[32];

    snprintf(w, sizeof w, "dense%d.weight", layer);
    snprintf(b, sizeof b, "dense%d.bias", layer);
    long in = tensor_shape(t).d[1];
    struct param *weight = model_param(n->model, n->group, w, SHAPE(out, in), XAVIER);
    struct param *bias = model_param(n->model, n->group, b, SHAPE(out), ZEROS);
    return op_dense(t, weight, bias);
}

static struct tensor *stage(struct net *n, struct tensor *t, int layer, long in, long out)
{
    char w[32], b[32];

    snprintf(w, sizeof w, "conv%d.weight", layer);
    snprintf(b, sizeof b, "conv%d.bias", layer);
    struct param *weight = model_param(n->model, n->group, w, SHAPE(out, in, 3, 3, 3), XAVIER);
    struct param *bias = model_param(n->model, n->group, b, SHAPE(out), ZEROS);
    t = op_conv(t, weight, bias, WINDOW(3, 1, 1));
    return op_leaky_relu(op_maxpool(t, WINDOW(2, 2, 0)), 0.3f);
}

static void build(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed)
{
    const struct own *own = r->own;
    long dims[SCIENCE_AXES], channels = COSMO_CHANNELS;

    (void)feed;
    science_dims(&science_cosmo, COSMO_X, c, dims);
    n->feed[0] =
        graph_input(n->graph, "x", SHAPE(channels, dims[0], dims[1], dims[2]), CHANNELS_LAST);
    n->feed[1] = graph_input(n->graph, "y", SHAPE(COSMO_PARAMETERS), CHANNELS_FIRST);

    struct tensor *t = n->feed[0];
    for (int i = 0; i < own->stages; i++) {
        long out = (long)own->base << i;
        t = stage(n, t, i + 1, channels, out);
        channels = out;
    }
    t = op_flatten(t);
    t = op_dropout(op_leaky_relu(dense(n, t, 1, 128), 0.3f), own->dropout);
    t = op_dropout(op_leaky_relu(dense(n, t, 2, 64), 0.3f), own->dropout);
    t = graph_keep_f32(dense(n, t, 3, COSMO_PARAMETERS)); /* and what follows */
    t = n->answer = op_scale(op_tanh(t), 1.2f);
    n->loss = op_mse(t, n->feed[1], NULL);
    n->quality = n->out[0] = op_mae(t, n->feed[1], NULL);
}

static void describe(const struct recipe *r, const struct data_class *c, char *text, size_t size)
{
    const struct own *own = r->own;

    snprintf(text, size, "%ld^3 x %d, %d stages from %d filters", c->size[1], COSMO_CHANNELS,
             own->stages, own->base);
}

/* ---- quality ---------------------------------------------------------- */

/* The constant predictor says the mean label: their sums, and how many. */
static void meet(double seen[TALLY_SUMS], const struct loader_batch *b)
{
    for (int i = 0; i < b->n; i++)
        for (int k = 0; k < COSMO_PARAMETERS; k++)
            seen[k] += b->feed[1][i * COSMO_PARAMETERS + k];
    seen[COSMO_PARAMETERS] += b->n;
}

enum { ERROR, SAMPLES, CONSTANT_ERROR };

static int observe(struct tally *t, const struct loader_batch *b, const float *const out[],
                   struct err *e)
{
    double error = 0;

    (void)e;
    for (int i = 0; i < b->n; i++)
        for (int k = 0; k < COSMO_PARAMETERS; k++)
            error +=
                fabs(b->feed[1][i * COSMO_PARAMETERS + k] - t->seen[k] / t->seen[COSMO_PARAMETERS]);
    t->sums[ERROR] += (double)*out[0] * b->global_n; /* its sum over ranks is the batch's mean */
    t->sums[SAMPLES] += b->n;
    t->sums[CONSTANT_ERROR] += error / COSMO_PARAMETERS;
    return 0;
}

static void judge(const struct tally *t, struct judgement *j)
{
    j->quality = t->sums[ERROR] / t->sums[SAMPLES];
    j->trivial = t->sums[CONSTANT_ERROR] / t->sums[SAMPLES];
}

static const struct component cosmoflow = {
    .name = "cosmoflow",
    .title = "CosmoFlow",
    .science = &science_cosmo,
    .metric = "mae",
    .domain = 1,
    .domain_title = "ridge on log P(k)",
    .recipes = recipes,
    .n_recipes = sizeof recipes / sizeof recipes[0],
    .feed_bytes = sizeof(struct convert),
    .begin = begin,
    .end = end,
    .make = convert_sample,
    .slabs = true,
    .build = build,
    .describe = describe,
    .meet = meet,
    .observe = observe,
    .judge = judge,
    .answers = COSMO_Y,
    .answer = ANSWER_NUMBERS,
};

const struct workload workload_cosmoflow = HARNESS_WORKLOAD(&cosmoflow);
