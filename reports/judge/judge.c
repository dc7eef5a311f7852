/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule; judge.h says it. Passes of a look: noise of each node, centres, today's
 * scale, deviations, SYSTEM. */
#include <config.h>

#include "reports/judge/judge.h"

#include <math.h>
#include <stdlib.h>

#include "reports/judge/stat.h"

#define LEAST_SCALE 0.5   /* %: no noise is smaller */
#define GATE        1.645 /* normal quantile of .95 */
#define POWER       1.41  /* normal quantile of .92: the look and the rounds must both see it */
#define LET_GO      2.5   /* %: a median below ends the rounds */
#define LEAST_BLIND 4.4   /* % */
#define FLOOR       5.0   /* %: SLOW */
#define WIDE_FLOOR  10.0  /* %: of a class whose healthy nodes differ by more than ... */
#define WIDE        1.5   /* % */

/* Variance of the median of K values in units of one of them, normal noise: order
 * statistics (K = 3: .449, 5: .287, 7: .210, 9: .166). */
static double of_median(int K)
{
    static const double e[] = {1, 1, .5, .449, .298, .287, .215, .210, .168, .166};
    return K <= 9 ? e[K < 0 ? 0 : K] : STAT_MEDIAN / K;
}

/* The same of the m values that make a centre. */
static double of_centre(int m)
{
    return m <= 1 ? 1 : STAT_MEDIAN / m;
}

static double square(double x)
{
    return x * x;
}

double judge_loss(double value, double reference, bool more_is_better)
{
    if (!(value > 0 && reference > 0 && isfinite(value) && isfinite(reference)))
        return NAN;
    return 100 * (more_is_better ? log(reference / value) : log(value / reference));
}

double judge_percent(double d)
{
    return -100 * expm1(-d / 100);
}

/* ---- the noise of each node ---- */

static bool own_counts(const struct judge_history *h, double own, int runs)
{
    return h->known && isfinite(own) && runs >= JUDGE_OWN_RUNS;
}

/* A node that has its own history stands where a usual one would: at the baseline. */
static double corrected(const struct judge_history *h, bool own, double loss, double median)
{
    return own ? loss - median + (isfinite(h->baseline) ? h->baseline : 0) : loss;
}

static void see(const struct judge_history *h, const struct judge_node *node, struct judge_seen *s)
{
    *s = (struct judge_seen){.has = isfinite(node->loss), .b = h->between, .r = h->run};
    s->own = own_counts(h, node->own, node->own_runs);
    if (s->own) {
        s->b = 0;
        s->r *= sqrt(1 + STAT_MEDIAN / node->own_runs);
    }
    s->x = corrected(h, s->own, node->loss, node->own);
    s->s0 = sqrt(square(s->b) + square(s->r) + square(h->step));
}

/* ---- centres ---- */

/* Of n values the two in the middle and their neighbours: what the median becomes
 * when any one of them is left out. */
struct middle {
    double below, low, high, above;
    double median;
    bool odd;
};

static struct middle middle_of(double *x, int n)
{
    struct middle m = {.odd = n % 2};
    int k = n / 2;

    m.high = stat_select(x, n, k);
    m.low = k > 0 ? stat_select(x, n, k - 1) : m.high;
    m.below = m.low;
    m.above = k + 1 < n ? stat_select(x, n, k + 1) : m.high;
    m.median = m.odd ? m.high : (m.low + m.high) / 2;
    return m;
}

/* Median of the others. n odd: high is the median; without it, or one side, the
 * two that remain in the middle. n even: the middle value of the other side. */
static double without(const struct middle *m, double x)
{
    if (!m->odd)
        return x >= m->high ? m->low : m->high;
    if (x < m->high)
        return (m->high + m->above) / 2;
    if (x > m->high)
        return (m->low + m->high) / 2;
    return (m->low + m->above) / 2;
}

/* What the class is compared with. */
static double reference(const struct judge_history *h)
{
    return h->approved ? h->approved_at : h->baseline;
}

static bool baseline_joins(const struct judge_look *look)
{
    return look->n < JUDGE_FEW && look->h.known && isfinite(reference(&look->h));
}

/* How much the others weigh in a centre beside the baseline, v their variance. */
static double weight_of(const struct judge_look *look, int others, double v)
{
    if (!baseline_joins(look))
        return 1;
    return others < 1 ? 0 : (1 / v) / (1 / v + 1 / look->u);
}

static void place_centre(const struct judge_look *look, const struct middle *m,
                         struct judge_seen *s)
{
    int others = look->n - 1;
    double v = square(look->s0) * of_centre(others);

    s->weight = weight_of(look, others, v);
    if (s->weight < 1) {
        s->centre = (1 - s->weight) * reference(&look->h);
        s->v = square(1 - s->weight) * look->u;
    }
    if (s->weight > 0) {
        s->centre += s->weight * without(m, s->x);
        s->v += square(s->weight) * v;
    }
    if (others < 1 && !baseline_joins(look))
        s->centre = NAN;
    s->d = s->x - s->centre;
}

/* ---- today's scale ---- */

/* Spread and shift of one, in one pass: x is reordered, then overwritten. */
static void moderate(struct judge_look *look, double *x)
{
    double np = 0.37 * (look->n - 1), known = look->nu * square(look->s0);

    look->q = 1;
    look->spread = NAN;
    if (look->n < JUDGE_FEW)
        return;
    look->spread = stat_scale(x, look->n, look->middle) * look->n / (look->n - 0.8);
    if (look->s0 > 0) {
        double ratio = square(look->spread / look->s0);
        look->q = fmax(1, (known + np * square(look->spread)) / (known + np * square(look->s0)));
        if (look->n >= JUDGE_SURE && ratio > 1 + 3 * sqrt(2 / np + 2 / look->nu))
            look->q = ratio;
    }
    look->nu += np;
}

double judge_second(const struct judge_look *look, int i, int K, int controls)
{
    const struct judge_seen *s = &look->seen[i];
    double w = square(look->h.step), e = of_median(K);
    double now = square(look->s0), later = now - w + e * w; /* of a control: one round, K rounds */
    double weight = weight_of(look, controls, now * of_centre(controls));
    double centre = square(1 - weight) * look->u;

    if (controls > 0)
        centre += square(weight) * later * of_centre(controls);
    return fmax(LEAST_SCALE, sqrt(look->q * (square(s->b) + square(s->r) + e * w + centre)));
}

static void measure(struct judge_look *look, int i)
{
    struct judge_seen *s = &look->seen[i];
    double noise = square(s->s0) + s->v;
    int controls = look->n - 1 < JUDGE_CONTROLS ? look->n - 1 : JUDGE_CONTROLS;

    s->scale = fmax(LEAST_SCALE, sqrt(look->q * noise));
    s->limit = fmax(JUDGE_MATTERS, look->crit * s->scale);
    s->gated = s->d > JUDGE_MATTERS && s->d > GATE * s->scale;
    s->beyond = s->d > s->limit;
    s->blind = fmax(LEAST_BLIND, GATE * s->scale + POWER * sqrt(noise));
    s->blind = fmax(s->blind, (look->crit + POWER) * judge_second(look, i, JUDGE_ROUNDS, controls));
    look->gated += s->gated;
    look->beyond += s->beyond;
}

/* ---- nobody in particular ---- */

/* The group that is beyond its limits as a whole, alone; -1: there is none. */
static int bad_group(const struct judge_look *look, const struct judge_node *nodes)
{
    int group = -1, in = 0, beyond = 0;

    for (int i = 0; i < look->nodes; i++) {
        if (!look->seen[i].beyond)
            continue;
        if (group >= 0 && nodes[i].group != group)
            return -1;
        group = nodes[i].group;
        if (group < 0)
            return -1;
    }
    for (int i = 0; group >= 0 && i < look->nodes; i++)
        if (nodes[i].group == group && look->seen[i].has) {
            in++;
            beyond += look->seen[i].beyond;
        }
    return in >= 4 && 4 * beyond >= 3 * in && in < look->n ? group : -1;
}

static void look_for_system(struct judge_look *look, const struct judge_node *nodes)
{
    const struct judge_history *h = &look->h;
    double away = sqrt(square(h->shift) + STAT_MEDIAN * square(look->s0) / look->n);

    look->group = bad_group(look, nodes);
    if (look->group >= 0)
        look->system = SYSTEM_GROUP;
    if (look->n < JUDGE_FEW)
        return;
    if (look->beyond >= 3 && 4 * look->beyond > look->n && look->group < 0)
        look->system = SYSTEM_MANY;
    else if (h->known && look->spread > 3 * fmax(look->s0, LEAST_SCALE))
        look->system = SYSTEM_SPREAD;
    else if (h->known && look->middle - reference(h) > fmax(JUDGE_MATTERS, 3 * away))
        look->system = SYSTEM_SHIFT;
}

/* ---- the look ---- */

/* Pass 1: each node's own noise; x of those that have a value. */
static void see_all(struct judge_look *look, const struct judge_node *nodes, double *x)
{
    double sum = 0;

    for (int i = 0; i < look->nodes; i++) {
        struct judge_seen *s = &look->seen[i];
        see(&look->h, &nodes[i], s);
        if (s->has) {
            x[look->n++] = s->x;
            sum += square(s->s0);
        }
    }
    look->s0 = sqrt(sum / (look->n ? look->n : 1));
    look->u = square(look->h.shift) + square(look->s0) / 50;
}

int judge_look(const struct judge_history *h, const struct judge_node *nodes, int n,
               struct judge_seen *seen, struct judge_look *look)
{
    double *x = malloc((size_t)(n > 0 ? n : 1) * sizeof *x);

    if (!x)
        return -1;
    *look = (struct judge_look){.h = *h, .nodes = n, .seen = seen, .nu = h->freedom, .group = -1};
    see_all(look, nodes, x);
    if (look->n > 0) {
        const struct middle m = middle_of(x, look->n);
        int tests = look->n * (h->metrics > 0 ? h->metrics : 1);
        look->middle = m.median;
        moderate(look, x);
        look->crit = stat_student(1 - JUDGE_FALSE / tests, look->nu);
        for (int i = 0; i < n; i++)
            if (seen[i].has) {
                place_centre(look, &m, &seen[i]);
                measure(look, i);
            }
        look_for_system(look, nodes);
    }
    free(x);
    return 0;
}

/* ---- again ---- */

int judge_controls(const struct judge_look *look, int turn, int controls[JUDGE_CONTROLS])
{
    int free_ones = look->n - look->gated, n = 0, k = 0;
    int want = free_ones < JUDGE_CONTROLS ? free_ones : JUDGE_CONTROLS;

    if (want < 1)
        return 0;
    /* the k-th ungated node is taken when a multiple of 1/want falls on it; a turn
     * moves all of them on by one */
    for (int i = 0; i < look->nodes; i++) {
        if (!look->seen[i].has || look->seen[i].gated)
            continue;
        long at = (k++ + turn) % free_ones;
        if (at * want / free_ones != (at + 1) * want / free_ones && n < want)
            controls[n++] = i;
    }
    return n;
}

double judge_round(const struct judge_look *look, int i, double loss, double own, double *controls,
                   int n_controls)
{
    const struct judge_seen *s = &look->seen[i];
    double centre = 0;
    int n = 0;

    for (int k = 0; k < n_controls; k++)
        if (isfinite(controls[k]))
            controls[n++] = controls[k];
    double weight = weight_of(look, n, square(look->s0) * of_centre(n));
    if (n == 0 && weight > 0)
        return NAN;
    if (weight < 1)
        centre = (1 - weight) * reference(&look->h);
    if (weight > 0)
        centre += weight * stat_median(controls, n);
    return corrected(&look->h, s->own, loss, own) - centre;
}

int judge_rounds(const struct judge_look *look)
{
    return look->n > JUDGE_MANY ? 5 : 3;
}

enum judge_answer judge_again(const struct judge_look *look, int i, const double *d, int K,
                              int controls, double *D)
{
    double copy[JUDGE_ROUNDS];

    *D = NAN;
    if (K < 1)
        return JUDGE_MORE;
    K = K > JUDGE_ROUNDS ? JUDGE_ROUNDS : K;
    for (int k = 0; k < K; k++)
        copy[k] = d[k];
    *D = stat_median(copy, K);
    if (K < judge_rounds(look))
        return JUDGE_MORE;
    double scale = judge_second(look, i, K, controls);
    if (*D > JUDGE_MATTERS && *D > look->crit * scale)
        return JUDGE_YES;
    if (*D < LET_GO || *D < GATE * scale || K == JUDGE_ROUNDS)
        return JUDGE_NO;
    return JUDGE_MORE;
}

/* ---- the verdict ---- */

double judge_floor(const struct judge_look *look, int i)
{
    return look->h.between > WIDE && !look->seen[i].own ? WIDE_FLOOR : FLOOR;
}

static bool shifted_as_a_whole(const struct judge_look *look)
{
    return look->system == SYSTEM_SHIFT || look->system == SYSTEM_SPREAD;
}

enum verdict judge_verdict(const struct judge_look *look, int i, enum judge_answer answer, double D)
{
    const struct judge_seen *s = &look->seen[i];

    if (!s->has)
        return VERDICT_UNKNOWN;
    if (look->system && (s->beyond || shifted_as_a_whole(look)))
        return VERDICT_SYSTEM;
    if (s->gated && answer == JUDGE_YES)
        return D > judge_floor(look, i) ? VERDICT_SLOW : VERDICT_SUSPECT;
    if (s->beyond)
        return VERDICT_TRANSIENT;
    if (!look->h.known && look->n < JUDGE_ALONE)
        return VERDICT_INCONCLUSIVE;
    return VERDICT_GOOD;
}
