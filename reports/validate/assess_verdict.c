/* SPDX-License-Identifier: BSD-3-Clause */
/* Verdicts: of metrics by the rule, of numbers by comparison; the worst counts. */
#include <config.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/assess.h"
#include "reports/validate/assess_inner.h"

/* A verdict that is worse than what stands there, with its text. */
static void say(struct assess_node *n, enum verdict v, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct assess_node *n, enum verdict v, const char *fmt, ...)
{
    va_list ap;

    if (v <= n->verdict)
        return;
    n->verdict = v;
    n->metric = -1;
    n->loss = n->limit = n->value = n->like = NAN;
    n->rounds = 0;
    va_start(ap, fmt);
    vsnprintf(n->text, sizeof n->text, fmt, ap);
    va_end(ap);
}

/* ---- metrics ---- */

double assess_blind(const struct assess_group *g)
{
    double most = NAN;

    for (int i = 0; i < g->n; i++)
        if (g->seen[i].has)
            most = fmax(most, judge_percent(g->seen[i].blind));
    return most;
}

/* On the scale of losses back to the metric's unit. */
static double unit_of(int metric, double loss)
{
    return node_metric_row(metric)->more_is_better ? exp(-loss / 100) : exp(loss / 100);
}

static void decide_entry(struct assess *a, const struct assess_group *g, int i, int K,
                         const double *d, double D, enum judge_answer answer)
{
    const struct judge_seen *s = &g->seen[i];
    struct assess_node *n = &a->nodes[g->node[i]];
    enum verdict v = judge_verdict(&g->look, i, answer, D);
    const bool either = !g->class && v == VERDICT_SLOW && !assess_names(a, g->node[i], g->of[i]);
    double blind = judge_percent(s->blind);

    v = either ? VERDICT_SUSPECT : v;
    if (s->has && blind <= JUDGE_HIDDEN)
        n->blind = fmax(n->blind, blind);
    n->gated |= s->gated && answer == JUDGE_MORE;
    double loss = K > 0 ? D : s->d;
    /* SLOW by two metrics: that with the greater loss is the one to tell of. */
    bool worse = v == n->verdict && n->metric >= 0 && judge_percent(loss) > n->loss;
    if (v == VERDICT_GOOD || v == VERDICT_UNKNOWN || (v <= n->verdict && !worse))
        return;
    n->verdict = v;
    snprintf(n->text, sizeof n->text, "%s",
             either ? "it or its partner: fewer than three links do not tell which" : "");
    n->metric = g->of[i];
    n->loss = judge_percent(loss);
    n->limit = judge_percent(s->limit);
    n->value = unit_of(n->metric, s->centre + s->d);
    n->like = unit_of(n->metric, s->centre);
    n->rounds = K;
    for (int k = 0; k < K; k++)
        n->d[k] = judge_percent(d[k]);
}

static int decide_group(struct assess *a, const struct assess_group *g)
{
    for (int i = 0; i < g->n; i++) {
        double d[JUDGE_ROUNDS], D = NAN;
        enum judge_answer answer = JUDGE_NO;
        int K = 0;
        if (g->seen[i].gated && !g->look.system && assess_answer(a, g, i, d, &K, &D, &answer) < 0)
            return -1;
        decide_entry(a, g, i, K, d, D, answer);
    }
    return 0;
}

/* ---- what most nodes of a class have ---- */

enum ballot_kind { BALLOT_RESULTS, BALLOT_WEIGHTS, BALLOT_CPUS, BALLOT_MEMORY, BALLOT_NUMA };

struct ballot {
    const struct assess *a;
    const struct node_result *is; /* those vote that may be compared with it */
    enum ballot_kind kind;
};

static const char *digest_of(const struct ballot *b, const struct node_result *r)
{
    return b->kind == BALLOT_WEIGHTS ? r->weights : r->results;
}

static double fact_of(const struct ballot *b, const struct node_result *r)
{
    return b->kind == BALLOT_CPUS     ? r->cpus
           : b->kind == BALLOT_MEMORY ? r->memory_bytes / 1073741824
                                      : r->numa_nodes;
}

/* The line of node k if it votes, NULL. Digests: of an equal key only, weights after the
 * same number of steps. */
static const struct node_result *voter(const struct ballot *b, int k)
{
    const struct node_result *r = b->a->nodes[k].lines[0];
    bool votes = r && strcmp(r->class, b->is->class) == 0;

    if (b->kind <= BALLOT_WEIGHTS)
        votes = votes && r->key[0] && strcmp(r->key, b->is->key) == 0 && digest_of(b, r)[0] &&
                (b->kind == BALLOT_RESULTS || r->steps == b->is->steps);
    return votes ? r : NULL;
}

static bool same(const struct ballot *b, const struct node_result *x, const struct node_result *y)
{
    return b->kind <= BALLOT_WEIGHTS ? strcmp(digest_of(b, x), digest_of(b, y)) == 0
                                     : fabs(fact_of(b, x) - fact_of(b, y)) <= 0.01 * fact_of(b, y);
}

/* Who has what more than half of all voters have (the vote of Boyer and Moore 1981); NULL:
 * there is no majority. */
static const struct node_result *majority(const struct ballot *b, int *all, int *equal)
{
    const struct node_result *candidate = NULL, *r;
    int lead = 0;

    *all = *equal = 0;
    for (int k = 0; k < b->a->n; k++) {
        if (!(r = voter(b, k)))
            continue;
        ++*all;
        if (lead == 0)
            candidate = r;
        lead += same(b, r, candidate) ? 1 : -1;
    }
    for (int k = 0; k < b->a->n && candidate; k++)
        *equal += (r = voter(b, k)) && same(b, r, candidate);
    return 2 * *equal > *all ? candidate : NULL;
}

static void compare_digests(struct assess *a, int i, enum ballot_kind kind)
{
    const struct ballot b = {a, a->nodes[i].lines[0], kind};
    const char *what =
        kind == BALLOT_WEIGHTS ? "the weights after training" : "the results of products";
    int all, equal;
    const struct node_result *most = majority(&b, &all, &equal);

    if (all < 2 || !voter(&b, i) || (most && same(&b, b.is, most)))
        return;
    if (most && all > 2)
        say(&a->nodes[i], VERDICT_FAULTY, "%s differ from those of %d of %d nodes", what, equal,
            all);
    else
        say(&a->nodes[i], VERDICT_UNKNOWN,
            "%s differ between %d nodes, and none has a majority: another node decides", what, all);
}

static void compare_fact(struct assess *a, int i, const char *what, enum ballot_kind kind)
{
    const struct ballot b = {a, a->nodes[i].lines[0], kind};
    int all, equal;
    const struct node_result *most = majority(&b, &all, &equal);

    if (most && all >= 3 && !same(&b, b.is, most))
        say(&a->nodes[i], VERDICT_SUSPECT, "inventory: %.4g %s where %d of %d nodes have %.4g",
            fact_of(&b, b.is), what, equal, all, fact_of(&b, most));
}

/* ---- what was approved ---- */

/* How many nodes of the class have another fact than the approved one, of how many. */
static int others_differ(const struct assess *a, const struct baseline *b, int fact, int *all)
{
    char facts[BASELINE_FACTS][BASELINE_FACT_SIZE];
    int n = 0;

    *all = 0;
    for (int k = 0; k < a->n; k++) {
        const struct node_result *r = a->nodes[k].lines[0];
        if (!r || strcmp(r->class, b->class) != 0)
            continue;
        baseline_facts(r, facts);
        n += !baseline_same(fact, facts[fact], b->facts[fact]);
        ++*all;
    }
    return n;
}

static void compare_approved(struct assess *a, int i)
{
    const struct node_result *r = a->nodes[i].lines[0];
    const struct baseline *b = baseline_newest(a->baselines, a->n_baselines, r->class);
    char facts[BASELINE_FACTS][BASELINE_FACT_SIZE];
    int all;

    baseline_facts(r, facts);
    for (int f = 0; b && f < BASELINE_FACTS; f++) {
        if (baseline_same(f, facts[f], b->facts[f]))
            continue;
        const int differ = others_differ(a, b, f, &all);
        if (all >= 3 && 2 * differ > all)
            say(&a->nodes[i], VERDICT_SYSTEM,
                "inventory: %s is %s, approved %s; so it is on %d of %d nodes", baseline_fact(f),
                facts[f], b->facts[f], differ, all);
        else
            say(&a->nodes[i], VERDICT_FAULTY, "inventory: %s is %s, approved %s", baseline_fact(f),
                facts[f], b->facts[f]);
    }
}

/* ---- tests without a value ---- */

/* Whether a node of the class has a value that comes of the test. */
static bool others_have(const struct assess *a, const struct node_result *is, int metric)
{
    for (int k = 0; k < a->n; k++) {
        const struct node_result *r = a->nodes[k].lines[0];
        if (r && r != is && strcmp(r->class, is->class) == 0 && isfinite(r->values[metric].value))
            return true;
    }
    return false;
}

static void miss_values(struct assess *a, int i)
{
    const struct node_result *r = a->nodes[i].lines[0];
    char test[sizeof r->unknown->test];

    for (int k = 0; k < r->n_unknown; k++) { /* tests of numbers have no metric */
        const struct node_problem *p = &r->unknown[k];
        if (strcmp(p->test, "correct") == 0 || strcmp(p->test, "replica") == 0)
            say(&a->nodes[i], VERDICT_UNKNOWN, "%s: %s", p->test, p->text);
    }
    for (int m = 0; m < NODE_METRICS; m++) {
        if (isfinite(r->values[m].value) || !others_have(a, r, m))
            continue;
        const char *why = "no value";
        for (int k = 0; k < r->n_unknown; k++) {
            snprintf(test, sizeof test, "%s", r->unknown[k].test);
            if (strstr(node_metric_row(m)->name, test))
                why = r->unknown[k].text;
        }
        say(&a->nodes[i], VERDICT_UNKNOWN, "%s: %s", node_metric_row(m)->name, why);
    }
}

static void decide_node(struct assess *a, int i)
{
    struct assess_node *n = &a->nodes[i];
    const struct node_result *r = n->lines[0];

    if (!r) {
        say(n, VERDICT_UNKNOWN, "%s",
            n->why[0]    ? n->why
            : n->said[0] ? n->said
                         : "it said nothing within its time");
        return;
    }
    if (n->why[0])
        say(n, VERDICT_UNKNOWN, "%s", n->why);
    compare_fact(a, i, "processors", BALLOT_CPUS);
    compare_fact(a, i, "GiB of memory", BALLOT_MEMORY);
    compare_fact(a, i, "NUMA nodes", BALLOT_NUMA);
    compare_approved(a, i);
    if (r->corrected > 0)
        say(n, VERDICT_SUSPECT, "ecc: %ld corrected errors of memory", r->corrected);
    miss_values(a, i);
    compare_digests(a, i, BALLOT_RESULTS);
    compare_digests(a, i, BALLOT_WEIGHTS);
    for (int round = 0; round <= JUDGE_ROUNDS; round++) {
        const struct node_result *line = n->lines[round];
        if (line && line->n_faults > 0)
            say(n, VERDICT_FAULTY, "%s: %s", line->faults[0].test, line->faults[0].text);
    }
}

int assess_decide(struct assess *a, struct err *e)
{
    if (assess_index_links(a) < 0)
        return err_set(e, "out of memory for the verdicts");
    for (int i = 0; i < a->n; i++) {
        struct assess_node *n = &a->nodes[i];
        n->verdict = VERDICT_GOOD;
        n->metric = -1;
        n->loss = n->limit = n->blind = n->value = n->like = NAN;
        n->text[0] = '\0';
        n->rounds = 0;
        n->gated = false;
    }
    for (int g = 0; g < a->n_groups; g++)
        if (decide_group(a, &a->groups[g]) < 0)
            return err_set(e, "out of memory for the verdicts");
    for (int i = 0; i < a->n; i++)
        decide_node(a, i);
    return 0;
}
