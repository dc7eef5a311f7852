/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The good word that a person most likely meant by a bad one.
 *
 * Who refuses a word calls it for the second half of the sentence:
 * "no key 'clas'; did you mean 'class'?".
 *
 * Life:    returns one of the candidates, borrowed from the caller.
 * Failure: none; NULL when no candidate is near.
 * Threads: pure function.
 */
#ifndef CORE_NEAREST_H
#define CORE_NEAREST_H

/* Nearest of n candidates by Damerau-Levenshtein distance (a swap of
 * neighbours is one step), case ignored; the first of equals. Near is at most
 * one step per three letters, at least one, or a beginning of three letters
 * or more ("cosmo" means "cosmoflow"). Words beyond 63 bytes are never near. */
const char *nearest(const char *word, const char *const *candidates, int n);

#endif
