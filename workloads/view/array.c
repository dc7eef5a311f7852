/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/view/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/view/view.h"

/* Channels without space that are still words. */
enum { WORDS = 12 };

int array_init(struct array *a, const struct dataset_info *info, const void *sample, int k,
               struct err *e)
{
    const struct dataset_field *f = &info->field[k];
    const struct field *field = &info->science->fields[k];
    const double levels = field->greatest - field->least + 1;

    *a = (struct array){.field = field, .rank = f->rank, .n = f->values, .channels = 1};
    snprintf(a->axes, sizeof a->axes, "%s", field->axes);
    for (int i = 0; i < f->rank; i++) {
        a->dims[i] = f->dims[i];
        if (a->axes[i] == 'c')
            a->channels = f->dims[i];
        else
            a->space++;
    }
    if (a->space == 0 && a->channels > WORDS) { /* many numbers: a strip */
        a->axes[0] = 'x';
        a->channels = a->space = 1;
    }
    if (field->whole && field->least == 0 && levels > 1 && levels <= VIEW_CLASSES)
        a->classes = (int)levels;
    a->values = malloc(a->n * sizeof *a->values);
    if (!a->values)
        return err_set(e, "no memory for %llu values of '%s'", (unsigned long long)a->n,
                       field->name);
    for (uint64_t j = 0; j < a->n; j++)
        a->values[j] = (float)dataset_value(info, sample, k, j);
    return 0;
}

void array_fini(struct array *a)
{
    free(a->values);
    a->values = NULL;
}

/* Along the axes of space, first to last, and of channels: how many, and values from
 * one to the next. An axis that is not there is 1 long. */
struct walk {
    long size[3], stride[3], channel;
    char letter[3]; /* 0: not there */
};

static struct walk walk_of(const struct array *a)
{
    struct walk w = {.size = {1, 1, 1}, .channel = 0};
    long stride = 1;
    int at = 2; /* the last axis of space is to the right */

    for (int i = a->rank - 1; i >= 0; i--) {
        if (a->axes[i] == 'c') {
            w.channel = stride;
        } else {
            w.size[at] = a->dims[i];
            w.stride[at] = stride;
            w.letter[at--] = a->axes[i];
        }
        stride *= a->dims[i];
    }
    return w;
}

/* Layers from..from+count-1 of the first axis of three, their mean. */
static void fill(struct panel *p, const struct array *a, const struct walk *w, long channel,
                 long from, long count)
{
    for (long y = 0; y < w->size[1]; y++)
        for (long x = 0; x < w->size[2]; x++) {
            double sum = 0;
            for (long z = from; z < from + count; z++)
                sum += (double)a->values[channel * w->channel + z * w->stride[0] +
                                         y * w->stride[1] + x * w->stride[2]];
            p->values[y * w->size[2] + x] = (float)(sum / (double)count);
        }
}

static int add_plane(struct picture *p, const struct array *a, const struct array_style *style,
                     long channel, long from, long count, const char *note, struct err *e)
{
    const struct walk w = walk_of(a);
    const char *name = a->classes ? NULL : science_name(a->field, channel);
    struct panel *panel = picture_panel(p, w.size[1], w.size[2], e);
    char number[32] = "";

    if (!panel)
        return -1;
    if (!name && a->channels > 1) {
        snprintf(number, sizeof number, "channel %ld", channel);
        name = number;
    }
    if (!name && !style->classes) /* the legend says it of classes */
        name = a->field->title;
    snprintf(panel->title, sizeof panel->title, "%s%s%s", style->what, name ? ": " : "",
             name ? name : "");
    snprintf(panel->note, sizeof panel->note, "%s", note);
    panel->axis[0] = w.letter[1];
    panel->axis[1] = w.letter[2];
    panel->scale = style->scale;
    panel->least = style->least;
    panel->greatest = style->greatest;
    panel->classes = style->classes;
    panel->names = style->names;
    panel->colours = style->colours;
    fill(panel, a, &w, channel, from, count);
    return 0;
}

int array_panels(struct picture *p, const struct array *a, const struct array_style *style,
                 struct err *e)
{
    const struct walk w = walk_of(a);
    const long layers = w.size[0];
    const int first = p->n_panels;
    char note[64] = "";

    /* Of classes there is no mean. */
    for (long c = 0; layers > 1 && !style->classes && c < a->channels; c++) {
        snprintf(note, sizeof note, "mean along %c", w.letter[0]);
        if (add_plane(p, a, style, c, 0, layers, note, e) < 0)
            return -1;
    }
    const int slices = p->n_panels;
    for (long c = 0; c < a->channels; c++) {
        if (layers > 1)
            snprintf(note, sizeof note, "slice %c = %ld", w.letter[0], layers / 2);
        if (add_plane(p, a, style, c, layers / 2, 1, note, e) < 0)
            return -1;
    }
    p->panel[first].row = style->row;
    if (slices > first)
        p->panel[slices].row = true;
    return 0;
}

void array_word(char *text, size_t size, const struct field *field, double value)
{
    const char *name = field->whole ? science_name(field, (long)(value - field->least)) : NULL;

    if (name)
        snprintf(text, size, "%s (%g)", name, value);
    else
        snprintf(text, size, "%.5g", value);
}
