/* SPDX-License-Identifier: BSD-3-Clause */
/* What a person types to ask the history. */
#include <config.h>

#include "reports/history/history_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/nearest.h"
#include "reports/record/job_word.h"

static const char digits[] = "0123456789";

/* ---- times ---- */

static bool whole(const char *text, const char *format, int64_t *t)
{
    struct tm tm = {0};
    const char *end = strptime(text, format, &tm);

    if (!end || *end)
        return false;
    *t = (int64_t)timegm(&tm);
    return *t > 0;
}

/* "7d" before now. */
static bool ago(const char *text, time_t now, int64_t *t)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    size_t n = strspn(text, digits);

    if (n == 0 || n > 6 || !text[n] || text[n + 1])
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == text[n]) {
            *t = (int64_t)now - atol(text) * units[i].seconds;
            return *t > 0;
        }
    return false;
}

int words_time(const char *text, time_t now, int64_t *t, struct err *e)
{
    static const char *const formats[] = {"%Y-%m-%d",          "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ",
                                          "%Y-%m-%d %H:%M",    "%Y-%m-%d %H:%M:%S"};
    size_t n = strlen(text);

    *t = (int64_t)now;
    if (strcmp(text, "now") == 0)
        return 0;
    if (text[0] == '@' && n > 1 && n < 14 && strspn(text + 1, digits) == n - 1) {
        *t = atoll(text + 1);
        return 0;
    }
    if (ago(text, now, t))
        return 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (n < 32 && whole(text, formats[i], t))
            return 0;
    return err_set(e, "'%.64s' is not a time; use 2026-11-22, 2026-11-22T19:02 or 7d", text);
}

/* ---- numbers and jobs ---- */

static bool number(const char **text, long *v)
{
    size_t n = strspn(*text, digits);

    if (n == 0 || n > 10)
        return false;
    *v = strtol(*text, NULL, 10);
    *text += n;
    return true;
}

int words_count(const char *text, const char *option, long *n, struct err *e)
{
    const char *at = text;

    return number(&at, n) && !*at ? 0 : err_set(e, "%s: '%.64s' is not a count", option, text);
}

int words_job(const char *text, struct history_filter *f, char key[HISTORY_KEY_SIZE], struct err *e)
{
    struct job_word w;

    if (job_word_parse(text, &w, e) < 0)
        return -1;
    f->job = w.job;
    f->array_task = w.array_task;
    f->het_offset = w.het_offset;
    f->restart = w.restart;
    snprintf(f->step, sizeof f->step, "%s", w.step);
    if (w.id[0]) {
        snprintf(key, HISTORY_KEY_SIZE, "%s", w.id);
        f->key = key;
    }
    return 0;
}

/* ---- names ---- */

enum { NAMES_MOST = 4096 };

struct names {
    int n;
    bool known;
    const char *wanted;
    const char *list[NAMES_MOST];
};

static void take(void *ctx, const char *name)
{
    struct names *names = ctx;

    names->known |= strcmp(name, names->wanted) == 0;
    char *copy = names->n < NAMES_MOST ? strdup(name) : NULL;
    if (copy)
        names->list[names->n++] = copy;
}

static int check(struct history *h, enum history_kind kind, const char *what, const char *wanted,
                 struct err *e)
{
    struct names *names = wanted ? calloc(1, sizeof *names) : NULL;

    if (!names)
        return wanted ? err_set(e, "out of memory") : 0;
    names->wanted = wanted;
    int rc = history_names(h, kind, take, names, e);
    const char *near = nearest(wanted, names->list, names->n);
    if (rc == 0 && !names->known) {
        rc = 1;
        err_set(e, "no run has the %s '%.64s'%s%.64s%s", what, wanted,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    for (int i = 0; i < names->n; i++)
        free((char *)(uintptr_t)names->list[i]);
    free(names);
    return rc;
}

int words_check(struct history *h, const struct history_filter *f, struct err *e)
{
    const struct {
        enum history_kind kind;
        const char *what, *wanted;
    } names[] = {{HISTORY_NODES, "node", f->node},
                 {HISTORY_WORKLOADS, "workload", f->workload},
                 {HISTORY_METRICS, "metric", f->metric},
                 {HISTORY_USERS, "user", f->user},
                 {HISTORY_CLUSTERS, "cluster", f->cluster}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++)
        rc = check(h, names[i].kind, names[i].what, names[i].wanted, e);
    return rc;
}
