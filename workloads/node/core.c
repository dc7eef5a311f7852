/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shapes: x rows x edge, w edge x edge, y = x w': rows x edge; rows = edge = CORE_EDGE.
 */
#include <config.h>

#include "workloads/node/core.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"
#include "reports/core/sha256.h"
#include "workloads/engine/engine.h"
#include "workloads/philox.h"

enum { EDGE = CORE_EDGE, NUMBERS = EDGE * EDGE, KINDS = 4, WEIGHTS = CORE_INPUTS };

struct calls {
    struct model *model;
    struct graph *graph;
    struct tensor *x, *y;
    struct param *w;
    float *in[CORE_INPUTS], *first[CORE_INPUTS], *weights, *out;
    uint64_t ids[EDGE];
};

/* ---- inputs ---- */

/* Of 12 uniform numbers of 16 bits the sum: nearly normal, and exact on any machine. */
static float normal(const uint32_t bits[8])
{
    int32_t sum = 0;

    for (int i = 0; i < 6; i++)
        sum += (int32_t)(bits[i] & 0xffff) + (int32_t)(bits[i] >> 16);
    return (float)(sum - 6 * 65535) / 65536.0F;
}

/* Sign, exponent and 23 bits of mantissa. */
static float packed(uint32_t sign, int exponent, uint32_t mantissa)
{
    uint32_t word = (sign & 1) << 31 | (uint32_t)(127 + exponent) << 23 | (mantissa & 0x7fffff);
    float v;

    memcpy(&v, &word, sizeof v);
    return v;
}

static void draw(float *v, uint32_t stream, int kind, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    for (uint32_t i = 0; i < NUMBERS; i++) {
        uint32_t bits[8];
        for (uint32_t half = 0; half < 2; half++) {
            uint32_t at[4] = {i, half, stream, UINT32_C(0x636f7265)};
            philox4x32(at, key, bits + 4 * half);
        }
        v[i] = kind == 0   ? normal(bits)
               : kind == 1 ? (float)(int)(bits[0] % 17) - 8
               : kind == 2 ? packed(bits[0], (int)(bits[1] % 81) - 40, bits[2])
                           : packed(bits[0], 0, 0x7fffff);
    }
}

/* ---- calls ---- */

static double now_of_nobody(void)
{
    return 0;
}

static void calls_close(struct calls *c)
{
    if (c->model)
        model_destroy(c->model);
    for (int i = 0; i < CORE_INPUTS; i++) {
        free(c->in[i]);
        free(c->first[i]);
    }
    free(c->weights);
    free(c->out);
}

static int calls_open(struct calls *c, const char *backend, uint64_t seed, struct err *e)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct engine_config config = {.backend = backend,
                                   .threads = 1,
                                   .compute = TENSOR_F32,
                                   .seed = 1,
                                   .comm = comm_self(),
                                   .now = now_of_nobody};
    bool there = true;

    memset(c, 0, sizeof *c);
    c->weights = malloc(sizeof(float) * NUMBERS);
    c->out = malloc(sizeof(float) * NUMBERS);
    for (int i = 0; i < CORE_INPUTS; i++) {
        c->in[i] = malloc(sizeof(float) * NUMBERS);
        c->first[i] = malloc(sizeof(float) * NUMBERS);
        there = there && c->in[i] && c->first[i];
    }
    if (!there || !c->weights || !c->out)
        return err_set(e, "out of memory for checked calls");
    for (int i = 0; i < CORE_INPUTS; i++)
        draw(c->in[i], (uint32_t)i, i % KINDS, seed);
    draw(c->weights, WEIGHTS, 0, seed);
    for (uint64_t i = 0; i < EDGE; i++)
        c->ids[i] = i;
    if (!(c->model = model_create(&config, e)))
        return -1;
    int group = model_group(c->model, "all", &sgd);
    c->graph = graph_create(c->model, "checked", EDGE);
    c->x = graph_input(c->graph, "x", SHAPE(EDGE), CHANNELS_FIRST);
    c->w = model_param(c->model, group, "w", SHAPE(EDGE, EDGE), ZEROS);
    c->y = graph_output(op_dense(c->x, c->w, NULL));
    return engine_compile(c->graph, NULL, e) < 0 || engine_start(c->model, e) < 0
               ? -1
               : param_set(c->w, c->weights, NUMBERS, e);
}

static int call(struct calls *c, int input, struct err *e)
{
    struct engine_step step = {.rows = EDGE, .global_rows = EDGE, .ids = c->ids};

    return engine_begin(c->graph, &step, e) < 0 ||
                   engine_feed(c->graph, c->x, c->in[input], e) < 0 ||
                   engine_forward(c->graph, ENGINE_EVAL, e) < 0
               ? -1
               : engine_read(c->graph, c->y, c->out, NUMBERS, e);
}

/* How many results of an input are beyond the bound. */
static long beyond(const struct calls *c, int input)
{
    const float *x = c->in[input], *w = c->weights, *y = c->first[input];
    const double bound = EDGE * ldexp(1, -24);
    long wrong = 0;

    for (long r = 0; r < EDGE; r++)
        for (long o = 0; o < EDGE; o++) {
            double sum = 0, size = 0;
            for (long i = 0; i < EDGE; i++) {
                double term = (double)x[r * EDGE + i] * (double)w[o * EDGE + i];
                sum += term;
                size += fabs(term);
            }
            wrong += !(fabs((double)y[r * EDGE + o] - sum) <= bound * size);
        }
    return wrong;
}

static void digest_of(const float *v, char digest[CORE_DIGEST])
{
    char hex[SHA256_HEX_SIZE];

    sha256_of(v, sizeof(float) * NUMBERS, hex);
    snprintf(digest, CORE_DIGEST, "%.16s", hex);
}

#ifdef NODE_TEST_HOOK
/* A test build: a bit of the result of that call on that processor. */
static void flip(const struct core_task *t, int i, long n, float *out)
{
    int cpu;
    long at;
    uint32_t word;

    if (!t->hook || sscanf(t->hook, "%d:%ld", &cpu, &at) != 2 || cpu != t->cpus[i] || at != n)
        return;
    memcpy(&word, out + NUMBERS / 3, sizeof word);
    word ^= 1U << 11;
    memcpy(out + NUMBERS / 3, &word, sizeof word);
}
#else
static void flip(const struct core_task *t, int i, long n, float *out)
{
    (void)t, (void)i, (void)n, (void)out;
}
#endif

/* All calls of one core. */
static int make_calls(const struct core_task *t, int i, struct calls *c, struct err *e)
{
    struct core_found *f = &t->found[i];
    double until = clock_now() + t->seconds;

    for (long n = 1; n <= t->calls && (n <= CORE_INPUTS || clock_now() < until); n++) {
        int input = (int)((n - 1) % CORE_INPUTS);
        if (call(c, input, e) < 0)
            return -1;
        flip(t, i, n, c->out);
        f->calls = n;
        if (n <= CORE_INPUTS) {
            memcpy(c->first[input], c->out, sizeof(float) * NUMBERS);
            f->beyond += beyond(c, input);
            digest_of(c->first[input], f->digest[input]);
        } else if (memcmp(c->first[input], c->out, sizeof(float) * NUMBERS) != 0) {
            f->wrong++;
            f->first = f->first ? f->first : n;
        }
    }
    return 0;
}

static int replica(const struct core_task *t, int i, struct err *e)
{
    struct network *n = network_open(t->backend, 1, t->seed, e);
    struct core_found *f = &t->found[i];
    int rc = n ? 0 : -1;

    for (; rc == 0 && f->steps < t->steps; f->steps++)
        rc = network_step(n, e);
    if (rc == 0)
        rc = network_digest(n, f->weights, e);
    network_close(n);
    return rc;
}

int core_work(void *ctx, int i)
{
    const struct core_task *t = ctx;
    struct err e = ERR_INIT;
    struct calls c;
    int rc = 0;

    if (t->calls > 0) {
        rc = calls_open(&c, t->backend, t->seed, &e) < 0 ? -1 : make_calls(t, i, &c, &e);
        calls_close(&c);
    }
    if (rc == 0 && t->steps > 0)
        rc = replica(t, i, &e);
    if (rc < 0)
        snprintf(t->found[i].error, sizeof t->found[i].error, "%.120s", e.text);
    return rc;
}

/* ---- comparing ---- */

static void add(struct node_problem *list, int *n, const char *test, const char *fmt, va_list ap)
{
    if (*n == NODE_PROBLEMS)
        return;
    snprintf(list[*n].test, sizeof list->test, "%s", test);
    vsnprintf(list[*n].text, sizeof list->text, fmt, ap);
    (*n)++;
}

void node_fault(struct node_result *r, const char *test, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(r->faults, &r->n_faults, test, fmt, ap);
    va_end(ap);
}

void node_unknown(struct node_result *r, const char *test, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(r->unknown, &r->n_unknown, test, fmt, ap);
    va_end(ap);
}

/* The text that most of the n cores have (strings at a stride), and how many; NULL: none has
 * any. */
static const char *majority(const char *first, size_t stride, int n, int *most)
{
    const char *best = NULL;

    *most = 0;
    for (int i = 0; i < n; i++) {
        const char *is = first + (size_t)i * stride;
        int same = 0;
        for (int k = 0; k < n && *is; k++)
            same += strcmp(is, first + (size_t)k * stride) == 0;
        if (same > *most) {
            *most = same;
            best = is;
        }
    }
    return best;
}

/* Faults of cores whose digest is another than that of the majority; what: "result". */
static const char *compare_digests(const char *first, const int *cpus, int n, const char *test,
                                   const char *what, struct node_result *r)
{
    int most = 0, have = 0;
    const char *right = majority(first, sizeof(struct core_found), n, &most);

    for (int i = 0; i < n; i++)
        have += first[(size_t)i * sizeof(struct core_found)] != '\0';
    for (int i = 0; right && i < n; i++) {
        const char *is = first + (size_t)i * sizeof(struct core_found);
        if (!*is || strcmp(is, right) == 0)
            continue;
        if (2 * most > have)
            node_fault(r, test, "core %d: another %s than %d of %d cores", cpus[i], what, most,
                       have);
        else
            node_fault(r, test, "core %d: another %s than core %d; which is wrong is not known",
                       cpus[i], what, cpus[0]);
        return right; /* one sentence a comparison */
    }
    return right;
}

static void compare_calls(const struct core_found *found, const int *cpus, int n,
                          struct node_result *r)
{
    int before = r->n_faults;
    struct sha256 all;
    char hex[SHA256_HEX_SIZE], what[32];

    sha256_init(&all);
    for (int k = 0; k < CORE_INPUTS; k++) {
        snprintf(what, sizeof what, "product %d", k + 1);
        const char *right = r->n_faults == before
                                ? compare_digests(found[0].digest[k], cpus, n, "correct", what, r)
                                : NULL;
        int most;
        if (!right)
            right = majority(found[0].digest[k], sizeof *found, n, &most);
        if (!right)
            return;
        sha256_add(&all, right, CORE_DIGEST);
    }
    sha256_hex(&all, hex);
    snprintf(r->results, sizeof r->results, "%.16s", hex);
}

void core_compare(const struct core_found *found, const int *cpus, const int *ends, int n,
                  struct node_result *r)
{
    for (int i = 0; i < n; i++) {
        const struct core_found *f = &found[i];
        if (f->wrong > 0)
            node_fault(r, "correct", "core %d: %ld of %ld results differ, first in call %ld",
                       cpus[i], f->wrong, f->calls, f->first);
        if (f->beyond > 0)
            node_fault(r, "correct", "core %d: %ld numbers differ from double precision", cpus[i],
                       f->beyond);
        if (ends[i] > 0)
            node_unknown(r, "correct", "core %d: its process died of signal %d after %ld calls",
                         cpus[i], ends[i], f->calls);
        else if (ends[i] < 0)
            node_unknown(r, "correct", "core %d: %s after %ld calls", cpus[i],
                         f->error[0] ? f->error : "hung", f->calls);
        r->calls = i == 0 || f->calls < r->calls ? f->calls : r->calls;
        r->steps = i == 0 || f->steps < r->steps ? f->steps : r->steps;
    }
    if (r->n_faults == 0 || n > 1)
        compare_calls(found, cpus, n, r);
    const char *weights =
        compare_digests(found[0].weights, cpus, n, "replica", "network after training", r);
    snprintf(r->weights, sizeof r->weights, "%s", weights ? weights : "");
}
