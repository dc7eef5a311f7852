/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a record: where the time of a workload's training steps went. */
#include <config.h>

#include "reports/record/record_put.h"

/* What has no row of its own in one sum, so that the rows and it are all. */
static struct record_operators_rest rest_of(const struct workload_result *w, int shown)
{
    struct record_operators_rest rest = {.operators = w->profile.n_operators - shown};

    for (int i = shown; i < w->profile.n_operators; i++) {
        rest.calls += w->operators[i].calls;
        rest.seconds += w->operators[i].seconds;
        rest.flop += w->operators[i].flop;
        rest.needed_flop += w->operators[i].needed_flop;
        rest.bytes += w->operators[i].bytes;
    }
    return rest;
}

static int put_operators(cJSON *o, const struct workload_result *w, int shown,
                         const struct nulls *n)
{
    cJSON *list = put_array(o, "operators");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < shown; i++) {
        struct nulls at = nulls_at(n, "operators[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(list, row))
            return -1;
        rc = fields_put(row, record_operator_fields, &w->operators[i], &at);
    }
    return rc;
}

int record_put_profile(cJSON *o, const struct workload_result *w, const struct record_limits *limit,
                       const struct nulls *n)
{
    const int all = w->profile.n_operators;
    const int shown = all < limit->operators ? all : limit->operators;
    const struct record_operators_rest rest = rest_of(w, shown);
    struct nulls at = nulls_at(n, "profile"), below = nulls_at(n, "profile.others");
    cJSON *p, *others;

    if (w->profile.steps == 0)
        return put_null(o, "profile", "the run ended before its ranks could be asked", n);
    if (!(p = put_object(o, "profile")))
        return -1;
    int rc =
        fields_put(p, record_profile_fields, &w->profile, &at) | put_operators(p, w, shown, &at);
    others = put_object(p, "others");
    return others ? rc | fields_put(others, record_operators_rest_fields, &rest, &below) : -1;
}

int record_put_roofline(cJSON *o, const struct record_workload *w, const struct nulls *n)
{
    struct nulls at = nulls_at(n, "roofline"), low = nulls_at(n, "roofline.memory_low");
    cJSON *r;

    if (w->roofline.points == 0)
        return put_null(o, "roofline", RECORD_NO_ROOFLINE, n);
    if (!(r = put_object(o, "roofline")) ||
        (w->roofline.why[0] && put_reason(&low, w->roofline.why) < 0))
        return -1;
    return fields_put(r, record_roofline_fields, &w->roofline, &at);
}
