/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws who meets whom, and peels. */
#include <config.h>

#include "reports/judge/link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/random.h"
#include "reports/judge/stat.h"

int link_rounds(int n)
{
    if (n < 2)
        return 0;
    if (n <= LINK_ALL)
        return n - 1 + n % 2; /* of an odd number one rests in each round */
    return LINK_ROUNDS;
}

/* ---- who meets whom ---- */

/* Round r of everyone with everyone: place 0 stands, the others turn. */
static void circle_round(int n, int r, int *partner)
{
    int even = n + n % 2;

    for (int i = 0; i < n; i++)
        partner[i] = -1;
    for (int k = 0; k < even / 2; k++) {
        int a = k == 0 ? even - 1 : (r + k) % (even - 1);
        int b = (r + even - 1 - k) % (even - 1);
        if (a < n && b < n) {
            partner[a] = b;
            partner[b] = a;
        }
    }
}

static void random_round(int n, struct random *g, int *order, int *partner)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int k = random_below(g, i + 1), t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    for (int i = 0; i < n; i++)
        partner[i] = -1;
    for (int i = 0; i + 1 < n; i += 2) {
        partner[order[i]] = order[i + 1];
        partner[order[i + 1]] = order[i];
    }
}

/* Everyone is reached from node 0, and two ends of some pair are of equal parity;
 * no pair meets twice. */
static bool good_draw(int n, int rounds, const int *partner, int *queue, int *colour)
{
    int head = 0, tail = 1;
    bool odd = false;

    for (int i = 0; i < n; i++)
        colour[i] = -1;
    colour[queue[0] = 0] = 0;
    while (head < tail) {
        int a = queue[head++];
        for (int r = 0; r < rounds; r++) {
            int b = partner[r * n + a];
            if (b >= 0 && colour[b] < 0)
                colour[queue[tail++] = b] = 1 - colour[a];
            else if (b >= 0 && colour[b] == colour[a])
                odd = true;
            for (int s = 0; s < r && b >= 0; s++)
                if (partner[s * n + a] == b)
                    return false;
        }
    }
    return tail == n && odd;
}

/* A round in which nobody meets an old partner: drawn anew, a while. */
static void new_round(int n, int r, struct random *g, int *order, int *partner)
{
    for (int tries = 0; tries < 50; tries++) {
        bool met = false;
        random_round(n, g, order, partner + r * n);
        for (int i = 0; i < n && !met; i++)
            for (int s = 0; s < r && !met; s++)
                met = partner[r * n + i] >= 0 && partner[s * n + i] == partner[r * n + i];
        if (!met)
            return;
    }
}

int link_partners(int n, int rounds, uint64_t seed, int *partner)
{
    struct random g = RANDOM_SEED(seed);
    int *work = malloc(2 * (size_t)(n > 0 ? n : 1) * sizeof *work);

    if (!work)
        return -1;
    if (n <= LINK_ALL) {
        for (int r = 0; r < rounds; r++)
            circle_round(n, r % (n - 1 + n % 2), partner + r * n);
    } else
        for (int tries = 0; tries < 200; tries++) {
            for (int r = 0; r < rounds; r++)
                new_round(n, r, &g, work, partner);
            if (rounds < LINK_NAMES || good_draw(n, rounds, partner, work, work + n))
                break;
        }
    free(work);
    return 0;
}

/* ---- peeling ---- */

struct peel {
    const struct link_pair *pairs;
    const int *begin, *of; /* pairs of end i: of[begin[i]] ... of[begin[i + 1] - 1] */
    bool *gone;
    double *work;
};

/* Median over the partners that were not peeled; else the best pair. */
static double value_of(const struct peel *p, int end)
{
    int n = 0;
    double best = NAN;

    for (int k = p->begin[end]; k < p->begin[end + 1]; k++) {
        const struct link_pair *pair = &p->pairs[p->of[k]];
        int other = pair->a == end ? pair->b : pair->a;
        if (!isfinite(pair->loss))
            continue;
        best = isnan(best) ? pair->loss : fmin(best, pair->loss);
        if (!p->gone[other])
            p->work[n++] = pair->loss;
    }
    return n > 0 ? stat_median(p->work, n) : best;
}

static int worst_end(const struct judge_look *look, const bool *gone)
{
    int worst = -1;

    for (int i = 0; i < look->nodes; i++)
        if (look->seen[i].beyond && !gone[i] &&
            (worst < 0 || look->seen[i].d > look->seen[worst].d))
            worst = i;
    return worst;
}

/* Pairs by end: counts, then places. */
static void index_pairs(const struct link_pair *pairs, int n_pairs, int n_ends, int *begin, int *of)
{
    memset(begin, 0, (size_t)(n_ends + 1) * sizeof *begin);
    for (int k = 0; k < n_pairs; k++) {
        begin[pairs[k].a + 1]++;
        begin[pairs[k].b + 1]++;
    }
    for (int i = 0; i < n_ends; i++)
        begin[i + 1] += begin[i];
    for (int k = n_pairs - 1; k >= 0; k--) {
        of[--begin[pairs[k].a + 1]] = k;
        of[--begin[pairs[k].b + 1]] = k;
    }
    memmove(begin, begin + 1, (size_t)n_ends * sizeof *begin);
    begin[n_ends] = 2 * n_pairs;
}

int link_look(const struct judge_history *h, struct judge_node *ends, int n_ends,
              const struct link_pair *pairs, int n_pairs, struct judge_seen *seen,
              struct judge_look *look)
{
    size_t n = (size_t)n_ends, m = (size_t)n_pairs;
    int *begin = malloc((n + 1 + 2 * m) * sizeof *begin), rc = -1, worst;
    double *work = malloc((m + 1) * sizeof *work);
    bool *gone = calloc(n + 1, sizeof *gone);
    struct peel p = {pairs, begin, begin ? begin + n + 1 : NULL, gone, work};

    if (!begin || !work || !gone)
        goto out;
    index_pairs(pairs, n_pairs, n_ends, begin, begin + n + 1);
    do {
        for (int i = 0; i < n_ends; i++)
            ends[i].loss = value_of(&p, i);
        if ((rc = judge_look(h, ends, n_ends, seen, look)) < 0)
            goto out;
        if ((worst = worst_end(look, gone)) >= 0)
            gone[worst] = true;
    } while (worst >= 0);
out:
    free(begin);
    free(work);
    free(gone);
    return rc;
}
