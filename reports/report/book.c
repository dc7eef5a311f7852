/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/book.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/judge/stat.h"
#include "reports/record/fields.h"

double book_time(const cJSON *record, const char *path)
{
    struct tm day = {0};
    const char *end = strptime(json_text(record, path, ""), "%Y-%m-%dT%H:%M:%S", &day);

    return end ? (double)timegm(&day) : NAN;
}

bool training_reached(const cJSON *w)
{
    return cJSON_IsTrue(json_at(w, "valid")) && json_number(w, "quality.epochs_to_target", 0) >= 1;
}

const char *book_invalid(const struct book *b, int *n)
{
    const char *first = NULL;

    *n = 0;
    for (int i = 0; i < b->n; i++) {
        const cJSON *reasons = json_at(b->records[i], "reasons");
        const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reasons, "valid"));
        if (cJSON_IsTrue(json_at(b->records[i], "valid")))
            continue;
        first = first ? first : why ? why : "the record does not say why";
        ++*n;
    }
    return first;
}

double record_nodes(const cJSON *record)
{
    return json_number(record, "system.node_count", NAN);
}

/* ---- groups ---- */

static bool is_of(const struct group *g, const cJSON *record, const cJSON *w)
{
    double nodes = record_nodes(record);

    return strcmp(g->name, json_text(w, "name", "")) == 0 &&
           strcmp(g->class_name, json_text(w, "class", "")) == 0 &&
           strcmp(g->dtype, json_text(w, "dtype", "")) == 0 &&
           (g->nodes == nodes || (isnan(g->nodes) && isnan(nodes)));
}

static struct group *group_for(struct book *b, const cJSON *record, const cJSON *w)
{
    for (int i = 0; i < b->n_groups; i++)
        if (is_of(&b->groups[i], record, w))
            return &b->groups[i];
    if (b->n_groups == BOOK_MOST_GROUPS)
        return NULL;
    struct group *g = &b->groups[b->n_groups++];
    *g = (struct group){.name = json_text(w, "name", ""),
                        .class_name = json_text(w, "class", ""),
                        .dtype = json_text(w, "dtype", ""),
                        .nodes = record_nodes(record)};
    return g;
}

int book_add(struct book *b, const cJSON *record, struct err *e)
{
    const cJSON *w;
    int index = 0;

    if (b->n == BOOK_MOST_RECORDS)
        return err_set(e, "a report holds at most %d records; leave some out", BOOK_MOST_RECORDS);
    if (cJSON_GetArraySize(json_at(record, "workloads")) > BOOK_MOST_GROUPS)
        return err_set(e, "a record with more than %d workloads is not of a run", BOOK_MOST_GROUPS);
    b->records[b->n] = record;
    cJSON_ArrayForEach(w, json_at(record, "workloads"))
    {
        struct group *g = group_for(b, record, w);
        if (!g || g->n == BOOK_MOST_RECORDS)
            return err_set(e, "a report holds at most %d workloads of %d runs; leave some out",
                           BOOK_MOST_GROUPS, BOOK_MOST_RECORDS);
        g->runs[g->n++] = (struct training){record, w, b->n, index++};
    }
    b->n++;
    return 0;
}

/* ---- the reported run ---- */

static double to_quality(const struct training *t)
{
    return training_reached(t->workload)
               ? json_number(t->workload, "performance.time_to_quality_seconds", INFINITY)
               : INFINITY;
}

/* How many runs are before this one by time, then by their order. */
static int rank_of(const struct group *g, int k)
{
    double own = to_quality(&g->runs[k]);
    int rank = 0;

    for (int i = 0; i < g->n; i++)
        rank += to_quality(&g->runs[i]) < own || (to_quality(&g->runs[i]) == own && i < k);
    return rank;
}

void book_close(struct book *b)
{
    for (int i = 0; i < b->n_groups; i++) {
        struct group *g = &b->groups[i];
        for (int k = 0; k < g->n; k++)
            if (rank_of(g, k) == (g->n - 1) / 2)
                g->reported = k;
    }
}

const struct training *group_reported(const struct group *g)
{
    return &g->runs[g->reported];
}

/* ---- repeats ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double book_olympic(const double *seconds, int n, int failed)
{
    double sorted[BOOK_MOST_RECORDS], sum = 0;
    int runs = n + failed, from = runs >= 3 ? 1 : 0, end = runs >= 3 ? runs - 1 : runs;

    if (n < 1 || end > n || n > BOOK_MOST_RECORDS)
        return NAN; /* a run that did not converge is among those that count */
    memcpy(sorted, seconds, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    for (int i = from; i < end; i++)
        sum += sorted[i];
    return sum / (end - from);
}

/* Student's, of the mean; under two values tell nothing. */
static void interval(const double *v, int n, struct repeats *r)
{
    double sum = 0, square = 0;

    r->low = r->high = NAN;
    if (n < 2)
        return;
    for (int i = 0; i < n; i++)
        sum += v[i];
    for (int i = 0; i < n; i++)
        square += (v[i] - sum / n) * (v[i] - sum / n);
    double half = stat_student(0.95, n - 1) * sqrt(square / (n - 1) / n);
    r->low = sum / n - half;
    r->high = sum / n + half;
}

void group_repeats(const struct group *g, struct repeats *r)
{
    double seconds[BOOK_MOST_RECORDS] = {0}, epochs = 0, reference = NAN;

    *r = (struct repeats){.runs = g->n, .least = INFINITY, .most = -INFINITY};
    for (int i = 0; i < g->n; i++) {
        double s = to_quality(&g->runs[i]);
        if (!isfinite(s))
            continue;
        seconds[r->reached++] = s;
        r->least = fmin(r->least, s);
        r->most = fmax(r->most, s);
        epochs += json_number(g->runs[i].workload, "quality.epochs_to_target", NAN);
        reference = json_number(g->runs[i].workload, "quality.rcp.mean_epochs", NAN);
    }
    r->seconds = book_olympic(seconds, r->reached, r->runs - r->reached);
    interval(seconds, r->reached, r);
    r->olympic = r->runs >= 3 && isfinite(r->seconds);
    r->normalised =
        r->seconds *
        (isfinite(reference) && epochs > 0 ? fmax(1, reference / (epochs / r->reached)) : NAN);
}
