/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_rows(char *text, struct node *rows, int most, struct err *e)
{
    char *line;
    int n = 0;

    while ((line = strsep(&text, "\n")) && strcmp(line, "end") != 0)
        if (n == most || node_parse(line, &rows[n++], e) < 0)
            return -1;
    return line ? n : err_set(e, "the events are cut short");
}

enum slurmctl_code event_ask(const char *name, int64_t since, int64_t until, struct node **rows,
                             int *n, struct err *e)
{
    char from[32], to[32], *text;
    const char *const words[] = {"events", name, from, to, NULL};

    *rows = NULL;
    snprintf(from, sizeof from, "%lld", (long long)since);
    snprintf(to, sizeof to, "%lld", (long long)until);
    enum slurmctl_code code = ctl_run(words, &text);
    if (code == SLURMCTL_DONE) {
        int most = 0;
        for (const char *c = text; c && *c; c++)
            most += *c == '\n';
        *rows = calloc((size_t)most + 1, sizeof **rows);
        *n = *rows ? parse_rows(text, *rows, most, e) : err_set(e, "no memory for events");
        code = *n < 0 ? SLURMCTL_LATER : SLURMCTL_DONE;
    } else {
        err_set(e, "%s", text ? ctl_said(text) : "no memory for events");
    }
    free(text);
    if (code != SLURMCTL_DONE) {
        free(*rows);
        *rows = NULL;
    }
    return code;
}

static bool is_drain_of_another(const struct node *row)
{
    return node_is_out(row) && !node_reason_ours(row->reason);
}

/* When d was written, by slurmctld's clock, where that is known: a drain's own row, or
 * what slurmctld answered; 0. */
static int64_t written_at(const struct deed *d, const struct node *rows, int n)
{
    if (strcmp(d->verb, "drain") != 0)
        return 0;
    for (int i = 0; i < n && d->outcome == DEED_BEGUN; i++)
        if (rows[i].reason_time >= d->looked && strcmp(rows[i].reason, d->words) == 0)
            return rows[i].reason_time;
    return d->outcome == DEED_BEGUN ? 0 : d->wrote;
}

/* His row began a moment before a write at `at`, or since the writer looked, and ended with
 * it. */
static bool ended_by(const struct node *row, int64_t looked, int64_t at)
{
    return row->boot_time == at && row->reason_time < at &&
           (row->reason_time >= at - EVENT_WRITE_SECONDS || row->reason_time >= looked);
}

const struct node *event_lost(const struct deed *d, const struct node *rows, int n)
{
    const int64_t at = written_at(d, rows, n),
                  last = d->wrote ? d->wrote : d->looked + EVENT_SETTLE_SECONDS;

    for (int i = 0; i < n; i++) {
        const int64_t begin = rows[i].reason_time, end = rows[i].boot_time;
        if (is_drain_of_another(&rows[i]) &&
            (at ? ended_by(&rows[i], d->looked, at)
                : begin >= d->looked && end >= begin && end <= last))
            return &rows[i];
    }
    return NULL;
}

bool event_had(const char *reason, const struct node *rows, int n)
{
    for (int i = 0; i < n; i++)
        if ((rows[i].flags & NODE_HAS_DRAIN) && strcmp(rows[i].reason, reason) == 0)
            return true;
    return false;
}
