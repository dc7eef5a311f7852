/* SPDX-License-Identifier: BSD-3-Clause */
/* What a person asks of a workload's run. */
#include <config.h>

#include "reports/tools/show_verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/result.h"
#include "reports/record/fields.h"
#include "reports/tools/show_text.h"

/* Threads that have less of a processor than this starve. */
static const double starved = 0.75;

static void add(char *text, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *fmt, ...)
{
    size_t n = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + n, size - n, fmt, ap);
    va_end(ap);
}

const char *verdict_longest(const cJSON *workload, double *part)
{
    const cJSON *phase;
    const char *name = NULL;
    double sum = 0, most = 0;

    cJSON_ArrayForEach(phase, json_at(workload, "phases"))
    {
        double v = json_number(phase, "median_seconds", 0);
        if (!(v > 0) || !isfinite(v) || !phase->string)
            continue;
        sum += v;
        if (v > most) {
            most = v;
            name = phase->string;
        }
    }
    *part = sum > 0 ? most / sum : 0;
    return name;
}

double verdict_cpu_share(const cJSON *workload)
{
    double cpu = json_number(workload, "counters.cpu_user_seconds.total", NAN) +
                 json_number(workload, "counters.cpu_system_seconds.total", NAN);
    double counted = json_number(workload, "counters.cpu_user_seconds.ranks.counted",
                                 json_number(workload, "ranks", NAN));
    double all = counted * json_number(workload, "threads", NAN) *
                 json_number(workload, "wall_seconds", NAN);

    return all > 0 ? cpu / all : NAN;
}

double verdict_au(const cJSON *workload)
{
    double compute = json_number(workload, "phases.compute.median_seconds", NAN) +
                     json_number(workload, "phases.withheld.median_seconds", 0) +
                     json_number(workload, "phases.exchange_cpu.median_seconds", 0) +
                     json_number(workload, "phases.update.median_seconds", 0);
    double wait = json_number(workload, "phases.input_wait.median_seconds", NAN);

    return compute + wait > 0 ? compute / (compute + wait) : NAN;
}

const char *verdict_vflops(const cJSON *workload)
{
    double flops = json_number(workload, "performance.flop_per_second", NAN);
    double vflops = json_number(workload, "performance.vflops.n5", NAN);

    if (!isfinite(flops) || !isfinite(vflops))
        return "";
    return vflops > flops   ? "more than FLOP/s: the quality is better than its target"
           : vflops < flops ? "less than FLOP/s: the quality is worse than its target"
                            : "";
}

/* The field's own method is better than what was learnt. */
static bool is_worse(const cJSON *w, double achieved)
{
    double field = json_number(w, "quality.baseline_domain.value", NAN);
    bool higher = cJSON_IsTrue(json_at(w, "quality.higher_is_better"));

    return higher ? achieved < field : achieved > field;
}

static void add_quality(const cJSON *w, char *text, size_t size)
{
    const char *metric = json_text(w, "quality.metric", NULL);
    double achieved = show_number(w, "quality.achieved"), target = show_number(w, "quality.target");
    double epoch = show_number(w, "quality.epochs_to_target");

    if (!metric || !isfinite(achieved)) {
        add(text, size, "no quality was measured");
        return;
    }
    add(text, size, "%s %.32s %s (target %s)", isfinite(epoch) ? "reached" : "NOT reached", metric,
        show_plain(achieved).text, show_plain(target).text);
    if (isfinite(epoch))
        add(text, size, " in epoch %.0f", epoch);
    if (is_worse(w, achieved))
        add(text, size, "; worse than %.48s (%s)",
            json_text(w, "quality.baseline_domain.name", "the field's own method"),
            show_plain(show_number(w, "quality.baseline_domain.value")).text);
}

void verdict_text(const cJSON *w, char *text, size_t size)
{
    double part, share = verdict_cpu_share(w);
    const char *longest = verdict_longest(w, &part);
    const char *status = json_text(w, "status", "");

    text[0] = '\0';
    if (strcmp(status, "partial") == 0)
        add(text, size, "stopped early: ");
    else if (strcmp(status, "crashed") == 0)
        add(text, size, "crashed: ");
    add_quality(w, text, size);
    if (longest)
        add(text, size, "; %.0f %% of the time was %.24s", 100 * part, longest);
    if (share < starved)
        add(text, size, "; starved: its threads had a CPU for %.0f %% of the time", 100 * share);
}

/* ---- reasons ---- */

static int most_first(const void *a, const void *b)
{
    const struct reason_group *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->reason, y->reason);
}

static struct reason_group *group_of(struct reason_group *groups, int *n, const char *reason)
{
    for (int i = 0; i < *n; i++)
        if (strcmp(groups[i].reason, reason) == 0)
            return &groups[i];
    groups[*n] = (struct reason_group){.reason = reason};
    return &groups[(*n)++];
}

struct reason_group *verdict_reasons(const cJSON *reasons, int *n_groups, int *n_values)
{
    struct reason_group *groups = calloc((size_t)cJSON_GetArraySize(reasons) + 1, sizeof *groups);
    const cJSON *reason;

    *n_groups = *n_values = 0;
    if (!groups)
        return NULL;
    cJSON_ArrayForEach(reason, reasons)
    {
        if (!cJSON_IsString(reason) || !reason->string || strcmp(reason->string, "status") == 0 ||
            strcmp(reason->string, "valid") == 0)
            continue;
        struct reason_group *g = group_of(groups, n_groups, reason->valuestring);
        if (g->n < VERDICT_PATHS)
            g->paths[g->n] = reason->string;
        g->n++;
        (*n_values)++;
    }
    qsort(groups, (size_t)*n_groups, sizeof *groups, most_first);
    return groups;
}
