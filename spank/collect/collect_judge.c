/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"

void verified_free(struct verified *v)
{
    if (!v)
        return;
    for (int i = 0; i < v->n; i++)
        free(v->files[i].name);
    free(v->files);
    if (v->w)
        witness_fini(v->w);
    free(v->w);
    free(v->credential);
    free(v->name);
    free(v);
}

void verified_refuse(struct verified *v, const struct err *why)
{
    if (v->refused++ == 0)
        v->reason = *why;
}

bool judge_can_ask(const char *munge_socket, struct err *e)
{
    char *text = cred_encode(munge_socket, "", 0, e);

    free(text);
    return text != NULL;
}

/* ---- the credential ---- */

static enum reading read_witness(const struct judge *j, const char *name, const char *text,
                                 struct witness *w, struct err *e)
{
    struct cred cred;
    enum reading rc = READ_BAD;

    if (cred_decode(j->munge_socket, text, &cred, e) < 0)
        return errno || !judge_can_ask(j->munge_socket, NULL) ? READ_LATER : READ_BAD;
    if (cred.uid != 0)
        err_set(e, "its credential is of user id %ld, not of root", (long)cred.uid);
    else if (witness_parse(cred.payload, w, e) == 0)
        rc = READ_OK;
    if (rc == READ_OK && cred.state == CRED_REWOUND)
        collect_say(j->say, "%s: the clock of its node is %ld s ahead of ours", name,
                    (long)(cred.encoded - time(NULL)));
    cred_fini(&cred);
    return rc;
}

static struct verified *begin(const char *name, const char *credential, const struct stat *st)
{
    struct verified *v = calloc(1, sizeof *v);

    if (!v)
        return NULL;
    v->name = strdup(name);
    v->credential = strdup(credential);
    v->w = malloc(sizeof *v->w);
    v->written = st->st_mtime;
    if (v->w)
        *v->w = (struct witness)WITNESS_INIT;
    if (v->name && v->credential && v->w)
        return v;
    verified_free(v);
    return NULL;
}

/* ---- its files ---- */

static int keep(const struct judge *j, struct verified *v, const struct bundle_file *f,
                struct err *e)
{
    struct verified_file *to = &v->files[v->n];

    if (!(to->name = strdup(f->name)))
        return err_set(e, "out of memory");
    v->n++;
    to->size = f->size;
    memcpy(to->sha256, f->sha256, sizeof to->sha256);
    return store_add(j->store, f->bytes, f->size, &to->at, e);
}

/* One file against the list; *later: it is not the bundle's fault. */
static int take_file(const struct judge *j, struct verified *v, const struct bundle_file *f,
                     bool *there, bool *later, struct err *e)
{
    const struct witness_file *w = witness_find(v->w, f->name);

    if (!w || there[w - v->w->files])
        return err_set(e, "%s: root did not see it%s", f->name, w ? " twice" : "");
    if (w->size != f->size || strcmp(w->sha256, f->sha256) != 0)
        return err_set(e, "%s: not the bytes that root saw", f->name);
    there[w - v->w->files] = true;
    *later = true;
    int rc = keep(j, v, f, e);
    *later = rc < 0;
    return rc;
}

/* Every file that root saw is there once, as root saw it, and no other. */
static enum reading take_files(const struct judge *j, struct bundle *b, struct verified *v,
                               struct err *e)
{
    int expected = v->w->n_files;
    bool *there = calloc((size_t)expected + 1, sizeof *there);
    struct bundle_file f;
    bool later = false;
    int rc = 0, more = 0;

    v->files = calloc((size_t)expected + 1, sizeof *v->files);
    if (!there || !v->files) {
        later = true;
        rc = err_set(e, "out of memory");
    }
    while (rc == 0 && (more = bundle_next(b, &f, e)) > 0)
        rc = take_file(j, v, &f, there, &later, e);
    if (rc == 0 && more < 0) {
        later = errno != 0;
        rc = -1;
    }
    if (rc == 0 && v->n < expected)
        rc = err_set(e,
                     expected - v->n == 1 ? "%d file is missing that root saw"
                                          : "%d files are missing that root saw",
                     expected - v->n);
    free(there);
    return rc == 0 ? READ_OK : later ? READ_WAITS : READ_BAD;
}

/* ---- the bundle ---- */

static enum reading read_open(const struct judge *j, struct bundle *b, struct verified *v,
                              struct err *e)
{
    off_t before = store_size(j->store);
    enum reading rc = take_files(j, b, v, e);

    memcpy(v->node, v->w->node, sizeof v->node);
    v->end = v->w->end;
    witness_fini(v->w);
    if (rc == READ_OK)
        return rc;
    store_cut(j->store, before);
    while (v->n > 0)
        free(v->files[--v->n].name);
    v->bad = rc == READ_BAD;
    if (v->bad)
        v->reason = *e;
    return rc;
}

enum reading judge_bundle(const struct judge *j, const char *name, struct verified **out,
                          struct err *e)
{
    struct stat st;
    struct bundle *b;
    struct verified *v = NULL;
    enum reading rc = READ_LATER;

    *out = NULL;
    if (fstatat(j->out, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(e, "%s", strerror(errno)), READ_WAITS;
    if (!(b = bundle_open(j->out, name, e)))
        return errno ? READ_WAITS : READ_BAD;
    if (!(v = begin(name, bundle_credential(b), &st)))
        err_set(e, "out of memory");
    else if ((rc = read_witness(j, name, v->credential, v->w, e)) == READ_OK) {
        j->opened(j->ctx, v->w);
        rc = read_open(j, b, v, e);
        *out = v;
        v = NULL;
    }
    bundle_close(b);
    verified_free(v);
    return rc;
}
