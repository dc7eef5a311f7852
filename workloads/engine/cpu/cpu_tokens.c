/* SPDX-License-Identifier: BSD-3-Clause */
/* On the CPU: the operators over rows of tokens. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"
#include "workloads/engine/cpu/kernel_attention.h"
#include "workloads/engine/cpu/kernel_tokens.h"

#include <string.h>

static struct tokens tokens_of(const struct node *n)
{
    const struct shape *s = &n->out[0]->shape;

    return (struct tokens){.R = s->d[0], .D = s->d[1], .dtype = n->out[0]->dtype};
}

/* ---- patches ---------------------------------------------------------- */

static struct patches patches_of(const struct node *n, const struct tensor *map)
{
    return (struct patches){
        .map = cpu_map(map), .H = map->shape.d[2], .W = map->shape.d[3], .p = n->window.kernel[0]};
}

static int patches_forward(const struct exec *x, struct node *n, struct err *e)
{
    const struct patches s = patches_of(n, n->in[0]);

    (void)e;
    patches_gather(&s, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
    return 0;
}

static int patches_data(const struct exec *x, struct node *n, struct err *e)
{
    const struct patches s = patches_of(n, n->in[0]);

    (void)e;
    patches_scatter(&s, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    map_pad(&s.map, exec_at(x, n->in_grad[0]));
    return 0;
}

static int unpatch_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d;
    return cpu_set_kind(n->out[0], DNN_PLAIN, e);
}

static int unpatch_forward(const struct exec *x, struct node *n, struct err *e)
{
    const struct patches s = patches_of(n, n->out[0]);

    (void)e;
    patches_scatter(&s, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
    return 0;
}

static int unpatch_data(const struct exec *x, struct node *n, struct err *e)
{
    const struct patches s = patches_of(n, n->out[0]);

    (void)e;
    patches_gather(&s, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    return 0;
}

const struct cpu_row cpu_patches = {cpu_nothing_prepare,
                                    {patches_forward, NULL, NULL, patches_data}};
const struct cpu_row cpu_unpatch = {unpatch_prepare, {unpatch_forward, NULL, NULL, unpatch_data}};

/* ---- positions -------------------------------------------------------- */

static int positions_forward(const struct exec *x, struct node *n, struct err *e)
{
    const struct tokens t = tokens_of(n);

    (void)e;
    tokens_add(&t, n->weight->shape.d[0], exec_master(x, n->weight), exec_value(x, n->in[0]),
               exec_value(x, n->out[0]));
    return 0;
}

static int positions_weights(const struct exec *x, struct node *n, struct err *e)
{
    const struct tokens t = tokens_of(n);

    (void)e;
    tokens_add_grad(&t, n->weight->shape.d[0], exec_grad(x, n->out[0]), n->weight->has_gradient,
                    exec_gradient(x, n->weight));
    return 0;
}

static int positions_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    memmove(exec_at(x, n->in_grad[0]), exec_grad(x, n->out[0]), n->out[0]->grad.bytes);
    return 0;
}

const struct cpu_row cpu_positions = {cpu_nothing_prepare,
                                      {positions_forward, NULL, positions_weights, positions_data}};

/* ---- layer norm ------------------------------------------------------- */

static int layer_norm_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d, (void)e;
    n->work.bytes = (size_t)n->in[0]->shape.d[0] * 2 * sizeof(float);
    return 0;
}

static int layer_norm_forward(const struct exec *x, struct node *n, struct err *e)
{
    const struct tokens t = tokens_of(n);

    (void)e;
    tokens_norm_forward(&t, exec_master(x, n->weight), exec_master(x, n->bias), n->eps,
                        exec_value(x, n->in[0]), exec_at(x, &n->work), exec_value(x, n->out[0]));
    return 0;
}

static int layer_norm_weights(const struct exec *x, struct node *n, struct err *e)
{
    const struct tokens t = tokens_of(n);

    (void)e;
    tokens_norm_weights(&t, exec_at(x, &n->work), exec_value(x, n->in[0]), exec_grad(x, n->out[0]),
                        n->weight->has_gradient, exec_gradient(x, n->weight),
                        exec_gradient(x, n->bias));
    return 0;
}

static int layer_norm_data(const struct exec *x, struct node *n, struct err *e)
{
    const struct tokens t = tokens_of(n);

    (void)e;
    tokens_norm_data(&t, exec_master(x, n->weight), exec_at(x, &n->work), exec_value(x, n->in[0]),
                     exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    return 0;
}

const struct cpu_row cpu_layer_norm = {
    layer_norm_prepare, {layer_norm_forward, NULL, layer_norm_weights, layer_norm_data}};

/* ---- GELU ------------------------------------------------------------- */

static int gelu_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d;
    return cpu_has_format(n->out[0]) ? cpu_set_kind(n->out[0], cpu_kind(n->in[0]), e) : 0;
}

static int gelu_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    tokens_gelu(n->out[0]->dtype, exec_value(x, n->in[0]), exec_value(x, n->out[0]),
                cpu_count(n->out[0]));
    return 0;
}

static int gelu_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    tokens_gelu_grad(n->out[0]->dtype, exec_value(x, n->in[0]), exec_grad(x, n->out[0]),
                     exec_at(x, n->in_grad[0]), cpu_count(n->out[0]));
    return 0;
}

const struct cpu_row cpu_gelu = {gelu_prepare, {gelu_forward, NULL, NULL, gelu_data}};

/* ---- attention -------------------------------------------------------- */

static struct attention attention_of(const struct node *n)
{
    const struct shape *s = &n->out[0]->shape;

    return (struct attention){.B = s->d[0] / n->tokens,
                              .N = n->tokens,
                              .heads = n->heads,
                              .d = s->d[1] / n->heads,
                              .dtype = n->out[0]->dtype,
                              .threads = graph_view(n->graph).threads};
}

static int attention_prepare(struct dnn *d, struct node *n, struct err *e)
{
    const struct attention a = attention_of(n);

    (void)d, (void)e;
    n->work.bytes = (size_t)(a.B * a.heads * a.N) * sizeof(float);
    n->scratch[PASS_FORWARD].bytes = attention_scratch_bytes(&a, false);
    if (n->in_grad[0])
        n->scratch[PASS_DATA].bytes = attention_scratch_bytes(&a, true);
    return 0;
}

static int attention_run_forward(const struct exec *x, struct node *n, struct err *e)
{
    const struct attention a = attention_of(n);

    (void)e;
    attention_forward(&a, exec_value(x, n->in[0]), exec_value(x, n->out[0]), exec_at(x, &n->work),
                      exec_at(x, &n->scratch[PASS_FORWARD]));
    return 0;
}

static int attention_run_data(const struct exec *x, struct node *n, struct err *e)
{
    const struct attention a = attention_of(n);

    (void)e;
    attention_backward(&a, exec_value(x, n->in[0]), exec_value(x, n->out[0]), exec_at(x, &n->work),
                       exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]),
                       exec_at(x, &n->scratch[PASS_DATA]));
    return 0;
}

const struct cpu_row cpu_attention = {attention_prepare,
                                      {attention_run_forward, NULL, NULL, attention_run_data}};
