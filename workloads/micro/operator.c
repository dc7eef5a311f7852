/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/operator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"
#include "workloads/micro/operator_inner.h"

enum { FEWEST_INNER = 16 }; /* channels: oneDNN has blocks of so many */

static const double rate = 0.001; /* of an optimiser */

/* At most so many multiply-adds are computed by `ref`, too. */
static const double small_work = 1 << 22;

/* What is drawn. */
enum { STREAM_X = 1, STREAM_WEIGHT, STREAM_BIAS, STREAM_DY, STREAM_T };

static bool multiplies(const struct operator_shape *s)
{
    return s->kind == OPERATOR_CONV || s->kind == OPERATOR_DECONV || s->kind == OPERATOR_GEMM;
}

/* ---- building --------------------------------------------------------- */

static double now_of_nobody(void)
{
    return 0;
}

/* The node in the place of a loss: hands dy on. */
static int sink_forward(void *ctx, const struct engine_step *step, const float *const *in,
                        float *const *out, struct err *e)
{
    (void)ctx, (void)step, (void)in, (void)e;
    out[0][0] = 0;
    return 0;
}

static int sink_backward(void *ctx, const struct engine_step *step, const float *const *in,
                         const float *const *out_grad, float *const *in_grad, struct err *e)
{
    const struct operation *o = ctx;

    (void)step, (void)in, (void)out_grad, (void)e;
    if (in_grad[0])
        memcpy(in_grad[0], o->dy.v, o->dy.n * sizeof *o->dy.v);
    return 0;
}

static struct tensor *sink(struct operation *o)
{
    struct host_node h = {.name = "sink",
                          .n_in = 1,
                          .n_out = 1,
                          .in = {o->y},
                          .out = {SHAPE(1)},
                          .ctx = o,
                          .forward = sink_forward,
                          .backward = sink_backward};
    struct tensor *out = NULL;

    return op_host(o->graph, &h, &out) < 0 ? NULL : graph_output(out);
}

/* Whether a network has another convolution before it, whose output lies as the library
 * likes: what is fed to a first layer of a few channels is row major. */
static bool inner(const struct operator_shape *s)
{
    return s->x.n > 2 && s->x.d[1] >= FEWEST_INNER && s->kind != OPERATOR_LOSS &&
           s->kind != OPERATOR_ATTENTION;
}

/* x through the identity: with the precision and layout that it has behind a product.
 * An input whose gradient is wanted is row major, and the product would take it as it
 * lies; so x is another input, and the gradient is that of a zero which is added. */
static struct tensor *behind_a_product(struct operation *o, struct tensor *x)
{
    const long C = o->s.x.d[1];
    struct shape w = o->s.x;

    w.d[0] = w.d[1] = C;
    for (int i = 2; i < w.n; i++)
        w.d[i] = 1;
    o->identity = model_param(o->model, o->group, "identity", w, ZEROS);
    x = w.n == 2 ? op_dense(x, o->identity, NULL) : op_conv(x, o->identity, NULL, WINDOW(1, 1, 0));
    return o->zero ? op_add(x, o->zero) : x;
}

static struct tensor *build_norm(struct operation *o, struct tensor *x)
{
    const struct shape C = SHAPE(o->s.x.d[1]);
    struct batch_norm b = {.eps = 1e-5f, .momentum = 0.1f};

    o->w = b.gamma = model_param(o->model, o->group, "gamma", C, ZEROS);
    o->b = b.beta = model_param(o->model, o->group, "beta", C, ZEROS);
    if (o->s.op == OP_LAYER_NORM)
        return op_layer_norm(x, b.gamma, b.beta, b.eps);
    b.mean = model_state(o->model, "mean", C, 0);
    b.variance = model_state(o->model, "variance", C, 1);
    return op_batch_norm(x, &b);
}

static struct tensor *build_loss(struct operation *o, struct tensor *x)
{
    const struct operator_shape *s = &o->s;
    struct shape t = {s->x.n - 1, {0}};

    for (int i = 0; i < t.n; i++)
        t.d[i] = s->x.d[i + 1];
    if (s->op == OP_CROSS_ENTROPY)
        t.d[0] = 1;
    o->target = graph_input(o->graph, "t", t, CHANNELS_FIRST);
    switch (s->op) {
    case OP_CROSS_ENTROPY:
        return op_cross_entropy(x, o->target, NULL, NULL);
    case OP_BCE:
        return op_bce(x, o->target, NULL);
    case OP_SMOOTH_L1:
        return op_smooth_l1(x, o->target, NULL, s->factor);
    default:
        return op_mse(x, o->target, NULL);
    }
}

static struct tensor *build_y(struct operation *o, struct tensor *x)
{
    const struct operator_shape *s = &o->s;

    if (multiplies(s) || s->kind == OPERATOR_OPTIMIZER)
        o->w = model_param(o->model, o->group, "w", s->w, ZEROS);
    switch (s->kind) {
    case OPERATOR_CONV:
        x = inner(s) ? behind_a_product(o, x) : x;
        return s->op == OP_DEPTHWISE ? op_depthwise(x, o->w, NULL, s->win)
                                     : op_conv(x, o->w, NULL, s->win);
    case OPERATOR_DECONV:
        return op_deconv(inner(s) ? behind_a_product(o, x) : x, o->w, NULL, s->win);
    case OPERATOR_LOSS:
        return build_loss(o, x);
    case OPERATOR_POOL:
        x = behind_a_product(o, x);
        return s->op == OP_MAXPOOL ? op_maxpool(x, s->win) : op_avgpool(x, s->win);
    case OPERATOR_ATTENTION:
        return op_attention(op_patches(x, 1), s->heads);
    case OPERATOR_NORM:
        return build_norm(o, behind_a_product(o, x));
    case OPERATOR_ACT:
        x = behind_a_product(o, x);
        return s->op == OP_GELU        ? op_gelu(x)
               : s->act == ACT_TANH    ? op_tanh(x)
               : s->act == ACT_SIGMOID ? op_sigmoid(x)
                                       : op_leaky_relu(x, s->factor);
    default:
        return op_dense(x, o->w, NULL);
    }
}

static int build(struct operation *o, struct err *e)
{
    struct shape sample = {o->s.x.n - 1, {0}};

    memcpy(sample.d, o->s.x.d + 1, (size_t)sample.n * sizeof *sample.d);
    o->group = model_group(o->model, "all", operator_rule(o->s.rule));
    o->graph = graph_create(o->model, "operator", o->s.x.d[0]);
    o->in = graph_input(o->graph, "x", sample, CHANNELS_FIRST);
    if (inner(&o->s))
        o->zero = graph_input(o->graph, "zero", sample, CHANNELS_FIRST);
    o->source = o->zero ? o->zero : o->in;
    if (o->s.kind != OPERATOR_OPTIMIZER)
        graph_want_grad(o->source);
    o->y = build_y(o, o->in);
    if (!o->y)
        return engine_compile(o->graph, NULL, e) < 0 ? -1 : err_set(e, "there is no operator");
    o->out = tensor_shape(o->y);
    return engine_compile(o->graph,
                          o->s.kind == OPERATOR_LOSS ? o->y : (graph_output(o->y), sink(o)), e);
}

/* ---- numbers ---------------------------------------------------------- */

static size_t count_of(const struct shape *s)
{
    return s->n ? shape_count(s) : 0;
}

static int draw(struct operation *o, struct numbers *a, size_t n, uint32_t stream, struct err *e)
{
    return numbers_draw(a, n, o->set.seed, stream, o->range, o->unit, e);
}

/* What targets are: classes; 0 or 1; like x. */
static int draw_targets(struct operation *o, struct err *e)
{
    const struct shape t = tensor_shape(o->target);
    const bool classes = o->s.op == OP_CROSS_ENTROPY;

    if (draw(o, &o->t, shape_count(&t), STREAM_T, e) < 0)
        return -1;
    for (size_t i = 0; i < o->t.n && (classes || o->s.op == OP_BCE); i++) {
        int k = (int)lrintf(o->t.v[i] / o->unit) + o->range;
        o->t.v[i] = (float)(k % (classes ? (int)o->s.x.d[1] : 2));
    }
    return 0;
}

static int make_numbers(struct operation *o, struct err *e)
{
    const bool products = multiplies(&o->s), norm = o->s.kind == OPERATOR_NORM;
    const size_t nx = shape_count(&o->s.x), ny = shape_count(&o->out);
    const size_t nw = norm ? (size_t)o->s.x.d[1] : count_of(&o->s.w);

    /* see operator.h: |a| |b| summed stays below 2^24 */
    o->range = products && 4 * product_longest(&o->s) >= 1 << 24 ? 1 : 2;
    o->unit = products || o->s.kind == OPERATOR_POOL ? 1 : 0.5f;
    if (!products && o->s.kind != OPERATOR_POOL && o->s.kind != OPERATOR_ATTENTION)
        o->range = 4;
    if (products && product_longest(&o->s) >= 1 << 24)
        return err_set(e, "it sums more than 2^24 terms: they cannot be checked exactly");
    if (draw(o, &o->x, nx, STREAM_X, e) < 0 || draw(o, &o->weight, nw, STREAM_WEIGHT, e) < 0 ||
        draw(o, &o->bias, norm ? nw : 0, STREAM_BIAS, e) < 0 ||
        draw(o, &o->dy, ny, STREAM_DY, e) < 0 || (o->target && draw_targets(o, e) < 0))
        return -1;
    if (o->s.kind == OPERATOR_OPTIMIZER)
        o->x.v[0] = 1; /* so that dw = dy x = dy */
    return numbers_room(&o->value, ny, e) < 0 || numbers_room(&o->dx, nx, e) < 0 ||
                   numbers_room(&o->dw, nw, e) < 0 || numbers_room(&o->db, o->bias.n, e) < 0
               ? -1
               : 0;
}

static int set_identity(struct operation *o, struct err *e)
{
    const size_t C = (size_t)o->s.x.d[1];
    float *v = o->identity ? calloc(C * C, sizeof *v) : NULL;
    int rc = 0;

    if (!o->identity)
        return 0;
    if (!v)
        return err_set(e, "out of memory for %zu numbers of an operator", C * C);
    for (size_t c = 0; c < C; c++)
        v[c * C + c] = 1;
    rc = param_set(o->identity, v, C * C, e);
    free(v);
    return rc;
}

/* One step: everything that is checked is made, everything that is timed can be repeated. */
static int step(struct operation *o, struct err *e)
{
    struct engine_step rows = {
        .rows = o->s.x.d[0], .global_rows = o->s.x.d[0], .ids = o->ids, .epoch = 0};

    if (engine_begin(o->graph, &rows, e) < 0 || engine_feed(o->graph, o->in, o->x.v, e) < 0 ||
        (o->zero && engine_feed(o->graph, o->zero, o->zeros, e) < 0) ||
        (o->target && engine_feed(o->graph, o->target, o->t.v, e) < 0))
        return -1;
    model_zero(o->model, o->group);
    return engine_forward(o->graph, ENGINE_TRAIN, e) < 0 ? -1 : engine_backward(o->graph, false, e);
}

static int read_all(struct operation *o, struct err *e)
{
    bool dx = o->s.kind != OPERATOR_OPTIMIZER;

    return engine_read(o->graph, o->y, o->value.v, o->value.n, e) < 0 ||
                   (dx && engine_read_grad(o->graph, o->source, o->dx.v, o->dx.n, e) < 0) ||
                   (o->w && param_get(o->w, PARAM_GRADIENT, o->dw.v, o->dw.n, e) < 0) ||
                   (o->b && param_get(o->b, PARAM_GRADIENT, o->db.v, o->db.n, e) < 0)
               ? -1
               : 0;
}

static int start(struct operation *o, struct err *e)
{
    const struct operator_setting *set = &o->set;
    uint64_t need = model_memory(o->model).total_bytes + (uint64_t)operator_bytes(&o->s) / 2;

    if (set->memory_bytes && need > set->memory_bytes)
        return err_set(e, "it needs %llu bytes and a rank may use %llu", (unsigned long long)need,
                       (unsigned long long)set->memory_bytes);
    o->ids = calloc((size_t)o->s.x.d[0], sizeof *o->ids);
    o->zeros = o->zero ? calloc(shape_count(&o->s.x), sizeof *o->zeros) : NULL;
    if (!o->ids || (o->zero && !o->zeros))
        return err_set(e, "out of memory for the rows of an operator");
    if (make_numbers(o, e) < 0 || engine_start(o->model, e) < 0)
        return -1;
    return (o->w && param_set(o->w, o->weight.v, o->weight.n, e) < 0) ||
                   (o->b && param_set(o->b, o->bias.v, o->bias.n, e) < 0) ||
                   set_identity(o, e) < 0 || step(o, e) < 0 || read_all(o, e) < 0
               ? -1
               : 0;
}

struct operation *operator_open(const struct operator_shape *s, const struct operator_setting *set,
                                struct err *e)
{
    struct engine_config config = {.backend = set->backend,
                                   .threads = set->threads,
                                   .compute = set->bf16 ? TENSOR_BF16 : TENSOR_F32,
                                   .seed = 1,
                                   .comm = comm_self(),
                                   .now = now_of_nobody,
                                   .no_reuse = true,
                                   .no_rewrite = true};
    struct operation *o = calloc(1, sizeof *o);

    if (!o) {
        err_set(e, "out of memory for an operator");
        return NULL;
    }
    o->s = *s;
    o->set = *set;
    if ((o->model = model_create(&config, e)) && build(o, e) == 0 && start(o, e) == 0)
        return o;
    operator_close(o);
    return NULL;
}

void operator_close(struct operation *o)
{
    if (!o)
        return;
    if (o->model)
        model_destroy(o->model);
    struct numbers *const all[] = {&o->x,     &o->dy, &o->t,  &o->weight, &o->bias,
                                   &o->value, &o->dx, &o->dw, &o->db};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        numbers_fini(all[i]);
    free(o->ids);
    free(o->zeros);
    free(o);
}

struct engine_cost operator_cost(const struct operation *o, enum engine_pass part)
{
    const int moments = o->s.rule == OPTIMIZER_SGD ? 1 : 2;

    if (o->s.kind != OPERATOR_OPTIMIZER)
        return engine_cost(o->y, part);
    /* reads w, g, the moments; writes w, the moments */
    return part == ENGINE_FORWARD
               ? (struct engine_cost){1, 0, 4.0 * (3 + 2 * moments) * (double)o->weight.n}
               : (struct engine_cost){0};
}

const char *operator_how(const struct operation *o, enum engine_pass part)
{
    static const char *const whats[] = {"convolution", "data gradient", "weight gradient"};
    const bool turned = o->s.kind == OPERATOR_DECONV;
    /* of a transposed convolution the library makes the other way round */
    const enum engine_pass does = turned && part == ENGINE_FORWARD ? ENGINE_DATA
                                  : turned && part == ENGINE_DATA  ? ENGINE_FORWARD
                                                                   : part;
    const char *name = o->w && multiplies(&o->s) ? "w" : "";
    struct engine_implementation row;

    for (int i = 0, nth = 0; graph_implementation(o->graph, i, &row); i++) {
        if (strcmp(row.node, name) != 0)
            continue;
        /* a dense layer's products: forward, weights, weights that are added, data */
        static const int products[] = {0, 3, 1};
        if (o->s.kind == OPERATOR_GEMM && nth++ == products[part])
            return row.name;
        if (o->s.kind != OPERATOR_GEMM && strcmp(row.what, whats[does]) == 0)
            return row.name;
    }
    return "";
}

/* ---- right? ----------------------------------------------------------- */

static const struct numbers *made(const struct operation *o, enum engine_pass part)
{
    return part == ENGINE_FORWARD ? &o->value : part == ENGINE_DATA ? &o->dx : &o->dw;
}

/* Every number against that of `ref`. */
static int check_by_ref(const struct operation *o, enum engine_pass part, long *wrong,
                        struct err *e)
{
    struct operator_setting set = o->set;
    const double slack = o->set.bf16 && part != ENGINE_WEIGHTS ? ldexp(1, -8) : 0;

    set.backend = "ref";
    struct operation *ref = operator_open(&o->s, &set, e);
    if (!ref)
        return -1;
    const struct numbers *have = made(o, part), *want = made(ref, part);
    for (size_t i = 0; i < have->n; i++) {
        double right = (double)want->v[i];
        *wrong += !(fabs((double)have->v[i] - right) <= slack * fabs(right));
    }
    operator_close(ref);
    return 0;
}

static int one_update(struct operation *o, double *seconds, struct err *e)
{
    model_zero(o->model, o->group);
    if (engine_forward(o->graph, ENGINE_TRAIN, e) < 0 || engine_backward(o->graph, false, e) < 0)
        return -1;
    double begin = clock_now();
    if (model_step(o->model, o->group, rate, e) < 0)
        return -1;
    *seconds += clock_now() - begin;
    return 0;
}

/* Two steps from the start values and moments of zero. */
static int check_rule(struct operation *o, long *wrong, struct err *e)
{
    enum { STEPS = 2 };
    double seconds = 0;

    if (o->stepped)
        return err_set(e, "an optimiser is checked before it has moved");
    o->stepped = true;
    for (int i = 0; i < STEPS; i++)
        if (one_update(o, &seconds, e) < 0)
            return -1;
    if (param_get(o->w, PARAM_VALUE, o->dw.v, o->dw.n, e) < 0)
        return -1;
    long n = value_check_rule(o, o->weight.v, o->dw.v, STEPS, rate);
    *wrong += n > 0 ? n : 0;
    return n < 0 ? err_set(e, "out of memory to check an optimiser") : 0;
}

int operator_check(struct operation *o, enum engine_pass part, long *wrong, struct err *e)
{
    long n, more = 0;

    if (o->s.kind == OPERATOR_OPTIMIZER)
        return check_rule(o, wrong, e);
    if (multiplies(&o->s) && operator_work(&o->s) <= small_work && strcmp(o->set.backend, "ref"))
        return check_by_ref(o, part, wrong, e);
    if (multiplies(&o->s)) {
        n = product_samples(o, part);
        more = product_freivalds(o, part);
    } else {
        n = value_check(o, part);
    }
    if (n < 0 || more < 0)
        return err_set(e, "out of memory to check an operator");
    *wrong += n + more;
    return 0;
}

int operator_run(struct operation *o, enum engine_pass part, long times, double *seconds,
                 struct err *e)
{
    if (o->s.kind != OPERATOR_OPTIMIZER)
        return engine_again(o->y, part, times, e);
    *seconds = 0;
    for (long t = 0; t < times; t++)
        if (one_update(o, seconds, e) < 0)
            return -1;
    return 0;
}
