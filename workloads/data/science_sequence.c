/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences of weather: moments six hours apart on a grid of latitude and longitude,
 * float32 (n, t, y, x, variable) in one dataset, `weather`, as sets of reanalyses are
 * kept for learned forecasts (Rasp et al. 2020, arXiv 2002.00469). Rows go from 66 S to
 * 66 N, columns around the globe.
 */
#include <config.h>

#include "workloads/data/science_sequence.h"

#include <float.h>

static const char *const variables[SEQUENCE_VARIABLES + 1] = {
    "PSL [Pa]",       "U850 [m/s]", "V850 [m/s]", "PRECT [m/s]", "TS [K]",
    "QREFHT [kg/kg]", "T200 [K]",   "T500 [K]",   "TMQ [kg/m2]", "TREFHT [K]",
    "PS [Pa]",        "UBOT [m/s]", "VBOT [m/s]", "Z1000 [m]",   "Z200 [m]",
    "ZBOT [m]",       "U500 [m/s]", "V500 [m/s]", "U200 [m/s]",  "V200 [m/s]"};

static const struct field fields[] = {
    {.name = "weather",
     .title = "moments six hours apart, along z",
     .axes = "zyxc",
     .size = {SEQUENCE_MOMENTS, 0, 0, 0},
     .floats = true,
     .least = -FLT_MAX,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .names = variables},
};

static const struct layout layouts[] = {
    {.name = "sequences", .place = {{{"weather"}, "nzyxc"}}},
};

/* standard: a quarter of a degree, as published forecasters have it (Pathak et al. 2022:
 * 720 x 1440 x 20, arXiv 2202.11214); a sequence is 415 MB. */
static const struct data_class classes[] = {
    {.class = CLASS_TINY,
     .size = {SEQUENCE_FEW, 0, 32, 64},
     .train = 512,
     .validation = 128,
     .per_file = 8,
     .per_chunk = 1,
     .deflate = 0,
     .deflates = 1,
     .seconds_per_1000 = 70,
     .own = &(const struct weather_grid){32, 64, 1}},
    {.class = CLASS_SMALL,
     .size = {SEQUENCE_VARIABLES, 0, 64, 128},
     .train = 512,
     .validation = 64,
     .per_file = 8,
     .per_chunk = 1,
     .deflate = 0,
     .deflates = 1,
     .seconds_per_1000 = 500,
     .own = &(const struct weather_grid){64, 128, 2}},
    {.class = CLASS_STANDARD,
     .size = {SEQUENCE_VARIABLES, 0, 720, 1440},
     .train = 1024,
     .validation = 32,
     .per_file = 1,
     .per_chunk = 1,
     .deflate = 0,
     .deflates = 1,
     .seconds_per_1000 = 25000,
     .own = &(const struct weather_grid){180, 360, 8}},
};

const struct science science_sequence = {
    .name = "sequence",
    .title = "sequences of weather",
    .version = 1,
    .seed = 1,
    .stem = "sequences",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .layouts = layouts,
    .n_layouts = sizeof layouts / sizeof layouts[0],
    .classes = classes,
    .n_classes = sizeof classes / sizeof classes[0],
};
