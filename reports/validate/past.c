/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/past.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "reports/core/fdio.h"
#include "reports/judge/judge.h"
#include "reports/validate/node_line.h"

static const enum metric_kind kinds[NODE_METRICS] = {
#define NODE_METRIC(symbol, name, kind, unit, more_is_better, what) KIND_##kind,
#include "reports/core/node_metrics.def"
};

/* Names by number. */
struct names {
    int n, room;
    char (*of)[96];
};

struct value {
    int run, node, class, metric, step;
    double x;
};

struct past {
    struct names runs, nodes, classes;
    struct value *values;
    int n, room;
    struct variance_value *picked; /* [n] */
    struct variance_node *own;     /* [nodes.n] of the last question */
};

enum metric_kind past_kind(int metric)
{
    return kinds[metric];
}

/* The number of a name, which is added; -1: out of memory. The newest are looked at
 * first: lines of one run stand together. */
static int number_of(struct names *names, const char *name)
{
    for (int i = names->n - 1; i >= 0; i--)
        if (strcmp(names->of[i], name) == 0)
            return i;
    if (names->n == names->room) {
        int room = names->room ? 2 * names->room : 64;
        void *more = realloc(names->of, (size_t)room * sizeof *names->of);
        if (!more)
            return -1;
        names->of = more;
        names->room = room;
    }
    snprintf(names->of[names->n], sizeof *names->of, "%s", name);
    return names->n++;
}

static int find(const struct names *names, const char *name)
{
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->of[i], name) == 0)
            return i;
    return -1;
}

static const char *identity(const struct node_result *r)
{
    return r->serial[0] ? r->serial : r->node;
}

static int add_value(struct past *p, struct value v)
{
    if (p->n == p->room) {
        int room = p->room ? 2 * p->room : 1024;
        struct value *more = realloc(p->values, (size_t)room * sizeof *more);
        if (!more)
            return -1;
        p->values = more;
        p->room = room;
    }
    p->values[p->n++] = v;
    return 0;
}

static int add_line(struct past *p, const struct node_result *r)
{
    struct value v = {.run = number_of(&p->runs, r->run),
                      .node = number_of(&p->nodes, identity(r)),
                      .class = number_of(&p->classes, r->class),
                      .step = r->round};

    if (v.run < 0 || v.node < 0 || v.class < 0)
        return -1;
    for (v.metric = 0; v.metric < NODE_METRICS; v.metric++) {
        v.x = judge_loss(r->values[v.metric].value, 1, node_metric_row(v.metric)->more_is_better);
        if (isfinite(v.x) && add_value(p, v) < 0)
            return -1;
    }
    return 0;
}

/* Of the values those of the newest PAST_RUNS runs, numbered from 0. */
static void forget_old(struct past *p)
{
    int old = p->runs.n - PAST_RUNS, n = 0;

    if (old <= 0)
        return;
    for (int i = 0; i < p->n; i++)
        if (p->values[i].run >= old) {
            p->values[n] = p->values[i];
            p->values[n++].run -= old;
        }
    p->n = n;
    memmove(p->runs.of, p->runs.of + old, PAST_RUNS * sizeof *p->runs.of);
    p->runs.n = PAST_RUNS;
}

static int read_lines(struct past *p, FILE *f, struct err *e)
{
    static struct node_result r;
    char line[NODE_LINE_SIZE + 1];

    while (fgets(line, sizeof line, f))
        if (node_line_parse(line, &r) == 0 && r.run[0] && add_line(p, &r) < 0)
            return err_set(e, "out of memory for the values of earlier runs");
    return 0;
}

struct past *past_open(const char *path, struct err *e)
{
    struct past *p = calloc(1, sizeof *p);
    FILE *f = fopen(path, "re");
    bool fine = p != NULL;

    if (!p)
        err_set(e, "out of memory for the values of earlier runs");
    else if (!f && errno != ENOENT)
        fine = err_set(e, "the values %s cannot be read: %s", path, strerror(errno)) == 0;
    else if (f)
        fine = read_lines(p, f, e) == 0;
    if (f)
        fclose(f);
    if (fine) {
        forget_old(p);
        p->picked = malloc((size_t)(p->n + 1) * sizeof *p->picked);
        p->own = calloc((size_t)p->nodes.n + 1, sizeof *p->own);
        if (p->picked && p->own)
            return p;
        err_set(e, "out of memory for the values of earlier runs");
    }
    past_close(p);
    return NULL;
}

void past_close(struct past *p)
{
    if (!p)
        return;
    free(p->runs.of);
    free(p->nodes.of);
    free(p->classes.of);
    free(p->values);
    free(p->picked);
    free(p->own);
    free(p);
}

int past_runs(const struct past *p, const char *class)
{
    int is = *class ? find(&p->classes, class) : -1, n = 0;

    for (int run = 0; run < p->runs.n; run++)
        for (int i = 0; i < p->n; i++)
            if (p->values[i].run == run && (is < 0 ? !*class : p->values[i].class == is)) {
                n++;
                break;
            }
    return n;
}

int past_noise(struct past *p, const char *class, int metric, struct judge_history *h,
               struct err *e)
{
    int is = find(&p->classes, class), n = 0;

    for (int i = 0; i < p->n; i++) {
        const struct value *v = &p->values[i];
        if (v->class == is && v->metric == metric)
            p->picked[n++] = (struct variance_value){v->run, v->node, v->step, v->x};
    }
    if (variance_parts(p->picked, n, p->runs.n, p->nodes.n, kinds[metric], h, p->own) < 0)
        return err_set(e, "out of memory for the noise of %s", node_metric_row(metric)->name);
    return 0;
}

struct variance_node past_own(const struct past *p, const struct node_result *r)
{
    int node = find(&p->nodes, identity(r));

    return node < 0 ? (struct variance_node){NAN, 0} : p->own[node];
}

int past_append(const char *path, const char *run, const struct node_result *lines, int n,
                struct err *e)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640), rc = 0;
    static struct node_result r;
    char line[NODE_LINE_SIZE];

    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        rc = err_set(e, "the values %s cannot be opened: %s", path, strerror(errno));
    if (rc == 0 && !fdio_ends_line(fd) && fdio_write(fd, "\n", 1) < 0)
        rc = err_set(e, "the values %s cannot be written: %s", path, strerror(errno));
    for (int i = 0; i < n && rc == 0; i++) {
        r = lines[i];
        snprintf(r.run, sizeof r.run, "%s", run);
        if (node_line_print(&r, line) && fdio_write(fd, line, strlen(line)) < 0)
            rc = err_set(e, "the values %s cannot be written: %s", path, strerror(errno));
    }
    if (rc == 0 && fsync(fd) < 0)
        rc = err_set(e, "the values %s cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}
