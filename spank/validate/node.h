/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node as slurmctld shows it, and the line by which hpcai500-slurmctl tells of it:
 *
 *     NAME MARK FLAGS REASON-TIME REASON-UID BOOT-TIME [REASON]
 *
 * FLAGS are words of node_flags.def joined by '+', "-" for none. The times are Unix
 * seconds by slurmctld's clock, 0: none. The reason is the rest of the line; its
 * control characters, and what is not ASCII, are \xHH and a backslash is \\, so that
 * whatever a person wrote there is one line and comes back byte for byte.
 *
 * MARK is what a writer must have seen: it changes with whatever decides about a
 * node (DOWN, DRAIN, FAIL, a reboot on its way, reason, its time and its author), and
 * with nothing else, so that a job that starts or ends between look and write is not
 * a change.
 *
 * Life:    plain values.
 * Failure: node_parse() -1 and a sentence.
 * Threads: pure functions.
 */
#ifndef VALIDATE_NODE_H
#define VALIDATE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

enum node_flag_bit {
#define NODE_FLAG(symbol, word, title) NODE_BIT_##symbol,
#include "spank/validate/node_flags.def"
    NODE_BIT_COUNT
};

/* NODE_HAS_DRAIN, ...: one bit each. */
enum node_flag {
#define NODE_FLAG(symbol, word, title) NODE_HAS_##symbol = 1 << NODE_BIT_##symbol,
#include "spank/validate/node_flags.def"
};

enum {
    NODE_NAME_SIZE = 256,
    NODE_REASON_SIZE = 1024, /* what is longer is cut; its mark is of the whole */
    NODE_MARK_SIZE = 17,
    NODE_LINE_SIZE = NODE_NAME_SIZE + 4 * NODE_REASON_SIZE + 512
};

/* Every reason that hpcai500 writes begins so, and no other is ever replaced or
 * cleared. REBOOT is that of `scontrol reboot nextstate=down reason="..."`. */
#define NODE_REASON_OURS   "hpcai500"
#define NODE_REASON_REBOOT "hpcai500 validate"

struct node {
    char name[NODE_NAME_SIZE];
    char mark[NODE_MARK_SIZE];
    unsigned flags;
    int64_t reason_time, boot_time;
    uint32_t reason_uid;
    char reason[NODE_REASON_SIZE];
};

/* Fills n->mark from the rest; reason is the whole of it. */
void node_mark(struct node *n, const char *reason);

/* The line, without a newline; false when it does not fit. */
bool node_print(const struct node *n, char *line, size_t size);
int node_parse(const char *line, struct node *n, struct err *e);

/* Whether somebody keeps the node out of service: DRAIN, DOWN or FAIL. */
bool node_is_out(const struct node *n);

/* Whether its reason is one that hpcai500 writes: "hpcai500" and no letter or digit
 * behind it. */
bool node_reason_ours(const char *reason);

/* Whether a reason may be written: ours, printable ASCII, no quote or backslash, which
 * Slurm's own tools would print so that it reads as something else, and short. */
int node_reason_check(const char *reason, struct err *e);

#endif
