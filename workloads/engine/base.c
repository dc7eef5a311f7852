/* SPDX-License-Identifier: BSD-3-Clause */
/* What all modules of the engine stand on. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

int graph_check_started(const struct graph *g, const char *what, struct err *e)
{
    if (!g || !g->model->started)
        return err_set(e, "%s comes before engine_start()", what);
    return 0;
}

void engine_threads(int threads)
{
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

int engine_team(int threads)
{
    int given = threads < 1 ? threads : 1;

#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
#pragma omp single
        given = omp_get_num_threads();
    }
#endif
    return given;
}

size_t shape_count(const struct shape *s)
{
    size_t n = 1;

    for (int i = 0; i < s->n; i++)
        n *= (size_t)s->d[i];
    return n;
}

size_t plain_bytes(const struct shape *s, enum tensor_dtype dtype)
{
    return shape_count(s) * (dtype == TENSOR_BF16 ? sizeof(uint16_t) : sizeof(float));
}

int model_fail(struct model *m, const char *fmt, ...)
{
    va_list ap;
    char text[sizeof m->first.text];

    if (m->failed)
        return -1;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    m->failed = true;
    return err_set(&m->first, "%s", text);
}

void *model_append(struct model *m, void ***array, int *n, size_t size)
{
    void **wider = realloc(*array, (size_t)(*n + 1) * sizeof **array);

    if (wider)
        *array = wider;
    void *item = wider ? calloc(1, size) : NULL;
    if (!item) {
        model_fail(m, "out of memory while building the model");
        return NULL;
    }
    wider[(*n)++] = item;
    return item;
}

struct copy *node_copy(struct node *n, struct param *p, size_t bytes,
                       bool (*same)(const void *format, const void *wanted), const void *wanted)
{
    struct model *m = p->model;
    struct copy *c = NULL;

    for (int i = 0; i < m->n_copies && !c; i++)
        if (m->copies[i]->param == p && same(m->copies[i]->format, wanted))
            c = m->copies[i];
    for (int i = 0; i < n->n_copies && c; i++)
        if (n->copies[i] == c)
            return c;
    if (!c) {
        c = model_append(m, (void ***)&m->copies, &m->n_copies, sizeof *c);
        if (!c)
            return NULL;
        c->param = p;
        c->bytes = bytes;
        c->at = m->copies_bytes;
        m->copies_bytes += plan_align(bytes);
    }
    n->copies[n->n_copies++] = c;
    return c;
}
