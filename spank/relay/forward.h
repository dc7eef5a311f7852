/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bundles of a spool that the collector does not see go to its socket
 * (receive.h says what a message is). SPOOL/out is the queue: a bundle leaves
 * it when the collector has answered for its bytes, or when the queue is
 * larger than spool_queue and it is the oldest.
 *
 * Runs in a process that nobody waits for; one at a time on a node. When the
 * collector is not there it gives up at once, and the next epilog, or the
 * timer, tries again.
 *
 * Life:    none. Threads: any; a second call at the same time does nothing.
 * Failure: -1 and a sentence; what was not acknowledged is still there.
 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include "reports/core/conf.h"
#include "reports/core/err.h"

enum {
    FORWARD_CONNECT_MS = 3000,
    FORWARD_IO_MS = 10000, /* without a byte moving */
    FORWARD_RUN_MS = 50000 /* no new bundle is begun after so long */
};

struct forward_done {
    int sent, refused, dropped; /* bundles */
    struct err why;             /* of the last one refused or dropped */
};

int forward_run(const struct conf *c, struct forward_done *done, struct err *e);

#endif
