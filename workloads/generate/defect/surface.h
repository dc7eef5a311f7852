/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pictures of surfaces under inspection, as pure functions of (seed, sample).
 *
 * 1. Material: a Gaussian field with an anisotropic power law (brushed metal:
 *    P ~ k^-1 to k^-2 with streaks 8 times as long as wide; cast metal: k^-2.5
 *    in all directions), nothing below 6 waves an image; plus a weave of two
 *    cosines.
 * 2. Flaws, one to three in three of four samples, with their exact mask (flaw.h).
 * 3. Camera: a vignette that is quadratic in the distance from the centre, the
 *    lens's Gaussian blur of .6 to 1.2 px, shot noise (the normal limit of
 *    Poisson's law: there are hundreds of electrons everywhere) and read noise,
 *    8 bits.
 *
 * Three of four samples have flaws, since a set of a few hundred pictures with
 * a line's true share would hold a handful. surface_weight() gives each picture
 * the weight that makes the share of flawed ones SURFACE_SHARE, as weights of
 * mean 1.
 *
 * Life:    surface_create() gives the work space for pictures of one size;
 *          surface_destroy() frees it.
 * Failure: NULL and a sentence when there is no memory; nothing else fails.
 * Threads: one per struct surface; create and destroy one at a time (FFTW).
 *          The same bits on every CPU: compile without contraction.
 */
#ifndef DEFECT_SURFACE_H
#define DEFECT_SURFACE_H

#include <complex.h>
#include <stdbool.h>
#include <stdint.h>

#include <fftw3.h>

#include "reports/core/err.h"
#include "workloads/generate/defect/flaw.h"

#define SURFACE_SHARE 0.03 /* flawed pictures on the line */

/* The material's and the camera's numbers of one sample. */
struct surface_look {
    double slope, aspect, angle; /* of the field; angle: of the streaks */
    double weave_share;          /* of the variance */
    struct weave weave;
    double mean, sigma;           /* of the reflectance */
    double vignette, blur;        /* loss in the corners; px */
    double electrons, read_noise; /* at reflectance 1; electrons */
};

struct surface {
    int n; /* side; a power of two, at least 32 */
    struct surface_look look;
    double *base, *scene; /* [n][n] without and with flaws */
    uint8_t *mask;        /* [n][n] */
    double *noise, *work; /* [n][n] */
    fftw_complex *modes;
    fftw_plan forward, backward;
};

struct surface *surface_create(int n, struct err *e);
void surface_destroy(struct surface *s);

bool surface_is_flawed(uint64_t sample);
double surface_weight(uint64_t sample);

/* The three steps. look: draws s->look. texture: the field alone, mean 0 and
 * expected variance 1, into out. material: look, base, scene, mask. photograph:
 * of any scene, with s->look's camera. */
void surface_draw_look(struct surface *s, uint64_t seed, uint64_t sample);
void surface_texture(struct surface *s, uint64_t seed, uint64_t sample, double *out);
void surface_material(struct surface *s, uint64_t seed, uint64_t sample);
void surface_photograph(struct surface *s, const double *scene, uint64_t seed, uint64_t sample,
                        uint8_t *image);

/* Before the noise: what the lens makes of a scene, into out. */
void surface_optics(struct surface *s, const double *scene, double *out);

/* All of it: image and mask, n x n each. */
void surface_sample(struct surface *s, uint64_t seed, uint64_t sample, uint8_t *image,
                    uint8_t *mask);

#endif
