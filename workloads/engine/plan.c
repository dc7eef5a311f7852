/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/plan.h"

#include <stdlib.h>

/* Numbers of slots, larger ones first; equal ones in order, so that the same
 * graph always gives the same plan. */
static void order_by_size(const struct plan_slot *s, int *order, int n)
{
    for (int i = 0; i < n; i++) {
        int at = i;

        for (; at > 0 && s[order[at - 1]].bytes < s[i].bytes; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static bool overlap_in_time(const struct plan_slot *a, const struct plan_slot *b)
{
    return a->first <= b->last && b->first <= a->last && a->first <= a->last && b->first <= b->last;
}

static bool overlap_in_memory(const struct plan_slot *a, const struct plan_slot *b)
{
    return a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

/* The lowest offset at which slot `me` meets none of the placed ones: either
 * 0, or the end of one of them. */
static size_t lowest(const struct plan_slot *s, const int *placed, int n, int me)
{
    struct plan_slot try = s[me];
    bool moved = true;

    try.offset = 0;
    while (moved) {
        size_t next = (size_t)-1;

        moved = false;
        for (int i = 0; i < n; i++) {
            const struct plan_slot *o = &s[placed[i]];

            if (overlap_in_time(o, &try) && overlap_in_memory(o, &try)) {
                size_t end = o->offset + plan_align(o->bytes);

                if (end < next)
                    next = end;
                moved = true;
            }
        }
        if (moved)
            try.offset = next;
    }
    return try.offset;
}

size_t plan_place(struct plan_slot *s, int n, bool reuse)
{
    size_t size = 0;
    int *order = calloc((size_t)n + 1, sizeof *order);
    int placed = 0;

    if (!order)
        reuse = false;
    else
        order_by_size(s, order, n);
    for (int i = 0; i < n; i++) {
        int me = order ? order[i] : i;

        if (s[me].first > s[me].last || s[me].bytes == 0) {
            s[me].offset = 0;
            continue;
        }
        s[me].offset = reuse ? lowest(s, order, placed, me) : size;
        if (order)
            order[placed++] = me;
        if (s[me].offset + plan_align(s[me].bytes) > size)
            size = s[me].offset + plan_align(s[me].bytes);
    }
    free(order);
    return size;
}

bool plan_conflict(const struct plan_slot *s, int n, int pair[2])
{
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (overlap_in_time(&s[i], &s[j]) && overlap_in_memory(&s[i], &s[j])) {
                pair[0] = i;
                pair[1] = j;
                return true;
            }
    return false;
}
