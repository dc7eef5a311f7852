/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Visual inspection. No layout is published that all sets share; ours is plain:
 * many pictures of a file, `images` and `masks` uint8 (n, H, W), `weight`
 * float32 (n).
 *
 * A line has 1 to 5 % flawed parts, so a true sample of some hundred pictures
 * would hold a handful. The set holds three flawed ones to each good one, and
 * weights of mean 1 that give the flawed ones 3 % of the whole. Weights count
 * where a statement is about the line (average precision); not in the loss, nor
 * in IoU, which is about pixels as they lie in the set. Among the flawed ones,
 * and among the good ones, all weights are the same, so recall and the share of
 * good ones that are rejected do not depend on them. A set without weights
 * counts as it is.
 */
#include <config.h>

#include "workloads/data/science_defect.h"

#include <float.h>

static const char *const flaws[FLAW_CLASSES + 1] = {"good",  "scratch", "pit",
                                                    "crack", "stain",   "missing part"};

static const struct field fields[] = {
    {.name = "image",
     .title = "grey levels",
     .axes = "yx",
     .least = 0,
     .greatest = 65535,
     .stored = NUMBER_UINT8},
    {.name = "mask",
     .title = "0 good, 1 scratch, 2 pit, 3 crack, 4 stain, 5 missing part",
     .axes = "yx",
     .whole = true,
     .least = FLAW_NONE,
     .greatest = FLAW_CLASSES - 1,
     .stored = NUMBER_UINT8,
     .names = flaws},
    {.name = "weight",
     .title = "how much the picture counts",
     .axes = "",
     .floats = true,
     .least = 0,
     .greatest = FLT_MAX,
     .stored = NUMBER_FLOAT,
     .optional = true,
     .fallback = 1},
};

static const struct layout layouts[] = {
    {.name = "plain", .place = {{{"images"}, "nyx"}, {{"masks"}, "nyx"}, {{"weight"}, "n"}}},
    {.name = "bare", .place = {{{"images"}, "nyx"}, {{"masks"}, "nyx"}, {{NULL}, NULL}}},
};

/* At least 128 good and 128 flawed pictures are there to judge by. */
static const struct data_class classes[] = {
    {.class = CLASS_TINY,
     .size = {0, 0, 64, 64},
     .train = 1024,
     .validation = 512,
     .per_file = 256,
     .per_chunk = 16,
     .deflate = 1,
     .deflates = 2.5,
     .seconds_per_1000 = 1},
    {.class = CLASS_SMALL,
     .size = {0, 0, 128, 128},
     .train = 2048,
     .validation = 512,
     .per_file = 128,
     .per_chunk = 8,
     .deflate = 1,
     .deflates = 2.5,
     .seconds_per_1000 = 4},
    {.class = CLASS_STANDARD,
     .size = {0, 0, 256, 256},
     .train = 16384,
     .validation = 2048,
     .per_file = 128,
     .per_chunk = 4,
     .deflate = 1,
     .deflates = 2.5,
     .seconds_per_1000 = 16},
};

const struct science science_defect = {
    .name = "defect",
    .title = "surfaces under inspection",
    .version = 1,
    .seed = 1,
    .stem = "surfaces",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .layouts = layouts,
    .n_layouts = sizeof layouts / sizeof layouts[0],
    .classes = classes,
    .n_classes = sizeof classes / sizeof classes[0],
    .baselines = {"constant_iou", "threshold_iou"},
};
