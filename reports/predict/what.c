/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/what.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct what_row rows[WHAT_COUNT] = {
#define WHAT(symbol, name, free, percent, runs, said)                                              \
    [WHAT_##symbol] = {#name, free, (percent) / 100.0, runs, said},
#include "reports/predict/whats.def"
};

const struct what_row *what_row(enum what_kind k)
{
    return &rows[k];
}

enum what_kind what_find(const char *name)
{
    for (int k = 0; k < WHAT_COUNT; k++)
        if (strcmp(rows[k].name, name) == 0)
            return (enum what_kind)k;
    return WHAT_COUNT;
}

void what_text(const struct what *w, char *text, int size)
{
    int n = 0;

    for (const char *at = rows[w->kind].said; *at && n + 1 < size; at++) {
        if (*at != '%') {
            text[n++] = *at;
            continue;
        }
        const bool below = at > rows[w->kind].said && at[-1] == '/';
        const bool counted = w->kind == WHAT_ACCUMULATE && at[1] == ' ';
        n += snprintf(text + n, (size_t)(size - n), below || counted ? "%g" : "× %g", w->factor);
        if (n >= size)
            n = size - 1;
    }
    text[n] = '\0';
}

static int parse_one(const char *text, size_t size, struct what *w, struct err *e)
{
    char word[48];
    const char *colon = memchr(text, ':', size);
    char *end;

    if (size >= sizeof word || !colon)
        return err_set(e, "'%.*s' is not a question; network_bandwidth:2 is one", (int)size, text);
    snprintf(word, sizeof word, "%.*s", (int)(colon - text), text);
    w->kind = what_find(word);
    if (w->kind == WHAT_COUNT)
        return err_set(e, "there is no question '%s'; network_bandwidth:2 is one", word);
    snprintf(word, sizeof word, "%.*s", (int)(size - (size_t)(colon + 1 - text)), colon + 1);
    w->factor = strtod(word, &end);
    if (end == word || *end || !isfinite(w->factor))
        return err_set(e, "'%s' is not a factor", word);
    return 0;
}

int what_parse(const char *text, struct what *w, int most, struct err *e)
{
    int n = 0;

    for (const char *at = text;; at++) {
        const size_t size = strcspn(at, ",");
        if (n == most)
            return err_set(e, "more than %d questions at once", most);
        if (parse_one(at, size, &w[n++], e) < 0)
            return -1;
        at += size;
        if (!*at)
            return n;
    }
}

/* ---- what is needed ---- */

/* Small sums that all wait for, one after the other, lie behind the gradients on their links. */
static int refuse_met(const struct series *s, struct err *e)
{
    const double met_most = 0.03, part = s->met / series_period(s, 0, s->steps);

    return part > met_most ? err_set(e,
                                     "sums inside the network (batch norm) take %.0f %% of a step, "
                                     "and what other links make of them is not modelled",
                                     100 * part)
                           : 0;
}

static int refuse_network(const struct series *s, const struct what *w, struct err *e)
{
    if (s->ranks == 1 || s->buckets == 0)
        return err_set(e, "one rank alone exchanges nothing");
    if (s->nodes == 1)
        return err_set(e, "all ranks are on one node: no network was used");
    if (!s->split)
        return err_set(e,
                       "the clocks of the nodes cannot tell waiting for a rank from the "
                       "network: they are known to %.3g ms only",
                       1e3 * s->clock_bound);
    if (w->kind == WHAT_LATENCY && !isfinite(s->transport.alpha))
        return err_set(e, "the time of a message was not measured: the run has no transport test");
    return 0;
}

static int refuse_input(const struct series *s, const struct what *w, struct err *e)
{
    if (!s->loader)
        return err_set(e, "what a batch costs the loader was not measured");
    for (int i = 0; i < s->ranks; i++)
        if (!isfinite(s->loader[i].read) || !isfinite(s->loader[i].decode))
            return err_set(e, "reading and decoding were not measured apart");
    if (w->kind == WHAT_CACHED && !isfinite(s->loader[0].cached))
        return err_set(e, "what reading costs from the page cache was not measured");
    if (w->kind == WHAT_WORKERS && isfinite(s->cores_left) &&
        s->workers * (w->factor - 1) > s->cores_left)
        return err_set(e, "%g loader workers would take cores from the training: %.2g are left",
                       s->workers * w->factor, s->cores_left);
    return 0;
}

static int refuse_own(const struct series *s, const struct what *w, struct err *e)
{
    if (w->kind == WHAT_THREADS)
        return err_set(e, "threads and binding are measured (diagnose=yes), not simulated");
    if (w->kind == WHAT_BF16)
        return isfinite(s->bf16) ? 0
                                 : err_set(e, "the operators were not measured in both types: "
                                              "run micro with dtype=f32 and with dtype=bf16");
    if (!isfinite(s->memory_low) || !isfinite(s->memory_high))
        return err_set(e, "how much of the work memory binds was not measured: run "
                          "machine+WORKLOAD, or machine once on these nodes");
    return 0;
}

int what_refuse(const struct series *s, const struct what *w, struct err *e)
{
    if (!(w->factor > 0) || !isfinite(w->factor))
        return err_set(e, "a factor of %g is not one", w->factor);
    switch (w->kind) {
    case WHAT_BANDWIDTH:
    case WHAT_LATENCY:
        return refuse_network(s, w, e) ? -1 : refuse_met(s, e);
    case WHAT_STORAGE:
    case WHAT_CACHED:
    case WHAT_WORKERS:
        return refuse_input(s, w, e);
    case WHAT_COMPUTE:
    case WHAT_MEMORY:
    case WHAT_BF16:
    case WHAT_THREADS:
        return refuse_own(s, w, e);
    case WHAT_NODES:
    case WHAT_NODES_WEAK:
        if (s->ranks == 1 || s->nodes == 1)
            return err_set(e, "the network was not measured: run it on two nodes or more");
        if (fabs(s->ranks * w->factor - round(s->ranks * w->factor)) > 1e-9)
            return err_set(e, "%d ranks × %g is not a number of ranks", s->ranks, w->factor);
        if (s->ranks * w->factor < 2 || s->ranks * w->factor > PLAY_RANKS)
            return err_set(e, "%g ranks are not between 2 and %d", s->ranks * w->factor,
                           PLAY_RANKS);
        if (w->kind == WHAT_NODES && (double)s->rows / w->factor < 1)
            return err_set(e, "%ld samples of a rank cannot be shared by %g", s->rows, w->factor);
        return refuse_met(s, e);
    case WHAT_BUCKET:
        if (s->ranks == 1 || s->buckets == 0)
            return err_set(e, "one rank alone exchanges nothing");
        if (s->curve[0] < 0)
            return err_set(e, "when gradients are ready was not measured: run with two buckets or "
                              "more (bucket=)");
        return 0;
    case WHAT_ACCUMULATE:
        return w->factor == round(w->factor)
                   ? 0
                   : err_set(e, "%g steps are not a number of steps", w->factor);
    case WHAT_BATCH:
    case WHAT_COUNT:
        break;
    }
    return 0;
}

double what_part(const struct series *s, enum what_kind k)
{
    const struct series_parts p = series_split(s);
    const double period = series_period(s, 0, s->steps);

    switch (k) {
    case WHAT_BANDWIDTH:
    case WHAT_LATENCY:
        return p.exchange / period;
    case WHAT_STORAGE:
    case WHAT_CACHED:
    case WHAT_WORKERS:
        return p.input / period;
    case WHAT_COMPUTE:
        return p.own / period;
    case WHAT_MEMORY:
        return p.own * s->memory_high / period;
    default:
        return NAN;
    }
}

bool what_is_wide(const struct series *s, enum what_kind k)
{
    return (k == WHAT_NODES || k == WHAT_BATCH) && !isfinite(s->half_batch);
}

/* ---- what it changes ---- */

/* Rows become q of what they were: own(q) = o + (1 - o) q. */
static void scale_rows(const struct series *s, struct play *p, double q)
{
    const double o = isfinite(s->half_batch) ? fmin(fmax(2 * s->half_batch - 1, 0), 1) : 0;
    const double before = o + (1 - o) * p->rows, after = o + (1 - o) * p->rows * q;

    p->rows *= q;
    p->cpu *= after / before;
    p->withheld *= after / before;
}

/* Part of the gradients that is ready after t of own work. */
static double ready_part(const struct series *s, double t)
{
    const double at = t * (SERIES_POINTS - 1);
    const int i = (int)fmin(at, SERIES_POINTS - 2);

    return s->curve[i] + (s->curve[i + 1] - s->curve[i]) * (at - i);
}

/* The least part of own work after which that part of the gradients is ready. */
static double ready_when(const struct series *s, double part)
{
    double low = 0, high = 1;

    for (int i = 0; i < 40; i++) {
        const double middle = (low + high) / 2;
        if (ready_part(s, middle) >= part - 1e-12)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static int cut_buckets(const struct series *s, double k, struct play *p, struct err *e)
{
    double all = 0, most = 0, sum = 0;

    for (int b = 0; b < p->buckets; b++) {
        all += p->bytes[b];
        most = fmax(most, p->bytes[b]);
    }
    const double n = ceil(all * k / most - 1e-9);
    if (n < 1 || n > SERIES_BUCKETS)
        return err_set(e, "%g buckets are not between 1 and %d", n, SERIES_BUCKETS);
    p->buckets = (int)n;
    for (int b = 0; b < p->buckets; b++) {
        p->bytes[b] = fmin(most / k, all - sum);
        sum += p->bytes[b];
        p->ready[b] = b + 1 == p->buckets ? 1 : ready_when(s, sum / all);
    }
    return 0;
}

/* A message takes between both ends of alpha's interval; what is then too much of it is
 * software's: of a phase only (n - 1) alpha + c is known as well as a sum. */
static void cut_latency(const struct series *s, double k, int model, struct play *p)
{
    const struct series_transport *t = &s->transport;
    const double end = model ? t->high : t->low;
    const double less = (isfinite(end) ? end : t->alpha) * (1 - 1 / k); /* seconds */

    if (!(t->alpha > 0))
        return;
    p->alpha *= 1 - less / t->alpha;
    if (p->alpha < 0) {
        const double rest = (p->ranks - 1) * p->x->alpha * p->alpha;
        p->alpha = 0;
        if (p->x->software > 0)
            p->software = fmax(0, p->software + rest / p->x->software);
    }
}

static void add_nodes(struct play *p, const struct what *w, int model)
{
    p->ranks = (int)lround(p->ranks * w->factor);
    p->independent = model == 1;
}

int what_apply(const struct series *s, const struct what *w, int model, struct play *p,
               double *batch, struct err *e)
{
    const double k = w->factor;
    const double memory = model ? s->memory_high : s->memory_low;

    switch (w->kind) {
    case WHAT_COMPUTE:
        p->cpu *= memory + (1 - memory) / k;
        p->decode /= k;
        p->software_cpu /= k;
        p->software /= k;
        break;
    case WHAT_MEMORY:
        p->cpu *= memory / k + (1 - memory);
        break;
    case WHAT_BANDWIDTH:
        p->inv /= k;
        p->residual *= model ? 1 : fmin(1, 1 / k);
        break;
    case WHAT_LATENCY:
        cut_latency(s, k, model, p);
        break;
    case WHAT_STORAGE:
        p->read /= k;
        break;
    case WHAT_CACHED:
        p->read = 0;
        break;
    case WHAT_NODES:
        add_nodes(p, w, model);
        scale_rows(s, p, 1 / k);
        break;
    case WHAT_NODES_WEAK:
        add_nodes(p, w, model);
        *batch *= k;
        break;
    case WHAT_WORKERS:
        p->workers = (int)fmax(1, round(p->workers * k));
        break;
    case WHAT_ACCUMULATE:
        p->micro *= (int)lround(k);
        *batch *= k;
        break;
    case WHAT_BF16:
        p->cpu *= s->bf16;
        break;
    case WHAT_BATCH:
        scale_rows(s, p, k);
        *batch *= k;
        break;
    case WHAT_BUCKET:
        return cut_buckets(s, k, p, e);
    case WHAT_THREADS:
    case WHAT_COUNT:
        return what_refuse(s, w, e);
    }
    return 0;
}
