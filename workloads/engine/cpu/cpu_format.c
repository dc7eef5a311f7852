/* SPDX-License-Identifier: BSD-3-Clause */
/* How tensors lie on the CPU: see cpu.h. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

#include <stdlib.h>

static enum dnn_type cpu_type(enum tensor_dtype dtype)
{
    return dtype == TENSOR_BF16 ? DNN_BF16 : DNN_F32;
}

struct dnn_layout *cpu_layout_create(const struct shape *s, enum tensor_dtype dtype,
                                     enum dnn_kind kind, struct err *e)
{
    return dnn_layout_create(cpu_type(dtype), s->n, s->d, kind, e);
}

static long block_of(enum dnn_kind kind, long C)
{
    switch (kind) {
    case DNN_LAST:
        return C;
    case DNN_BLOCK16:
        return 16;
    case DNN_BLOCK8:
        return 8;
    default:
        return 1;
    }
}

static struct map map_of(const struct shape *s, enum tensor_dtype dtype, enum dnn_kind kind)
{
    struct map m = {.N = s->d[0], .C = s->n > 1 ? s->d[1] : 1, .S = 1, .dtype = dtype};

    for (int i = 2; i < s->n; i++)
        m.S *= s->d[i];
    m.b = block_of(kind, m.C);
    m.B = (m.C + m.b - 1) / m.b;
    return m;
}

bool cpu_has_format(const struct tensor *t)
{
    return !t->plain && t->shape.n > 2;
}

int cpu_set_layout(struct tensor *t, const struct dnn_layout *l, struct err *e)
{
    struct format *f = calloc(1, sizeof *f);

    if (!f)
        return err_set(e, "out of memory for the layout of a tensor");
    f->layout = dnn_layout_copy(l, e);
    if (!f->layout) {
        free(f);
        return -1;
    }
    f->map = map_of(&t->shape, t->dtype, dnn_layout_kind(l));
    t->value.format = f;
    t->value.bytes = dnn_layout_bytes(l);
    if (t->needs_grad) {
        t->grad.format = f;
        t->grad.bytes = t->value.bytes;
    }
    return 0;
}

int cpu_set_kind(struct tensor *t, enum dnn_kind kind, struct err *e)
{
    struct dnn_layout *l = cpu_layout_create(&t->shape, t->dtype, kind, e);
    int rc = l ? cpu_set_layout(t, l, e) : -1;

    dnn_layout_destroy(l);
    return rc;
}

int cpu_settle(struct tensor *t, struct err *e)
{
    return cpu_has_format(t) && !t->value.format ? cpu_set_kind(t, DNN_PLAIN, e) : 0;
}

struct map cpu_map(const struct tensor *t)
{
    const struct format *f = t->value.format;

    return f ? f->map : map_of(&t->shape, t->dtype, DNN_PLAIN);
}

enum dnn_kind cpu_kind(const struct tensor *t)
{
    const struct format *f = t->value.format;

    return f ? dnn_layout_kind(f->layout) : DNN_PLAIN;
}

struct dnn_layout *cpu_layout(const struct tensor *t, struct err *e)
{
    const struct format *f = t->value.format;

    return f ? dnn_layout_copy(f->layout, e) : cpu_layout_create(&t->shape, t->dtype, DNN_PLAIN, e);
}

size_t cpu_count(const struct tensor *t)
{
    struct map m = cpu_map(t);

    return map_count(&m);
}

void cpu_piece_add(struct buffer *b, struct piece *p, size_t bytes)
{
    p->at = b->bytes;
    p->bytes = bytes;
    b->bytes += (bytes + 63) / 64 * 64;
}

void *cpu_piece(const struct exec *x, const struct buffer *b, const struct piece *p)
{
    return (char *)exec_at(x, b) + p->at;
}

struct cpu_node *cpu_node_of(struct node *n)
{
    return n->priv;
}

void cpu_window_sizes(const struct node *n, long I[3], long Q[3], long K[3], long S[3], long P[3])
{
    const struct shape *in = &n->in[0]->shape, *out = &n->out[0]->shape;
    int skip = 5 - in->n;

    for (int i = 0; i < 3; i++) {
        bool real = i >= skip;

        I[i] = real ? in->d[2 + i - skip] : 1;
        Q[i] = real ? out->d[2 + i - skip] : 1;
        K[i] = real ? n->window.kernel[i - skip] : 1;
        S[i] = real ? n->window.stride[i - skip] : 1;
        P[i] = real ? n->window.before[i - skip] : 0;
    }
}
