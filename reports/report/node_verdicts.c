/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/node_verdicts.h"

#include <stdlib.h>
#include <string.h>

/* Of equal times the later line is the newer one. */
static int newest_first(const void *a, const void *b)
{
    const struct verdict_line *x = *(const struct verdict_line *const *)a;
    const struct verdict_line *y = *(const struct verdict_line *const *)b;
    const int name = strcmp(x->node, y->node);

    if (name)
        return name;
    if (x->time != y->time)
        return x->time < y->time ? 1 : -1;
    return x < y ? 1 : -1;
}

int node_verdicts_of(struct node_verdicts *v, struct verdict_line *lines, int n, struct err *e)
{
    *v = (struct node_verdicts){n, calloc((size_t)n + 1, sizeof *v->of), lines};
    if (!v->of) {
        node_verdicts_fini(v);
        return err_set(e, "out of memory for %d verdicts", n);
    }
    for (int i = 0; i < n; i++)
        v->of[i] = &lines[i];
    qsort(v->of, (size_t)n, sizeof *v->of, newest_first);
    return 0;
}

void node_verdicts_fini(struct node_verdicts *v)
{
    free(v->of);
    free(v->lines);
    *v = (struct node_verdicts){0, NULL, NULL};
}

static bool may_be(const char *a, const char *b)
{
    return !a[0] || !b[0] || strcmp(a, b) == 0;
}

const struct verdict_line *node_verdict(const struct node_verdicts *v, const char *node,
                                        const char *cluster)
{
    int from = 0, to = v->n;

    while (from < to) { /* the first line of the node */
        const int middle = from + (to - from) / 2;
        if (strcmp(v->of[middle]->node, node) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < v->n && strcmp(v->of[from]->node, node) == 0; from++)
        if (may_be(v->of[from]->cluster, cluster))
            return v->of[from];
    return NULL;
}
