/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The collector's socket: bundles that nodes send (forward.h), put into
 * SPOOL/out as if the node had shared the spool.
 *
 * A message is one line `hpcai500-bundle 1 N\n`, N bytes of a MUNGE
 * credential whose payload is `NAME SIZE SHA256`, and SIZE bytes. Taken only
 * when root encoded the credential (fresh or replayed; not expired, not of the future) and the
 * bytes have that hash; then the file is in out/ by rename and on the device,
 * and the answer is `ok SHA256\n`; else `no SENTENCE\n`. Sent twice is taken
 * once: the same name with the same bytes is answered ok.
 *
 *     r = receive_open(c.listen, c.spool, c.munge_socket, say, ctx, &e);
 *     while (!stop)
 *         receive_step(r, 1000, &e);
 *
 * Life:    open returns, close frees; the texts are copied.
 * Failure: open: -1 and a sentence. A peer that sends nonsense, is slow or is
 *          not root costs a refusal (say) and never more than its slot: many
 *          peers are served at once, each has its seconds and its bytes, and
 *          when all slots are taken the oldest without a credential goes.
 * Threads: one thread per receiver; it never blocks but for a whole bundle's
 *          fsync and munged's answer.
 */
#ifndef RELAY_RECEIVE_H
#define RELAY_RECEIVE_H

#include "reports/core/err.h"

enum {
    RECEIVE_MAX_PEERS = 64,
    RECEIVE_HEAD_SECONDS = 5,   /* until the credential is there */
    RECEIVE_TOTAL_SECONDS = 60, /* until the last byte is there */
    RECEIVE_MAX_CREDENTIAL = 4096
};

struct receiver;

/* listen: [address]:port, address:port or :port. spool: the folder that has
 * out/. say (may be NULL) hears of every refusal. */
struct receiver *receive_open(const char *listen, const char *spool, const char *munge_socket,
                              void (*say)(void *ctx, const char *sentence), void *ctx,
                              struct err *e);
void receive_close(struct receiver *r);

/* Waits up to so many milliseconds for something to do, does it. Returns how
 * many bundles were put down, -1 when the socket itself is broken. */
int receive_step(struct receiver *r, int milliseconds, struct err *e);

/* Removes from the folder out what receivers that are dead left half-filled;
 * open does so too. What a living one fills stays. */
void receive_clean(int out);

/* The port it listens on (of :0 the one that the system chose). */
int receive_port(const struct receiver *r);

#endif
