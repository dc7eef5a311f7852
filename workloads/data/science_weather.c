/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Climate and weather, in the layout of DeepCAM (Kurth et al. 2018, arXiv 1810.01993;
 * MLPerf HPC): a moment a file, `climate/data` float32 (768, 1152, 16), channels last,
 * `climate/labels_0` (768, 1152), and beside the parts `stats.h5` with each channel's
 * mean, mean square, least and most. Generated files also have `climate/boxes` float32
 * (15, 5) as ExtremeWeather has them (Racah et al. 2017), for a detector: rows of ymin,
 * xmin, ymax, xmax and class 0 tropical depression, 1 tropical cyclone, 2 extratropical
 * cyclone, 3 atmospheric river, unused rows -1.
 *
 * ExtremeWeather itself (climo_YYYY.h5: `images` float32 (1460, 16, 768, 1152), a year a
 * file, no folders of parts) has the channels and boxes, no masks: it can be looked at, and
 * a trained network be asked of it, but it is not trained on.
 *
 * Names of channels are those of generated files and of ExtremeWeather. DeepCAM's files do
 * not say in which order theirs are.
 */
#include <config.h>

#include "workloads/data/science_weather.h"

#include <float.h>
#include <math.h>

static const char *const channels[WEATHER_CHANNELS + 1] = {
    "PRECT [m/s]", "PS [Pa]",    "PSL [Pa]", "QREFHT [kg/kg]", "T200 [K]",   "T500 [K]",
    "TMQ [kg/m2]", "TREFHT [K]", "TS [K]",   "U850 [m/s]",     "UBOT [m/s]", "V850 [m/s]",
    "VBOT [m/s]",  "Z1000 [m]",  "Z200 [m]", "ZBOT [m]"};

static const char *const classes_of_places[] = {"background", "tropical cyclone",
                                                "atmospheric river", NULL};

static const struct field fields[] = {
    {.name = "data",
     .title = "sixteen channels of a climate model",
     .axes = "cyx",
     .size = {WEATHER_CHANNELS, 0, 0},
     .floats = true,
     .least = -FLT_MAX,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .names = channels},
    {.name = "labels",
     .title = "0 background, 1 tropical cyclone, 2 atmospheric river",
     .axes = "yx",
     .whole = true,
     .least = WEATHER_BACKGROUND,
     .greatest = WEATHER_CLASSES - 1,
     .stored = NUMBER_FLOAT,
     .optional = true,
     .fallback = NAN,
     .answer = true,
     .names = classes_of_places},
};

static const struct layout layouts[] = {
    {.name = "deepcam", .place = {{{"climate/data"}, "yxc"}, {{"climate/labels_0"}, "yx"}}},
    {.name = "extremeweather", .place = {{{"images"}, "ncyx"}, {{NULL}, NULL}}},
};

/* The published set has 121,266 and 15,158 moments of 768 x 1152 (8.8 TB); a
 * generated one of that size as many as --train and --validation say. */
static const struct data_class classes[] = {
    {.class = CLASS_TINY,
     .size = {0, 0, 48, 72},
     .train = 512,
     .validation = 128,
     .deflate = 0,
     .deflates = 1,
     .seconds_per_1000 = 45,
     .own = &(const struct weather_grid){48, 72, 2}},
    {.class = CLASS_SMALL,
     .size = {0, 0, 192, 288},
     .train = 512,
     .validation = 64,
     .deflate = 0,
     .deflates = 1,
     .seconds_per_1000 = 400,
     .own = &(const struct weather_grid){96, 144, 4}},
    {.class = CLASS_STANDARD,
     .size = {0, 0, 768, 1152},
     .train = 1024,
     .validation = 128,
     .deflate = 0,
     .deflates = 1,
     .seconds_per_1000 = 9000,
     .own = &(const struct weather_grid){192, 288, 8}},
};

const struct science science_weather = {
    .name = "weather",
    .title = "moments of weather",
    .version = 1,
    .seed = 1,
    .stem = "data",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .layouts = layouts,
    .n_layouts = sizeof layouts / sizeof layouts[0],
    .classes = classes,
    .n_classes = sizeof classes / sizeof classes[0],
    .baselines = {"constant_iou", "logistic_iou"},
    .side_files = {"stats.h5"},
};
