/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/split.h"

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"

static const struct {
    enum ink ink;
    enum word word;
} parts[PART_COUNT] = {
    [PART_COMPUTE] = {INK_COMPUTE, W_PART_COMPUTE},
    [PART_INPUT] = {INK_INPUT, W_PART_INPUT},
    [PART_EXCHANGE] = {INK_WIRE, W_PART_EXCHANGE},
    [PART_SKEW] = {INK_SKEW, W_PART_SKEW},
    [PART_WITHHELD] = {INK_CORES, W_PART_WITHHELD},
    [PART_EVALUATION] = {INK_EVALUATION, W_PART_EVALUATION},
    [PART_START] = {INK_START, W_PART_START},
    [PART_OTHER] = {INK_OTHER, W_PART_OTHER},
};

enum part split_part(const char *phase)
{
    static const struct {
        const char *phase;
        enum part part;
    } table[] = {{"update", PART_COMPUTE},        {"exchange_cpu", PART_EXCHANGE},
                 {"agree", PART_EXCHANGE},        {"compute", PART_COMPUTE},
                 {"input_wait", PART_INPUT},      {"imbalance", PART_SKEW},
                 {"withheld", PART_WITHHELD},     {"exposed_allreduce", PART_EXCHANGE},
                 {"evaluation", PART_EVALUATION}, {"first_epoch", PART_START},
                 {"staging", PART_START}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].phase, phase) == 0)
            return table[i].part;
    return PART_OTHER;
}

enum ink part_ink(enum part p)
{
    return parts[p].ink;
}

enum word part_word(enum part p)
{
    return parts[p].word;
}

double split_percent(const struct split *s, enum part p)
{
    return s->sum > 0 ? 100 * s->seconds[p] / s->sum : NAN;
}

static enum limit limit_of(const struct split *s)
{
    if (!(s->sum > 0))
        return LIMIT_UNKNOWN;
    if (s->seconds[PART_START] > SPLIT_START * s->sum)
        return LIMIT_START;
    if (s->wait < SPLIT_BUSY * s->sum)
        return LIMIT_COMPUTE;
    return s->seconds[s->largest] >= SPLIT_NAMED * s->wait ? LIMIT_NAMED : LIMIT_SEVERAL;
}

void split_of(const cJSON *workload, struct split *s)
{
    const cJSON *phase;

    *s = (struct split){.wall = json_number(workload, "wall_seconds", NAN), .largest = PART_INPUT};
    cJSON_ArrayForEach(phase, json_at(workload, "phases"))
    {
        double seconds = json_number(phase, "median_seconds", 0);
        if (seconds > 0 && isfinite(seconds) && phase->string)
            s->seconds[split_part(phase->string)] += seconds;
    }
    for (int p = 0; p < PART_COUNT; p++)
        s->sum += s->seconds[p];
    for (enum part p = PART_INPUT; p <= PART_WITHHELD; p++) {
        s->wait += s->seconds[p];
        if (s->seconds[p] > s->seconds[s->largest])
            s->largest = p;
    }
    s->miss = s->wall > 0 ? (s->sum - s->wall) / s->wall : NAN;
    s->limit = limit_of(s);
}
