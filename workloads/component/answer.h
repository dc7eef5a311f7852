/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a trained network says of a sample: a checkpoint of checkpoint=FOLDER is
 * loaded into the network that it is of, and samples of a set are fed to it as an
 * evaluation feeds them (nothing is augmented, dropout is off, batch norm takes its
 * running statistics). What is said is the component's net.answer.
 *
 * Life:    open returns it, close frees it.
 * Failure: -1 / NULL and a sentence.
 * Threads: one at a time.
 */
#ifndef COMPONENT_ANSWER_H
#define COMPONENT_ANSWER_H

#include "workloads/component/harness.h"
#include "workloads/component/resume.h"

struct answerer;

/* workload: "" or the checkpoint's, else it is refused. The folder is a set: the
 * norms of the input are those of its training part. threads: 0: 1. */
struct answerer *answerer_open(const char *checkpoint, const char *workload, const char *folder,
                               enum dataset_split split, int threads, struct err *e);
void answerer_close(struct answerer *a);

const struct component *answerer_component(const struct answerer *a);
const struct resume_origin *answerer_origin(const struct answerer *a);

/* The part of the set that is asked about, with samples of the network's size. */
struct dataset *answerer_data(struct answerer *a);

/* Classes of the answer; 0: it is numbers. */
int answerer_classes(const struct answerer *a);

/* Of sample i: numbers in the order of the field's axes; or logits [classes][places
 * of the field]. Holds until the next call; NULL and a sentence. */
const float *answerer_ask(struct answerer *a, uint64_t i, struct err *e);

#endif
