/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words for what limits a run: causes.def, as code uses it.
 *
 * Life:    the texts are constant.
 * Failure: none; a text that does not fit is cut.
 * Threads: pure functions.
 */
#ifndef DIAGNOSE_WORDS_H
#define DIAGNOSE_WORDS_H

#include <stddef.h>

enum cause {
#define CAUSE(symbol, name, family, said, next, said_ja, next_ja) CAUSE_##symbol,
#include "reports/diagnose/causes.def"
    CAUSE_COUNT
};

enum cause_family {
    FAMILY_NETWORK, /* the exchange of gradients */
    FAMILY_INPUT,   /* storage and loader */
    FAMILY_CORES,   /* processors that were not given, or not alike */
    FAMILY_COMPUTE, /* what the processors do */
    FAMILY_RUN,     /* what is not training */
    FAMILY_NONE
};

enum language { LANGUAGE_EN, LANGUAGE_JA, LANGUAGE_COUNT };

/* "network_bandwidth": in records. */
const char *cause_name(enum cause c);
/* The cause of that name, -1: there is none. */
int cause_find(const char *name);
enum cause_family cause_family(enum cause c);

/* "network bandwidth: n2 sends slowly"; node NULL or "": none is named. */
void cause_said(enum cause c, const char *node, enum language l, char *text, size_t size);
/* What to do about it. */
const char *cause_next(enum cause c, enum language l);

#endif
