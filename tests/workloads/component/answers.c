/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * answers CHECKPOINT SET: what a network says of each validation sample, a line for
 * each number ("truth said"), each place of a mask ("truth class"), or each sample of
 * a class ("truth score weight": the last logit less the first, and the sample's third
 * field, or 1).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "workloads/component/answer.h"

static void print(const struct dataset_info *info, const void *sample, const struct answerer *a,
                  const float *said)
{
    const int k = answerer_component(a)->answers, classes = answerer_classes(a);
    const uint64_t n = info->field[k].values;

    for (uint64_t j = 0; j < n; j++) {
        const double truth = dataset_value(info, sample, k, j);
        int most = 0;
        for (int i = 1; i < classes; i++)
            most = said[(uint64_t)i * n + j] > said[(uint64_t)most * n + j] ? i : most;
        if (!classes)
            printf("%.9g %.9g\n", truth, (double)said[j]);
        else if (n > 1)
            printf("%g %d\n", truth, most);
        else
            printf("%g %.9g %.9g\n", truth, (double)said[classes - 1] - (double)said[0],
                   info->science->n_fields > 2 ? dataset_value(info, sample, 2, 0) : 1);
    }
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct answerer *a =
        argc == 3 ? answerer_open(argv[1], "", argv[2], DATASET_VALIDATION, 1, &e) : NULL;
    void *sample = NULL;
    int rc = a ? 0 : -1;

    if (a && posix_memalign(&sample, 64, dataset_info(answerer_data(a))->sample_bytes))
        rc = err_set(&e, "no memory for a sample");
    for (uint64_t i = 0; rc == 0 && i < dataset_info(answerer_data(a))->samples; i++) {
        const float *said = answerer_ask(a, i, &e);
        if (!said || dataset_read(answerer_data(a), i, sample, NULL, &e) < 0)
            rc = -1;
        else
            print(dataset_info(answerer_data(a)), sample, a, said);
    }
    if (rc < 0)
        fprintf(stderr, "answers: %s\n", e.text);
    free(sample);
    answerer_close(a);
    return rc < 0;
}
