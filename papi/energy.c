/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Energy: RAPL zones under /sys/class/powercap (Intel and AMD; root only since
 * CVE-2020-8694 unless the site opens energy_uj), and Cray's pm_counters for
 * the whole node. A zone wraps at its max_energy_range_uj, within minutes to
 * hours: a gap between two reads in which it could wrap twice is not a value.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "papi/backend.h"

#define CLASS "/sys/class/powercap"
#define CRAY  "/sys/cray/pm_counters/energy"

/* A zone that does not say its power limit is taken to stay below: */
static const double MAX_WATTS = 1000;

/* Zone names by their beginning: "package-0", "package-0-die-1", "dram". */
static const struct {
    int counter;
    const char *zone;
} rows[] = {
    {COUNTER_energy_package_joules, "package"},
    {COUNTER_energy_dram_joules, "dram"},
};

enum { ROWS = sizeof(rows) / sizeof(*rows), PATH = 384 };

static double number_of(struct counters *c, const char *zone, const char *file)
{
    char path[PATH], text[64];

    snprintf(path, sizeof(path), CLASS "/%s/%s", zone, file);
    read_line(c, path, text, sizeof(text));
    return strtod(text, NULL);
}

static int zone(struct counters *c, const char *name, void *ctx)
{
    char path[PATH], title[64];
    double watts, range;
    int *zones = ctx;

    /* intel-rapl-mmio repeats the zones of intel-rapl. */
    if (strncmp(name, "intel-rapl:", strlen("intel-rapl:")) != 0)
        return 0;
    (*zones)++;
    snprintf(path, sizeof(path), CLASS "/%s/name", name);
    read_line(c, path, title, sizeof(title));
    range = number_of(c, name, "max_energy_range_uj");
    watts = 2e-6 * number_of(c, name, "constraint_0_power_limit_uw");
    snprintf(path, sizeof(path), CLASS "/%s/energy_uj", name);
    for (int i = 0; i < ROWS; i++) {
        struct source s = {.counter = rows[i].counter, .scale = 1e-6, .wrap = range};

        s.max_gap_seconds = 1e-6 * range / (watts > 0 ? watts : MAX_WATTS);
        if (strncmp(title, rows[i].zone, strlen(rows[i].zone)) != 0)
            continue;
        if (source_file(c, &s, path, (struct pick){0}) < 0)
            return -ENOMEM;
        counter_from(c, s.counter, CLASS "/intel-rapl*: %s*", rows[i].zone);
    }
    return 0;
}

static int probe(struct counters *c)
{
    struct source node = {.counter = COUNTER_energy_node_joules, .scale = 1};
    int zones = 0, n = each_name(c, CLASS, zone, &zones);

    if (n == -ENOMEM || source_file(c, &node, CRAY, (struct pick){0}) < 0)
        return -1;
    for (int i = 0; i < ROWS; i++) {
        if (zones > 0)
            counter_off(c, rows[i].counter, "no RAPL zone is named %s", rows[i].zone);
        else
            counter_off(c, rows[i].counter,
                        "no RAPL zones in " CLASS
                        " (a virtual machine, or the intel_rapl module is missing)");
    }
    return 0;
}

const struct backend backend_energy = {.name = "energy", .bit = BACKEND_ENERGY, .probe = probe};
