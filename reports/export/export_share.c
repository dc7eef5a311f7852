/* SPDX-License-Identifier: BSD-3-Clause */
/* What sinks share: a record's parts, times and numbers. */
#include <config.h>

#include "reports/export/export.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/record/fields.h"

const cJSON *export_workload(const struct export *x, const cJSON *doc, int *i)
{
    const cJSON *workloads = json_at(doc, "workloads");

    while (*i < cJSON_GetArraySize(workloads)) {
        const cJSON *w = cJSON_GetArrayItem(workloads, (*i)++);
        if (cJSON_IsObject(w) &&
            (!x->workload || strcmp(json_text(w, "name", ""), x->workload) == 0))
            return w;
    }
    return NULL;
}

double export_time(const char *utc)
{
    struct tm tm = {0};
    double seconds = 0;
    int n = 0;

    if (sscanf(utc, "%4d-%2d-%2dT%2d:%2d:%lfZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &seconds, &n) != 6 ||
        n == 0 || utc[n] || !(seconds >= 0 && seconds < 61))
        return NAN;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t t = timegm(&tm);
    return t == (time_t)-1 ? NAN : (double)t + seconds;
}

double export_seconds(const cJSON *o, const char *path)
{
    double v = json_number(o, path, 0);

    return isfinite(v) && v > 0 ? v : 0;
}

double export_evaluation(const cJSON *workload)
{
    const cJSON *row;
    int n = 0;

    cJSON_ArrayForEach(row, json_at(workload, "epochs")) n +=
        cJSON_IsNumber(json_at(row, "quality"));
    return n ? export_seconds(workload, "phases.evaluation.median_seconds") / n : 0;
}

void export_number_text(char text[EXPORT_NUMBER_SIZE], double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, EXPORT_NUMBER_SIZE, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
}

void export_number(FILE *f, double v)
{
    char text[EXPORT_NUMBER_SIZE];

    export_number_text(text, v);
    fputs(text, f);
}

int export_line(struct export *x, cJSON *o, struct err *e)
{
    char *text = o ? cJSON_PrintUnformatted(o) : NULL;

    cJSON_Delete(o);
    if (!text)
        return err_set(e, "out of memory");
    fprintf(x->f, "%s\n", text);
    free(text);
    return 0;
}
