/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Of thousand.c: what needs the headers of spank/validate.
 *
 * Life:    plain values. Failure: -1 and a sentence. Threads: one.
 */
#ifndef VALIDATE_THOUSAND_H
#define VALIDATE_THOUSAND_H

#include "reports/core/err.h"

/* Plans for n idle nodes of a reservation, booted an hour before `boot`, by the verdicts of
 * the file, of which the newest is of `newest`. note: how many leave. */
int thousand_plan(const char *const *names, int n, const char *verdicts, long boot, long newest,
                  char note[96], struct err *e);

#endif
