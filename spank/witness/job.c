/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/witness/job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "reports/core/clock.h"
#include "spank/relay/bundle.h"
#include "spank/witness/cgroup.h"
#include "spank/relay/cred.h"
#include "spank/witness/machine.h"
#include "spank/witness/scan.h"
#include "spank/relay/spool.h"

enum { MAX_WAITING = 256 };

/* ---- the bundle ---- */

/* <cluster>-<job>-<node>-<milliseconds>.bundle, only letters that may be. */
static void bundle_name(const struct witness *w, char *name, size_t size)
{
    snprintf(name, size, "%.64s-%ld-%.80s-%.0f.bundle", w->cluster[0] ? w->cluster : "cluster",
             w->job, w->node, 1e-6 * (double)clock_real());
    for (char *c = name; *c; c++)
        if (*c == '/' || !bundle_name_ok((char[]){*c == '.' ? 'x' : *c, '\0'}))
            *c = '_';
    if (name[0] == '.')
        name[0] = '_';
}

/* What a killed witness of this job left half-written. The job's lock is held. */
static void remove_parts(int out, const struct witness *w)
{
    char name[BUNDLE_MAX_NAME + 1];
    int again = openat(out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *row;

    if (!d && again >= 0)
        close(again);
    bundle_name(w, name, sizeof name);
    size_t n = (size_t)(strrchr(name, '-') + 1 - name); /* all but the time */
    while (d && (row = readdir(d)))
        if (row->d_name[0] == '.' && strncmp(row->d_name + 1, name, n) == 0 &&
            strcmp(row->d_name + 1 + n + strspn(row->d_name + 1 + n, "0123456789"),
                   ".bundle.part") == 0)
            unlinkat(out, row->d_name, 0);
    if (d)
        closedir(d);
}

static int list_files(struct witness *w, const struct scan *s, struct err *e)
{
    for (int i = 0; i < s->n; i++) {
        struct witness_file *f = witness_add(w, s->files[i].name, e);
        if (!f)
            return -1;
        f->size = s->files[i].size;
        memcpy(f->sha256, s->files[i].sha256, sizeof f->sha256);
    }
    w->skipped = s->skipped;
    snprintf(w->skipped_reason, sizeof w->skipped_reason, "%.*s", (int)sizeof w->skipped_reason - 1,
             s->why.text);
    return 0;
}

static int write_bundle(int fd, const char *credential, const struct scan *s, struct err *e)
{
    int rc = bundle_write_credential(fd, credential, e);

    for (int i = 0; rc == 0 && i < s->n; i++)
        rc = bundle_write_file(fd, s->files[i].name, s->files[i].bytes, s->files[i].size, e);
    return rc;
}

/* The file is the folder's owner's, like all that the collector takes. It is
 * on the device when this returns: the user's folder goes next. */
static int put_down(int out, const char *name, const char *credential, const struct scan *s,
                    struct err *e)
{
    char part[280];
    struct atomic a;
    struct stat st;

    snprintf(part, sizeof part, ".%s.part", name);
    if (atomic_open(&a, out, name, part, 0600, 0) < 0)
        return err_set(e, "the spool's out/%s: %s", part, strerror(errno));
    int rc = write_bundle(a.fd, credential, s, e);
    if (rc == 0 && (fstat(out, &st) < 0 || fchown(a.fd, st.st_uid, st.st_gid) < 0))
        rc = err_set(e, "the bundle cannot be given to the collector: %s", strerror(errno));
    if (rc == 0 && atomic_publish(&a, NULL) < 0)
        rc = err_set(e, "the spool's out/%s cannot be written: %s", name, strerror(errno));
    atomic_discard(&a);
    return rc;
}

int witness_bundle(const struct conf *c, int out, struct witness *w, const struct scan *s,
                   char *bundle, size_t size, struct err *e)
{
    char name[BUNDLE_MAX_NAME + 1], *line = NULL, *credential = NULL;
    int rc = -1;

    if (spool_has_room(out, s->bytes + BUNDLE_MAX_CREDENTIAL, c->spool_reserve, e) ||
        list_files(w, s, e) || !(line = witness_format(w, e)) ||
        !(credential = cred_encode(c->munge_socket, line, strlen(line), e)))
        goto out;
    bundle_name(w, name, sizeof name);
    rc = put_down(out, name, credential, s, e);
    if (rc == 0)
        snprintf(bundle, size, "%s", name);
out:
    free(credential);
    free(line);
    return rc;
}

/* ---- the end of a job ---- */

/* Reads the closed folder (-1: there is none) and makes the bundle that is due. */
static int report(const struct conf *c, struct spool *s, int folder, struct witness *w,
                  struct witness_done *done, struct err *e)
{
    struct scan found = {0};
    int rc = 0;
    uint64_t most = c->spool_per_job ? c->spool_per_job : BUNDLE_MAX_BYTES;

    if (folder >= 0)
        rc = scan_folder(&found, folder, (uid_t)w->uid, most, e);
    done->files = found.n;
    done->skipped = found.skipped;
    /* the option reaches all components of a heterogeneous job, the run only
     * the first, whose number is the job's */
    bool due = w->asked[0] && (w->het_job <= 0 || w->het_job == w->job);
    if (rc == 0 && (found.n > 0 || found.skipped > 0 || due))
        rc = witness_bundle(c, s->out, w, &found, done->bundle, sizeof done->bundle, e);
    scan_fini(&found);
    return rc;
}

/* The job's lock is held; w has all facts. Only when the bundle is in out do
 * folder and state go. */
static int finish(const struct conf *c, struct spool *s, struct witness *w,
                  struct witness_done *done, struct err *e)
{
    struct err gone = ERR_INIT;
    int folder = spool_drop_seal(s, w->job, &gone), rc;

    if (folder < 0 && gone.text[0]) {
        err_set(e, "%s", gone.text);
        return -1;
    }
    rc = report(c, s, folder, w, done, e);
    if (folder >= 0)
        close(folder);
    if (rc == 0)
        rc = spool_drop_remove(s, w->job, e);
    if (rc == 0)
        spool_state_remove(s, w->job);
    return rc;
}

/* Facts of the state, if it is the same job's; else those of the caller. The
 * epilog of a start that was requeued hears the count of the next one. */
static void recall(struct spool *s, struct witness *w)
{
    struct witness was = WITNESS_INIT;
    bool this_boot;

    if (spool_state_read(s, w->job, &was, &this_boot, NULL) || was.uid != w->uid)
        return;
    w->begin = was.begin;
    w->restart = was.restart;
    if (!w->asked[0])
        memcpy(w->asked, was.asked, sizeof w->asked);
}

/* ---- what others left ---- */

/* A job whose end is known, or that began before this boot. 1: finished, 0: not
 * for us, -1: could not be finished. */
static int sweep_one(const struct conf *c, struct spool *s, long job)
{
    struct witness w = WITNESS_INIT;
    struct witness_done done = {0};
    bool this_boot = true;
    int rc = 0, lock = spool_lock(s, job, 0);

    if (lock < 0)
        return 0;
    if (spool_state_read(s, job, &w, &this_boot, NULL) == 0 && (!isnan(w.end) || !this_boot)) {
        w.interrupted = isnan(w.end);
        snprintf(w.cgroup_reason, sizeof w.cgroup_reason, "seen after the job's end");
        remove_parts(s->out, &w);
        rc = finish(c, s, &w, &done, NULL) == 0 ? 1 : -1;
        witness_fini(&w);
    }
    close(lock);
    return rc;
}

static int sweep(const struct conf *c, struct spool *s, long not_this)
{
    long jobs[MAX_WAITING];
    int n = spool_jobs(s, jobs, MAX_WAITING), swept = 0, rc = 0;

    /* What hinders one mostly hinders the next, so
     * the first failure ends it; each call begins with another job. */
    for (int i = 0, first = n ? (int)getpid() % n : 0; i < n && swept < WITNESS_SWEEP && rc >= 0;
         i++) {
        long job = jobs[(first + i) % n];
        rc = job == not_this ? 0 : sweep_one(c, s, job);
        swept += rc > 0;
    }
    return swept;
}

/* ---- begin and end ---- */

/* What stands in the way of a new start: the same job's last one. It is
 * witnessed if that can be, and goes. */
static int clear_way(const struct conf *c, struct spool *s, long job, struct witness_done *done,
                     struct err *e)
{
    struct witness was = WITNESS_INIT;
    bool this_boot;

    if (spool_state_read(s, job, &was, &this_boot, NULL) == 0) {
        was.interrupted = isnan(was.end);
        snprintf(was.cgroup_reason, sizeof was.cgroup_reason, "seen after the job's end");
        remove_parts(s->out, &was);
        int rc = finish(c, s, &was, done, NULL);
        witness_fini(&was);
        done->swept += rc == 0;
        done->lost = rc != 0;
    }
    if (spool_drop_remove(s, job, e))
        return -1;
    spool_state_remove(s, job);
    return 0;
}

int witness_begin(const struct conf *c, const struct witness *facts, struct witness_done *done,
                  struct err *e)
{
    struct spool s = SPOOL_INIT;
    struct witness w = *facts;
    int rc, lock = -1;

    *done = (struct witness_done){0};
    if (spool_open(&s, c->spool, w.node, c->service_user, e))
        return -1;
    w.begin = 1e-9 * (double)clock_real();
    if ((lock = spool_lock(&s, w.job, WITNESS_LOCK_MS)) < 0)
        rc = err_set(e, "job %ld is being witnessed by another process", w.job);
    else if ((rc = clear_way(c, &s, w.job, done, e)) == 0 &&
             (rc = spool_has_room(s.node, 0, c->spool_reserve, e)) == 0 &&
             (rc = spool_state_write(&s, &w, e)) == 0 &&
             (rc = spool_drop_make(&s, w.job, (uid_t)w.uid, c->spool_per_job, e)))
        spool_state_remove(&s, w.job);
    done->swept += sweep(c, &s, w.job);
    if (lock >= 0)
        close(lock);
    spool_close(&s);
    return rc;
}

int witness_end(const struct conf *c, const struct witness *facts, struct witness_done *done,
                struct err *e)
{
    struct spool s = SPOOL_INIT;
    struct witness w = *facts;
    int rc, lock;

    *done = (struct witness_done){0};
    if (spool_open(&s, c->spool, w.node, c->service_user, e))
        return -1;
    if ((lock = spool_lock(&s, w.job, WITNESS_LOCK_MS)) < 0) {
        spool_close(&s);
        return err_set(e, "job %ld is being witnessed by another process", w.job);
    }
    recall(&s, &w);
    w.end = 1e-9 * (double)clock_real();
    cgroup_read(&w, NULL);
    machine_read(&w, NULL);
    /* From here on the end is known, whatever becomes of this process. */
    rc = spool_state_write(&s, &w, e);
    if (rc == 0)
        rc = finish(c, &s, &w, done, e);
    witness_fini(&w);
    close(lock);
    done->swept += sweep(c, &s, w.job);
    spool_close(&s);
    return rc;
}
