/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/tools/ceilings.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "reports/diagnose/roofline.h"
#include "reports/record/fields.h"
#include "reports/record/record.h"
#if defined HAVE_SQLITE && defined HAVE_ZLIB
#define WITH_HISTORY 1
#include "reports/history/reader.h"
#endif

/* Roofs for a workload that has a profile are in `ceilings`. */
static bool has_roofs(const cJSON *w, const cJSON *ceilings)
{
    struct roofline r;

    roofline_read(&r, ceilings, (int)json_integer(w, "threads", 0, 1 << 20, 0));
    return !r.why[0];
}

/* Workloads with a profile; *roofed: those that have roofs. */
static int count(const cJSON *doc, const cJSON *ceilings, int *roofed)
{
    const cJSON *w;
    int n = 0;

    *roofed = 0;
    cJSON_ArrayForEach(w, json_at(doc, "workloads"))
    {
        if (!(json_number(w, "profile.steps", 0) > 0))
            continue;
        n++;
        *roofed += has_roofs(w, ceilings);
    }
    return n;
}

bool ceilings_missing(const cJSON *doc)
{
    int roofed;

    return count(doc, doc, &roofed) > 0 && roofed == 0;
}

#ifdef WITH_HISTORY
enum { CANDIDATES = 16, MOST_ROWS = 8192 };

/* The latest runs that have rows of machine, oldest first from `next` on. */
struct candidates {
    char key[CANDIDATES][HISTORY_KEY_SIZE], place[CANDIDATES][ARCHIVE_PLACE_SIZE];
    int n; /* seen so far: the last CANDIDATES of them are kept */
};

static void keep(struct candidates *c, const struct history_row *row)
{
    const int last = (c->n + CANDIDATES - 1) % CANDIDATES, to = c->n % CANDIDATES;

    if (!row->archive[0] || (c->n > 0 && strcmp(c->key[last], row->key) == 0))
        return; /* another row of it */
    snprintf(c->key[to], sizeof c->key[to], "%s", row->key);
    snprintf(c->place[to], sizeof c->place[to], "%s", row->archive);
    c->n++;
}

static void ask(const struct conf *c, const char *node, struct candidates *all)
{
    struct history_filter filter = HISTORY_FILTER_INIT;
    struct err none = ERR_INIT;
    struct history *h = reader_history(c, NULL, &none);
    struct history_row row;

    filter.workload = "machine";
    filter.node = node;
    filter.limit = MOST_ROWS;
    struct history_query *q = h ? history_ask(h, &filter, &none) : NULL;
    while (q && history_next(q, &row, &none) > 0)
        keep(all, &row);
    history_done(q);
    history_close(h);
}

static const cJSON *node_of(const cJSON *doc, const char *name)
{
    const cJSON *node;

    cJSON_ArrayForEach(node, json_at(doc, "system.nodes")) if (strcmp(json_text(node, "name", ""),
                                                                      name) == 0) return node;
    return NULL;
}

static bool same_machine(const cJSON *doc, const cJSON *ceilings)
{
    const cJSON *node;

    cJSON_ArrayForEach(node, json_at(doc, "system.nodes"))
    {
        const char *build = json_text(node, "build_id", "");
        const cJSON *there = node_of(ceilings, json_text(node, "name", ""));
        if (!build[0] || !there || strcmp(json_text(there, "build_id", "?"), build) != 0)
            return false;
    }
    return true;
}

/* true: the record at that place is of the same machine, and f holds it. */
static bool take(struct archive *a, const char *place, const cJSON *doc, struct found *f)
{
    struct err none = ERR_INIT;
    int roofed = 0;

    f->text = archive_get(a, place, &f->size, &none);
    f->doc = f->text ? record_parse(f->text, f->size, place, &none) : NULL;
    if (f->doc && same_machine(doc, f->doc) && count(doc, f->doc, &roofed) > 0 && roofed > 0) {
        snprintf(f->name, sizeof f->name, "%s", place);
        f->n = 1;
        return true;
    }
    found_fini(f);
    return false;
}

bool ceilings_find(const struct conf *c, const cJSON *doc, struct found *f)
{
    const char *node = json_text(doc, "system.nodes[0].name", "");
    struct candidates all = {.n = 0};
    struct err none = ERR_INIT;
    bool have = false;

    *f = (struct found)FOUND_INIT;
    if (!node[0])
        return false;
    ask(c, node, &all);
    struct archive *a = all.n ? reader_archive(c, &none) : NULL;
    for (int i = all.n - 1; a && !have && i >= 0 && i >= all.n - CANDIDATES; i--)
        have = take(a, all.place[i % CANDIDATES], doc, f);
    archive_close(a);
    return have;
}
#else
bool ceilings_find(const struct conf *c, const cJSON *doc, struct found *f)
{
    (void)c, (void)doc;
    *f = (struct found)FOUND_INIT;
    return false;
}
#endif
