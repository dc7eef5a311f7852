/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MUNGE credentials: who said something, unforgeable on this site.
 *
 * A credential that root encoded carries uid 0 and its payload under the
 * site's key. It decodes to both for ever, also when it has expired or was
 * decoded before: how old a claim may be is the caller's question, so those
 * are states here and not failures.
 *
 * Life:    what is returned is freed by free() or cred_fini().
 * Failure: -1 and a sentence with MUNGE's own words: no daemon, another key, an
 *          altered byte. libmunge waits for its daemon a few seconds at most.
 * Threads: any.
 */
#ifndef RELAY_CRED_H
#define RELAY_CRED_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "reports/core/err.h"

enum cred_state {
    CRED_FRESH,
    CRED_EXPIRED,  /* older than its time to live: of no weight for a witness */
    CRED_REPLAYED, /* decoded before on this machine */
    CRED_REWOUND,  /* encoded in the future of this machine's clock: nor is this */
};

struct cred {
    uid_t uid; /* who encoded it */
    gid_t gid;
    time_t encoded; /* by the clock of the machine that encoded it */
    enum cred_state state;
    char *payload; /* may have NULs; one more stands behind it */
    size_t size;
};

/* socket: of munged; NULL or "": the system's own. The text is freed by the
 * caller. */
char *cred_encode(const char *socket, const void *payload, size_t size, struct err *e);

/* errno is 0 when it failed because the credential is bad, else munged could
 * not be asked. */
int cred_decode(const char *socket, const char *text, struct cred *c, struct err *e);
void cred_fini(struct cred *c);

/* "fresh", "expired", "replayed", "rewound" */
const char *cred_state_name(enum cred_state state);

#endif
