/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/export/export_job.h"

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/core/result.h"

int job_put(cJSON *o, const char *name, const cJSON *doc, const char *path)
{
    const cJSON *v = json_at(doc, path);

    if (!v || cJSON_IsNull(v) || v->child)
        return 0;
    return cJSON_AddItemToObject(o, name, cJSON_Duplicate(v, 0)) ? 0 : -1;
}

int job_put_number(cJSON *o, const char *name, double v)
{
    return isfinite(v) ? put_number(o, name, v, NULL, NULL) : 0;
}

double job_whole(double v)
{
    return isfinite(v) ? floor(v + 0.5) : v;
}

double job_of_all_nodes(const cJSON *doc, const char *path)
{
    double n = json_number(doc, path, NAN) * json_number(doc, "system.node_count", NAN);

    return cJSON_IsTrue(json_at(doc, "job.exclusive")) && n > 0 ? n : NAN;
}

const char *job_state(const cJSON *doc)
{
    const char *status = json_text(doc, "status", "");

    return strcmp(status, status_name(RUN_COMPLETE)) == 0  ? "completed"
           : strcmp(status, status_name(RUN_PARTIAL)) == 0 ? "stopped"
                                                           : "failed";
}

int job_hosts(const cJSON *doc, const char *host[JOB_MAX_HOSTS])
{
    const cJSON *node;
    int n = 0;

    cJSON_ArrayForEach(node, json_at(doc, "job.nodes"))
    {
        if (cJSON_IsString(node) && n < JOB_MAX_HOSTS)
            host[n++] = node->valuestring;
    }
    return n;
}
