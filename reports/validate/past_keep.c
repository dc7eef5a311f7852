/* SPDX-License-Identifier: BSD-3-Clause */
/* Appending, and what of the file stays when it has doubled. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/json_line.h"
#include "reports/validate/lines.h"
#include "reports/validate/node_line.h"
#include "reports/validate/past_inner.h"

/* ---- which lines stay ---- */

enum { KINDS = NODE_METRICS + 1 }; /* the last: a line without a metric, of numbers alone */

struct mark {
    int who, run, bytes;
    unsigned metrics; /* bits */
    int age;          /* the least of its metrics': 1 the newest run that measured it, ... */
};

struct marks {
    struct names who, runs;
    struct mark *of;
    int n, room;
    int at;   /* while lines are copied: which is next */
    int keep; /* runs */
    FILE *to;
};

static unsigned metrics_of(const struct node_result *r)
{
    unsigned bits = 0;

    for (int m = 0; m < NODE_METRICS; m++)
        bits |= isfinite(r->values[m].value) ? 1U << m : 0;
    return bits ? bits : 1U << NODE_METRICS;
}

/* What a line is about that may stay: a node or a link in a run. */
struct subject {
    char who[2 * NAMES_SIZE], run[64];
    unsigned metrics; /* bits */
};

static bool subject_of(const char *line, struct subject *s)
{
    struct node_result r;
    struct link_line l;

    if (link_line_parse(line, &l) == 0) {
        snprintf(s->who, sizeof s->who, "%.60s %s", l.from, PAST_LINKS);
        snprintf(s->run, sizeof s->run, "%s", l.run);
        s->metrics = (isfinite(l.bandwidth) ? 1U << NODE_METRIC_net_out : 0) |
                     (isfinite(l.latency) ? 1U << NODE_METRIC_net_latency : 0);
        return true;
    }
    if (node_line_parse(line, &r) < 0 || !r.run[0])
        return false;
    snprintf(s->who, sizeof s->who, "%.60s %s", past_identity(&r), r.class);
    snprintf(s->run, sizeof s->run, "%s", r.run);
    s->metrics = metrics_of(&r);
    return true;
}

static int mark_line(const char *line, void *ctx, struct err *e)
{
    struct marks *m = ctx;
    struct subject s;

    if (!subject_of(line, &s))
        return 0;
    void *more = json_line_room(m->of, m->n, &m->room, sizeof *m->of);
    if (!more)
        return err_set(e, "out of memory");
    m->of = more;
    m->of[m->n++] = (struct mark){.who = names_add(&m->who, s.who),
                                  .run = names_add(&m->runs, s.run),
                                  .bytes = (int)strlen(line) + 1,
                                  .metrics = s.metrics};
    return m->of[m->n - 1].who < 0 || m->of[m->n - 1].run < 0 ? err_set(e, "out of memory") : 0;
}

/* From the newest line to the oldest: how many runs of its node have each metric since. */
static int set_ages(struct marks *m)
{
    struct {
        int run, runs;
    } *last = calloc((size_t)m->who.n * KINDS + 1, sizeof *last);

    for (int i = m->n - 1; last && i >= 0; i--) {
        struct mark *is = &m->of[i];
        is->age = m->runs.n + 1;
        for (int k = 0; k < KINDS; k++) {
            const size_t at = (size_t)is->who * KINDS + (size_t)k;
            if (!(is->metrics & 1U << k))
                continue;
            if (last[at].run != is->run + 1) {
                last[at].run = is->run + 1;
                last[at].runs++;
            }
            is->age = last[at].runs < is->age ? last[at].runs : is->age;
        }
    }
    free(last);
    return last ? 0 : -1;
}

static double bytes_of(const struct marks *m, int keep)
{
    double bytes = 0;

    for (int i = 0; i < m->n; i++)
        bytes += m->of[i].age <= keep ? m->of[i].bytes : 0;
    return bytes;
}

/* ---- the new file ---- */

static int nodes_of(const struct past *p)
{
    int n = 0;

    for (int i = 0; i < p->nodes.n; i++)
        n += p->own[i].runs > 0;
    return n;
}

/* How many lines of the same class and metric stand behind it. */
static int later(const struct past *p, int i)
{
    int n = 0;

    for (int k = i + 1; k < p->n_noises; k++)
        n += strcmp(p->noises[k].class, p->noises[i].class) == 0 &&
             strcmp(p->noises[k].metric, p->noises[i].metric) == 0;
    return n;
}

static int put_noise(const struct noise_line *l, FILE *f)
{
    char line[PAST_LINE_SIZE];

    return noise_print(l, line) && fputs(line, f) == EOF ? -1 : 0;
}

static int put_parts(struct past *p, int class, int metric, FILE *f)
{
    const bool more_is_better = node_metric_row(metric)->more_is_better;
    struct judge_history h;
    struct noise_line l;

    if (past_parts(p, class, metric, false, &h, NULL) < 0)
        return -1;
    if (!h.known)
        return 0;
    l = (struct noise_line){.value = exp((more_is_better ? -h.baseline : h.baseline) / 100),
                            .between = h.between,
                            .run = h.run,
                            .step = h.step,
                            .shift = h.shift,
                            .freedom = h.freedom,
                            .runs = past_runs(p, past_class(p, class)),
                            .nodes = nodes_of(p),
                            .time = p->time};
    snprintf(l.class, sizeof l.class, "%s", past_class(p, class));
    snprintf(l.metric, sizeof l.metric, "%s", node_metric_row(metric)->name);
    return put_noise(&l, f);
}

static int put_noises(struct past *p, FILE *f)
{
    for (int i = 0; i < p->n_noises; i++)
        if (later(p, i) < PAST_NOISES - 1 && put_noise(&p->noises[i], f) < 0)
            return -1;
    for (int class = 0; class < p->classes.n; class ++)
        for (int metric = 0; metric < NODE_METRICS; metric++)
            if (put_parts(p, class, metric, f) < 0)
                return -1;
    return 0;
}

static int copy_line(const char *line, void *ctx, struct err *e)
{
    struct marks *m = ctx;
    struct subject s;

    const bool other = lines_is_any(line) && !lines_is(line, "node 1") &&
                       !lines_is(line, "link 1") && !lines_is(line, "noise 1");
    if (!(subject_of(line, &s) ? m->of[m->at++].age <= m->keep : other))
        return 0;
    return fprintf(m->to, "%s\n", line) < 0 ? err_set(e, "not written") : 0;
}

struct renewal {
    const char *path;
    struct past *p;
    struct marks m;
};

static int put_all(FILE *f, void *ctx)
{
    struct renewal *r = ctx;
    char line[NODE_LINE_SIZE + 1];

    r->m.to = f;
    r->m.at = 0;
    return put_noises(r->p, f) < 0
               ? -1
               : lines_read(past_what, r->path, line, sizeof line, copy_line, &r->m, NULL);
}

/* It is no failure of what was filed if this does not work: the file stays as it is. */
static void renew(struct lines *l, const char *path)
{
    struct renewal r = {.path = path, .p = past_open(path, NULL), .m = {.keep = PAST_KEEP}};
    char line[NODE_LINE_SIZE + 1];

    if (r.p && lines_read(past_what, path, line, sizeof line, mark_line, &r.m, NULL) == 0 &&
        set_ages(&r.m) == 0) {
        while (r.m.keep > 1 && bytes_of(&r.m, r.m.keep) > PAST_MOST)
            r.m.keep /= 2;
        lines_renew(l, put_all, &r);
    }
    names_fini(&r.m.who);
    names_fini(&r.m.runs);
    free(r.m.of);
    past_close(r.p);
}

/* ---- appending ---- */

int past_path(const char *history, char *path, int size, struct err *e)
{
    return lines_path(history, "values.jsonl", path, size, e);
}

/* All lines as one text to free(); NULL: out of memory. */
static char *text_of(const char *run, const struct node_result *const *lines, int n, size_t *size)
{
    char *text = NULL, line[NODE_LINE_SIZE];
    FILE *f = open_memstream(&text, size);
    struct node_result r;

    if (!f)
        return NULL;
    for (int i = 0; i < n; i++) {
        r = *lines[i];
        snprintf(r.run, sizeof r.run, "%s", run);
        if (node_line_print(&r, line))
            fputs(line, f);
    }
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

static char *text_of_links(const char *run, const struct link_line *links, int n, size_t *size)
{
    char *text = NULL, line[LINK_LINE_SIZE];
    FILE *f = open_memstream(&text, size);

    for (int i = 0; i < n && f; i++) {
        struct link_line l = links[i];
        snprintf(l.run, sizeof l.run, "%s", run);
        if (link_line_print(&l, line))
            fputs(line, f);
    }
    if (f && fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

/* text: NULL: there was no memory for it; freed here. */
static int append(const char *path, char *text, size_t size, int n, struct err *e)
{
    struct lines l;

    if (!text)
        return err_set(e, "out of memory for %d lines of values", n);
    int rc = lines_open(&l, past_what, path, e);
    if (rc == 0)
        rc = lines_add(&l, text, size, e);
    if (rc == 0 && lines_full(&l, PAST_LEAST))
        renew(&l, path);
    lines_close(&l);
    free(text);
    return rc;
}

int past_append(const char *path, const char *run, const struct node_result *const *lines, int n,
                struct err *e)
{
    size_t size = 0;
    char *text = text_of(run, lines, n, &size);

    return append(path, text, size, n, e);
}

int past_append_links(const char *path, const char *run, const struct link_line *links, int n,
                      struct err *e)
{
    size_t size = 0;
    char *text = text_of_links(run, links, n, &size);

    return append(path, text, size, n, e);
}
