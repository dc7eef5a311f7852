/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plane that the weather is on: as long as the equator and from 66 degrees
 * south to 66 degrees north, without the sphere's metric, periodic both ways.
 * Everything is stated in degrees of PLANE_DEGREE metres.
 *
 * A field has ny rows from the south, row j at latitude -66 + 132 (j + 1/2) / ny,
 * and nx columns, column i at longitude 360 i / nx; row major. Its modes are
 * FFTW's: [ny][nx / 2 + 1], c(k) with field(x) = sum of c(k) exp(i k x).
 *
 * Wave numbers K count waves around the equator: kx, and ky 360 / 132.
 *
 * Life:    create ... destroy; real and modes are work space that every call below
 *          may use.
 * Failure: NULL and a sentence when there is no memory.
 * Threads: one per struct plane; create and destroy one at a time (FFTW). The
 *          same bits on every CPU: compile without contraction.
 */
#ifndef WEATHER_PLANE_H
#define WEATHER_PLANE_H

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

#include <fftw3.h>

#include "reports/core/err.h"
#include "workloads/generate/gen_draw.h"

#define PLANE_LATITUDE 66.0      /* of its edges */
#define PLANE_DEGREE   111194.9  /* m: 6.371e6 pi / 180 */
#define PLANE_OMEGA    7.2921e-5 /* rad/s */
#define PLANE_RADIUS   6.371e6   /* m */

struct plane {
    int ny, nx; /* even */
    size_t places, n_modes;
    double *real;
    fftw_complex *modes;
    fftw_plan forward, backward;
};

struct plane *plane_create(int ny, int nx, struct err *e);
void plane_destroy(struct plane *p);

double plane_latitude(const struct plane *p, int row); /* degrees */
double plane_coriolis(double latitude);                /* 2 Omega sin, 1/s */

/* Signed wave numbers of a row of modes and of a column [rad/m]; 0 for the highest
 * of each axis, which a real field has no derivative of. */
double plane_ky(const struct plane *p, int row);
double plane_kx(const struct plane *p, int column);

/* Of p->real: its modes (divided by the places); of p->modes: the field. Both
 * overwrite the other's array, and backward its own too. */
void plane_forward(struct plane *p);
void plane_backward(struct plane *p);

/* The field of modes that belong to a coarser (or the same) plane, into p->real. */
void plane_refine(struct plane *p, const struct plane *from, const fftw_complex *modes);

/* Standard deviations of the modes of a Gaussian field with variance 1 whose power
 * in a shell of K goes as K^-slope from `least` on, nothing below; malloc'ed,
 * [n_modes]; NULL: no memory. */
double *plane_spectrum(const struct plane *p, double slope, double least);

/* Such a field into p->modes, from two normals a mode. */
void plane_draw(struct plane *p, const double *spectrum, struct draw *d);

/* Value at row y and column x (not whole; x periodic, y held at the edge rows). */
double plane_at(const struct plane *p, const double *field, double y, double x);

#endif
