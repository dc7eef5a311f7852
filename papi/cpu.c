/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of the processors: frequency, temperature, throttling by heat.
 * The frequency of at most FREQUENCIES of the rank's CPUs is read, because
 * reading one may interrupt that CPU.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "papi/backend.h"

#define CPUS "/sys/devices/system/cpu"

enum { FREQUENCIES = 4, MAX_CPUS = 8192, MAX_PACKAGES = 64, PATH = 384 };

/* Numbers of the rank's CPUs, from "0-3,8,10-11". Returns how many. */
static int allowed(const char *list, int *cpu, int max)
{
    int n = 0;

    while (*list) {
        char *end;
        long first = strtol(list, &end, 10), last = first;

        if (end == list)
            break;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        for (long k = first; k <= last && n < max; k++)
            cpu[n++] = (int)k;
        list = *end == ',' ? end + 1 : end;
    }
    return n;
}

static int frequency(struct counters *c)
{
    struct source s = {.counter = COUNTER_cpu_frequency_hz, .scale = 1e3};
    static char text[FILE_BYTES];
    static int cpu[MAX_CPUS];
    const char *key = "\nCpus_allowed_list:", *at;
    char path[PATH];
    int n, step;

    if (read_small(c, "/proc/self/status", text, sizeof(text)) < 0 || !(at = strstr(text, key))) {
        counter_off(c, s.counter, "/proc/self/status does not name the rank's CPUs");
        return 0;
    }
    at += strlen(key);
    n = allowed(at + strspn(at, " \t"), cpu, MAX_CPUS);
    step = n > FREQUENCIES ? n / FREQUENCIES : 1;
    for (int i = 0; i < n && i / step < FREQUENCIES; i += step) {
        snprintf(path, sizeof(path), CPUS "/cpu%d/cpufreq/scaling_cur_freq", cpu[i]);
        if (source_file(c, &s, path, (struct pick){0}) < 0)
            return -1;
    }
    return 0;
}

/* hwmon drivers whose temp1 is the package. */
static int hwmon(struct counters *c, const char *name, void *ctx)
{
    static const char *const drivers[] = {"coretemp", "k10temp", "zenpower"};
    struct source s = {.counter = COUNTER_cpu_temperature_celsius, .scale = 1e-3};
    char path[PATH], driver[64];
    int *found = ctx;

    snprintf(path, sizeof(path), "/sys/class/hwmon/%s/name", name);
    read_line(c, path, driver, sizeof(driver));
    for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++) {
        if (strcmp(driver, drivers[i]) != 0)
            continue;
        (*found)++;
        snprintf(path, sizeof(path), "/sys/class/hwmon/%s/temp1_input", name);
        return source_file(c, &s, path, (struct pick){0}) < 0 ? -ENOMEM : 0;
    }
    return 0;
}

static int thermal_zone(struct counters *c, const char *name, void *ctx)
{
    struct source s = {.counter = COUNTER_cpu_temperature_celsius, .scale = 1e-3};
    char path[PATH], type[64];

    (void)ctx;
    snprintf(path, sizeof(path), "/sys/class/thermal/%s/type", name);
    read_line(c, path, type, sizeof(type));
    if (strcmp(type, "x86_pkg_temp") != 0)
        return 0;
    snprintf(path, sizeof(path), "/sys/class/thermal/%s/temp", name);
    return source_file(c, &s, path, (struct pick){0}) < 0 ? -ENOMEM : 0;
}

static int temperature(struct counters *c)
{
    int found = 0;

    if (each_name(c, "/sys/class/hwmon", hwmon, &found) == -ENOMEM)
        return -1;
    if (!found && each_name(c, "/sys/class/thermal", thermal_zone, NULL) == -ENOMEM)
        return -1;
    if (!counter_has_source(c, COUNTER_cpu_temperature_celsius))
        counter_off(c, COUNTER_cpu_temperature_celsius,
                    "no processor sensor in /sys/class/hwmon or /sys/class/thermal");
    return 0;
}

/* Every CPU repeats its package's counts: one CPU per package is asked. */
static int throttle(struct counters *c, const char *name, void *ctx)
{
    static const struct {
        int counter;
        double scale;
        const char *file;
    } rows[] = {
        {COUNTER_thermal_throttle_events, 1, "package_throttle_count"},
        {COUNTER_thermal_throttle_seconds, 1e-3, "package_throttle_total_time_ms"},
    };
    bool *seen = ctx;
    char path[PATH], id[32];
    long package;

    if (strncmp(name, "cpu", 3) != 0 || name[3] < '0' || name[3] > '9')
        return 0;
    snprintf(path, sizeof(path), CPUS "/%s/topology/physical_package_id", name);
    read_line(c, path, id, sizeof(id));
    package = strtol(id, NULL, 10);
    if (!id[0] || package < 0 || package >= MAX_PACKAGES || seen[package])
        return 0;
    seen[package] = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct source s = {.counter = rows[i].counter, .scale = rows[i].scale};

        snprintf(path, sizeof(path), CPUS "/%s/thermal_throttle/%s", name, rows[i].file);
        if (source_file(c, &s, path, (struct pick){0}) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int probe(struct counters *c)
{
    bool seen[MAX_PACKAGES] = {false};

    if (frequency(c) < 0 || temperature(c) < 0 || each_name(c, CPUS, throttle, seen) == -ENOMEM)
        return -1;
    return 0;
}

const struct backend backend_cpu = {.name = "cpu", .bit = BACKEND_CPU, .probe = probe};
