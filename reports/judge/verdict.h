/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of a validation: verdicts on nodes, what to do about them, and the
 * exit status of a monitoring plug-in (Nagios) that they come to.
 *
 * The order is the order of gravity: a node's verdict is the worst of its metrics'.
 *
 * Failure: none; verdict_parse() -1.
 * Threads: pure functions.
 */
#ifndef JUDGE_VERDICT_H
#define JUDGE_VERDICT_H

enum verdict {
    VERDICT_GOOD,         /* nothing above its blind spot */
    VERDICT_TRANSIENT,    /* was significant, did not stay */
    VERDICT_INCONCLUSIVE, /* too few nodes and runs to tell */
    VERDICT_SYSTEM,       /* many or all together: file system, fabric, power; no node is blamed */
    VERDICT_SUSPECT,      /* slower, confirmed, but by less than the floor; corrected ECC errors */
    VERDICT_UNKNOWN,      /* it gave no value: refused, died, timed out */
    VERDICT_SLOW,         /* slower than the floor, confirmed */
    VERDICT_FAULTY,       /* wrong numbers, or not the inventory that was approved */
    VERDICT_COUNT
};

enum action { ACTION_NONE, ACTION_MONITOR, ACTION_RESET, ACTION_ISOLATE };

/* Exit status of `hpcai500 validate`. */
enum alarm { ALARM_OK, ALARM_WARN, ALARM_CRITICAL, ALARM_UNKNOWN };

const char *verdict_word(enum verdict v);
/* The verdict of that word; -1 for others. */
int verdict_parse(const char *word);
enum verdict verdict_worst(enum verdict a, enum verdict b);

/* FAULTY, SLOW: ISOLATE; UNKNOWN: RESET; SUSPECT, TRANSIENT: MONITOR. */
enum action verdict_action(enum verdict v);
const char *action_word(enum action a);

/* Of how many nodes have each verdict. CRITICAL: a node is FAULTY or SLOW; else
 * UNKNOWN: one gave no value, or none has a verdict; else WARN: one is SUSPECT, SYSTEM
 * or INCONCLUSIVE. TRANSIENT is OK. */
enum alarm verdict_alarm(const int counts[VERDICT_COUNT]);
const char *alarm_word(enum alarm a);

#endif
