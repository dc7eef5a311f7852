/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/ablate.h"

#include <math.h>
#include <stdio.h>

enum { WARM_STEPS = 4, REBUILT_STEPS = 16, LEAST_STEPS = 16 };

static const double block_seconds = 0.5;

static const char told_to_end[] = "the run was told to end";

/* Left out for time, from the first on. */
static const enum ablation_arm_kind dispensable[] = {ARM_BATCH, ARM_THREADS, ARM_NODE, ARM_FREE,
                                                     ARM_ALONE};

struct lab {
    const struct ablate *a;
    struct comm *comm;
    struct comm *node; /* the ranks of this node; NULL: not asked for */
    struct result_ablation *r;
    struct net other[ARM_COUNT]; /* of arms that are rebuilt */
    struct loader_batch batch;   /* the last one */
    bool has_batch;
    bool failed; /* this rank; it makes idle steps */
    struct err said;
    uint64_t random;
};

static bool is_rebuilt(enum ablation_arm_kind k)
{
    static const bool rebuilt[] = {
#define ARM(symbol, name, rebuild, title) rebuild,
#include "reports/core/ablation.def"
    };
    return rebuilt[k];
}

/* ---- a step ---- */

static int take(struct lab *l, enum ablation_arm_kind arm, struct err *e)
{
    if ((arm == ARM_MEMORY || arm == ARM_FREE) && l->has_batch)
        return 0;
    int got = loader_next(l->a->loader, &l->batch, e);
    if (got == 0)
        got = loader_next(l->a->loader, &l->batch, e);
    l->has_batch = got > 0;
    return got > 0 ? 0 : got < 0 ? -1 : err_set(e, "the loader has no batch");
}

static struct loader_batch half_of(struct loader_batch b)
{
    b.n = (b.n + 1) / 2;
    b.global_n = (b.global_n + 1) / 2;
    return b;
}

/* As if the ranks of the node were all; each has as many samples as this one. */
static struct loader_batch of_node(struct loader_batch b, const struct comm *node)
{
    b.global_n = (b.n > 0 ? b.n : 1) * node->size;
    return b;
}

static int step(struct lab *l, enum ablation_arm_kind arm, struct net *n, struct err *e)
{
    if (l->failed)
        model_abandon(n->model);
    else if (take(l, arm, e) < 0)
        return -1;
    const struct loader_batch b = arm == ARM_BATCH  ? half_of(l->batch)
                                  : arm == ARM_NODE ? of_node(l->batch, l->node)
                                                    : l->batch;
    model_zero(n->model, n->group);
    if (net_forward(n, &b, ENGINE_TRAIN, e) < 0 || engine_backward(n->graph, true, e) < 0)
        return -1;
    return model_step(n->model, n->group, 0, e);
}

/* A step, whatever this rank's own failure is; -1: the exchange broke. */
static int go(struct lab *l, enum ablation_arm_kind arm, struct net *n, struct err *e)
{
    if (step(l, arm, n, e) == 0)
        return 0;
    if (l->failed)
        return -1;
    l->failed = true;
    if (e)
        l->said = *e;
    return step(l, arm, n, e);
}

/* ---- a block ---- */

static enum engine_exchange exchange_of(enum ablation_arm_kind arm)
{
    switch (arm) {
    case ARM_EMPTY:
        return EXCHANGE_MEET;
    case ARM_ALONE:
    case ARM_FREE:
        return EXCHANGE_NONE;
    default:
        return EXCHANGE_SUMS;
    }
}

/* Length of a step and run delay over time, of the worst rank. */
static int block(struct lab *l, int round, enum ablation_arm_kind arm, struct err *e)
{
    const struct workload_host *host = l->a->host;
    struct net *n = is_rebuilt(arm) ? &l->other[arm] : l->a->net;
    const long warm = is_rebuilt(arm) && round == 0 ? REBUILT_STEPS : WARM_STEPS;
    double since = 0, delay = 0;

    model_exchange(n->model, exchange_of(arm));
    if (l->comm->barrier(l->comm, e) < 0)
        return -1;
    for (long k = 0; k < warm + l->r->steps; k++) {
        if (k == warm) {
            since = host->now();
            delay = host->run_delay ? host->run_delay() : NAN;
        }
        if (go(l, arm, n, e) < 0)
            return -1;
    }
    const double took = host->now() - since;
    double v[2] = {took / (double)l->r->steps,
                   host->run_delay ? (host->run_delay() - delay) / took : -1};
    model_exchange(n->model, EXCHANGE_SUMS);
    if (l->comm->size > 1 && l->comm->reduce(l->comm, v, 2, COMM_MAX, e) < 0)
        return -1;
    l->r->seconds[round][arm] = v[0];
    l->r->delay[round][arm] = v[1] < 0 ? NAN : v[1];
    if (l->failed && e)
        *e = l->said;
    return comm_agree(l->comm, l->failed ? -1 : 0, e);
}

/* splitmix64; the same on all ranks. */
static int below(struct lab *l, int n)
{
    uint64_t z = l->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (int)((z ^ z >> 31) % (uint64_t)n);
}

static int one_round(struct lab *l, int round, struct err *e)
{
    enum ablation_arm_kind order[ARM_COUNT];
    int n = 0;

    for (int i = 0; i < ARM_COUNT; i++)
        if (l->r->made[i])
            order[n++] = (enum ablation_arm_kind)i;
    for (int i = n - 1; i > 0; i--) {
        const int k = below(l, i + 1);
        const enum ablation_arm_kind other = order[k];
        order[k] = order[i];
        order[i] = other;
    }
    for (int i = 0; i < n; i++)
        if (block(l, round, order[i], e) < 0)
            return -1;
    return 0;
}

/* ---- the plan ---- */

static int count_arms(const struct result_ablation *r)
{
    int n = 0;

    for (int i = 0; i < ARM_COUNT; i++)
        n += r->made[i];
    return n;
}

/* What the run text asks for and these ranks can. */
static void choose(const struct lab *l)
{
    const bool all = l->a->spec->diagnose == DIAGNOSE_YES, many = l->comm->size > 1;
    bool *made = l->r->made;

    made[ARM_BASE] = made[ARM_MEMORY] = true;
    made[ARM_EMPTY] = many;
    made[ARM_ALONE] = made[ARM_FREE] = many && all;
    made[ARM_THREADS] = all; /* plan() asks whether any rank has several */
    made[ARM_BATCH] = all && l->a->batch / l->comm->size > 1;
    made[ARM_NODE] = all && l->comm->local_size < l->comm->size && l->comm->of_node;
}

static double cost(const struct lab *l, double step)
{
    return RESULT_ROUNDS * count_arms(l->r) * (double)(l->r->steps + WARM_STEPS) * step;
}

/* Whether this rank was told to end. */
static bool is_told(const struct lab *l)
{
    const struct workload_host *host = l->a->host;

    return host->stop && host->stop(host->ctx);
}

/* Steps of a block, arms and their time, the same on all ranks. */
static int plan(struct lab *l, struct err *e)
{
    const struct workload_host *host = l->a->host;
    const double left = host->deadline > 0 ? host->deadline - host->now() - 1 : INFINITY;
    const double step = l->a->step_seconds;
    double v[4] = {isfinite(step) ? step : 0, -fmin(left, l->a->trained_seconds), host->threads,
                   is_told(l)};
    char sentence[96];

    if (l->comm->size > 1 && l->comm->reduce(l->comm, v, 4, COMM_MAX, e) < 0)
        return -1;
    choose(l);
    l->r->made[ARM_THREADS] &= v[2] > 1;
    if (v[3] > 0) {
        snprintf(l->r->reason, sizeof l->r->reason, "%s", told_to_end);
        return 0;
    }
    if (!(v[0] > 0)) {
        snprintf(l->r->reason, sizeof l->r->reason, "there was no epoch after the first");
        return 0;
    }
    l->r->steps = (long)fmax(LEAST_STEPS, ceil(block_seconds / v[0]));
    for (size_t i = 0; i < sizeof dispensable / sizeof *dispensable; i++)
        if (cost(l, v[0]) > -v[1])
            l->r->made[dispensable[i]] = false;
    if (cost(l, v[0]) > -v[1])
        l->r->steps = LEAST_STEPS;
    if (cost(l, v[0]) > -v[1]) {
        snprintf(l->r->reason, sizeof l->r->reason,
                 "it would take %.0f s, more than training did or the run's time leaves",
                 cost(l, v[0]));
        return 0;
    }
    snprintf(sentence, sizeof sentence, "diagnose: %d rounds of %d arms, about %.0f s",
             RESULT_ROUNDS, count_arms(l->r), cost(l, v[0]));
    if (l->comm->rank == 0 && host->say)
        host->say(host->ctx, sentence);
    return 0;
}

/* ---- other networks ---- */

static int rebuild(struct lab *l, enum ablation_arm_kind arm, struct err *e)
{
    const struct ablate *a = l->a;
    struct workload_host host = *a->host;
    long rows = harness_rows(a->batch, l->comm->size);

    if (arm == ARM_THREADS)
        host.threads = (host.threads + 1) / 2;
    if (arm == ARM_BATCH)
        rows = (rows + 1) / 2;
    if (arm == ARM_NODE)
        host.comm = l->node;
    return net_make(&l->other[arm], a->component, a->recipe, a->spec, &host, rows, a->feed, e);
}

/* A network that some rank cannot have is not made by any. */
static int rebuild_all(struct lab *l, struct err *e)
{
    if (l->r->made[ARM_NODE]) {
        l->node = l->comm->of_node(l->comm, e);
        if (comm_agree(l->comm, l->node ? 0 : -1, e) < 0)
            return -1;
    }
    for (int i = 0; i < ARM_COUNT; i++) {
        const enum ablation_arm_kind arm = (enum ablation_arm_kind)i;
        struct err why = ERR_INIT;
        if (!l->r->made[arm] || !is_rebuilt(arm))
            continue;
        double lacks = rebuild(l, arm, &why) < 0;
        if (l->comm->size > 1 && l->comm->reduce(l->comm, &lacks, 1, COMM_MAX, e) < 0)
            return -1;
        l->r->made[arm] = lacks == 0;
        if (lacks == 0 && comm_agree(l->comm, engine_start(l->other[arm].model, e), e) < 0)
            return -1;
    }
    return 0;
}

/* Another round, unless a rank was told to end: its time is short. */
static int another_round(struct lab *l, int round, struct err *e)
{
    double told = is_told(l);

    if (l->comm->size > 1 && l->comm->reduce(l->comm, &told, 1, COMM_MAX, e) < 0)
        return -1;
    if (told > 0) {
        snprintf(l->r->reason, sizeof l->r->reason, "%s", told_to_end);
        return 0;
    }
    const int rc = one_round(l, round, e);
    l->r->rounds += rc == 0;
    return rc;
}

int ablate_run(const struct ablate *a, struct result_ablation *r, struct err *e)
{
    struct lab l = {.a = a, .comm = a->host->comm, .r = r, .random = a->spec->seed};
    int rc = plan(&l, e);

    if (rc == 0 && !r->reason[0])
        rc = rebuild_all(&l, e);
    for (int round = 0; rc == 0 && !r->reason[0] && round < RESULT_ROUNDS; round++)
        rc = another_round(&l, round, e);
    if (rc < 0)
        snprintf(r->reason, sizeof r->reason, "it failed: %.*s", (int)sizeof r->reason - 16,
                 e ? e->text : "");
    for (int i = 0; i < ARM_COUNT; i++)
        model_destroy(l.other[i].model);
    if (l.node)
        a->host->comm->close(l.node);
    return rc;
}
