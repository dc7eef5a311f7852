/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of a run, one a row: CSV, RFC 4180. Times in seconds; what is not known is
 * empty. Rows of several workloads have the columns of the one with most buckets; those of
 * one name (runs=) are told apart by their position, from 0.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/export/export.h"
#include "reports/record/steps_column.h"

/* ---- the head ---- */

static void head_columns(FILE *f, const struct steps_column *c, int bucket)
{
    for (; c->name; c++) {
        fprintf(f, ",%s", c->name);
        if (bucket >= 0)
            fprintf(f, "_%d", bucket);
        if (c->kind == STEPS_TIME)
            fputs("_seconds", f);
    }
}

static void head(FILE *f, int buckets)
{
    fputs("id,workload,position,rank,node,epoch", f);
    head_columns(f, steps_columns, -1);
    for (int b = 0; b < buckets; b++)
        head_columns(f, steps_bucket_columns, b);
    fputs("\r\n", f);
}

/* ---- rows ---- */

/* A text of a file that anybody may have written: only what stands in names, and nothing
 * that a spreadsheet would take for a formula. */
static void put_name(FILE *f, const char *text)
{
    for (const char *at = text; *at; at++) {
        const bool plain = isalnum((unsigned char)*at) || *at == '_' || *at == '.';
        fputc(plain || (at > text && (*at == '-' || *at == '+')) ? *at : '?', f);
    }
}

static void put_cells(FILE *f, struct steps_row *row, const struct steps_column *c, int bucket)
{
    for (; c->name; c++) {
        const double v = *steps_cell(row, c, bucket);
        fputc(',', f);
        if (isfinite(v))
            fprintf(f, c->kind == STEPS_TIME ? "%.7f" : "%.0f", v); /* ticks of 100 ns */
    }
}

static void put_row(FILE *f, const char *id, const struct steps_workload *w,
                    const struct steps_block *b, struct steps_row *row, int buckets)
{
    put_name(f, id);
    fputc(',', f);
    put_name(f, w->name);
    fprintf(f, ",%d,%d,", b->workload, b->rank);
    put_name(f, b->node);
    fprintf(f, ",%d", b->epoch);
    put_cells(f, row, steps_columns, 0);
    for (int k = 0; k < buckets; k++)
        put_cells(f, row, steps_bucket_columns, k);
    fputs("\r\n", f);
}

static bool wanted(const struct export *x, const struct steps_workload *w)
{
    return !x->workload || strcmp(x->workload, w->name) == 0;
}

static int put_file(struct export *x, struct steps_file *f, struct err *e)
{
    int n_workloads, n_blocks, buckets = 0;
    const struct steps_workload *w = steps_file_workloads(f, &n_workloads);
    const struct steps_block *b = steps_file_blocks(f, &n_blocks);
    struct steps_row *rows = calloc(STEPS_MAX_ROWS, sizeof *rows);
    int rc = rows ? 0 : err_set(e, "out of memory");

    for (int i = 0; i < n_workloads; i++)
        if (wanted(x, &w[i]) && w[i].buckets > buckets)
            buckets = w[i].buckets;
    if (rc == 0)
        head(x->f, buckets);
    for (int i = 0; rc == 0 && i < n_blocks; i++) {
        if (!wanted(x, &w[b[i].workload]))
            continue;
        rc = steps_file_rows(f, i, rows, e);
        for (int k = 0; rc == 0 && k < b[i].rows; k++)
            put_row(x->f, steps_file_id(f), &w[b[i].workload], &b[i], &rows[k], buckets);
    }
    free(rows);
    return rc;
}

static int record(struct export *x, const cJSON *doc, struct err *e)
{
    (void)doc;
    if (x->n_records > 1)
        return err_set(e, "--steps is of one run at a time");
    struct steps_file *f = steps_file_of(x->steps, x->steps_size, "the steps file", e);
    if (!f)
        return -1;
    const int rc = put_file(x, f, e);
    steps_file_close(f);
    return rc;
}

const struct export_sink export_steps = {
    .name = "steps",
    .help = "a row per training step of one run, CSV (its steps file)",
    .record = record,
};
