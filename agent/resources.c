/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/resources.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/memory.h"
#include "agent/textfile.h"

/* ---- processors ---- */

/* A rank's mask and node, as it tells the others. */
struct mask {
    cpu_set_t set;
    int32_t node;
};

/* The lowest hardware thread of the core that cpu belongs to. */
static int first_sibling(int cpu)
{
    char path[96], text[64];

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    return textfile_read(path, text, sizeof text) < 0 ? cpu : atoi(text);
}

/* Cores of a mask: hardware threads of one core count once. */
static int cores_of(const cpu_set_t *set)
{
    int cores = 0;

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, set))
            continue;
        int first = first_sibling(cpu);
        cores += first == cpu || first < 0 || first >= CPU_SETSIZE || !CPU_ISSET(first, set);
    }
    return cores ? cores : 1;
}

/* "0-3,8" */
static void list_processors(const cpu_set_t *set, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (int cpu = 0; cpu < CPU_SETSIZE && at < size; cpu++) {
        int last = cpu;
        if (!CPU_ISSET(cpu, set))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
            last++;
        at += (size_t)snprintf(text + at, size - at, last > cpu ? "%s%d-%d" : "%s%d", at ? "," : "",
                               cpu, last);
        cpu = last;
    }
}

static int share_cores(struct resources *r, struct comm *c, int node, struct err *e)
{
    struct mask own = {.node = node};
    size_t *counts = malloc((size_t)c->size * sizeof *counts);
    struct mask *all = malloc((size_t)c->size * sizeof *all);
    int sharers = 0, rc = -1;

    if (sched_getaffinity(0, sizeof own.set, &own.set) != 0)
        for (long cpu = sysconf(_SC_NPROCESSORS_ONLN); cpu-- > 0;)
            CPU_SET(cpu, &own.set);
    list_processors(&own.set, r->processors, sizeof r->processors);
    if (comm_agree(c, counts && all ? 0 : err_set(e, "out of memory for the ranks' masks"), e) < 0)
        goto out;
    for (int i = 0; i < c->size; i++)
        counts[i] = sizeof own;
    if ((rc = c->allgatherv(c, &own, all, counts, e)) < 0)
        goto out;
    for (int i = 0; i < c->size; i++) {
        cpu_set_t both;
        CPU_AND(&both, &all[i].set, &own.set);
        sharers += all[i].node == node && CPU_COUNT(&both) > 0;
    }
    int cores = cores_of(&own.set);
    long said = job_number("SLURM_CPUS_PER_TASK");
    r->threads = sharers > 1 && cores > sharers ? cores / sharers : sharers > 1 ? 1 : cores;
    double least[2] = {r->threads, (double)cores / (sharers > 1 ? sharers : 1)};
    if ((rc = c->reduce(c, least, 2, COMM_MIN, e)) < 0)
        goto out;
    r->cores = (int)least[0];
    r->share = least[1];
    if (said < 0 && (said = job_number("SLURM_CPUS_ON_NODE")) > 0)
        said = said > c->local_size ? said / c->local_size : 1;
    if (said > 0 && said < r->threads)
        r->threads = (int)said;
out:
    free(all);
    free(counts);
    return rc;
}

/* ---- memory ---- */

/* The rank that may use least, and why. */
static int least_memory(struct resources *r, struct comm *c, struct err *e)
{
    struct memory_limit own = memory_of_rank("", c->local_size);
    double least = own.bytes > 0 ? own.bytes : INFINITY;

    if (c->reduce(c, &least, 1, COMM_MIN, e) < 0)
        return -1;
    if (isinf(least))
        return 0;
    double who = own.bytes == least ? c->rank : c->size;
    if (c->reduce(c, &who, 1, COMM_MIN, e) < 0)
        return -1;
    memcpy(r->memory_source, own.source, sizeof r->memory_source);
    r->memory_bytes = (uint64_t)least;
    return c->broadcast(c, r->memory_source, sizeof r->memory_source, (int)who, e);
}

int resources_find(struct resources *r, struct comm *c, int node, struct err *e)
{
    memset(r, 0, sizeof *r);
    return share_cores(r, c, node, e) < 0 || least_memory(r, c, e) < 0 ? -1 : 0;
}
