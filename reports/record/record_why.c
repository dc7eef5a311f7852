/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a record: the slowest path of a workload's steps, and what limited them. */
#include <config.h>

#include "reports/record/record_put.h"

static int put_path(cJSON *o, const char *name, const struct result_path *path, const char *none,
                    const struct nulls *n)
{
    struct nulls at = nulls_at(n, "%s", name);
    cJSON *p;

    if (path->steps == 0)
        return put_null(o, name, none, n);
    return (p = put_object(o, name)) ? fields_put(p, record_path_fields, path, &at) : -1;
}

static int put_causes(cJSON *o, const struct record_why *why, const struct nulls *n)
{
    cJSON *list = put_array(o, "causes");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < why->n_causes; i++) {
        struct nulls at = nulls_at(n, "causes[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(list, row))
            return -1;
        rc = fields_put(row, record_cause_fields, &why->causes[i], &at);
    }
    return rc;
}

static int put_yardstick(cJSON *o, const struct workload_result *r, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "yardstick");
    cJSON *p;

    if (r->yardstick.readings == 0)
        return put_null(o, "yardstick",
                        "the run ended before a second reading, or a rank had no memory for it", n);
    return (p = put_object(o, "yardstick"))
               ? fields_put(p, record_yardstick_fields, &r->yardstick, &at)
               : -1;
}

int record_put_why(cJSON *o, const struct record_workload *w, const struct nulls *n)
{
    const struct workload_result *r = &w->result;
    struct nulls clock_at = nulls_at(n, "clock"), why_at = nulls_at(n, "why");
    cJSON *clock = put_object(o, "clock"), *why;
    int rc =
        put_path(o, "path", &r->path, "there was no epoch after the first", n) |
        put_path(o, "first_path", &r->first_path, "the first epoch has fewer than two steps", n);

    if (!clock)
        return -1;
    rc |= fields_put(clock, record_clock_fields, &r->clock, &clock_at) | put_yardstick(o, r, n);
    if (!w->why.cause[0])
        return rc | put_null(o, "why", "the run ended before its ranks could be compared", n);
    if (!(why = put_object(o, "why")))
        return -1;
    return rc | fields_put(why, record_why_fields, &w->why, &why_at) |
           put_causes(why, &w->why, &why_at);
}
