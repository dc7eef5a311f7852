/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flaws of a surface, each with the mask of exactly the places it changes.
 *
 * A flaw is put into a scene of n x n reflectances (row major; x along a row).
 * What it leaves at a place depends on the scene without flaws there, so a
 * later flaw simply lies over an earlier one, in the scene as in the mask.
 * Contrasts are in standard deviations of the surface, before the lens, which
 * leaves a third to a half of what is thin:
 *   scratch  a Bezier stroke, 1 to 3 px wide, brighter or darker by 2.5 to 4.5
 *   pit      a disc, darker by 2.5 to 4.5, inside a brighter rim of 1 px
 *   crack    a random walk with branches, 1 to 2.5 px wide, darker by 2.5 to 4
 *   stain    a low-pass blob, darker by .9 to 1.3: about the surface's own
 *            deviation, in a band where the surface has little
 *   missing  a rectangle in which one thread of the weave is missing and the
 *            other runs on with another phase, as much brighter as darker
 *
 * Life:    plain data; the canvas borrows its arrays.
 * Failure: none.
 * Threads: pure functions of their arguments.
 */
#ifndef DEFECT_FLAW_H
#define DEFECT_FLAW_H

#include <stdint.h>

#include "workloads/data/science_defect.h"
#include "workloads/generate/gen_draw.h"

/* cos(k0 x + k1 y + phase), twice: a woven or knurled pattern, variance 1. */
struct weave {
    double k[2][2]; /* radians a pixel, along x and y */
    double phase[2];
};
double weave_at(const struct weave *w, int x, int y);

struct canvas {
    int n;
    double sigma;       /* of the surface */
    double weave_sigma; /* that of the weave in it */
    struct weave weave; /* as in base */
    const double *base; /* without flaws */
    double *scene;      /* takes the flaws */
    uint8_t *mask;      /* enum flaw of each place */
};

/* Puts one flaw of that class, drawn from d, into scene and mask. Returns the
 * number of places that it changed: few when it lies mostly outside. */
int flaw_put(struct canvas *c, enum flaw what, struct draw *d);

#endif
