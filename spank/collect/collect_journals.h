/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs that left journals and no record: a partial record is made of the
 * journals of all nodes of the job, and filed with our own credential beside
 * root's, which says so.
 *
 * Life:    none. The journals of one run at a time stand in a folder beside
 *          the history.
 * Failure: 0 filed or refused, -1 not now: a message says why
 *          once in a pass.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_JOURNALS_H
#define COLLECT_COLLECT_JOURNALS_H

#include "spank/collect/collect_file.h"

/* The payload with which the collector vouches for a record that it made. */
#define COLLECTED_PREFIX "hpcai500-collected "

/* Every run of the job whose journals are there and whose record is not. */
int file_journals(struct filer *f, struct job *j);

/* Removes what a collector that died left unpacked. */
void journals_clean(const struct conf *c);

#endif
