/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/say.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/comm/comm_mpi.h"

void say_cost(struct run *r)
{
    char text[RUNSPEC_MAX_BYTES + 256], a[32], b[32];
    int nodes = comm_mpi_nodes(r->comm);
    double expected = fmin(r->plan.expected_seconds, r->spec.time_seconds);

    snprintf(text, sizeof text,
             "%s: %d rank%s x %d thread%s on %d node%s, about %s expected (%.2g node-hours), "
             "%s at most",
             r->o.run, r->comm->size, r->comm->size == 1 ? "" : "s", r->threads,
             r->threads == 1 ? "" : "s", nodes, nodes == 1 ? "" : "s", plan_seconds(a, expected),
             expected / 3600 * nodes, plan_seconds(b, r->spec.time_seconds));
    progress_say(&r->progress, text);
}

/* What a person may want to change before it runs. */
void say_plan(struct run *r)
{
    char text[256];

    plan_choice(&r->plan, &r->spec, text, sizeof text);
    if (text[0])
        progress_say(&r->progress, text);
    if (plan_too_long(&r->plan, &r->spec, text, sizeof text))
        progress_say(&r->progress, text);
}

/* Threads that share a core slow each other down, and the rank's binding is
 * not something that its user sees: Open MPI binds one rank to one core. */
void say_crowded(struct run *r)
{
    char text[256];

    if (r->spec.threads <= r->resources.cores)
        return;
    snprintf(text, sizeof text,
             "threads=%d, but a rank is bound to %d core%s: its threads take turns; give it more "
             "(mpirun --bind-to none, srun -c %d) or leave threads= out",
             r->spec.threads, r->resources.cores, r->resources.cores == 1 ? "" : "s",
             r->spec.threads);
    progress_say(&r->progress, text);
}

/* Sentence of a workload's end, for a person. */
void say_result(struct run *r, const struct workload_result *w)
{
    char text[384], t[32], rate[48] = "";

    if (w->samples_per_second.reason == NULL)
        snprintf(rate, sizeof rate, ", %.4g samples/s", w->samples_per_second.value);
    if (w->epochs_to_target > 0 && !w->time_to_quality_seconds.reason)
        snprintf(text, sizeof text, "%s: %s %.4g reached the target %.4g in %s, %d epoch%s%s",
                 w->name, w->metric, w->achieved.value, w->target,
                 plan_seconds(t, w->time_to_quality_seconds.value), w->epochs_to_target,
                 w->epochs_to_target == 1 ? "" : "s", rate);
    else if (!w->achieved.reason)
        snprintf(text, sizeof text, "%s: %s %.4g of target %.4g%s%s%s", w->name, w->metric,
                 w->achieved.value, w->target, rate, w->reason[0] ? ": " : "", w->reason);
    else
        snprintf(text, sizeof text, "%s: %s", w->name,
                 w->reason[0] ? w->reason : w->achieved.reason);
    progress_say(&r->progress, text);
    if (w->epochs_to_target > 0 && !w->valid && w->reason[0]) {
        snprintf(text, sizeof text, "%s is not valid: %s", w->name, w->reason);
        progress_say(&r->progress, text);
    }
}

void say_why(struct run *r, const struct record_why *why)
{
    char text[sizeof why->reason + 16];

    snprintf(text, sizeof text, "Verdict: %s", why->verdict);
    progress_say(&r->progress, text);
    snprintf(text, sizeof text, "Why: %s", why->reason);
    progress_say(&r->progress, text);
    snprintf(text, sizeof text, "Next: %s", why->next);
    progress_say(&r->progress, text);
}

/* The drop folder is gone after the job: where the user finds his record then. */
void say_copy(struct run *r)
{
    char text[PATH_MAX + RECORD_ID_SIZE + 64];

    if (strcmp(r->place.record, r->place.drop) != 0)
        return;
    if (r->place.left[0])
        snprintf(text, sizeof text, "your copy: %s", r->place.left);
    else
        snprintf(text, sizeof text,
                 "the record stays there until the job ends; after that: hpcai500 show %s", r->id);
    progress_say(&r->progress, text);
}
