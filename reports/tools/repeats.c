/* SPDX-License-Identifier: BSD-3-Clause */
/* What earlier runs say of a node that one run suspects. */
#include <config.h>

#include "reports/tools/repeats.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/core/text.h"
#include "reports/diagnose/confirm.h"
#include "reports/record/even.h"
#include "reports/record/fields.h"
#include "reports/record/record.h"
#if defined HAVE_SQLITE && defined HAVE_ZLIB
#define WITH_HISTORY 1
#include "reports/history/reader.h"
#endif

enum { MOST_FILES = 256, MOST_ROWS = 64, MOST_VALUES = 512, DAY = 86400 };

/* What makes a run a repeat of another. */
struct like {
    const char *key, *cluster, *workload, *class_name, *engine, *dtype, *node;
    double ranks, nodes, begin;
};

static bool is_like(const struct like *a, const struct like *b)
{
    const char *const of[][2] = {{a->cluster, b->cluster},
                                 {a->workload, b->workload},
                                 {a->class_name, b->class_name},
                                 {a->engine, b->engine},
                                 {a->dtype, b->dtype}};

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (strcmp(of[i][0], of[i][1]) != 0)
            return false;
    return a->ranks == b->ranks && a->nodes == b->nodes && strcmp(a->key, b->key) != 0;
}

static struct like like_record(const cJSON *doc, const cJSON *w, const char *node)
{
    struct tm day = {0};
    const char *end = strptime(json_text(doc, "time.start", ""), "%Y-%m-%dT%H:%M:%S", &day);

    return (struct like){.key = json_text(doc, "id", ""),
                         .cluster = json_text(doc, "job.cluster", ""),
                         .workload = json_text(w, "name", ""),
                         .class_name = json_text(w, "class", ""),
                         .engine = json_text(w, "engine", ""),
                         .dtype = json_text(w, "dtype", ""),
                         .node = node,
                         .ranks = json_number(w, "ranks", 0),
                         .nodes = json_number(doc, "system.node_count", 0),
                         .begin = end ? (double)timegm(&day) : NAN};
}

/* The verdict with the node's new name; what stands behind the old one stays. */
static void rename_node(const char *verdict, const char *node, enum cause suspect,
                        char text[REPEATS_VERDICT])
{
    char old[REPEATS_VERDICT];

    cause_said(CAUSE_NODE_SLOWER, node, LANGUAGE_EN, old, sizeof old);
    cause_said(suspect, node, LANGUAGE_EN, text, REPEATS_VERDICT);
    if (strncmp(verdict, old, strlen(old)) == 0)
        text_add(text, REPEATS_VERDICT, "%s", verdict + strlen(old));
}

/* ---- a folder ---- */

static bool took_part(const cJSON *doc, const char *node)
{
    const cJSON *n;

    cJSON_ArrayForEach(n, json_at(doc, "system.nodes"))
    {
        if (strcmp(json_text(n, "name", ""), node) == 0)
            return true;
    }
    return false;
}

static void add_file(const char *path, const struct like *run, struct confirm *c)
{
    cJSON *doc = record_read(path, NULL);
    const cJSON *w;

    if (doc && took_part(doc, run->node))
        cJSON_ArrayForEach(w, json_at(doc, "workloads"))
        {
            const struct like other = like_record(doc, w, run->node);
            if (!is_like(run, &other))
                continue;
            confirm_add(c,
                        &(struct confirm_run){other.key, other.begin, json_text(w, "why.cause", ""),
                                              json_text(w, "why.node", "")});
            confirm_own_add(c, CONFIRM_SECONDS, other.key, other.begin,
                            even_computed(w, run->node));
            confirm_own_add(c, CONFIRM_EVEN, other.key, other.begin,
                            even_computed_by_yardstick(w, run->node));
        }
    cJSON_Delete(doc);
}

static void add_folder(const char *folder, const struct like *run, struct confirm *c)
{
    DIR *d = opendir(folder);
    const struct dirent *entry;
    int n = 0;

    while (d && n < MOST_FILES && (entry = readdir(d))) {
        const size_t length = strlen(entry->d_name);
        char path[PATH_MAX];
        if (entry->d_name[0] == '.' || length < 6 ||
            strcmp(entry->d_name + length - 5, ".json") != 0 ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= PATH_MAX)
            continue;
        add_file(path, run, c);
        n++;
    }
    if (d)
        closedir(d);
}

/* ---- the history ---- */

#ifdef WITH_HISTORY
static struct like like_row(const struct history_row *row)
{
    return (struct like){.key = row->key,
                         .cluster = row->cluster,
                         .workload = row->workload,
                         .class_name = row->class_name,
                         .engine = row->engine,
                         .dtype = row->dtype,
                         .node = row->cause_node,
                         .ranks = row->ranks,
                         .nodes = row->n_nodes,
                         .begin = (double)row->begin};
}

/* The next row of q that is of the same workload of the same run as `of`, or *more false; both
 * are in the order of time. */
static void follow(struct history_query *q, struct history_row *row, bool *more,
                   const struct history_row *of)
{
    while (*more &&
           (row->begin < of->begin || (row->begin == of->begin && (strcmp(row->key, of->key) != 0 ||
                                                                   row->position != of->position))))
        *more = history_next(q, row, NULL) > 0;
}

static void put_own(struct confirm *c, enum confirm_basis b, bool own,
                    const struct history_row *row, double ratio)
{
    if (own)
        confirm_own_now(c, b, ratio);
    else
        confirm_own_add(c, b, row->key, (double)row->begin, ratio);
}

/* At equal processor the history has the ratio itself. */
static void add_even(struct history *h, struct history_filter f, const struct like *run,
                     struct confirm *c)
{
    struct history_row row;

    f.metric = "compute_at_equal_processor";
    struct history_query *q = history_ask(h, &f, NULL);
    while (q && history_next(q, &row, NULL) > 0) {
        const struct like other = like_row(&row);
        const bool own = strcmp(run->key, row.key) == 0;
        if (strcmp(row.metric_node, run->node) == 0 && (own || is_like(run, &other)))
            put_own(c, CONFIRM_EVEN, own, &row, row.value);
    }
    history_done(q);
}

/* Compute seconds of runs, this one among them: the median over the ranks is one metric, the
 * node's slowest rank another. */
static void add_own(struct history *h, struct history_filter f, const struct like *run,
                    struct confirm *c)
{
    struct history_row row, median;

    f.since = f.until - (int64_t)CONFIRM_OWN_DAYS * DAY;
    f.until++; /* this run, too */
    f.limit = MOST_VALUES;
    f.metric = "compute_max_seconds";
    struct history_query *q = history_ask(h, &f, NULL);
    f.metric = "compute_seconds";
    struct history_query *m = history_ask(h, &f, NULL);
    bool more = m && history_next(m, &median, NULL) > 0;
    while (q && more && history_next(q, &row, NULL) > 0) {
        const struct like other = like_row(&row);
        const bool own = strcmp(run->key, row.key) == 0;
        if (strcmp(row.metric_node, run->node) != 0 || (!own && !is_like(run, &other)))
            continue;
        follow(m, &median, &more, &row);
        if (!more || strcmp(median.key, row.key) != 0)
            continue;
        put_own(c, CONFIRM_SECONDS, own, &row, even_to_others(row.value, median.value, row.ranks));
    }
    history_done(q);
    history_done(m);
    add_even(h, f, run, c);
}

static void add_history(struct history *h, const struct like *run, struct confirm *c)
{
    struct history_filter f = HISTORY_FILTER_INIT;
    struct history_row row;

    if (!isfinite(run->begin)) /* a record that does not say when it was */
        return;
    f.workload = run->workload;
    f.node = run->node;
    f.until = (int64_t)run->begin;
    add_own(h, f, run, c);
    f.since = f.until - (int64_t)CONFIRM_DAYS * DAY;
    f.limit = MOST_ROWS;
    struct history_query *q = history_ask(h, &f, NULL);
    while (q && history_next(q, &row, NULL) > 0) {
        const struct like other = like_row(&row);
        if (is_like(run, &other))
            confirm_add(c,
                        &(struct confirm_run){other.key, other.begin, row.cause, row.cause_node});
    }
    history_done(q);
}

static void add_site(const struct conf *conf, const struct like *run, struct confirm *c)
{
    struct history_filter all = HISTORY_FILTER_INIT;
    struct history *h = reader_history(conf, &all, NULL);

    if (h)
        add_history(h, run, c);
    history_close(h);
}

void repeats_row(struct history *h, struct history_row *row, char text[REPEATS_VERDICT])
{
    const int suspect = cause_find(row->suspect);
    const struct like run = like_row(row);
    struct confirm c;

    if (suspect < 0)
        return;
    confirm_begin(&c, run.node, run.begin);
    add_history(h, &run, &c);
    if (!confirm_holds(&c))
        return;
    rename_node(row->verdict, row->cause_node, (enum cause)suspect, text);
    row->cause = cause_name((enum cause)suspect);
    row->verdict = text;
    row->next = cause_next((enum cause)suspect, LANGUAGE_EN);
}
#else
static void add_site(const struct conf *conf, const struct like *run, struct confirm *c)
{
    (void)conf, (void)run, (void)c;
}
#endif

/* ---- into the record ---- */

static void replace(cJSON *why, const char *name, const char *text)
{
    cJSON_ReplaceItemInObjectCaseSensitive(why, name, json_string(text));
}

static void confirm_one(cJSON *why, const struct like *run, int suspect, const struct confirm *c)
{
    char text[REPEATS_VERDICT];

    snprintf(text, sizeof text, "%s", json_text(why, "why", ""));
    confirm_said(c, LANGUAGE_EN, text, sizeof text);
    replace(why, "why", text);
    if (!confirm_holds(c))
        return;
    rename_node(json_text(why, "verdict", ""), run->node, (enum cause)suspect, text);
    replace(why, "verdict", text);
    replace(why, "cause", cause_name((enum cause)suspect));
    replace(why, "next", cause_next((enum cause)suspect, LANGUAGE_EN));
}

void repeats_confirm(const struct conf *conf, cJSON *doc, const char *folder)
{
    cJSON *w;

    cJSON_ArrayForEach(w, cJSON_GetObjectItemCaseSensitive(doc, "workloads"))
    {
        cJSON *why = cJSON_GetObjectItemCaseSensitive(w, "why");
        const cJSON *first = cJSON_GetArrayItem(json_at(why, "causes"), 0);
        const int suspect = cause_find(json_text(first, "suspect", ""));
        const char *node = json_text(why, "node", "");
        struct confirm c;
        if (suspect < 0 || !*node || cause_find(json_text(why, "cause", "")) != CAUSE_NODE_SLOWER)
            continue;
        char *name = strdup(node); /* the record's own is replaced below */
        const struct like run = like_record(doc, w, name ? name : "");
        confirm_begin(&c, run.node, run.begin);
        confirm_own_now(&c, CONFIRM_SECONDS, even_computed(w, run.node));
        confirm_own_now(&c, CONFIRM_EVEN, even_computed_by_yardstick(w, run.node));
        add_folder(folder, &run, &c);
        add_site(conf, &run, &c);
        confirm_one(why, &run, suspect, &c);
        free(name);
    }
}
