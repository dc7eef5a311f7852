/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is worth doing and buying, of each workload of a run: hpcai500 show --buy, as
 * lines of at most 80 columns or as JSON.
 *
 * All text of the document must have passed json_clean().
 *
 * Failure: 1 and a sentence in *e: the run says nothing of it; -1: out of memory.
 * Threads: prints to stdout.
 */
#ifndef TOOLS_SHOW_BUY_H
#define TOOLS_SHOW_BUY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"

struct prices;

struct buy_options {
    const void *steps; /* the run's steps file: its bytes */
    size_t size;
    const struct prices *prices;  /* NULL: none */
    const struct cJSON *ceilings; /* the run that has the machine's; NULL: the record alone */
    const char *what;             /* questions of the user's own, "nodes:4,storage:2"; NULL: none */
    bool json;
};

int show_buy(const cJSON *doc, const struct buy_options *o, struct err *e);

#endif
