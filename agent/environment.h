/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Variables that steer the libraries of a run and change its speed without a
 * word: one table says which are recorded, under which fact, and which make a
 * run not comparable with others (hpcai500-agent(1) lists them).
 *
 * Life:    no state; reads environ. Failure: none. Threads: any, while nobody
 *          sets variables.
 */
#ifndef AGENT_ENVIRONMENT_H
#define AGENT_ENVIRONMENT_H

#include <stddef.h>

#include "reports/record/record.h"

/* The four facts `environment`: NAME=value of all that are set, sorted, and of
 * those that find no room how many they are and a checksum of them. */
void environment_facts(struct record_fact facts[FACT_COUNT]);

/* The first row of the table that is set here and makes the run not comparable,
 * -1: none. */
int environment_objection(void);

/* "ONEDNN_MAX_CPU_ISA is set: it keeps oneDNN from ...". Of a row that another
 * process may have found. */
void environment_sentence(int row, char *text, size_t size);

/* Row i's name, which may end in '*'; NULL past the end. For tests. */
const char *environment_name(int i);

#endif
