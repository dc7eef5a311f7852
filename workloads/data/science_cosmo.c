/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cosmology: counts of particles in cells at four redshifts, and the parameters
 * of the universe that they came from. Both published CosmoFlow layouts.
 */
#include <config.h>

#include "workloads/data/science_cosmo.h"

#include <float.h>

static const char *const channels[] = {"redshift 3", "redshift 1.5", "redshift 0.5", "redshift 0",
                                       NULL};
static const char *const parameters[] = {"Omega_m", "sigma_8", "N_spec", "H_0", NULL};

static const struct field fields[] = {
    {.name = "x",
     .title = "particles in each cell",
     .axes = "zyxc",
     .size = {0, 0, 0, COSMO_CHANNELS},
     .cube = true,
     .least = 0,
     .greatest = FLT_MAX,
     .stored = NUMBER_INT16,
     .names = channels},
    {.name = "y",
     .title = "parameters, in units of their range",
     .axes = "c",
     .size = {COSMO_PARAMETERS},
     .floats = true,
     .least = -FLT_MAX,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .names = parameters},
};

static const struct layout layouts[] = {
    {.name = "cut", .place = {{{"x"}, "zyxc"}, {{"y"}, "c"}}},
    {.name = "raw", .cut = true, .place = {{{"full"}, "zyxc"}, {{"unitPar"}, "c"}}},
};

static const struct cosmo_own own[] = {{4.0, 8}, {2.0, 8}, {1.0, 1}};

/* standard: the published counts (MLPerf HPC: 524,288 + 65,536 cubes of
 * 128^3, cut from 512^3 cells of 1 Mpc/h, one particle a cell). The smaller
 * classes have fewer cells to learn from and get eight particles a cell: with
 * one, shot noise hides Omega_m for most of a run. Small looks at smaller
 * scales than tiny does, where log P(k) no longer says all: the network beats
 * the ridge there. */
static const struct data_class classes[] = {
    {.class = CLASS_TINY,
     .size = {0, 32, 32, 32},
     .train = 1024,
     .validation = 256,
     .cuts = 2,
     .deflate = 1,
     .deflates = 2.5,
     .seconds_per_1000 = 35,
     .own = &own[0]},
    {.class = CLASS_SMALL,
     .size = {0, 32, 32, 32},
     .train = 8192,
     .validation = 1024,
     .cuts = 2,
     .deflate = 1,
     .deflates = 2.4,
     .seconds_per_1000 = 35,
     .own = &own[1]},
    {.class = CLASS_STANDARD,
     .size = {0, 128, 128, 128},
     .train = 524288,
     .validation = 65536,
     .cuts = 4,
     .deflate = 6,
     .deflates = 5.4,
     .seconds_per_1000 = 4000,
     .own = &own[2]},
};

const struct science science_cosmo = {
    .name = "cosmo",
    .title = "N-body cubes",
    .version = 3,
    .seed = 1,
    .stem = "cube",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .layouts = layouts,
    .n_layouts = sizeof layouts / sizeof layouts[0],
    .classes = classes,
    .n_classes = sizeof classes / sizeof classes[0],
    .baselines = {"constant_mae", "ridge_mae"},
};

/* CosmoFlow's 2019 set: 30 % to either side of the Planck 2015 values. */
const struct cosmo_parameter cosmo_parameters[COSMO_PARAMETERS] = {
    {"Omega_m", 0.7 * 0.3089, 1.3 * 0.3089},
    {"sigma_8", 0.7 * 0.8159, 1.3 * 0.8159},
    {"N_spec", 0.7 * 0.9667, 1.3 * 0.9667},
    {"H_0", 0.7 * 67.74, 1.3 * 67.74},
};

const double cosmo_redshifts[COSMO_CHANNELS] = {3.0, 1.5, 0.5, 0.0};
