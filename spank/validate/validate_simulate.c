/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule under simulated noise, as tables of at most 80 columns. */
#include <config.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/atomic.h"
#include "reports/core/conf.h"
#include "reports/core/slurp.h"
#include "reports/judge/simulate.h"
#include "reports/judge/variance.h"
#include "reports/validate/baseline.h"
#include "spank/validate/validate.h"

enum { QUICK_RUNS = 1000, FULL_RUNS = 100000, LARGE = 256 };

static double percent(long part, long of)
{
    return of ? 100.0 * (double)part / (double)of : NAN;
}

/* Rows of many nodes take long: a quick table has a tenth of the runs of them. */
static long runs_of(const struct simulate_options *o, int nodes)
{
    long runs = o->runs ? o->runs : o->full ? FULL_RUNS : QUICK_RUNS;
    return nodes >= LARGE && !o->full && runs > 200 ? runs / 10 + 1 : runs;
}

static int run(const struct simulate_options *o, const struct simulate_case *c,
               struct simulate_result *r, struct err *e)
{
    *r = (struct simulate_result){0};
    if (simulate(c, runs_of(o, c->n), o->seed, r) < 0)
        return err_set(e, "out of memory for %d nodes", c->n);
    return 0;
}

/* ---- rows that are kept ---- */

enum { PATH_SIZE = 4096 };

/* Prints a row of so many nodes: what `keep` has of it under that name and number of runs, or
 * what is computed now and kept there whole, so that hours of rows go on where they were ended. */
static int row(const struct simulate_options *o, const char *name, int nodes,
               int (*compute)(const struct simulate_options *o, const void *ctx, FILE *f,
                              struct err *e),
               const void *ctx, FILE *f, struct err *e)
{
    char path[PATH_SIZE], *text = NULL;
    size_t size = 0;

    if (!o->keep)
        return compute(o, ctx, f, e);
    if (snprintf(path, sizeof path, "%s/%s-%ld-%llu.row", o->keep, name, runs_of(o, nodes),
                 (unsigned long long)o->seed) >= (int)sizeof path)
        return err_set(e, "--keep='%.64s...' is too long for a path", o->keep);
    if (!(text = slurp(AT_FDCWD, path, 0, PATH_SIZE, &size))) {
        FILE *to = open_memstream(&text, &size);
        int rc = to ? compute(o, ctx, to, e) : err_set(e, "out of memory for a row");
        if (to && fclose(to) != 0 && rc == 0)
            rc = err_set(e, "out of memory for a row");
        if (rc == 0 && atomic_write(AT_FDCWD, path, 0644, 0, text, size) < 0)
            rc = err_set(e, "%s cannot be written: %s", path, strerror(errno));
        if (rc < 0) {
            free(text);
            return -1;
        }
    }
    fputs(text, f);
    fflush(f);
    free(text);
    return 0;
}

/* ---- sizes of one kind of noise ---- */

static const int few[] = {1, 2, 4, 8, 16, 64, 128, 256},
                 all[] = {1, 2, 3, 4, 8, 16, 64, 128, 256, 1024};

static const struct table {
    const char *name, *title;
    enum noise noise;
    double sigma, times;
} tables[] = {
    {"normal-1", "noise new at each step, sigma 1 %", NOISE_NORMAL, 1, 1},
    {"t3-1", "heavy tails (Student t3), sigma 1 %", NOISE_T3, 1, 1},
    {"persist-1", "64 % of the variance stays with the node, sigma 1 %", NOISE_PERSIST, 1, 1},
    {"drift-1", "a common shift at each step and drift, sigma 1 %", NOISE_DRIFT, 1, 1},
    {"normal-2", "sigma 2 %", NOISE_NORMAL, 2, 1},
    {"doubled", "today twice as noisy as the history (sigma 1 %)", NOISE_NORMAL, 1, 2},
    {"doubled-persist", "twice as noisy, and it stays with the node", NOISE_PERSIST, 1, 2},
};

struct size {
    const struct table *t;
    int n, metrics;
};

/* A healthy run's false alarms, then one bad node of 5 and of 7 %. */
static int print_size(const struct simulate_options *o, const void *ctx, FILE *f, struct err *e)
{
    const struct size *size = ctx;
    const struct table *t = size->t;
    const int n = size->n, metrics = size->metrics;
    struct simulate_case c = {.noise = t->noise,
                              .n = n,
                              .metrics = metrics,
                              .sigma = t->sigma,
                              .times = t->times,
                              .known = true};
    struct simulate_result healthy, five, seven;

    if (run(o, &c, &healthy, e) < 0)
        return -1;
    c.bad = 1;
    c.loss = 5;
    if (run(o, &c, &five, e) < 0)
        return -1;
    c.loss = 7;
    if (run(o, &c, &seven, e) < 0)
        return -1;
    fprintf(f, "%6d %3d %10.2f %8.3f %8.2f %9.1f %9.1f %9.1f %7.1f\n", n, metrics,
            percent(healthy.false_suspect, healthy.runs), percent(healthy.false_slow, healthy.runs),
            percent(healthy.system, healthy.runs), percent(five.suspect, five.bad),
            percent(seven.suspect, seven.bad), percent(seven.slow, seven.bad),
            healthy.blind / (double)healthy.runs);
    return 0;
}

static int print_row(const struct simulate_options *o, const struct table *t, int n, int metrics,
                     FILE *f, struct err *e)
{
    const struct size size = {t, n, metrics};
    char name[64];

    snprintf(name, sizeof name, "%s-n%d-m%d", t->name, n, metrics);
    return row(o, name, n, print_size, &size, f, e);
}

static int print_table(const struct simulate_options *o, const struct table *t, FILE *f,
                       struct err *e)
{
    const int *sizes = o->full ? all : few;
    int n = o->full ? (int)(sizeof all / sizeof *all) : (int)(sizeof few / sizeof *few);

    fprintf(f,
            "\n%s\n"
            "              false, %% of healthy runs       found, %% of bad nodes     blind\n"
            " nodes   M    SUSPECT     SLOW   SYSTEM   5 %%: any   7 %%: any 7 %%: SLOW    spot\n",
            t->title);
    for (int i = 0; i < n; i++) {
        if (o->full && print_row(o, t, sizes[i], 1, f, e) < 0)
            return -1;
        if (print_row(o, t, sizes[i], 10, f, e) < 0)
            return -1;
        fflush(f);
    }
    return 0;
}

/* ---- precision ---- */

static const int precision_sizes[] = {16, 64, 128};
static const double losses[] = {5, 7, 10};

/* Nodes bad with a chance of 1 %: runs with none and with one, in that proportion. */
static int print_loss(const struct simulate_options *o, const void *ctx, FILE *f, struct err *e)
{
    const int i = *(const int *)ctx;
    struct simulate_case c = {
        .n = precision_sizes[i / 3], .metrics = 10, .sigma = 1, .times = 1, .known = true};
    struct simulate_result healthy, r;
    const double with = -expm1(c.n * log(.99));

    if (run(o, &c, &healthy, e) < 0)
        return -1;
    c.bad = 1;
    c.loss = losses[i % 3];
    if (run(o, &c, &r, e) < 0)
        return -1;
    r.wrong += (long)((double)healthy.wrong * (1 - with) / with + .5);
    fprintf(f, "%6d %4.0f %% %10.4f %8.4f %8.4f\n", c.n, c.loss, simulate_precision(&r),
            simulate_recall(&r), simulate_f1(&r));
    return 0;
}

static int print_precision(const struct simulate_options *o, FILE *f, struct err *e)
{
    char name[64];

    fprintf(f, "\n1 node in 100 bad, M = 10, sigma 1 %%: SLOW\n"
               " nodes  loss  precision   recall       F1\n");
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "precision-%d", i);
        if (row(o, name, precision_sizes[i / 3], print_loss, &i, f, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- links ---- */

static const struct {
    int n, bad;
    bool pair;
} columns[] = {{8, 1, false},  {16, 1, false},  {16, 3, false}, {64, 1, false},
               {64, 3, false}, {256, 3, false}, {64, 0, true}};

enum { COLUMNS = sizeof columns / sizeof *columns };

static int print_rounds(const struct simulate_options *o, const void *ctx, FILE *f, struct err *e)
{
    const int rounds = *(const int *)ctx;

    fprintf(f, "%2d", rounds);
    for (int i = 0; i < COLUMNS; i++) {
        struct simulate_links c = {.n = columns[i].n,
                                   .rounds = rounds,
                                   .bad = columns[i].bad,
                                   .pair = columns[i].pair,
                                   .sigma = 5,
                                   .loss = 20};
        struct simulate_link_result r = {0};
        long runs = runs_of(o, c.n) / (o->full ? 20 : 1);
        if (simulate_link(&c, runs ? runs : 1, o->seed, &r) < 0)
            return err_set(e, "out of memory for %d nodes", c.n);
        fprintf(f, c.pair ? " %.3f" : " %.3f/%.2f", (double)r.wrong / (double)r.runs,
                (double)r.found / (double)(r.bad ? r.bad : 1));
    }
    fputc('\n', f);
    return 0;
}

static int print_links(const struct simulate_options *o, FILE *f, struct err *e)
{
    char name[64];

    fprintf(f, "\nlinks: noise of a pair 5 %%, bad ends lose 20 %%; wrongly named a run/found\n"
               "rounds   8, 1      16, 1      16, 3      64, 1      64, 3     256, 3  64, pair\n");
    for (int rounds = 1; rounds <= 5; rounds++) {
        snprintf(name, sizeof name, o->full ? "links-%d" : "links-quick-%d", rounds);
        if (row(o, name, 1, print_rounds, &rounds, f, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- this site ---- */

enum { METRICS = 10 };

/* The noise of one metric: what is seen, and how often healthy nodes are named. */
static int print_point(const struct simulate_options *o, int metrics, const char *name,
                       const struct judge_history *h, FILE *f, struct err *e)
{
    struct simulate_case c = {.noise = NOISE_SITE,
                              .n = o->nodes,
                              .metrics = metrics,
                              .between = h->between,
                              .times = 1,
                              .known = h->known,
                              .site = *h};
    struct simulate_result healthy, found;

    if (run(o, &c, &healthy, e) < 0)
        return -1;
    double blind = healthy.blind / (double)healthy.runs;
    c.bad = 1;
    c.loss = judge_percent(blind);
    if (run(o, &c, &found, e) < 0)
        return -1;
    fprintf(f, "%-16.16s %5.1f %5.1f %5.1f %5.1f %4.0f %8.2f %8.2f %7.1f %7.1f\n", name, h->between,
            h->run, h->step, h->shift, h->freedom, percent(healthy.false_suspect, healthy.runs),
            percent(healthy.false_slow, healthy.runs), c.loss, percent(found.suspect, found.bad));
    fflush(f);
    return 0;
}

static void print_head(FILE *f)
{
    fprintf(f,
            "                  noise, %%: b r w t             false, %%       blind  found\n"
            "metric             node   run  step   all   nu  SUSPECT     SLOW  spot %%  there\n");
}

static int print_priors(const struct simulate_options *o, FILE *f, struct err *e)
{
    const int metrics = o->metrics ? o->metrics : METRICS;

    fprintf(f,
            "\nThis site: %d node%s, %d metric%s. It has no history: the shipped priors,\n"
            "which know little (4 degrees of freedom) and therefore see little.\n",
            o->nodes, o->nodes == 1 ? "" : "s", metrics, metrics == 1 ? "" : "s");
    print_head(f);
    if (o->nodes < JUDGE_ALONE)
        fprintf(f, "fewer than %d nodes without a history: INCONCLUSIVE is the best verdict\n",
                JUDGE_ALONE);
    for (int k = 0; k < KIND_COUNT; k++) {
        struct judge_history h = variance_prior((enum metric_kind)k);
        if (print_point(o, metrics, kind_word((enum metric_kind)k), &h, f, e) < 0)
            return -1;
    }
    return 0;
}

/* Of a class: the noise of each metric that is known, by values or by approval. */
static int noise_of(struct past *p, const struct baseline *b, const char *class,
                    struct judge_history h[NODE_METRICS], struct err *e)
{
    int known = 0;

    for (int m = 0; m < NODE_METRICS; m++) {
        if (past_noise(p, class, m, &h[m], e) < 0)
            return -1;
        if (!h[m].known && b)
            baseline_join(b, b->software, m, &h[m]);
        known += h[m].known;
    }
    return known;
}

static int print_class(const struct simulate_options *o, struct past *p, const struct baseline *b,
                       const char *class, FILE *f, struct err *e)
{
    struct judge_history h[NODE_METRICS];
    const int known = noise_of(p, b, class, h, e), metrics = o->metrics ? o->metrics : known;

    if (known <= 0)
        return known;
    fprintf(f, "\nThis site: %.60s\n%d node%s, %d metric%s judged together, %d runs%s\n", class,
            o->nodes, o->nodes == 1 ? "" : "s", metrics, metrics == 1 ? "" : "s",
            past_runs(p, class), b ? ", a baseline is approved" : "");
    print_head(f);
    for (int m = 0; m < NODE_METRICS; m++)
        if (h[m].known && print_point(o, metrics, node_metric_row(m)->name, &h[m], f, e) < 0)
            return -1;
    return known;
}

/* Classes that nothing is known of have a line each, the priors follow when it is all of them. */
static int print_classes(const struct simulate_options *o, struct past *p,
                         const struct baseline *approved, int n, FILE *f, struct err *e)
{
    const char *class;
    int known = 0;

    for (int i = 0; (class = past_class(p, i)); i++) {
        const int rc = print_class(o, p, baseline_newest(approved, n, class), class, f, e);
        if (rc < 0)
            return -1;
        if (rc == 0)
            fprintf(f, "\n%.60s: %d runs of it, from %d on its noise is known\n", class,
                    past_runs(p, class), VARIANCE_RUNS);
        known += rc;
    }
    return known > 0 ? 0 : print_priors(o, f, e);
}

static int print_site(const struct simulate_options *o, FILE *f, struct err *e)
{
    static struct conf conf;
    char path[PATH_SIZE];
    struct baseline *approved = NULL;
    struct past *p = NULL;
    int n = 0, rc = -1;

    if (conf_load(&conf, o->conf, 0, e) == 0 &&
        past_path(conf.history, path, sizeof path, e) == 0 && (p = past_open(path, e)) &&
        baseline_path(conf.history, path, sizeof path, e) == 0 &&
        baseline_read(path, &approved, &n, e) == 0)
        rc = print_classes(o, p, approved, n, f, e);
    free(approved);
    past_close(p);
    return rc;
}

int validate_simulate(const struct simulate_options *o, FILE *f, struct err *e)
{
    if (o->site)
        return print_site(o, f, e);
    fprintf(f,
            "The rule of hpcai500 validate under simulated noise; seed %llu.\n"
            "%ld runs a row%s. M metrics are judged\n"
            "together; a run is a look and its further rounds.\n",
            (unsigned long long)o->seed, runs_of(o, 1),
            o->full ? "" : " (a tenth of them from 256 nodes on)");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (print_table(o, &tables[i], f, e) < 0)
            return -1;
    if (print_precision(o, f, e) < 0 || print_links(o, f, e) < 0)
        return -1;
    return print_site(o, f, e);
}
