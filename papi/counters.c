/* SPDX-License-Identifier: BSD-3-Clause */
/* Readings at borders, differences added up per phase. */
#include <config.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "papi/backend.h"
#include "papi/state.h"
#include "reports/core/clock.h"

/* PAPI first: a hardware event that it lacks is then asked of the kernel. */
static const struct backend *const backends[] = {
    &backend_papi,   &backend_perf,   &backend_proc, &backend_net,    &backend_infiniband,
    &backend_energy, &backend_cgroup, &backend_cpu,  &backend_socket,
};

enum { BACKENDS = sizeof(backends) / sizeof(*backends) };
_Static_assert((int)BACKENDS == (int)BACKEND_COUNT,
               "a back end without a bit or a bit without one");

/* --- one reading of everything --- */

static void read_file(struct counters *c, const struct file *f)
{
    ssize_t n = read_small(c, f->path, c->buf, sizeof(c->buf));

    for (int i = f->first; i >= 0; i = c->sources[i].next) {
        struct source *s = &c->sources[i];
        double v;

        if (s->key[0])
            s->pick.key = s->key; /* the array may have moved */
        if (n < 0) {
            s->now_known = false;
            why_unread(c, f->path, (int)-n, s->why, sizeof(s->why));
        } else if (!pick_number(c->buf, &s->pick, &v)) {
            source_lost(c, i, "%s: no number%s%s any more", f->path, s->key[0] ? " after " : "",
                        s->key);
        } else if (s->stuck > 0 && v == s->stuck) {
            source_lost(c, i, "%s: stuck at %.0f, its largest value", f->path, v);
        } else {
            source_now(c, i, v);
        }
    }
}

static void read_canned(struct counters *c)
{
    for (int i = 0; i < c->n_sources; i++) {
        struct measure m = c->canned(c->canned_ctx, c->sources[i].counter);

        if (m.reason)
            source_lost(c, i, "%s", m.reason);
        else
            source_now(c, i, m.value);
    }
}

static void read_all(struct counters *c)
{
    double start = clock_now(), took;

    for (int i = 0; i < COUNTER_COUNT; i++)
        c->rows[i].ratio = 1;
    if (c->canned)
        read_canned(c);
    for (int i = 0; i < BACKENDS; i++)
        if (c->open[i] && backends[i]->read)
            backends[i]->read(c);
    for (int i = 0; i < c->n_files; i++)
        read_file(c, &c->files[i]);
    took = clock_now() - start;
    c->cost.reads++;
    c->cost.seconds += took;
    if (took > c->cost.max_seconds)
        c->cost.max_seconds = took;
}

/* What the source added since the last reading; false and why not. */
static bool added(const struct source *s, double gap, double *delta, char *why)
{
    if (!s->known) {
        snprintf(why, REASON_BYTES, "it could not be read where the phase began");
        return false;
    }
    if (s->max_gap_seconds > 0 && gap > s->max_gap_seconds) {
        snprintf(why, REASON_BYTES,
                 "it may have wrapped more than once in the %.0f s between reads", gap);
        return false;
    }
    *delta = s->now - s->last;
    if (*delta >= 0)
        return true;
    if (s->wrap > s->last && s->last >= s->wrap_from) {
        *delta += s->wrap;
        return true;
    }
    snprintf(why, REASON_BYTES, "it went backwards, from %.0f to %.0f: set back by something",
             s->last, s->now);
    return false;
}

/* A copy of the reason that lives until close: who asked for a value may show
 * its reason after counters_reset(). Each sentence is kept once. */
static const char *keep(struct counters *c, const char *why)
{
    char **more;

    for (int i = 0; i < c->n_kept; i++)
        if (strcmp(c->kept[i], why) == 0)
            return c->kept[i];
    more = realloc(c->kept, ((size_t)c->n_kept + 1) * sizeof(*more));
    if (!more)
        return "no memory to say why";
    c->kept = more;
    more[c->n_kept] = strdup(why);
    return more[c->n_kept] ? more[c->n_kept++] : "no memory to say why";
}

static void account_one(struct counters *c, const struct source *s, double gap)
{
    struct row *r = &c->rows[s->counter];
    enum counter_kind kind = counters_info(s->counter)->kind;
    char why[REASON_BYTES];
    double v = s->now;

    if (r->lost[c->phase] || !row_counts(r))
        return;
    if (!s->now_known) {
        r->lost[c->phase] = keep(c, s->why);
        return;
    }
    if (kind == COUNTER_TOTAL && !added(s, gap, &v, why)) {
        r->lost[c->phase] = keep(c, why);
        return;
    }
    v *= s->scale;
    if (kind != COUNTER_PEAK)
        r->sum[c->phase] += v;
    else if (!r->readings[c->phase] || v > r->sum[c->phase])
        r->sum[c->phase] = v;
    r->readings[c->phase]++;
}

/* Reads, and gives what was added to the phase that ran. */
static void border(struct counters *c)
{
    double before = c->last_seconds;

    read_all(c);
    c->last_seconds = clock_now();
    for (int i = 0; i < c->n_sources; i++) {
        struct source *s = &c->sources[i];

        if (c->running)
            account_one(c, s, c->last_seconds - before);
        s->last = s->now;
        s->known = s->now_known;
    }
}

/* --- public --- */

static int probe_canned(struct counters *c)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        struct source s = {.counter = i, .scale = 1};

        if (source_add(c, &s) < 0)
            return -1;
        counter_from(c, i, "canned");
    }
    return 0;
}

static int probe(struct counters *c, unsigned turned_off)
{
    if (c->canned)
        return probe_canned(c);
    for (int i = 0; i < BACKENDS; i++) {
        const struct backend *b = backends[i];

        if (turned_off & 1u << b->bit) {
            backend_off(c, b->name, "turned off");
            continue;
        }
        c->open[i] = true;
        if (b->probe(c) < 0)
            return -1;
    }
    for (int i = 0; i < COUNTER_COUNT; i++)
        if (!row_counts(&c->rows[i]) && !c->rows[i].off[0])
            counter_off(c, i, "this machine does not offer it");
    return 0;
}

struct counters *counters_open(const struct counters_options *o, struct err *e)
{
    static const struct counters_options none;
    struct counters *c = calloc(1, sizeof(*c));

    o = o ? o : &none;
    if (!c)
        goto out;
    snprintf(c->root, sizeof(c->root), "%s", o->root ? o->root : "");
    c->canned = o->canned;
    c->canned_ctx = o->canned_ctx;
    c->in_job = o->in_job;
    sources_machine(c);
    for (int i = 0; i < COUNTER_COUNT; i++) {
        c->rows[i].ratio = 1;
        if (counters_info(i)->scope != SCOPE_RANK)
            counter_domain(c, i, counters_scope_name(counters_info(i)->scope));
    }
    if (probe(c, o->off) == 0)
        return c;
out:
    counters_close(c);
    err_set(e, "no memory for the counters");
    return NULL;
}

void counters_close(struct counters *c)
{
    if (!c)
        return;
    for (int i = 0; i < BACKENDS; i++)
        if (c->open[i] && backends[i]->close)
            backends[i]->close(c);
    for (int i = 0; i < c->n_kept; i++)
        free(c->kept[i]);
    free(c->kept);
    free(c->files);
    free(c->sources);
    free(c);
}

void counters_phase(struct counters *c, enum phase p)
{
    if (c->running && c->phase == p)
        return;
    border(c);
    c->phase = p;
    c->entered |= UINT64_C(1) << p | UINT64_C(1) << PHASE_COUNT;
    c->running = true;
}

void counters_sample(struct counters *c)
{
    if (c->running)
        border(c);
}

void counters_stop(struct counters *c)
{
    counters_sample(c);
    c->running = false;
}

void counters_reset(struct counters *c)
{
    c->running = false;
    c->entered = 0;
    for (int i = 0; i < COUNTER_COUNT; i++) {
        struct row *r = &c->rows[i];

        memset(r->sum, 0, sizeof(r->sum));
        memset(r->readings, 0, sizeof(r->readings));
        memset(r->lost, 0, sizeof(r->lost));
    }
}
