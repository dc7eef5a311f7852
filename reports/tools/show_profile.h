/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the time of a run's training steps went, and how far work is from what the
 * machine can do: hpcai500 show --profile and --roofline, as tables; the second also as a
 * picture.
 *
 * All text of the documents must have passed json_clean().
 *
 * Failure: 1 and a sentence in *e: the record has nothing to show; -1: the picture could
 *          not be written.
 * Threads: prints to stdout.
 */
#ifndef TOOLS_SHOW_PROFILE_H
#define TOOLS_SHOW_PROFILE_H

#include <cjson/cJSON.h>

#include "reports/core/err.h"

/* ceilings: the record whose rows of micro benchmarks are the roofs; often doc itself. */
int show_profile(const cJSON *doc, const cJSON *ceilings, struct err *e);

/* svg: file of the picture, NULL: none. */
int show_roofline(const cJSON *doc, const cJSON *ceilings, const char *svg, struct err *e);

#endif
