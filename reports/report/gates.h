/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was checked of a report's records before anybody believes it: passed,
 * a note (not tested, or to be known), or failed. What was not tested is a note
 * and never a pass.
 *
 * Life:    texts are borrowed from the book.
 * Failure: none.
 * Threads: pure functions.
 */
#ifndef REPORT_GATES_H
#define REPORT_GATES_H

#include "reports/report/book.h"
#include "reports/report/words.h"

enum { GATE_COUNT = 11, REPEATS_ENOUGH = 3 };

enum gate_state { GATE_PASS, GATE_NOTE, GATE_FAIL };

struct gate {
    enum word what;
    enum gate_state state;
    enum word why; /* with the arguments below */
    struct arg args[2];
    bool free_step; /* something to put right that costs nothing; `todo` says what */
    enum word todo;
};

struct gates {
    struct gate gate[GATE_COUNT];
    int n, passed, notes, failed;
};

void gates_of(const struct book *b, struct gates *g);
/* That check; NULL: nothing of this book is checked so. */
const struct gate *gate_find(const struct gates *g, enum word what);

/* CPU seconds over what ranks and threads could have had; NAN: not known. */
double training_cpu(const cJSON *workload);

#endif
