/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the files of one job's bundles are while they wait to be filed: one
 * file without a name beside the history, so that memory does not grow with
 * what a job left. A bundle is read once; from then on its files are here.
 *
 * Life:    open returns, close frees; close(NULL) is a no-op. Nothing of it
 *          outlives the process.
 * Failure: -1 or NULL and a sentence: the disk is full or fails.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_STORE_H
#define COLLECT_COLLECT_STORE_H

#include <stddef.h>
#include <sys/types.h>

#include "reports/core/err.h"

struct store;

/* path: of the file, whose name is gone when open returns. */
struct store *store_open(const char *path, struct err *e);
void store_close(struct store *s);

/* Puts the bytes at the end; *at is where store_get() finds them. */
int store_add(struct store *s, const void *bytes, size_t size, off_t *at, struct err *e);

/* The bytes with a NUL behind them; free() it. */
char *store_get(const struct store *s, off_t at, size_t size, struct err *e);

/* Back to the first `at` bytes; 0 forgets all. */
void store_cut(struct store *s, off_t at);

/* Bytes that are there. */
off_t store_size(const struct store *s);

#endif
