/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line of values.jsonl for one link and round of a validation: who sends, who receives
 * (serial numbers of their boards, or names: past_identity()), and what was measured.
 *
 *   {"hpcai500":"link 1","run":"20261130T1950-4711","round":0,"time":1764511620,
 *    "from":"SN123","to":"SN124","bandwidth":2.34e+10,"latency":null}
 *
 * Life:    plain values.
 * Failure: link_line_print() false: it does not fit; link_line_parse() -1: not such a line,
 *          or one that says nothing.
 * Threads: pure functions.
 */
#ifndef VALIDATE_LINK_LINE_H
#define VALIDATE_LINK_LINE_H

#include <stdbool.h>

#include "reports/validate/names.h"

enum { LINK_LINE_SIZE = 512 };

struct link_line {
    char from[NAMES_SIZE], to[NAMES_SIZE];
    char run[64];
    int round;        /* 0: the look */
    long time;        /* Unix seconds; 0 not known */
    double bandwidth; /* from -> to, bytes/s; NAN not measured */
    double latency;   /* of half a round trip, seconds; NAN not measured */
};

/* With its newline. */
bool link_line_print(const struct link_line *l, char line[LINK_LINE_SIZE]);
int link_line_parse(const char *line, struct link_line *l);

#endif
