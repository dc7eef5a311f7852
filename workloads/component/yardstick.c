/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/yardstick.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"
#include "workloads/micro/fma_team.h"

enum { CHAIN_TIMES = 16, MOST_TIMES = 1000 };

static const double long_enough = 20e-3; /* seconds of convolutions */
static const double apart = 10;          /* seconds, at least */
static const double most_cost = 0.005;   /* of the training */

/* Seconds of one convolution, and of one step of the chain. */
struct reading {
    double wall, cpu, chain;
};

struct yardstick {
    double (*now)(void);
    struct model *model;
    struct graph *graph;
    char what[64];
    double flop; /* of a convolution */
    double peak; /* FLOP/s */
    enum fma_type type;
    int threads;
    long times;
    int n;                            /* readings */
    double last;                      /* the moment of the latest */
    double spent;                     /* seconds on all of them */
    bool failed;                      /* a convolution did */
    struct reading start, end, later; /* later: sum of all after the first */
};

/* ---- the model ---- */

static struct shape channels_and_sides(long channels, int places, long side)
{
    struct shape s = {places + 1, {channels}};

    for (int i = 1; i <= places; i++)
        s.d[i] = side;
    return s;
}

static struct shape weights(long channels, int places)
{
    struct shape s = {places + 2, {channels, channels}};

    for (int i = 2; i < s.n; i++)
        s.d[i] = 3;
    return s;
}

static int build(struct yardstick *y, const struct engine_config *config, int places, struct err *e)
{
    static const struct optimizer none = {.kind = OPTIMIZER_SGD};
    const bool slow = strcmp(config->backend, "ref") == 0;
    const long channels = places == 3 ? 16 : 32, side = (places == 3 ? 24 : 96) / (slow ? 3 : 1);
    const struct shape sample = channels_and_sides(channels, places, side);
    const struct engine_step one = {.rows = 1, .global_rows = 1, .ids = (uint64_t[]){0}};

    y->model = model_create(config, e);
    if (!y->model)
        return -1;
    const int group = model_group(y->model, "all", &none);
    struct param *w = model_param(y->model, group, "w", weights(channels, places), HE);
    y->graph = graph_create(y->model, "yardstick", 1);
    struct tensor *x = graph_input(y->graph, "x", sample, CHANNELS_FIRST);
    graph_output(op_conv(x, w, NULL, WINDOW(3, 1, 1)));
    if (engine_compile(y->graph, NULL, e) < 0 || engine_start(y->model, e) < 0 ||
        engine_begin(y->graph, &one, e) < 0)
        return -1;
    float *values = malloc(shape_count(&sample) * sizeof *values);
    if (!values)
        return err_set(e, "no memory for the yardstick");
    for (size_t i = 0; i < shape_count(&sample); i++)
        values[i] = (float)(i % 7) - 3;
    const int rc = engine_feed(y->graph, x, values, e);
    free(values);
    y->flop = graph_flop(y->graph).forward;
    y->type = config->compute == TENSOR_BF16 ? FMA_BF16 : FMA_F32;
    y->threads = config->threads;
    snprintf(y->what, sizeof y->what, "convolution %ld to %ld, 3^%d, %ld^%d, %s %s, %d thread%s",
             channels, channels, places, side, places, config->backend,
             config->compute == TENSOR_BF16 ? "bf16" : "f32", config->threads,
             config->threads == 1 ? "" : "s");
    return rc;
}

/* Seconds of so many convolutions. */
static double convolve(struct yardstick *y, long times)
{
    const double since = y->now();

    for (long i = 0; i < times; i++)
        if (engine_forward(y->graph, ENGINE_EVAL, NULL) < 0)
            y->failed = true;
    return y->now() - since;
}

struct yardstick *yardstick_open(const struct runspec *spec, const struct workload_host *host,
                                 int places)
{
    struct yardstick *y = calloc(1, sizeof *y);
    struct engine_config config = net_config(spec, host);

    if (!y)
        return NULL;
    config.comm = comm_self();
    config.now = NULL;
    y->now = host->now;
    if (build(y, &config, places, NULL) < 0) {
        yardstick_close(y);
        return NULL;
    }
    convolve(y, 1); /* the library makes its code */
    const double one = convolve(y, 1);
    y->times = (long)fmin(fmax(long_enough / fmax(one, 1e-6), 1), MOST_TIMES);
    return y;
}

void yardstick_close(struct yardstick *y)
{
    if (y)
        model_destroy(y->model);
    free(y);
}

/* ---- readings ---- */

/* What the processor could do at most, beside a convolution that took so long. */
static void take_peak(struct yardstick *y, double convolution)
{
    long wrong = 0;
    const double rate = fma_team_rate(y->type, y->threads, y->now, &wrong);

    y->failed |= wrong > 0;
    y->peak = fmax(y->peak, fmax(rate, convolution > 0 ? y->flop / convolution : 0));
}

static void take(struct yardstick *y, long times, bool last)
{
    const double cpu = clock_thread(), since = y->now();
    struct reading r;

    r.wall = convolve(y, times) / (double)times;
    r.cpu = (clock_thread() - cpu) / (double)times;
    const double chain = clock_thread();
    const uint64_t x = chain_run(CHAIN_TIMES);
    r.chain = (clock_thread() - chain) / ((double)CHAIN_TIMES * CHAIN_STEPS);
    if (!last)
        take_peak(y, r.wall);
    y->last = y->now();
    y->failed |= x != chain_closed(CHAIN_TIMES);
    y->spent += y->last - since;
    if (y->n++ == 0) {
        y->start = r;
    } else {
        y->later.wall += r.wall;
        y->later.cpu += r.cpu;
        y->later.chain += r.chain;
    }
    y->end = r;
}

void yardstick_start(struct yardstick *y)
{
    if (y)
        take(y, y->times, false);
}

void yardstick_between(struct yardstick *y)
{
    if (y && y->now() - y->last >= apart)
        take(y, y->times, false);
}

void yardstick_end(struct yardstick *y, double trained_seconds)
{
    if (!y || y->n == 0)
        return;
    const double left = most_cost * trained_seconds - y->spent;
    take(y, (long)fmin(fmax(left / fmax(y->start.wall, 1e-6), 1), (double)y->times), true);
}

/* ---- over the ranks ---- */

int yardstick_gather(const struct yardstick *y, struct comm *c, struct workload_result *r,
                     struct err *e)
{
    struct result_yardstick *to = &r->yardstick;
    const bool good = y && y->n > 1 && !y->failed;
    const double later = good ? y->n - 1 : 1, zero = 0;
    const double speed = good ? y->start.cpu / (y->later.cpu / later) : 1;
    double missing = !good, least = speed;
    double v[11] = {zero};

    if (good) {
        const double own[11] = {y->start.wall,
                                y->later.wall / later,
                                y->end.wall,
                                y->start.cpu,
                                y->later.cpu / later,
                                y->end.cpu,
                                y->start.chain,
                                y->later.chain / later,
                                y->end.chain,
                                speed,
                                y->peak};
        memcpy(v, own, sizeof v);
    }
    if (c->size > 1 &&
        (c->reduce(c, &missing, 1, COMM_MAX, e) < 0 || c->reduce(c, &least, 1, COMM_MIN, e) < 0 ||
         c->reduce(c, v, 11, COMM_SUM, e) < 0))
        return -1;
    if (missing > 0)
        return 0;
    for (int i = 0; i < 11; i++)
        v[i] /= c->size;
    *to = (struct result_yardstick){.readings = y->n,
                                    .wall = {v[0], v[1], v[2]},
                                    .cpu = {v[3], v[4], v[5]},
                                    .chain = {v[6], v[7], v[8]},
                                    .speed = v[9],
                                    .peak = v[10],
                                    .least_speed = least};
    snprintf(to->what, sizeof to->what, "%s", y->what);
    r->rank.yardstick_seconds = y->later.cpu / later;
    return 0;
}
