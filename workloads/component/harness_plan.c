/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run will take, before it starts: recipe, network, data. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/harness.h"
#include "workloads/data/cache.h"

const struct recipe *harness_recipe(const struct component *c, enum runspec_class class,
                                    const char *model, struct err *e)
{
    bool known = false;

    for (int i = 0; i < c->n_recipes; i++) {
        const struct recipe *r = &c->recipes[i];
        const bool named = !*model || (r->model && strcmp(r->model, model) == 0);
        known = known || named;
        if (named && r->class == class)
            return r;
    }
    if (known)
        err_set(e, "%s%s%.40s has no class %s", c->name, *model ? "/" : "", model,
                runspec_class_name(class));
    else if (!c->recipes[0].model)
        err_set(e, "%s has one model only: model=%.40s means nothing to it", c->name, model);
    else
        err_set(e, "%s does not have the model '%.40s'; its first is %s", c->name, model,
                c->recipes[0].model);
    return NULL;
}

/* Where the data lie, and whether they are there. */
static int plan_data(struct workload_plan *p, const struct component *c, const char *folder,
                     const struct workload_host *host, struct err *e)
{
    const struct data_class *class = science_class(c->science, p->class);
    struct err why = ERR_INIT;

    p->train_samples = (uint64_t) class->train;
    p->eval_samples = (uint64_t) class->validation;
    if (!*folder) {
        if (cache_path(host->cache_dir, c->science, p->class, p->data_path, sizeof p->data_path,
                       e) < 0)
            return -1;
        p->data_ready = cache_ready(p->data_path, c->science, p->class, &why);
        return 0;
    }
    snprintf(p->data_path, sizeof p->data_path, "%s", folder);
    struct dataset *d = dataset_open(p->data_path, DATASET_TRAIN, c->science, class, e);
    if (!d)
        return -1;
    const int rc = dataset_can_train(d, e);
    p->train_samples = dataset_info(d)->samples;
    p->data_ready = true;
    dataset_close(d);
    return rc;
}

/* Bytes on storage of all samples. */
static uint64_t stored_bytes(const struct science *s, const struct data_class *c, uint64_t samples)
{
    static const int size[] = {
        [NUMBER_INT16] = 2, [NUMBER_FLOAT] = 4, [NUMBER_UINT8] = 1, [NUMBER_INT32] = 4};
    double bytes = 0;

    for (int k = 0; k < s->n_fields; k++)
        bytes += (double)science_dims(s, k, c, NULL) * size[s->fields[k].stored];
    return (uint64_t)(bytes * (double)samples / c->deflates);
}

static long batch_of(const struct recipe *r, const struct runspec *spec, int index, int ranks)
{
    if (runspec_batch(spec, index))
        return runspec_batch(spec, index);
    return r->batch > ranks ? r->batch : ranks;
}

static void plan_cost(struct workload_plan *p, const struct net *n, const struct data_class *c,
                      const struct workload_host *host, double flop_per_second)
{
    const double samples = (double)(p->train_samples + p->eval_samples);
    const struct engine_flop flop = graph_flop(n->graph);

    p->parameters = model_parameters(n->model, -1);
    p->arena_bytes = model_memory(n->model).total_bytes;
    p->flop_per_sample = flop.executed;
    p->expected_seconds =
        p->epochs *
        (flop.executed * (double)p->train_samples + flop.forward * (double)p->eval_samples) /
        (flop_per_second * host->comm->size);
    if (!p->data_ready)
        p->expected_seconds += c->seconds_per_1000 / 1000.0 * samples / host->threads;
}

int harness_plan(const struct workload *w, const struct runspec *spec, int index,
                 enum runspec_class class, const struct workload_host *host, double flop_per_second,
                 struct workload_plan *plan, struct err *e)
{
    const struct component *c = w->own;
    const struct recipe *r = harness_recipe(c, class, runspec_model(spec, index), e);
    const struct data_class *d = science_class(c->science, class);
    struct workload_plan p = {.class = class};
    struct net net = {0};
    void *feed = NULL;
    int rc = -1;

    if (!r || !d)
        return r ? err_set(e, "%s has no data of class %s", c->name, runspec_class_name(class))
                 : -1;
    p.batch = batch_of(r, spec, index, host->comm->size);
    p.epochs = runspec_epochs(spec, index) ? (int)runspec_epochs(spec, index) : r->epochs;
    p.target = runspec_target(spec, index) != 0 ? runspec_target(spec, index) : r->target;
    feed = calloc(1, c->feed_bytes + 1);
    if (!feed) {
        err_set(e, "no memory for a plan");
        goto out;
    }
    if (plan_data(&p, c, runspec_data(spec, index), host, e) < 0 ||
        net_make(&net, c, r, spec, host, harness_rows(p.batch, host->comm->size), feed, e) < 0)
        goto out;
    snprintf(p.metric, sizeof p.metric, "%s", c->metric);
    int at = snprintf(p.title, sizeof p.title, "%s ", c->title);
    c->describe(r, d, p.title + at, sizeof p.title - (size_t)at);
    plan_cost(&p, &net, d, host, flop_per_second);
    p.data_bytes = stored_bytes(c->science, d, p.train_samples + p.eval_samples);
    *plan = p;
    rc = 0;
out:
    model_destroy(net.model);
    free(feed);
    return rc;
}
