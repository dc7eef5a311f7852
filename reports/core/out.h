/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Standard output that could not be written is a failure. A program says this
 * once, first in main(); however it ends, it ends with 3 and one sentence when what
 * it printed is lost (a full disk, a closed descriptor).
 *
 * Life:    name is kept, not copied.
 * Failure: the exit status 3.
 * Threads: before any is started.
 */
#ifndef CORE_OUT_H
#define CORE_OUT_H

enum { OUT_LOST = 3 };

/* name is what the program calls itself, "hpcai500 show". */
void out_guard(const char *name);

#endif
