/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/verdicts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/json_line.h"
#include "reports/validate/lines.h"

static const char kind[] = "verdict 1", what[] = "the verdicts";

static const struct field fields[] = {
    FIELD(verdict_line, node, TEXT, "node", "name in Slurm"),
    FIELD(verdict_line, class, TEXT, "class", "of hardware", .empty = true),
    FIELD(verdict_line, word, TEXT, "verdict", "GOOD to FAULTY"),
    FIELD(verdict_line, gated, BOOL, "gated", "stood out, and was not measured again"),
    FIELD(verdict_line, metric, TEXT, "metric", "that decided", .empty = true),
    FIELD(verdict_line, loss, DOUBLE, "loss", "of it", .unit = "%", .why = "no metric decided",
          .range = RANGE_ANY),
    FIELD(verdict_line, limit, DOUBLE, "limit", "of a significant loss", .unit = "%",
          .why = "no metric decided"),
    FIELD(verdict_line, blind, DOUBLE, "blind", "smallest loss that is seen", .unit = "%",
          .why = "not measured"),
    FIELD(verdict_line, reason, TEXT, "reason", "what a drain reason says", .empty = true),
    FIELD(verdict_line, cluster, TEXT, "cluster", "of Slurm", .empty = true),
    FIELD(verdict_line, job, LONG, "job", "that measured it last"),
    FIELD(verdict_line, run, TEXT, "run", "of hpcai500 validate"),
    FIELD(verdict_line, boot_id, TEXT, "boot_id", "when it was measured", .empty = true),
    FIELD(verdict_line, serial, TEXT, "serial", "of its board", .empty = true),
    FIELD(verdict_line, time, LONG, "time", "when it was measured", .unit = "Unix seconds"),
    FIELD_END,
};

enum verdict verdict_of(const struct verdict_line *v)
{
    int verdict = verdict_parse(v->word);

    return verdict < 0 ? VERDICT_UNKNOWN : (enum verdict)verdict;
}

/* ---- lines ---- */

bool verdict_print(const struct verdict_line *v, char line[VERDICT_LINE_SIZE])
{
    return json_line_end(json_line_begin(kind, fields, v), line, VERDICT_LINE_SIZE);
}

int verdict_line_parse(const char *line, struct verdict_line *v)
{
    *v = (struct verdict_line){.loss = NAN, .limit = NAN, .blind = NAN};
    cJSON *o = strlen(line) < VERDICT_LINE_SIZE ? json_line_open(line, kind, fields, v) : NULL;
    const bool is = o != NULL;

    cJSON_Delete(o);
    return is && v->node[0] && v->run[0] && verdict_parse(v->word) >= 0 ? 0 : -1;
}

/* ---- the file ---- */

int verdicts_path(const char *history, char *path, int size, struct err *e)
{
    return lines_path(history, "verdicts.jsonl", path, size, e);
}

struct reading {
    struct verdict_line *v;
    int n, room;
};

static int take_line(const char *line, void *ctx, struct err *e)
{
    struct reading *r = ctx;
    struct verdict_line one;

    if (verdict_line_parse(line, &one) < 0)
        return 0;
    void *more = json_line_room(r->v, r->n, &r->room, sizeof *r->v);
    if (!more)
        return err_set(e, "out of memory for %d verdicts", r->n);
    r->v = more;
    r->v[r->n++] = one;
    return 0;
}

int verdicts_read(const char *path, struct verdict_line **v, int *n, struct err *e)
{
    struct reading r = {.v = NULL};
    char line[VERDICT_LINE_SIZE + 1];
    int rc = lines_read(what, path, line, sizeof line, take_line, &r, e);

    if (rc < 0) {
        free(r.v);
        r = (struct reading){.v = NULL};
    }
    *v = r.v;
    *n = r.n;
    return rc;
}

/* ---- appending ---- */

static int by_run(const void *a, const void *b)
{
    const struct verdict_line *x = *(const struct verdict_line *const *)a,
                              *y = *(const struct verdict_line *const *)b;
    const int run = strcmp(x->run, y->run);

    return run ? run : strcmp(x->node, y->node);
}

/* Pointers to them, to free(), in the order of `compare`; NULL: out of memory. */
static const struct verdict_line **sorted(const struct verdict_line *v, int n,
                                          int (*compare)(const void *a, const void *b))
{
    const struct verdict_line **p = malloc(((size_t)n + 1) * sizeof *p);

    for (int i = 0; p && i < n; i++)
        p[i] = &v[i];
    if (p)
        qsort(p, (size_t)n, sizeof *p, compare);
    return p;
}

/* Adds the lines that are not there. */
static int add_new(struct lines *l, const struct verdict_line *there, int n_there,
                   const struct verdict_line *v, int n, struct err *e)
{
    const struct verdict_line **known = sorted(there, n_there, by_run);
    char *text = malloc((size_t)n * VERDICT_LINE_SIZE + 1), *to = text;
    int rc = known && text ? 0 : err_set(e, "out of memory for %d verdicts", n_there + n);

    for (int i = 0; i < n && rc == 0; i++) {
        const struct verdict_line *one = &v[i];
        if (bsearch(&one, known, (size_t)n_there, sizeof *known, by_run))
            continue;
        if (!verdict_print(one, to))
            rc = err_set(e, "the verdict on %s does not fit a line", one->node);
        else
            to += strlen(to);
    }
    if (rc == 0)
        rc = lines_add(l, text, (size_t)(to - text), e);
    free(known);
    free(text);
    return rc;
}

/* ---- what stays ---- */

/* By node, the newest first: greatest time, of equals the last. */
static int by_node(const void *a, const void *b)
{
    const struct verdict_line *x = *(const struct verdict_line *const *)a,
                              *y = *(const struct verdict_line *const *)b;
    const int node = strcmp(x->node, y->node);

    if (node != 0)
        return node;
    return x->time != y->time ? (x->time < y->time ? 1 : -1) : (x < y) - (x > y);
}

struct kept {
    const char *path;
    FILE *to;
    const struct verdict_line *v;
    int n;
    int *age; /* [n]: 0 the newest of its node, 1 the one before, ... */
    int keep; /* so many of a node */
};

/* Others' kinds, and those of a newer version. */
static int copy_other(const char *line, void *ctx, struct err *e)
{
    const struct kept *k = ctx;

    if (!lines_is_any(line) || lines_is(line, kind))
        return 0;
    return fprintf(k->to, "%s\n", line) < 0 ? err_set(e, "not written") : 0;
}

static int put_kept(FILE *f, void *ctx)
{
    struct kept *k = ctx;
    char line[VERDICT_LINE_SIZE + 1];

    k->to = f;
    if (lines_read(what, k->path, line, sizeof line, copy_other, k, NULL) < 0)
        return -1;
    for (int i = 0; i < k->n; i++)
        if (k->age[i] < k->keep && (!verdict_print(&k->v[i], line) || fputs(line, f) == EOF))
            return -1;
    return 0;
}

static double bytes_of(const struct kept *k, int keep)
{
    char line[VERDICT_LINE_SIZE];
    double bytes = 0;

    for (int i = 0; i < k->n; i++)
        if (k->age[i] < keep && verdict_print(&k->v[i], line))
            bytes += (double)strlen(line);
    return bytes;
}

/* It is no failure of what was filed if this does not work: the file stays as it is. */
static void renew(struct lines *l, const char *path)
{
    struct verdict_line *v;
    struct kept k = {.age = NULL};
    int n;

    if (verdicts_read(path, &v, &n, NULL) < 0)
        return;
    const struct verdict_line **p = sorted(v, n, by_node);
    k = (struct kept){.path = path, .v = v, .n = n, .age = calloc((size_t)n + 1, sizeof *k.age)};
    if (p && k.age) {
        for (int i = 1; i < n; i++)
            if (strcmp(p[i]->node, p[i - 1]->node) == 0)
                k.age[p[i] - v] = k.age[p[i - 1] - v] + 1;
        k.keep = VERDICTS_KEEP;
        while (k.keep > 1 && bytes_of(&k, k.keep) > VERDICTS_MOST)
            k.keep /= 2;
        lines_renew(l, put_kept, &k);
    }
    free(p);
    free(k.age);
    free(v);
}

int verdicts_append(const char *path, const struct verdict_line *v, int n, struct err *e)
{
    struct verdict_line *there = NULL;
    struct lines l;
    int n_there = 0, rc = lines_open(&l, what, path, e);

    if (rc == 0)
        rc = verdicts_read(path, &there, &n_there, e);
    if (rc == 0)
        rc = add_new(&l, there, n_there, v, n, e);
    free(there);
    if (rc == 0 && lines_full(&l, VERDICTS_LEAST))
        renew(&l, path);
    lines_close(&l);
    return rc;
}

const struct verdict_line *verdicts_newest(const struct verdict_line *v, int n, const char *node)
{
    const struct verdict_line *newest = NULL;

    for (int i = 0; i < n; i++)
        if (strcmp(v[i].node, node) == 0 && (!newest || v[i].time >= newest->time))
            newest = &v[i];
    return newest;
}
