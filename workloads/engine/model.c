/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Models: names, groups, flat memory, start values.
 *
 * One flat order serves masters, gradients and moments. Within a group the
 * last declared parameter comes first, because its gradient is ready first;
 * buckets are cut from that order.
 */
#include <config.h>

#include "workloads/engine/buckets.h"
#include "workloads/engine/internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PARAM_ALIGN = PLAN_ALIGN / sizeof(float), HUGE_PAGE = 2 << 20 };

/* Best first. */
static const struct backend *const backends[] = {
#ifdef HAVE_ONEDNN
    &engine_backend_cpu,
#endif
    &engine_backend_ref,
};

const char *engine_backend_name(int i)
{
    int n = (int)(sizeof backends / sizeof backends[0]);

    return i >= 0 && i < n ? backends[i]->name : NULL;
}

/* ---- life ------------------------------------------------------------- */

static const struct backend *find_backend(const char *name)
{
    for (int i = 0; engine_backend_name(i); i++)
        if (!strcmp(backends[i]->name, name))
            return backends[i];
    return NULL;
}

struct model *model_create(const struct engine_config *config, struct err *e)
{
    const struct backend *be = find_backend(config->backend);
    struct model *m = NULL;
    const char *why;

    if (!be) {
        err_set(e, "this build has no engine '%s'; use '%s'", config->backend,
                engine_backend_name(0));
        return NULL;
    }
    if (config->threads < 1) {
        err_set(e, "the engine needs at least one thread, not %d", config->threads);
        return NULL;
    }
    if (be->refuses && (why = be->refuses(config->compute))) {
        err_set(e, "%s", why);
        return NULL;
    }
    m = calloc(1, sizeof *m);
    if (!m) {
        err_set(e, "out of memory for a model");
        return NULL;
    }
    m->config = *config;
    m->config.backend = be->name;
    m->config.threads = engine_team(config->threads);
    m->backend = be;
    engine_threads(m->config.threads);
    if (be->open && be->open(m, &m->context, e)) {
        free(m);
        return NULL;
    }
    return m;
}

void model_destroy(struct model *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->n_graphs; i++)
        graph_destroy(m->graphs[i]);
    for (int i = 0; i < m->n_params; i++)
        free(m->params[i]);
    for (int i = 0; i < m->n_states; i++)
        free(m->states[i]);
    for (int i = 0; i < m->n_copies; i++) {
        m->backend->forget(m->copies[i]);
        free(m->copies[i]);
    }
    if (m->gradients)
        m->config.comm->free(m->config.comm, m->gradients);
    if (m->memory)
        munmap(m->memory, m->memory_bytes);
    if (m->backend->close)
        m->backend->close(m->context);
    free(m->graphs);
    free(m->copies);
    free(m->params);
    free(m->states);
    free(m->buckets);
    free(m);
}

/* ---- declaring -------------------------------------------------------- */

static int check_shape(struct model *m, const char *what, const char *name, const struct shape *s)
{
    if (s->n < 1 || s->n > SHAPE_MAX)
        return model_fail(m, "%s '%s' has %d dimensions (1 to %d are possible)", what, name, s->n,
                          SHAPE_MAX);
    for (int i = 0; i < s->n; i++)
        if (s->d[i] < 1)
            return model_fail(m, "%s '%s' has %ld as its dimension %d", what, name, s->d[i], i);
    return 0;
}

static int check_name(struct model *m, const char *what, const char *name, size_t size)
{
    if (m->started)
        return model_fail(m, "%s '%s' comes after engine_start()", what, name);
    if (!*name || strlen(name) >= size)
        return model_fail(m, "the name '%.80s' of a %s is empty or longer than %zu", name, what,
                          size - 1);
    return 0;
}

int model_group(struct model *m, const char *name, const struct optimizer *o)
{
    if (!m || check_name(m, "group", name, sizeof m->groups[0].name))
        return -1;
    if (m->n_groups == GROUPS_MAX)
        return model_fail(m, "group '%s' is one too many (%d are possible)", name, GROUPS_MAX);
    struct err e = ERR_INIT;
    if (optimizer_check(o, &e))
        return model_fail(m, "group '%s' asks for %s", name, e.text);
    struct group *g = &m->groups[m->n_groups];
    snprintf(g->name, sizeof g->name, "%s", name);
    g->optimizer = *o;
    return m->n_groups++;
}

struct param *model_param(struct model *m, int group, const char *name, struct shape shape,
                          struct init init)
{
    if (!m || check_name(m, "parameter", name, sizeof((struct param *)0)->name) ||
        check_shape(m, "parameter", name, &shape))
        return NULL;
    if (group < 0 || group >= m->n_groups) {
        model_fail(m, "parameter '%s' is put into group %d, which does not exist", name, group);
        return NULL;
    }
    for (int i = 0; i < m->n_params; i++)
        if (!strcmp(m->params[i]->name, name)) {
            model_fail(m, "two parameters are called '%s'", name);
            return NULL;
        }
    struct param *p = model_append(m, (void ***)&m->params, &m->n_params, sizeof *p);
    if (!p)
        return NULL;
    p->model = m;
    p->group = group;
    p->shape = shape;
    p->count = shape_count(&shape);
    p->init = init;
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}

struct state *model_state(struct model *m, const char *name, struct shape shape, float value)
{
    if (!m || check_name(m, "state", name, sizeof((struct state *)0)->name) ||
        check_shape(m, "state", name, &shape))
        return NULL;
    for (int i = 0; i < m->n_states; i++)
        if (!strcmp(m->states[i]->name, name)) {
            model_fail(m, "two states are called '%s'", name);
            return NULL;
        }
    struct state *s = model_append(m, (void ***)&m->states, &m->n_states, sizeof *s);
    if (!s)
        return NULL;
    s->model = m;
    s->shape = shape;
    s->count = shape_count(&shape);
    s->start = value;
    snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

struct shape param_shape(const struct param *p)
{
    return p->shape;
}

uint64_t model_parameters(const struct model *m, int group)
{
    uint64_t n = 0;

    for (int i = 0; i < m->n_params; i++)
        if (group < 0 || m->params[i]->group == group)
            n += m->params[i]->count;
    return n;
}

/* ---- layout ----------------------------------------------------------- */

static size_t padded(size_t count)
{
    return (count + PARAM_ALIGN - 1) / PARAM_ALIGN * PARAM_ALIGN;
}

/* Appends p to the last bucket of its group, or to a new one. */
static void into_bucket(struct model *m, struct param *p, bool new)
{
    struct group *g = &m->groups[p->group];

    if (new) {
        if (!g->n_buckets++)
            g->first_bucket = m->n_buckets;
        m->buckets[m->n_buckets++] = (struct bucket){.group = p->group, .at = m->count};
    }
    p->at = m->count;
    p->bucket = m->n_buckets - 1;
    m->buckets[p->bucket].count += padded(p->count);
    m->count += padded(p->count);
}

/* Parameters of a group in the order in which they are exchanged, in list[]. */
static int list_params(const struct model *m, int group, struct param **list)
{
    int n = 0;

    for (int i = m->n_params - 1; i >= 0; i--)
        if (m->params[i]->group == group)
            list[n++] = m->params[i];
    return n;
}

/* Buckets of at most so many bytes, if no parameter is larger. */
static void fill_buckets(struct model *m, struct param **list, int n, size_t most)
{
    const struct group *g = n ? &m->groups[list[0]->group] : NULL;

    for (int i = 0; i < n; i++) {
        const struct bucket *b = g->n_buckets ? &m->buckets[m->n_buckets - 1] : NULL;
        into_bucket(m, list[i], !b || (b->count + padded(list[i]->count)) * sizeof(float) > most);
    }
}

/* When in backward the last gradient of p is written, by the plan of the graph where
 * that is latest; and how long the longest backward is. [seconds of the model in
 * buckets.h] */
static double ready_at(const struct model *m, const struct param *p, double *backward)
{
    double ready = 0;

    for (int k = 0; k < m->n_graphs; k++) {
        const struct graph *g = m->graphs[k];
        double at = 0;

        for (int i = g->n_forward; i < g->n_instructions; i++) {
            const struct instruction *in = &g->instructions[i];
            const struct node *n = in->node;

            if (in->kind == INSTRUCTION_RUN)
                at += fmax(node_flop(n, in->pass) / BUCKET_FLOPS,
                           node_bytes(n, in->pass) / BUCKET_BANDWIDTH);
            if (in->kind == INSTRUCTION_RUN && in->pass == PASS_WEIGHTS &&
                (n->weight == p || n->bias == p))
                ready = fmax(ready, at);
        }
        *backward = fmax(*backward, at);
    }
    return ready;
}

/* All ranks take rank 0's cut. */
static int agree_cut(struct model *m, int cut, int end[BUCKETS_MOST])
{
    struct comm *c = m->config.comm;
    struct err why = ERR_INIT;

    if (cut < 0)
        err_set(&why, "out of memory for the list of gradient buckets");
    if (comm_agree(c, cut < 0 ? -1 : 0, &why) < 0 ||
        c->broadcast(c, end, BUCKETS_MOST * sizeof *end, 0, &why) < 0)
        return model_fail(m, "%s", why.text);
    return 0;
}

/* As buckets.h cuts them; a rank alone exchanges nothing: one bucket. */
static int cut_buckets(struct model *m, struct param **list, int n)
{
    struct bucket_part *parts = calloc((size_t)n + 1, sizeof *parts);
    double backward = 0;
    int end[BUCKETS_MOST] = {n}, cut = parts ? 1 : -1;

    for (int i = 0; parts && i < n; i++)
        parts[i] = (struct bucket_part){ready_at(m, list[i], &backward),
                                        padded(list[i]->count) * sizeof(float)};
    if (parts && m->config.comm->size > 1)
        cut = buckets_cut(parts, n, backward, end);
    free(parts);
    if (agree_cut(m, cut, end) < 0)
        return -1;
    for (int i = 0, b = 0; i < n; i++) {
        if (i == end[b])
            b++;
        into_bucket(m, list[i], i == 0 || (b > 0 && i == end[b - 1]));
    }
    return 0;
}

static int layout_group(struct model *m, int group)
{
    struct param **list = calloc((size_t)m->n_params + 1, sizeof *list);
    int rc = 0;

    if (!list)
        return model_fail(m, "out of memory for the list of gradient buckets");
    const int n = list_params(m, group, list);
    m->groups[group].n_buckets = 0;
    if (m->config.bucket_bytes)
        fill_buckets(m, list, n, m->config.bucket_bytes);
    else
        rc = cut_buckets(m, list, n);
    free(list);
    return rc;
}

int model_layout(struct model *m)
{
    free(m->buckets);
    m->buckets = calloc((size_t)m->n_params + 1, sizeof *m->buckets);
    if (!m->buckets)
        return model_fail(m, "out of memory for the list of gradient buckets");
    m->n_buckets = 0;
    m->count = m->states_count = 0;
    m->n_moments = 0;
    for (int g = 0; g < m->n_groups; g++) {
        if (layout_group(m, g))
            return -1;
        int moments = optimizer_moments(m->groups[g].optimizer.kind);
        if (moments > m->n_moments)
            m->n_moments = moments;
    }
    for (int i = 0; i < m->n_states; i++) {
        m->states[i]->at = m->states_count;
        m->states_count += padded(m->states[i]->count);
    }
    return 0;
}

void model_changed(struct model *m, int group)
{
    for (int g = 0; g < m->n_groups; g++)
        if (group < 0 || g == group)
            m->groups[g].version++;
}

struct engine_memory model_memory(const struct model *m)
{
    struct engine_memory mem = {0};
    size_t count = 0, states = 0;
    int moments = 0;

    for (int i = 0; i < m->n_params; i++)
        count += padded(m->params[i]->count);
    for (int i = 0; i < m->n_states; i++)
        states += padded(m->states[i]->count);
    for (int g = 0; g < m->n_groups; g++) {
        int n = optimizer_moments(m->groups[g].optimizer.kind);

        moments = n > moments ? n : moments;
    }
    mem.gradient_bytes = count * sizeof(float);
    mem.weight_bytes = (count * (size_t)(1 + moments) + states) * sizeof(float) + m->copies_bytes;
    for (int i = 0; i < m->n_graphs; i++) {
        mem.activation_bytes += m->graphs[i]->activation_bytes;
        mem.no_reuse_bytes += m->graphs[i]->no_reuse_bytes;
    }
    mem.arena_bytes = mem.activation_bytes + mem.weight_bytes;
    mem.total_bytes = mem.arena_bytes + mem.gradient_bytes;
    return mem;
}

/* ---- start ------------------------------------------------------------ */

static uint64_t hash_of(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return h;
}

/* Value i of a parameter: of its own Philox block, so of nothing but seed,
 * name and i. */
static float start_value(uint64_t key, const struct init *init, double fan_in, double fan_out,
                         uint64_t i)
{
    uint32_t r[4];

    if (init->kind == INIT_CONSTANT)
        return init->value;
    philox_at(key, 0, i, r);
    double u = philox_double(r[0], r[1]);
    if (init->kind == INIT_XAVIER)
        return (float)((2 * u - 1) * sqrt(6 / (fan_in + fan_out)));
    /* Box-Muller; 1 - u is never 0 */
    double z = sqrt(-2 * log(1 - u)) * cos(2 * 3.14159265358979323846 * philox_double(r[2], r[3]));
    return (float)(z * (init->kind == INIT_HE ? sqrt(2 / fan_in) : (double)init->value));
}

static void start_param(struct model *m, struct param *p)
{
    uint64_t key = philox_derive(m->config.seed, PHILOX_PARAMETER, hash_of(p->name));
    double in = p->shape.n > 1 ? (double)p->shape.d[1] : 1;
    double out = (double)p->shape.d[0];
    float *w = m->masters + p->at;

    for (int i = 2; i < p->shape.n; i++) {
        in *= (double)p->shape.d[i];
        out *= (double)p->shape.d[i];
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < p->count; i++)
        w[i] = start_value(key, &p->init, in, out, i);
}

static char *huge_alloc(size_t bytes, size_t *mapped, struct err *e)
{
    *mapped = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
    char *p = mmap(NULL, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        err_set(e, "no memory for the engine's arena of %zu bytes", bytes);
        return NULL;
    }
    madvise(p, *mapped, MADV_HUGEPAGE);
    return p;
}

/* Cuts the one allocation, which starts on a huge page: masters, moments,
 * states, weight copies, then the graphs' arenas. */
static void carve(struct model *m)
{
    size_t page = HUGE_PAGE;
    char *at = (char *)(((uintptr_t)m->memory + page - 1) / page * page);

    m->masters = (float *)at;
    at += m->count * sizeof(float);
    for (int i = 0; i < m->n_moments; i++) {
        m->moments[i] = (float *)at;
        at += m->count * sizeof(float);
    }
    m->state_values = (float *)at;
    at += m->states_count * sizeof(float);
    m->copy_values = at;
    at += m->copies_bytes;
    for (int i = 0; i < m->n_graphs; i++) {
        m->graphs[i]->exec.arena = at;
        at += m->graphs[i]->activation_bytes;
    }
}

static int start_graph(struct model *m, struct graph *g)
{
    struct exec *x = &g->exec;

    x->masters = m->masters;
    x->gradients = m->gradients;
    x->states = m->state_values;
    x->copies = m->copy_values;
    x->batch = g->batch;
    x->threads = m->config.threads;
    x->context = m->context;
    if (g->loss && g->loss->needs_grad)
        *(float *)exec_grad(x, g->loss) = 1;
    g->bucket_ready = malloc(((size_t)m->n_buckets + 1) * sizeof *g->bucket_ready);
    if (!g->bucket_ready)
        return model_fail(m, "out of memory for graph '%s'", g->name);
    for (int b = 0; b < m->n_buckets; b++)
        g->bucket_ready[b] = -1;
    for (int i = 0; i < g->n_instructions; i++) {
        const struct instruction *in = &g->instructions[i];

        if (in->kind != INSTRUCTION_RUN || in->pass != PASS_WEIGHTS)
            continue;
        g->touches[in->node->weight->group] = true;
        g->bucket_ready[in->node->weight->bucket] = i;
        if (in->node->bias)
            g->bucket_ready[in->node->bias->bucket] = i;
    }
    return 0;
}

int engine_start(struct model *m, struct err *e)
{
    struct comm *c = m->config.comm;

    if (m->started)
        return err_set(e, "engine_start() was called before");
    for (int i = 0; i < m->n_graphs; i++)
        if (!m->graphs[i]->compiled)
            model_fail(m, "graph '%s' was not compiled before engine_start()", m->graphs[i]->name);
    if (m->failed || model_layout(m))
        return err_set(e, "%s", m->first.text);
    engine_threads(m->config.threads);
    struct engine_memory mem = model_memory(m);
    m->memory = huge_alloc(mem.arena_bytes, &m->memory_bytes, e);
    if (comm_agree(c, m->memory ? 0 : -1, e))
        return -1;
    m->gradients = c->alloc(c, m->count * sizeof(float), e);
    if (!m->gradients)
        return -1;
    carve(m);
    for (int i = 0; i < m->n_params; i++)
        start_param(m, m->params[i]);
    for (int i = 0; i < m->n_states; i++)
        for (size_t k = 0; k < m->states[i]->count; k++)
            m->state_values[m->states[i]->at + k] = m->states[i]->start;
    for (int i = 0; i < m->n_graphs; i++)
        if (start_graph(m, m->graphs[i]))
            return err_set(e, "%s", m->first.text);
    model_changed(m, -1);
    m->started = true;
    return 0;
}

/* ---- access ----------------------------------------------------------- */

static int check_access(const struct model *m, const char *name, size_t have, size_t n,
                        struct err *e)
{
    if (!m->started)
        return err_set(e, "'%s' has no values before engine_start()", name);
    if (n != have)
        return err_set(e, "'%s' has %zu values, not %zu", name, have, n);
    return 0;
}

int param_get(struct param *p, enum param_part which, float *out, size_t n, struct err *e)
{
    if (check_access(p->model, p->name, p->count, n, e))
        return -1;
    if (which == PARAM_GRADIENT && !p->has_gradient)
        memset(out, 0, n * sizeof *out);
    else
        memcpy(out, (which == PARAM_GRADIENT ? p->model->gradients : p->model->masters) + p->at,
               n * sizeof *out);
    return 0;
}

int param_set(struct param *p, const float *in, size_t n, struct err *e)
{
    if (check_access(p->model, p->name, p->count, n, e))
        return -1;
    memcpy(p->model->masters + p->at, in, n * sizeof *in);
    model_changed(p->model, p->group);
    return 0;
}

int state_get(struct state *s, float *out, size_t n, struct err *e)
{
    if (check_access(s->model, s->name, s->count, n, e))
        return -1;
    memcpy(out, s->model->state_values + s->at, n * sizeof *out);
    return 0;
}

int state_set(struct state *s, const float *in, size_t n, struct err *e)
{
    if (check_access(s->model, s->name, s->count, n, e))
        return -1;
    memcpy(s->model->state_values + s->at, in, n * sizeof *in);
    return 0;
}
