/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Weather as it goes on: moments six hours apart, for forecasts.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_SCIENCE_SEQUENCE_H
#define DATA_SCIENCE_SEQUENCE_H

#include "workloads/data/science_weather.h"

/* Fields, in the order of the table. */
enum { SEQUENCE_WEATHER };

/* Hours from one moment to the next, and moments of a sequence. */
enum { SEQUENCE_HOURS = 6, SEQUENCE_MOMENTS = 5 };

/* Variables, in their order; tiny has the first six. */
enum sequence_variable {
    SEQUENCE_PSL,
    SEQUENCE_U850,
    SEQUENCE_V850,
    SEQUENCE_PRECT,
    SEQUENCE_TS,
    SEQUENCE_QREFHT,
    SEQUENCE_FEW,
    SEQUENCE_T200 = SEQUENCE_FEW,
    SEQUENCE_T500,
    SEQUENCE_TMQ,
    SEQUENCE_TREFHT,
    SEQUENCE_PS,
    SEQUENCE_UBOT,
    SEQUENCE_VBOT,
    SEQUENCE_Z1000,
    SEQUENCE_Z200,
    SEQUENCE_ZBOT,
    SEQUENCE_U500,
    SEQUENCE_V500,
    SEQUENCE_U200,
    SEQUENCE_V200,
    SEQUENCE_VARIABLES
};

extern const struct science science_sequence;

#endif
