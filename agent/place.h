/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Folders and files of a run: where the record goes, where generated data
 * are kept, which program generates them.
 *
 * Life:    plain struct. Failure: -1 and a sentence. Threads: any.
 */
#ifndef AGENT_PLACE_H
#define AGENT_PLACE_H

#include <limits.h>

#include "reports/runspec.h"

struct place {
    char record[PATH_MAX];    /* out=, else HPCAI500_SPOOL, else the working folder */
    char cache[PATH_MAX];     /* HPCAI500_CACHE, the site's cache=, XDG_CACHE_HOME/hpcai500 */
    char generator[PATH_MAX]; /* HPCAI500_GENERATOR, beside this program's libexec, built tree */
};

/* Local to a rank. Makes out= when only its last part is missing. A folder
 * that the user named and that cannot be written is refused; a spool that
 * cannot be written is passed over. */
int place_find(struct place *p, const struct runspec *spec, struct err *e);

#endif
