/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of a node that is being validated: a function of what Slurm and the history
 * say at this moment, and no file. A validator that is killed, started twice or away for
 * a day computes the same state from the same view, and each action makes its own
 * condition false, so that doing it twice is the same as once.
 *
 * Failure: none.
 * Threads: pure functions.
 */
#ifndef VALIDATE_STATE_H
#define VALIDATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/judge/verdict.h"
#include "spank/validate/node.h"

enum state {
#define STATE(symbol, word, action, title) STATE_##symbol,
#include "spank/validate/states.def"
    STATE_COUNT
};

enum state_action {
    STATE_DO_NOTHING,
    STATE_DO_REPORT,      /* file UNKNOWN for it */
    STATE_DO_CARRIED_OUT, /* note in the history that its drain was carried out */
    STATE_DO_TEST,        /* a job over all such nodes */
    STATE_DO_CONFIRM,     /* a job over the gated nodes and controls */
    STATE_DO_RESUME,      /* --apply: hpcai500-slurmctl resume */
    STATE_DO_LEAVE,       /* --apply: hpcai500-slurmctl leave, all of them at once */
    STATE_DO_DRAIN        /* --apply: hpcai500-slurmctl drain */
};

/* Of the history: the newest verdict on a node. */
struct state_verdict {
    bool there;
    enum verdict verdict;
    bool gated;       /* of a first look that stood out; not measured again yet */
    bool carried_out; /* its drain was seen on the node */
    int64_t time;     /* Unix seconds, when it was measured */
    int tries;        /* undecided ones since the node booted, this one included */
};

/* All that is known of a node at one look. */
struct state_view {
    int64_t now;   /* Unix seconds */
    int64_t table; /* when the table of nodes was read; 0: it could not be */
    bool reserved; /* it is in the reservation */
    bool covered;  /* a job of ours that covers it is PENDING, RUNNING or COMPLETING */
    struct node node;
    struct state_verdict verdict;
};

enum {
    STATE_TABLE_SECONDS = 60,  /* a table that is older is not believed */
    STATE_BOOT_SECONDS = 1800, /* a reboot that takes longer is LOST */
    STATE_REBOOT_EARLY = 3600, /* a boot may precede the reason of its reboot by so much: clocks */
    STATE_BOOT_TOLERANCE = 10, /* slurmctld's boot time differs by +-1 s between registrations */
    STATE_RETRY_SECONDS = 600, /* until an undecided node is measured again, once */
    STATE_CAP_PERCENT = 2      /* of the nodes in service, drained in one run */
};

enum state state_of(const struct state_view *v);
enum state_action state_action(enum state s);
const char *state_word(enum state s);
const char *state_title(enum state s);

/* Nodes in service that one run may drain at most: max(1, 2 %). (Nodes of a
 * reservation for maintenance are not in service, and have no such limit.) */
long state_cap(long in_service);

#endif
