/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of what was found, on rank 0. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node/validate_inner.h"
#include "reports/core/vet.h"
#include "reports/validate/spares.h"
#include "workloads/micro/sample.h"

static void head(const struct validation *v, struct micro_row *r, const char *what,
                 const char *unit, bool more_is_better)
{
    const struct measure none = unmeasured("made of other rows"),
                         other = unmeasured("other programs measured it");

    *r = (struct micro_row){.ranks = 1,
                            .threads = 1,
                            .checked = true,
                            .more_is_better = more_is_better,
                            .slowest_rank = -1};
    snprintf(r->name, sizeof r->name, v->h->spares ? "vet" : "validate");
    snprintf(r->what, sizeof r->what, "%s", what);
    snprintf(r->unit, sizeof r->unit, "%s", unit);
    snprintf(r->direction, sizeof r->direction, "none");
    r->median = r->p95 = r->p99 = r->best = r->slowest = none;
    r->run_delay = r->throttled_seconds = r->foreign_cores = r->clock_hertz = r->celsius = other;
    r->resident = unmeasured("reads no files");
    r->algbw = r->busbw = unmeasured("not a collective");
}

static int hand_over(const struct validation *v, struct micro_row *r, int *n, struct err *e)
{
    r->position = r->index = ++*n;
    return v->h->row(v->h->ctx, r, e);
}

/* ---- metrics ---- */

/* On the scale of losses back to the metric's unit. */
static double unit_of(int metric, double loss)
{
    return exp((node_metric_row(metric)->more_is_better ? -loss : loss) / 100);
}

/* The nodes of a class that have the metric, each with its value. */
static int fill_samples(const struct validation *v, const struct assess_group *g, int metric,
                        struct micro_row *r)
{
    r->samples = malloc((size_t)g->n * sizeof *r->samples);
    r->parts = malloc((size_t)g->n * sizeof *r->parts);
    if (!r->samples || !r->parts)
        return -1;
    for (int i = 0; i < g->n; i++) {
        if (!g->seen[i].has || g->of[i] != metric)
            continue;
        r->samples[r->n_samples++] = unit_of(metric, g->seen[i].x);
        r->parts[r->n_parts++] = (struct micro_part){v->first[g->node[i]], g->node[i], 1};
    }
    r->ranks = r->n_parts;
    return sample_summarise(r, "no node has it") < 0 ? -1 : 0;
}

static int put_metric(const struct validation *v, const struct assess_group *g, int metric, int *n,
                      struct err *e)
{
    const struct node_metric_row *row = node_metric_row(metric);
    const struct micro_host *h = v->h;
    struct micro_row r;

    head(v, &r, row->name, row->unit, row->more_is_better);
    snprintf(r.shape, sizeof r.shape, "%.63s", g->class ? g->class : "links");
    if (fill_samples(v, g, metric, &r) < 0) {
        micro_row_fini(&r);
        return err_set(e, "out of memory for the values of %d nodes", g->n);
    }
    if (r.slowest_rank >= 0)
        snprintf(r.slowest_node, sizeof r.slowest_node, "%.63s",
                 h->node_name(h->ctx, r.slowest_rank));
    if (r.n_samples > 0)
        return hand_over(v, &r, n, e);
    micro_row_fini(&r);
    return 0;
}

static int put_group(const struct validation *v, const struct assess_group *g, int *n,
                     struct err *e)
{
    if (put_metric(v, g, g->metric, n, e) < 0)
        return -1;
    return g->metric == NODE_METRIC_net_out ? put_metric(v, g, NODE_METRIC_net_in, n, e) : 0;
}

/* ---- verdicts ---- */

static enum micro_status status_of(enum verdict v)
{
    return v == VERDICT_FAULTY    ? MICRO_FAULTY
           : v == VERDICT_SLOW    ? MICRO_SLOW
           : v == VERDICT_UNKNOWN ? MICRO_SKIPPED
                                  : MICRO_OK;
}

static int put_verdict(const struct validation *v, const struct assess_node *is, int *n,
                       struct err *e)
{
    const char *metric = is->metric >= 0 ? node_metric_row(is->metric)->name : "";
    char apart[32] = "";
    struct micro_row r;

    if (is->rounds > 0 && v->apart > 0)
        snprintf(apart, sizeof apart, ", %.0f s apart", v->apart);
    head(v, &r, "verdict", "%", false);
    snprintf(r.shape, sizeof r.shape, "%s%s%s", verdict_word(is->verdict), *metric ? " " : "",
             metric);
    snprintf(r.from, sizeof r.from, "%.63s", is->name);
    r.status = status_of(is->verdict);
    if (isfinite(is->loss))
        r.median = measured(is->loss);
    else
        r.median = unmeasured("no metric decided");
    if (is->verdict == VERDICT_INCONCLUSIVE)
        snprintf(r.reason, sizeof r.reason,
                 "%.60s INCONCLUSIVE: fewer than %d nodes of its class, and a job knows no history",
                 is->name, JUDGE_ALONE);
    else if (is->metric >= 0)
        snprintf(r.reason, sizeof r.reason,
                 "%.40s %s: %.1f %% behind its like in %d further rounds%s%s", is->name,
                 verdict_word(is->verdict), is->loss, is->rounds, apart,
                 is->gated ? ", which do not decide yet" : "");
    else
        snprintf(r.reason, sizeof r.reason, "%.40s %s: %.100s", is->name, verdict_word(is->verdict),
                 is->text);
    return hand_over(v, &r, n, e);
}

static int put_counts(const struct validation *v, int *n, struct err *e)
{
    const struct assess *a = v->a;
    struct micro_row good, blind;
    double most = NAN;
    int count = 0;

    for (int i = 0; i < a->n; i++)
        if (a->nodes[i].verdict == VERDICT_GOOD) {
            count++;
            most = fmax(most, a->nodes[i].blind);
        }
    head(v, &good, "good", "nodes", true);
    snprintf(good.shape, sizeof good.shape, "of %d nodes", a->n);
    good.ranks = a->n;
    good.median = measured(count);
    head(v, &blind, "blind", "%", false);
    snprintf(blind.shape, sizeof blind.shape, "of good nodes");
    blind.ranks = count;
    blind.median =
        isfinite(most) ? measured(most) : unmeasured("no good node saw a loss below 15 %");
    return hand_over(v, &good, n, e) < 0 ? -1 : hand_over(v, &blind, n, e);
}

/* ---- spares ---- */

static int put_spare(const struct validation *v, int i, int *n, struct err *e)
{
    const struct assess_node *is = &v->a->nodes[i];
    struct micro_row r;
    double loss;
    int metric;

    spares_behind(v->a, i, &metric, &loss);
    head(v, &r, "spare", "%", false);
    snprintf(r.from, sizeof r.from, "%.63s", is->name);
    snprintf(r.shape, sizeof r.shape, "%s", verdict_word(is->verdict));
    r.median = isfinite(loss) ? measured(loss) : unmeasured("it is not behind in any metric");
    if (is->verdict >= VERDICT_SUSPECT)
        snprintf(r.reason, sizeof r.reason, "%.60s is left out: %s", is->name,
                 verdict_word(is->verdict));
    else if (metric >= 0)
        snprintf(r.reason, sizeof r.reason,
                 "%.60s is left out: not bad, only the slowest: %s %+.1f %%", is->name,
                 node_metric_row(metric)->name, -loss);
    else
        snprintf(r.reason, sizeof r.reason, "%.60s is left out: not bad, one of equals", is->name);
    return hand_over(v, &r, n, e);
}

/* Not before a script: what the plugin would tell one, as lines for a shell. */
static int put_words(const struct validation *v, const char *said, struct err *e)
{
    const struct assess *a = v->a;
    char *names = NULL, *words = NULL;
    size_t size;
    FILE *f = open_memstream(&names, &size);
    struct vet vet;

    for (int i = 0; i < a->n && f; i++)
        fprintf(f, "%s\n", a->nodes[i].name);
    if (!f || fclose(f) != 0)
        return err_set(e, "out of memory for the names of the nodes");
    int rc = vet_choose(&vet, said, names, getenv("SLURM_TASKS_PER_NODE"), v->h->spares, e);
    if (rc == 0 && !(words = vet_exports(&vet)))
        rc = err_set(e, "out of memory for the words of a vet");
    if (rc == 0 && v->h->line)
        v->h->line(v->h->ctx, words);
    vet_fini(&vet);
    free(words);
    free(names);
    return rc;
}

/* The rows, and the line for the plugin, or words for a person. */
static int put_spares(const struct validation *v, int *n, struct err *e)
{
    const struct assess *a = v->a;
    bool *spare = malloc((size_t)a->n * sizeof *spare);
    const int bad = spare ? spares_choose(a, v->h->spares, spare) : -1;
    char *line = NULL;
    size_t size;
    FILE *f = bad < 0 ? NULL : open_memstream(&line, &size);
    int rc = f ? 0 : err_set(e, "out of memory for the spares"), count = 0;

    if (f)
        fprintf(f, "hpcai500-vet %s ", bad > 0 ? "short" : "ok");
    for (int i = 0; i < a->n && rc == 0; i++) {
        if (!spare[i])
            continue;
        fprintf(f, "%s%d:%s", count++ ? "," : "", i, a->nodes[i].name);
        rc = put_spare(v, i, n, e);
    }
    if (f) {
        fputc('\n', f);
        if (fclose(f) != 0 && rc == 0)
            rc = err_set(e, "out of memory for the spares");
    }
    if (rc == 0 && !v->h->before_script)
        rc = put_words(v, line, e);
    else if (rc == 0 && v->h->line)
        v->h->line(v->h->ctx, line);
    free(line);
    free(spare);
    return rc;
}

int validate_rows(const struct validation *v, struct err *e)
{
    int n = 0;

    if (put_counts(v, &n, e) < 0 || (v->h->spares > 0 && put_spares(v, &n, e) < 0))
        return -1;
    for (int i = 0; i < v->a->n; i++)
        if (v->a->nodes[i].verdict != VERDICT_GOOD && put_verdict(v, &v->a->nodes[i], &n, e) < 0)
            return -1;
    for (int g = 0; g < v->a->n_groups; g++)
        if (put_group(v, &v->a->groups[g], &n, e) < 0)
            return -1;
    return 0;
}
