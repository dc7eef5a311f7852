/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/node_line.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/validate/json_line.h"

static const char kind[] = "node 1";

static const struct field fields[] = {
    FIELD(node_result, node, TEXT, "node", "name in Slurm"),
    FIELD(node_result, class, TEXT, "class", "of hardware", .empty = true),
    FIELD(node_result, key, TEXT, "key", "what makes results equal bit by bit", .empty = true),
    FIELD(node_result, build, TEXT, "build", "of the program", .empty = true),
    FIELD(node_result, isa, TEXT, "isa", "that the library uses", .empty = true),
    FIELD(node_result, boot_id, TEXT, "boot_id", "of the kernel", .empty = true),
    FIELD(node_result, serial, TEXT, "serial", "of the board", .empty = true),
    FIELD(node_result, profile, TEXT, "profile", "of the tests", .empty = true),
    FIELD(node_result, run, TEXT, "run", "of hpcai500 validate", .empty = true),
    FIELD(node_result, round, INT, "round", "0: the first look"),
    FIELD(node_result, time, LONG, "time", "at its end", .unit = "Unix seconds"),
    FIELD(node_result, seconds, DOUBLE, "seconds", "that it took", .why = "?"),
    FIELD(node_result, cpus, INT, "cpus", "that may be used"),
    FIELD(node_result, numa_nodes, INT, "numa_nodes", "NUMA nodes"),
    FIELD(node_result, memory_bytes, DOUBLE, "memory_bytes", "of the node", .why = "?"),
    FIELD(node_result, governor, TEXT, "governor", "of the clock", .empty = true),
    FIELD(node_result, clock_source, TEXT, "clock_source", "of the kernel", .empty = true),
    FIELD(node_result, microcode, TEXT, "microcode", "revision", .empty = true),
    FIELD(node_result, kernel, TEXT, "kernel", "release", .empty = true),
    FIELD(node_result, calls, LONG, "calls", "checked, of each core"),
    FIELD(node_result, steps, LONG, "steps", "of each replica"),
    FIELD(node_result, results, TEXT, "results", "digest of the majority", .empty = true),
    FIELD(node_result, weights, TEXT, "weights", "digest of the majority", .empty = true),
    FIELD(node_result, corrected, LONG, "corrected", "ECC errors", .range = RANGE_MINUS_ONE),
    FIELD(node_result, uncorrected, LONG, "uncorrected", "ECC errors", .range = RANGE_MINUS_ONE),
    FIELD(node_result, pattern_bytes, DOUBLE, "pattern_bytes", "of memory walked", .why = "?"),
    FIELD_END,
};

static const struct field problem_fields[] = {
    FIELD(node_problem, test, TEXT, "test", "its name"),
    FIELD(node_problem, text, TEXT, "text", "what is wrong"),
    FIELD_END,
};

/* ---- printing ---- */

static int put_values(cJSON *o, const struct node_result *r)
{
    cJSON *values = put_object(o, "values");

    for (int m = 0; values && m < NODE_METRICS; m++) {
        const struct node_value *v = &r->values[m];
        if (!isfinite(v->value))
            continue;
        cJSON *row = cJSON_AddArrayToObject(values, node_metric_row(m)->name);
        if (!row)
            return -1;
        cJSON_AddItemToArray(row, cJSON_CreateNumber(json_line_short(v->value)));
        cJSON_AddItemToArray(row, isfinite(v->spread)
                                      ? cJSON_CreateNumber(json_line_short(v->spread))
                                      : cJSON_CreateNull());
        cJSON_AddItemToArray(row, cJSON_CreateNumber(v->n));
    }
    return values ? 0 : -1;
}

static int put_problems(cJSON *o, const char *name, const struct node_problem *p, int n)
{
    cJSON *list = put_array(o, name);

    for (int i = 0; list && i < n; i++) {
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(list, row) ||
            fields_put(row, problem_fields, &p[i], NULL) < 0)
            return -1;
    }
    return list ? 0 : -1;
}

/* With so many problems of each kind. */
static bool print_some(const struct node_result *r, int faults, int unknown,
                       char line[NODE_LINE_SIZE])
{
    cJSON *o = json_line_begin(kind, fields, r);

    if (o && (put_values(o, r) < 0 || put_problems(o, "faults", r->faults, faults) < 0 ||
              put_problems(o, "unknown", r->unknown, unknown) < 0)) {
        cJSON_Delete(o);
        o = NULL;
    }
    return json_line_end(o, line, NODE_LINE_SIZE);
}

bool node_line_print(const struct node_result *r, char line[NODE_LINE_SIZE])
{
    for (int unknown = r->n_unknown; unknown >= 0; unknown--)
        if (print_some(r, r->n_faults, unknown, line))
            return true;
    for (int faults = r->n_faults - 1; faults > 0; faults--)
        if (print_some(r, faults, 0, line))
            return true;
    return r->n_faults == 0 && print_some(r, 0, 0, line);
}

/* ---- reading ---- */

static const char *keep_nothing(void *ctx, const char *text)
{
    (void)ctx, (void)text;
    return NULL;
}

static void get_values(const cJSON *o, struct node_result *r)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(o, "values");

    for (int m = 0; m < NODE_METRICS; m++) {
        const cJSON *row = cJSON_GetObjectItemCaseSensitive(values, node_metric_row(m)->name);
        r->values[m] = (struct node_value){.value = json_number(row, "[0]", NAN),
                                           .spread = json_number(row, "[1]", NAN),
                                           .n = (int)json_integer(row, "[2]", 0, INT_MAX, 0)};
        if (!(r->values[m].value > 0))
            r->values[m].value = NAN;
    }
}

static int get_problems(const cJSON *o, const char *name, struct node_problem *p)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, name), *row;
    int n = 0;

    cJSON_ArrayForEach(row, list) if (n < NODE_PROBLEMS)
        fields_get(row, problem_fields, &p[n++], keep_nothing, NULL);
    return n;
}

int node_line_parse(const char *line, struct node_result *r)
{
    memset(r, 0, sizeof *r);
    cJSON *o = strlen(line) < NODE_LINE_SIZE ? json_line_open(line, kind, fields, r) : NULL;
    const bool is = o != NULL;

    if (is) {
        get_values(o, r);
        r->n_faults = get_problems(o, "faults", r->faults);
        r->n_unknown = get_problems(o, "unknown", r->unknown);
    }
    cJSON_Delete(o);
    return is && r->node[0] && r->round >= 0 ? 0 : -1;
}
