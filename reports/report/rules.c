/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/rules.h"

#include <stdio.h>
#include <string.h>

#include "reports/core/runspec.h"
#include "reports/record/fields.h"
#include "reports/record/record_fields.h"

_Static_assert((int)RULES_LAYERS == (int)LAYER_COUNT, "a bit a layer");

static const struct {
    const char *name;
    unsigned layers;
} levels[] = {{"hardware", 0x01}, {"system", 0x3f}, {"free", 0xff}}; /* strictest first */
enum { LEVELS = sizeof levels / sizeof *levels };

unsigned rules_level(const char *level)
{
    for (int i = 0; i < LEVELS; i++)
        if (strcmp(levels[i].name, level) == 0)
            return levels[i].layers;
    return 0;
}

const char *rules_strictest(unsigned layers)
{
    for (int i = 0; i < LEVELS; i++)
        if ((layers & ~levels[i].layers) == 0)
            return levels[i].name;
    return NULL;
}

static unsigned compare_layers(const cJSON *a, const cJSON *b, bool unknown)
{
    unsigned bits = 0;
    char path[96];

    for (int i = 0; i < RULES_LAYERS; i++) {
        snprintf(path, sizeof path, "system.layers.%s.hash", record_layers[i].key);
        const char *x = json_text(a, path, NULL), *y = json_text(b, path, NULL);
        if (unknown ? !x || !y : x && y && strcmp(x, y) != 0)
            bits |= 1u << i;
    }
    return bits;
}

unsigned rules_differ(const cJSON *a, const cJSON *b)
{
    return compare_layers(a, b, false);
}

unsigned rules_unknown(const cJSON *a, const cJSON *b)
{
    return compare_layers(a, b, true);
}

bool rules_division_holds(const cJSON *record)
{
    static const struct {
        const char *division, *origins[3];
    } table[] = {{"closed", {"generated", "published", NULL}},
                 {"look-alike", {"look-alike", NULL}},
                 {"private", {"private", NULL}}};
    const char *division = json_text(record, "run.division", "");
    const cJSON *w;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].division, division) != 0)
            continue;
        cJSON_ArrayForEach(w, json_at(record, "workloads"))
        {
            const char *origin = json_text(w, "data_origin", NULL);
            bool among = !origin;
            for (int k = 0; !among && table[i].origins[k]; k++)
                among = strcmp(table[i].origins[k], origin) == 0;
            if (!among)
                return false;
        }
    }
    return true;
}

bool rules_target_holds(const cJSON *record)
{
    struct runspec run;

    if (strcmp(json_text(record, "run.division", ""), "closed") != 0 ||
        runspec_parse(&run, json_text(record, "run.canonical", ""), NULL))
        return true;
    return !(run.set & 1u << KEY_TARGET);
}

bool rules_level_holds(const cJSON *record, unsigned layers)
{
    unsigned allowed = rules_level(json_text(record, "run.level", ""));

    return !allowed || !(layers & ~allowed);
}
