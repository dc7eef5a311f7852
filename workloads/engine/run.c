/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A step: begin, feed, forward, backward with the exchange behind it, zero, step.
 * Nothing here allocates.
 */
#include <config.h>

#include "workloads/engine/internal.h"

#include <math.h>
#include <string.h>

/* ---- begin and feed --------------------------------------------------- */

int engine_begin(struct graph *g, const struct engine_step *step, struct err *e)
{
    if (graph_check_started(g, "engine_begin()", e))
        return -1;
    if (g->model->abandoned)
        return 0;
    if (step->rows < 0 || step->rows > g->batch)
        return err_set(e, "a step of graph '%s' has %ld samples, its batch holds 0 to %ld", g->name,
                       step->rows, g->batch);
    if (step->global_rows < 1 || step->global_rows < step->rows)
        return err_set(e, "a step of graph '%s' has %ld samples here but %ld over all ranks",
                       g->name, step->rows, step->global_rows);
    double since = profile_now(g->model);
    struct step_block *b = exec_at(&g->exec, &g->exec.step);
    b->rows = step->rows;
    b->global_rows = step->global_rows;
    b->epoch = step->epoch;
    b->dropout = philox_derive(g->model->config.seed, PHILOX_DROPOUT, step->epoch);
    memset(b->ids, 0, (size_t)g->batch * sizeof b->ids[0]);
    if (step->rows)
        memcpy(b->ids, step->ids, (size_t)step->rows * sizeof b->ids[0]);
    g->step = *step;
    g->step.ids = b->ids;
    g->begun = true;
    g->ran = g->ran_train = g->ran_back = false;
    for (int i = 0; i < g->n_tensors; i++)
        g->tensors[i]->fed = false;
    g->fed = profile_lap(g->model, &since);
    return 0;
}

int engine_feed(struct graph *g, struct tensor *input, const float *data, struct err *e)
{
    if (graph_check_started(g, "engine_feed()", e))
        return -1;
    if (g->model->abandoned)
        return 0;
    if (!g->begun || !input || input->graph != g || input->producer->op != OP_INPUT)
        return err_set(e, "graph '%s' is fed before engine_begin() or with what is not its input",
                       g->name);
    double since = profile_now(g->model);
    engine_threads(g->model->config.threads);
    if (g->model->backend->feed(&g->exec, input, data, g->step.rows, e))
        return -1;
    input->fed = true;
    g->fed += profile_lap(g->model, &since);
    return 0;
}

/* ---- instructions ----------------------------------------------------- */

static int host_forward(struct graph *g, struct node *n, struct err *e)
{
    const float *in[NODE_MAX_IN] = {0};
    float *out[NODE_MAX_OUT] = {0};

    for (int i = 0; i < n->n_in; i++)
        in[i] = exec_value(&g->exec, n->in[i]);
    for (int i = 0; i < n->n_out; i++)
        out[i] = exec_value(&g->exec, n->out[i]);
    return n->host->forward(n->host->ctx, &g->step, in, out, e);
}

static int host_backward(struct graph *g, struct node *n, struct err *e)
{
    const float *in[NODE_MAX_IN] = {0}, *out_grad[NODE_MAX_OUT] = {0};
    float *in_grad[NODE_MAX_IN] = {0};

    for (int i = 0; i < n->n_in; i++) {
        in[i] = exec_value(&g->exec, n->in[i]);
        in_grad[i] = n->in_grad[i] ? exec_at(&g->exec, n->in_grad[i]) : NULL;
    }
    for (int i = 0; i < n->n_out; i++)
        out_grad[i] = n->out[i]->parts ? exec_grad(&g->exec, n->out[i]) : NULL;
    return n->host->backward(n->host->ctx, &g->step, in, out_grad, in_grad, e);
}

static int refresh(struct graph *g, struct copy *c, struct err *e)
{
    struct model *m = g->model;
    uint64_t now = m->groups[c->param->group].version;

    if (c->version == now)
        return 0;
    c->version = now;
    m->stats.refreshed++;
    return m->backend->refresh(&g->exec, c, e);
}

static int run_node(struct graph *g, struct node *n, enum pass pass, struct err *e)
{
    struct model *m = g->model;

    if (n->op == OP_HOST)
        return pass == PASS_FORWARD ? host_forward(g, n, e) : host_backward(g, n, e);
    for (int i = 0; i < n->n_copies; i++)
        if (refresh(g, n->copies[i], e))
            return -1;
    if (m->backend->run(&g->exec, n, pass, e))
        return -1;
    if (pass == PASS_WEIGHTS) {
        n->weight->has_gradient = true;
        if (n->bias)
            n->bias->has_gradient = true;
    }
    return 0;
}

/* From here on the tensor, and all that is another name for it, is where its
 * second making puts it. */
static void move_again(struct graph *g, const struct node *n)
{
    struct tensor *t = n->out[0];

    for (int i = 0; i < g->n_tensors; i++) {
        struct tensor *name = g->tensors[i];

        while (name->producer->alias)
            name = name->producer->in[0];
        if (name == t)
            g->tensors[i]->value.offset = t->again.offset;
    }
}

static int run_again(struct graph *g, struct node *n, enum pass pass, struct err *e)
{
    struct buffer first = n->scratch[pass];

    move_again(g, n);
    n->scratch[pass].offset = n->scratch_again.offset;
    int rc = run_node(g, n, pass, e);
    n->scratch[pass] = first;
    return rc;
}

static void move_back(struct graph *g)
{
    for (int i = 0; i < g->n_tensors; i++)
        g->tensors[i]->value.offset = g->tensors[i]->at_first;
}

static int reduce_sums(struct graph *g, const struct buffer *b, struct err *e)
{
    struct model *m = g->model;
    struct comm *c = m->config.comm;
    double since = profile_now(m);

    m->stats.reductions++;
    int rc = c->reduce(c, exec_at(&g->exec, b), (int)(b->bytes / sizeof(double)), COMM_SUM, e);
    m->stamps.met += profile_lap(m, &since);
    return rc;
}

static int run_instruction(struct graph *g, struct instruction *in, struct err *e)
{
    struct model *m = g->model;
    int rc = -1;

    switch (in->kind) {
    case INSTRUCTION_RUN:
        rc = (in->again ? run_again : run_node)(g, in->node, in->pass, e);
        break;
    case INSTRUCTION_ADD:
        rc = m->backend->accumulate(&g->exec, in->tensor, in->dst, in->src, e);
        break;
    case INSTRUCTION_REDUCE:
        rc = reduce_sums(g, in->dst, e);
        break;
    }

    return rc ? err_prefix(e, "%s of graph '%s'", in->node->name, g->name) : 0;
}

/* The same in a training step, booked as what passed since *since. */
static int train_instruction(struct graph *g, struct instruction *in, double *since, struct err *e)
{
    if (run_instruction(g, in, e))
        return -1;
    const double took = profile_lap(g->model, since);
    in->least = in->calls && in->least < took ? in->least : took;
    in->seconds += took;
    in->calls++;
    return 0;
}

/* The sums over ranks up to instruction `end` that an abandoned model still owes
 * the others in this step, with zeros. */
static int reduce_zeros(struct graph *g, int end, struct err *e)
{
    for (; g->over < end; g->over++) {
        const struct instruction *in = &g->instructions[g->over];

        if (in->kind != INSTRUCTION_REDUCE)
            continue;
        memset(exec_at(&g->exec, in->dst), 0, in->dst->bytes);
        if (reduce_sums(g, in->dst, e))
            return -1;
    }
    return 0;
}

static int check_forward(const struct graph *g, struct err *e)
{
    if (!g->begun)
        return err_set(e, "engine_forward() of graph '%s' comes before engine_begin()", g->name);
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->producer->op == OP_INPUT && !g->tensors[i]->fed)
            return err_set(e,
                           "engine_forward() of graph '%s' comes before engine_feed() of its "
                           "input '%s'",
                           g->name, g->tensors[i]->producer->name);
    return 0;
}

int engine_forward(struct graph *g, enum engine_mode mode, struct err *e)
{
    if (graph_check_started(g, "engine_forward()", e))
        return -1;
    if (g->model->abandoned)
        return mode == ENGINE_TRAIN ? reduce_zeros(g, g->n_forward, e) : 0;
    if (check_forward(g, e))
        return -1;
    engine_threads(g->model->config.threads);
    g->exec.train = mode == ENGINE_TRAIN;
    move_back(g);
    if (g->exec.train)
        g->model->parts[ENGINE_PART_FEED] += g->fed;
    g->fed = 0;
    double since = profile_now(g->model);
    for (g->over = 0; g->over < g->n_forward; g->over++) {
        struct instruction *in = &g->instructions[g->over];

        if (g->exec.train ? train_instruction(g, in, &since, e)
                          /* an evaluation takes the statistics of training */
                          : in->pass != PASS_STATS && run_instruction(g, in, e))
            return -1;
    }
    g->ran = true;
    g->ran_train = mode == ENGINE_TRAIN;
    return 0;
}

/* ---- exchange --------------------------------------------------------- */

static void stamp_ready(struct engine_stamps *s, double now)
{
    if (s->first == 0)
        s->first = now;
    s->ready = now;
    s->before += s->after;
    s->after = 0;
}

/* What passed since *since was the exchange's. */
static void book_exchange(struct model *m, double *since)
{
    const double took = profile_lap(m, since);

    m->stamps.after += took;
    m->parts[ENGINE_PART_EXCHANGE] += took;
}

static void stamp_wait(struct model *m, const struct bucket *b, double from, double to)
{
    struct engine_stamps *s = &m->stamps;
    const bool own = s->waits < ENGINE_WAITS;

    if (own)
        s->wait[s->waits++].from = from;
    struct engine_wait *w = &s->wait[s->waits - 1];
    w->ready = fmax(w->ready, b->ready);
    w->to = to;
    w->bytes = own ? (double)(b->count * sizeof(float)) : 0;
    w->done = m->config.comm->done;
    w->since = m->config.comm->since;
    if (m->config.comm->half > 0)
        s->half = w->half = m->config.comm->half; /* a short sum after it has no halves */
}

/* Starts the sum of a bucket over the ranks; parameters that nobody has
 * written count as zero, all of them in an abandoned model. */
static int start_bucket(struct model *m, struct bucket *b, struct err *e)
{
    struct comm *c = m->config.comm;

    if (m->abandoned)
        memset(m->gradients + b->at, 0, b->count * sizeof(float));
    for (int i = 0; i < m->n_params; i++) {
        struct param *p = m->params[i];

        if (&m->buckets[p->bucket] != b || p->has_gradient)
            continue;
        memset(m->gradients + p->at, 0, p->count * sizeof(float));
        p->has_gradient = true;
    }
    b->ready = profile_now(m);
    stamp_ready(&m->stamps, b->ready);
    const size_t count = m->exchange == EXCHANGE_SUMS ? b->count : 1;
    if (m->exchange != EXCHANGE_NONE &&
        c->allreduce_start(c, m->gradients + b->at, count, &b->request, e))
        return -1;
    b->state = BUCKET_STARTED;
    if (m->exchange != EXCHANGE_NONE)
        m->stats.exchanged_bytes += count * sizeof(float);
    return 0;
}

/* Starts the buckets of the groups this graph trains that instruction i
 * completes; -1: those that it does not write at all. */
static int start_ready(struct graph *g, int i, struct err *e)
{
    struct model *m = g->model;

    for (int b = 0; b < m->n_buckets; b++)
        if (g->bucket_ready[b] == i && g->touches[m->buckets[b].group] &&
            m->buckets[b].state == BUCKET_OPEN && start_bucket(m, &m->buckets[b], e))
            return -1;
    return 0;
}

static int wait_sum(struct model *m, struct bucket *b, struct err *e)
{
    struct comm *c = m->config.comm;
    return m->exchange == EXCHANGE_NONE ? 0 : c->wait(c, b->request, e);
}

/* Only when its sum is over may a bucket be written or started again. */
static int reopen_bucket(struct model *m, struct bucket *b, struct err *e)
{
    if (b->state != BUCKET_DROPPED)
        return 0;
    if (wait_sum(m, b, e))
        return -1;
    b->state = BUCKET_OPEN;
    return 0;
}

static int reopen_buckets(struct graph *g, struct err *e)
{
    struct model *m = g->model;

    for (int b = 0; b < m->n_buckets; b++)
        if (g->touches[m->buckets[b].group] && reopen_bucket(m, &m->buckets[b], e))
            return -1;
    return 0;
}

static int check_backward(struct graph *g, struct err *e)
{
    struct model *m = g->model;

    if (!g->loss)
        return err_set(e, "graph '%s' was compiled without a loss", g->name);
    if (!g->ran_train)
        return err_set(e,
                       "engine_backward() of graph '%s' needs an engine_forward() in training "
                       "mode before it",
                       g->name);
    for (int i = 0; i < m->n_buckets; i++) {
        const struct bucket *b = &m->buckets[i];

        if (g->touches[b->group] && (b->state == BUCKET_STARTED || b->state == BUCKET_DONE))
            return err_set(e,
                           "gradients of group '%s' were exchanged: model_zero() must come "
                           "before engine_backward() of graph '%s'",
                           m->groups[b->group].name, g->name);
    }
    return 0;
}

/* Starts what is not yet started, in the order of engine_backward(). */
static int exchange_zeros(struct graph *g, struct err *e)
{
    if (reopen_buckets(g, e) || start_ready(g, -1, e))
        return -1;
    for (int i = g->n_forward; i < g->n_instructions; i++)
        if (reduce_zeros(g, i + 1, e) || start_ready(g, i, e))
            return -1;
    return g->model->config.comm->progress(g->model->config.comm, e);
}

int engine_backward(struct graph *g, bool last, struct err *e)
{
    if (graph_check_started(g, "engine_backward()", e))
        return -1;
    if (g->model->abandoned)
        return last ? exchange_zeros(g, e) : reduce_zeros(g, g->n_instructions, e);
    if (check_backward(g, e) || reopen_buckets(g, e))
        return -1;
    struct comm *c = g->model->config.comm;
    engine_threads(g->model->config.threads);
    g->ran_train = false;
    double since = profile_now(g->model);
    if (last && start_ready(g, -1, e))
        return -1;
    book_exchange(g->model, &since);
    for (int i = g->n_forward; i < g->n_instructions; i++) {
        if (train_instruction(g, &g->instructions[i], &since, e))
            return -1;
        g->over = i + 1;
        if (last && (start_ready(g, i, e) || c->progress(c, e)))
            return -1;
        book_exchange(g->model, &since);
    }
    g->ran_back = true;
    return 0;
}

void model_abandon(struct model *m)
{
    m->abandoned = true;
}

void model_exchange(struct model *m, enum engine_exchange x)
{
    m->exchange = x;
}

void model_zero(struct model *m, int group)
{
    if (m->abandoned && m->groups[group].stepping)
        return; /* the step that was begun goes on */
    double since = profile_now(m);
    m->groups[group].stepping = true;
    m->stamps = (struct engine_stamps){.first = 0};
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i]->group == group)
            m->params[i]->has_gradient = false;
    for (struct bucket *b = m->buckets; b < m->buckets + m->n_buckets; b++)
        if (b->group == group)
            b->state = b->state == BUCKET_STARTED || b->state == BUCKET_DROPPED ? BUCKET_DROPPED
                                                                                : BUCKET_OPEN;
    profile_book(m, ENGINE_PART_ZERO, &since);
}

static int update_range(struct model *m, int group, size_t at, size_t n, double rate, struct err *e)
{
    struct update u = {
        .optimizer = &m->groups[group].optimizer,
        .n = n,
        .master = m->masters + at,
        .gradient = m->gradients + at,
        .rate = (float)rate,
        .step = (uint64_t)m->groups[group].steps + 1,
        .threads = m->config.threads,
        .context = m->context,
    };

    for (int i = 0; i < m->n_moments; i++)
        u.moment[i] = m->moments[i] + at;
    return m->backend->update ? m->backend->update(&u, e) : optimizer_update(&u, e);
}

static int update_bucket(struct model *m, const struct bucket *b, double rate, struct err *e)
{
    if (!optimizer_whole(m->groups[b->group].optimizer.kind))
        return update_range(m, b->group, b->at, b->count, rate, e);
    for (int i = 0; i < m->n_params; i++) {
        const struct param *p = m->params[i];

        if (&m->buckets[p->bucket] == b && update_range(m, b->group, p->at, p->count, rate, e))
            return -1;
    }
    return 0;
}

/* The whole gradient of a group, which is summed over the ranks, to a norm of
 * at most `clip`. */
static void clip_gradient(struct model *m, int group, float clip)
{
    double squares = 0;

    for (int i = 0; i < m->n_params; i++)
        if (m->params[i]->group == group)
            squares += optimizer_squares(m->gradients + m->params[i]->at, m->params[i]->count,
                                         m->config.threads);
    double norm = sqrt(squares);
    if (!(norm > (double)clip))
        return;
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i]->group == group)
            optimizer_shrink(m->gradients + m->params[i]->at, m->params[i]->count,
                             (float)((double)clip / (norm + 1e-6)), m->config.threads);
}

/* *since: when what came before was over. */
static int wait_bucket(struct model *m, struct bucket *b, double *since, struct err *e)
{
    if (wait_sum(m, b, e))
        return -1;
    const double from = *since, took = profile_lap(m, since);
    stamp_wait(m, b, from, *since);
    m->stats.exposed_wait_seconds += took;
    if (!m->abandoned)
        m->parts[ENGINE_PART_WAIT] += took;
    b->state = BUCKET_DONE;
    return 0;
}

/* The part of model_step() that the other ranks see. */
static int exchange_only(struct model *m, struct bucket *first, struct bucket *end, struct err *e)
{
    double since = profile_now(m);

    for (struct bucket *b = first; b < end; b++)
        if (reopen_bucket(m, b, e) || (b->state == BUCKET_OPEN && start_bucket(m, b, e)))
            return -1;
    for (struct bucket *b = first; b < end; b++)
        if (b->state == BUCKET_STARTED && wait_bucket(m, b, &since, e))
            return -1;
    return 0;
}

static int exchange_and_update(struct model *m, int group, struct bucket *first, struct bucket *end,
                               double rate, struct err *e)
{
    const float clip = m->groups[group].optimizer.clip;
    double since = profile_now(m);

    for (struct bucket *b = first; b < end; b++) {
        if (b->state == BUCKET_DONE)
            return err_set(e, "model_step() of group '%s' comes twice without model_zero()",
                           m->groups[group].name);
        if (reopen_bucket(m, b, e) || (b->state == BUCKET_OPEN && start_bucket(m, b, e)))
            return -1;
    }
    book_exchange(m, &since);
    /* Unclipped, a bucket is updated while the next ones are still summed. */
    for (struct bucket *b = first; b < end; b++) {
        if (wait_bucket(m, b, &since, e) || (!clip && update_bucket(m, b, rate, e)))
            return -1;
        profile_book(m, ENGINE_PART_UPDATE, &since);
    }
    if (clip) {
        clip_gradient(m, group, clip);
        for (struct bucket *b = first; b < end; b++)
            if (update_bucket(m, b, rate, e))
                return -1;
    }
    m->groups[group].steps++;
    model_changed(m, group);
    m->stats.steps++;
    profile_book(m, ENGINE_PART_UPDATE, &since);
    return 0;
}

int model_step(struct model *m, int group, double rate, struct err *e)
{
    if (!m->started || group < 0 || group >= m->n_groups)
        return err_set(
            e, "model_step() of group %d: there is no such group, or engine_start() was not called",
            group);
    struct bucket *first = &m->buckets[m->groups[group].first_bucket];
    struct bucket *end = first + m->groups[group].n_buckets;

    engine_threads(m->config.threads);
    if (m->abandoned ? exchange_only(m, first, end, e)
                     : exchange_and_update(m, group, first, end, rate, e))
        return -1;
    m->groups[group].stepping = false;
    for (int i = 0; i < m->n_graphs; i++)
        if (m->graphs[i]->touches[group])
            m->graphs[i]->over = 0;
    return 0;
}
