/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sample as a picture, by the tables of its science: fields with two axes of
 * space as panels, one for each channel; with three as their mean along the first
 * and their middle slice; with one as a strip; without any as words. Fields of few
 * whole numbers have colours and a legend. And what a network says, beside it.
 *
 * Life:    what is added is the picture's.
 * Failure: -1 and a sentence.
 * Threads: pure functions on the caller's picture.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "reports/draw/panels.h"
#include "workloads/component/answer.h"
#include "workloads/data/dataset.h"

/* Whole-number fields of so many different values are classes. */
enum { VIEW_CLASSES = 16 };

/* Adds field k of a sample's block. */
int view_field(struct picture *p, const struct dataset_info *info, const void *sample, int k,
               enum panel_scale scale, struct err *e);

/* Adds what the network says of its field, the sample's block being the truth: numbers
 * and their differences, classes and where they are not those of the truth. A
 * class 0 is what flaws are told from: a class that is not found there is missed, one
 * that is seen where there is none is a false alarm. said: of answerer_ask(). */
int view_answer(struct picture *p, const struct answerer *a, const struct dataset_info *info,
                const void *sample, const float *said, struct err *e);

#endif
