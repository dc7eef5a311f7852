/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is at work on the site's nodes, and what was done to them: the lock and the log of
 * `hpcai500 validate act`, in the history, because it has one host by design.
 *
 * A lease is a row that its holder renews. It is free when nobody has it, when its
 * holder has not renewed it for LEASE_SECONDS, or when the caller knows that the holder
 * is gone. Taking it is one transaction that locks the file first (BEGIN IMMEDIATE).
 *
 * A deed is a write in Slurm. It is filed before it is tried, so that a program which is
 * killed in the middle leaves DEED_BEGUN: perhaps written. What was written stays
 * DEED_WRITTEN until slurmdbd's events have shown that nobody else wrote at that moment.
 * Deeds are never removed; they are the site's log of what hpcai500 did.
 *
 * Life:    plain values; texts are copied.
 * Failure: -1 and a sentence; a failure changes nothing. With a history that cannot be
 *          written (busy, full, read-only) nothing is filed, and the caller must not act.
 * Threads: as history.h.
 */
#ifndef HISTORY_HISTORY_WORK_H
#define HISTORY_HISTORY_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/history/history.h"

enum {
    LEASE_SECONDS = 120, /* without a sign of life, and another may take it */
    WORK_HOLDER_SIZE = 256,
    WORK_NAME_SIZE = 256,
    WORK_WORDS_SIZE = 1024
};

struct lease {
    char holder[WORK_HOLDER_SIZE]; /* who: one line that tells processes apart */
    int64_t since, beat;           /* Unix seconds: taken, renewed last */
};

/* Takes the lease `name` for `me`, or renews it: 1; 0: *other has it; -1. `gone` (may
 * be NULL) says whether a holder is known to be no more. */
int lease_take(struct history *h, const char *name, const char *me, int64_t now,
               bool (*gone)(const char *holder), struct lease *other, struct err *e);
/* Gives it back; nothing when another has it. */
int lease_drop(struct history *h, const char *name, const char *me, struct err *e);

enum deed_outcome {                   /* the numbers stand in the file */
                    DEED_BEGUN = 0,   /* perhaps written */
                    DEED_WRITTEN = 1, /* seen there; events not looked at yet */
                    DEED_CHECKED = 2, /* and nobody else wrote meanwhile */
                    DEED_NOT = 3,     /* not written: refused, denied, not as it was seen */
                    DEED_RESTORED = 4 /* somebody else had written: his words are back */
};

struct deed {
    int64_t id;
    char node[WORK_NAME_SIZE];
    char verb[16];               /* of hpcai500-slurmctl */
    char words[WORK_WORDS_SIZE]; /* a drain's reason; else "" */
    char run[64];                /* the verdict's; "" none */
    int64_t looked, wrote;       /* when the node was read; when the answer came, 0: none yet */
    enum deed_outcome outcome;
    char said[WORK_WORDS_SIZE]; /* the answer, or what was found later */
};

/* Files d as DEED_BEGUN and sets d->id. */
int deed_begin(struct history *h, struct deed *d, struct err *e);
/* Changes its outcome, wrote and said. */
int deed_end(struct history *h, const struct deed *d, struct err *e);

/* Up to n deeds whose outcome is not settled (DEED_BEGUN, DEED_WRITTEN), oldest first;
 * returns how many. */
int deed_open(struct history *h, struct deed *out, int n, struct err *e);
/* The newest of a node and run with that verb that was, or may have been, written: 1, 0
 * none. */
int deed_newest(struct history *h, const char *node, const char *verb, const char *run,
                struct deed *out, struct err *e);
/* How many of that verb and run were, or may have been, written; -1. */
int deed_count(struct history *h, const char *verb, const char *run);
/* The newest n, newest first, of one node or ("") of all; returns how many. */
int deed_list(struct history *h, const char *node, struct deed *out, int n, struct err *e);

#endif
