/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/slurp.h"

enum { PATH = 512, TEXT = 256, INDICES = 8, MOST_CPUS = 4096 };

/* A file of a processor's cache; false: there is none. */
static int read_of(const char *root, int cpu, int index, const char *name, char text[TEXT])
{
    char path[PATH];

    snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%d/cache/index%d/%s", root, cpu,
             index, name);
    return slurp_text(path, text, TEXT) > 0;
}

/* "32768K" */
static size_t bytes_of(const char *text)
{
    char *end;
    size_t v = strtoul(text, &end, 10);

    return *end == 'K' ? v << 10 : *end == 'M' ? v << 20 : v;
}

/* Processors in "0-3,8". */
static int count_of(const char *list)
{
    int n = 0;

    while (*list) {
        char *end;
        long first = strtol(list, &end, 10), last = first;
        if (end == list)
            break;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        n += (int)(last - first) + 1;
        list = *end == ',' ? end + 1 : "";
    }
    return n ? n : 1;
}

/* Index of the data cache of that level (from 1) of a processor, -1 none. */
static int index_of(const char *root, int cpu, int level)
{
    char text[TEXT];

    for (int i = 0; i < INDICES && read_of(root, cpu, i, "level", text); i++)
        if (atoi(text) == level && read_of(root, cpu, i, "type", text) &&
            strncmp(text, "Instruction", 11) != 0)
            return i;
    return -1;
}

/* Caches are counted at the first processor of each. */
static size_t all_bytes(const char *root, int level)
{
    char text[TEXT];
    size_t sum = 0;

    for (int cpu = 0; cpu < MOST_CPUS; cpu++) {
        int i = index_of(root, cpu, level);
        if (i < 0) /* one that is off has none; the first that is not there ends it */
            break;
        if (read_of(root, cpu, i, "shared_cpu_list", text) && atoi(text) == cpu &&
            read_of(root, cpu, i, "size", text))
            sum += bytes_of(text);
    }
    return sum;
}

void cache_find(struct cache *c, const char *root)
{
    char text[TEXT];

    memset(c, 0, sizeof *c);
    for (int level = 1; level <= CACHE_LEVELS; level++) {
        int i = index_of(root, 0, level);
        if (i < 0)
            continue;
        struct cache_level *l = &c->level[level - 1];
        l->bytes = read_of(root, 0, i, "size", text) ? bytes_of(text) : 0;
        l->sharers = read_of(root, 0, i, "shared_cpu_list", text) ? count_of(text) : 1;
        c->last_bytes = all_bytes(root, level);
    }
}
