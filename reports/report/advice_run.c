/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/advice_run.h"

#include <math.h>
#include <string.h>

#include "reports/core/runspec.h"
#include "reports/diagnose/memory_bound.h"
#include "reports/record/fields.h"
#include "reports/record/steps_file.h"

/* By what factor samples per second grew at most without something; NAN. */
static double most_gain(const cJSON *w, const char *arm)
{
    const double most = recorded_arm(w, arm, true);
    return most < 1 ? 1 / (1 - most) : NAN;
}

/* How many workloads before this one have its name. */
static int same_before(const cJSON *record, const cJSON *work, const char *name)
{
    const cJSON *w;
    int n = 0;

    cJSON_ArrayForEach(w, json_at(record, "workloads"))
    {
        if (w == work)
            break;
        n += strcmp(json_text(w, "name", ""), name) == 0;
    }
    return n;
}

int advice_run_find(const struct steps_file *f, const cJSON *record, const cJSON *work)
{
    const char *name = json_text(work, "name", "");
    int n, before = same_before(record, work, name);
    const struct steps_workload *w = steps_file_workloads(f, &n);

    for (int i = 0; i < n; i++)
        if (strcmp(w[i].name, name) == 0 && before-- == 0)
            return i;
    return -1;
}

int advice_run_open(struct advice_run *r, struct steps_file *f, int workload, const cJSON *record,
                    const cJSON *work, struct err *e)
{
    int workers = 0, ahead = 0; /* not said */
    struct runspec spec;

    if (runspec_parse(&spec, json_text(record, "run.canonical", ""), NULL) == 0) {
        workers = spec.workers;
        ahead = spec.ahead;
    }
    if (recorded_read(&r->recorded, f, workload, work, workers, ahead, e) < 0 ||
        predict_open(&r->predictor, &r->recorded.series, e) < 0) {
        recorded_fini(&r->recorded);
        return -1;
    }
    quality_read(&r->quality, work, json_text(record, "run.canonical", ""));
    r->predictor.ablation.network = most_gain(work, "empty_exchange");
    r->predictor.ablation.input = most_gain(work, "data_from_memory");
    return 0;
}

void advice_run_ceilings(struct advice_run *r, const cJSON *ceilings, const cJSON *work)
{
    struct series *s = &r->recorded.series;

    if (isfinite(s->memory_low))
        return;
    const struct memory_bound m = memory_bound(ceilings, work);
    s->memory_low = m.low;
    s->memory_high = m.high;
}

void advice_run_close(struct advice_run *r)
{
    predict_close(&r->predictor);
    recorded_fini(&r->recorded);
}
