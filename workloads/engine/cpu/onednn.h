/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * oneDNN behind one small interface: version 2.x (operation descriptors,
 * memory descriptors by value) and 3.x (primitive descriptors, opaque memory
 * descriptors). Only onednn.c sees the library.
 *
 * A *layout* says how the values of a tensor lie in memory. An *operation* is
 * a primitive, created once, with its memory objects; their addresses are
 * given at each run. Scratch memory is the caller's.
 *
 * Life:    objects are heap; *_destroy(NULL) is a no-op. An operation copies
 *          the layouts it is made of; dnn_op_layout() is borrowed from it.
 * Failure: NULL or -1 and a sentence with oneDNN's status in it.
 * Threads: one thread at a time; operations run on the OpenMP threads that
 *          were set when they were created.
 */
#ifndef CPU_ONEDNN_H
#define CPU_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"

enum { DNN_DIMS = 5 };

enum dnn_type { DNN_F32, DNN_BF16 };

/* N C [D] H W in memory: row major; channels last; blocks of 16 or 8 channels,
 * the last one padded with zeros (N C/16 [D] H W 16c); anything else. ANY lets
 * an operation choose. TRANSPOSED: 2 dimensions, the first one fastest. */
enum dnn_kind { DNN_PLAIN, DNN_LAST, DNN_BLOCK16, DNN_BLOCK8, DNN_TRANSPOSED, DNN_ANY, DNN_OTHER };

struct dnn_layout;

/* nd 1 to 5; LAST and BLOCK with nd 4 or 5 only. */
struct dnn_layout *dnn_layout_create(enum dnn_type type, int nd, const long *dims,
                                     enum dnn_kind kind, struct err *e);
struct dnn_layout *dnn_layout_copy(const struct dnn_layout *l, struct err *e);
void dnn_layout_destroy(struct dnn_layout *l);
size_t dnn_layout_bytes(const struct dnn_layout *l);
bool dnn_layout_equal(const struct dnn_layout *a, const struct dnn_layout *b);
/* The first kind above that describes it. */
enum dnn_kind dnn_layout_kind(const struct dnn_layout *l);

/* The library's engine and stream on the host. */
struct dnn;
struct dnn *dnn_open(struct err *e);
void dnn_close(struct dnn *d);
/* "2.6.3", as loaded. Static. */
const char *dnn_version(void);

/* Arguments of an operation. A reorder goes from SRC to DST. */
enum dnn_arg {
    DNN_SRC,
    DNN_WEIGHTS,
    DNN_BIAS,
    DNN_DST,
    DNN_DIFF_SRC,
    DNN_DIFF_WEIGHTS,
    DNN_DIFF_BIAS,
    DNN_DIFF_DST,
    DNN_SCRATCH,
    DNN_ARGS
};

struct dnn_op;

/* y > 0 ? y : alpha y, tanh, or 1 / (1 + e^-y), behind the operation. */
enum dnn_post { DNN_POST_NONE, DNN_POST_LEAKY, DNN_POST_TANH, DNN_POST_SIGMOID };

/* A convolution: src N C [D] H W, weights O C [KD] KH KW, bias O or NULL,
 * dst N O [D] H W. Layouts may be ANY. By dimension: stride, padding, and how many
 * places lie between neighbouring taps (0: none, not dilated). */
struct dnn_conv {
    const struct dnn_layout *src, *weights, *bias, *dst;
    long stride[3], before[3], after[3], between[3];
    bool training;
    enum dnn_post post; /* forward only */
    float alpha;
};
struct dnn_op *dnn_conv_forward(struct dnn *d, const struct dnn_conv *c, struct err *e);
/* dst is the gradient that comes in (DIFF_DST), src the one that goes out
 * (DIFF_SRC). */
struct dnn_op *dnn_conv_data(struct dnn *d, const struct dnn_conv *c, struct err *e);
/* Reads SRC and DIFF_DST; weights and bias are DIFF_WEIGHTS, DIFF_BIAS. */
struct dnn_op *dnn_conv_weights(struct dnn *d, const struct dnn_conv *c, struct err *e);

/* dst M x N (+)= src M x K times weights K x N, + bias 1 x N or NULL. */
struct dnn_op *dnn_matmul(struct dnn *d, const struct dnn_layout *src,
                          const struct dnn_layout *weights, const struct dnn_layout *bias,
                          const struct dnn_layout *dst, bool add, struct err *e);

/* Copies from one layout to another of the same dimensions, converting the
 * type; padding becomes zero. add: adds instead. */
struct dnn_op *dnn_reorder(struct dnn *d, const struct dnn_layout *from,
                           const struct dnn_layout *to, bool add, struct err *e);

void dnn_op_destroy(struct dnn_op *op);
/* What the operation wants for that argument; NULL when it has none. */
const struct dnn_layout *dnn_op_layout(const struct dnn_op *op, enum dnn_arg arg);
size_t dnn_op_scratch(const struct dnn_op *op);
/* "data gradient"; and the library's name for the implementation. */
const char *dnn_op_what(const struct dnn_op *op);
const char *dnn_op_how(const struct dnn_op *op);
/* Whether that is a loop to check the others with, a thousand times slower. */
bool dnn_op_is_reference(const struct dnn_op *op);

/* at: an address for every argument that the operation has. */
int dnn_run(struct dnn_op *op, void *const at[DNN_ARGS], struct err *e);

#endif
