/* SPDX-License-Identifier: BSD-3-Clause */
/* A science of the tests: three numbers, and their mean. */
#include <config.h>

#include "workloads/data/science.h"

extern const struct science science_nothing;

static const struct field fields[] = {
    {.name = "x",
     .title = "three numbers",
     .axes = "c",
     .size = {3},
     .floats = true,
     .least = -1,
     .greatest = 1,
     .stored = NUMBER_FLOAT},
    {.name = "mean",
     .title = "their mean",
     .axes = "",
     .floats = true,
     .least = -1,
     .greatest = 1,
     .stored = NUMBER_FLOAT},
};

static const struct layout layouts[] = {
    {.name = "plain", .place = {{{"x"}, "nc"}, {{"mean"}, "n"}}},
};

static const struct data_class classes[] = {
    {.class = CLASS_TINY,
     .train = 256,
     .validation = 64,
     .per_file = 32,
     .per_chunk = 8,
     .deflates = 1,
     .seconds_per_1000 = 1},
};

const struct science science_nothing = {
    .name = "nothing",
    .title = "three numbers",
    .version = 1,
    .seed = 1,
    .stem = "numbers",
    .fields = fields,
    .n_fields = 2,
    .layouts = layouts,
    .n_layouts = 1,
    .classes = classes,
    .n_classes = 1,
    .baselines = {"constant_mae"},
};
