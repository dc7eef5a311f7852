/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_pass.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spank/collect/collect_file.h"
#include "spank/collect/collect_hostlist.h"
#include "spank/collect/collect_job.h"
#include "spank/collect/collect_journals.h"
#include "spank/collect/collect_judge.h"
#include "spank/collect/collect_quarantine.h"
#include "spank/relay/spool.h"

enum {
    COMMIT_BUNDLES = 512, /* between two commits, give or take a job */
    MAX_FAILURES = 3      /* of the history, one after the other */
};

static const char bundle_suffix[] = ".bundle";

/* What happens to a bundle after the commit: reason NULL, it goes. */
struct fate {
    char *name, *reason;
};

struct pass {
    struct collector *c;
    struct judge judge;
    struct filer filer;
    struct job *starts; /* of one job, in no order */
    int n_starts, room_starts;
    struct fate *fates;
    int n_fates, room;
};

/* ---- fates ---- */

/* A fate that cannot be noted does not count: the bundle stays, and is filed again. */
static void fate(struct pass *p, const char *name, const char *reason)
{
    if (p->n_fates == p->room) {
        int room = p->room ? 2 * p->room : COMMIT_BUNDLES;
        struct fate *more = realloc(p->fates, (size_t)room * sizeof *more);
        if (!more)
            return;
        p->fates = more;
        p->room = room;
    }
    struct fate f = {strdup(name), reason ? strdup(reason) : NULL};
    if (f.name && (!reason || f.reason)) {
        p->fates[p->n_fates++] = f;
    } else {
        free(f.name);
        free(f.reason);
    }
}

static void refuse(struct pass *p, const char *name, const char *reason)
{
    collect_say(p->c->say, "refused %s: %s", name, reason);
    fate(p, name, reason);
}

/* One line a bundle, whatever was in it. */
static void refuse_bundle(struct pass *p, const struct verified *v)
{
    char text[sizeof v->reason.text + 64];
    int more = v->refused - 1;

    snprintf(text, sizeof text, "%s", v->reason.text);
    if (more > 0)
        snprintf(text, sizeof text, "%s; and %d more file%s of it", v->reason.text, more,
                 more == 1 ? "" : "s");
    refuse(p, v->name, text);
}

/* The history is on the device: now the bundles may go. */
static void settle(struct pass *p)
{
    struct collector *c = p->c;
    bool any = false;

    for (int i = 0; i < p->n_fates; i++) {
        struct fate *f = &p->fates[i];
        struct err e = ERR_INIT;
        if (!f->reason) {
            if (unlinkat(c->out, f->name, 0) < 0 && errno != ENOENT)
                collect_say(c->say, "cannot remove %s: %s", f->name, strerror(errno));
        } else {
            if (quarantine_take(c->config->quarantine, c->out, f->name, f->reason, &e) < 0)
                collect_say(c->say, "%s", e.text);
            c->refused++;
            any = true;
        }
        free(f->name);
        free(f->reason);
    }
    c->bundles += p->n_fates;
    p->n_fates = 0;
    int gone =
        any ? quarantine_bound(c->config->quarantine, QUARANTINE_FILES, QUARANTINE_BYTES, NULL) : 0;
    if (gone > 0)
        collect_say(c->say, "the quarantine %s is full: its %d oldest bundle%s gone",
                    c->config->quarantine, gone, gone == 1 ? " is" : "s are");
}

static int commit(struct pass *p, struct err *e)
{
    if (history_commit(p->c->history, e) < 0) {
        history_rollback(p->c->history);
        return -1;
    }
    settle(p);
    return history_begin(p->c->history, e);
}

/* ---- one start of one job ---- */

/* How many nodes sent a bundle; an epilog that ran again sent another. Bundles
 * stand by the names of their nodes. */
static int nodes_seen(const struct job *j)
{
    int n = 0;

    for (int i = 0; i < j->n; i++)
        n += i == 0 || strcmp(j->bundles[i]->node, j->bundles[i - 1]->node) != 0;
    return n;
}

/* Whether more bundles of this job may come that would change what is filed. */
static bool may_come(const struct collector *c, const struct job *j)
{
    int nodes = hostlist_count(job_facts(j)->nodes, INT_MAX);
    time_t last = 0;

    for (int i = 0; i < j->n; i++)
        if (j->bundles[i]->written > last)
            last = j->bundles[i]->written;
    return nodes != nodes_seen(j) && time(NULL) < last + c->grace;
}

/* 0 filed, 1 waits, -1 not now. */
static int file_job(struct pass *p, struct job *j)
{
    int rc = 0;

    if (j->waits || (j->n_records == 0 && may_come(p->c, j))) {
        p->c->waiting += j->n;
        return 1;
    }
    rc = file_records(&p->filer, j);
    if (rc == 0)
        rc = file_journals(&p->filer, j);
    if (rc == 0 && j->accepted == 0 && (j->why[0] || job_asking(j)))
        rc = file_none(&p->filer, j);
    return rc;
}

/* What was not filed whole stays, and is refused again when it is. */
static void end_start(struct pass *p, struct job *j)
{
    if (j->n > 0 && file_job(p, j) == 0)
        for (int i = 0; i < j->n; i++) {
            if (j->bundles[i]->reason.text[0])
                refuse_bundle(p, j->bundles[i]);
            else
                fate(p, j->bundles[i]->name, NULL);
        }
    job_fini(j);
}

static void end_job(struct pass *p)
{
    for (int i = 0; i < p->n_starts; i++)
        end_start(p, &p->starts[i]);
    p->n_starts = 0;
    store_cut(p->judge.store, 0);
}

/* The start that the bundle is of, a new one when it is the first of it; NULL:
 * out of memory. */
static struct job *start_of(struct pass *p, const struct verified *v)
{
    for (int i = 0; i < p->n_starts; i++)
        if (job_is(&p->starts[i], v->w))
            return &p->starts[i];
    if (p->n_starts == p->room_starts) {
        int room = p->room_starts ? 2 * p->room_starts : 4;
        struct job *more = realloc(p->starts, (size_t)room * sizeof *more);
        if (!more)
            return NULL;
        p->starts = more;
        p->room_starts = room;
    }
    p->starts[p->n_starts] = (struct job)JOB_INIT;
    return &p->starts[p->n_starts++];
}

/* A bundle of another job: those of the one before are all there. */
static void opened(void *ctx, const struct witness *w)
{
    struct pass *p = ctx;

    if (p->n_starts > 0 && !job_is_of(&p->starts[0], w))
        end_job(p);
}

/* ---- the pass ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_bundle(const char *name)
{
    size_t n = strlen(name), s = sizeof bundle_suffix - 1;
    return name[0] != '.' && n > s && strcmp(name + n - s, bundle_suffix) == 0;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* All names, sorted; a part of them could cut a job in two. */
static char **list_names(int out, size_t *n, struct err *e)
{
    int fd = openat(out, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *at;
    size_t room = 0;
    char **names = NULL;

    *n = 0;
    if (!d) {
        err_set(e, "cannot read the spool's out: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    bool whole = true;
    while (whole && (at = readdir(d))) {
        if (!is_bundle(at->d_name))
            continue;
        if (*n == room) {
            char **more = realloc(names, (room = room ? 2 * room : 1024) * sizeof *more);
            names = more ? more : names;
            whole = more != NULL;
        }
        whole = whole && (names[*n] = strdup(at->d_name));
        *n += whole;
    }
    closedir(d);
    if (whole && *n > 0)
        qsort(names, *n, sizeof *names, by_name);
    if (whole && (names || (names = calloc(1, sizeof *names))))
        return names;
    free_names(names, *n);
    err_set(e, "out of memory");
    return NULL;
}

static void say_skipped(const struct pass *p, const struct verified *v)
{
    if (v->w->skipped > 0)
        collect_say(p->c->say, "%s: root left %d entr%s of the job's folder out: %s", v->name,
                    v->w->skipped, v->w->skipped == 1 ? "y" : "ies", v->w->skipped_reason);
}

/* Takes one bundle to its job, or ends the job before it. 0, or -1: not now. */
static int take(struct pass *p, const char *name, struct err *e)
{
    struct verified *v;
    struct err why = ERR_INIT;
    enum reading rc = judge_bundle(&p->judge, name, &v, &why);

    if (rc == READ_LATER)
        return err_set(e, "%s: %s", name, why.text);
    if (rc == READ_BAD && !v)
        refuse(p, name, why.text);
    if (rc == READ_WAITS) {
        collect_say(p->c->say, "%s waits: %s", name, why.text);
        p->c->waiting += !v;
    }
    if (!v)
        return 0;
    say_skipped(p, v);
    struct job *j = start_of(p, v);
    if (!j) {
        verified_free(v);
        return err_set(e, "out of memory");
    }
    j->waits |= rc == READ_WAITS;
    return job_add(j, v, (int)p->c->config->runs_per_job, e);
}

static int take_all(struct pass *p, char **names, size_t n, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n && !*p->c->stop; i++) {
        rc = take(p, names[i], e);
        if (rc == 0 && p->filer.failures >= MAX_FAILURES)
            rc = err_set(e, "the history takes nothing more");
        if (rc == 0 && p->n_fates >= COMMIT_BUNDLES)
            rc = commit(p, e);
    }
    if (rc == 0 && !*p->c->stop)
        end_job(p);
    for (int i = 0; i < p->n_starts; i++)
        job_fini(&p->starts[i]);
    p->n_starts = 0;
    return rc;
}

static int run_pass(struct pass *p, char **names, size_t n, struct err *e)
{
    struct err later = ERR_INIT;

    if (!judge_can_ask(p->c->config->munge_socket, e) || history_begin(p->c->history, e) < 0)
        return -1;
    int rc = take_all(p, names, n, e);
    /* What was filed before it failed is filed. */
    if (history_commit(p->c->history, rc < 0 ? &later : e) == 0)
        settle(p);
    else
        rc = -1;
    return rc;
}

int collect_pass(struct collector *c, struct err *e)
{
    struct pass *p = calloc(1, sizeof *p);
    char path[PATH_MAX];
    size_t n = 0;
    int rc = p ? 0 : err_set(e, "out of memory");
    char **names = rc == 0 ? list_names(c->out, &n, e) : NULL;

    c->waiting = 0;
    journals_clean(c->config);
    if (names && n > 0) {
        snprintf(path, sizeof path, "%s.store", c->config->history);
        p->c = p->filer.c = c;
        p->filer.store = p->judge.store = store_open(path, e);
        p->judge.out = c->out;
        p->judge.munge_socket = c->config->munge_socket;
        p->judge.say = c->say;
        p->judge.opened = opened;
        p->judge.ctx = p;
        rc = p->judge.store ? run_pass(p, names, n, e) : -1;
        for (int i = 0; i < p->n_fates; i++) {
            free(p->fates[i].name);
            free(p->fates[i].reason);
        }
        free(p->fates);
        free(p->starts);
        store_close(p->judge.store);
    }
    if (!names)
        rc = -1;
    free_names(names, n);
    free(p);
    return rc;
}
