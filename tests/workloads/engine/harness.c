/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/engine/harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/engine/internal.h"

float noise(unsigned which, unsigned long i)
{
    uint32_t r[4];

    philox_at(12345, which, i, r);
    return philox_float(r[0]) * 2 - 1 + 0x1p-26f;
}

/* n values that are all different and none near 0, in a random order: the
 * finite difference must not cross a kink. */
static void spread(float *v, size_t n, unsigned which)
{
    for (size_t i = 0; i < n; i++) {
        float at = ((float)i + 0.5f) / (float)n * 4 - 2;

        v[i] = at + (at < 0 ? -0.05f : 0.05f);
    }
    for (size_t i = n - 1; i > 0; i--) {
        uint32_t r[4];

        philox_at(777, which, i, r);
        size_t j = r[0] % (i + 1);
        float t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}

struct tensor *case_input(struct case_build *b, struct shape sample, enum host_layout layout)
{
    char name[16];

    snprintf(name, sizeof name, "x%d", b->n_inputs);
    struct tensor *t = graph_want_grad(graph_input(b->g, name, sample, layout));
    b->inputs[b->n_inputs++] = t;
    return t;
}

struct tensor *case_target(struct case_build *b, struct shape sample, float low, float high,
                           bool whole)
{
    char name[16];
    int i = b->n_targets++;

    snprintf(name, sizeof name, "t%d", i);
    b->low[i] = low;
    b->high[i] = high;
    b->whole[i] = whole;
    return b->targets[i] = graph_input(b->g, name, sample, CHANNELS_FIRST);
}

struct param *case_param(struct case_build *b, struct shape shape)
{
    char name[16];

    snprintf(name, sizeof name, "w%d", b->n_params);
    return b->params[b->n_params++] = model_param(b->m, b->group, name, shape, ZEROS);
}

struct state *case_state(struct case_build *b, struct shape shape, float start)
{
    char name[16];

    snprintf(name, sizeof name, "s%d", b->n_states);
    return b->states[b->n_states++] = model_state(b->m, name, shape, start);
}

static void must(int rc, const struct err *e)
{
    if (rc)
        fail_msg("%s", e->text);
}

static float *part(struct outcome *o, const char *name, int number, const struct shape *shape)
{
    struct outcome_part *p = &o->parts[o->n++];

    assert_true(o->n <= (int)(sizeof o->parts / sizeof o->parts[0]));
    snprintf(p->name, sizeof p->name, "%s%d", name, number);
    p->shape = *shape;
    p->n = shape_count(shape);
    p->v = calloc(p->n, sizeof *p->v);
    assert_non_null(p->v);
    return p->v;
}

/* Behind the others: what was fed or set. */
static void keep(struct outcome *o, const char *name, int number, const struct shape *shape,
                 const float *v)
{
    if (o)
        memcpy(part(o, name, number, shape), v, shape_count(shape) * sizeof *v);
}

/* From channels first, as everything is compared, to the input's layout. */
static void as_fed(const struct tensor *t, const float *v, float *fed)
{
    long C = t->shape.n > 1 ? t->shape.d[1] : 1;
    long S = (long)shape_count(&t->shape) / (t->shape.d[0] * C);

    for (long i = 0; i < t->shape.d[0]; i++)
        for (long c = 0; c < C; c++)
            for (long s = 0; s < S; s++)
                fed[i * C * S + (t->layout == CHANNELS_LAST ? s * C + c : c * S + s)] =
                    v[(i * C + c) * S + s];
}

static void set_values(struct case_build *b, const struct run_options *o, struct outcome *kept)
{
    struct err e = ERR_INIT;

    for (int i = 0; i < b->n_inputs; i++) {
        struct shape s = tensor_shape(b->inputs[i]);
        size_t n = shape_count(&s);
        float *v = malloc(n * sizeof *v);

        float *fed = malloc(n * sizeof *v);
        spread(v, n, (unsigned)i);
        if (o->by != 0 && o->nudged == i)
            v[o->at] += o->by;
        as_fed(b->inputs[i], v, fed);
        keep(kept, "value_input", i, &s, v);
        must(engine_feed(b->g, b->inputs[i], fed, &e), &e);
        free(v);
        free(fed);
    }
    for (int i = 0; i < b->n_params; i++) {
        size_t n = b->params[i]->count;
        float *v = malloc(n * sizeof *v);

        for (size_t k = 0; k < n; k++)
            v[k] = noise(100 + (unsigned)i, k);
        if (o->by != 0 && o->nudged == b->n_inputs + i)
            v[o->at] += o->by;
        must(param_set(b->params[i], v, n, &e), &e);
        keep(kept, "value_param", i, &b->params[i]->shape, v);
        free(v);
    }
}

static void set_targets(struct case_build *b, struct outcome *kept)
{
    struct err e = ERR_INIT;

    for (int i = 0; i < b->n_targets; i++) {
        struct shape s = tensor_shape(b->targets[i]);
        size_t n = shape_count(&s);
        float *v = malloc(n * sizeof *v);

        for (size_t k = 0; k < n; k++) {
            float u = (noise(60 + (unsigned)i, k) + 1) / 2;

            v[k] = b->low[i] + u * (b->high[i] - b->low[i]);
            v[k] = b->whole[i] ? floorf(v[k]) : v[k];
        }
        must(engine_feed(b->g, b->targets[i], v, &e), &e);
        keep(kept, "value_target", i, &s, v);
        free(v);
    }
}

/* As they were at the start: a pass that is repeated follows no other. Or, to
 * be evaluated, off it. */
static void start_states(struct case_build *b, bool off, struct outcome *kept)
{
    struct err e = ERR_INIT;

    for (int i = 0; i < b->n_states; i++) {
        struct state *s = b->states[i];
        float v[64];

        for (size_t k = 0; k < s->count; k++)
            v[k] = s->start + (off ? 0.4f * noise(200 + (unsigned)i, k) : 0);
        must(state_set(s, v, s->count, &e), &e);
        keep(kept, "value_state", i, &s->shape, v);
    }
}

static void gather_gradients(struct outcome *out, struct case_build *b)
{
    struct err e = ERR_INIT;

    for (int i = 0; i < b->n_inputs; i++) {
        struct shape s = tensor_shape(b->inputs[i]);

        must(engine_read_grad(b->g, b->inputs[i], part(out, "input", i, &s), shape_count(&s), &e),
             &e);
    }
    for (int i = 0; i < b->n_params; i++)
        must(param_get(b->params[i], PARAM_GRADIENT, part(out, "param", i, &b->params[i]->shape),
                       b->params[i]->count, &e),
             &e);
}

static void gather(struct outcome *out, struct case_build *b, struct tensor *y, struct tensor *loss,
                   bool eval)
{
    struct err e = ERR_INIT;
    struct shape s = tensor_shape(y), one = SHAPE(1);

    must(engine_read(b->g, y, part(out, "output", 0, &s), shape_count(&s), &e), &e);
    must(engine_read(b->g, loss, part(out, "loss", 0, &one), 1, &e), &e);
    if (!eval)
        gather_gradients(out, b);
    for (int i = 0; i < b->n_states; i++)
        must(state_get(b->states[i], part(out, "state", i, &b->states[i]->shape),
                       b->states[i]->count, &e),
             &e);
}

/* A case that returns a loss has none of ours behind it. */
static struct tensor *add_loss(struct case_build *b, struct tensor *y)
{
    struct shape sample = tensor_shape(y);

    if (sample.n == 1)
        return y;
    sample.n--;
    memmove(sample.d, sample.d + 1, (size_t)sample.n * sizeof sample.d[0]);
    return op_mse(y, case_target(b, sample, -1, 1, false), NULL);
}

struct outcome outcome_run(const struct op_case *c, const struct run_options *o)
{
    struct err e = ERR_INIT;
    struct engine_config config = {
        .backend = o->backend ? o->backend : "ref",
        .threads = o->threads ? o->threads : 1,
        .compute = o->compute,
        .seed = 7,
        .comm = comm_self(),
        .no_reuse = o->no_reuse,
        .no_rewrite = o->no_rewrite,
    };
    struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct outcome out = {.n = 0}, values = {.n = 0}, *kept = o->values ? &values : NULL;
    struct case_build b = {.m = model_create(&config, &e)};
    uint64_t ids[64];
    long rows = o->rows ? o->rows : c->batch;

    if (!b.m)
        fail_msg("%s", e.text);
    for (int i = 0; i < 64; i++)
        ids[i] = (uint64_t)(1000 + i);
    b.group = model_group(b.m, "all", &sgd);
    b.g = graph_create(b.m, c->name, c->batch);
    struct tensor *y = graph_output(c->build(&b));
    if (!y)
        fail_msg("%s: %s", c->name, b.m->first.text);
    struct tensor *loss = graph_output(add_loss(&b, y));
    b.g->plan_shorten = o->shorten;
    for (int i = 0; i < b.g->n_tensors && o->recompute; i++)
        graph_recompute(b.g->tensors[i]);
    must(engine_compile(b.g, loss, &e), &e);
    must(engine_start(b.m, &e), &e);
    must(engine_begin(
             b.g, &(struct engine_step){.rows = rows, .global_rows = rows, .ids = ids, .epoch = 3},
             &e),
         &e);
    set_targets(&b, kept);
    set_values(&b, o, kept);
    for (int i = 0; i <= o->repeats; i++) {
        start_states(&b, o->eval, i ? NULL : kept);
        model_zero(b.m, b.group);
        must(engine_forward(b.g, o->eval ? ENGINE_EVAL : ENGINE_TRAIN, &e), &e);
        if (!o->eval)
            must(engine_backward(b.g, true, &e), &e);
    }
    gather(&out, &b, y, loss, o->eval);
    for (int i = 0; kept && i < kept->n; i++)
        out.parts[out.n++] = kept->parts[i];
    out.memory = model_memory(b.m);
    for (int i = 0; i < b.g->n_nodes; i++)
        out.operators |= 1UL << b.g->nodes[i]->op;
    model_destroy(b.m);
    return out;
}

void outcome_free(struct outcome *o)
{
    for (int i = 0; i < o->n; i++)
        free(o->parts[i].v);
    o->n = 0;
}

/* As set_targets() makes the one of add_loss(). */
static double target_at(size_t i)
{
    return (double)(-1 + (noise(60, i) + 1) / 2 * 2);
}

double outcome_loss(const struct op_case *c, const struct outcome *o, int rows)
{
    const struct outcome_part *y = &o->parts[0];
    size_t n = y->n / (size_t)c->batch * (size_t)(rows ? rows : c->batch);
    double sum = 0;

    if (y->shape.n == 1)
        return (double)y->v[0];
    for (size_t i = 0; i < n; i++)
        sum += ((double)y->v[i] - target_at(i)) * ((double)y->v[i] - target_at(i));
    return sum / (double)n;
}

double outcome_distance(const struct outcome *a, const struct outcome *b, const char **worst)
{
    double most = 0;

    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        double size = 1e-60, far = 0;

        assert_int_equal(a->parts[i].n, b->parts[i].n);
        for (size_t k = 0; k < a->parts[i].n; k++) {
            double d = (double)a->parts[i].v[k] - (double)b->parts[i].v[k];

            far += d * d;
            size += (double)b->parts[i].v[k] * (double)b->parts[i].v[k];
        }
        if (!(sqrt(far / size) <= most)) {
            most = sqrt(far / size);
            *worst = a->parts[i].name;
        }
    }
    return most;
}

void check_op(const struct op_case *c, const char *a, const char *b, enum tensor_dtype compute,
              int threads, double tolerance)
{
    for (int partial = 0; partial < 2; partial++) {
        int rows = partial ? (int)c->batch - 1 : 0;
        struct run_options o = {.compute = compute, .threads = threads, .rows = rows};
        const char *worst = "";

        if (partial && !rows)
            break;
        o.backend = a;
        struct outcome one = outcome_run(c, &o);
        o.backend = b;
        struct outcome two = outcome_run(c, &o);
        double d = outcome_distance(&two, &one, &worst);
        if (!(d <= tolerance))
            fail_msg("%s (%s, %d rows): %s of %s differs from that of %s by %g", c->name,
                     compute == TENSOR_BF16 ? "bf16" : "f32", rows ? rows : (int)c->batch, worst, b,
                     a, d);
        outcome_free(&one);
        outcome_free(&two);
    }
}
