/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/answer.h"

#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"

struct answerer {
    struct resume_origin origin;
    struct runspec spec;
    const struct component *component;
    const struct recipe *recipe;
    struct dataset *train, *data;
    void *feed;
    struct net net;
    size_t state;           /* values of net.answer ... */
    size_t values;          /* ... and of what is said */
    float *said, *in_order; /* [values]: as the engine has it; by the field's axes */
};

/* Workload, class and model, of the checkpoint's own words. */
static int find_recipe(struct answerer *a, const char *checkpoint, const char *workload,
                       struct err *e)
{
    if (resume_peek(checkpoint, &a->origin, e) < 0 ||
        runspec_parse(&a->spec, a->origin.text, e) < 0)
        return -1;
    const struct workload *w = workload_of(a->spec.workloads[0]);
    if (!w || w->run != harness_run) /* micro benchmarks have none */
        return err_set(e, "checkpoint '%s' is of '%s', which trains no network", checkpoint,
                       a->origin.text);
    a->component = w->own;
    if (*workload && strcmp(workload, a->component->name) != 0)
        return err_set(e, "checkpoint '%s' is of %s, not of '%s'", checkpoint, a->component->name,
                       workload);
    const char *model = runspec_model(&a->spec, 0);
    a->recipe = harness_recipe(a->component, a->spec.class, model, e);
    return a->recipe ? 0 : -1;
}

static int open_data(struct answerer *a, const char *folder, enum dataset_split split,
                     struct err *e)
{
    const struct science *s = a->component->science;
    const struct data_class *class = science_class(s, a->recipe->class);

    a->train = dataset_open(folder, DATASET_TRAIN, s, class, e);
    a->data = a->train ? dataset_open(folder, split, s, class, e) : NULL;
    a->feed = calloc(1, a->component->feed_bytes + 1);
    if (!a->data)
        return -1;
    if (!a->feed)
        return err_set(e, "no memory for the feed");
    return a->component->begin ? a->component->begin(a->feed, a->recipe, a->train, e) : 0;
}

static int load(struct answerer *a, const char *checkpoint, int threads, struct err *e)
{
    const struct workload_host host = {
        .comm = comm_self(), .now = clock_now, .threads = threads > 0 ? threads : 1};

    if (net_look(&a->net, a->component, a->recipe, &a->spec, &host, 1, a->feed, e) < 0 ||
        engine_start(a->net.model, e) < 0 || resume_restore(checkpoint, a->net.model, e) < 0)
        return -1;
    const struct shape shape = tensor_shape(a->net.answer);
    a->state = shape_count(&shape);
    a->values =
        a->state * (a->component->answer == ANSWER_ROLLED ? (size_t)a->component->rolls + 1 : 1);
    a->said = calloc(2 * a->values, sizeof *a->said);
    a->in_order = a->said ? a->said + a->values : NULL;
    return a->said ? 0 : err_set(e, "no memory for %zu values of an answer", a->values);
}

/* An answer has one number for each of its field, or the same number of logits. */
static int check_shape(const struct answerer *a, struct err *e)
{
    const struct component *c = a->component;
    const uint64_t places = dataset_info(a->data)->field[c->answers].values;

    if (c->answer == ANSWER_CLASSES ? a->values % places == 0 : a->values == places)
        return 0;
    return err_set(e, "%s says %zu values of '%s', which has %llu", c->name, a->values,
                   c->science->fields[c->answers].name, (unsigned long long)places);
}

struct answerer *answerer_open(const char *checkpoint, const char *workload, const char *folder,
                               enum dataset_split split, int threads, struct err *e)
{
    struct answerer *a = calloc(1, sizeof *a);

    if (!a) {
        err_set(e, "no memory for a network");
        return NULL;
    }
    if (find_recipe(a, checkpoint, workload, e) == 0 && open_data(a, folder, split, e) == 0 &&
        load(a, checkpoint, threads, e) == 0 && check_shape(a, e) == 0)
        return a;
    answerer_close(a);
    return NULL;
}

void answerer_close(struct answerer *a)
{
    if (!a)
        return;
    model_destroy(a->net.model);
    if (a->feed && a->component->end)
        a->component->end(a->feed);
    free(a->feed);
    dataset_close(a->data);
    dataset_close(a->train);
    free(a->said);
    free(a);
}

const struct component *answerer_component(const struct answerer *a)
{
    return a->component;
}

const struct resume_origin *answerer_origin(const struct answerer *a)
{
    return &a->origin;
}

struct dataset *answerer_data(struct answerer *a)
{
    return a->data;
}

int answerer_classes(const struct answerer *a)
{
    const struct component *c = a->component;

    return c->answer == ANSWER_CLASSES
               ? (int)(a->values / dataset_info(a->data)->field[c->answers].values)
               : 0;
}

/* Numbers from channels first to the order of the field's axes: j = the places
 * before the channels, a channel, the places behind them. */
static void order_numbers(struct answerer *a)
{
    const char *axes = a->component->science->fields[a->component->answers].axes;
    const struct dataset_field *f = &dataset_info(a->data)->field[a->component->answers];
    const char *at = strchr(axes, 'c');
    size_t channels = 1, behind = 1;

    for (int i = 0; at && i < f->rank; i++)
        *(axes + i == at ? &channels : &behind) *= axes + i < at ? 1 : (size_t)f->dims[i];
    const size_t before = a->values / channels / behind;
    for (size_t j = 0; j < a->values; j++) {
        const size_t b = j / (channels * behind), c = j / behind % channels, p = j % behind;
        a->in_order[j] = a->said[(c * before + b) * behind + p];
    }
}

/* Moment k of what is said, [c][moment][places]. */
static void say_moment(struct answerer *a, int k, const float *state, float *room)
{
    const struct shape shape = tensor_shape(a->net.answer);
    const size_t plane = a->state / (size_t)shape.d[1], moments = a->values / a->state;

    a->component->restate(a->feed, state, room);
    for (size_t c = 0; c < (size_t)shape.d[1]; c++)
        memcpy(a->said + (c * moments + (size_t)k) * plane, room + c * plane, plane * sizeof *room);
}

static int roll_out(struct answerer *a, const struct loader_batch *first, struct err *e)
{
    const struct component *c = a->component;
    float *room = malloc(4 * a->state * sizeof *room), *out = room + 2 * a->state;
    struct tally none = {.n_scores = 0};
    struct loader_batch b = *first;
    int rc = room ? 0 : err_set(e, "no memory for %zu values of a forecast", 4 * a->state);

    if (rc == 0)
        say_moment(a, 0, b.feed[0], out);
    for (int at = 0; at < c->rolls && rc == 0; at++) {
        float *next = room + (size_t)(at % 2) * a->state;
        rc = net_forward(&a->net, &b, ENGINE_EVAL, e);
        if (rc == 0)
            rc = engine_read(a->net.graph, a->net.answer, out, a->state, e);
        if (rc == 0)
            rc = c->roll(a->feed, &none, &b, at, b.feed[0], (const float *const[]){out}, next, e);
        if (rc == 0)
            say_moment(a, at + 1, next, out + a->state);
        b.feed[0] = next;
    }
    tally_fini(&none);
    free(room);
    return rc;
}

static int ask(struct answerer *a, const struct loader_batch *b, struct err *e)
{
    if (a->component->answer == ANSWER_ROLLED)
        return roll_out(a, b, e);
    if (net_forward(&a->net, b, ENGINE_EVAL, e) < 0)
        return -1;
    return engine_read(a->net.graph, a->net.answer, a->said, a->values, e);
}

const float *answerer_ask(struct answerer *a, uint64_t i, struct err *e)
{
    const uint64_t samples = dataset_info(a->data)->samples;
    const struct loader_options o = {.data = a->data,
                                     .feed = net_feed(&a->net, a->component, a->feed),
                                     .size = 1,
                                     .batch = 1,
                                     .seed = a->spec.seed,
                                     .step = (long)i,
                                     .now = clock_now};
    struct loader_batch b;

    if (i >= samples)
        return err_set(e, "sample %llu is not there: the part has %llu, from 0 on",
                       (unsigned long long)i, (unsigned long long)samples),
               NULL;
    struct loader *l = loader_create(&o, e);
    const bool good = l && loader_next(l, &b, e) == 1 && ask(a, &b, e) == 0;
    loader_destroy(l);
    if (!good)
        return NULL;
    if (a->component->answer == ANSWER_CLASSES)
        return a->said;
    order_numbers(a);
    return a->in_order;
}
