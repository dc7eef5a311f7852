/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Collisions as a calorimeter sees them: images of transverse energy, its
 * electromagnetic part, and tracks; signal or background; weights.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_SCIENCE_HEP_H
#define DATA_SCIENCE_HEP_H

#include "workloads/data/science.h"

/* Fields, in the order of the table. */
enum { HEP_IMAGE, HEP_LABEL, HEP_NORMWEIGHT, HEP_WEIGHT, HEP_PASSES };

enum { HEP_IMAGE_CHANNELS = 3 };

/* Baselines, in the order of the table. */
enum { HEP_HT_AUC, HEP_COUNT_AUC, HEP_LOGISTIC_AUC };

extern const struct science science_hep;

#endif
