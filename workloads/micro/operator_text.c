/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, rules and sizes of operators, from their shapes alone. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "workloads/micro/operator_inner.h"

const char *operator_name(enum operator_kind kind)
{
    static const char *const names[OPERATOR_KINDS] = {
        "conv", "deconv", "pool", "gemm", "attention", "norm", "act", "loss", "optimizer"};

    return names[kind];
}

const char *operator_what(const struct operator_shape *s)
{
    static const char *const rules[OPTIMIZER_COUNT] = {"sgd", "adam", "adamw", "rmsprop", "lamb"};

    switch (s->kind) {
    case OPERATOR_CONV:
        if (s->op == OP_DEPTHWISE)
            return "depthwise";
        return s->x.n == 5 ? "3-D" : "2-D";
    case OPERATOR_DECONV:
        return s->x.n == 5 ? "3-D" : "2-D";
    case OPERATOR_POOL:
        return s->op == OP_MAXPOOL ? "max" : "average";
    case OPERATOR_ATTENTION:
        return "heads";
    case OPERATOR_NORM:
        return s->op == OP_LAYER_NORM ? "layer" : "batch";
    case OPERATOR_ACT:
        return s->op == OP_GELU        ? "gelu"
               : s->act == ACT_TANH    ? "tanh"
               : s->act == ACT_SIGMOID ? "sigmoid"
               : s->factor > 0         ? "leaky relu"
                                       : "relu";
    case OPERATOR_LOSS:
        return s->op == OP_CROSS_ENTROPY ? "cross-entropy"
               : s->op == OP_BCE         ? "bce"
               : s->op == OP_SMOOTH_L1   ? "smooth l1"
                                         : "mse";
    case OPERATOR_OPTIMIZER:
        return rules[s->rule];
    default:
        return "dense";
    }
}

const struct optimizer *operator_rule(enum optimizer_kind rule)
{
    static const struct optimizer rules[OPTIMIZER_COUNT] = {
        [OPTIMIZER_SGD] = {.kind = OPTIMIZER_SGD, .momentum = 0.9f},
        [OPTIMIZER_ADAM] = {.kind = OPTIMIZER_ADAM, OPTIMIZER_ADAM_COMMON},
        [OPTIMIZER_ADAMW] = {.kind = OPTIMIZER_ADAMW, OPTIMIZER_ADAM_COMMON, .weight_decay = 0.01f},
        [OPTIMIZER_RMSPROP] = {.kind = OPTIMIZER_RMSPROP, OPTIMIZER_RMSPROP_COMMON},
        [OPTIMIZER_LAMB] = {.kind = OPTIMIZER_LAMB, OPTIMIZER_LAMB_COMMON, .weight_decay = 0.01f},
    };

    return &rules[rule];
}

/* ---- "4x32x56x56 64 3x3 s1 p1" ---------------------------------------- */

enum { TEXT = 64 };

static void add(char *text, const char *before, long v)
{
    size_t at = strlen(text);

    snprintf(text + at, TEXT - at, "%s%ld", before, v);
}

/* "3x3", or "3" where all are the same and short is wanted; of the window's dimensions. */
static void add_sizes(char *text, const char *before, const int *v, int n, bool always)
{
    bool same = true;

    for (int i = 1; i < n; i++)
        same &= v[i] == v[0];
    for (int i = 0; i < n && (always || !same || i == 0); i++)
        add(text, i ? "x" : before, v[i]);
}

static bool all_are(const int *v, int n, int what)
{
    for (int i = 0; i < n; i++)
        if (v[i] != what)
            return false;
    return true;
}

static void add_window(char *text, const struct operator_shape *s)
{
    const struct window *w = &s->win;
    const int n = s->x.n - 2;

    add_sizes(text, " ", w->kernel, n, true);
    if (!all_are(w->stride, n, 1) && !all_are(w->stride, n, 0))
        add_sizes(text, " s", w->stride, n, false);
    if (!all_are(w->before, n, 0) || !all_are(w->after, n, 0))
        add_sizes(text, " p", w->before, n, false);
    if (memcmp(w->before, w->after, (size_t)n * sizeof *w->before) != 0)
        add_sizes(text, "/", w->after, n, false);
    if (!all_are(w->dilation, n, 1) && !all_are(w->dilation, n, 0))
        add_sizes(text, " d", w->dilation, n, false);
}

void operator_text(const struct operator_shape *s, char text[TEXT])
{
    text[0] = '\0';
    if (s->kind == OPERATOR_OPTIMIZER) {
        add(text, "", s->w.d[0]);
        return;
    }
    if (s->kind == OPERATOR_ATTENTION) { /* samples, tokens, D, heads */
        add(text, "", s->x.d[0]);
        add(text, "x", s->x.d[2]);
        add(text, "x", s->x.d[1] / 3);
        add(text, " h", s->heads);
        return;
    }
    for (int i = 0; i < s->x.n; i++)
        add(text, i ? "x" : "", s->x.d[i]);
    if (s->kind == OPERATOR_CONV || s->kind == OPERATOR_GEMM)
        add(text, " ", s->w.d[0]);
    if (s->kind == OPERATOR_DECONV)
        add(text, " ", s->w.d[1]);
    if (s->kind <= OPERATOR_POOL)
        add_window(text, s);
}

/* ---- sizes ------------------------------------------------------------ */

bool operator_has_bf16(const struct operator_shape *s)
{
    /* losses and updates are always float32 */
    return s->kind != OPERATOR_LOSS && s->kind != OPERATOR_OPTIMIZER;
}

/* Places of the output, or of a transposed convolution's input: those at which the
 * whole kernel is applied. */
static double places(const struct operator_shape *s)
{
    double n = 1;

    for (int i = 2; i < s->x.n; i++) {
        long stride = s->win.stride[i - 2] ? s->win.stride[i - 2] : 1;
        long apart = s->win.dilation[i - 2] ? s->win.dilation[i - 2] : 1;
        long span = (s->win.kernel[i - 2] - 1) * apart + 1;
        long room = s->x.d[i] + s->win.before[i - 2] + s->win.after[i - 2] - span;
        n *= s->kind == OPERATOR_DECONV ? (double)s->x.d[i] : (double)(room / stride + 1);
    }
    return n;
}

static double count(const struct shape *s)
{
    return s->n ? (double)shape_count(s) : 0;
}

double operator_work(const struct operator_shape *s)
{
    switch (s->kind) {
    case OPERATOR_CONV:
    case OPERATOR_DECONV:
    case OPERATOR_GEMM:
        return (double)s->x.d[0] * places(s) * count(&s->w);
    case OPERATOR_ATTENTION: /* forward: two products of all pairs of tokens */
        return 2 * (double)s->x.d[2] * count(&s->x) / 3;
    case OPERATOR_OPTIMIZER:
        return count(&s->w);
    default:
        return count(&s->x);
    }
}

double operator_values(const struct operator_shape *s)
{
    double x = count(&s->x), out = x;

    if (s->kind == OPERATOR_OPTIMIZER)
        return 5 * count(&s->w);
    if (s->kind == OPERATOR_CONV || s->kind == OPERATOR_GEMM)
        out = (double)s->x.d[0] * (double)s->w.d[0] * places(s);
    if (s->kind == OPERATOR_DECONV) {
        out = (double)s->x.d[0] * (double)s->w.d[1];
        for (int i = 2; i < s->x.n; i++)
            out *= (double)s->x.d[i] * (s->win.stride[i - 2] ? s->win.stride[i - 2] : 1);
    }
    if (s->kind == OPERATOR_POOL)
        out = (double)s->x.d[0] * (double)s->x.d[1] * places(s);
    return x + out + count(&s->w);
}

/* Values and gradients, each plain and in the back end's layout, and as the check has
 * them: some eight copies of float32. */
double operator_bytes(const struct operator_shape *s)
{
    return 8 * sizeof(float) * operator_values(s);
}
