/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/held.h"

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"

static enum cause cause_at(const cJSON *o, const char *path)
{
    int c = cause_find(json_text(o, path, ""));

    return c < 0 ? CAUSE_UNKNOWN : (enum cause)c;
}

static double part_of_step(const cJSON *path, const char *const *parts, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += json_number(path, parts[i], NAN);
    return sum / json_number(path, "period_seconds", NAN);
}

static void read_path(const cJSON *path, struct held *h)
{
    static const char *const compute[] = {"compute_seconds", "update_seconds"};
    static const char *const network[] = {"wire_seconds", "exchange_cpu_seconds"};
    static const char *const input[] = {"input_seconds"};

    h->compute = part_of_step(path, compute, 2);
    h->network = part_of_step(path, network, 2);
    h->input = part_of_step(path, input, 1);
}

static void read_causes(const cJSON *why, struct held *h)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, json_at(why, "causes"))
    {
        enum cause c = cause_at(row, "cause");
        if (c == CAUSE_UNKNOWN || h->n_of == HELD_MOST)
            continue;
        h->of[h->n_of].cause = c;
        h->of[h->n_of++].share = json_number(row, "share", NAN);
    }
}

void held_of(const cJSON *workload, struct held *h)
{
    const cJSON *why = json_at(workload, "why");

    *h = (struct held){.cause = cause_at(why, "cause"),
                       .asked = cJSON_IsObject(why),
                       .node = json_text(why, "node", ""),
                       .confirmed = cJSON_IsTrue(json_at(why, "confirmed")),
                       .foreign = json_number(why, "foreign", 0),
                       .visible = json_number(why, "visible", NAN),
                       .share = NAN,
                       .whole = cause_at(why, "whole")};
    read_path(json_at(workload, "path"), h);
    read_causes(why, h);
    if (h->cause == CAUSE_SEVERAL)
        h->share = h->visible;
    else if (h->n_of && h->of[0].cause == h->cause) /* else it is not what was waited for */
        h->share = h->of[0].share;
}

bool held_known(const struct held *h)
{
    return h->cause != CAUSE_UNKNOWN;
}

bool held_waits(const struct held *h)
{
    return held_known(h) && cause_family(h->cause) != FAMILY_COMPUTE;
}

enum ink held_ink(enum cause c)
{
    static const enum ink inks[] = {
        [FAMILY_NETWORK] = INK_WIRE,    [FAMILY_INPUT] = INK_INPUT,    [FAMILY_CORES] = INK_SKEW,
        [FAMILY_COMPUTE] = INK_COMPUTE, [FAMILY_RUN] = INK_EVALUATION, [FAMILY_NONE] = INK_OTHER};

    if (c == CAUSE_WITHHELD || c == CAUSE_THREADS) /* of all ranks: nobody is slower */
        return INK_CORES;
    return inks[cause_family(c)];
}

double held_bound(const struct held *h, const struct split *s, const char *resource)
{
    double of_step = strncmp(resource, "network", 7) == 0 ? h->network
                     : strcmp(resource, "storage") == 0   ? h->input
                                                          : NAN;
    double steps = s->seconds[PART_COMPUTE] + s->wait;

    return (of_step * steps + s->sum - steps) / s->sum;
}
