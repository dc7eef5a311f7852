/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A component's training step on one rank, for contrib/bench/components.sh: the
 * component's own network, loss and update rule, made by the harness, fed with noise.
 *
 *     engine_bench rows
 *         the rows of the table below: NAME WORKLOAD CLASS BATCH SIDE
 *     engine_bench serve ROW DTYPE THREADS
 *         for each line "N" on standard input trains N steps and answers with
 *         the milliseconds of one
 *     engine_bench profile ROW DTYPE THREADS
 *         one row per operator and pass: its time, and its floor
 *         max(FLOP / peak, bytes / bandwidth) by peaks measured in this run; the
 *         peak is the better of a loop over registers and the library's product of
 *         large matrices. FLOP count the padding, which a library may leave out
 *     engine_bench clocks ROW DTYPE THREADS [PAIRS]
 *         pairs of steps with the profile's clocks and without them, in turn which is
 *         first: a line a pair, steps a second (contrib/bench/profile.sh)
 *     engine_bench step ROW DTYPE THREADS
 *         what is planned of the network, and one training step: its seconds, by kind of
 *         operator; of the rows that `rows` leaves out, too (deeplab and forecast at
 *         `standard`, of one sample: a step takes minutes and gigabytes)
 *     engine_bench how ROW DTYPE
 *         what the library does for each operator
 *
 * ENGINE_BENCH_CLOCK=cpu takes the process's CPU time instead of the wall's:
 * on a busy machine with one thread the only clock that means anything.
 */
#include <config.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contrib/bench/peaks.h"
#include "reports/core/clock.h"
#include "workloads/component/harness.h"

extern const struct workload workload_cosmoflow, workload_deepcam, workload_forecast, workload_hep,
    workload_defect;

/* side, batch 0: those of the class. */
static const struct row {
    const char *name;
    const struct workload *workload;
    enum runspec_class class;
    long side, batch;
} rows[] = {
    {"resnet50", &workload_hep, CLASS_STANDARD, 0, 32},
    {"unet-tiny", &workload_defect, CLASS_TINY, 0, 0},
    {"unet-small", &workload_defect, CLASS_SMALL, 0, 0},
    {"cosmoflow", &workload_cosmoflow, CLASS_STANDARD, 64, 4},
    {"hep-tiny", &workload_hep, CLASS_TINY, 0, 0},
    {"hep-small", &workload_hep, CLASS_SMALL, 0, 0},
    {"cosmoflow-tiny", &workload_cosmoflow, CLASS_TINY, 0, 0},
    {"cosmoflow-small", &workload_cosmoflow, CLASS_SMALL, 0, 0},
    {"deepcam-tiny", &workload_deepcam, CLASS_TINY, 0, 0},
    {"deepcam-small", &workload_deepcam, CLASS_SMALL, 0, 0},
    {"forecast-tiny", &workload_forecast, CLASS_TINY, 0, 0},
    {"forecast-small", &workload_forecast, CLASS_SMALL, 0, 0},
    {"deeplab", &workload_deepcam, CLASS_STANDARD, 0, 1},
    {"forecast", &workload_forecast, CLASS_STANDARD, 0, 1},
};
enum { ROWS = sizeof rows / sizeof rows[0], LISTED = ROWS - 2 /* the last ones take minutes */ };

static double (*now)(void) = clock_now;

static void must(int rc, const struct err *e)
{
    if (!rc)
        return;
    fprintf(stderr, "engine_bench: %s\n", e->text);
    exit(1);
}

struct bench {
    const struct row *row;
    const struct component *component;
    struct data_class class;
    long batch;
    enum tensor_dtype dtype;
    int threads, pairs;
    struct net net;
    float *fed[LOADER_FEEDS];
    uint64_t *ids;
    void *own; /* what the component's begin() would fill */
};

static const struct recipe *recipe_of(const struct bench *b)
{
    for (int i = 0; i < b->component->n_recipes; i++)
        if (b->component->recipes[i].class == b->row->class)
            return &b->component->recipes[i];
    return NULL;
}

static void bench_init(struct bench *b, const struct row *row)
{
    b->row = row;
    b->component = row->workload->own;
    b->class = *science_class(b->component->science, row->class);
    for (int i = 0; i < SCIENCE_AXES && row->side; i++)
        b->class.size[i] = b->class.size[i] ? row->side : 0;
    b->batch = row->batch ? row->batch : recipe_of(b)->batch;
}

/* The first is noise; the others (labels, masks, weights, parameters) are 0 or 1. */
static void fill(struct bench *b, int k, struct err *e)
{
    struct shape shape = tensor_shape(b->net.feed[k]);
    size_t n = 1;
    uint32_t s = 1;

    for (int i = 0; i < shape.n; i++)
        n *= (size_t)shape.d[i];
    b->fed[k] = malloc(n * sizeof *b->fed[k]);
    if (!b->fed[k])
        must(err_set(e, "out of memory"), e);
    for (size_t i = 0; i < n; i++) {
        s = s * 1664525u + 1013904223u;
        b->fed[k][i] = k ? (float)(s >> 31) : (float)(int32_t)s * 0x1p-31f;
    }
}

static void create(struct bench *b, bool timed)
{
    struct err e = ERR_INIT;
    struct engine_config c = {.backend = engine_backend_name(0),
                              .threads = b->threads,
                              .compute = b->dtype,
                              .seed = 1,
                              .comm = comm_self(),
                              .now = timed ? now : NULL};
    struct net *n = &b->net;

    b->own = calloc(1, b->component->feed_bytes + 1);
    b->ids = calloc((size_t)b->batch, sizeof *b->ids);
    n->model = model_create(&c, &e);
    must(n->model && b->own && b->ids ? 0 : -1, &e);
    n->group = model_group(n->model, "all", &recipe_of(b)->optimizer);
    n->graph = graph_create(n->model, "train", b->batch);
    b->component->build(n, recipe_of(b), &b->class, b->own);
    must(engine_compile(n->graph, n->loss, &e), &e);
    must(engine_start(n->model, &e), &e);
    for (int k = 0; k < LOADER_FEEDS && n->feed[k]; k++)
        fill(b, k, &e);
    for (long i = 0; i < b->batch; i++)
        b->ids[i] = (uint64_t)i;
}

static void destroy(struct bench *b)
{
    model_destroy(b->net.model);
    for (int k = 0; k < LOADER_FEEDS; k++)
        free(b->fed[k]);
    free(b->own);
    free(b->ids);
}

static void step(struct bench *b)
{
    struct err e = ERR_INIT;
    struct engine_step s = {.rows = b->batch, .global_rows = b->batch, .ids = b->ids, .epoch = 1};
    struct graph *g = b->net.graph;
    float loss;

    must(engine_begin(g, &s, &e), &e);
    for (int k = 0; k < LOADER_FEEDS && b->net.feed[k]; k++)
        must(engine_feed(g, b->net.feed[k], b->fed[k], &e), &e);
    model_zero(b->net.model, b->net.group);
    must(engine_forward(g, ENGINE_TRAIN, &e), &e);
    must(engine_backward(g, true, &e), &e);
    must(engine_read(g, b->net.loss, &loss, 1, &e), &e);
    must(model_step(b->net.model, b->net.group, 1e-4, &e), &e);
}

static int serve(struct bench *b)
{
    char line[64];

    create(b, false);
    step(b), step(b);
    while (fgets(line, sizeof line, stdin)) {
        long n = strtol(line, NULL, 10);
        double from = now();

        if (n < 1)
            break;
        for (long i = 0; i < n; i++)
            step(b);
        printf("%.3f\n", (now() - from) / (double)n * 1e3);
        fflush(stdout);
    }
    destroy(b);
    return 0;
}

/* Milliseconds of one call of each instruction over these steps. */
static void steps_profile(struct bench *b, double *ms, int most, int steps)
{
    struct engine_profile_row r;
    double *before = calloc((size_t)most, sizeof *before);

    for (int i = 0; before && i < most && graph_profile(b->net.graph, i, &r); i++)
        before[i] = r.seconds;
    for (int i = 0; i < steps; i++)
        step(b);
    for (int i = 0; before && i < most && graph_profile(b->net.graph, i, &r); i++)
        ms[i] = (r.seconds - before[i]) / steps * 1e3;
    free(before);
}

/* The best of TIMES profiles, each the mean of STEPS steps; returns the whole step's. */
static double best_profile(struct bench *b, double *best, int most)
{
    enum { STEPS = 2, TIMES = 4 };
    double *ms = calloc((size_t)most, sizeof *ms), whole = INFINITY;

    step(b), step(b);
    for (int t = 0; t < TIMES && ms; t++) {
        double from = now();

        steps_profile(b, ms, most, STEPS);
        whole = fmin(whole, (now() - from) / STEPS * 1e3);
        for (int i = 0; i < most; i++)
            best[i] = t ? fmin(best[i], ms[i]) : ms[i];
    }
    free(ms);
    return whole;
}

/* The update reads parameter, gradient and moments and writes all but the gradient;
 * what is fed is read and written once. */
static double rest_bytes(const struct bench *b)
{
    double moments = recipe_of(b)->optimizer.kind == OPTIMIZER_SGD ? 1 : 2, fed = 0;

    for (int k = 0; k < LOADER_FEEDS && b->net.feed[k]; k++) {
        struct shape s = tensor_shape(b->net.feed[k]);
        double n = 1;

        for (int i = 0; i < s.n; i++)
            n *= (double)s.d[i];
        fed += 2 * n;
    }
    return ((3 + 2 * moments) * (double)model_parameters(b->net.model, -1) + fed) * sizeof(float);
}

static int profile(struct bench *b)
{
    enum { MOST = 1024 };
    static double best[MOST];
    struct engine_profile_row r;
    double sum = 0, floor_ms = 0;

    create(b, true);
    struct peaks p = peaks_measure(b->threads, b->dtype == TENSOR_BF16, now);
    double whole = best_profile(b, best, MOST);

    printf("peaks: %.1f GFLOP/s, %.1f GB/s (%d threads; registers %.1f, product %.1f)\n",
           fmax(p.flops, p.product) / 1e9, p.bytes / 1e9, b->threads, p.flops / 1e9,
           p.product / 1e9);
    p.flops = fmax(p.flops, p.product);
    printf("%-24s %-8s %9s %9s %8s %6s\n", "operator", "pass", "ms", "floor ms", "GFLOP/s", "GB/s");
    for (int i = 0; i < MOST && graph_profile(b->net.graph, i, &r); i++) {
        double least = fmax(r.flop / p.flops, r.bytes / p.bytes) * 1e3;

        sum += best[i];
        floor_ms += least;
        printf("%-24s %-8s %9.3f %9.3f %8.1f %6.1f\n", r.name, r.pass, best[i], least,
               r.flop / best[i] / 1e6, r.bytes / best[i] / 1e6);
    }
    double rest = rest_bytes(b) / p.bytes * 1e3;
    printf("%-24s %-8s %9.3f %9.3f\n", "feed, update", "", whole - sum, rest);
    printf("operators %.2f ms, step %.2f ms, floor %.2f ms\n", sum, whole, floor_ms + rest);
    if (whole < floor_ms + rest)
        printf("the step lies under its floor, which is then wrong: tensors stay in caches, "
               "or the library leaves out the padding's FLOP\n");
    destroy(b);
    return 0;
}

/* Of all operators of a kind in one step. */
struct kind {
    const char *op;
    double seconds, flop;
};

static int sum_kinds(const struct graph *g, struct kind *kinds, int most)
{
    struct engine_profile_row r;
    int n = 0;

    for (int i = 0; graph_profile(g, i, &r); i++) {
        int k = 0;
        while (k < n && strcmp(kinds[k].op, r.op) != 0)
            k++;
        if (k == n && n < most)
            kinds[n++] = (struct kind){r.op, 0, 0};
        if (k == n)
            continue;
        kinds[k].seconds += r.seconds;
        kinds[k].flop += r.flop * (double)r.calls;
    }
    return n;
}

static int one_step(struct bench *b)
{
    enum { MOST = 32 };
    const struct peaks p = peaks_measure(b->threads, b->dtype == TENSOR_BF16, now);
    const double peak = fmax(p.flops, p.product);
    struct kind kinds[MOST];
    struct err e = ERR_INIT;
    double from = now();
    float loss;

    create(b, true);
    const double flop = graph_flop(b->net.graph).executed * (double)b->batch;
    printf("%s %s, batch of %ld, %d threads: %llu parameters, %.3f TFLOP a step as executed\n",
           b->component->name, runspec_class_name(b->row->class), b->batch, b->threads,
           (unsigned long long)model_parameters(b->net.model, -1), flop / 1e12);
    printf("planned memory %.3f GB; planned, started and fed with noise in %.1f s\n",
           (double)model_memory(b->net.model).total_bytes / 1e9, now() - from);
    fflush(stdout);
    from = now();
    step(b);
    const double took = now() - from;
    must(engine_read(b->net.graph, b->net.loss, &loss, 1, &e), &e);
    printf("a step, the first (in which all memory is met): %.1f s, %.1f GFLOP/s, %.1f %% of a "
           "measured peak of %.1f; loss %.4f\n",
           took, flop / took / 1e9, 100 * flop / took / peak, peak / 1e9, (double)loss);
    const int n = sum_kinds(b->net.graph, kinds, MOST);
    for (int i = 0; i < n; i++)
        printf("  %-14s %9.2f s %8.1f GFLOP/s\n", kinds[i].op, kinds[i].seconds,
               kinds[i].seconds > 0 ? kinds[i].flop / kinds[i].seconds / 1e9 : 0);
    destroy(b);
    return 0;
}

static double seconds_of(struct bench *b, int steps)
{
    const double from = clock_now();

    for (int i = 0; i < steps; i++)
        step(b);
    return clock_now() - from;
}

/* The same network twice. A side of a pair takes a tenth of a second. */
static int clocks(struct bench *b)
{
    struct bench without = *b;

    create(b, true);
    create(&without, false);
    const double once = fmin(seconds_of(b, 2) + seconds_of(b, 2), seconds_of(&without, 4)) / 4;
    const int steps = once < 0.1 ? (int)ceil(0.1 / once) : 1;
    for (int i = 0; i < b->pairs; i++) {
        const bool first = i % 2 == 0;
        double on = first ? seconds_of(b, steps) : 0, off = seconds_of(&without, steps);

        if (!first)
            on = seconds_of(b, steps);
        printf("profile without %.6g %.6g\n", steps / on, steps / off);
        fflush(stdout);
    }
    destroy(b);
    destroy(&without);
    return 0;
}

static int how(struct bench *b)
{
    struct engine_implementation r;

    create(b, false);
    for (int i = 0; graph_implementation(b->net.graph, i, &r); i++)
        printf("%-24s %-16s %s\n", r.node, r.what, r.name);
    destroy(b);
    return 0;
}

static int list(void)
{
    for (int i = 0; i < LISTED; i++) {
        struct bench b = {.threads = 1};

        bench_init(&b, &rows[i]);
        printf("%s %s %s %ld %ld\n", rows[i].name, b.component->name,
               runspec_class_name(rows[i].class), b.batch, b.class.size[SCIENCE_AXES - 1]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct bench *b);
    } verbs[] = {{"serve", serve},
                 {"profile", profile},
                 {"clocks", clocks},
                 {"step", one_step},
                 {"how", how}};
    struct bench b = {.threads = argc > 4 ? atoi(argv[4]) : 1,
                      .pairs = argc > 5 ? atoi(argv[5]) : 100};
    const char *clock_name = getenv("ENGINE_BENCH_CLOCK");

    if (argc == 2 && !strcmp(argv[1], "rows"))
        return list();
    if (clock_name && !strcmp(clock_name, "cpu"))
        now = clock_cpu;
    for (int i = 0; i < ROWS && argc > 3; i++)
        if (!strcmp(rows[i].name, argv[2]))
            bench_init(&b, &rows[i]);
    b.dtype = argc > 3 && !strcmp(argv[3], "bf16") ? TENSOR_BF16 : TENSOR_F32;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && b.row; i++)
        if (!strcmp(argv[1], verbs[i].name))
            return verbs[i].run(&b);
    fprintf(stderr,
            "usage: engine_bench rows | serve|profile|clocks|step|how ROW f32|bf16 [THREADS "
            "[PAIRS]]\n");
    return 2;
}
