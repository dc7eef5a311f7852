/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/cosmo_classes.h"

#include <stddef.h>

/* standard: the published counts (MLPerf HPC: 524,288 + 65,536 cubes of
 * 128^3, cut from 512^3 cells of 1 Mpc/h, one particle a cell). The smaller
 * classes have fewer cells to learn from and get eight particles a cell: with
 * one, shot noise hides Omega_m for most of a run. Small looks at smaller
 * scales than tiny does, where log P(k) no longer says all: the network beats
 * the ridge there. */
static const struct cosmo_class classes[] = {
    {CLASS_TINY, 32, 4.0, 8, 1024, 256, 64, 1, 2.5, 35},
    {CLASS_SMALL, 32, 2.0, 8, 8192, 1024, 64, 1, 2.4, 35},
    {CLASS_STANDARD, 128, 1.0, 1, 524288, 65536, 512, 6, 5.4, 4000},
};

/* CosmoFlow's 2019 set: 30 % to either side of the Planck 2015 values. */
const struct cosmo_parameter cosmo_parameters[COSMO_PARAMETERS] = {
    {"Omega_m", 0.7 * 0.3089, 1.3 * 0.3089},
    {"sigma_8", 0.7 * 0.8159, 1.3 * 0.8159},
    {"N_spec", 0.7 * 0.9667, 1.3 * 0.9667},
    {"H_0", 0.7 * 67.74, 1.3 * 67.74},
};

const double cosmo_redshifts[COSMO_CHANNELS] = {3.0, 1.5, 0.5, 0.0};

const struct cosmo_class *cosmo_class_of(enum runspec_class class)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (classes[i].class == class)
            return &classes[i];
    return NULL;
}
