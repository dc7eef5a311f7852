/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/predict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/random.h"
#include "reports/judge/stat.h"

enum { DRAWS = 100, FEWEST_DRAWS = 40, MOST_BLOCKS = 64, LEAST_BLOCKS = 16, MODELS = 2 };

static const double most_replay = 0.10;    /* ln: beyond it nothing is predicted */
static const double most_yardstick = 0.10; /* likewise */
static const double most_withheld = 0.05;  /* of a step: beyond it cores are shared */
static const double least_part = 0.05;     /* of a step: below it a bound is said */
static const double measured_scale = 8, farthest_scale = 64;
static const double least_sigma = 0.03;

/* ---- the replay ---- */

static double period_of(const struct predictor *p, const long *block, int blocks,
                        const struct exchange *x)
{
    struct play play;

    play_init(&play, p->s, x, block, blocks);
    return play_period(&play);
}

static int replay(struct predictor *p, struct err *e)
{
    const struct series *s = p->s;
    const int half = p->blocks / 2;
    const long middle = p->block[half], end = p->block[p->blocks - 1] + SERIES_BLOCK;
    struct exchange all, first;

    if (fit_exchange(s, p->block, p->blocks, FIT_ALL_BYTES, &all) < 0 ||
        fit_exchange(s, p->block, half, FIT_ALL_BYTES, &first) < 0)
        return err_set(e, "out of memory for %ld steps", s->steps);
    struct replay *r = &p->replay;
    r->measured = series_period(s, 0, end);
    r->played = period_of(p, p->block, p->blocks, &all);
    r->error = log(r->played / r->measured);
    r->held_out = log(period_of(p, p->block, half, &first) / series_period(s, middle, end));
    r->drift = log(series_period(s, middle, end) / series_period(s, 0, middle));
    return isfinite(r->error) ? 0 : err_set(e, "the steps have no period");
}

int predict_open(struct predictor *p, const struct series *s, struct err *e)
{
    const struct series_parts parts = series_split(s);

    *p = (struct predictor){.s = s, .ablation = {NAN, NAN}, .draws = DRAWS, .seed = 1};
    if (series_check(s, e) < 0)
        return -1;
    p->block = calloc((size_t)(s->steps / SERIES_BLOCK), sizeof *p->block);
    if (!p->block)
        return err_set(e, "out of memory for %ld steps", s->steps);
    p->blocks = fit_blocks(0, s->steps, p->block);
    if (replay(p, e) < 0) {
        predict_close(p);
        return -1;
    }
    p->shared = parts.withheld / p->replay.measured > most_withheld;
    return 0;
}

void predict_close(struct predictor *p)
{
    free(p->block);
    *p = (struct predictor){0};
}

/* ---- refusals ---- */

static int refuse(struct prediction *out, enum predict_state state, const char *why)
{
    out->state = state;
    out->gain = out->low = NAN;
    if (state == PREDICT_REFUSED)
        out->high = NAN;
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, why);
    return 0;
}

/* Why this run answers nothing; "": it does. */
static void run_refuses(const struct predictor *p, char *why, size_t size)
{
    const struct replay *r = &p->replay;

    why[0] = '\0';
    if (fabs(r->error) > most_replay)
        snprintf(why, size, "the model plays the measured steps %.0f %% too %s",
                 100 * fabs(expm1(r->error)), r->error < 0 ? "fast" : "slow");
    else if (p->s->yardstick_moved > most_yardstick)
        snprintf(why, size, "the processors' speed changed by %.0f %% within the run",
                 100 * expm1(p->s->yardstick_moved));
}

/* Said for each change; false: it is answered. */
static bool is_refused(const struct predictor *p, const struct what *w, struct prediction *out)
{
    const double scale = fmax(w->factor, 1 / w->factor);
    struct err e = ERR_INIT;

    if (what_refuse(p->s, w, &e) < 0)
        return refuse(out, PREDICT_REFUSED, e.text) == 0;
    if (scale > farthest_scale) {
        char why[96];
        snprintf(why, sizeof why, "%g times what was measured is beyond %g times", scale,
                 farthest_scale);
        return refuse(out, PREDICT_REFUSED, why) == 0;
    }
    out->beyond |= scale > measured_scale;
    out->wide |= what_is_wide(p->s, w->kind);
    out->untested |= w->kind == WHAT_MEMORY || w->kind == WHAT_COMPUTE || w->kind == WHAT_BF16;
    return false;
}

/* A single change of a resource that the step hardly uses brings at most this. */
static bool is_bounded(const struct predictor *p, const struct what *w, struct prediction *out)
{
    const double part = what_part(p->s, w->kind);
    char why[160], text[64];

    if (!(part < least_part) || w->factor < 1)
        return false;
    out->high = 1 / (1 - part);
    what_text(w, text, sizeof text);
    snprintf(why, sizeof why, "%s: %.2g %% of a step is spent there, more cannot be gained", text,
             100 * part);
    return refuse(out, PREDICT_BOUND, why) == 0;
}

/* ---- the draws ---- */

struct ask {
    const struct predictor *p;
    const struct what *first, *then;
    int n_first, n_then;
};

static int apply_all(const struct ask *a, const struct what *w, int n, int model, struct play *p,
                     double *batch, struct err *e)
{
    for (int i = 0; i < n; i++)
        if (what_apply(a->p->s, &w[i], model, p, batch, e) < 0)
            return -1;
    return 0;
}

/* ln of samples per second, after against before; *step: ln of the step's length,
 * after against the run as it was. */
static int ratio(const struct ask *a, const struct exchange *x, const long *block, int blocks,
                 int model, double *ln, double *step, struct err *e)
{
    struct play was, before, after;
    double batch_before = 1, batch_after;

    play_init(&was, a->p->s, x, block, blocks);
    before = was;
    if (apply_all(a, a->first, a->n_first, model, &before, &batch_before, e) < 0)
        return -1;
    after = before;
    batch_after = batch_before;
    if (apply_all(a, a->then, a->n_then, model, &after, &batch_after, e) < 0)
        return -1;
    was.seed = before.seed = after.seed = a->p->seed;
    const double old = play_period(&before), new = play_period(&after);
    *ln = log(batch_after / batch_before) + log(old / new);
    *step = log(new) - log(a->n_first ? play_period(&was) : old);
    return isfinite(*ln) ? 0 : err_set(e, "out of memory for the simulation");
}

struct moments {
    double n, sum, squares;
};

static void add(struct moments *m, double v)
{
    m->n++;
    m->sum += v;
    m->squares += v * v;
}

static double mean(const struct moments *m)
{
    return m->sum / m->n;
}

static double variance(const struct moments *m)
{
    return m->n < 2 ? 0 : fmax(0, (m->squares - m->sum * m->sum / m->n) / (m->n - 1));
}

/* Blocks that a draw plays: all, or fewer where that would take long. */
static int drawn_blocks(const struct predictor *p)
{
    int most = 512 / p->s->ranks;

    most = most > MOST_BLOCKS ? MOST_BLOCKS : most < LEAST_BLOCKS ? LEAST_BLOCKS : most;
    return p->blocks < most ? p->blocks : most;
}

struct drawn {
    struct moments gain[MODELS], step;
};

static int draw(const struct ask *a, long *block, int blocks, struct random *g, struct drawn *d,
                struct err *e)
{
    const struct predictor *p = a->p;
    struct exchange x;

    for (int i = 0; i < blocks; i++)
        block[i] = p->block[random_below(g, p->blocks)];
    for (int model = 0; model < MODELS; model++) {
        double gain, step;
        if ((model == 0 || !fit_knows_software(p->s)) &&
            fit_exchange(p->s, block, blocks, model ? FIT_LEAST_BYTES : FIT_ALL_BYTES, &x) < 0)
            return err_set(e, "out of memory for the simulation");
        if (ratio(a, &x, block, blocks, model, &gain, &step, e) < 0)
            return -1;
        add(&d->gain[model], gain);
        add(&d->step, step);
    }
    return 0;
}

static int draw_all(const struct ask *a, struct drawn *d, struct err *e)
{
    const struct predictor *p = a->p;
    const int blocks = drawn_blocks(p);
    const int draws = p->s->ranks > 8 ? FEWEST_DRAWS : p->draws;
    struct random g = RANDOM_SEED(p->seed);
    long *block = calloc((size_t)blocks, sizeof *block);
    int rc = block ? 0 : err_set(e, "out of memory for the simulation");

    for (int i = 0; rc == 0 && i < draws; i++)
        rc = draw(a, block, blocks, &g, d, e);
    free(block);
    return rc;
}

/* ---- the interval ---- */

/* Adds a part of the variance with its degrees of freedom. */
struct spread {
    double variance, quartic;
};

static void widen(struct spread *s, double sigma, double freedom)
{
    const double v = sigma * sigma;

    s->variance += v;
    s->quartic += v * v / freedom;
}

static double kind_scale(const struct what *w)
{
    const double scale = fmax(w->factor, 1 / w->factor);
    return scale > measured_scale ? exp2(log2(scale / measured_scale)) : 1;
}

static double half_width(const struct ask *a, const struct drawn *d)
{
    const struct predictor *p = a->p;
    const double freed = p->blocks - 1;
    const double fewer = (double)drawn_blocks(p) / p->blocks;
    const double host = isfinite(p->s->yardstick_spread) ? p->s->yardstick_spread : p->replay.drift;
    struct spread s = {0};
    double wider = 1;

    widen(&s, sqrt(fmax(variance(&d->gain[0]), variance(&d->gain[1])) * fewer), freed);
    widen(&s, p->replay.error, freed);
    widen(&s, host, freed);
    for (int i = 0; i < a->n_then; i++) {
        const struct what_row *row = what_row(a->then[i].kind);
        widen(&s, fmax(row->sigma, least_sigma), row->runs - 1);
        wider =
            fmax(wider, kind_scale(&a->then[i]) * (what_is_wide(p->s, a->then[i].kind) ? 2 : 1));
    }
    return wider * sqrt(s.variance) * stat_student(0.95, s.variance * s.variance / s.quartic);
}

/* A purchase cannot bring more than its resource at infinite speed did. */
static void hold_to_ablation(const struct ask *a, struct prediction *out)
{
    const struct predict_ablation *b = &a->p->ablation;
    double most = NAN;

    if (a->n_then != 1 || a->n_first)
        return;
    if (a->then->kind == WHAT_BANDWIDTH || a->then->kind == WHAT_LATENCY)
        most = b->network;
    else if (a->then->kind == WHAT_STORAGE || a->then->kind == WHAT_CACHED)
        most = b->input;
    if (isfinite(most) && out->gain > most)
        refuse(out, PREDICT_REFUSED,
               "the model promises more than the step gained without the resource at all: "
               "the model is wrong here");
}

static void answer(const struct ask *a, const struct drawn *d, struct prediction *out)
{
    const double m0 = mean(&d->gain[0]), m1 = mean(&d->gain[1]), half = half_width(a, d);

    out->state = PREDICTED;
    out->gain = exp((m0 + m1) / 2);
    out->noise = sqrt(fmax(variance(&d->gain[0]), variance(&d->gain[1])));
    out->low = exp(fmin(m0, m1) - half);
    out->high = exp(fmax(m0, m1) + half);
    out->step = a->p->replay.measured * exp(mean(&d->step));
    hold_to_ablation(a, out);
}

int predict(const struct predictor *p, const struct what *first, int n_first,
            const struct what *then, int n_then, struct prediction *out, struct err *e)
{
    const struct ask a = {p, first, then, n_first, n_then};
    struct drawn d = {.step = {0}};
    char why[160];

    *out = (struct prediction){.state = PREDICTED, .gain = NAN, .step = NAN};
    run_refuses(p, why, sizeof why);
    if (why[0])
        return refuse(out, PREDICT_REFUSED, why);
    for (int i = 0; i < n_first + n_then; i++)
        if (is_refused(p, i < n_first ? &first[i] : &then[i - n_first], out))
            return 0;
    if (n_then == 1 && is_bounded(p, then, out))
        return 0;
    if (draw_all(&a, &d, e) < 0)
        return -1;
    answer(&a, &d, out);
    return 0;
}
