/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * High-energy physics, in the layouts of hep_cnn (Bhimji et al. 2017, arXiv
 * 1711.03573; NERSC): `data` with its labels and weights at the top of a file, or
 * the group `all_events` with a dataset a channel.
 *
 * `normweight` is the weight with both classes brought to the same sum, which
 * training and quality use; `weight` is the event's share of its class's cross
 * section. Negative weights (those of next-to-leading-order generators) are
 * refused: a weighted area under a curve has no meaning with them.
 */
#include <config.h>

#include "workloads/data/science_hep.h"

#include <float.h>

static const char *const channels[] = {"transverse energy [GeV]", "electromagnetic share", "tracks",
                                       NULL};
static const char *const classes_of_events[] = {"background", "signal", NULL};
static const char *const answers[] = {"no", "yes", NULL};

static const struct field fields[] = {
    {.name = "image",
     .title = "transverse energy [GeV], its electromagnetic part, tracks in each cell",
     .axes = "cyx",
     .size = {HEP_IMAGE_CHANNELS, 0, 0},
     .floats = true,
     .least = -FLT_MAX,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .names = channels},
    {.name = "label",
     .title = "0 background, 1 signal",
     .axes = "",
     .floats = true,
     .whole = true,
     .least = 0,
     .greatest = 1,
     .stored = NUMBER_FLOAT,
     .names = classes_of_events},
    {.name = "normweight",
     .title = "weight of the event, both classes with the same sum",
     .axes = "",
     .floats = true,
     .least = 0,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .optional = true,
     .fallback = 1},
    {.name = "weight",
     .title = "weight of the event in its class",
     .axes = "",
     .floats = true,
     .least = 0,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .optional = true,
     .fallback = 1},
    {.name = "psr",
     .title = "1: passes the analysis's own selection",
     .axes = "",
     .floats = true,
     .whole = true,
     .least = 0,
     .greatest = 1,
     .stored = NUMBER_FLOAT,
     .optional = true,
     .fallback = 1,
     .names = answers},
};

#define NUMBERS                                                                                    \
    {{"label"}, "n"}, {{"normweight"}, "n"}, {{"weight"}, "n"},                                    \
    {                                                                                              \
        {"psr"}, "n"                                                                               \
    }

static const struct layout layouts[] = {
    {.name = "flat", .place = {{{"data"}, "ncyx"}, NUMBERS}},
    {.name = "last", .place = {{{"data"}, "nyxc"}, NUMBERS}},
    {.name = "all_events",
     .place = {{{"all_events/hist", "all_events/histEM", "all_events/histtrack"}, "nyx"},
               {{"all_events/y"}, "n"},
               {{"all_events/normalized_weight"}, "n"},
               {{"all_events/weight"}, "n"},
               {{"all_events/passSR"}, "n"}}},
};

/* The published sets have 64 x 64 cells (and 224 x 224 of the same detector);
 * tiny sums 2 x 2 of them. The counts are ours: the published sets are not to be
 * had, and papers name other parts of them. */
static const struct data_class classes[] = {
    {.class = CLASS_TINY,
     .size = {0, 0, 32, 32},
     .train = 8192,
     .validation = 4096,
     .per_file = 1024,
     .per_chunk = 64,
     .deflate = 1,
     .deflates = 6.2,
     .seconds_per_1000 = 1},
    {.class = CLASS_SMALL,
     .size = {0, 0, 64, 64},
     .train = 65536,
     .validation = 16384,
     .per_file = 4096,
     .per_chunk = 32,
     .deflate = 1,
     .deflates = 17.5,
     .seconds_per_1000 = 1},
    {.class = CLASS_STANDARD,
     .size = {0, 0, 64, 64},
     .train = 1048576,
     .validation = 262144,
     .per_file = 4096,
     .per_chunk = 32,
     .deflate = 1,
     .deflates = 17.5,
     .seconds_per_1000 = 1},
};

const struct science science_hep = {
    .name = "hep",
    .title = "calorimeter images",
    .version = 1,
    .seed = 1,
    .stem = "events",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .layouts = layouts,
    .n_layouts = sizeof layouts / sizeof layouts[0],
    .classes = classes,
    .n_classes = sizeof classes / sizeof classes[0],
    .baselines = {"ht_auc", "njet_auc", "logistic_auc"},
};
