/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <math.h>
#include <stdio.h>

#include "workloads/view/array.h"
#include "workloads/view/view.h"

/* Of the difference between two masks. */
enum { NOTHING, RIGHT, MISSED, ALARM, OTHER, KINDS };

static const char *const kinds[KINDS] = {"both 0", "the same", "missed", "false alarm",
                                         "another class"};
static const uint32_t kind_colours[KINDS] = {0xe8e8e8, 0x009e73, 0xd55e00, 0xf0e442, 0xcc79a7};

/* The class with the largest logit at a place, ties to the lower one; *share: what
 * softmax gives it. */
static int called(const float *logits, int classes, uint64_t places, uint64_t j, double *share)
{
    double sum = 0;
    int k = 0;

    for (int i = 1; i < classes; i++)
        if (logits[(uint64_t)i * places + j] > logits[(uint64_t)k * places + j])
            k = i;
    for (int i = 0; i < classes; i++)
        sum += exp((double)logits[(uint64_t)i * places + j] -
                   (double)logits[(uint64_t)k * places + j]);
    *share = 1 / sum;
    return k;
}

/* Words: what is said, and how far from the truth. */
static void say_number(struct picture *p, const struct array *truth, const float *said)
{
    for (long c = 0; c < truth->channels; c++) {
        const char *name = truth->rank > 0 ? science_name(truth->field, c) : NULL;
        picture_line(p, "%s %s, predicted\t%.5g\tdifference %+.4f", truth->field->name,
                     name ? name : "", (double)said[c], (double)said[c] - (double)truth->values[c]);
    }
}

static void say_class(struct picture *p, const struct array *truth, const float *logits,
                      int classes)
{
    double share;
    const int k = called(logits, classes, 1, 0, &share);
    char says[96];

    array_word(says, sizeof says, truth->field, k);
    picture_line(p, "%s, predicted\t%s\tp = %.4f: %s", truth->field->name, says, share,
                 k == (int)truth->values[0] ? "right" : "wrong");
}

static int draw_numbers(struct picture *p, const struct array *truth, struct array *of,
                        const float *said, struct err *e)
{
    struct array_style style = {.what = "predicted", .least = INFINITY, .greatest = -INFINITY};

    for (uint64_t j = 0; j < of->n; j++) {
        of->values[j] = said[j];
        style.least = fmin(style.least, (double)truth->values[j]);
        style.greatest = fmax(style.greatest, (double)truth->values[j]);
    }
    if (of->channels > 1) /* of different units: each as its values are */
        style.least = style.greatest = 0;
    if (array_panels(p, of, &style, e) < 0)
        return -1;
    for (uint64_t j = 0; j < of->n; j++)
        of->values[j] -= truth->values[j];
    return array_panels(p, of, &(struct array_style){.what = "difference"}, e);
}

static int draw_classes(struct picture *p, const struct array *truth, struct array *of,
                        const float *logits, int classes, struct err *e)
{
    const struct array_style mask = {
        .what = "predicted", .classes = classes, .names = truth->field->names};
    const struct array_style difference = {
        .what = "difference", .classes = KINDS, .names = kinds, .colours = kind_colours};
    double share;

    for (uint64_t j = 0; j < of->n; j++)
        of->values[j] = (float)called(logits, classes, of->n, j, &share);
    if (array_panels(p, of, &mask, e) < 0)
        return -1;
    if (isnan(truth->values[0])) /* the file does not say what is right */
        return 0;
    for (uint64_t j = 0; j < of->n; j++) {
        const int is = (int)truth->values[j], says = (int)of->values[j];
        of->values[j] = (float)(is == says  ? is ? RIGHT : NOTHING
                                : says == 0 ? MISSED
                                : is == 0   ? ALARM
                                            : OTHER);
    }
    return array_panels(p, of, &difference, e);
}

int view_answer(struct picture *p, const struct answerer *a, const struct dataset_info *info,
                const void *sample, const float *said, struct err *e)
{
    const int classes = answerer_classes(a), k = answerer_component(a)->answers;
    struct array truth, of = {.values = NULL};
    int rc = array_init(&truth, info, sample, k, e);

    if (rc == 0 && truth.space == 0) {
        if (classes)
            say_class(p, &truth, said, classes);
        else
            say_number(p, &truth, said);
    } else if (rc == 0 && (rc = array_init(&of, info, sample, k, e)) == 0) {
        rc = classes ? draw_classes(p, &truth, &of, said, classes, e)
                     : draw_numbers(p, &truth, &of, said, e);
    }
    array_fini(&truth);
    array_fini(&of);
    return rc;
}
