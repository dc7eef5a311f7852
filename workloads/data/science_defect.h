/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inspection set: pictures of surfaces, what each pixel is, and how much a
 * picture counts.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_SCIENCE_DEFECT_H
#define DATA_SCIENCE_DEFECT_H

#include "workloads/data/science.h"

/* Fields, in the order of the table. */
enum { DEFECT_IMAGE, DEFECT_MASK, DEFECT_WEIGHT };

/* What a pixel of a mask says. Values are part of the data. */
enum flaw { FLAW_NONE, FLAW_SCRATCH, FLAW_PIT, FLAW_CRACK, FLAW_STAIN, FLAW_MISSING, FLAW_CLASSES };

extern const struct science science_defect;

#endif
