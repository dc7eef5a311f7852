/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Climate and weather: sixteen channels of a climate model's moment, and what each
 * place is part of.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_SCIENCE_WEATHER_H
#define DATA_SCIENCE_WEATHER_H

#include "workloads/data/science.h"

/* Fields, in the order of the table. */
enum { WEATHER_DATA, WEATHER_LABELS };

/* CAM5's, in the order of ExtremeWeather's (and their own name's). */
enum weather_channel {
    WEATHER_PRECT,
    WEATHER_PS,
    WEATHER_PSL,
    WEATHER_QREFHT,
    WEATHER_T200,
    WEATHER_T500,
    WEATHER_TMQ,
    WEATHER_TREFHT,
    WEATHER_TS,
    WEATHER_U850,
    WEATHER_UBOT,
    WEATHER_V850,
    WEATHER_VBOT,
    WEATHER_Z1000,
    WEATHER_Z200,
    WEATHER_ZBOT,
    WEATHER_CHANNELS
};

/* What a place is part of. Values are part of the data. */
enum weather_class { WEATHER_BACKGROUND, WEATHER_CYCLONE, WEATHER_RIVER, WEATHER_CLASSES };

/* Of a box, as ExtremeWeather has them. */
enum weather_object { OBJECT_DEPRESSION, OBJECT_CYCLONE, OBJECT_LOW, OBJECT_RIVER };

/* The boxes of a moment: rows of ymin, xmin, ymax, xmax, class; unused ones are -1. */
enum { WEATHER_BOXES = 15, WEATHER_BOX = 5 };

/* Index of a baseline in the manifest. */
enum { WEATHER_CONSTANT_IOU, WEATHER_LOGISTIC_IOU };

/* A class's own: the grid that the wind is computed on, which the picture's is as fine
 * as or finer, and its steps in three hours. */
struct weather_grid {
    int flow_ny, flow_nx, steps;
};

extern const struct science science_weather;

#endif
