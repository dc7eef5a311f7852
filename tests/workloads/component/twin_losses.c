/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * twin_losses RUN-TEXT DATA RUN [still|STEPS]: makes the first steps of a workload (of the class
 * that is said, or tiny) on a
 * set and leaves in RUN what its twin in PyTorch needs to make the same: the start
 * values (start.ckpt) and a line a step (steps.txt): rate, loss, sample ids.
 * Nothing is augmented. still: the losses of an evaluation, no step is made (a
 * network with dropout has no other that a twin could have).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/component/harness.h"

enum { STEPS = 5 }; /* where no other number is said */

static struct err e = ERR_INIT;

static void must(int rc)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "twin_losses: %s\n", e.text);
    exit(1);
}

static double no_time(void)
{
    return 0;
}

static double step(struct net *n, const struct loader_batch *b, double rate, bool still)
{
    float loss;

    model_zero(n->model, n->group);
    must(net_forward(n, b, still ? ENGINE_EVAL : ENGINE_TRAIN, &e));
    if (!still)
        must(engine_backward(n->graph, true, &e));
    must(engine_read(n->graph, n->loss, &loss, 1, &e));
    if (!still)
        must(model_step(n->model, n->group, rate, &e));
    return (double)loss;
}

static struct loader *loader(const struct component *c, const struct net *n, struct dataset *d,
                             const struct recipe *r, const void *feed)
{
    struct loader_options o = {.data = d,
                               .feed = net_feed(n, c, feed),
                               .size = 1,
                               .batch = r->batch,
                               .seed = 3,
                               .shuffle = true,
                               .now = no_time};
    struct loader *l = loader_create(&o, &e);
    must(l ? 0 : -1);
    return l;
}

/* Makes the steps and writes a line of each. */
static void run(FILE *f, struct net *n, struct loader *l, const struct recipe *r, bool still,
                int steps)
{
    struct loader_batch b;

    for (int s = 0; s < steps; s++) {
        int more = loader_next(l, &b, &e);
        if (more == 0) /* the next epoch's first */
            more = loader_next(l, &b, &e);
        must(more == 1 ? 0 : -1);
        double rate = schedule_rate(&r->schedule, s * (double)r->batch / 1024);
        fprintf(f, "%.9g %.9g", rate, step(n, &b, rate, still));
        for (int i = 0; i < b.n; i++)
            fprintf(f, " %llu", (unsigned long long)b.ids[i]);
        fprintf(f, "\n");
    }
}

int main(int argc, char **argv)
{
    const struct workload_host host = {.comm = comm_self(), .threads = 2};
    struct net n = {.model = NULL};
    struct runspec spec;
    char path[4096];

    if (argc < 4) {
        fprintf(stderr, "usage: twin_losses RUN-TEXT DATA RUN [still]\n");
        return 2;
    }
    must(runspec_parse(&spec, argv[1], &e));
    const struct component *c = workload_of(spec.workloads[0])->own;
    const enum runspec_class class = spec.class == CLASS_AUTO ? CLASS_TINY : spec.class;
    const struct recipe *r = harness_recipe(c, class, runspec_model(&spec, 0), &e);
    must(r ? 0 : -1);
    struct dataset *d =
        dataset_open(argv[2], DATASET_TRAIN, c->science, science_class(c->science, class), &e);
    must(d ? 0 : -1);
    void *feed = calloc(1, c->feed_bytes + 1);
    must(feed ? 0 : err_set(&e, "no memory"));
    must(c->begin ? c->begin(feed, r, d, &e) : 0);
    must(net_make(&n, c, r, &spec, &host, r->batch, feed, &e));
    must(engine_start(n.model, &e));
    snprintf(path, sizeof path, "%s/start.ckpt", argv[3]);
    must(model_save(n.model, path, NULL, 0, &e));
    snprintf(path, sizeof path, "%s/steps.txt", argv[3]);
    FILE *f = fopen(path, "w");
    must(f ? 0 : err_set(&e, "%s cannot be written", path));
    struct loader *l = loader(c, &n, d, r, feed);
    const int steps = argc > 4 ? atoi(argv[4]) : 0;
    run(f, &n, l, r, argc > 4 && strcmp(argv[4], "still") == 0, steps > 0 ? steps : STEPS);
    loader_destroy(l);
    dataset_close(d);
    model_destroy(n.model);
    if (c->end)
        c->end(feed);
    free(feed);
    return fclose(f) ? 1 : 0;
}
