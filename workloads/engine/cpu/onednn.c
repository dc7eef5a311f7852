/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two generations of oneDNN meet in the section "generations"; the rest is
 * the same for both, because execution, argument numbers and queries are.
 */
#include <config.h>

#include "workloads/engine/cpu/onednn.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

/* ---- generations ------------------------------------------------------ */

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t md_own; /* a handle */
typedef const_dnnl_memory_desc_t md_ref;

static md_ref ref_of(const md_own *m)
{
    return *m;
}

static dnnl_status_t md_make(md_own *m, int nd, const dnnl_dims_t dims, dnnl_data_type_t type,
                             dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(m, nd, dims, type, tag);
}

static dnnl_status_t md_clone(md_own *m, md_ref from)
{
    return dnnl_memory_desc_clone(m, from);
}

static void md_free(md_own *m)
{
    if (*m)
        dnnl_memory_desc_destroy(*m);
}

static void md_size(md_ref m, int *nd, dnnl_dims_t dims, dnnl_data_type_t *type)
{
    dnnl_dims_t *d = NULL;

    dnnl_memory_desc_query(m, dnnl_query_ndims_s32, nd);
    dnnl_memory_desc_query(m, dnnl_query_dims, &d);
    dnnl_memory_desc_query(m, dnnl_query_data_type, type);
    memcpy(dims, *d, (size_t)*nd * sizeof dims[0]);
}

static dnnl_status_t post_eltwise(dnnl_post_ops_t po, dnnl_alg_kind_t alg, float alpha)
{
    return dnnl_post_ops_append_eltwise(po, alg, alpha, 0);
}

static dnnl_status_t post_sum(dnnl_post_ops_t po)
{
    return dnnl_post_ops_append_sum(po, 1, 0, dnnl_data_type_undef);
}

static dnnl_status_t pd_matmul(dnnl_primitive_desc_t *pd, struct dnn *d, md_ref src, md_ref weights,
                               md_ref bias, md_ref dst, dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(pd, d->engine, src, weights, bias, dst, attr);
}

/* The three passes of a convolution. */
struct conv_geometry {
    dnnl_dims_t stride, dilate, before, after;
};

static dnnl_status_t pd_conv(dnnl_primitive_desc_t *pd, struct dnn *d, dnnl_prop_kind_t prop,
                             md_ref src, md_ref weights, md_ref bias, md_ref dst,
                             const struct conv_geometry *g, dnnl_primitive_attr_t attr,
                             dnnl_primitive_desc_t hint)
{
    const dnnl_alg_kind_t alg = dnnl_convolution_direct;

    if (prop == dnnl_backward_data)
        return dnnl_convolution_backward_data_primitive_desc_create(
            pd, d->engine, alg, src, weights, dst, g->stride, g->dilate, g->before, g->after, hint,
            attr);
    if (prop == dnnl_backward_weights)
        return dnnl_convolution_backward_weights_primitive_desc_create(
            pd, d->engine, alg, src, weights, bias, dst, g->stride, g->dilate, g->before, g->after,
            hint, attr);
    return dnnl_convolution_forward_primitive_desc_create(pd, d->engine, prop, alg, src, weights,
                                                          bias, dst, g->stride, g->dilate,
                                                          g->before, g->after, attr);
}

/* Past the implementations whose name begins with this. */
static dnnl_status_t pd_without(dnnl_primitive_desc_t pd, const char *name)
{
    const char *have = "";
    dnnl_status_t s = dnnl_success;

    while (s == dnnl_success &&
           dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&have) ==
               dnnl_success &&
           strncmp(have, name, strlen(name)) == 0)
        s = dnnl_primitive_desc_next_impl(pd);
    return s;
}

#else

typedef dnnl_memory_desc_t md_own; /* by value */
typedef const dnnl_memory_desc_t *md_ref;

static md_ref ref_of(const md_own *m)
{
    return m;
}

static dnnl_status_t md_make(md_own *m, int nd, const dnnl_dims_t dims, dnnl_data_type_t type,
                             dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(m, nd, dims, type, tag);
}

static dnnl_status_t md_clone(md_own *m, md_ref from)
{
    *m = *from;
    return dnnl_success;
}

static void md_free(md_own *m)
{
    (void)m;
}

static void md_size(md_ref m, int *nd, dnnl_dims_t dims, dnnl_data_type_t *type)
{
    *nd = m->ndims;
    *type = m->data_type;
    memcpy(dims, m->dims, (size_t)m->ndims * sizeof dims[0]);
}

static dnnl_status_t post_eltwise(dnnl_post_ops_t po, dnnl_alg_kind_t alg, float alpha)
{
    return dnnl_post_ops_append_eltwise(po, 1, alg, alpha, 0);
}

static dnnl_status_t post_sum(dnnl_post_ops_t po)
{
    return dnnl_post_ops_append_sum(po, 1);
}

static dnnl_status_t pd_matmul(dnnl_primitive_desc_t *pd, struct dnn *d, md_ref src, md_ref weights,
                               md_ref bias, md_ref dst, dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t op;
    dnnl_status_t s = dnnl_matmul_desc_init(&op, src, weights, bias, dst);

    return s == dnnl_success ? dnnl_primitive_desc_create(pd, &op, attr, d->engine, NULL) : s;
}

struct conv_geometry {
    dnnl_dims_t stride, dilate, before, after;
};

static dnnl_status_t pd_conv(dnnl_primitive_desc_t *pd, struct dnn *d, dnnl_prop_kind_t prop,
                             md_ref src, md_ref weights, md_ref bias, md_ref dst,
                             const struct conv_geometry *g, dnnl_primitive_attr_t attr,
                             dnnl_primitive_desc_t hint)
{
    const dnnl_alg_kind_t alg = dnnl_convolution_direct;
    dnnl_convolution_desc_t op;
    dnnl_status_t s;

    if (prop == dnnl_backward_data)
        s = dnnl_dilated_convolution_backward_data_desc_init(&op, alg, src, weights, dst, g->stride,
                                                             g->dilate, g->before, g->after);
    else if (prop == dnnl_backward_weights)
        s = dnnl_dilated_convolution_backward_weights_desc_init(
            &op, alg, src, weights, bias, dst, g->stride, g->dilate, g->before, g->after);
    else
        s = dnnl_dilated_convolution_forward_desc_init(&op, prop, alg, src, weights, bias, dst,
                                                       g->stride, g->dilate, g->before, g->after);
    return s == dnnl_success ? dnnl_primitive_desc_create(pd, &op, attr, d->engine, hint) : s;
}

/* Nothing to pass in this generation. */
static dnnl_status_t pd_without(dnnl_primitive_desc_t pd, const char *name)
{
    (void)pd;
    (void)name;
    return dnnl_success;
}

#endif

/* ---- layouts ---------------------------------------------------------- */

struct dnn_layout {
    md_own md;
};

static const dnnl_data_type_t types[] = {[DNN_F32] = dnnl_f32, [DNN_BF16] = dnnl_bf16};

/* Undefined (0) where a kind does not exist with so many dimensions. */
static const dnnl_format_tag_t tags[DNN_ANY][DNN_DIMS + 1] = {
    [DNN_PLAIN] = {0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde},
    [DNN_LAST] = {0, 0, 0, 0, dnnl_nhwc, dnnl_ndhwc},
    [DNN_BLOCK16] = {0, 0, 0, 0, dnnl_nChw16c, dnnl_nCdhw16c},
    [DNN_BLOCK8] = {0, 0, 0, 0, dnnl_nChw8c, dnnl_nCdhw8c},
    [DNN_TRANSPOSED] = {0, 0, dnnl_ba, 0, 0, 0},
};

static struct dnn_layout *layout_alloc(struct err *e)
{
    struct dnn_layout *l = calloc(1, sizeof *l);

    if (!l)
        err_set(e, "out of memory for a tensor's layout");
    return l;
}

struct dnn_layout *dnn_layout_create(enum dnn_type type, int nd, const long *dims,
                                     enum dnn_kind kind, struct err *e)
{
    dnnl_dims_t size;
    dnnl_format_tag_t tag = dnnl_format_tag_undef;

    if (nd >= 1 && nd <= DNN_DIMS && kind <= DNN_ANY)
        tag = kind == DNN_ANY ? dnnl_format_tag_any : tags[kind][nd];
    if (tag == dnnl_format_tag_undef) {
        err_set(e, "there is no layout of kind %d with %d dimensions", (int)kind, nd);
        return NULL;
    }
    for (int i = 0; i < nd; i++)
        size[i] = dims[i];
    struct dnn_layout *l = layout_alloc(e);
    if (!l)
        return NULL;
    dnnl_status_t s = md_make(&l->md, nd, size, types[type], tag);
    if (s != dnnl_success) {
        err_set(e, "oneDNN refuses a layout of %d dimensions (status %d)", nd, (int)s);
        free(l);
        return NULL;
    }
    return l;
}

static struct dnn_layout *layout_of(md_ref m, struct err *e)
{
    struct dnn_layout *l = layout_alloc(e);

    if (l && md_clone(&l->md, m) != dnnl_success) {
        err_set(e, "oneDNN cannot copy a layout");
        free(l);
        l = NULL;
    }
    return l;
}

struct dnn_layout *dnn_layout_copy(const struct dnn_layout *l, struct err *e)
{
    return layout_of(ref_of(&l->md), e);
}

void dnn_layout_destroy(struct dnn_layout *l)
{
    if (!l)
        return;
    md_free(&l->md);
    free(l);
}

size_t dnn_layout_bytes(const struct dnn_layout *l)
{
    return dnnl_memory_desc_get_size(ref_of(&l->md));
}

bool dnn_layout_equal(const struct dnn_layout *a, const struct dnn_layout *b)
{
    return dnnl_memory_desc_equal(ref_of(&a->md), ref_of(&b->md));
}

enum dnn_kind dnn_layout_kind(const struct dnn_layout *l)
{
    int nd;
    dnnl_dims_t dims;
    dnnl_data_type_t type;

    md_size(ref_of(&l->md), &nd, dims, &type);
    for (int kind = 0; kind < DNN_ANY; kind++) {
        md_own m;

        if (tags[kind][nd] == dnnl_format_tag_undef ||
            md_make(&m, nd, dims, type, tags[kind][nd]) != dnnl_success)
            continue;
        bool same = dnnl_memory_desc_equal(ref_of(&m), ref_of(&l->md));
        md_free(&m);
        if (same)
            return (enum dnn_kind)kind;
    }
    return DNN_OTHER;
}

/* ---- engine ----------------------------------------------------------- */

struct dnn *dnn_open(struct err *e)
{
    struct dnn *d = calloc(1, sizeof *d);

    if (!d) {
        err_set(e, "out of memory for oneDNN");
        return NULL;
    }
    dnnl_status_t s = dnnl_engine_create(&d->engine, dnnl_cpu, 0);
    if (s == dnnl_success)
        s = dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags);
    if (s != dnnl_success) {
        err_set(e, "oneDNN %s does not start on this CPU (status %d)", dnn_version(), (int)s);
        dnn_close(d);
        return NULL;
    }
    return d;
}

void dnn_close(struct dnn *d)
{
    if (!d)
        return;
    if (d->stream)
        dnnl_stream_destroy(d->stream);
    if (d->engine)
        dnnl_engine_destroy(d->engine);
    free(d);
}

const char *dnn_version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();

    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

/* ---- operations ------------------------------------------------------- */

struct dnn_op {
    struct dnn *dnn;
    dnnl_primitive_t primitive;
    const char *what, *how;
    struct dnn_layout *layout[DNN_ARGS];
    dnnl_memory_t memory[DNN_ARGS];
};

static const struct {
    int arg;
    dnnl_query_t query;
    int index;
} args[DNN_ARGS] = {
    [DNN_SRC] = {DNNL_ARG_SRC, dnnl_query_src_md, 0},
    [DNN_WEIGHTS] = {DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0},
    [DNN_BIAS] = {DNNL_ARG_BIAS, dnnl_query_weights_md, 1},
    [DNN_DST] = {DNNL_ARG_DST, dnnl_query_dst_md, 0},
    [DNN_DIFF_SRC] = {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0},
    [DNN_DIFF_WEIGHTS] = {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0},
    [DNN_DIFF_BIAS] = {DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md, 1},
    [DNN_DIFF_DST] = {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0},
    [DNN_SCRATCH] = {DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0},
};

void dnn_op_destroy(struct dnn_op *op)
{
    if (!op)
        return;
    for (int i = 0; i < DNN_ARGS; i++) {
        if (op->memory[i])
            dnnl_memory_destroy(op->memory[i]);
        dnn_layout_destroy(op->layout[i]);
    }
    if (op->primitive)
        dnnl_primitive_destroy(op->primitive);
    free(op);
}

/* Takes pd: the primitive, and a memory object for each argument it has. */
static struct dnn_op *op_create(struct dnn *d, const char *what, dnnl_primitive_desc_t pd,
                                struct err *e)
{
    struct dnn_op *op = calloc(1, sizeof *op);
    dnnl_status_t s = op ? dnnl_primitive_create(&op->primitive, pd) : dnnl_out_of_memory;

    for (int i = 0; i < DNN_ARGS && s == dnnl_success; i++) {
        md_ref m = dnnl_primitive_desc_query_md(pd, args[i].query, args[i].index);

        if (!m || dnnl_memory_desc_get_size(m) == 0)
            continue;
        op->layout[i] = layout_of(m, e);
        s = op->layout[i] ? dnnl_memory_create(&op->memory[i], m, d->engine, DNNL_MEMORY_NONE)
                          : dnnl_out_of_memory;
    }
    if (s == dnnl_success) {
        op->dnn = d;
        op->what = what;
        dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &op->how);
    } else {
        err_set(e, "oneDNN cannot create a primitive (status %d)", (int)s);
        dnn_op_destroy(op);
        op = NULL;
    }
    dnnl_primitive_desc_destroy(pd);
    return op;
}

/* Scratch memory from the caller, what follows the operation, adding to dst. */
static dnnl_primitive_attr_t attr_create(enum dnn_post post, float alpha, bool add)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(&attr);

    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (s == dnnl_success)
        s = dnnl_post_ops_create(&ops);
    if (s == dnnl_success && add)
        s = post_sum(ops);
    if (s == dnnl_success && post == DNN_POST_LEAKY)
        s = post_eltwise(ops, dnnl_eltwise_relu, alpha);
    if (s == dnnl_success && post == DNN_POST_TANH)
        s = post_eltwise(ops, dnnl_eltwise_tanh, 0);
    if (s == dnnl_success && post == DNN_POST_SIGMOID)
        s = post_eltwise(ops, dnnl_eltwise_logistic, 0);
    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_post_ops(attr, ops);
    if (ops)
        dnnl_post_ops_destroy(ops);
    if (s == dnnl_success)
        return attr;
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return NULL;
}

static dnnl_status_t conv_pd(dnnl_primitive_desc_t *pd, struct dnn *d, const struct dnn_conv *c,
                             dnnl_prop_kind_t prop, dnnl_primitive_desc_t hint)
{
    struct conv_geometry g;
    bool forward = prop == dnnl_forward_training || prop == dnnl_forward_inference;
    dnnl_primitive_attr_t attr = attr_create(forward ? c->post : DNN_POST_NONE, c->alpha, false);

    if (!attr)
        return dnnl_out_of_memory;
    for (int i = 0; i < 3; i++) {
        g.stride[i] = c->stride[i];
        g.dilate[i] = c->between[i];
        g.before[i] = c->before[i];
        g.after[i] = c->after[i];
    }
    dnnl_status_t s =
        pd_conv(pd, d, prop, ref_of(&c->src->md), ref_of(&c->weights->md),
                c->bias ? ref_of(&c->bias->md) : NULL, ref_of(&c->dst->md), &g, attr, hint);
    dnnl_primitive_attr_destroy(attr);
    return s;
}

/* The forward pass that a backward one belongs to: its weights have the type
 * of what it multiplies, also where their gradient is float32. */
static dnnl_status_t conv_hint(dnnl_primitive_desc_t *hint, struct dnn *d, const struct dnn_conv *c)
{
    struct dnn_conv forward = *c;
    struct dnn_layout weights;
    dnnl_dims_t dims;
    dnnl_data_type_t type;
    int nd;

    md_size(ref_of(&c->src->md), &nd, dims, &type);
    dnnl_data_type_t src_type = type;
    md_size(ref_of(&c->weights->md), &nd, dims, &type);
    dnnl_status_t s = md_make(&weights.md, nd, dims, src_type, dnnl_format_tag_any);
    if (s != dnnl_success)
        return s;
    forward.weights = &weights;
    forward.post = DNN_POST_NONE;
    s = conv_pd(hint, d, &forward, dnnl_forward_training, NULL);
    md_free(&weights.md);
    return s;
}

/* oneDNN 3.2 to 3.13 at least: "jit_bf16" adds memory that it never wrote to
 * the weight gradients of maps that are less deep than the kernel but for a
 * depth of 1 (16 to 16 channels, kernel 3^3, maps 2 x H x W: off by 0.8 of
 * their norm and more, by what the scratch memory happens to hold). */
static bool is_shallow(const struct dnn_conv *c)
{
    dnnl_dims_t kernel, map;
    dnnl_data_type_t type;
    int nd;

    md_size(ref_of(&c->weights->md), &nd, kernel, &type);
    md_size(ref_of(&c->dst->md), &nd, map, &type);
    return nd == 5 && map[2] > 1 && map[2] < kernel[2];
}

static const char *conv_name(dnnl_prop_kind_t prop)
{
    return prop == dnnl_backward_data      ? "data gradient"
           : prop == dnnl_backward_weights ? "weight gradient"
                                           : "convolution";
}

static struct dnn_op *conv_create(struct dnn *d, const struct dnn_conv *c, dnnl_prop_kind_t prop,
                                  struct err *e)
{
    bool forward = prop == dnnl_forward_training || prop == dnnl_forward_inference;
    dnnl_primitive_desc_t pd = NULL, hint = NULL;
    dnnl_status_t s = dnnl_success;

    if (!forward)
        s = conv_hint(&hint, d, c);
    if (s == dnnl_success)
        s = conv_pd(&pd, d, c, prop, hint);
    if (s == dnnl_success && prop == dnnl_backward_weights && is_shallow(c) &&
        (s = pd_without(pd, "jit_bf16")) != dnnl_success)
        dnnl_primitive_desc_destroy(pd);
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    if (s == dnnl_success)
        return op_create(d, conv_name(prop), pd, e);
    err_set(e, "oneDNN %s has no such convolution (status %d)", dnn_version(), (int)s);
    return NULL;
}

struct dnn_op *dnn_conv_forward(struct dnn *d, const struct dnn_conv *c, struct err *e)
{
    return conv_create(d, c, c->training ? dnnl_forward_training : dnnl_forward_inference, e);
}

struct dnn_op *dnn_conv_data(struct dnn *d, const struct dnn_conv *c, struct err *e)
{
    return conv_create(d, c, dnnl_backward_data, e);
}

struct dnn_op *dnn_conv_weights(struct dnn *d, const struct dnn_conv *c, struct err *e)
{
    return conv_create(d, c, dnnl_backward_weights, e);
}

struct dnn_op *dnn_matmul(struct dnn *d, const struct dnn_layout *src,
                          const struct dnn_layout *weights, const struct dnn_layout *bias,
                          const struct dnn_layout *dst, bool add, struct err *e)
{
    dnnl_primitive_attr_t attr = attr_create(DNN_POST_NONE, 0, add);
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t s = dnnl_out_of_memory;

    if (attr) {
        s = pd_matmul(&pd, d, ref_of(&src->md), ref_of(&weights->md),
                      bias ? ref_of(&bias->md) : NULL, ref_of(&dst->md), attr);
        dnnl_primitive_attr_destroy(attr);
    }
    if (s == dnnl_success)
        return op_create(d, "product", pd, e);
    err_set(e, "oneDNN %s has no such matrix product (status %d)", dnn_version(), (int)s);
    return NULL;
}

struct dnn_op *dnn_reorder(struct dnn *d, const struct dnn_layout *from,
                           const struct dnn_layout *to, bool add, struct err *e)
{
    dnnl_primitive_attr_t attr = attr_create(DNN_POST_NONE, 0, add);
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t s = dnnl_out_of_memory;

    if (attr) {
        s = dnnl_reorder_primitive_desc_create(&pd, ref_of(&from->md), d->engine, ref_of(&to->md),
                                               d->engine, attr);
        dnnl_primitive_attr_destroy(attr);
    }
    if (s == dnnl_success)
        return op_create(d, "reorder", pd, e);
    err_set(e, "oneDNN %s has no such reorder (status %d)", dnn_version(), (int)s);
    return NULL;
}

const struct dnn_layout *dnn_op_layout(const struct dnn_op *op, enum dnn_arg arg)
{
    return op->layout[arg];
}

size_t dnn_op_scratch(const struct dnn_op *op)
{
    return op->layout[DNN_SCRATCH] ? dnn_layout_bytes(op->layout[DNN_SCRATCH]) : 0;
}

const char *dnn_op_what(const struct dnn_op *op)
{
    return op->what;
}

const char *dnn_op_how(const struct dnn_op *op)
{
    return op->how;
}

bool dnn_op_is_reference(const struct dnn_op *op)
{
    return strncmp(op->how, "ref", 3) == 0;
}

int dnn_run(struct dnn_op *op, void *const at[DNN_ARGS], struct err *e)
{
    dnnl_exec_arg_t list[DNN_ARGS];
    int n = 0;

    for (int i = 0; i < DNN_ARGS; i++) {
        if (!op->memory[i])
            continue;
        /* 2.x would write zeros into the padding through a stream of its own */
        dnnl_memory_set_data_handle(op->memory[i], at[i]);
        list[n++] = (dnnl_exec_arg_t){args[i].arg, op->memory[i]};
    }
    dnnl_status_t s = dnnl_primitive_execute(op->primitive, op->dnn->stream, n, list);
    if (s == dnnl_success)
        s = dnnl_stream_wait(op->dnn->stream);
    return s == dnnl_success ? 0 : err_set(e, "oneDNN's %s fails (status %d)", op->how, (int)s);
}
