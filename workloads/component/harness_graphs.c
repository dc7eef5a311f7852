/* SPDX-License-Identifier: BSD-3-Clause */
/* The networks of a component, for whoever wants to know their layers. */
#include <config.h>

#include <stdlib.h>

#include "workloads/component/harness.h"

/* Compiled on the reference back end: the same graph but for what a back end fuses, and
 * nothing is made for a processor. */
static int show(const struct component *c, const struct recipe *r, int ranks, workload_visit *visit,
                void *ctx, struct err *e)
{
    static struct runspec spec; /* zeros: f32 */
    const struct workload_host host = {.comm = comm_self(), .threads = 1};
    void *feed = calloc(1, c->feed_bytes + 1);
    struct net n = {0};

    if (!feed)
        return err_set(e, "no memory for the feed");
    spec.engine = ENGINE_REF;
    int rc = net_make(&n, c, r, &spec, &host, harness_rows(r->batch, ranks), feed, e);
    if (rc == 0) {
        const struct workload_graph shown = {r->model, n.graph, &r->optimizer,
                                             model_parameters(n.model, -1)};
        rc = visit(ctx, &shown, e);
    }
    if (n.model)
        model_destroy(n.model);
    free(feed);
    return rc;
}

int harness_graphs(const struct workload *w, enum runspec_class class, int ranks,
                   workload_visit *visit, void *ctx, struct err *e)
{
    const struct component *c = w->own;

    for (int i = 0; i < c->n_recipes; i++)
        if (c->recipes[i].class == class && show(c, &c->recipes[i], ranks, visit, ctx, e) < 0)
            return -1;
    return 0;
}
