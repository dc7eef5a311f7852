/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines, looks, what to measure again. Links: assess_links.c; verdicts: assess_verdict.c */
#include <config.h>

#include "reports/validate/assess.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/assess_inner.h"

static const char no_memory[] = "out of memory for the verdicts";

struct assess *assess_create(const char *const *names, int n, struct past *past, struct err *e)
{
    struct assess *a = calloc(1, sizeof *a);

    if (!a || !(a->nodes = calloc((size_t)n + 1, sizeof *a->nodes))) {
        err_set(e, "%s", no_memory);
        free(a);
        return NULL;
    }
    a->past = past;
    a->links_at[ASSESS_BANDWIDTH] = a->links_at[ASSESS_LATENCY] = NAN;
    a->n = n;
    for (int i = 0; i < n; i++)
        snprintf(a->nodes[i].name, sizeof a->nodes[i].name, "%s", names[i]);
    return a;
}

static void close_groups(struct assess *a)
{
    for (int g = 0; g < a->n_groups; g++) {
        free(a->groups[g].seen);
        free(a->groups[g].in);
        free(a->groups[g].node);
        free(a->groups[g].of);
    }
    free(a->groups);
    a->groups = NULL;
    a->n_groups = 0;
}

void assess_close(struct assess *a)
{
    if (!a)
        return;
    close_groups(a);
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k <= JUDGE_ROUNDS; k++)
            free(a->nodes[i].lines[k]);
    free(a->nodes);
    free(a->pairs);
    free(a->pair_begin);
    free(a->pair_of);
    free(a->stood);
    free(a);
}

/* ---- what came ---- */

/* Values of a second line of the same round stand in place of those of the first. */
static void merge(struct node_result *to, const struct node_result *from)
{
    for (int m = 0; m < NODE_METRICS; m++)
        if (isfinite(from->values[m].value))
            to->values[m] = from->values[m];
    for (int i = 0; i < from->n_faults && to->n_faults < NODE_PROBLEMS; i++)
        to->faults[to->n_faults++] = from->faults[i];
    for (int i = 0; i < from->n_unknown && to->n_unknown < NODE_PROBLEMS; i++)
        to->unknown[to->n_unknown++] = from->unknown[i];
    to->corrected = from->corrected > to->corrected ? from->corrected : to->corrected;
}

int assess_line(struct assess *a, const struct node_result *r, struct err *e)
{
    int i = assess_find(a, r->node);

    if (i < 0 || r->round > JUDGE_ROUNDS)
        return 0;
    struct node_result **at = &a->nodes[i].lines[r->round];
    if (*at) {
        merge(*at, r);
        return 0;
    }
    if (!(*at = malloc(sizeof **at)))
        return err_set(e, "%s", no_memory);
    **at = *r;
    return 0;
}

void assess_why(struct assess *a, const char *node, const char *why)
{
    int i = assess_find(a, node);

    if (i >= 0)
        snprintf(a->nodes[i].why, sizeof a->nodes[i].why, "%s", why);
}

void assess_said(struct assess *a, const char *node, const char *words)
{
    int i = assess_find(a, node);

    if (i >= 0 && !a->nodes[i].said[0])
        snprintf(a->nodes[i].said, sizeof a->nodes[i].said, "%s", words);
}

/* ---- values ---- */

/* On the scale of judge_loss(); NAN: none. */
static double loss_of(const struct node_result *r, int metric)
{
    return r ? judge_loss(r->values[metric].value, 1, node_metric_row(metric)->more_is_better)
             : (double)NAN;
}

double assess_entry_loss(const struct assess *a, const struct assess_group *g, int i, int round,
                         double *room)
{
    const struct assess_node *n = &a->nodes[g->node[i]];

    return g->class ? loss_of(n->lines[round], g->metric)
                    : assess_end_loss(a, round, g->node[i], g->of[i], room);
}

/* ---- groups ---- */

/* How many metrics of a class somebody has a value of. */
static int count_metrics(const struct assess *a, const char *class)
{
    int n = 0;

    for (int m = 0; m < NODE_METRICS; m++)
        for (int i = 0; i < a->n; i++) {
            const struct node_result *r = a->nodes[i].lines[0];
            if (r && strcmp(r->class, class) == 0 && isfinite(r->values[m].value)) {
                n++;
                break;
            }
        }
    return n;
}

/* One metric of one class; nothing when no node has it. */
static int look_at(struct assess *a, const char *class, int metric, struct err *e)
{
    struct assess_group *g = assess_new_group(a, metric, class, a->n);
    struct judge_history h;
    int have = 0;

    if (!g || assess_noise(a, class, count_metrics(a, class), g, &h, e) < 0)
        return g ? -1 : err_set(e, "%s", no_memory);
    for (int i = 0; i < a->n; i++) {
        const struct node_result *r = a->nodes[i].lines[0];
        if (!r || strcmp(r->class, class) != 0)
            continue;
        assess_add_entry(g, i, metric, loss_of(r, metric),
                         a->past ? past_own(a->past, r) : (struct variance_node){NAN, 0});
        have += isfinite(g->in[g->n - 1].loss);
    }
    if (have == 0) {
        free(g->seen);
        free(g->in);
        free(g->node);
        free(g->of);
        a->n_groups--;
        return 0;
    }
    return judge_look(&h, g->in, g->n, g->seen, &g->look) < 0 ? err_set(e, "%s", no_memory) : 0;
}

static bool is_first(const struct assess *a, int i)
{
    const struct node_result *r = a->nodes[i].lines[0];

    for (int k = 0; k < i; k++)
        if (a->nodes[k].lines[0] && strcmp(a->nodes[k].lines[0]->class, r->class) == 0)
            return false;
    return true;
}

int assess_look(struct assess *a, struct err *e)
{
    close_groups(a);
    a->looks++;
    for (int i = 0; i < a->n; i++)
        for (int m = 0; m < NODE_METRICS && a->nodes[i].lines[0] && is_first(a, i); m++)
            if (look_at(a, a->nodes[i].lines[0]->class, m, e) < 0)
                return -1;
    return assess_look_at_links(a, e);
}

/* ---- what to measure again ---- */

int assess_answer(const struct assess *a, const struct assess_group *g, int i, double *d, int *K,
                  double *D, enum judge_answer *answer)
{
    double *room = malloc(((size_t)a->n_pairs + (size_t)g->n + 1) * sizeof *room);
    double *controls = room ? room + a->n_pairs : NULL;
    int least = 0;

    if (!room)
        return -1;
    *K = 0;
    for (int round = 1; round <= JUDGE_ROUNDS; round++) {
        double loss = assess_entry_loss(a, g, i, round, room);
        int n = 0;
        for (int k = 0; k < g->n; k++) {
            double other =
                g->seen[k].gated || k == i ? (double)NAN : assess_entry_loss(a, g, k, round, room);
            if (isfinite(other)) /* by its own history, as in the look */
                controls[n++] = g->seen[k].own ? other - g->in[k].own + g->look.h.baseline : other;
        }
        double is = isfinite(loss) ? judge_round(&g->look, i, loss, g->in[i].own, controls, n)
                                   : (double)NAN;
        if (!isfinite(is))
            continue;
        d[(*K)++] = is;
        least = least == 0 || n < least ? n : least;
    }
    *answer = judge_again(&g->look, i, d, *K, least, D);
    free(room);
    return 0;
}

/* Marks in `wanted` what must be measured for group g; *K: fewest rounds that a node of it
 * has. */
static int want(const struct assess *a, const struct assess_group *g, int turn, bool *wanted,
                unsigned *metrics, int *rounds)
{
    int controls[JUDGE_CONTROLS], gated = 0;

    for (int i = 0; i < g->n; i++) {
        double d[JUDGE_ROUNDS], D;
        enum judge_answer answer;
        int K;
        if (!g->seen[i].gated)
            continue;
        if (assess_answer(a, g, i, d, &K, &D, &answer) < 0)
            return -1;
        if (answer != JUDGE_MORE)
            continue;
        int need = K < judge_rounds(&g->look) ? judge_rounds(&g->look) - K : 2;
        *rounds = need > *rounds ? need : *rounds;
        wanted[g->node[i]] = true;
        gated++;
    }
    if (gated == 0)
        return 0;
    *metrics |= 1U << g->metric;
    for (int k = judge_controls(&g->look, turn, controls); k > 0; k--)
        wanted[g->node[controls[k - 1]]] = true;
    return 0;
}

/* The round after the last that any node has. */
static int next_round(const struct assess *a)
{
    int last = 0;

    for (int i = 0; i < a->n; i++)
        for (int k = 1; k <= JUDGE_ROUNDS; k++)
            last = a->nodes[i].lines[k] && k > last ? k : last;
    for (int i = 0; i < a->n_pairs; i++)
        last = a->pairs[i].round > last ? a->pairs[i].round : last;
    return last + 1;
}

int assess_todo(struct assess *a, int turn, struct assess_todo *todo, struct err *e)
{
    bool *wanted = calloc((size_t)a->n + 1, sizeof *wanted);

    *todo = (struct assess_todo){.from = next_round(a)};
    todo->nodes = malloc(((size_t)a->n + 1) * sizeof *todo->nodes);
    bool fine = wanted && todo->nodes && assess_index_links(a) == 0;
    for (int g = 0; g < a->n_groups && fine; g++) {
        const struct assess_group *is = &a->groups[g];
        if (is->look.system && a->looks < 2) {
            todo->all = true;
            todo->metrics |= 1U << is->metric;
        } else if (!is->look.system) {
            fine = want(a, is, turn, wanted, &todo->metrics, &todo->rounds) == 0;
        }
    }
    if (todo->all) {
        todo->from = 0;
        todo->rounds = 1;
    }
    for (int i = 0; i < a->n && fine; i++)
        if (todo->all ? a->nodes[i].lines[0] != NULL : wanted[i])
            todo->nodes[todo->n++] = i;
    if (!todo->all && todo->from + todo->rounds - 1 > JUDGE_ROUNDS)
        todo->rounds = JUDGE_ROUNDS - todo->from + 1;
    if (todo->rounds <= 0)
        todo->n = 0;
    free(wanted);
    if (!fine || todo->n == 0) {
        free(todo->nodes);
        todo->nodes = NULL;
    }
    return fine ? todo->n : err_set(e, "%s", no_memory);
}
