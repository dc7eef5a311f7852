/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records in the formats of other programs. export.c reads the records, takes
 * out of them what the site redacts and what could steer a terminal, and gives
 * each to one sink; a sink escapes for its own format and writes to a stream.
 * export_share.c is what sinks call.
 *
 * Life:    a sink's begin may set state; its end frees it, also after a failure.
 * Failure: -1 and a sentence. What a stream could not take is seen at its end.
 * Threads: none inside.
 */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "reports/core/err.h"

struct cJSON;

struct export
{
    FILE *f;
    const char *workload; /* only this one; NULL: all */
    const char *org;      /* --mllog: who submits; NULL: unsaid */
    const void *steps;    /* of the record's steps file; only export_steps has them */
    size_t steps_size;
    long n_records, n_workloads;
    void *state;
};

struct export_sink {
    const char *name; /* of the option */
    const char *help;
    bool takes_file; /* --NAME=FILE */
    int (*begin)(struct export *x, struct err *e);
    int (*record)(struct export *x, const struct cJSON *doc, struct err *e);
    int (*end)(struct export *x, bool good, struct err *e);
};

extern const struct export_sink export_prometheus, export_ndjson, export_csv, export_mllog,
    export_junit, export_xdmod, export_clustercockpit, export_clustercockpit_data, export_steps;

/* The next workload of a record that is asked for; *i starts at 0 and is
 * behind it afterwards. NULL: no more. */
const struct cJSON *export_workload(const struct export *x, const struct cJSON *doc, int *i);

/* The records in the archive that the history's filter names, oldest first, each
 * to fn, which takes it. */
struct conf;
struct history_filter;
int export_history(const struct conf *c, const struct history_filter *f,
                   int (*fn)(void *ctx, struct cJSON *doc, struct err *e), void *ctx,
                   struct err *e);

/* Unix time of an RFC 3339 UTC text [s]; NAN when it is not a time. */
double export_time(const char *utc);

/* A duration at the path [s]; 0 when there is none. */
double export_seconds(const struct cJSON *o, const char *path);

/* Of one evaluation of a workload, as far as its epochs tell [s]. */
double export_evaluation(const struct cJSON *workload);

/* The shortest decimal that is read as the same number again. */
void export_number(FILE *f, double v);
enum { EXPORT_NUMBER_SIZE = 32 };
void export_number_text(char text[EXPORT_NUMBER_SIZE], double v);

/* JSON as one line; takes o, NULL is out of memory. */
int export_line(struct export *x, struct cJSON *o, struct err *e);

#endif
