/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A periodic box of matter: Gaussian initial density, second-order Lagrangian
 * displacement, particles counted in cells.
 *
 * Particles start the same number in each of n^3 cells, anywhere in it (a
 * lattice would answer no displacement smaller than half a cell), move with
 * their cell, and stand at
 *     x = q - D grad phi1 + D2 grad phi2,
 *     lap phi1 = delta,  lap phi2 = sum_{i>j} phi1,ii phi1,jj - phi1,ij^2
 * (Bouchet et al. 1995; Scoccimarro 1998, MNRAS 299, 1097, eq. 4-5 of app. D).
 *
 * Bits: white noise is Philox of (seed, sample, cell); the transforms use
 * FFTW_ESTIMATE without SIMD codelets, so that neither timing nor the CPU
 * chooses the order of additions.
 *
 * Life:    create/destroy; one box at a time lives in it.
 * Failure: only create's (memory), and a cell of more than 32,767 particles.
 * Threads: one thread per struct cosmo_field.
 */
#ifndef COSMO_GEN_FIELD_H
#define COSMO_GEN_FIELD_H

#include <complex.h>
#include <stdint.h>

#include <fftw3.h>

#include "reports/core/err.h"
#include "workloads/generate/cosmo/gen_power.h"

struct cosmo_field {
    int n;                 /* cells per side, a power of two */
    int particles;         /* that start in each cell */
    double cell;           /* [Mpc/h] */
    double *real;          /* [n][n][n] of a transform */
    double complex *modes; /* [n][n][n/2+1] of a transform */
    double complex *delta; /* linear density at z = 0, modes not normalised */
    double *sum, *source;  /* second order's source, made in one pass */
    float *psi[2][3];      /* displacements at D = 1 and D2 = 1 [cells] */
    double *amplitude;     /* per squared wave number in units of the fundamental */
    fftw_plan forward, backward;
};

/* Where a sample's Philox stream holds what: the noise of the cells first. */
#define FIELD_START_INDEX     (UINT64_C(1) << 59)
#define FIELD_PARAMETER_INDEX (UINT64_C(1) << 60)

struct cosmo_field *field_create(int n, double cell, int particles, struct err *e);
void field_destroy(struct cosmo_field *f);

/* The sample's unit parameters, uniform in [-1, 1). */
void field_parameters(uint64_t seed, uint64_t sample, double unit[COSMO_PARAMETERS]);

/* Fills delta. */
void field_linear(struct cosmo_field *f, const struct spectrum *p, uint64_t seed, uint64_t sample);

/* Fills psi from delta. */
void field_displace(struct cosmo_field *f);

/* counts[cell * moments + m] = particles in the cell at growth d1[m], d2[m]. */
int field_count(const struct cosmo_field *f, uint64_t seed, uint64_t sample, int moments,
                const double *d1, const double *d2, int16_t *counts, struct err *e);

/* All of it: counts [n][n][n][COSMO_CHANNELS] of a sample with these
 * parameters at cosmo_redshifts. */
int field_sample(struct cosmo_field *f, const struct cosmology *c, uint64_t seed, uint64_t sample,
                 int16_t *counts, struct err *e);

/* Power |modes|^2 / n^3 of the real field (any units), averaged over shells
 * [i + 1/2, i + 3/2) of the fundamental, i from 0 to bins - 1 <= n/2 - 1.
 * Leaves the transform in f->modes. */
void field_shells(struct cosmo_field *f, const double *real, double *power, int bins);

#endif
