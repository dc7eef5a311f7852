/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All runs of the site in one SQLite file on a local disk: what ran where,
 * when, for whom, what was measured; and the outbox of what accounting must
 * still be told. The collector writes, everybody who may read the file asks.
 *
 *     h = history_open_writer(path, archive, &e);       the one writer
 *     history_claim(doc, &run, &e);                     what the record says of itself
 *     run.witnessed = true; run.uid = ...; ...          what root saw stands above it
 *     history_file(h, &run, &record, outbox, &outcome, &e);
 *     ... now, not earlier, the bundle may go.
 *
 * A run is known by its key, `<cluster>-<job>[_<task>|+<offset>].<restart>.<step>`
 * (the record's id, made here from the run's own numbers). Filing is
 * idempotent: the same record again changes nothing; a better one replaces,
 * a worse one never does. Better: witnessed before claimed, then complete
 * before partial before crashed before none. Of equals the first stays.
 *
 * A run that was asked for and left no record has status HISTORY_NONE, no
 * step and no record; any record of the same job and restart replaces it, and
 * none is filed beside one.
 *
 * Life:    open returns, close frees; close(NULL) is a no-op. What a struct
 *          points at is borrowed for the call.
 * Failure: 0/-1 and one sentence; a failure changes nothing. A process that
 *          dies at any instant leaves each run filed whole or not at all, but
 *          for a file in the archive that the next filing replaces.
 * Threads: one thread per handle. One writer at a time, by SQLite's lock,
 *          held from history_begin() to history_commit(); within it the
 *          archive is written too. Readers work meanwhile.
 */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/history/archive.h"
#include "reports/core/err.h"
#include "reports/record/record.h"
#include "reports/core/result.h"

struct cJSON;
struct history;

enum {
    HISTORY_VERSION = 5, /* user_version of the file */
    HISTORY_KEY_SIZE = RECORD_ID_SIZE,
    HISTORY_NONE = RUN_CRASHED + 1, /* a status: asked for, but no record */
    HISTORY_MAX_TEXT = 4096         /* of an outbox text */
};

/* ---- opening ---- */

/* Makes the file (0640) when there is none, brings an older one to
 * HISTORY_VERSION, refuses a newer one. Waits up to 10 s for the other
 * writer. Refuses network file systems, on which SQLite's log cannot work. The
 * archive may be NULL: then nothing is kept but the rows. */
struct history *history_open_writer(const char *path, struct archive *archive, struct err *e);
/* Read-only; changes nothing. A copy, a backup or a read-only mount is read as it
 * lies there when it has no log (-wal). NULL and errno: EACCES this user may not,
 * ENOENT there is none. */
struct history *history_open_reader(const char *path, struct err *e);
void history_close(struct history *h);

/* SQLite's integrity_check and the foreign keys: the first complaint is the
 * sentence. */
int history_check(struct history *h, struct err *e);

/* ---- filing ---- */

struct history_run {
    char cluster[RECORD_NAME_SIZE]; /* "" only without Slurm: then local_id is the key */
    long job;
    int restart;
    char step[16];                 /* "0", "batch"; "" with HISTORY_NONE */
    long array_job, array_task;    /* -1: none */
    long het_job, het_offset;      /* -1: none */
    char local_id[RECORD_ID_SIZE]; /* "local-..." of a run without Slurm, else "" */
    long uid;                      /* -1 unknown */
    char user[RECORD_NAME_SIZE];
    char account[RECORD_NAME_SIZE];
    char partition[RECORD_NAME_SIZE];
    const char *const *nodes; /* borrowed; may be NULL with n_nodes 0 */
    int n_nodes;
    int64_t begin, end; /* Unix time; of the job when witnessed, 0 unknown */
    int status;         /* enum run_status, or HISTORY_NONE */
    bool valid;
    bool witnessed;                        /* root saw the file; else all of this is a claim */
    char asked[2 * RUNSPEC_MAX_BYTES + 1]; /* the run's text */
};

/* The run as its record tells it: witnessed is false. run->nodes is an array
 * to free() whose texts belong to doc. Refuses a record without the numbers
 * that make a key. */
int history_claim(const struct cJSON *doc, struct history_run *run, struct err *e);

/* The key; false when the numbers make none (a step or cluster that is not
 * [A-Za-z0-9._+-], no job). */
bool history_key(const struct history_run *run, char key[HISTORY_KEY_SIZE]);

/* The record itself. doc NULL: HISTORY_NONE. */
struct history_record {
    const struct cJSON *doc; /* of record_parse() */
    const char *text;        /* what goes to the archive, byte for byte */
    size_t size;
    const char *witness;              /* credential texts, one per line; NULL: none */
    struct archive_side ranks, steps; /* its files beside it, byte for byte */
    const char *seen;                 /* of a redacted text: the salted hash of what it was; NULL */
};

enum history_outcome {
    HISTORY_FILED,    /* new */
    HISTORY_REPLACED, /* better than what was there */
    HISTORY_SAME,     /* this very record is there already */
    HISTORY_KEPT      /* what is there is better: this was not filed */
};

/* One transaction: archive, rows, and (outbox not NULL, HISTORY_FILED or
 * HISTORY_REPLACED) the text that accounting must be told of this job. A text
 * that waits for the same cluster, job and restart is replaced: the latest
 * stands. */
int history_file(struct history *h, const struct history_run *run,
                 const struct history_record *record, const char *outbox,
                 enum history_outcome *outcome, struct err *e);

/* What slurmdbd calls a job: a task of an array (4711_3) or a component of a
 * het job (4711+1); -1 what it is not. */
struct history_name {
    long array_job, array_task, het_job, het_offset;
};

/* Gives that name to the runs of the job that do not say one themselves
 * (Slurm's prolog and epilog are not told), and the key that goes with it to
 * those that left no record. */
int history_name_job(struct history *h, const char *cluster, long job,
                     const struct history_name *name, struct err *e);

/* Many filings in one transaction (one fsync): begin, file..., commit. What
 * was filed is only there, and its bundle may only go, after commit. A
 * history_file() that failed in between takes back only itself. */
int history_begin(struct history *h, struct err *e);
int history_commit(struct history *h, struct err *e);
void history_rollback(struct history *h);

/* ---- the outbox ---- */

struct history_outbox {
    int64_t id;
    char cluster[RECORD_NAME_SIZE];
    long job; /* the job id that slurmdbd knows */
    int restart;
    long array_task, het_offset; /* -1: none */
    int64_t begin;               /* of the job, 0 unknown */
    int tries;
    int64_t due;
    char text[HISTORY_MAX_TEXT];
};

/* Up to n texts that are due at `now`, the longest due first; returns how many. */
int history_outbox_due(struct history *h, int64_t now, struct history_outbox *out, int n,
                       struct err *e);
/* Told: the text goes, unless it was replaced meanwhile (same id, newer text). */
int history_outbox_done(struct history *h, const struct history_outbox *o, struct err *e);
/* Not told: due again after 1, 2, 4, ... 60 minutes; never given up. why is kept. */
int history_outbox_failed(struct history *h, const struct history_outbox *o, int64_t now,
                          const char *why, struct err *e);
/* How many wait, and since when the oldest (0: none wait). */
int history_outbox_size(struct history *h, long *waiting, int64_t *since, struct err *e);

/* ---- asking ---- */

/* What is asked for; zeroed and array_task, het_offset, restart -1 with
 * HISTORY_FILTER_INIT: everything. Texts are borrowed. */
struct history_filter {
    const char *cluster, *node, *workload, *metric, *user; /* NULL: any */
    const char *key;                                       /* one run */
    long job;             /* > 0: this job, or all tasks of this array or het job */
    long array_task;      /* -1: any */
    long het_offset;      /* -1: any */
    int restart;          /* -1: any */
    char step[16];        /* "": any */
    bool witnessed;       /* only what root saw */
    int64_t since, until; /* begin in [since, until); 0: open */
    long limit;           /* newest so many rows; 0: all */
};
#define HISTORY_FILTER_INIT                                                                        \
    {                                                                                              \
        .array_task = -1, .het_offset = -1, .restart = -1                                          \
    }

/* One row: a workload of a run (or a run without one: workload ""), and with
 * a metric asked for one value of it. Texts live until the next row. */
struct history_row {
    const char *key, *cluster, *step, *user, *account, *partition, *asked;
    const char *archive; /* place below the archive; "" none */
    const char *sha256;  /* of the text there */
    const char *seen;    /* history_record.seen; "" none */
    const char *nodes;   /* names with commas between, at most 8, then "..." */
    int n_nodes;
    long job, array_job, array_task, het_job, het_offset, uid;
    int restart;
    int64_t begin, end;
    int status;            /* of the run */
    bool valid, witnessed; /* of the run */
    int position;          /* of the workload in its record; -1 none */
    const char *workload, *class_name, *engine, *dtype, *origin;
    int ranks, threads;
    long batch;
    int workload_status;
    bool workload_valid;
    double samples_per_second, quality, time_to_quality_seconds, flop_per_second; /* NAN: none */
    const char *quality_metric;
    /* what limited its steps, in the record's words; "" none: hpcai500-record(5), why */
    const char *cause, *cause_node, *suspect, *verdict, *why, *next;
    const char *metric;      /* "" none asked for */
    const char *metric_node; /* "" the whole run's value */
    double value;            /* NAN when no metric is asked for */
};

/* Rows in the order of begin, oldest first, in one snapshot.
 *     q = history_ask(h, &f, &e);
 *     while ((rc = history_next(q, &row, &e)) > 0) ...
 *     history_done(q); */
struct history_query;
struct history_query *history_ask(struct history *h, const struct history_filter *f, struct err *e);
int history_next(struct history_query *q, struct history_row *row,
                 struct err *e); /* 1, 0 end, -1 */
void history_done(struct history_query *q);

/* Names of one kind that the history knows, for "did you mean": calls fn
 * with each. */
enum history_kind { /* the numbers stand in the file */
                    HISTORY_WORKLOADS = 0,
                    HISTORY_METRICS = 1,
                    HISTORY_NODES = 2,
                    HISTORY_USERS = 3,
                    HISTORY_CLUSTERS = 4
};
int history_names(struct history *h, enum history_kind kind,
                  void (*fn)(void *ctx, const char *name), void *ctx, struct err *e);

/* ---- forgetting ---- */

/* Takes all runs that the filter (user, job, cluster, key; at least one of
 * user, job, key) names out of the archive and of the file, what waits in
 * the outbox too, and leaves no byte of them in the file or its log. Returns
 * the number of runs, -1 on failure. */
long history_forget(struct history *h, const struct history_filter *f, struct err *e);

#endif
