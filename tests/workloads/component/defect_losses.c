/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * defect_losses DATA RUN: makes the first steps of tiny on a set and leaves in
 * RUN what PyTorch's twin needs to make the same: the start values (start.ckpt)
 * and a line a step (steps.txt): rate, loss, sample ids. Pictures are not
 * turned.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "workloads/component/harness.h"

enum { STEPS = 5 };

static struct err e = ERR_INIT;

static void must(int rc)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "defect_losses: %s\n", e.text);
    exit(1);
}

static double no_time(void)
{
    return 0;
}

static double step(struct net *n, const struct loader_batch *b, double rate)
{
    const struct engine_step s = {
        .rows = b->n, .global_rows = b->global_n, .ids = b->ids, .epoch = b->epoch};
    float loss;

    must(engine_begin(n->graph, &s, &e));
    for (int k = 0; k < LOADER_FEEDS && n->feed[k]; k++)
        must(engine_feed(n->graph, n->feed[k], b->feed[k], &e));
    model_zero(n->model, n->group);
    must(engine_forward(n->graph, ENGINE_TRAIN, &e));
    must(engine_backward(n->graph, true, &e));
    must(engine_read(n->graph, n->loss, &loss, 1, &e));
    must(model_step(n->model, n->group, rate, &e));
    return (double)loss;
}

static struct loader *loader(const struct component *c, const struct net *n, struct dataset *d,
                             const struct recipe *r)
{
    struct loader_options o = {.data = d,
                               .feed = {.make = c->make},
                               .size = 1,
                               .batch = r->batch,
                               .seed = 3,
                               .shuffle = true,
                               .now = no_time};

    for (; o.feed.n < LOADER_FEEDS && n->feed[o.feed.n]; o.feed.n++) {
        struct shape s = tensor_shape(n->feed[o.feed.n]);
        o.feed.floats[o.feed.n] = shape_count(&s) / (size_t)s.d[0];
    }
    struct loader *l = loader_create(&o, &e);
    must(l ? 0 : -1);
    return l;
}

int main(int argc, char **argv)
{
    const struct component *c = workload_of(runspec_find("defect"))->own;
    const struct workload_host host = {.comm = comm_self(), .threads = 2};
    struct net n = {.model = NULL};
    struct loader_batch b;
    struct runspec spec;
    char path[4096];

    if (argc != 3) {
        fprintf(stderr, "usage: defect_losses DATA RUN\n");
        return 2;
    }
    must(runspec_parse(&spec, "defect,class=tiny,seed=3", &e));
    const struct recipe *r = harness_recipe(c, CLASS_TINY, "", &e);
    struct dataset *d =
        dataset_open(argv[1], DATASET_TRAIN, c->science, science_class(c->science, CLASS_TINY), &e);
    must(d ? 0 : -1);
    must(net_make(&n, c, r, &spec, &host, r->batch, NULL, &e));
    must(engine_start(n.model, &e));
    snprintf(path, sizeof path, "%s/start.ckpt", argv[2]);
    must(model_save(n.model, path, NULL, 0, &e));
    snprintf(path, sizeof path, "%s/steps.txt", argv[2]);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        return 1;
    }
    struct loader *l = loader(c, &n, d, r);
    for (int s = 0; s < STEPS; s++) {
        must(loader_next(l, &b, &e) == 1 ? 0 : -1);
        double rate = schedule_rate(&r->schedule, s * (double)r->batch / 1024);
        fprintf(f, "%.9g %.9g", rate, step(&n, &b, rate));
        for (int i = 0; i < b.n; i++)
            fprintf(f, " %llu", (unsigned long long)b.ids[i]);
        fprintf(f, "\n");
    }
    loader_destroy(l);
    dataset_close(d);
    model_destroy(n.model);
    return fclose(f) ? 1 : 0;
}
