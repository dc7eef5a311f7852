/* SPDX-License-Identifier: BSD-3-Clause */
/* One metric at a time: noise, look, further rounds, verdicts. */
#include <config.h>

#include "reports/judge/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/random.h"

enum { HISTORY_FREEDOM = 60, HISTORY_NODES = 50 };
#define PRIOR_SCALE   1.0 /* %: of compute */
#define PRIOR_FREEDOM 4
#define ROBUST_T3     0.6547 /* 1.4826 x the upper quartile .7649 of t3, / sqrt(3) */
#define STAYS         0.64   /* persist: part of the variance */
#define RHO           0.8    /* drift */

static const char *const words[] = {"normal", "t3", "persist", "drift", "site"};

const char *noise_word(enum noise noise)
{
    return words[noise];
}

/* What a metric of a simulated run is made of; arrays of n. */
struct metric {
    const struct simulate_case *c;
    struct random *g;
    double sigma; /* today's */
    double shift; /* of the step, that all share */
    double *stay; /* of each node: what lasts, or the last value of its AR(1) */
    double *own;  /* b of each node */
    double *lose; /* of each node */
    struct judge_node *nodes;
    struct judge_seen *seen;
    struct judge_look look;
};

/* ---- noise ---- */

static double fresh(struct metric *m, int i)
{
    double z;

    switch (m->c->noise) {
    case NOISE_T3:
        return m->sigma * random_student3(m->g);
    case NOISE_PERSIST:
        return m->stay[i] + m->sigma * sqrt(1 - STAYS) * random_normal(m->g);
    case NOISE_DRIFT:
        z = m->sigma * sqrt(1 - RHO * RHO) * random_normal(m->g);
        return m->stay[i] = RHO * m->stay[i] + z;
    case NOISE_SITE:
        return m->stay[i] + m->c->site.step * random_normal(m->g);
    default:
        return m->sigma * random_normal(m->g);
    }
}

static double value(struct metric *m, int i)
{
    return m->own[i] + m->shift + m->lose[i] + fresh(m, i);
}

static void begin_step(struct metric *m)
{
    if (m->c->noise == NOISE_DRIFT)
        m->shift = m->sigma * random_normal(m->g);
}

static void begin_run(struct metric *m)
{
    m->shift = m->c->noise == NOISE_SITE ? m->c->site.shift * random_normal(m->g) : 0;
    for (int i = 0; i < m->c->n; i++) {
        m->own[i] = m->c->between > 0 ? m->c->between * random_normal(m->g) : 0;
        m->stay[i] = 0;
        if (m->c->noise == NOISE_PERSIST)
            m->stay[i] = m->sigma * sqrt(STAYS) * random_normal(m->g);
        else if (m->c->noise == NOISE_DRIFT)
            m->stay[i] = m->sigma * random_normal(m->g);
        else if (m->c->noise == NOISE_SITE)
            m->stay[i] = m->c->site.run * random_normal(m->g);
    }
}

/* ---- what the history says ---- */

static double estimated(struct random *g, double scale)
{
    return scale > 0 ? scale * sqrt(random_chi2(g, HISTORY_FREEDOM) / HISTORY_FREEDOM) : 0;
}

static struct judge_history learned_of_site(const struct simulate_case *c, struct random *g)
{
    struct judge_history h = c->site;

    h.metrics = c->metrics;
    if (!h.known)
        return h;
    h.step = estimated(g, h.step);
    h.run = estimated(g, h.run);
    h.shift = estimated(g, h.shift);
    h.between = estimated(g, h.between);
    double s2 = h.between * h.between + h.run * h.run + h.step * h.step;
    h.baseline = sqrt(s2 / HISTORY_NODES) * random_normal(g);
    return h;
}

static struct judge_history learned(const struct simulate_case *c, struct random *g)
{
    const double s = c->sigma, part = c->noise == NOISE_DRIFT ? RHO : STAYS;
    struct judge_history h = {
        .freedom = HISTORY_FREEDOM, .known = true, .metrics = c->metrics, .baseline = NAN};
    bool stays = c->noise == NOISE_PERSIST || c->noise == NOISE_DRIFT;

    if (c->noise == NOISE_SITE)
        return learned_of_site(c, g);
    if (!c->known) {
        h.known = false;
        h.run = PRIOR_SCALE;
        h.freedom = PRIOR_FREEDOM;
        return h;
    }
    h.step = estimated(g, s * (c->noise == NOISE_T3 ? ROBUST_T3 : stays ? sqrt(1 - part) : 1));
    h.run = estimated(g, stays ? s * sqrt(part) : 0);
    h.shift = estimated(g, c->noise == NOISE_DRIFT ? s : 0);
    h.between = estimated(g, c->between);
    h.baseline = sqrt((s * s + c->between * c->between) / HISTORY_NODES) * random_normal(g);
    return h;
}

/* A node's own median over its runs: b, and what noise leaves in a median. */
static double own_median(struct metric *m, int i)
{
    return m->own[i] + m->c->sigma * sqrt(M_PI / 2 / m->c->own_runs) * random_normal(m->g);
}

/* ---- the rule ---- */

static int look(struct metric *m, const struct judge_history *h)
{
    begin_step(m);
    for (int i = 0; i < m->c->n; i++)
        m->nodes[i].loss = value(m, i);
    return judge_look(h, m->nodes, m->c->n, m->seen, &m->look);
}

/* SYSTEM counts when a second look shows it too; else the second one is judged. */
static int look_twice(struct metric *m, const struct judge_history *h)
{
    if (look(m, h) < 0)
        return -1;
    return m->look.system ? look(m, h) : 0;
}

struct round {
    int controls[JUDGE_CONTROLS], n;
    double x[JUDGE_CONTROLS];
};

static double measure_again(struct metric *m, int i, struct round *r)
{
    begin_step(m);
    for (int k = 0; k < r->n; k++) {
        int who = r->controls[k];
        double own = m->nodes[who].own;
        r->x[k] = value(m, who);
        if (m->seen[who].own)
            r->x[k] -= own - m->look.h.baseline;
    }
    return judge_round(&m->look, i, value(m, i), m->nodes[i].own, r->x, r->n);
}

/* Further rounds of one gated node, until the rule has its answer. */
static enum judge_answer confirm(struct metric *m, int i, double *D, int *rounds)
{
    double d[JUDGE_ROUNDS];
    enum judge_answer answer = JUDGE_MORE;

    for (*rounds = 0; answer == JUDGE_MORE && *rounds < JUDGE_ROUNDS;) {
        struct round r;
        int more = *rounds ? 2 : judge_rounds(&m->look);
        for (int k = 0; k < more; k++) {
            r.n = judge_controls(&m->look, *rounds, r.controls);
            d[*rounds] = measure_again(m, i, &r);
            if (!isfinite(d[(*rounds)++]))
                return JUDGE_NO;
        }
        answer = judge_again(&m->look, i, d, *rounds, r.n, D);
    }
    return answer;
}

/* ---- the count ---- */

struct run {
    enum verdict *verdict; /* of each node, the worst of its metrics */
    int rounds;
    bool system;
};

static void judge_metric(struct metric *m, struct run *run)
{
    if (m->look.system)
        run->system = true;
    for (int i = 0; i < m->c->n; i++) {
        enum judge_answer answer = JUDGE_NO;
        double D = NAN;
        int rounds = 0;
        if (!m->seen[i].gated && !m->look.system)
            continue;
        if (!m->look.system)
            answer = confirm(m, i, &D, &rounds);
        run->rounds = rounds > run->rounds ? rounds : run->rounds;
        run->verdict[i] = verdict_worst(run->verdict[i], judge_verdict(&m->look, i, answer, D));
    }
}

static void count(const struct simulate_case *c, const struct run *run, const bool *bad,
                  struct simulate_result *r)
{
    bool suspect = false, slow = false;

    for (int i = 0; i < c->n; i++) {
        bool at_least = run->verdict[i] == VERDICT_SUSPECT || run->verdict[i] == VERDICT_SLOW;
        bool is_slow = run->verdict[i] == VERDICT_SLOW;
        r->bad += bad[i];
        r->suspect += bad[i] && at_least;
        r->slow += bad[i] && is_slow;
        r->wrong += !bad[i] && is_slow;
        suspect |= !bad[i] && at_least;
        slow |= !bad[i] && is_slow;
    }
    r->runs++;
    r->false_suspect += suspect;
    r->false_slow += slow;
    r->system += run->system;
    r->rounds += run->rounds;
    r->confirmed += run->rounds > 0;
}

/* Which nodes are bad, each in which metric; -1: in none. */
static void draw_bad(const struct simulate_case *c, struct random *g, bool *bad, int *in)
{
    memset(bad, 0, (size_t)c->n * sizeof *bad);
    for (int i = 0; i < c->n; i++)
        in[i] = -1;
    for (int k = 0, i; k < c->bad && k < c->n; k++) {
        do
            i = random_below(g, c->n);
        while (bad[i]);
        bad[i] = true;
        in[i] = random_below(g, c->metrics);
    }
}

/* What the runs of a case share. */
struct bench {
    struct metric m;
    struct run run;
    bool *bad;
    int *in;
    void *room;
};

static int make_bench(const struct simulate_case *c, struct random *g, struct bench *b)
{
    size_t n = (size_t)c->n;
    char *p = calloc(n, 3 * sizeof(double) + sizeof *b->m.nodes + sizeof *b->m.seen +
                            sizeof *b->run.verdict + sizeof *b->in + sizeof *b->bad);

    if (!p)
        return -1;
    *b = (struct bench){.m = {.c = c, .g = g, .sigma = c->sigma * c->times}, .room = p};
    b->m.stay = (double *)(void *)p;
    b->m.own = b->m.stay + n;
    b->m.lose = b->m.own + n;
    b->m.nodes = (struct judge_node *)(void *)(b->m.lose + n);
    b->m.seen = (struct judge_seen *)(void *)(b->m.nodes + n);
    b->run.verdict = (enum verdict *)(void *)(b->m.seen + n);
    b->in = (int *)(void *)(b->run.verdict + n);
    b->bad = (bool *)(void *)(b->in + n);
    return 0;
}

static int run_metric(struct bench *b, int metric, double lost, struct simulate_result *r)
{
    const struct simulate_case *c = b->m.c;
    const struct judge_history h = learned(c, b->m.g);

    begin_run(&b->m);
    for (int i = 0; i < c->n; i++) {
        b->m.lose[i] = b->in[i] == metric ? lost : 0;
        b->m.nodes[i] = (struct judge_node){.own = NAN, .group = -1};
        if (c->own_runs > 0)
            b->m.nodes[i] = (struct judge_node){
                .own = own_median(&b->m, i), .own_runs = c->own_runs, .group = -1};
    }
    if (look_twice(&b->m, &h) < 0)
        return -1;
    r->blind += b->m.seen[0].blind / c->metrics;
    judge_metric(&b->m, &b->run);
    return 0;
}

int simulate(const struct simulate_case *c, long runs, uint64_t seed, struct simulate_result *r)
{
    struct random g = RANDOM_SEED(seed);
    struct bench b;
    int rc = 0;

    if (make_bench(c, &g, &b) < 0)
        return -1;
    for (long k = 0; k < runs && rc == 0; k++) {
        for (int i = 0; i < c->n; i++)
            b.run.verdict[i] = VERDICT_GOOD;
        b.run.rounds = 0;
        b.run.system = false;
        draw_bad(c, &g, b.bad, b.in);
        for (int metric = 0; metric < c->metrics && rc == 0; metric++)
            rc = run_metric(&b, metric, -100 * log1p(-c->loss / 100), r);
        count(c, &b.run, b.bad, r);
    }
    free(b.room);
    return rc;
}

double simulate_precision(const struct simulate_result *r)
{
    return r->slow + r->wrong ? (double)r->slow / (double)(r->slow + r->wrong) : NAN;
}

double simulate_recall(const struct simulate_result *r)
{
    return r->bad ? (double)r->slow / (double)r->bad : NAN;
}

double simulate_f1(const struct simulate_result *r)
{
    return 2.0 * (double)r->slow / (double)(r->slow + r->wrong + r->bad);
}
