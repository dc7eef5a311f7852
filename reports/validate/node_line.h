/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one node says of itself: one line of JSON of at most 4 KiB, as it comes.
 *
 *   {"hpcai500":"node 1","node":"n03","class":"AMD EPYC 7543, H12DSU","key":"4bf0...",
 *    "profile":"standard","round":0,"time":1764511620,"seconds":54.2,...
 *    "values":{"memory.triad":[1.81e+11,0.9,5],...},
 *    "faults":[{"test":"correct","text":"core 17: ..."}],"unknown":[...]}
 *
 * A value is its median, spread in % (null: one sample) and number of samples. What of
 * faults and unknowns does not fit a line is left out from the end, faults last.
 *
 * Life:    plain values.
 * Failure: node_line_print() false: it does not fit; node_line_parse() -1: not such a line.
 *          A line is hostile until parsed: names are cut, numbers may be anything.
 * Threads: pure functions.
 */
#ifndef VALIDATE_NODE_LINE_H
#define VALIDATE_NODE_LINE_H

#include <stdbool.h>

#include "reports/core/node_result.h"

enum { NODE_LINE_SIZE = 4096 };

/* With its newline. */
bool node_line_print(const struct node_result *r, char line[NODE_LINE_SIZE]);
int node_line_parse(const char *line, struct node_result *r);

#endif
