/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MUNGE credentials: who said something, unforgeable on this site.
 *
 * A credential that root encoded carries uid 0 and its payload under the
 * site's key. It decodes to both for ever, also when it has expired or was
 * decoded before: how old a claim may be is the caller's question, so those
 * are states here and not failures.
 *
 * This is the one way to a seal: nobody else includes <munge.h>. A second seal,
 * for sites whose Slurm has no MUNGE (auth/slurm), is not built; it is meant
 * to stand behind the same three functions, chosen by the socket's text being
 * "key:FILE":
 *   text     "H5S1:" and base64 of: time encoded (8 bytes), uid, gid (4 each),
 *            payload, HMAC-SHA256 over all before it
 *   key      32 random bytes and more in FILE, root 0400 on the nodes, readable by
 *            the service user on the collector; an empty or short one is refused
 *   states   by the time in it: fresh for 300 s, then expired; replayed is not known,
 *            which the receiver does not need (the same name and bytes are taken once)
 * It is weaker: who can verify can also make, so that the service user could
 * speak as root; and uid 0 is what having the key means, no kernel vouches for it.
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
