/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/export/export.h"
#include "reports/history/history.h"
#include "reports/history/history_words.h"
#include "reports/history/reader.h"

static int export_row(struct archive *a, const struct history_row *row,
                      int (*fn)(void *ctx, cJSON *doc, struct err *e), void *ctx, struct err *e)
{
    size_t size;
    char *text = archive_get(a, row->archive, &size, e);
    cJSON *doc = text ? record_parse(text, size, row->key, e) : NULL;

    free(text);
    return doc ? fn(ctx, doc, e) : -1;
}

/* A run has a row per workload, one after the other; a run that left no record
 * has nothing to export. */
static int export_rows(struct history *h, struct archive *a, const struct history_filter *f,
                       long *n, int (*fn)(void *ctx, cJSON *doc, struct err *e), void *ctx,
                       struct err *e)
{
    char last[HISTORY_KEY_SIZE] = "";
    struct history_query *q = history_ask(h, f, e);
    struct history_row row;
    int rc = q ? 0 : -1, more;

    while (rc == 0 && (more = history_next(q, &row, e)) != 0) {
        if (more < 0 || strcmp(row.key, last) == 0) {
            rc = more < 0 ? -1 : 0;
            continue;
        }
        snprintf(last, sizeof last, "%s", row.key);
        if (row.archive[0])
            rc = export_row(a, &row, fn, ctx, e);
        *n += row.archive[0] != '\0';
    }
    history_done(q);
    return rc;
}

int export_history(const struct conf *c, const struct history_filter *f,
                   int (*fn)(void *ctx, cJSON *doc, struct err *e), void *ctx, struct err *e)
{
    struct history *h = reader_history(c, f, e);
    struct archive *a = h ? reader_archive(c, e) : NULL;
    int rc = a && words_check(h, f, e) == 0 ? 0 : -1;
    long n = 0;

    if (rc == 0)
        rc = export_rows(h, a, f, &n, fn, ctx, e);
    if (rc == 0 && n == 0 && (f->job > 0 || f->key)) /* one that was named */
        rc = err_set(e, "the history has no record of that job that you may read; a run is there"
                        " when it was collected");
    archive_close(a);
    history_close(h);
    return rc;
}
