/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_journals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/fdio.h"
#include "reports/record/journal.h"
#include "reports/record/record.h"
#include "spank/relay/cred.h"

/* Beside the history, whose lock we hold, so that what is there already is of
 * a collector that died. */
static void unpack_folder(const struct conf *c, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s.journals", c->history);
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *at;

    while (d && (at = readdir(d)))
        unlinkat(dirfd(d), at->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

void journals_clean(const struct conf *c)
{
    char path[PATH_MAX];

    unpack_folder(c, path);
    remove_folder(path);
}

/* ---- unpacking ---- */

/* A journal ends when it was last written to; what is known of that is the end
 * of its job. */
static int save(int dir, const char *name, const char *bytes, size_t size, double end)
{
    const struct timespec times[2] = {{0, UTIME_OMIT}, {(time_t)end, 0}};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    if (fdio_write(fd, bytes, size) < 0 || (end > 0 && futimens(fd, times) < 0)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return close(fd);
}

static bool same_file(const struct job_journal *a, const struct job_journal *b)
{
    return strcmp(a->file->name, b->file->name) == 0;
}

/* Of journals of one rank that several nodes have, the longest. */
static const struct job_journal *longest(const struct job_journal *at,
                                         const struct job_journal *end)
{
    const struct job_journal *best = at;

    for (const struct job_journal *x = at + 1; x < end && same_file(x, at); x++)
        if (x->file->size > best->file->size)
            best = x;
    return best;
}

static int unpack(const struct filer *f, const struct job_journal *from,
                  const struct job_journal *end, int dir, struct err *e)
{
    for (const struct job_journal *at = from; at < end;) {
        const struct job_journal *j = longest(at, end);
        char *bytes = store_get(f->store, j->file->at, j->file->size, e);
        int rc =
            bytes ? save(dir, strchr(j->file->name, '/') + 1, bytes, j->file->size, j->bundle->end)
                  : -1;
        if (rc < 0 && bytes)
            err_set(e, "cannot unpack %s: %s", j->file->name, strerror(errno));
        free(bytes);
        if (rc < 0)
            return -1;
        const struct job_journal *of = at;
        while (at < end && same_file(at, of))
            at++;
    }
    return 0;
}

/* ---- the record ---- */

/* Our word that this record is what the journals gave. */
static char *vouch(const struct collector *c, const char *id, const char *text, size_t size,
                   struct err *e)
{
    char hex[SHA256_HEX_SIZE], payload[RECORD_ID_SIZE + 128];

    sha256_of(text, size, hex);
    int n = snprintf(payload, sizeof payload, COLLECTED_PREFIX "%s %s", id, hex);
    return cred_encode(c->config->munge_socket, payload, (size_t)n, e);
}

/* Reads the folder's journals and files the partial record; -1 and why: not now. */
static int file_partial(struct filer *f, struct job *j, struct verified *v, const char *id,
                        const char *folder, struct err *e)
{
    struct err refusal = ERR_INIT;
    char *text = NULL, *ours = NULL;
    struct record r;

    record_init(&r);
    int rc = record_from_journals(folder, &r, &refusal);
    bool later = rc > 0 || (rc < 0 && errno);
    if (rc > 0)
        err_set(e, "%d unpacked journals of %s cannot be read", rc, id);
    else if (later)
        *e = refusal;
    else if (rc == 0 && (text = record_to_json(&r, NULL, &refusal)) &&
             (ours = vouch(f->c, id, text, strlen(text), e)))
        rc = file_text(f, j, v, id, text, strlen(text), ours, &refusal);
    else if (text)
        later = true;
    else
        rc = 0;
    if (!later && refusal.text[0]) {
        snprintf(j->why, sizeof j->why, "its journals were refused");
        verified_refuse(v, &refusal);
    }
    free(text);
    free(ours);
    record_fini(&r);
    return later ? -1 : rc;
}

/* The bundle that had the first of them: it has its witness still. */
static struct verified *first_bundle(const struct job_journal *from, const struct job_journal *end)
{
    const struct job_journal *first = from;

    for (const struct job_journal *at = from + 1; at < end; at++)
        if (at->order < first->order)
            first = at;
    return first->bundle;
}

/* The journals of one run, from..end. */
static int file_one(struct filer *f, struct job *j, const struct job_journal *from,
                    const struct job_journal *end)
{
    char folder[PATH_MAX];
    struct err e = ERR_INIT;
    int rc = -1, dir = -1;

    unpack_folder(f->c->config, folder);
    remove_folder(folder);
    if (mkdir(folder, 0700) < 0 ||
        (dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        err_set(&e, "cannot make %s: %s", folder, strerror(errno));
    else if (unpack(f, from, end, dir, &e) == 0)
        rc = file_partial(f, j, first_bundle(from, end), from->id, folder, &e);
    if (dir >= 0)
        close(dir);
    remove_folder(folder);
    if (e.text[0] && !f->said_journals)
        collect_say(f->c->say, "journals wait in the spool: %s", e.text);
    f->said_journals |= e.text[0] != '\0';
    return rc;
}

/* A record that was filed; one that was refused is replaced by its journals. */
static bool has_record(const struct job *j, const char *id)
{
    size_t n = strlen(id);

    for (int i = 0; i < j->n_records; i++) {
        const char *name = j->records[i].file->name;
        if (j->records[i].filed && strncmp(name, id, n) == 0 && strcmp(name + n, ".json") == 0)
            return true;
    }
    return false;
}

int file_journals(struct filer *f, struct job *j)
{
    const struct job_journal *end = j->journals + j->n_journals;
    int rc = 0;

    job_sort_journals(j);
    for (const struct job_journal *at = j->journals, *next; rc == 0 && at < end; at = next) {
        for (next = at + 1; next < end && strcmp(next->id, at->id) == 0; next++)
            ;
        if (!has_record(j, at->id))
            rc = file_one(f, j, at, next);
    }
    return rc;
}
