/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that workloads that train one network have in common: plan, data,
 * batches, schedule, training loop, evaluation, baselines, gates, checkpoints,
 * and what is said of the run. A workload is one `struct component` and
 *
 *     const struct workload workload_NAME = HARNESS_WORKLOAD(&component);
 *
 * A run, on every rank:
 *     begin(feed, data)       measures what the feed needs (norms, class weights)
 *     build(net, feed)        the network on the engine
 *     each step               make() by the loader, forward, backward, update
 *                             meet() of each batch of the first epoch
 *     each evaluation         observe() of each batch into a tally;
 *                             judge() of the tally of all ranks
 *
 * Life:    a component is constant; the harness keeps nothing between runs.
 * Failure: -1 and a sentence; of build(): the engine keeps the first sentence.
 * Threads: make() on the loader's, all else on the trainer's.
 */
#ifndef COMPONENT_HARNESS_H
#define COMPONENT_HARNESS_H

#include "workloads/component/tally.h"
#include "workloads/data/loader.h"
#include "workloads/engine/engine.h"
#include "workloads/engine/schedule.h"
#include "workloads/workload.h"

enum { NET_OUTS = 3 };

struct net {
    struct model *model;
    struct graph *graph;
    int group; /* of all parameters, with the recipe's optimiser */
    /* Set by build(). */
    struct tensor *feed[LOADER_FEEDS]; /* inputs, in the order of make()'s */
    struct tensor *loss;
    struct tensor *quality;       /* of training: a scalar like a loss; NULL: none */
    struct tensor *out[NET_OUTS]; /* read after each batch of an evaluation */
    struct tensor *answer;        /* see component.answer; NULL: there is none */
};

/* What net.answer is, beside the field that it should be like, per sample: numbers in
 * the field's own unit, channels first; or logits of the field's classes, K and
 * then the field's places; or of a field of rolls + 1 moments along z (its first axis)
 * what each roll() makes, behind the first moment as it was fed. */
enum answer { ANSWER_NUMBERS, ANSWER_CLASSES, ANSWER_ROLLED };

/* What a size class fixes for one model. The rate is that of `batch`; for
 * another it is scaled in proportion (SGD; Goyal et al. 2017) or by the square
 * root (optimisers that divide by the gradient's size; Malladi et al. 2022).
 * epochs= stretches the schedule. */
struct recipe {
    enum runspec_class class;
    const char
        *model; /* as model= has it; NULL: the only one. A class's first row is its default */
    long batch; /* global */
    int epochs;
    struct optimizer optimizer;
    struct schedule schedule;
    bool augment;
    double target; /* contrib/evidence/rcp.sh has the rule */
    struct result_rcp rcp;
    bool beats_domain;   /* valid only if better than the field's own baseline, too */
    uint64_t parameters; /* published, asserted; 0: not */
    const void *own;     /* the component's */
    const char *notes;   /* for the record's recipe: "dropout=0.5 init=xavier" */
};

/* What most recipes of Adam's have: PyTorch's numbers; half an epoch of warm-up, then
 * a cosine to a hundredth of the rate at `last`. */
#define RECIPE_ADAM                                                                                \
    {                                                                                              \
        .kind = OPTIMIZER_ADAM, OPTIMIZER_ADAM_COMMON                                              \
    }
#define RECIPE_COSINE(rate, last)                                                                  \
    {                                                                                              \
        .base = (rate), .warmup_epochs = 0.5, .kind = SCHEDULE_COSINE, .epochs = (last),           \
        .end_factor = 0.01                                                                         \
    }

/* Of an evaluation. */
struct judgement {
    double quality;  /* NAN: it is not defined, ... */
    const char *why; /* ... because of this, and the run cannot go on */
    double trivial;  /* what the best constant predictor reaches; NAN unknown yet */
    double domain;   /* what the field's own baseline reaches; 0: the data's manifest says it */
    struct result_quality others[RESULT_MAX_OTHERS];
    int n_others;
};

/* Adds a quality beside the primary one; name: a row of metrics.def. */
void judgement_add(struct judgement *j, const char *name, struct metric m, bool higher_is_better);

struct component {
    const char *name;  /* of its row in workloads.def */
    const char *title; /* "CosmoFlow" */
    const struct science *science;
    const char *metric; /* a row of metrics.def */
    bool higher_is_better;
    int domain;               /* index of the field's own baseline in science->baselines */
    const char *domain_title; /* "ridge on log P(k)" */
    const struct recipe *recipes;
    int n_recipes;

    /* What make() gets as its ctx, and build() too: feed_bytes, zeroed. begin()
     * fills it from the training data (NULL: nothing to measure), end() frees
     * what it holds (NULL: nothing). For a plan it stays zeroed. */
    size_t feed_bytes;
    int (*begin)(void *feed, const struct recipe *r, struct dataset *train, struct err *e);
    void (*end)(void *feed);
    loader_make *make;
    bool slabs; /* make() may be given slabs (loader.h) */

    void (*build)(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed);
    /* That the network cuts a sample into, for tokens/s; NULL: it has none. */
    long (*tokens)(const struct recipe *r, const struct data_class *c);
    /* "32^3 x 4, 3 stages": after the title in the plan. */
    void (*describe)(const struct recipe *r, const struct data_class *c, char *text, size_t size);

    /* Adds to tally->seen; NULL: nothing is wanted of the first epoch. */
    void (*meet)(double seen[TALLY_SUMS], const struct loader_batch *b);
    /* out[k]: values of net.out[k], [rows][...] as the engine reads them. */
    int (*observe)(struct tally *t, const struct loader_batch *b, const float *const out[],
                   struct err *e);
    void (*judge)(const struct tally *t, struct judgement *j);

    /* A network whose answer is its next input, in the place of observe(): each batch of an
     * evaluation runs `rolls` times; `at` counts from 0. fed: feed 0 as it was; next, of its
     * size, becomes feed 0 of the next time. Of what is not the batch's, feed has it. */
    int rolls;
    int (*roll)(const void *feed, struct tally *t, const struct loader_batch *b, int at,
                const float *fed, const float *const out[], float *next, struct err *e);

    /* For pictures of what the network says (hpcai500 data view): of this field. */
    int answers; /* its index in the science's */
    enum answer answer;
    /* ROLLED: a state as it is fed (channels first) in the field's own units. */
    void (*restate)(const void *feed, const float *state, float *numbers);
};

/* Row of a class and a model ("": the class's default); NULL and a sentence. */
const struct recipe *harness_recipe(const struct component *c, enum runspec_class class,
                                    const char *model, struct err *e);

int harness_plan(const struct workload *w, const struct runspec *spec, int index,
                 enum runspec_class class, const struct workload_host *host, double flop_per_second,
                 struct workload_plan *plan, struct err *e);
int harness_run(const struct workload *w, const struct runspec *spec, int index,
                const struct workload_plan *plan, const struct workload_host *host,
                struct workload_result *result, struct err *e);
int harness_graphs(const struct workload *w, enum runspec_class class, int ranks,
                   workload_visit *visit, void *ctx, struct err *e);

#define HARNESS_WORKLOAD(component)                                                                \
    {                                                                                              \
        .plan = harness_plan, .run = harness_run, .graphs = harness_graphs, .own = (component)     \
    }

/* Inner parts, shared by plan and run. */

/* The engine as a run text asks for it. */
struct engine_config net_config(const struct runspec *spec, const struct workload_host *host);

/* Builds the model of a recipe: rows is the most samples of a step on this rank. */
int net_make(struct net *n, const struct component *c, const struct recipe *r,
             const struct runspec *spec, const struct workload_host *host, long rows,
             const void *feed, struct err *e);

/* The same with net.answer readable; refused where there is none. */
int net_look(struct net *n, const struct component *c, const struct recipe *r,
             const struct runspec *spec, const struct workload_host *host, long rows,
             const void *feed, struct err *e);

/* What the loader is to make for this network: make() with `own` (the feed of begin()). */
struct loader_feed net_feed(const struct net *n, const struct component *c, const void *own);

/* Feeds a batch and runs forward; b->n may be 0. */
int net_forward(const struct net *n, const struct loader_batch *b, enum engine_mode mode,
                struct err *e);

/* Most samples of a global batch that one of so many ranks has. */
static inline long harness_rows(long batch, int ranks)
{
    return (batch + ranks - 1) / ranks;
}

#endif
