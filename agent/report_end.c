/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a run: its record, or what can be written when the other ranks
 * cannot be asked any more. */
#include <config.h>

#include "agent/report.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/comm/comm_mpi.h"
#include "agent/guard.h"
#include "reports/core/clock.h"
#include "reports/diagnose/roofline_judge.h"

enum { PATH_SIZE = PATH_MAX + RECORD_ID_SIZE + 32 };

/* ---- the record ---- */

static const char *const tails[] = {".json", ".ranks.json.gz", ".ranks.json", ".steps.gz"};

enum { N_TAILS = sizeof tails / sizeof tails[0] };

static void unlink_interim(const struct run *r)
{
    char path[PATH_SIZE];

    for (int i = 0; i < N_TAILS; i++) {
        snprintf(path, sizeof path, "%s/%s%s", r->place.record, r->id, tails[i]);
        unlink(path);
    }
}

/* Copies for root and for the user, of a record that is written. again: in the
 * place of an interim one. */
static void hand_out(struct run *r, char path[PATH_MAX], bool again)
{
    struct err why = ERR_INIT;

    place_drop(&r->place, r->id, tails, N_TAILS);
    if (place_user(&r->place, &r->record.job, r->id, tails, N_TAILS, again, &why) < 0)
        fprintf(stderr, "hpcai500-agent: %s\n", why.text);
    else
        place_record(&r->place, r->id, path);
}

/* Times that go on while nobody computes are not a measurement. */
static void judge_stood(struct run *r, double seconds)
{
    char text[160];

    if (seconds <= 0)
        return;
    snprintf(text, sizeof text,
             "the run stood still for %.0f s: it was stopped and continued, as a suspended job is",
             seconds);
    r->record.valid = false;
    record_reason(&r->record, "valid", "%s", text);
    progress_say(&r->progress, text);
}

/* Work above its roof: the ceilings are not those of this work. */
static void judge_rooflines(struct run *r)
{
    char text[320];

    if (roofline_judge(&r->record, text, sizeof text) == 0 && text[0])
        progress_say(&r->progress, text);
}

int report_write(struct run *r, char path[PATH_MAX], struct err *e)
{
    /* of any rank: its guard may have written an interim record; it stood still */
    double most[2] = {guard_told(), guard_stood()};
    int rc = 0;

    if (r->comm->reduce(r->comm, most, 2, COMM_MAX, e) < 0)
        return -1;
    if (r->comm->rank == 0) {
        clock_gettime(CLOCK_REALTIME, &r->record.time.end);
        r->record.time.wall_seconds = clock_now() - r->begun;
        record_judge(&r->record);
        judge_stood(r, most[1]);
        judge_rooflines(r);
        pthread_mutex_lock(&r->lock);
        /* What stands there under our name was written since we began. */
        if (most[0] > 0)
            unlink_interim(r);
        rc = record_write(&r->record, r->place.record, path, e);
        if (rc == 0)
            hand_out(r, path, true);
        pthread_mutex_unlock(&r->lock);
    }
    if (comm_agree(r->comm, rc, e) < 0)
        return -1;
    pthread_mutex_lock(&r->lock);
    journal_remove(r->journal);
    r->journal = NULL;
    pthread_mutex_unlock(&r->lock);
    return 0;
}

/* ---- when the others cannot be asked any more ---- */

void report_last_words(struct run *r)
{
    if (r->index >= 0)
        report_phases(r);
    pthread_mutex_lock(&r->lock);
    if (r->journal)
        journal_end(r->journal, RUN_PARTIAL, NULL);
    pthread_mutex_unlock(&r->lock);
}

bool report_written(const struct run *r, char path[PATH_MAX])
{
    struct stat st;

    place_record(&r->place, r->id, path);
    return stat(path, &st) == 0;
}

/* Without journals: the head of the run and why there is no more. */
static void bare_record(struct run *r, struct record *partial, const char *why)
{
    partial->run = r->record.run;
    partial->job = r->record.job;
    partial->time = r->record.time;
    memcpy(partial->facts, r->record.facts, sizeof partial->facts);
    if (r->self.name[0])
        record_add_node(partial, &r->self);
    partial->status = RUN_PARTIAL;
    partial->valid = false;
    record_reason(partial, "status", "%s", why);
}

int report_partial(struct run *r, int culprit, const char *sentence, char path[PATH_MAX],
                   struct err *e)
{
    char folder[PATH_SIZE];
    struct timespec patience;
    struct record partial;
    int about = culprit >= 0 ? culprit : r->comm->rank, rc;

    /* The main thread may hang in the journal's file system. */
    clock_gettime(CLOCK_REALTIME, &patience);
    patience.tv_sec += 2;
    bool locked = pthread_mutex_timedlock(&r->lock, &patience) == 0;
    if (r->journal && locked)
        journal_failure(r->journal, about, comm_mpi_node(r->comm, about), sentence, NULL);
    if (report_written(r, path)) {
        rc = 0;
        goto out;
    }
    record_init(&partial);
    snprintf(folder, sizeof folder, "%s/%s.journal", r->place.record, r->id);
    if (!r->journal || record_from_journals(folder, &partial, NULL) < 0) {
        record_fini(&partial);
        record_init(&partial);
        bare_record(r, &partial, sentence);
    }
    clock_gettime(CLOCK_REALTIME, &partial.time.end);
    partial.time.wall_seconds = clock_now() - r->begun;
    rc = record_write(&partial, r->place.record, path, e);
    if (rc < 0 && report_written(r, path)) /* another rank was faster */
        rc = 0;
    record_fini(&partial);
    if (rc == 0)
        hand_out(r, path, false);
out:
    if (locked)
        pthread_mutex_unlock(&r->lock);
    return rc;
}

void report_sweep(struct run *r)
{
    char folder[PATH_SIZE], path[PATH_SIZE + NAME_MAX + 2];
    struct dirent *entry;

    snprintf(folder, sizeof folder, "%s/%s.journal", r->place.record, r->id);
    DIR *d = opendir(folder);
    while (d && (entry = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

/* True when this rank sees what rank 0 writes. */
static bool sees_rank_0(const struct run *r)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s.journal/%05d", r->place.record, r->id, 0);
    return access(path, F_OK) == 0;
}

/* What this rank was doing, for a sentence: "in compute of cosmoflow". */
static void say_where(const struct run *r, char *text, size_t size)
{
    int index = r->index;

    if (index < 0)
        snprintf(text, size, "before the first workload");
    else
        snprintf(text, size, "in %s of %s", phase_name(r->phase),
                 runspec_workload(r->spec.workloads[index])->name);
}

/* The journal of this rank, which others may read, says why it ended. */
static void journal_last_failure(struct run *r, const char *sentence)
{
    struct timespec patience;

    clock_gettime(CLOCK_REALTIME, &patience);
    patience.tv_sec += 2;
    if (pthread_mutex_timedlock(&r->lock, &patience) != 0)
        return; /* the main thread hangs in the journal's file system */
    if (r->journal)
        journal_failure(r->journal, r->comm->rank, comm_mpi_node(r->comm, r->comm->rank), sentence,
                        NULL);
    pthread_mutex_unlock(&r->lock);
}

void report_emergency(void *ctx, const char *what, bool last)
{
    struct run *r = ctx;
    struct err why = ERR_INIT;
    char path[PATH_MAX], where[96], sentence[384];

    say_where(r, where, sizeof where);
    const char *node = r->comm ? r->comm->node : NULL;
    snprintf(sentence, sizeof sentence, "%s; rank %d%s%s%s was %s", what,
             r->comm ? r->comm->rank : 0, node ? " (" : "", node ? node : "", node ? ")" : "",
             where);
    if (!r->comm || !r->id[0]) {
        if (last)
            fprintf(stderr, "hpcai500-agent: %s\n", sentence);
        return;
    }
    if (r->comm->rank > 0) {
        int turn_of = r->comm->rank < 20 ? r->comm->rank : 20;
        nanosleep(&(struct timespec){0, 200000000 + turn_of * 10000000}, NULL);
        if (!sees_rank_0(r) || report_written(r, path)) {
            if (last)
                journal_last_failure(r, sentence);
            return;
        }
    }
    if (report_partial(r, -1, sentence, path, &why) < 0)
        fprintf(stderr, "hpcai500-agent: %s\n", why.text);
    else
        fprintf(stderr, "hpcai500-agent: %s; what was measured so far: %s\n", sentence, path);
}
