/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine is to a back end, and a back end to the engine.
 *
 * engine_compile() hands a back end the whole graph: nodes in order of
 * execution, tensors with logical shapes (channels first). In prepare() the
 * back end walks it once and writes, into each tensor, the bytes and format
 * of its value and of its gradient, and, into each node, the bytes of what it
 * needs beside them. Formats are the back end's own business (a oneDNN memory
 * descriptor with `any` propagated from layer to layer); the engine only plans
 * bytes. Then the engine makes the list of instructions (node, pass), plans
 * one arena by liveness over it, and in a step calls run() for one
 * instruction after the other with no allocation in between.
 *
 * Rules that a back end keeps
 *  - run() writes every byte of its outputs that anybody will read, also the
 *    padding of blocked formats: memory is reused and never cleared.
 *  - It reads and writes only what is listed under enum pass below: the plan
 *    is made of that list and nothing else.
 *  - Offsets are asked anew in every run(): a tensor may move in a step.
 *  - Results depend on the inputs and on the number of threads only.
 *  - A `plain` tensor is row major in its dtype, channels first, and so is
 *    every tensor with at most 2 dimensions: value and gradient. Leave their
 *    format NULL. A plain tensor with more dimensions is made only by
 *    OP_INPUT, OP_CAST and OP_HOST, and read only by OP_CAST and by islands:
 *    OP_HOST and the losses, whose inputs are always plain float32.
 *  - Gradients of parameters are plain float32 in the parameter's shape:
 *    written when !param->has_gradient, else added to (a bias likewise).
 *  - The nodes OP_HOST are not the back end's: the engine runs them.
 *
 * Life:    prepare() may allocate; release() frees it. open/close bracket a
 *          model. All else lives in the arena.
 * Failure: -1 and a sentence.
 * Threads: called by the model's one thread; exec->threads OpenMP threads,
 *          which the engine has set with omp_set_num_threads().
 */
#ifndef ENGINE_BACKEND_H
#define ENGINE_BACKEND_H

#include "workloads/engine/engine.h"
#include "workloads/philox.h"

enum op {
    OP_INPUT,
    OP_CONV,
    OP_DECONV,
    OP_DEPTHWISE,
    OP_MAXPOOL,
    OP_AVGPOOL,
    OP_UPSAMPLE,
    OP_BATCH_NORM, /* in: x[, z that is added behind it] */
    OP_ACT,        /* out = act(in) */
    OP_SCALE,      /* out = factor x in */
    OP_FLATTEN,
    OP_DENSE,
    OP_DROPOUT,
    OP_ADD,
    OP_MUL,
    OP_CONCAT,
    OP_SLICE,
    OP_STOP, /* stop-gradient */
    OP_PATCHES,
    OP_UNPATCH,
    OP_POSITIONS,
    OP_LAYER_NORM,
    OP_GELU,
    OP_ATTENTION,
    OP_MSE, /* in: x, target[, weight] */
    OP_MAE,
    OP_BCE,
    OP_SMOOTH_L1,
    OP_CROSS_ENTROPY,
    OP_CAST, /* other dtype and / or between plain and the back end's format */
    OP_HOST,
    OP_COUNT
};
const char *op_name(enum op op);

/* LEAKY with slope 0 is ReLU. All are invertible enough that their derivative
 * follows from their *output*: y > 0 ? 1 : slope, 1 - y^2, and y (1 - y).
 * SIGMOID makes 0.5 of 0: who writes it clears the padding of blocks again. */
enum act { ACT_NONE, ACT_LEAKY, ACT_TANH, ACT_SIGMOID };

/* What one instruction reads and writes:
 *
 * FORWARD  reads in[].value, masters or the node's `copies`; writes
 *          out[].value, work; uses scratch[FORWARD].
 * ACT      only for a node with an epilogue (node->act) and separate_act:
 *          reads out.value; changes out.grad *in place* into the gradient of
 *          the epilogue's input. Comes before the other two.
 * WEIGHTS  reads in[0].value (but POSITIONS, whose row says `shifts`), out.grad, work;
 *          writes the gradients of weight and bias; uses scratch[WEIGHTS]. Only when node->weights_wanted.
 * DATA     reads out.grad, work, in[].value if needs_in, out.value if
 *          needs_out; writes node->in_grad[i] where that is not NULL; uses
 *          scratch[DATA]. Without separate_act (a max-pool's prepare() may clear
 *          it) it also does the epilogue and reads out.value.
 *
 * STATS    only for an operator that sums over ranks, before FORWARD, in TRAIN:
 *          reads in[0].value; writes `sums`, doubles of this rank, which the
 *          engine then sums over the ranks; FORWARD reads them.
 * SUMS     likewise before WEIGHTS and DATA: reads in[0].value, out.value if it
 *          has an epilogue, work; changes out.grad in place into the gradient
 *          before the epilogue (there is no ACT); writes `back`. WEIGHTS reads
 *          this rank's, DATA those of all.
 *
 * WEIGHTS comes before DATA, so that the exchange starts early. */
enum pass { PASS_FORWARD, PASS_ACT, PASS_WEIGHTS, PASS_DATA, PASS_STATS, PASS_SUMS, PASS_COUNT };

/* A piece of the arena. */
struct buffer {
    size_t bytes;  /* 0: none */
    void *format;  /* the back end's; NULL: plain */
    size_t offset; /* from exec->arena; set by the plan, 64-byte aligned */
    int slot;      /* the plan's */
};

struct tensor {
    struct graph *graph;
    int id;
    struct shape shape;      /* with the batch; channels first */
    enum tensor_dtype dtype; /* decided before prepare() */
    enum host_layout layout; /* OP_INPUT: how it is fed */
    struct node *producer;
    int n_uses;  /* nodes that read it */
    bool plain;  /* see the rules above */
    bool output; /* read after forward */
    bool want_grad;
    bool fed;        /* OP_INPUT: since begin; engine's */
    bool f32;        /* marked keep_f32 */
    bool needs_grad; /* a gradient is computed (the graph has a loss) */
    /* bytes are preset for the plain layout; prepare() changes them. Where
     * needs_grad is false, grad.bytes is 0 and stays it. */
    struct buffer value, grad;
    int parts;              /* contributions to the gradient; engine's */
    struct tensor *read_as; /* its plain float32 twin that is read; engine's */
    bool recompute;         /* marked; what follows is the engine's: */
    int remade_at;          /* instruction that makes the value again; 0: none */
    struct buffer again;    /* where it is from then on */
    size_t at_first;        /* where it is before */
};

/* A parameter as a pass of a back end wants it: other layout, other type. One
 * for all nodes of all graphs of the model that want the same; made anew when
 * the parameters of its group have changed, before the first pass that reads
 * it. */
struct copy {
    struct param *param;
    void *format; /* the back end's */
    size_t bytes;
    size_t at;        /* in exec->copies */
    uint64_t version; /* of its group when it was made; engine's */
};

enum { NODE_MAX_COPIES = 2, HEAD_VALUES = 512 /* the most of a head of attention */ };

struct node {
    enum op op;
    int id;
    char name[48]; /* "conv1": that of the weight, or op and number */
    struct graph *graph;
    int n_in, n_out;
    struct tensor *in[NODE_MAX_IN];
    struct tensor *out[NODE_MAX_OUT];
    struct param *weight, *bias;
    struct window
        window; /* dimensions of its tensors; strides, dilations >= 1; PATCHES, UNPATCH: kernel */
    long heads, tokens;     /* OP_ATTENTION: and how many rows are one sample's */
    enum act act;           /* OP_ACT: what; conv, maxpool, dense: epilogue */
    float slope;            /* of ACT_LEAKY */
    float factor;           /* OP_SCALE; OP_DROPOUT: p; OP_SMOOTH_L1: beta */
    float *table;           /* OP_CROSS_ENTROPY: weight of each class, or NULL; owned */
    float eps, momentum;    /* OP_BATCH_NORM; eps: OP_LAYER_NORM too */
    bool local;             /* OP_BATCH_NORM: without the other ranks */
    struct state *state[2]; /* OP_BATCH_NORM: mean, variance */
    enum upsample upsample; /* window.stride: by how much */
    long from;              /* OP_SLICE */
    uint32_t random_id;     /* OP_DROPOUT: number among the graph's random nodes */
    const struct host_node *host;

    /* What the engine decided. */
    bool weights_wanted;                 /* weight and bias get gradients in this graph */
    struct buffer *in_grad[NODE_MAX_IN]; /* where DATA writes; NULL: not wanted */

    /* Preset from the operator's row in ops.c; prepare() may change them. */
    bool needs_in;      /* DATA reads in[].value */
    bool needs_out;     /* DATA reads out.value (ACT always does) */
    bool in_place;      /* FORWARD may write out[0] over in[0] */
    bool in_place_grad; /* DATA may write in_grad[0] over out[0].grad */
    bool alias;         /* out[0] is in[0]: same bytes and format, nothing to run */
    bool separate_act;

    /* prepare() sets these bytes, 0 when not said. */
    struct buffer work;       /* FORWARD writes, backward reads (argmax) */
    struct buffer sums, back; /* doubles of STATS and SUMS; bytes preset by the engine */
    struct buffer scratch[PASS_COUNT];
    void *priv; /* the back end's: primitives */

    struct copy *copies[NODE_MAX_COPIES]; /* what it reads; prepare() asks node_copy() */
    int n_copies;
    struct buffer scratch_again; /* scratch[FORWARD] of a second making; engine's */
};

struct param {
    struct model *model;
    char name[64];
    int group;
    struct shape shape;
    size_t count;
    struct init init;
    size_t at; /* element in masters, gradients and each moment */
    int bucket;
    bool has_gradient; /* see the rules; set by the engine after the pass */
};

struct state {
    struct model *model;
    char name[64];
    struct shape shape;
    size_t count;
    float start;
    size_t at; /* element in states */
};

/* The samples of the step, in the arena (a device gets a copy). */
struct step_block {
    int64_t rows, global_rows;
    uint64_t epoch;
    uint64_t dropout; /* philox_derive(seed, PHILOX_DROPOUT, epoch) */
    uint64_t ids[];   /* the batch; 0 past rows */
};

struct exec {
    char *arena;        /* of this graph */
    float *masters;     /* of the model, [param->at] */
    float *gradients;   /* of the model, [param->at] */
    struct buffer step; /* in the arena: struct step_block */
    float *states;      /* of the model, [state->at] */
    char *copies;       /* of the model, [copy->at] */
    long batch;
    bool train;
    int threads;
    void *context; /* what open() left */
    void *stream;  /* of a device; NULL on the host */
};

static inline void *exec_at(const struct exec *x, const struct buffer *b)
{
    return x->arena + b->offset;
}

static inline void *exec_value(const struct exec *x, const struct tensor *t)
{
    return exec_at(x, &t->value);
}

static inline void *exec_grad(const struct exec *x, const struct tensor *t)
{
    return exec_at(x, &t->grad);
}

static inline const struct step_block *exec_step(const struct exec *x)
{
    return exec_at(x, &x->step);
}

static inline void *exec_copy(const struct exec *x, const struct copy *c)
{
    return x->copies + c->at;
}

static inline float *exec_master(const struct exec *x, const struct param *p)
{
    return x->masters + p->at;
}

static inline float *exec_gradient(const struct exec *x, const struct param *p)
{
    return x->gradients + p->at;
}

/* Rows of a tensor that are real samples of this step: its first dimension
 * counts R / batch rows per sample. */
static inline long exec_rows(const struct exec *x, const struct tensor *t)
{
    return t->shape.d[0] / x->batch * (long)exec_step(x)->rows;
}

/* One range of flat parameters for an optimiser; one parameter for a rule that
 * works on whole ones (LAMB). */
struct update {
    const struct optimizer *optimizer;
    size_t n;
    float *master, *moment[2];
    const float *gradient;
    float rate;
    uint64_t step; /* of the group, this one included */
    int threads;
    void *context, *stream;
};

struct backend {
    const char *name;

    /* NULL, or why this machine cannot compute in that type. */
    const char *(*refuses)(enum tensor_dtype compute);

    /* Per model. Either may be NULL. */
    int (*open)(struct model *m, void **context, struct err *e);
    void (*close)(void *context);

    /* Whether this node (conv, maxpool, dense, no epilogue yet) can take the
     * activation that follows it as its epilogue. NULL: never. */
    bool (*fuses)(const struct node *n, enum act act, float slope);

    /* See the top. release() undoes prepare(), also one that failed half-way:
     * it walks all nodes and tensors. */
    int (*prepare)(struct graph *g, void *context, struct err *e);
    void (*release)(struct graph *g, void *context);

    /* Makes a copy from the masters. */
    int (*refresh)(const struct exec *x, const struct copy *c, struct err *e);
    /* Frees its format. */
    void (*forget)(struct copy *c);

    int (*run)(const struct exec *x, struct node *n, enum pass pass, struct err *e);

    /* Operation i of a library that the node uses: what for, and the library's
     * name of its implementation. False past the last. NULL: never. */
    bool (*how)(const struct node *n, int i, const char **what, const char **name);

    /* The library's name of what runs the pass, NULL: a kernel of the back end's own.
     * The pointer may be NULL: all are its own. */
    const char *(*implementation)(const struct node *n, enum pass pass);

    /* dst += src: two gradients of the same tensor (its dtype, grad.format). */
    int (*accumulate)(const struct exec *x, struct tensor *t, const struct buffer *dst,
                      const struct buffer *src, struct err *e);

    /* Input t (its dtype and value.format) from rows float32 samples in
     * t->layout; rows past that become zero. */
    int (*feed)(const struct exec *x, struct tensor *t, const float *data, long rows,
                struct err *e);

    /* The optimiser over a range; NULL: optim.c's, on the host. */
    int (*update)(const struct update *u, struct err *e);
};

/* The graph as a back end walks it. Arrays are in order of execution. */
struct graph_view {
    int n_nodes, n_tensors;
    struct node *const *nodes;
    struct tensor *const *tensors;
    long batch;
    bool backward; /* there is a loss */
    int threads;
};
struct graph_view graph_view(const struct graph *g);

/* The node reads p in the layout `wanted`: the model's copy for which same()
 * says so, or a new one, whose format is NULL until the caller sets it. NULL: a
 * kept sentence. */
struct copy *node_copy(struct node *n, struct param *p, size_t bytes,
                       bool (*same)(const void *format, const void *wanted), const void *wanted);

/* Bytes of a row-major tensor of that shape and type. */
size_t plain_bytes(const struct shape *s, enum tensor_dtype dtype);

extern const struct backend engine_backend_ref;
#ifdef HAVE_ONEDNN
extern const struct backend engine_backend_cpu;
#endif

/* bfloat16 in memory, round to nearest even. */
static inline uint16_t bf16_of(float f)
{
    union {
        float f;
        uint32_t u;
    } v = {f};

    if ((v.u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(v.u >> 16 | 0x40u);
    return (uint16_t)((v.u + 0x7fffu + (v.u >> 16 & 1u)) >> 16);
}

static inline float bf16_to(uint16_t h)
{
    union {
        uint32_t u;
        float f;
    } v = {(uint32_t)h << 16};

    return v.f;
}

/* Dropout's mask: words[element % 4] decides over `element` of a sample (row
 * major, channels first); keep when it is >= dropout_limit(p). A kept value is
 * divided by (1 - p). */
static inline void dropout_words(const struct step_block *s, const struct node *n, long row,
                                 uint32_t element, uint32_t words[4])
{
    philox_at(s->dropout, s->ids[row], (uint64_t)n->random_id << 32 | element / 4, words);
}

static inline uint32_t dropout_limit(float p)
{
    return (uint32_t)((double)p * 4294967296.0);
}

#endif
