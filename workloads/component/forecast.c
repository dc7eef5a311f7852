/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Weather: a network makes of a moment's fields those of six hours later, and of these the
 * next (Pathak et al. 2022, arXiv 2202.11214; Bi et al. 2023). An attention forecaster
 * (forecast_net.h).
 *
 *   x variables, each less its mean and over its deviation       B x C x H x W
 *   answer: what they change by in six hours, each over the       B x C x H x W
 *     deviation of such changes, s
 *
 * Loss: mean squared error of the answer. A training pair is a moment of a sequence and the
 * next one, drawn anew each epoch, rolled in longitude and mirrored at the equator, with the
 * other sign for northward winds: exact symmetries of weather without continents.
 *
 * Quality: latitude-weighted RMSE of the fourth step from a sequence's first moment, x += s
 * answer, in deviations of each variable; mean of the variables, then of the sequences
 * (propagator.h). Beside it the first step's, anomaly correlations of both, and the same
 * error of what any forecast must beat: the weather as it is (persistence), the mean of the
 * latitude in the training set (climatology), the ridge propagator.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/forecast_net.h"
#include "workloads/component/harness.h"
#include "workloads/component/propagator.h"
#include "workloads/data/science_sequence.h"
#include "workloads/philox.h"

/* A stream of the seed that meets no other. */
#define DRAW_KEY UINT64_C(0x666f726563617374)

#define EDGE 66.0 /* degrees: of the first and the last row */

enum { C_MOST = PROPAGATOR_VARIABLES, STEPS = SEQUENCE_MOMENTS - 1 };

/* Training sequences that means, deviations and the propagator are taken of; multiply-adds
 * that fitting it may take, but for the fewest columns of a row that it sees: 4 of 128
 * sequences' steps are 11 equations for each of its 181 numbers. */
enum { SEEN_SEQUENCES = 128, FEWEST_COLUMNS = 4 };
static const double fit_work = 1.5e9;

static const struct forecast_net tiny = {.patch = 4, .width = 128, .layers = 4, .heads = 4};
static const struct forecast_net small = {.patch = 4, .width = 256, .layers = 6, .heads = 8};
static const struct forecast_net standard = {.patch = 8, .width = 768, .layers = 12, .heads = 12};

#define RECIPE_FORECAST                                                                            \
    {                                                                                              \
        .kind = OPTIMIZER_ADAMW, .beta = {0.9f, 0.95f}, .eps = 1e-8f, .weight_decay = 0.05f,       \
        .clip = 1                                                                                  \
    }

/* The rule for targets is in contrib/evidence/rcp.sh. On the set of tiny persistence has .3444,
 * climatology .6040, the propagator .2980; ten of ten seeds reach the target, after 14.3
 * +- .67 of 20 epochs; one was trained to its end: .2322. A run ten times as long was not made: .24 is 60 % of the way
 * from the propagator as long as that stays above .2013. Small and standard were not trained
 * yet and carry tiny's target. Standard has the size of Pathak et al. 2022 (patches of 8 x 8,
 * 12 layers of 768; where they mix tokens by Fourier transforms it has attention) and
 * their rate of 5e-4 at a batch of 64, here of 16 by the root of the batch. */
static const struct recipe recipes[] = {
    {.class = CLASS_TINY,
     .batch = 8,
     .epochs = 20,
     .optimizer = RECIPE_FORECAST,
     .schedule = RECIPE_COSINE(2e-3, 20),
     .augment = true,
     .target = 0.24,
     .beats_domain = true,
     .parameters = 834528,
     .own = &tiny,
     .rcp = {.seeds = 10, .mean_epochs = 14.3, .std_epochs = 0.67, .min_epochs = 11},
     .notes = "init=xavier roll mirror"},
    {.class = CLASS_SMALL,
     .batch = 8,
     .epochs = 20,
     .optimizer = RECIPE_FORECAST,
     .schedule = RECIPE_COSINE(1e-3, 20),
     .augment = true,
     .target = 0.24,
     .beats_domain = true,
     .parameters = 5034560,
     .own = &small,
     .notes = "init=xavier roll mirror"},
    {.class = CLASS_STANDARD,
     .batch = 16,
     .epochs = 80,
     .optimizer = RECIPE_FORECAST,
     .schedule = RECIPE_COSINE(2.5e-4, 80),
     .augment = true,
     .target = 0.24,
     .beats_domain = true,
     .parameters = 99465728,
     .own = &standard,
     .notes = "init=xavier roll mirror"},
};

/* ---- the feed --------------------------------------------------------- */

struct feed {
    long C, H, W;
    float mean[C_MOST], scale[C_MOST]; /* 1 / deviation */
    float change[C_MOST], by[C_MOST];  /* s, in deviations; 1 / s */
    float *climatology;                /* [C][H], normalised */
    struct propagator ridge;
};

static size_t state_count(const struct feed *f)
{
    return (size_t)(f->C * f->H * f->W);
}

static void end(void *feed)
{
    struct feed *f = feed;

    free(f->climatology);
    propagator_fini(&f->ridge);
}

/* One moment as the network has it: rolled by columns, mirrored, normalised. */
struct turn {
    long roll;
    bool mirror;
};

static bool is_northward(long v)
{
    return v == SEQUENCE_V850 || v == SEQUENCE_VBOT || v == SEQUENCE_V500 || v == SEQUENCE_V200;
}

static void take(const struct feed *feed, const struct dataset_field *f, const void *values, long t,
                 struct turn turn, float *to)
{
    for (long c = 0; c < feed->C; c++) {
        const float sign = turn.mirror && is_northward(c) ? -1 : 1;
        for (long y = 0; y < feed->H; y++) {
            const long row = turn.mirror ? feed->H - 1 - y : y;
            const float *from =
                (const float *)values + t * f->stride[0] + row * f->stride[1] + c * f->stride[3];
            for (long x = 0; x < feed->W; x++) {
                const long column =
                    x + turn.roll < feed->W ? x + turn.roll : x + turn.roll - feed->W;
                *to++ = (sign * from[column * f->stride[2]] - feed->mean[c]) * feed->scale[c];
            }
        }
    }
}

/* Sums over what is seen of the training set. */
struct seen {
    double sum[C_MOST], squares[C_MOST], changes[C_MOST], *rows; /* rows: [C][H] */
};

static int see_sequence(struct feed *feed, const struct dataset_field *f, const void *values,
                        struct seen *s, float *room)
{
    const long plane = feed->H * feed->W;
    float *now = room, *before = room + state_count(feed);

    for (long t = 0; t < f->dims[0]; t++) {
        take(feed, f, values, t, (struct turn){0}, now);
        for (long i = 0; i < feed->C * plane; i++) {
            const long c = i / plane;
            const double v = (double)now[i], d = t ? v - (double)before[i] : 0;
            s->sum[c] += v;
            s->squares[c] += v * v;
            s->changes[c] += d * d;
            s->rows[i / feed->W] += v;
        }
        float *other = before;
        before = now;
        now = other;
    }
    return 0;
}

typedef int see_fn(struct feed *feed, const struct dataset_field *f, const void *values,
                   struct seen *s, float *room);

/* Calls see() for sequences from all over the training set. Returns how many, or -1. */
static long each_sequence(struct feed *feed, struct dataset *train, struct seen *s, see_fn *see,
                          struct err *e)
{
    const struct dataset_info *info = dataset_info(train);
    const long n = info->samples < SEEN_SEQUENCES ? (long)info->samples : SEEN_SEQUENCES;
    float *room = malloc(2 * state_count(feed) * sizeof *room);
    char *sample = NULL;
    long rc = n;

    if (!room || posix_memalign((void **)&sample, 64, info->sample_bytes))
        rc = err_set(e, "no memory for a sequence of weather");
    for (long i = 0; i < n && rc == n; i++)
        if (dataset_read(train, (uint64_t)i * info->samples / (uint64_t)n, sample, NULL, e) < 0 ||
            see(feed, &info->field[SEQUENCE_WEATHER], sample + info->field[SEQUENCE_WEATHER].offset,
                s, room) < 0)
            rc = -1;
    free(sample);
    free(room);
    return rc;
}

/* Means, deviations, those of the changes; climatology of what was taken as it is. */
static void settle(struct feed *feed, const struct seen *s, long sequences)
{
    const double places = (double)(sequences * SEQUENCE_MOMENTS * feed->H * feed->W);
    const double pairs = places / SEQUENCE_MOMENTS * STEPS;

    for (long c = 0; c < feed->C; c++) {
        const double mean = s->sum[c] / places, variance = s->squares[c] / places - mean * mean;
        const double deviation = variance > 0 ? sqrt(variance) : 1;
        const double change = sqrt(s->changes[c] / pairs) / deviation;

        feed->mean[c] = (float)mean;
        feed->scale[c] = (float)(1 / deviation);
        feed->change[c] = (float)(change > 0 ? change : 1);
        feed->by[c] = 1 / feed->change[c];
        for (long y = 0; y < feed->H; y++)
            feed->climatology[c * feed->H + y] =
                (float)((s->rows[c * feed->H + y] /
                             (double)(sequences * SEQUENCE_MOMENTS * feed->W) -
                         mean) /
                        deviation);
    }
}

static int fit_sequence(struct feed *feed, const struct dataset_field *f, const void *values,
                        struct seen *s, float *room)
{
    const double n = (double)feed->ridge.inputs;
    const double work = (double)SEEN_SEQUENCES * STEPS * (double)(feed->H * feed->W) * n * n / 2;
    const long wanted = work > fit_work ? (long)ceil(work / fit_work) : 1;
    const long most = (feed->W + FEWEST_COLUMNS - 1) / FEWEST_COLUMNS;
    const long every = wanted < most ? wanted : most;
    float *now = room, *next = room + state_count(feed);

    (void)s;
    for (long t = 0; t + 1 < f->dims[0]; t++) {
        take(feed, f, values, t, (struct turn){0}, now);
        take(feed, f, values, t + 1, (struct turn){0}, next);
        propagator_add(&feed->ridge, now, next, every);
    }
    return 0;
}

static int begin(void *feed, const struct recipe *r, struct dataset *train, struct err *e)
{
    const struct dataset_field *f = &dataset_info(train)->field[SEQUENCE_WEATHER];
    struct feed *own = feed;
    struct seen s = {.rows = NULL};

    (void)r;
    if (f->dims[0] != SEQUENCE_MOMENTS || f->dims[3] > C_MOST)
        return err_set(e,
                       "sequences have %ld moments of %ld variables; the network takes %d of at "
                       "most %d",
                       f->dims[0], f->dims[3], SEQUENCE_MOMENTS, C_MOST);
    own->H = f->dims[1];
    own->W = f->dims[2];
    own->C = f->dims[3];
    for (long c = 0; c < own->C; c++)
        own->scale[c] = 1; /* and mean 0: first everything is taken as it is */
    own->climatology = calloc((size_t)(own->C * own->H), sizeof *own->climatology);
    s.rows = calloc((size_t)(own->C * own->H), sizeof *s.rows);
    if (!own->climatology || !s.rows) {
        free(s.rows);
        return err_set(e, "no memory for the climatology");
    }
    const long seen = each_sequence(own, train, &s, see_sequence, e);
    if (seen > 0)
        settle(own, &s, seen);
    free(s.rows);
    if (seen < 0 || propagator_init(&own->ridge, own->C, own->H, own->W, e) < 0 ||
        each_sequence(own, train, &s, fit_sequence, e) < 0)
        return -1;
    return propagator_solve(&own->ridge, e);
}

/* out: the moment, what it changes by, and for an evaluation the moments behind it. */
static int make(const void *ctx, const struct loader_sample *in, float *const out[], struct err *e)
{
    const struct dataset_field *f = &in->info->field[SEQUENCE_WEATHER];
    const struct feed *feed = ctx;
    const size_t n = state_count(feed);
    struct turn turn = {0};
    uint32_t draw[4] = {0};
    long t = 0;

    if (f->dims[0] != SEQUENCE_MOMENTS || f->dims[1] != feed->H || f->dims[2] != feed->W ||
        f->dims[3] != feed->C)
        return err_set(e, "sample %llu has other moments than the training set",
                       (unsigned long long)in->id);
    if (in->augment) {
        philox_at(in->seed ^ DRAW_KEY, in->id, in->epoch, draw);
        t = (long)((uint64_t)draw[0] * STEPS >> 32);
        turn.roll = (long)((uint64_t)draw[1] * (uint64_t)feed->W >> 32);
        turn.mirror = draw[2] & 1;
    }
    take(feed, f, in->field[SEQUENCE_WEATHER], t, turn, out[0]);
    take(feed, f, in->field[SEQUENCE_WEATHER], t + 1, turn, out[1]);
    for (size_t i = 0; i < n; i++)
        out[1][i] = (out[1][i] - out[0][i]) * feed->by[i / (n / (size_t)feed->C)];
    for (long k = 0; k < STEPS; k++)
        if (in->augment)
            memset(out[2] + (size_t)k * n, 0, n * sizeof(float));
        else
            take(feed, f, in->field[SEQUENCE_WEATHER], k + 1, turn, out[2] + (size_t)k * n);
    return 0;
}

/* ---- the network ------------------------------------------------------ */

static void build(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed)
{
    const long C = c->size[0], H = c->size[2], W = c->size[3];

    (void)feed;
    n->feed[0] = graph_input(n->graph, "x", SHAPE(C, H, W), CHANNELS_FIRST);
    n->feed[1] = graph_input(n->graph, "change", SHAPE(C, H, W), CHANNELS_FIRST);
    n->feed[2] = graph_input(n->graph, "truth", SHAPE(STEPS * C, H, W), CHANNELS_FIRST);
    n->out[0] = n->answer = graph_output(forecast_build(r->own, n->model, n->group, n->feed[0]));
    n->loss = op_mse(n->out[0], n->feed[1], NULL);
}

static long tokens(const struct recipe *r, const struct data_class *c)
{
    return forecast_tokens(r->own, c->size[2], c->size[3]);
}

static void describe(const struct recipe *r, const struct data_class *c, char *text, size_t size)
{
    const struct forecast_net *f = r->own;

    snprintf(text, size, "%ld x %ld x %ld, %ld tokens, %ld layers of %ld", c->size[0], c->size[2],
             c->size[3], tokens(r, c), f->layers, f->width);
}

/* ---- quality ---------------------------------------------------------- */

/* sums[]: over the sequences. */
enum {
    SUM_RMSE_FIRST,
    SUM_RMSE,
    SUM_ACC_FIRST,
    SUM_ACC,
    SUM_PERSISTENCE,
    SUM_CLIMATOLOGY,
    SUM_RIDGE,
    SUM_SEQUENCES
};

static struct forecast_error error_of(const struct feed *f, const float *forecast,
                                      const float *truth)
{
    return forecast_error(f->C, f->H, f->W, EDGE, f->climatology, forecast, truth);
}

/* What others forecast for the last step of a sequence; room: two states. */
static void observe_others(const struct feed *f, double sums[TALLY_SUMS], const float *now,
                           const float *last, float *room)
{
    const size_t n = state_count(f);
    float *state = room, *next = room + n;

    sums[SUM_PERSISTENCE] += error_of(f, now, last).rmse;
    for (size_t i = 0; i < n; i++)
        state[i] = f->climatology[i / (size_t)f->W];
    sums[SUM_CLIMATOLOGY] += error_of(f, state, last).rmse;
    memcpy(state, now, n * sizeof *state);
    for (int k = 0; k < STEPS; k++) {
        propagator_step(&f->ridge, state, next);
        memcpy(state, next, n * sizeof *state);
    }
    sums[SUM_RIDGE] += error_of(f, state, last).rmse;
}

static int roll(const void *feed, struct tally *t, const struct loader_batch *b, int at,
                const float *fed, const float *const out[], float *next, struct err *e)
{
    const struct feed *f = feed;
    const size_t n = state_count(f), plane = n / (size_t)f->C;
    float *room = at == 0 ? malloc(2 * n * sizeof *room) : NULL;

    if (at == 0 && !room)
        return err_set(e, "no memory for %zu values of a forecast", 2 * n);
    for (size_t i = 0; i < (size_t)b->n * n; i++)
        next[i] = fed[i] + f->change[i / plane % (size_t)f->C] * out[0][i];
    for (size_t i = 0; i < (size_t)b->n; i++) {
        const float *truth = b->feed[2] + i * STEPS * n;
        if (at == 0)
            observe_others(f, t->sums, fed + i * n, truth + (STEPS - 1) * n, room);
        if (at > 0 && at < STEPS - 1)
            continue;
        const struct forecast_error error = error_of(f, next + i * n, truth + (size_t)at * n);
        t->sums[at ? SUM_RMSE : SUM_RMSE_FIRST] += error.rmse;
        t->sums[at ? SUM_ACC : SUM_ACC_FIRST] += error.acc;
        t->sums[SUM_SEQUENCES] += at == 0;
    }
    free(room);
    return 0;
}

static void restate(const void *feed, const float *state, float *numbers)
{
    const struct feed *f = feed;
    const size_t plane = (size_t)(f->H * f->W);

    for (size_t i = 0; i < state_count(f); i++)
        numbers[i] = state[i] / f->scale[i / plane] + f->mean[i / plane];
}

static void add(struct judgement *j, const char *name, double value, bool higher)
{
    judgement_add(j, name, (struct metric){.value = fmax(0, value)}, higher);
}

static void judge(const struct tally *t, struct judgement *j)
{
    const double n = fmax(t->sums[SUM_SEQUENCES], 1);
    const double persistence = t->sums[SUM_PERSISTENCE] / n;
    const double climatology = t->sums[SUM_CLIMATOLOGY] / n;

    j->quality = t->sums[SUM_RMSE] / n;
    j->trivial = fmin(persistence, climatology);
    j->domain = t->sums[SUM_RIDGE] / n;
    add(j, "rmse_step", t->sums[SUM_RMSE_FIRST] / n, false);
    add(j, "acc_day", t->sums[SUM_ACC] / n, true);
    add(j, "acc_step", t->sums[SUM_ACC_FIRST] / n, true);
    add(j, "rmse_persistence", persistence, false);
    add(j, "rmse_climatology", climatology, false);
    add(j, "rmse_ridge", j->domain, false);
}

static const struct component forecast = {
    .name = "forecast",
    .title = "Global forecast:",
    .science = &science_sequence,
    .metric = "rmse_day",
    .higher_is_better = false,
    .domain_title = "ridge propagator",
    .recipes = recipes,
    .n_recipes = sizeof recipes / sizeof recipes[0],
    .feed_bytes = sizeof(struct feed),
    .begin = begin,
    .end = end,
    .make = make,
    .build = build,
    .tokens = tokens,
    .describe = describe,
    .rolls = STEPS,
    .roll = roll,
    .judge = judge,
    .answers = SEQUENCE_WEATHER,
    .answer = ANSWER_ROLLED,
    .restate = restate,
};

const struct workload workload_forecast = HARNESS_WORKLOAD(&forecast);
