/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/roofline_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/diagnose/roofline.h"
#include "reports/record/fields.h"

/* Of one workload; how many points are above. */
static int judge_one(const cJSON *doc, const cJSON *w, struct record_roofline *to)
{
    struct roofline r;

    roofline_read(&r, doc, (int)json_integer(w, "threads", 0, 1 << 20, 0));
    const struct roofline_count n = roofline_count(&r, doc, w);
    const struct memory_bound m = memory_bound(doc, w);
    *to = (struct record_roofline){
        .points = n.points,
        .above = n.above,
        .valid = n.above == 0,
        .share = roofline_floor(&r, w) * json_number(w, "profile.steps", 0) /
                 json_number(w, "profile.step_seconds", 0),
        .memory_low = m.low,
        .memory_high = m.high,
        .slow = m.slow,
    };
    memcpy(to->why, m.why, sizeof to->why);
    return n.above;
}

/* Rooflines are read from records: one that has what there is so far; NULL: no ceilings, or
 * out of memory. */
static cJSON *so_far(const struct record *r)
{
    char *json = r->n_micro > 0 && r->n_workloads > 0 ? record_to_json(r, NULL, NULL) : NULL;
    cJSON *doc = json ? cJSON_Parse(json) : NULL;

    free(json);
    return doc;
}

struct memory_bound roofline_memory(const struct record *r, int workload)
{
    cJSON *doc = so_far(r);
    const struct memory_bound m =
        memory_bound(doc, cJSON_GetArrayItem(json_at(doc, "workloads"), workload));

    cJSON_Delete(doc);
    return m;
}

int roofline_judge(struct record *r, char *text, size_t size)
{
    int above = 0;

    snprintf(text, size, "%s", "");
    if (r->n_micro == 0 || r->n_workloads == 0)
        return 0;
    cJSON *doc = so_far(r);
    for (int i = 0; i < r->n_workloads && doc; i++) {
        const cJSON *w = cJSON_GetArrayItem(json_at(doc, "workloads"), i);
        if (json_number(w, "profile.steps", 0) > 0)
            above += judge_one(doc, w, &r->workloads[i].roofline);
    }
    roofline_verdict(above, text, size);
    const int rc = doc ? 0 : -1;
    cJSON_Delete(doc);
    return rc;
}
