/* SPDX-License-Identifier: BSD-3-Clause */
/* Values and classes, one more: below the reading of lines and of links. */
#include <config.h>

#include <stdlib.h>

#include "reports/validate/json_line.h"
#include "reports/validate/past_inner.h"

int past_add_value(struct past *p, struct value v)
{
    void *more = json_line_room(p->values, p->n, &p->room, sizeof *p->values);
    if (!more)
        return -1;
    p->values = more;
    p->values[p->n++] = v;
    return 0;
}

static int room_for_classes(struct past *p)
{
    if (p->newest_room >= p->classes.n)
        return 0;
    int *more = realloc(p->newest, (size_t)p->classes.room * sizeof *more);
    if (!more)
        return -1;
    for (int i = p->newest_room; i < p->classes.room; i++)
        more[i] = -1;
    p->newest = more;
    p->newest_room = p->classes.room;
    return 0;
}

int past_add_class(struct past *p, const char *class)
{
    const int is = names_add(&p->classes, class);

    return is < 0 || room_for_classes(p) < 0 ? -1 : is;
}
