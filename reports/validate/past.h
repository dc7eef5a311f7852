/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What earlier validations measured: the source of the noise by which nodes are judged.
 * A file of the site, values.jsonl beside the history: the nodes' lines (node_line.h) with
 * their run, as they were measured, and lines of links (link_line.h), appended (lines.h).
 *
 *     p = past_open(path, &e);
 *     past_noise(p, class, metric, &h, own);      variance.h: parts, or the shipped prior
 *
 * Values are on the scale of judge_loss(value, 1, ...). Of each node and run the first
 * look is step 0, rounds are the steps after it. Nodes are known by the serial number of
 * their board, by name where it cannot be read: a replaced board starts anew. Of each node
 * the newest PAST_KEEP runs that measured a metric count for it.
 *
 * Links are the class "links", of all hardware. Its nodes are ends: of net.out.bandwidth
 * each node as a sender and, apart, as a receiver, of net.latency each node; their value in
 * a round is the median over their partners, as judge/link.h has it before it peels. Pairs
 * are kept as they are: where a pair has a history of its own, it is compared with that.
 *
 * When the file has doubled (and is PAST_LEAST bytes) it is written anew with those lines
 * alone (of links those of the newest PAST_KEEP runs of who sends, whoever its partners were;
 * with half, a quarter, ... of the runs where they are more than PAST_MOST bytes), and the
 * parts of the noise that the whole file gave, a line for each class and metric:
 *
 *   {"hpcai500":"noise 1","class":"AMD EPYC 7543, H12DSU","metric":"memory.triad",
 *    "value":3.49e+11,"between":0.4,"run":0.8,"step":0.3,"shift":0.2,"freedom":60,
 *    "runs":212,"nodes":64,"time":1764511620}
 *
 * Of them PAST_NOISES stay; the newest stands in where the values that are left are too
 * few to tell, and all together show how a class has changed over years.
 *
 * Life:    past_close(NULL) is fine. own: borrowed array of struct variance_node.
 * Failure: NULL or -1 and a sentence. A file that is not there is an empty past.
 * Threads: one.
 */
#ifndef VALIDATE_PAST_H
#define VALIDATE_PAST_H

#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/core/node_result.h"
#include "reports/judge/variance.h"
#include "reports/validate/link_line.h"

enum {
    PAST_KEEP = 32,       /* runs of a node and metric */
    PAST_NOISES = 16,     /* lines of parts of a class and metric */
    PAST_LEAST = 4 << 20, /* bytes */
    PAST_MOST = 128 << 20,
    PAST_LINE_SIZE = 4096, /* as of a node's line */
    PAST_SOFTWARE_SIZE = 96
};

#define PAST_LINKS "links" /* their class */

struct past;

struct past *past_open(const char *path, struct err *e);
void past_close(struct past *p);

/* Runs that it knows of a class; "" all. */
int past_runs(const struct past *p, const char *class);

/* Its classes, by number from 0 on; NULL: there are no more. */
const char *past_class(const struct past *p, int i);

/* "KERNEL, INSTRUCTION SET" of a line; of a class's newest line (NULL: it has none), and how
 * many of its runs have the same. */
void past_software_of(const struct node_result *r, char text[PAST_SOFTWARE_SIZE]);
const char *past_software(const struct past *p, int class);
int past_software_runs(struct past *p, int class);

/* Who a line is of: the serial number of its board, or its name. */
const char *past_identity(const struct node_result *r);

/* Parts of the noise by values alone, of the newest software alone if so asked; known =
 * false where there are too few. */
int past_parts(struct past *p, int class, int metric, bool newest, struct judge_history *h,
               struct err *e);

/* The noise of a metric in a class; known = false: the shipped prior. */
int past_noise(struct past *p, const char *class, int metric, struct judge_history *h,
               struct err *e);
/* Of the metric and class that past_noise() was asked for last: a node's own median and
 * runs. */
struct variance_node past_own(const struct past *p, const struct node_result *r);

/* Of a link (link_line.h), net_out or net_latency: its median over looks of the newest
 * PAST_KEEP runs that had it, on the scale of judge_loss(value, 1, ...), and how many; both
 * ends are as past_identity() says them. Latency has no direction. */
struct variance_node past_pair(const struct past *p, const char *from, const char *to, int metric);

enum metric_kind past_kind(int metric);

/* FOLDER/values.jsonl of the history /FOLDER/history.sqlite. */
int past_path(const char *history, char *path, int size, struct err *e);

/* Appends lines; `run` is put into each. Makes the file (0640). */
int past_append(const char *path, const char *run, const struct node_result *const *lines, int n,
                struct err *e);
int past_append_links(const char *path, const char *run, const struct link_line *links, int n,
                      struct err *e);

#endif
