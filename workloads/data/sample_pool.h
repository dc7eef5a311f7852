/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of many samples, kept open for the next one: so many, those longest
 * unused are closed first. Each is opened and checked once, whoever reads it.
 *
 * Life:    create/destroy; destroy(NULL) is a no-op. What was taken is given
 *          back before.
 * Failure: NULL and a sentence.
 * Threads: any number.
 */
#ifndef DATA_SAMPLE_POOL_H
#define DATA_SAMPLE_POOL_H

#include "workloads/data/sample.h"

enum { SAMPLE_POOL_FILES = 32 };

struct sample_pool;

struct sample_pool *sample_pool_create(struct err *e);
void sample_pool_destroy(struct sample_pool *p);

/* The open file of a number; to *find_seconds is added what it took to find one that was not
 * open. */
const struct sample_file *sample_pool_take(struct sample_pool *p, uint64_t number, const char *path,
                                           uint64_t expected_bytes, const struct sample_form *form,
                                           double *find_seconds, struct err *e);
void sample_pool_give(struct sample_pool *p, const struct sample_file *f);

#endif
