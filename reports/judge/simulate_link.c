/* SPDX-License-Identifier: BSD-3-Clause */
/* Pairs that are as slow as their slower end, and who is named. */
#include <config.h>

#include "reports/judge/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/link.h"
#include "reports/judge/random.h"

/* Variance of the median of k values, in units of one. */
static double of_rounds(int k)
{
    static const double e[] = {1, 1, .5, .449, .298, .287};
    return k < 6 ? e[k] : M_PI / 2 / k;
}

struct links {
    struct judge_node *ends;
    struct judge_seen *seen;
    struct link_pair *pairs;
    int *partner, n_pairs;
    bool *bad;
};

/* Both values of each meeting; the slow pair, if it is asked for, is the first. */
static void measure_pairs(const struct simulate_links *c, struct random *g, struct links *l)
{
    double lost = -100 * log1p(-c->loss / 100);

    l->n_pairs = 0;
    for (int r = 0; r < c->rounds; r++)
        for (int a = 0; a < c->n; a++) {
            int b = l->partner[r * c->n + a];
            if (b <= a)
                continue;
            bool slow = c->pair ? l->n_pairs == 0 : l->bad[a] || l->bad[b];
            l->pairs[l->n_pairs++] =
                (struct link_pair){a, b, c->sigma * random_normal(g) + (slow ? lost : 0)};
        }
}

static int one_run(const struct simulate_links *c, struct random *g, struct links *l,
                   struct simulate_link_result *r)
{
    struct judge_history h = {.step = c->sigma * sqrt(of_rounds(c->rounds)),
                              .freedom = 60,
                              .known = true,
                              .metrics = 1,
                              .baseline = 0};
    struct judge_look look;

    memset(l->bad, 0, (size_t)c->n * sizeof *l->bad);
    for (int k = 0, i; k < c->bad; k++) {
        do
            i = random_below(g, c->n);
        while (l->bad[i]);
        l->bad[i] = true;
    }
    for (int i = 0; i < c->n; i++)
        l->ends[i] = (struct judge_node){.own = NAN, .group = -1};
    if (link_partners(c->n, c->rounds, random_bits(g), l->partner) < 0)
        return -1;
    measure_pairs(c, g, l);
    if (link_look(&h, l->ends, c->n, l->pairs, l->n_pairs, l->seen, &look) < 0)
        return -1;
    r->runs++;
    for (int i = 0; i < c->n; i++) {
        r->bad += l->bad[i];
        r->found += l->bad[i] && l->seen[i].beyond;
        r->wrong += !l->bad[i] && l->seen[i].beyond;
    }
    return 0;
}

int simulate_link(const struct simulate_links *c, long runs, uint64_t seed,
                  struct simulate_link_result *r)
{
    struct random g = RANDOM_SEED(seed);
    size_t n = (size_t)c->n, most = n * (size_t)c->rounds;
    struct links l = {.ends = calloc(n, sizeof *l.ends),
                      .seen = calloc(n, sizeof *l.seen),
                      .pairs = calloc(most, sizeof *l.pairs),
                      .partner = calloc(most, sizeof *l.partner),
                      .bad = calloc(n, sizeof *l.bad)};
    int rc = l.ends && l.seen && l.pairs && l.partner && l.bad ? 0 : -1;

    for (long k = 0; k < runs && rc == 0; k++)
        rc = one_run(c, &g, &l, r);
    free(l.ends);
    free(l.seen);
    free(l.pairs);
    free(l.partner);
    free(l.bad);
    return rc;
}
