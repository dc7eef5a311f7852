/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/workload.h"

enum { ALL_PARTS = 1 << ENGINE_FORWARD | 1 << ENGINE_DATA | 1 << ENGINE_WEIGHTS };

/* What of the published shapes is small: an eighth of a second of one core. */
static const double small_work = 4294967296.0, small_values = 1 << 25;

void shapes_free(struct shapes *list)
{
    free(list->v);
    *list = (struct shapes){NULL, 0};
}

/* ---- a list, each shape once ------------------------------------------ */

static bool same(const struct operator_shape *a, const struct operator_shape *b)
{
    char x[64], y[64];

    operator_text(a, x);
    operator_text(b, y);
    return a->kind == b->kind && strcmp(operator_what(a), operator_what(b)) == 0 &&
           strcmp(x, y) == 0;
}

static struct operator_shape *find(struct shapes *list, const struct operator_shape *s)
{
    for (int i = 0; i < list->n; i++)
        if (same(&list->v[i], s))
            return &list->v[i];
    return NULL;
}

/* Counts one more layer of `who` at the end of "hep 3, defect 1"; others come behind. */
static void name_owner(struct operator_shape *s, const char *who, bool layer)
{
    char *at = strrchr(s->from, ','), last[OPERATOR_FROM_SIZE];
    size_t n = strlen(who);
    long count = 0;

    at = at ? at + 2 : s->from;
    if (layer && strncmp(at, who, n) == 0 && at[n] == ' ')
        count = strtol(at + n, NULL, 10);
    else if (!layer && strcmp(at, who) == 0)
        return;
    if (count == 0 && *s->from)
        at = s->from + strlen(s->from);
    snprintf(last, sizeof last, layer ? "%s%s %ld" : "%s%s", count == 0 && *s->from ? ", " : "",
             who, count + 1);
    size_t room = sizeof s->from - (size_t)(at - s->from);
    if (strlen(last) < room)
        memcpy(at, last, strlen(last) + 1);
}

static int add(struct shapes *list, const struct operator_shape *s, const char *who, bool layer,
               struct err *e)
{
    struct operator_shape *have = find(list, s);

    if (!have) {
        struct operator_shape *more = realloc(list->v, ((size_t)list->n + 1) * sizeof *more);
        if (!more)
            return err_set(e, "out of memory for the shapes of %s", operator_name(s->kind));
        list->v = more;
        have = &list->v[list->n++];
        *have = *s;
        have->parts = 0;
        have->times = 0;
    }
    have->parts |= s->parts;
    have->times += layer;
    name_owner(have, who, layer);
    return 0;
}

/* ---- the networks' ---------------------------------------------------- */

struct walk {
    struct shapes *list;
    enum operator_kind kind;
    const char *workload;
};

/* The operator's kind of a node; OPERATOR_KINDS: none is measured. */
static enum operator_kind kind_of(enum op op)
{
    switch (op) {
    case OP_CONV:
    case OP_DEPTHWISE:
        return OPERATOR_CONV;
    case OP_DECONV:
        return OPERATOR_DECONV;
    case OP_MAXPOOL:
    case OP_AVGPOOL:
        return OPERATOR_POOL;
    case OP_DENSE:
        return OPERATOR_GEMM;
    case OP_ATTENTION:
        return OPERATOR_ATTENTION;
    case OP_BATCH_NORM:
    case OP_LAYER_NORM:
        return OPERATOR_NORM;
    case OP_ACT:
    case OP_GELU:
        return OPERATOR_ACT;
    case OP_MSE:
    case OP_BCE:
    case OP_SMOOTH_L1:
    case OP_CROSS_ENTROPY:
        return OPERATOR_LOSS;
    default:
        return OPERATOR_KINDS;
    }
}

static struct operator_shape shape_of(const struct node *n, enum operator_kind kind)
{
    const bool product = kind == OPERATOR_CONV || kind == OPERATOR_DECONV || kind == OPERATOR_GEMM;
    struct operator_shape s = {.kind = kind,
                               .op = n->op,
                               .x = n->in[0]->shape,
                               .act = kind == OPERATOR_ACT ? n->act : ACT_NONE,
                               .factor = kind == OPERATOR_ACT    ? n->slope
                                         : n->op == OP_SMOOTH_L1 ? n->factor
                                                                 : 0,
                               .parts = 1 << ENGINE_FORWARD};

    if (kind == OPERATOR_ATTENTION) {
        s.x = SHAPE(s.x.d[0] / n->tokens, s.x.d[1], n->tokens, 1);
        s.heads = n->heads;
    }
    if (product)
        s.w = n->weight->shape;
    if (kind <= OPERATOR_POOL)
        s.win = n->window;
    if (n->in_grad[0])
        s.parts |= 1 << ENGINE_DATA;
    if (product && n->weights_wanted)
        s.parts |= 1 << ENGINE_WEIGHTS;
    return s;
}

static int visit(void *ctx, const struct workload_graph *g, struct err *e)
{
    struct walk *w = ctx;
    const struct graph_view v = graph_view(g->graph);
    char who[64];

    snprintf(who, sizeof who, "%.20s%s%.20s", w->workload, g->model ? "/" : "",
             g->model ? g->model : "");
    for (int i = 0; i < v.n_nodes; i++) {
        const struct node *n = v.nodes[i];
        if (kind_of(n->op) != w->kind)
            continue;
        const struct operator_shape s = shape_of(n, w->kind);
        if (add(w->list, &s, who, true, e) < 0)
            return -1;
    }
    if (w->kind != OPERATOR_OPTIMIZER)
        return 0;
    const struct operator_shape s = {.kind = OPERATOR_OPTIMIZER,
                                     .op = OP_DENSE,
                                     .x = SHAPE(1, 1),
                                     .w = SHAPE((long)g->parameters, 1),
                                     .rule = g->optimizer->kind,
                                     .parts = 1 << ENGINE_FORWARD};
    return add(w->list, &s, who, true, e);
}

static int add_layers(struct shapes *list, enum operator_kind kind, enum runspec_class class,
                      int ranks, struct err *e)
{
    for (int i = 0; runspec_workload(i); i++) {
        const struct workload *w = workload_of(i);
        struct walk walk = {list, kind, runspec_workload(i)->name};

        if (w && w->graphs && w->graphs(w, class, ranks, visit, &walk, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- published -------------------------------------------------------- */

static const struct operator_shape v1[] = {
    {.kind = OPERATOR_CONV,
     .op = OP_CONV,
     .x = {4, {5, 16, 768, 1152}},
     .w = {4, {16, 16, 2, 2}},
     .win = {{2, 2}, {1, 1}, {0}, {0}, {0}},
     .parts = ALL_PARTS},
    {.kind = OPERATOR_POOL,
     .op = OP_MAXPOOL,
     .x = {4, {5, 16, 768, 1152}},
     .win = {{5, 5}, {1, 1}, {0}, {0}, {0}},
     .parts = 1 << ENGINE_FORWARD | 1 << ENGINE_DATA},
    {.kind = OPERATOR_GEMM,
     .op = OP_DENSE,
     .x = {2, {5, 16L * 768 * 1152}},
     .w = {2, {16, 16L * 768 * 1152}},
     .parts = ALL_PARTS},
};

/* The depthwise convolutions of DeepLabv3+'s middle flow and of its exit flow, which no other
 * network has and its class small has at an eighth of the width; of one sample. */
static const struct operator_shape deeplab[] = {
    {.kind = OPERATOR_CONV,
     .op = OP_DEPTHWISE,
     .x = {4, {1, 728, 48, 72}},
     .w = {4, {728, 1, 3, 3}},
     .win = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
     .parts = ALL_PARTS},
    {.kind = OPERATOR_CONV,
     .op = OP_DEPTHWISE,
     .x = {4, {1, 1536, 48, 72}},
     .w = {4, {1536, 1, 3, 3}},
     .win = {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}},
     .parts = ALL_PARTS},
};

static int add_deeplab(struct shapes *list, enum operator_kind kind, struct err *e)
{
    for (size_t i = 0; i < sizeof deeplab / sizeof *deeplab; i++)
        if (deeplab[i].kind == kind && add(list, &deeplab[i], "DeepLabv3+", false, e) < 0)
            return -1;
    return 0;
}

static bool is_small(const struct operator_shape *s)
{
    return operator_work(s) <= small_work && operator_values(s) <= small_values;
}

static int add_v1(struct shapes *list, enum operator_kind kind, enum runspec_class class,
                  struct err *e)
{
    for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++)
        if (v1[i].kind == kind && (class == CLASS_STANDARD || is_small(&v1[i])) &&
            add(list, &v1[i], "HPC AI500 V1", false, e) < 0)
            return -1;
    for (long c = 512, side = 16; kind == OPERATOR_DECONV && side < 256; c /= 2, side *= 2) {
        const struct operator_shape s = {.kind = kind,
                                         .op = OP_DECONV,
                                         .x = SHAPE(64, c, side, side),
                                         .w = SHAPE(c, side == 128 ? 1 : c / 2, 5, 5),
                                         .win = {{5, 5}, {2, 2}, {1, 1}, {2, 2}, {0}},
                                         .parts = ALL_PARTS};
        if ((class == CLASS_STANDARD || is_small(&s)) &&
            add(list, &s, "HPC AI500 V1", false, e) < 0)
            return -1;
    }
    return 0;
}

static int add_deepbench(struct shapes *list, enum operator_kind kind, enum runspec_class class,
                         struct err *e)
{
    static const struct {
        long rows, in, out;
        unsigned parts;
    } gemms[] = {
#define DEEPBENCH_GEMM(rows, in, out, parts) {rows, in, out, parts},
#include "workloads/micro/deepbench.def"
    };
    static const struct {
        long n, c, h, w, k;
        int fh, fw, ph, pw, sh, sw;
        unsigned parts;
    } convs[] = {
#define DEEPBENCH_CONV(n, c, h, w, k, fh, fw, ph, pw, sh, sw, parts)                               \
    {n, c, h, w, k, fh, fw, ph, pw, sh, sw, parts},
#include "workloads/micro/deepbench.def"
    };

    for (size_t i = 0; kind == OPERATOR_GEMM && i < sizeof gemms / sizeof *gemms; i++) {
        const struct operator_shape s = {.kind = kind,
                                         .op = OP_DENSE,
                                         .x = SHAPE(gemms[i].rows, gemms[i].in),
                                         .w = SHAPE(gemms[i].out, gemms[i].in),
                                         .parts = gemms[i].parts};
        if ((class == CLASS_STANDARD || is_small(&s)) && add(list, &s, "DeepBench", false, e) < 0)
            return -1;
    }
    for (size_t i = 0; kind == OPERATOR_CONV && i < sizeof convs / sizeof *convs; i++) {
        const struct operator_shape s = {
            .kind = kind,
            .op = OP_CONV,
            .x = SHAPE(convs[i].n, convs[i].c, convs[i].h, convs[i].w),
            .w = SHAPE(convs[i].k, convs[i].c, convs[i].fh, convs[i].fw),
            .win = {{convs[i].fh, convs[i].fw},
                    {convs[i].sh, convs[i].sw},
                    {convs[i].ph, convs[i].pw},
                    {convs[i].ph, convs[i].pw},
                    {0}},
            .parts = convs[i].parts};
        if ((class == CLASS_STANDARD || is_small(&s)) && add(list, &s, "DeepBench", false, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- by class --------------------------------------------------------- */

/* How many shapes of a kind a class measures, the published among them. */
struct share {
    int layers, published;
    bool ways; /* of each way one at most */
};

static double weight(const struct operator_shape *s)
{
    return operator_work(s) * (double)s->times;
}

/* More work before less. */
static int by_weight(const void *a, const void *b)
{
    double x = weight(a), y = weight(b);

    return (x < y) - (x > y);
}

static int by_work(const void *a, const void *b)
{
    double x = operator_work(a), y = operator_work(b);

    return (x < y) - (x > y);
}

/* Earlier shapes of the list of the same way. */
static int earlier(const struct shapes *list, int i)
{
    int n = 0;

    for (int k = 0; k < i; k++)
        n += strcmp(operator_what(&list->v[k]), operator_what(&list->v[i])) == 0;
    return n;
}

/* Of layers those with most work: first the largest of each way, then each way's second... */
static int keep_largest(struct shapes *list, const struct share *share, struct err *e)
{
    struct operator_shape *kept = malloc(((size_t)share->layers + 1) * sizeof *kept);
    int n = 0;

    if (!kept)
        return err_set(e, "out of memory for %d shapes", share->layers);
    if (list->n > 1)
        qsort(list->v, (size_t)list->n, sizeof *list->v, by_weight);
    for (int turn = 0; turn < (share->ways ? 1 : list->n); turn++)
        for (int i = 0; i < list->n && n < share->layers; i++)
            if (earlier(list, i) == turn)
                kept[n++] = list->v[i];
    if (n > 0)
        memcpy(list->v, kept, (size_t)n * sizeof *kept);
    list->n = n;
    free(kept);
    return 0;
}

/* Of published shapes so many, from the most work to the least in even steps. */
static void keep_even(struct shapes *list, int most)
{
    if (list->n <= most)
        return;
    qsort(list->v, (size_t)list->n, sizeof *list->v, by_work);
    for (int i = 0; i < most; i++)
        list->v[i] = list->v[most > 1 ? i * (list->n - 1) / (most - 1) : 0];
    list->n = most;
}

static int append(struct shapes *list, const struct shapes *more, struct err *e)
{
    for (int i = 0; i < more->n; i++)
        if (add(list, &more->v[i], more->v[i].from, false, e) < 0)
            return -1;
    return 0;
}

static int list_tiny(struct shapes *list, enum operator_kind kind, int ranks, struct err *e)
{
    const struct operator_shape dense = {.kind = OPERATOR_GEMM,
                                         .op = OP_DENSE,
                                         .x = SHAPE(128, 1760),
                                         .w = SHAPE(1760, 1760),
                                         .parts = 1 << ENGINE_FORWARD | 1 << ENGINE_DATA};

    const bool product = kind <= OPERATOR_GEMM && kind != OPERATOR_POOL;
    const struct share share = {.layers = product ? 2 : 1, .ways = true};

    if (kind == OPERATOR_GEMM)
        return add(list, &dense, "DeepBench", false, e);
    if (add_layers(list, kind, CLASS_TINY, ranks, e) < 0)
        return -1;
    return keep_largest(list, &share, e);
}

static int add_published(struct shapes *list, enum operator_kind kind, enum runspec_class class,
                         struct err *e)
{
    return add_v1(list, kind, class, e) < 0 ? -1 : add_deepbench(list, kind, class, e);
}

static int list_small(struct shapes *list, enum operator_kind kind, int ranks, struct err *e)
{
    const bool product = kind <= OPERATOR_GEMM && kind != OPERATOR_POOL;
    const struct share share = {.layers = product ? 8 : 6, .published = 6};
    struct shapes published = {NULL, 0};

    if (add_layers(list, kind, CLASS_SMALL, ranks, e) < 0 || keep_largest(list, &share, e) < 0)
        return -1;
    int rc = add_published(&published, kind, CLASS_SMALL, e);
    keep_even(&published, share.published);
    if (rc == 0)
        rc = append(list, &published, e);
    shapes_free(&published);
    return rc == 0 ? add_deeplab(list, kind, e) : -1;
}

int shapes_list(struct shapes *list, enum operator_kind kind, enum runspec_class class, int ranks,
                struct err *e)
{
    *list = (struct shapes){NULL, 0};
    if (class == CLASS_TINY)
        return list_tiny(list, kind, ranks, e);
    if (class == CLASS_SMALL)
        return list_small(list, kind, ranks, e);
    for (int c = CLASS_TINY; c <= (int)class; c++)
        if (add_layers(list, kind, (enum runspec_class)c, ranks, e) < 0)
            return -1;
    return add_published(list, kind, class, e);
}
