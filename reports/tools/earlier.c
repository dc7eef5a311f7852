/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/tools/earlier.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#if defined HAVE_SQLITE && defined HAVE_ZLIB
#include "reports/history/history.h"
#include "reports/history/reader.h"

enum { NEWEST = 20000 }; /* runs of a workload */

static bool counts(const struct history_row *row)
{
    return row->valid && row->workload_valid && row->status == RUN_COMPLETE &&
           row->workload_status == RUN_COMPLETE;
}

static int add(struct past_runs *r, const struct history_row *row, struct err *e)
{
    struct past_run one = {.nodes = row->n_nodes,
                           .ranks = row->ranks,
                           .time = (double)row->begin,
                           .speed = row->samples_per_second,
                           .even = NAN,
                           .threads = row->threads};

    snprintf(one.key, sizeof one.key, "%s", row->key);
    snprintf(one.workload, sizeof one.workload, "%s", row->workload);
    snprintf(one.class_name, sizeof one.class_name, "%s", row->class_name);
    snprintf(one.dtype, sizeof one.dtype, "%s", row->dtype);
    snprintf(one.cluster, sizeof one.cluster, "%s", row->cluster);
    snprintf(one.engine, sizeof one.engine, "%.15s", row->engine);
    return past_runs_add(r, &one) ? err_set(e, "out of memory for the history") : 0;
}

/* The same runs' speed at equal processor: rows of both questions are in one order. */
static int add_even(struct past_runs *r, int from, struct history *h, const char *workload,
                    struct err *e)
{
    struct history_filter f = HISTORY_FILTER_INIT;
    struct history_row row;
    int more = 0;

    f.workload = workload;
    f.metric = "samples_per_yardstick";
    f.limit = NEWEST;
    struct history_query *q = history_ask(h, &f, NULL);
    while (q && (more = history_next(q, &row, e)) > 0)
        for (int i = from; i < r->n && r->of[i].time <= (double)row.begin; i++)
            if (r->of[i].time == (double)row.begin && strcmp(r->of[i].key, row.key) == 0 &&
                strcmp(r->of[i].class_name, row.class_name) == 0 &&
                strcmp(r->of[i].dtype, row.dtype) == 0) {
                r->of[i].even = row.value;
                from = i;
                break;
            }
    history_done(q);
    return more < 0 ? -1 : 0;
}

static int ask(struct past_runs *r, struct history *h, const char *workload, struct err *e)
{
    struct history_filter f = HISTORY_FILTER_INIT;
    struct history_row row;
    int rc = 0, more = 0;
    const int from = r->n;

    f.workload = workload;
    f.limit = NEWEST;
    struct history_query *q = history_ask(h, &f, e);
    while (q && rc == 0 && (more = history_next(q, &row, e)) > 0)
        if (counts(&row))
            rc = add(r, &row, e);
    history_done(q);
    if (!q || more < 0 || rc < 0)
        return -1;
    return add_even(r, from, h, workload, e);
}

int earlier_find(struct past_runs *r, const struct conf *site, const char *file,
                 const struct book *b, struct err *e)
{
    struct history *h = file ? history_open_reader(file, e) : reader_history(site, NULL, e);
    int rc = h ? 0 : -1;

    for (int i = 0; rc == 0 && i < b->n_groups; i++) {
        bool again = false;
        for (int k = 0; k < i; k++)
            again = again || strcmp(b->groups[k].name, b->groups[i].name) == 0;
        if (!again)
            rc = ask(r, h, b->groups[i].name, e);
    }
    history_close(h);
    return rc;
}

#else

int earlier_find(struct past_runs *r, const struct conf *site, const char *file,
                 const struct book *b, struct err *e)
{
    (void)r;
    (void)site;
    (void)file;
    (void)b;
    return err_set(e, "this build has no history: it was configured without SQLite or zlib");
}

#endif
