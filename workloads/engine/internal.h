/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's own view of models and graphs: shared by its modules and its
 * tests, included by nobody else. base.c knows the structs only; ops.c, graph.c
 * and optim.c stand on it; compile.c, run.c and model.c on those.
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "workloads/engine/backend.h"
#include "workloads/engine/plan.h"

enum { GROUPS_MAX = 16, MOMENTS_MAX = 2 };

struct group {
    char name[32];
    struct optimizer optimizer;
    float steps; /* model_step() calls; a float as all in checkpoints: exact up to
                  * 2^24, where no rule depends on it any more */
    int first_bucket, n_buckets;
    uint64_t version; /* of its parameters: changes with their values */
    bool stepping;    /* between model_zero() and the end of model_step() */
};

/* Contiguous gradients that are exchanged together. */
enum bucket_state {
    BUCKET_OPEN,
    BUCKET_STARTED, /* its sum is under way */
    BUCKET_DROPPED, /* still under way, but nobody wants it any more */
    BUCKET_DONE
};

struct bucket {
    int group;
    size_t at, count;
    enum bucket_state state;
    int request;
    double ready; /* its sum was started */
};

struct model {
    struct engine_config config;
    const struct backend *backend;
    void *context;
    struct err first; /* what went wrong first while building */
    bool failed;
    bool started;
    bool abandoned; /* takes part in exchanges only */
    enum engine_exchange exchange;

    int n_groups, n_params, n_states, n_graphs, n_copies, n_buckets;
    struct group groups[GROUPS_MAX];
    struct param **params;
    struct state **states;
    struct graph **graphs;
    struct copy **copies;
    struct bucket *buckets;

    size_t count; /* elements in masters, gradients, each moment */
    size_t states_count;
    int n_moments; /* most that any group's optimiser keeps */
    size_t copies_bytes;

    char *memory; /* the one allocation */
    size_t memory_bytes;
    float *masters, *moments[MOMENTS_MAX], *state_values;
    char *copy_values;
    float *gradients; /* from comm->alloc */
    struct engine_stats stats;
    struct engine_stamps stamps;
    double parts[ENGINE_PARTS]; /* seconds of the profile */
};

/* One thing to do in a step. */
enum instruction_kind { INSTRUCTION_RUN, INSTRUCTION_ADD, INSTRUCTION_REDUCE };

struct instruction {
    enum instruction_kind kind;
    enum pass pass;
    struct node *node;
    struct tensor *tensor;    /* ADD: gradient of this tensor ... */
    struct buffer *dst, *src; /* ... dst += src; REDUCE: dst over the ranks, doubles */
    bool again;               /* FORWARD for a second time, inside backward */
    double seconds, least;    /* of training steps: summed, of one call */
    uint64_t calls;
};

struct graph {
    struct model *model;
    char name[32];
    long batch;
    bool frozen[GROUPS_MAX];
    bool compiled;
    struct tensor *loss;

    int n_nodes, n_tensors, n_temps, n_instructions, n_forward, n_slots, n_random;
    struct node **nodes;
    struct tensor **tensors;
    struct buffer **temps; /* second and later parts of gradients */
    struct instruction *instructions;
    struct plan_slot *slots;
    int *parent; /* union-find over slots: what shares memory */

    size_t activation_bytes, no_reuse_bytes;
    struct exec exec;
    struct engine_step step;  /* ids point into the arena */
    int *bucket_ready;        /* per bucket: instruction that completes it, -1: none here */
    bool touches[GROUPS_MAX]; /* backward writes gradients of the group */
    bool begun;
    int over;                      /* instructions of this training step that have run */
    bool ran, ran_train, ran_back; /* since begin; ran_train: backward() may follow */
    double fed;                    /* seconds of feed() since begin: whose mode is not known */

    int plan_shorten; /* tests: lifetimes end so many instructions too early */
};

/* ---- base.c ---- */

/* What an operator is to the compiler. The first five are presets of a node;
 * see struct node. */
struct op_row {
    const char *name;
    bool needs_in, needs_out, in_place, in_place_grad, alias;
    bool island;     /* always plain float32: losses, host nodes */
    bool multiplies; /* computes in the policy's type, the others in their inputs' */
    bool fuses;      /* may take an activation as its epilogue */
    /* Its FLOP are what the field counts: a multiply-add for every weight of a
     * channel, at each value of the output, or of the input; of attention for every
     * pair of tokens and value of a head, twice forward and four times backward (what
     * is computed again there does not count). */
    enum { FLOP_NONE, FLOP_OUT, FLOP_IN, FLOP_ATTENTION } flop;
    bool shifts; /* its parameters are added: their gradient asks no input */
    bool sums;   /* over ranks, inside forward and backward: STATS and SUMS */
    enum { GRADS_ALL, GRADS_FIRST, GRADS_NONE, GRADS_HOST } grads; /* to which inputs */
};
extern const struct op_row op_rows[OP_COUNT];

/* Keeps the first sentence; returns -1. */
int model_fail(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Grows an array of pointers by one; NULL and a kept sentence when that fails. */
void *model_append(struct model *m, void ***array, int *n, size_t size);

void engine_threads(int threads);

/* -1 and that `what` comes before engine_start(). */
int graph_check_started(const struct graph *g, const char *what, struct err *e);

/* Whether a node ends with an activation; what of values instruction (n, pass)
 * reads (the lists under enum pass in backend.h); the tensor whose memory t is
 * another name for. */
bool node_fused_act(const struct node *n);
bool node_reads_in(const struct node *n, enum pass pass, int k);
bool node_reads_out(const struct node *n, enum pass pass);
struct tensor *tensor_base(struct tensor *t);

/* ---- model.c ---- */

/* Places parameters and buckets; what start() and memory() need. */
int model_layout(struct model *m);

/* Values of the group's parameters have changed; -1: of all groups'. */
void model_changed(struct model *m, int group);

/* ---- profile.c ---- */

/* Monotonic seconds, 0 without a clock; those since *since, which becomes now, so that
 * pieces of a step have no gaps between; the same, booked on a part. */
double profile_now(const struct model *m);
double profile_lap(const struct model *m, double *since);
void profile_book(struct model *m, enum engine_part part, double *since);

/* ---- graph.c, ops.c ---- */

/* Makes node of n_in inputs; shapes of the outputs are set by the caller. */
struct node *graph_node(struct graph *g, enum op op, int n_in, struct tensor *const *in);
struct tensor *node_output(struct node *n, const struct shape *shape);

void graph_destroy(struct graph *g);

/* Frees priv and formats (asks the back end), keeps nothing else. */
void graph_release(struct graph *g);

/* FLOP of one pass of this node with a full batch. */
double node_flop(const struct node *n, enum pass pass);

/* Those of node_flop() that multiply a value of a tensor, not of padding: in small maps
 * far fewer, and a kernel that leaves the others out is faster than a peak allows. */
double node_needed_flop(const struct node *n, enum pass pass);

/* Bytes that this pass must move: each value, gradient, work buffer and copy of
 * parameters that it reads (the lists under enum pass in backend.h) once, and each
 * that it writes once; what changes in place counts twice. Scratch memory, and what a
 * kernel reads a second time, do not count: it is the least that any kernel moves to
 * and from a memory that holds it all. Full batch. */
double node_bytes(const struct node *n, enum pass pass);

/* ---- operators.c, for operators_tokens.c ---- */

/* A node with one output, which *node becomes (NULL: nobody asks); NULL input: failed
 * before. */
struct tensor *node_simple(enum op op, int n_in, struct tensor *const *in,
                           const struct shape *shape, struct node **node);

/* Keeps the sentence that the operator cannot take x; NULL. */
struct tensor *node_refuse(struct tensor *x, enum op op, const char *why);

/* Weight O I ... (I O ... of a transposed convolution), bias O or NULL: what every node
 * with parameters asks. */
int node_check_params(struct tensor *x, enum op op, const struct param *w, const struct param *b);

/* "conv1" of "conv1.weight". */
void node_name_by_weight(struct node *n, const struct param *w);

/* ---- rewrite.c: steps of engine_compile(), in this order ---- */

void rewrite_commute(struct graph *g);
int rewrite_precision(struct graph *g);
void rewrite_fuse(struct graph *g);
void rewrite_number(struct graph *g);

/* ---- place.c ---- */

/* Offsets of all buffers and the bytes of the arena, from the instructions. */
int graph_place(struct graph *g);

/* ---- optim.c ---- */

/* How many moments the rule keeps; whether its result depends on the step's
 * number; whether it works on whole parameters; the rule on the host. */
int optimizer_moments(enum optimizer_kind kind);
bool optimizer_counts(enum optimizer_kind kind);
bool optimizer_whole(enum optimizer_kind kind);
int optimizer_update(const struct update *u, struct err *e);
const char *optimizer_name(enum optimizer_kind kind);

/* -1 and what is wrong with its numbers. */
int optimizer_check(const struct optimizer *o, struct err *e);

/* Sum of squares in double, in an order that does not depend on the number of
 * threads; and g *= factor. */
double optimizer_squares(const float *g, size_t n, int threads);
void optimizer_shrink(float *g, size_t n, float factor, int threads);

#endif
