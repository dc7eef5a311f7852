/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One reading of one bundle: is it root's, and are its files the ones that
 * root saw? A bundle is opened and hashed here and nowhere else; what it
 * holds is then in the store (collect_store.h).
 *
 * Life:    verified_free() frees what judge_bundle() returns; NULL is a no-op.
 * Failure: enum reading and a sentence.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_JUDGE_H
#define COLLECT_COLLECT_JUDGE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "reports/core/err.h"
#include "spank/collect/collect_say.h"
#include "spank/collect/collect_store.h"
#include "spank/relay/witness.h"

/* One file, as root saw it; its bytes are in the store. */
struct verified_file {
    char *name;
    off_t at;
    size_t size;
    char sha256[SHA256_HEX_SIZE];
};

/* One bundle of root. */
struct verified {
    char *name;
    char *credential;
    struct witness *w; /* without its list of files; NULL: nobody needs it any more */
    char node[WITNESS_NAME_SIZE];
    double end; /* of the job on this node; NAN unknown */
    time_t written;
    int n;
    struct verified_file *files;

    bool bad;          /* its files are not those that root saw */
    struct err reason; /* why it, or the first of its files, was refused; "" */
    int refused;       /* how many of its files were */
};

/* READ_BAD: it is refused. READ_WAITS: it cannot be read now, others can.
 * READ_LATER: nothing can be read now. */
enum reading { READ_OK, READ_BAD, READ_WAITS, READ_LATER };

struct judge {
    int out;                  /* folder of the bundles */
    const char *munge_socket; /* "": the system's own */
    struct store *store;
    collect_say_fn *say;
    /* Called when the credential is good, before the files go to the store:
     * what is there of another job can be filed and cut off. */
    void (*opened)(void *ctx, const struct witness *w);
    void *ctx;
};

/* *v is set when the credential is good: also with READ_BAD (then v->bad) and
 * READ_WAITS, so that the caller knows whose bundle it is. */
enum reading judge_bundle(const struct judge *j, const char *name, struct verified **v,
                          struct err *e);
void verified_free(struct verified *v);

/* Notes why one of the bundle's files is refused; the first sentence stands. */
void verified_refuse(struct verified *v, const struct err *why);

/* Whether munged answers at all: then a credential that does not decode is
 * bad, and not only unreadable today. */
bool judge_can_ask(const char *munge_socket, struct err *e);

#endif
