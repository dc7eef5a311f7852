/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What earlier validations measured: the source of the noise by which nodes are judged.
 * A file of the site, values.jsonl beside the history: the nodes' lines (node_line.h) with
 * their run, as they were measured, appended.
 *
 *     p = past_open(path, &e);
 *     past_noise(p, class, metric, &h, own);      variance.h: parts, or the shipped prior
 *
 * Values are on the scale of judge_loss(value, 1, ...). Of each node and run the first
 * look is step 0, rounds are the steps after it. Nodes are known by the serial number of
 * their board, by name where it cannot be read: a replaced board starts anew. The newest
 * PAST_RUNS runs count.
 *
 * Life:    past_close(NULL) is fine. own: borrowed array of struct variance_node.
 * Failure: NULL or -1 and a sentence. A file that is not there is an empty past.
 * Threads: one.
 */
#ifndef VALIDATE_PAST_H
#define VALIDATE_PAST_H

#include "reports/core/err.h"
#include "reports/core/node_result.h"
#include "reports/judge/variance.h"

enum { PAST_RUNS = 64 };

struct past;

struct past *past_open(const char *path, struct err *e);
void past_close(struct past *p);

/* Runs that it knows of a class; "" all. */
int past_runs(const struct past *p, const char *class);

/* The noise of a metric in a class; known = false: the shipped prior. */
int past_noise(struct past *p, const char *class, int metric, struct judge_history *h,
               struct err *e);
/* Of the metric and class that past_noise() was asked for last: a node's own median and
 * runs. */
struct variance_node past_own(const struct past *p, const struct node_result *r);

enum metric_kind past_kind(int metric);

/* Appends lines; `run` is put into each. Makes the file (0640). */
int past_append(const char *path, const char *run, const struct node_result *lines, int n,
                struct err *e);

#endif
