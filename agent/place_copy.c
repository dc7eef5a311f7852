/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of a record that was written: for root in the drop folder, for the
 * user where he finds it after the job.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/place.h"
#include "reports/core/atomic.h"
#include "reports/core/fdio.h"

static int copy(int from, int to)
{
    char block[65536];
    ssize_t n;

    while ((n = read(from, block, sizeof block)) > 0)
        if (fdio_write(to, block, (size_t)n) < 0)
            return -1;
    return n < 0 ? -1 : 0;
}

/* ---- for root ---- */

static void copy_file(const struct place *p, const char *id, const char *tail)
{
    char from[2 * PATH_MAX], to[2 * PATH_MAX];

    snprintf(from, sizeof from, "%s/%s%s", p->record, id, tail);
    snprintf(to, sizeof to, "%s/%s%s", p->drop, id, tail);
    int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0)
        return;
    unlink(to); /* what an earlier call left, before there was more to say */
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool whole = out >= 0 && copy(in, out) == 0;
    if (out >= 0 && (close(out) < 0 || !whole))
        unlink(to); /* half a record is worse than none */
    close(in);
}

void place_drop(const struct place *p, const char *id, const char *const *tails, int n)
{
    if (p->drop[0] && strcmp(p->drop, p->record) != 0)
        for (int i = 0; i < n; i++)
            copy_file(p, id, tails[i]);
}

/* ---- for the user ---- */

enum { PATH_SIZE = PATH_MAX + RECORD_ID_SIZE + 64 };

/* Whether the file at path is of the run of that id: ids are in it as text. */
static bool of_this_run(const char *path, const char *id)
{
    char wanted[RECORD_ID_SIZE + 2];
    struct stat st;
    size_t size;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    char *text = record_load(path, &size, NULL);
    snprintf(wanted, sizeof wanted, "\"%s\"", id);
    bool same = text && memmem(text, size, wanted, strlen(wanted));
    free(text);
    return same;
}

/* Puts the file under that name. 0 when it is there or one of this run was
 * (from is then gone in any case); -1 with errno. */
static int publish(const char *from, const char *to, const char *id, bool again)
{
    if (atomic_rename_new(AT_FDCWD, from, AT_FDCWD, to) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    if (!of_this_run(to, id)) {
        errno = EEXIST;
        return -1;
    }
    if (again)
        return rename(from, to);
    unlink(from);
    return 0;
}

/* A whole copy of `from` in dir, under a name that nobody looks at. */
static int copy_aside(const char *from, const char *dir, const char *id, char aside[PATH_SIZE])
{
    int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (in < 0)
        return -1;
    snprintf(aside, PATH_SIZE, "%s/.%s.%d", dir, id, (int)getpid());
    unlink(aside); /* of a process of that number that was killed */
    int out = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (out < 0) {
        close(in);
        return -1;
    }
    int rc = copy(in, out) < 0 || fsync(out) < 0 ? -1 : 0, why = errno;
    if (close(out) < 0 && rc == 0) {
        rc = -1;
        why = errno;
    }
    close(in);
    if (rc < 0)
        unlink(aside);
    errno = why;
    return rc;
}

/* The names that a record may get, in order: -1 past the last one. A requeued
 * job has left the middle one to its first run. */
static int name_of(const struct record_job *j, int i, char *name, size_t size)
{
    char job[RECORD_JOB_SIZE];

    record_job_name(j, job);
    if (i == 0)
        snprintf(name, size, "hpcai500-%s.json", job);
    else if (i == 1 && j->restart == 0)
        snprintf(name, size, "hpcai500-%s.%s.json", job, j->step_id);
    else
        snprintf(name, size, "hpcai500-%s.%s.%d.json", job, j->step_id, j->restart);
    return i < 3 ? 0 : -1;
}

/* From the drop folder into dir, as file or under the first name that is free. */
static int leave(struct place *p, const struct record_job *job, const char *id, const char *dir,
                 bool again, struct err *e)
{
    char from[PATH_SIZE], aside[PATH_SIZE], name[128];
    int rc = -1;

    snprintf(from, sizeof from, "%s/%s.json", p->record, id);
    if (copy_aside(from, dir, id, aside) < 0)
        return err_set(e, "cannot leave a copy of the record in %s: %s; it is %s", dir,
                       strerror(errno), from);
    if (p->file[0]) {
        rc = publish(aside, p->file, id, again);
        snprintf(p->left, sizeof p->left, "%s", p->file);
    }
    for (int i = 0; !p->file[0] && rc < 0 && name_of(job, i, name, sizeof name) == 0; i++) {
        snprintf(p->left, sizeof p->left, "%.*s/%s", PATH_MAX - (int)sizeof name - 2, dir, name);
        rc = publish(aside, p->left, id, again);
        if (rc < 0 && errno != EEXIST)
            break;
    }
    if (rc == 0)
        return 0;
    err_set(e, "cannot leave a copy of the record: %s: %s; it is %s", p->left, strerror(errno),
            from);
    unlink(aside);
    p->left[0] = '\0';
    return -1;
}

/* The record names its other files: beside a copy they have the same names. */
static void leave_others(const struct place *p, const char *id, const char *dir,
                         const char *const *tails, int n, bool again)
{
    char from[PATH_SIZE], to[PATH_SIZE], aside[PATH_SIZE];

    for (int i = 0; i < n; i++) {
        snprintf(from, sizeof from, "%s/%s%s", p->record, id, tails[i]);
        snprintf(to, sizeof to, "%s/%s%s", dir, id, tails[i]);
        if (strcmp(tails[i], ".json") == 0 || copy_aside(from, dir, id, aside) < 0)
            continue;
        if (again ? rename(aside, to) < 0 : atomic_rename_new(AT_FDCWD, aside, AT_FDCWD, to) < 0)
            unlink(aside);
    }
}

static bool in_drop(const struct place *p)
{
    return p->drop[0] && strcmp(p->record, p->drop) == 0;
}

int place_user(struct place *p, const struct record_job *job, const char *id,
               const char *const *tails, int n, bool again, struct err *e)
{
    char dir[PATH_MAX], from[PATH_SIZE];

    if (p->file[0] && !in_drop(p)) {
        snprintf(from, sizeof from, "%s/%s.json", p->record, id);
        if (publish(from, p->file, id, again) < 0)
            return err_set(e, "cannot name the record %s: %s; it is %s", p->file, strerror(errno),
                           from);
        memcpy(p->left, p->file, sizeof p->left);
        return 0;
    }
    if (!in_drop(p) || (!p->file[0] && !p->copy[0]))
        return 0;
    snprintf(dir, sizeof dir, "%s", p->copy);
    if (p->file[0])
        snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(p->file, '/') - p->file), p->file);
    if (!dir[0])
        snprintf(dir, sizeof dir, "/");
    if (leave(p, job, id, dir, again, e) < 0)
        return -1;
    leave_others(p, id, dir, tails, n, again);
    return 0;
}

void place_record(const struct place *p, const char *id, char *path)
{
    if (p->file[0] && !in_drop(p))
        memcpy(path, p->file, PATH_MAX);
    else
        snprintf(path, PATH_MAX, "%.*s/%s.json", PATH_MAX - RECORD_ID_SIZE - 8, p->record, id);
}
