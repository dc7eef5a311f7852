/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/memory.h"

#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_thread_num(void)
{
    return 0;
}
#endif

/* Between the arrays, so that lines of all three do not fall on the same sets of a
 * cache. */
enum { GAP = 8 * 9 };

struct memory {
    enum memory_kernel kernel;
    bool bypass;
    int threads;
    size_t n;
    double *base; /* threads x (3 n + 3 GAP) */
};

struct arrays {
    double *a, *b, *c;
};

static struct arrays arrays_of(const struct memory *m, int thread)
{
    size_t step = m->n + GAP;
    double *at = m->base + (size_t)thread * 3 * step;

    return (struct arrays){at, at + step, at + 2 * step};
}

struct memory *memory_open(enum memory_kernel kernel, size_t n, int threads, struct err *e)
{
    struct memory *m = malloc(sizeof *m);
    size_t bytes = (size_t)threads * 3 * (n + GAP) * sizeof(double);

    if (m)
        *m = (struct memory){.kernel = kernel, .threads = threads, .n = n};
    if (!m || !(m->base = aligned_alloc(64, (bytes + 63) / 64 * 64))) {
        free(m);
        err_set(e, "out of memory for arrays of %zu bytes", bytes);
        return NULL;
    }
    /* Who computes on a page writes it first: it lies near that core. */
#pragma omp parallel num_threads(threads)
    {
        int t = omp_get_thread_num();
        struct arrays x = arrays_of(m, t);
        memory_fill(x.a, x.b, x.c, n, (size_t)t * n);
    }
    return m;
}

void memory_close(struct memory *m)
{
    if (!m)
        return;
    free(m->base);
    free(m);
}

void memory_bypass(struct memory *m, bool bypass)
{
    m->bypass = bypass;
}

int memory_pass(void *ctx, long times, long *wrong, struct err *e)
{
    struct memory *m = ctx;

    (void)wrong, (void)e;
#pragma omp parallel num_threads(m->threads)
    {
        struct arrays x = arrays_of(m, omp_get_thread_num());
        memory_run(m->kernel, m->bypass, x.a, x.b, x.c, m->n, times);
    }
    return 0;
}

int memory_check(void *ctx, long *wrong, struct err *e)
{
    struct memory *m = ctx;
    long bad = 0;

    memory_pass(m, 1, wrong, e);
#pragma omp parallel num_threads(m->threads) reduction(+ : bad)
    {
        int t = omp_get_thread_num();
        bad += memory_wrong(m->kernel, arrays_of(m, t).a, m->n, (size_t)t * m->n);
    }
    *wrong += bad;
    return 0;
}
