/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each rank's journal: what it knew, line by line, so that a run whose
 * rank 0 dies still leaves a partial record.
 *
 * A line is `LLLLLLLL CCCCCCCC {json}\n`: length and CRC32C of the JSON in
 * hexadecimal, then the JSON. Each line is one write() with O_APPEND. The
 * events, in the order of a run:
 *
 *   {"event":"start", "rank","ranks","run":{...},"job":{...},"time":{...},"node":{...},"facts":{...}}
 *   {"event":"workload","index",...}             identity of a workload that begins
 *   {"event":"epoch","index","row":{...}}
 *   {"event":"phases","index","wall_seconds","phase_seconds":{...}}  so far
 *   {"event":"profile","index","profile":{...}}  this rank's so far, as in a record
 *   {"event":"micro","row":{...}}                a row of a micro benchmark, as in a record
 *   {"event":"result","index",...}               the workload's end, as in its result
 *   {"event":"failure","rank","node","text"}     of a rank (not always its own)
 *   {"event":"end","status"}
 *
 * Every rank's start says all that a record's head needs, so any journal
 * alone is enough. Journals stand in `DIR/ID.journal/RANK`.
 *
 * Life:    open returns, close frees. journal_close(NULL) is a no-op.
 * Failure: -1 and one sentence. The agent says it once and runs on: a
 *          journal is a help, not a need. After a failure further events are
 *          dropped silently and return 0.
 * Threads: one thread per journal.
 */
#ifndef RECORD_JOURNAL_H
#define RECORD_JOURNAL_H

#include "reports/core/err.h"
#include "reports/record/record.h"
#include "reports/core/result.h"

struct journal;

/* Makes DIR/ID.journal (0700, several ranks may race) and the rank's file in
 * it, which must not exist. */
struct journal *journal_open(const char *dir, const char *id, int rank, struct err *e);
/* The same in another folder, from the next event on; it goes with the first.
 * What cannot be written there is not. */
int journal_copy(struct journal *j, const char *dir, const char *id, int rank, struct err *e);
void journal_close(struct journal *j);
/* After the record was written: removes this rank's file, and the folder
 * when it was the last one. j is closed. */
void journal_remove(struct journal *j);

/* Events. Each is on the device (fdatasync) when the function returns,
 * except journal_epoch(), journal_profile() and journal_micro(), which are on their way.
 * self is this rank's node. */
int journal_start(struct journal *j, const struct record *r, int rank, int ranks,
                  const struct record_node *self, struct err *e);
int journal_workload(struct journal *j, int index, const struct workload_result *r, struct err *e);
int journal_epoch(struct journal *j, int index, const struct result_epoch *row, struct err *e);
int journal_phases(struct journal *j, int index, double wall_seconds,
                   const double phase_seconds[PHASE_COUNT], struct err *e);
/* r's profile and operators, all else is left out. */
int journal_profile(struct journal *j, int index, const struct workload_result *r, struct err *e);
int journal_result(struct journal *j, int index, const struct workload_result *r, struct err *e);
int journal_micro(struct journal *j, const struct micro_row *m, struct err *e);
int journal_failure(struct journal *j, int rank, const char *node, const char *sentence,
                    struct err *e);
int journal_end(struct journal *j, enum run_status status, struct err *e);

/* Reads one journal: calls fn with each whole line (JSON text, NUL at its
 * end) until fn returns nonzero. *torn_at: offset of the first byte that is
 * not a whole line, -1 when there is none; what follows is not read. Returns
 * the number of whole lines, -1 when the file cannot be read or is not a journal. errno
 * is 0, or why a part could not be read that another time can. */
long journal_read(const char *path, int (*fn)(void *ctx, const char *json), void *ctx,
                  long *torn_at, struct err *e);

/* Fills an empty record (record_init()) from the journals in the folder
 * DIR/ID.journal or its like: status partial, or crashed when no rank left
 * an end or a failure; the reason names rank and node. Torn tails and
 * missing ranks are reasons too. Returns how many journals could not be read
 * whole that another time can be: a person takes what there is, who can wait
 * comes again; of -1 errno says the same (0: they are no journals). */
int record_from_journals(const char *folder, struct record *r, struct err *e);

#endif
