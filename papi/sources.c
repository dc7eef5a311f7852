/* SPDX-License-Identifier: BSD-3-Clause */
/* What back ends call: the table of counters, and which source counts for which. */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "papi/backend.h"
#include "papi/state.h"

static const struct counter_info table[COUNTER_COUNT + 1] = {
#define COUNTER(symbol, backend, unit, kind, scope, title, ...)                                    \
    {#symbol, #backend, unit, COUNTER_##kind, SCOPE_##scope, title},
#include "reports/core/counters.def"
};

const struct counter_info *counters_info(int i)
{
    return i >= 0 && i < COUNTER_COUNT ? &table[i] : NULL;
}

const char *counters_scope_name(enum counter_scope s)
{
    static const char *const names[] = {"rank", "cgroup", "network", "node"};

    return names[s];
}

/* FNV-1a; never 0, which means "the rank's own". */
static uint64_t hash(uint64_t h, const char *text)
{
    h = h ? h : 14695981039346656037u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ? h : 1;
}

/* Boot ids differ between machines and between boots; containers and fake
 * nodes on one machine share it, as they share its counters. */
void sources_machine(struct counters *c)
{
    char id[128];

    read_line(c, "/proc/sys/kernel/random/boot_id", id, sizeof(id));
    if (!id[0])
        gethostname(id, sizeof(id) - 1);
    c->machine = hash(0, id);
}

bool counter_has_source(const struct counters *c, int counter)
{
    return row_counts(&c->rows[counter]);
}

int source_add(struct counters *c, const struct source *s)
{
    struct source *more = realloc(c->sources, ((size_t)c->n_sources + 1) * sizeof(*more));

    if (!more)
        return -1;
    c->sources = more;
    more[c->n_sources] = *s;
    more[c->n_sources].file = more[c->n_sources].next = -1;
    c->rows[s->counter].sources++;
    return c->n_sources++;
}

static int file_add(struct counters *c, const char *path)
{
    struct file *more;

    for (int i = 0; i < c->n_files; i++)
        if (strcmp(c->files[i].path, path) == 0)
            return i;
    more = realloc(c->files, ((size_t)c->n_files + 1) * sizeof(*more));
    if (!more)
        return -1;
    c->files = more;
    snprintf(more[c->n_files].path, sizeof(more->path), "%s", path);
    more[c->n_files].first = -1;
    return c->n_files++;
}

bool can_pick(struct counters *c, const char *path, struct pick p, char *why)
{
    ssize_t n = read_small(c, path, c->buf, sizeof(c->buf));
    double v;

    if (n < 0)
        why_unread(c, path, (int)-n, why, REASON_BYTES);
    else if (pick_number(c->buf, &p, &v))
        return true;
    else
        snprintf(why, REASON_BYTES, "%s: no number%s%s", path, p.key ? " after " : "",
                 p.key ? p.key : "");
    return false;
}

int source_file(struct counters *c, const struct source *s, const char *path, struct pick p)
{
    char why[REASON_BYTES];
    struct source *added;
    int file, i;

    if (!can_pick(c, path, p, why)) {
        counter_bar(c, s->counter, "%s", why);
        return 0;
    }
    file = file_add(c, path);
    i = file < 0 ? -1 : source_add(c, s);
    if (i < 0)
        return -1;
    added = &c->sources[i];
    added->file = file;
    added->next = c->files[file].first;
    c->files[file].first = i;
    added->pick = p;
    if (p.key)
        snprintf(added->key, sizeof(added->key), "%s", p.key);
    if (!c->rows[s->counter].from[0])
        counter_from(c, s->counter, "%s", path);
    return 0;
}

void counter_from(struct counters *c, int counter, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->rows[counter].from, SOURCE_TEXT_BYTES, fmt, ap);
    va_end(ap);
}

static void off(struct row *r, const char *fmt, va_list ap)
{
    size_t len = strlen(r->off);

    if (r->barred)
        return; /* what barred it says more */
    if (len > 0 && len + 2 < sizeof(r->off))
        len += (size_t)snprintf(r->off + len, sizeof(r->off) - len, "; ");
    if (len < sizeof(r->off))
        vsnprintf(r->off + len, sizeof(r->off) - len, fmt, ap);
}

void counter_off(struct counters *c, int counter, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    off(&c->rows[counter], fmt, ap);
    va_end(ap);
}

void counter_bar(struct counters *c, int counter, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    off(&c->rows[counter], fmt, ap);
    va_end(ap);
    c->rows[counter].barred = true;
}

void backend_off(struct counters *c, const char *backend, const char *fmt, ...)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        va_list ap;

        if (strcmp(table[i].backend, backend) != 0 || c->rows[i].sources || c->rows[i].off[0])
            continue;
        va_start(ap, fmt);
        off(&c->rows[i], fmt, ap);
        va_end(ap);
    }
}

void counter_domain(struct counters *c, int counter, const char *id)
{
    c->rows[counter].domain = hash(c->machine, id);
}

void counter_ratio(struct counters *c, int counter, double ratio)
{
    struct row *r = &c->rows[counter];

    if (!(ratio >= r->ratio))
        r->ratio = ratio;
}

void source_now(struct counters *c, int source, double raw)
{
    c->sources[source].now = raw;
    c->sources[source].now_known = true;
}

void source_lost(struct counters *c, int source, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->sources[source].why, REASON_BYTES, fmt, ap);
    va_end(ap);
    c->sources[source].now_known = false;
}

void **backend_state(struct counters *c, enum counters_backend b)
{
    return &c->state[b];
}
