/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The records that a report or a comparison is of: found as find.h finds them,
 * cleaned of what steers a reader, and redacted where that is asked for.
 *
 * Life:    zeroed it is empty; library_fini() frees what was added.
 * Failure: -1 and one sentence that names the word.
 * Threads: none inside.
 */
#ifndef TOOLS_LIBRARY_H
#define TOOLS_LIBRARY_H

#include <stdbool.h>

#include "reports/core/conf.h"
#include "reports/core/sha256.h"
#include "reports/tools/find.h"

enum { LIBRARY_MOST = 64 };

struct library {
    int n;
    struct found runs[LIBRARY_MOST];
    char sha256[LIBRARY_MOST][SHA256_HEX_SIZE]; /* of the file's bytes; "" when redacted */
    struct cJSON *steps[LIBRARY_MOST];          /* steps_file before it was redacted; NULL: none */
};

/* redact: users, accounts, hosts, folders, jobs, clusters and partitions go,
 * whatever the site says; a site's salt makes one name one hash, without it
 * every name is the same word. */
int library_add(struct library *l, const struct conf *c, const char *word, const char *folder,
                bool redact, struct err *e);
void library_fini(struct library *l);

/* Bytes of the steps file of that run, free() them; NULL: it is not there. */
void *library_steps(const struct library *l, const struct conf *c, int run, size_t *size);

#endif
