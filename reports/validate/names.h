/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names by number: 0, 1, ... in the order in which they came, found again by a hash.
 *
 * Life:    begins zeroed; names_fini() frees.
 * Failure: -1 out of memory. A name is cut to NAMES_SIZE - 1 bytes, and is then the same as
 *          any other with that beginning.
 * Threads: one for each struct.
 */
#ifndef VALIDATE_NAMES_H
#define VALIDATE_NAMES_H

enum { NAMES_SIZE = 96 };

struct names {
    int n;
    char (*of)[NAMES_SIZE]; /* [n] */
    /* its own: */
    int room, slots;
    int *slot; /* number + 1; 0: free */
};

/* The number of a name, which is added when it is new. */
int names_add(struct names *names, const char *name);
/* -1: there is none. */
int names_find(const struct names *names, const char *name);
void names_fini(struct names *names);

#endif
