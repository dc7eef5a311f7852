/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/view/view.h"

#include <stdio.h>

#include "workloads/view/array.h"

/* "weight   1   how much the picture counts" */
static void add_words(struct picture *p, const struct array *a, bool stored)
{
    for (long c = 0; c < a->channels; c++) {
        const char *name = a->rank > 0 ? science_name(a->field, c) : NULL;
        char value[96];
        array_word(value, sizeof value, a->field, (double)a->values[c]);
        if (name)
            picture_line(p, "%s %s\t%s\t%s", a->field->name, name, value, a->field->title);
        else if (a->rank > 0)
            picture_line(p, "%s %ld\t%s\t%s", a->field->name, c, value, a->field->title);
        else
            picture_line(p, "%s\t%s\t%s%s", a->field->name, value, a->field->title,
                         stored ? "" : " (not in the file: this is taken)");
    }
}

int view_field(struct picture *p, const struct dataset_info *info, const void *sample, int k,
               enum panel_scale scale, struct err *e)
{
    struct array a;
    int rc = array_init(&a, info, sample, k, e);

    if (rc == 0 && a.space == 0)
        add_words(p, &a, info->field[k].stored[0] != '\0');
    else if (rc == 0)
        rc = array_panels(p, &a,
                          &(struct array_style){.what = a.field->name,
                                                .row = a.space > 2,
                                                .scale = scale,
                                                .classes = a.classes,
                                                .names = a.field->names},
                          e);
    array_fini(&a);
    return rc;
}
