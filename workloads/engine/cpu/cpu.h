/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the CPU back end: how tensors lie, what a node keeps, and the row of
 * each operator. cpu.c has the table, cpu_conv.c, cpu_depthwise.c, cpu_dense.c,
 * cpu_value.c and cpu_tokens.c the operators, cpu_format.c the layouts.
 *
 * Life:    formats and nodes live from prepare() to release() of cpu.c.
 * Failure: -1 or NULL and one sentence.
 * Threads: as engine.h.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "workloads/engine/cpu/kernel_cell.h"
#include "workloads/engine/cpu/kernel_depthwise.h"
#include "workloads/engine/cpu/kernel_map.h"
#include "workloads/engine/cpu/kernel_norm.h"
#include "workloads/engine/cpu/kernel_pool.h"
#include "workloads/engine/cpu/kernel_unfold.h"
#include "workloads/engine/cpu/kernel_wgrad.h"
#include "workloads/engine/cpu/onednn.h"
#include "workloads/engine/plan.h"

/* How a tensor lies: buffer.format. A value and its gradient share one. */
struct format {
    struct dnn_layout *layout;
    struct map map;
};

/* What a node keeps: node.priv. Operations that it does not need are NULL. */
enum { OPS_MAX = 12 };

struct piece {
    size_t at, bytes;
};

struct cpu_node {
    struct dnn_op *op[OPS_MAX];  /* meaning: by operator, in its file */
    struct piece piece[OPS_MAX]; /* parts of scratch: likewise */
    struct copy *weights[2];     /* likewise */
    struct pool pool;
    struct cells cells;
    struct depthwise depthwise;
    struct wgrad wgrad;
    struct unfold unfold;
};

struct cpu_node *cpu_node_of(struct node *n);

/* ---- an operator ------------------------------------------------------ */

typedef int cpu_run_fn(const struct exec *x, struct node *n, struct err *e);

struct cpu_row {
    int (*prepare)(struct dnn *d, struct node *n, struct err *e);
    cpu_run_fn *run[PASS_COUNT];
};

/* The library's operation that does the work of a pass; NULL: an own kernel. */
typedef const struct dnn_op *cpu_library_fn(const struct node *n, enum pass pass);
cpu_library_fn cpu_conv_library, cpu_dense_library;

extern const struct cpu_row cpu_conv, cpu_depthwise, cpu_dense, cpu_maxpool, cpu_avgpool,
    cpu_upsample, cpu_batch_norm, cpu_act, cpu_scale, cpu_flatten, cpu_dropout, cpu_add, cpu_mul,
    cpu_concat, cpu_slice, cpu_stop, cpu_loss, cpu_cast, cpu_patches, cpu_unpatch, cpu_positions,
    cpu_layer_norm, cpu_gelu, cpu_attention;

int cpu_nothing_prepare(struct dnn *d, struct node *n, struct err *e);

/* Of a node with two inputs: op[to] brings the second one into the layout of the
 * first, op[back] the other way; *bytes: what that takes. Both lie alike: no
 * operations, 0 bytes. */
int cpu_second_prepare(struct dnn *d, struct node *n, int to, int back, size_t *bytes,
                       struct err *e);

/* In place, the gradient behind the epilogue becomes that before it. */
cpu_run_fn cpu_epilogue_grad;

/* ---- how tensors lie -------------------------------------------------- */

struct dnn_layout *cpu_layout_create(const struct shape *s, enum tensor_dtype dtype,
                                     enum dnn_kind kind, struct err *e);

/* Whether the tensor has a format at all, or is row major by the rules. */
bool cpu_has_format(const struct tensor *t);

/* Gives the tensor that layout, which is copied. */
int cpu_set_layout(struct tensor *t, const struct dnn_layout *l, struct err *e);
int cpu_set_kind(struct tensor *t, enum dnn_kind kind, struct err *e);

/* An input lies as its first reader wants it; one that does not care gets it
 * row major. */
int cpu_settle(struct tensor *t, struct err *e);

struct map cpu_map(const struct tensor *t);
enum dnn_kind cpu_kind(const struct tensor *t);
size_t cpu_count(const struct tensor *t);

/* A layout of the caller's own, of a tensor as it lies. */
struct dnn_layout *cpu_layout(const struct tensor *t, struct err *e);

/* Sizes of a window's ends in three dimensions; two are three with size 1. */
void cpu_window_sizes(const struct node *n, long I[3], long Q[3], long K[3], long S[3], long P[3]);

/* The node reads its weights as that layout says. */
struct copy *cpu_copy(struct dnn *d, struct node *n, const struct dnn_layout *l, struct err *e);
int cpu_copy_refresh(const struct exec *x, const struct copy *c, struct err *e);
void cpu_copy_forget(struct copy *c);
/* What makes it. */
const struct dnn_op *cpu_copy_op(const struct copy *c);

/* The next piece of a buffer, and where it is. */
void cpu_piece_add(struct buffer *b, struct piece *p, size_t bytes);
void *cpu_piece(const struct exec *x, const struct buffer *b, const struct piece *p);

#endif
