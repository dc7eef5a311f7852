/* SPDX-License-Identifier: BSD-3-Clause */
/* The network of a recipe on the engine: built, fed, run forward. */
#include <config.h>

#include "workloads/component/harness.h"

struct engine_config net_config(const struct runspec *spec, const struct workload_host *host)
{
    return (struct engine_config){
        .backend = spec->engine == ENGINE_AUTO ? engine_backend_name(0)
                                               : runspec_engine_name(spec->engine),
        .threads = host->threads,
        .compute = spec->dtype == DTYPE_BF16 ? TENSOR_BF16 : TENSOR_F32,
        .seed = spec->seed,
        .comm = host->comm,
        .now = host->now,
        .bucket_bytes = spec->bucket_bytes,
    };
}

static int make_net(struct net *n, const struct component *c, const struct recipe *r,
                    const struct runspec *spec, const struct workload_host *host, long rows,
                    const void *feed, bool look, struct err *e)
{
    const struct engine_config config = net_config(spec, host);

    *n = (struct net){.model = model_create(&config, e)};
    if (!n->model)
        return -1;
    n->group = model_group(n->model, "all", &r->optimizer);
    n->graph = graph_create(n->model, c->name, rows);
    c->build(n, r, science_class(c->science, r->class), feed);
    if (look && !n->answer)
        return err_set(e, "%s has no answer that could be drawn", c->name);
    if (look)
        graph_output(n->answer);
    if (engine_compile(n->graph, n->loss, e) < 0)
        return -1;
    const uint64_t have = model_parameters(n->model, -1);
    if (r->parameters && have != r->parameters)
        return err_set(e, "%s has %llu parameters where %llu are published", c->name,
                       (unsigned long long)have, (unsigned long long)r->parameters);
    return 0;
}

int net_make(struct net *n, const struct component *c, const struct recipe *r,
             const struct runspec *spec, const struct workload_host *host, long rows,
             const void *feed, struct err *e)
{
    return make_net(n, c, r, spec, host, rows, feed, false, e);
}

int net_look(struct net *n, const struct component *c, const struct recipe *r,
             const struct runspec *spec, const struct workload_host *host, long rows,
             const void *feed, struct err *e)
{
    return make_net(n, c, r, spec, host, rows, feed, true, e);
}

struct loader_feed net_feed(const struct net *n, const struct component *c, const void *own)
{
    struct loader_feed f = {.slabs = c->slabs, .make = c->make, .ctx = own};

    for (; f.n < LOADER_FEEDS && n->feed[f.n]; f.n++) {
        const struct shape shape = tensor_shape(n->feed[f.n]);
        f.floats[f.n] = shape_count(&shape) / (size_t)shape.d[0];
    }
    return f;
}

int net_forward(const struct net *n, const struct loader_batch *b, enum engine_mode mode,
                struct err *e)
{
    struct engine_step step = {
        .rows = b->n, .global_rows = b->global_n, .ids = b->ids, .epoch = b->epoch};

    if (engine_begin(n->graph, &step, e) < 0)
        return -1;
    for (int k = 0; k < LOADER_FEEDS && n->feed[k]; k++)
        if (engine_feed(n->graph, n->feed[k], b->feed[k], e) < 0)
            return -1;
    return engine_forward(n->graph, mode, e);
}
