/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The large-scale wind: the barotropic vorticity equation on a beta plane,
 *
 *     dz/dt + u . grad z + beta v = -nu k^8 z       z = v_x - u_y
 *
 * pseudo-spectral, products on a grid that holds none above two thirds of each
 * axis (Orszag 1971), classic Runge-Kutta steps. The advection is taken as
 * (d_xx - d_yy)(u v) + d_xy(v^2 - u^2), four transforms a stage, which keeps
 * energy and enstrophy. The mean zonal wind is a constant of the motion and no
 * mode of z.
 *
 * It starts from westerly jets near 40 degrees of each hemisphere, 28 +- 4 m/s,
 * easterlies of 6 m/s about the equator, and Gaussian eddies of 11 m/s in the
 * middle latitudes with a spectrum of kinetic energy that falls as K^-3 from
 * four waves around the globe on. That state is a function of (seed, sample),
 * and those behind it are, too.
 *
 * Life:    create ... destroy.
 * Failure: NULL and a sentence when there is no memory.
 * Threads: one per struct flow. The same bits on every CPU.
 */
#ifndef WEATHER_FLOW_H
#define WEATHER_FLOW_H

#include "workloads/generate/weather/plane.h"

struct flow {
    struct plane *plane;
    double mean_u;       /* m/s */
    double beta;         /* 1 / (m s) */
    double viscosity;    /* of the highest mode [1/s] */
    fftw_complex *z;     /* modes of the vorticity [1/s] */
    double *u, *v;       /* winds of flow_winds() [m/s] */
    double *damping;     /* [modes] of 1 */
    double *eddies;      /* spectrum of the stream function */
    fftw_complex *stage; /* where a stage stands */
    fftw_complex *slope, *sum;
};

struct flow *flow_create(int ny, int nx, struct err *e);
void flow_destroy(struct flow *f);

void flow_start(struct flow *f, uint64_t seed, uint64_t sample);

/* One step of that many seconds: stable while the wind takes no more than 1.3
 * places in it. */
void flow_step(struct flow *f, double seconds);

/* Winds on the plane into f->u and f->v. */
void flow_winds(struct flow *f);

/* Modes of the stream function's eddies (without the zonal mean) into out. */
void flow_eddies(const struct flow *f, fftw_complex *out);

/* Means over the plane of (u^2 + v^2) / 2 without the mean wind, and of z^2 / 2. */
double flow_energy(const struct flow *f);
double flow_enstrophy(const struct flow *f);

#endif
