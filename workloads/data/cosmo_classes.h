/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the cosmology set is made of: one table of size classes, one of the
 * varied parameters, one of the redshifts. The generator, the reader, the
 * cache and the cosmoflow workload all read these.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_COSMO_CLASSES_H
#define DATA_COSMO_CLASSES_H

#include <stdint.h>

#include "reports/core/runspec.h"

enum { COSMO_CHANNELS = 4, COSMO_PARAMETERS = 4 };

/* The set that a class trains on is part of the class: it is always made
 * from this seed, whatever the run's own seed (shuffle, weights). */
enum { COSMO_DATA_SEED = 1 };

struct cosmo_class {
    enum runspec_class class;
    int edge;        /* D: cells per side of a sample */
    double cell_mpc; /* side of a cell [Mpc/h] */
    int particles;   /* that start in each cell */
    long train;      /* samples */
    long validation;
    int raw_edge;         /* cells per side of a simulation in the raw layout */
    int deflate;          /* level; 6 is gzip's own, as the published files have */
    double deflates;      /* measured: bytes of the counts to those of the files */
    int seconds_per_1000; /* core-seconds to make 1,000 samples, for the plan */
};

/* A varied parameter: uniform in [low, high]; unit = 2 (p - low) / (high - low) - 1. */
struct cosmo_parameter {
    const char *name; /* as in the published `namePar` */
    double low, high;
};

/* Row of a class, NULL for CLASS_AUTO. */
const struct cosmo_class *cosmo_class_of(enum runspec_class class);

/* Omega_m, sigma_8, N_spec (n_s), H_0 [km/s/Mpc]. */
extern const struct cosmo_parameter cosmo_parameters[COSMO_PARAMETERS];

/* Of the channels, in order. */
extern const double cosmo_redshifts[COSMO_CHANNELS];

#endif
