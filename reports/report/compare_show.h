/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A comparison for a person (text, a page) and for a machine (JSON).
 *
 * Failure: -1 and one sentence; the page is there whole or not at all.
 * Threads: none inside.
 */
#ifndef REPORT_COMPARE_SHOW_H
#define REPORT_COMPARE_SHOW_H

#include <stdio.h>

#include "reports/report/compare.h"
#include "reports/report/words.h"

struct comparison {
    struct side sides[COMPARE_SIDES];
    int n;
    bool bonus;
    enum language lang;
};

void compare_text(FILE *f, const struct comparison *c);
int compare_json(FILE *f, const struct comparison *c, struct err *e);
int compare_page(const char *path, const struct comparison *c, struct err *e);

/* The value of a row, of several runs their geometric mean; `time`: seconds to quality,
 * else the speed. */
double compared_value(const struct compared *c, int side, bool time);
/* A side has several runs. */
bool comparison_repeats(const struct comparison *c);
/* What may be said of a ratio. */
enum word compared_says(const struct compared *c, int side, bool time);
/* The sentence on the layers that differ between the first side and another. */
struct said compared_layers(const struct pen *p, const struct comparison *c, int side);
/* That on the layers of which nothing is known; "": there are none. */
struct said compared_unknown(const struct pen *p, const struct comparison *c, int side);
/* The strictest level at which all of them may be compared, and whether a layer that is
 * not known could still change it. NULL: none. */
const char *compared_level(const struct comparison *c, bool *certain);
struct said compared_level_says(const struct pen *p, const struct comparison *c);
/* Who leads, over the exponents, and whether the runs show it; who is first at a moved
 * target ("": there is nothing to say). */
struct said compared_rank(const struct pen *p, const struct comparison *c,
                          const struct compared *row);
struct said compared_shown(const struct pen *p, const struct compared *row);
struct said compared_target(const struct pen *p, const struct comparison *c,
                            const struct compared *row, int t);
/* VFLOPS of a side for n = 1, 5 and 10: quality above the target counted as the target,
 * and as published. */
struct said compared_vflops(const struct pen *p, const struct comparison *c,
                            const struct compared *row, int side);

#endif
