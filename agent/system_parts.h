/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of system.c that are in files of their own.
 *
 * Life:    no state. Failure: none, as in system.h. Threads: any, after MPI_Init.
 */
#ifndef AGENT_SYSTEM_PARTS_H
#define AGENT_SYSTEM_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/system.h"

/* Layers libraries and communication, but their environment. */
void system_libraries(struct record_fact facts[FACT_COUNT]);
void system_communication(struct record_fact facts[FACT_COUNT], const struct system_told *told);

/* The instruction set that oneDNN uses at most, "avx512_core": what the processor
 * has and the environment leaves of it. false: oneDNN is not loaded or too old to
 * say. */
bool system_onednn_isa(char *text, size_t size);

#endif
