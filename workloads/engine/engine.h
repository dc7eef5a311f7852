/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine, as a workload sees it.
 *
 * A *model* is named parameters in named groups (one optimiser each) and
 * persistent state. One or more *graphs* of operators are built over it, once;
 * they share parameters by using the same handles. compile() turns a graph
 * into a plan (layouts, fusion, one arena planned by liveness) without
 * allocating anything of size; start() allocates and initialises all.
 *
 *     struct model *m = model_create(&config, &e);
 *     int body = model_group(m, "body", &sgd);
 *     struct param *w = model_param(m, body, "conv1.weight", SHAPE(32, 4, 3, 3, 3), XAVIER);
 *     struct graph *g = graph_create(m, "train", batch);
 *     struct tensor *x = graph_input(g, "x", SHAPE(4, 64, 64, 64), CHANNELS_LAST);
 *     struct tensor *y = graph_input(g, "y", SHAPE(4), CHANNELS_FIRST);
 *     x = op_leaky_relu(op_conv(x, w, b, WINDOW(3, 1, 1)), 0.3f);
 *     ...
 *     struct tensor *loss = op_mse(x, y, NULL);
 *     engine_compile(g, loss, &e);  model_memory(m) says what it takes
 *     engine_start(m, &e);
 *     each step:
 *         engine_begin(g, &(struct engine_step){.rows = n, .global_rows = N, .ids = ids,
 *                                               .epoch = k}, &e);
 *         engine_feed(g, x, cubes, &e); engine_feed(g, y, labels, &e);
 *         model_zero(m, body);
 *         engine_forward(g, ENGINE_TRAIN, &e);
 *         engine_backward(g, true, &e);
 *         engine_read(g, loss, &value, 1, &e);        the only wait for the device
 *         model_step(m, body, rate, &e);              waits for the exchange
 *
 * Rows. A graph has a fixed batch B; a step has rows <= B samples of this
 * rank (0 is legal) out of global_rows over all ranks. Losses and metrics
 * count real rows only and divide by global_rows: the *sum over ranks* of a
 * loss is the mean over the global batch, and the sum of the gradients is its
 * gradient, however unevenly the samples are spread. Rows past the end are
 * zeros in the inputs and give exact zeros in every gradient.
 *
 * Randomness. Parameters start as a function of (seed, name, element), dropout
 * masks of (seed, epoch, operator, global sample id, element): same on every
 * rank, thread count and back end.
 *
 * Precision. compute = TENSOR_BF16 stores activations and their gradients in
 * bfloat16 and multiplies in it; masters, parameter gradients, moments, losses
 * and metrics stay float32. graph_keep_f32() makes further islands.
 *
 * Life:    model_destroy() frees the model, its graphs, tensors, parameters.
 *          Names are copied. Handles live as long as the model.
 * Failure: -1 and a sentence. What builds (model_group, model_param, graph_*,
 *          op_*) returns -1 or NULL, takes a NULL argument as "has failed
 *          before", and the first sentence is given by engine_compile() or
 *          engine_start(): building needs no checks in between. After a
 *          failing engine_* call of a step the model can only be destroyed.
 * Threads: one thread per model; operators use config.threads OpenMP threads.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/comm.h"

struct model;
struct graph;
struct tensor;
struct param;
struct state;
struct engine_step;

enum tensor_dtype { TENSOR_F32, TENSOR_BF16 };

/* Where the channels stand in what is fed: N C [D] H W, or N [D] H W C.
 * Shapes are always written channels first; back ends choose their own. */
enum host_layout { CHANNELS_FIRST, CHANNELS_LAST };

enum { SHAPE_MAX = 5, NODE_MAX_IN = 8, NODE_MAX_OUT = 4 };

struct shape {
    int n;
    long d[SHAPE_MAX];
};

#define SHAPE(...)                                                                                 \
    ((struct shape){(int)(sizeof((long[]){__VA_ARGS__}) / sizeof(long)), {__VA_ARGS__}})

/* ---- model ------------------------------------------------------------ */

struct engine_config {
    const char *backend; /* "ref", "cpu"; engine_backends() lists what is built in */
    int threads;         /* >= 1 */
    enum tensor_dtype compute;
    uint64_t seed;
    struct comm *comm;   /* borrowed for the model's life; comm_self() for one rank */
    double (*now)(void); /* monotonic seconds; NULL: nothing is timed */
    size_t bucket_bytes; /* most of a gradient bucket; 0: the plan decides (buckets.h) */
    bool no_reuse;       /* plan without reuse of memory: tests, hunting */
    bool no_rewrite;     /* operators as built: tests, hunting */
};

/* Names of the back ends that are built in, NULL past the end; best first. */
const char *engine_backend_name(int i);

/* Threads that OpenMP really gives when it is asked for so many: fewer under
 * OMP_THREAD_LIMIT, or where the system refuses more. A model asks for no more
 * than that: libraries that count on the others wait for them for ever. */
int engine_team(int threads);

/* NULL and a sentence when the back end is unknown or cannot compute in that
 * type on this machine. */
struct model *model_create(const struct engine_config *config, struct err *e);
void model_destroy(struct model *m);

/* Update rules, in their common form (that of PyTorch). g: the gradient plus
 * weight_decay w, but where it says g0: the gradient alone. b1, b2: beta[0],
 * beta[1]; t: the group's steps, this one included; m' = m / (1 - b1^t), v' =
 * v / (1 - b2^t).
 *   SGD      v = momentum v + g; w -= rate v
 *   ADAM     m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 *            w -= rate m' / (sqrt(v') + eps)             (Kingma, Ba 2015)
 *   ADAMW    the same of g0, after w -= rate weight_decay w
 *                                                (Loshchilov, Hutter 2019)
 *   RMSPROP  v = b2 v + (1 - b2) g^2; b = momentum b + g / (sqrt(v) + eps);
 *            w -= rate b                    (Hinton 2012; PyTorch's alpha is b2)
 *   LAMB     m, v of g0; d = m' / (sqrt(v') + eps) + weight_decay w; w -=
 *            rate |w| / |d| d, norms over each parameter, their ratio 1 where
 *            one of them is 0                               (You et al. 2020)
 */
enum optimizer_kind {
    OPTIMIZER_SGD,
    OPTIMIZER_ADAM,
    OPTIMIZER_ADAMW,
    OPTIMIZER_RMSPROP,
    OPTIMIZER_LAMB,
    OPTIMIZER_COUNT
};

struct optimizer {
    enum optimizer_kind kind;
    float momentum;
    float weight_decay;
    float beta[2]; /* those that the rule reads, in [0, 1) */
    float eps;     /* above 0 where the rule reads it */
    float clip;    /* 0: none; else the most that the norm of the group's gradient
                    * may be: g *= clip / (|g| + 1e-6) where it is greater */
};

/* PyTorch's defaults (LAMB: the paper's). */
#define OPTIMIZER_ADAM_COMMON    .beta = {0.9f, 0.999f}, .eps = 1e-8f
#define OPTIMIZER_LAMB_COMMON    .beta = {0.9f, 0.999f}, .eps = 1e-6f
#define OPTIMIZER_RMSPROP_COMMON .beta = {0, 0.99f}, .eps = 1e-8f

/* A group of parameters with an optimiser of its own. Returns its number.
 * Refused: a rule that there is not, numbers out of their range. */
int model_group(struct model *m, const char *name, const struct optimizer *o);

/* Start values. fan_in = product of shape[1..], fan_out = shape[0] x product
 * of shape[2..].
 *   XAVIER    uniform in +-sqrt(6 / (fan_in + fan_out))   (Glorot, Bengio 2010)
 *   HE        normal, variance 2 / fan_in                 (He et al. 2015)
 *   NORMAL    normal, standard deviation `value`
 *   CONSTANT  `value` */
enum init_kind { INIT_XAVIER, INIT_HE, INIT_NORMAL, INIT_CONSTANT };

struct init {
    enum init_kind kind;
    float value;
};

#define XAVIER ((struct init){INIT_XAVIER, 0})
#define HE     ((struct init){INIT_HE, 0})
#define ZEROS  ((struct init){INIT_CONSTANT, 0})

/* A trainable array. Names are unique in the model. Declare parameters in
 * forward order: the exchange starts from the last one. */
struct param *model_param(struct model *m, int group, const char *name, struct shape shape,
                          struct init init);

/* Persistent float32 values that are not trained (statistics, counters); all
 * elements start at `value`; kept in checkpoints, never exchanged. */
struct state *model_state(struct model *m, const char *name, struct shape shape, float value);

struct shape param_shape(const struct param *p);

/* Trainable values in a group; group -1: in the model. */
uint64_t model_parameters(const struct model *m, int group);

/* After engine_start(): copies all values of one parameter or state (row
 * major, in `shape`) out or in; n must be their number. Waits for the device.
 * which: the values, or the gradient (this rank's until it is exchanged). */
enum param_part { PARAM_VALUE, PARAM_GRADIENT };
int param_get(struct param *p, enum param_part which, float *out, size_t n, struct err *e);
int param_set(struct param *p, const float *in, size_t n, struct err *e);
int state_get(struct state *s, float *out, size_t n, struct err *e);
int state_set(struct state *s, const float *in, size_t n, struct err *e);

/* ---- graph ------------------------------------------------------------ */

/* batch: rows of every tensor that has samples (its first dimension). */
struct graph *graph_create(struct model *m, const char *name, long batch);

/* What is fed: shape is that of one sample; the tensor is batch x shape. */
struct tensor *graph_input(struct graph *g, const char *name, struct shape sample,
                           enum host_layout layout);

/* Parameters of this group get no gradient in this graph; gradients towards
 * what lies before them still flow (the generator's step of a GAN). */
void graph_freeze(struct graph *g, int group);

/* Marks. Each returns its tensor. output: readable with engine_read() after
 * forward (losses and metrics are outputs already). want_grad: an input whose
 * gradient engine_read_grad() gives. keep_f32: the operator that makes this
 * tensor computes in float32 under any policy. recompute: not kept for
 * backward but computed a second time there, which saves memory for time. */
struct tensor *graph_output(struct tensor *t);
struct tensor *graph_want_grad(struct tensor *t);
struct tensor *graph_keep_f32(struct tensor *t);
struct tensor *graph_recompute(struct tensor *t);

struct shape tensor_shape(const struct tensor *t);

/* The product of its dimensions. */
size_t shape_count(const struct shape *s);

/* Windows of convolution and pooling: entries [0..dims) in the order D, H, W
 * (H, W in two dimensions). stride 0 and dilation 0 mean 1. Neighbouring taps lie
 * `dilation` places apart (convolutions only), so a window spans (kernel - 1)
 * dilation + 1. */
struct window {
    int kernel[3], stride[3], before[3], after[3]; /* before, after: padding */
    int dilation[3];
};

/* The same in all dimensions. */
#define WINDOW(k, s, p)                                                                            \
    ((struct window){{(k), (k), (k)}, {(s), (s), (s)}, {(p), (p), (p)}, {(p), (p), (p)}, {1, 1, 1}})

/* Stride 1, taps d apart, as much padding: 3 x 3 keeps the size. */
#define DILATED(k, d)                                                                              \
    ((struct window){{(k), (k), (k)}, {1, 1, 1}, {(d), (d), (d)}, {(d), (d), (d)}, {(d), (d), (d)}})

/* x N C [D] H W; w O C [KD] KH KW; b O or NULL. Zero padding; the window's
 * kernel must be that of w. 2-D and 3-D. */
struct tensor *op_conv(struct tensor *x, struct param *w, struct param *b, struct window win);
/* A convolution of each channel with a kernel of its own (PyTorch's groups = C):
 *   y[n][c][q] = b[c] + sum over k of x[n][c][q s + k dilation - before] w[c][0][k]
 * x N C [D] H W; w C 1 [KD] KH KW; b C or NULL. With a kernel of 1 it is a factor and
 * a shift for each channel. */
struct tensor *op_depthwise(struct tensor *x, struct param *w, struct param *b, struct window win);
/* Transposed convolution: the data gradient of a convolution as an operator,
 *   y[n][o][i s + k - before] += x[n][c][i] w[c][o][k]      (+ b[o])
 * x N C [D] H W; w C O [KD] KH KW (as PyTorch has it: the first dimension is
 * that of the input); b O or NULL. before and after are cut off the result:
 * each side has (in - 1) stride + kernel - before - after places. (PyTorch's padding p
 * and output_padding o: before p, after p - o.) Not dilated. */
struct tensor *op_deconv(struct tensor *x, struct param *w, struct param *b, struct window win);
/* Padding never wins. On a tie the first element in row-major order wins. */
struct tensor *op_maxpool(struct tensor *x, struct window win);
/* Mean over the taps of the window that are in the input (padding does not
 * count). A window of the input's size: global average pooling. */
struct tensor *op_avgpool(struct tensor *x, struct window win);
/* The same over all places: N C, for a dense layer. */
struct tensor *op_global_avgpool(struct tensor *x);
/* Each dimension `factor` times as large. NEAREST repeats; LINEAR interpolates
 * between the middles of the cells, the border repeated (bi- or trilinear;
 * PyTorch's align_corners=False). */
enum upsample { UPSAMPLE_NEAREST, UPSAMPLE_LINEAR };
struct tensor *op_upsample(struct tensor *x, int factor, enum upsample how);
/* The same with a factor for each dimension, D, H, W or H, W: NEAREST from one place is
 * that value everywhere. */
struct tensor *op_upsample_by(struct tensor *x, const int factor[3], enum upsample how);
/* Batch normalisation over samples and places, per channel of x N C ...:
 *   y = gamma (x - m) / sqrt(v + eps) + beta     (Ioffe, Szegedy 2015)
 * gamma, beta: parameters of C values in one group; mean, variance: states of C
 * values that start at 0 and 1. Train: m and v are those of the *global* batch
 * (real rows of all ranks; a variance of one value is 0), and
 *   mean += momentum (m - mean), variance += momentum (v' - variance),
 * v' the unbiased one, when the group is not frozen in this graph. Eval: m and v
 * are the states. Two uses in one graph update twice, in order. Its output is
 * not recomputed. local: each rank its own rows, another workload than that on
 * one rank (published runs do so; it is said in the record). */
struct batch_norm {
    struct param *gamma, *beta;
    struct state *mean, *variance;
    float eps, momentum; /* 1e-5f and 0.1f most often */
    bool local;
};
struct tensor *op_batch_norm(struct tensor *x, const struct batch_norm *b);
/* y = x > 0 ? x : slope x, 0 <= slope <= 1 */
struct tensor *op_leaky_relu(struct tensor *x, float slope);
struct tensor *op_relu(struct tensor *x);
struct tensor *op_tanh(struct tensor *x);
/* 1 / (1 + e^-x) */
struct tensor *op_sigmoid(struct tensor *x);
struct tensor *op_scale(struct tensor *x, float factor);
/* N x everything else, row major in channels-first order. */
struct tensor *op_flatten(struct tensor *x);
/* x N I; w O I; b O or NULL; y = x w' + b */
struct tensor *op_dense(struct tensor *x, struct param *w, struct param *b);
/* Train: y = x / (1 - p) with probability 1 - p, else 0. Eval: y = x. */
struct tensor *op_dropout(struct tensor *x, float p);
struct tensor *op_add(struct tensor *x, struct tensor *y);
/* Element by element. */
struct tensor *op_mul(struct tensor *x, struct tensor *y);
/* Along dimension 1 (channels); at most NODE_MAX_IN. */
struct tensor *op_concat(int n, struct tensor *const *x);
/* Channels [from, from + count). */
struct tensor *op_slice(struct tensor *x, long from, long count);
/* y = x; no gradient passes. */
struct tensor *op_stop_gradient(struct tensor *x);

/* Tokens are the rows of a matrix R x D: R / batch of each sample, one sample's behind the
 * other's. Dense layers, sums, activations and losses take them as they are.
 *
 * op_patches: x B C H W in patches of p x p, row major, each a row of C p p values in the
 * order (channel, row, column): R = B (H / p) (W / p). A dense layer behind it is the
 * convolution of kernel and stride p (Dosovitskiy et al. 2021, ViT).
 * op_unpatch: back to B C H W; C is the columns over p p, H of the caller.
 * op_positions: y = x + p[r % N], p of N x D: a row of its own for each of a sample's N.
 * op_layer_norm: y = gamma (x - m) / sqrt(v + eps) + beta, mean and variance of each row;
 * gamma, beta of D (Ba et al. 2016).
 * op_gelu: x Phi(x), Phi the normal distribution (Hendrycks, Gimpel 2016), of any shape.
 * op_attention: x R x 3D, q k v side by side, in each the heads side by side, d = D / heads
 * values each; for each head and sample
 *   y_i = sum_j p_ij v_j,  p_ij = softmax over j of q_i k_j / sqrt(d)
 * (Vaswani et al. 2017). No N x N matrix is ever held: scores are made tile by tile with a
 * running maximum and sum, and anew in backward (Dao et al. 2022). */
struct tensor *op_patches(struct tensor *x, int p);
struct tensor *op_unpatch(struct tensor *x, int p, long H, long W);
struct tensor *op_positions(struct tensor *x, struct param *p);
struct tensor *op_layer_norm(struct tensor *x, struct param *gamma, struct param *beta, float eps);
struct tensor *op_gelu(struct tensor *x);
struct tensor *op_attention(struct tensor *x, long heads);

/* Losses and metrics are scalars (shape 1, float32): the sum over real rows
 * and their elements of what follows, times its weight, divided by
 * global_rows x elements per sample. x and t: B r ... with r rows per sample
 * (r = 1 most often); weight: one value per row or one per element, or NULL for
 * all ones. It is not divided by the sum of the weights. No gradient flows to t
 * or weight, none at all from op_mae (a metric). */

/* (x - t)^2; |x - t| */
struct tensor *op_mse(struct tensor *x, struct tensor *t, struct tensor *weight);
struct tensor *op_mae(struct tensor *x, struct tensor *t, struct tensor *weight);
/* -t log p - (1 - t) log (1 - p) with p = 1 / (1 + e^-x), t in [0, 1] */
struct tensor *op_bce(struct tensor *x, struct tensor *t, struct tensor *weight);
/* d = |x - t|: d < beta ? d^2 / (2 beta) : d - beta / 2; beta > 0 (Girshick 2015) */
struct tensor *op_smooth_l1(struct tensor *x, struct tensor *t, struct tensor *weight, float beta);
/* -log softmax of the target's class. x N C ... (logits); t: the same without
 * dimension 1 (or with a 1 there), classes as numbers; one outside [0, C) is
 * left out. of: weights of the C classes (copied), or NULL. The elements are
 * those of t. */
struct tensor *op_cross_entropy(struct tensor *x, struct tensor *t, const float *of,
                                struct tensor *weight);

/* A function on the host: proposals, sampling, non-maximum suppression. Shapes
 * are the fixed maximum; what is not used is written by the function (and told
 * to a loss by a weight that it writes too). in and out are row-major float32;
 * it runs in every forward, in graph order, and must be deterministic.
 * backward: gradients of the outputs in, those of the inputs out; NULL: no
 * gradient passes. A gradient that is not wanted is NULL. */
struct host_node {
    const char *name;
    int n_in, n_out;
    struct tensor *in[NODE_MAX_IN];
    struct shape out[NODE_MAX_OUT]; /* whole, with the first dimension */
    void *ctx;                      /* borrowed for the model's life */
    int (*forward)(void *ctx, const struct engine_step *step, const float *const *in,
                   float *const *out, struct err *e);
    int (*backward)(void *ctx, const struct engine_step *step, const float *const *in,
                    const float *const *out_grad, float *const *in_grad, struct err *e);
};

/* Leaves the n_out tensors in out[]. */
int op_host(struct graph *g, const struct host_node *h, struct tensor **out);

/* ---- compile and start ------------------------------------------------ */

/* Plans the graph. loss: a scalar; NULL: forward only. Sizes nothing on the
 * heap but descriptions. */
int engine_compile(struct graph *g, struct tensor *loss, struct err *e);

/* What the model and all its compiled graphs take on this rank. */
struct engine_memory {
    uint64_t arena_bytes;      /* one allocation: all of the following but gradients */
    uint64_t activation_bytes; /* planned by liveness: values, gradients, scratch */
    uint64_t weight_bytes;     /* masters, moments, state, weight copies of the back end */
    uint64_t gradient_bytes;   /* parameter gradients, from comm->alloc */
    uint64_t total_bytes;
    uint64_t no_reuse_bytes; /* what activation_bytes would be without reuse */
};
struct engine_memory model_memory(const struct model *m);

/* After the last compile: allocates, sets the start values. Collective over
 * the ranks of config.comm. */
int engine_start(struct model *m, struct err *e);

/* FLOP of one sample through the graph, 2 per multiply-add, padding counted;
 * convolutions, transposed ones, dense layers and attention (what the field counts). */
struct engine_flop {
    double forward;
    double data_gradient;   /* as executed: none towards what needs none */
    double weight_gradient; /* none for frozen groups */
    double executed;        /* sum of the three */
    double three_forward;   /* 3 x forward */
};
struct engine_flop graph_flop(const struct graph *g);

/* ---- run -------------------------------------------------------------- */

enum engine_mode { ENGINE_TRAIN, ENGINE_EVAL };

struct engine_step {
    long rows;           /* samples of this rank: 0 to the graph's batch */
    long global_rows;    /* over all ranks, >= 1 */
    const uint64_t *ids; /* rows global sample ids; copied */
    uint64_t epoch;
};

/* Begins a step: what is fed and run from here belongs to these samples. */
int engine_begin(struct graph *g, const struct engine_step *step, struct err *e);

/* Copies rows x sample float32 values, in the input's layout, to the device;
 * the rest of the batch becomes zero. */
int engine_feed(struct graph *g, struct tensor *input, const float *data, struct err *e);

/* All inputs were fed since begin(). EVAL: dropout off. backward() needs a
 * forward() in TRAIN before it. */
int engine_forward(struct graph *g, enum engine_mode mode, struct err *e);

/* Adds the gradients of the loss to those of the parameters. last: no more
 * follow before model_step(), so the exchange of each bucket starts as soon as
 * its gradients are complete. Every rank must say the same. */
int engine_backward(struct graph *g, bool last, struct err *e);

/* Values of an output, row major, channels first, float32; n: how many there
 * are in all. The only call that waits for the device. */
int engine_read(struct graph *g, struct tensor *t, float *out, size_t n, struct err *e);
/* Gradient of an input that was marked want_grad, after backward. */
int engine_read_grad(struct graph *g, struct tensor *t, float *out, size_t n, struct err *e);

/* What of one operator is timed apart. Batch normalisation: DATA is all that it does
 * backward, its parameters' gradients are by-products of the same sums. */
enum engine_pass { ENGINE_FORWARD, ENGINE_DATA, ENGINE_WEIGHTS };

/* After a step (forward in TRAIN, and backward but for FORWARD): the operator that makes y does
 * that part of it again, so many times. Results stay what they were. The model was created with
 * no_reuse and no_rewrite, so that what it reads is still there. */
int engine_again(struct tensor *y, enum engine_pass part, long times, struct err *e);

/* Of one time: FLOP as graph_flop() counts them, bytes that must be read and written at least;
 * parts 0: the graph has no such part. */
struct engine_cost {
    int parts;
    double flop, bytes;
};
struct engine_cost engine_cost(const struct tensor *y, enum engine_pass part);

/* Gradients of the group become zero; an exchange of them that is under way is
 * waited for by the next backward() or model_step(). */
void model_zero(struct model *m, int group);

/* Waits for the exchange of the group's gradients (starts what no backward
 * has) and applies its optimiser. */
int model_step(struct model *m, int group, double rate, struct err *e);

/* This rank has failed and computes no more, but the others still wait for its
 * part of the sums until all have agreed to end. From here on every call above
 * succeeds and computes nothing: outputs are read as zeros, parameters stay as
 * they are, and each bucket of a step, like each sum over ranks inside it, takes
 * part in its exchange once, with zeros, in the order of the others. A step that was begun (model_zero()) and
 * not ended (model_step()) is ended by the next calls; its buckets that are
 * under way are not started again. Made again from its model_zero() on. */
void model_abandon(struct model *m);

/* What becomes of gradients over the ranks, the same on all, between steps: their sums;
 * one number of each bucket, so that ranks meet and no bytes pass; nothing at all. For
 * measuring what the exchange costs: only the first trains. */
enum engine_exchange { EXCHANGE_SUMS, EXCHANGE_MEET, EXCHANGE_NONE };
void model_exchange(struct model *m, enum engine_exchange x);

/* Since start or the last call with reset. */
struct engine_stats {
    double exposed_wait_seconds; /* in model_step(), for the exchange */
    uint64_t exchanged_bytes;    /* handed to all-reduce */
    uint64_t steps;              /* model_step() calls */
    uint64_t reductions;         /* small sums over ranks inside forward and backward */
    uint64_t refreshed;          /* weight copies of the back end that were made anew */
};
struct engine_stats model_stats(struct model *m, bool reset);

/* Moments of the exchange in the running step, by config.now; 0: it has not been.
 * model_zero() begins anew. */
enum { ENGINE_WAITS = 16 };
struct engine_stamps {
    double first, ready; /* the first, the last bucket was given to the exchange */
    double before;       /* seconds inside the exchange before `ready` ... */
    double after;        /* ... and from there on, before the first wait */
    double met;          /* seconds in sums over the ranks inside forward and backward */
    double half;         /* comm's: the first half of the last sum that has halves was over */
    int waits;
    struct engine_wait { /* for a bucket; later ones join the last */
        double ready, half, from, to;
        double done, since; /* comm's */
        double bytes;       /* of the bucket; 0: of several */
    } wait[ENGINE_WAITS];
};
const struct engine_stamps *model_stamps(const struct model *m);

/* The profile: where the time of training steps went (those of an evaluation or
 * of an abandoned model are not in it), since start or model_profile_reset(). It is
 * always kept where config.now is: one reading of the clock an operator, nothing
 * allocated. Operators and parts are all that a step does here: their seconds are
 * those spent inside the calls of a step. */
enum engine_part {
    ENGINE_PART_FEED,     /* engine_feed() */
    ENGINE_PART_ZERO,     /* model_zero() */
    ENGINE_PART_EXCHANGE, /* starts sums, moves them on between operators */
    ENGINE_PART_WAIT,     /* model_step() waits for them */
    ENGINE_PART_UPDATE,   /* optimiser, clipping */
    ENGINE_PART_READ,     /* engine_read() */
    ENGINE_PARTS
};
double model_profile(const struct model *m, enum engine_part part);

/* Forgets operators and parts of all graphs of the model. */
void model_profile_reset(struct model *m);

/* One row per operator and pass, in order of execution. */
struct engine_profile_row {
    const char *name; /* of the operator, "conv1" */
    const char *op;   /* its kind, "conv" */
    const char *pass; /* "forward", "data", "weights", ... */
    /* What made the numbers: the library's name of its implementation, "own" for kernels
     * of this project, "host", "ranks" for a sum over ranks; and their type. */
    const char *implementation;
    enum tensor_dtype dtype;
    double seconds; /* summed */
    double least;   /* of one call; 0 before the first */
    double flop;    /* of one call with a full batch, as graph_flop() counts */
    double needed;  /* of them: without those of padding, which a kernel may leave out */
    double bytes;   /* that one call must read and write, node_bytes() has the rule */
    uint64_t calls;
};
/* Row i, false past the end. */
bool graph_profile(const struct graph *g, int i, struct engine_profile_row *row);

/* What a library does for an operator of a compiled graph: "conv1", "data
 * gradient", "brgconv:avx512_core". Back ends without a library have none. */
struct engine_implementation {
    const char *node, *what, *name;
};
/* Row i, false past the end. */
bool graph_implementation(const struct graph *g, int i, struct engine_implementation *row);

/* -1 and a sentence when an operator of any compiled graph got the library's
 * reference loop, which is for checking only. To be called after the compiling;
 * tests call it on the plans of all workloads. */
int model_check_implementations(const struct model *m, struct err *e);

/* ---- checkpoint ------------------------------------------------------- */

/* Parameters, moments, states, and `extra` (the workload's own: schedule,
 * loader cursor, epoch, run text) in one file, written beside it and renamed.
 * One rank calls it. */
int model_save(struct model *m, const char *path, const void *extra, size_t extra_bytes,
               struct err *e);

/* All or nothing: a file that is cut, damaged, of another format version or
 * of another model is refused and the model is unchanged. extra_bytes must be
 * what was saved. Every rank calls it. */
int model_load(struct model *m, const char *path, void *extra, size_t extra_bytes, struct err *e);

/* The workload's own part of a checkpoint alone, without a model: what it is of. */
int model_peek(const char *path, void *extra, size_t extra_bytes, struct err *e);

#endif
