/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/job.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

long job_number(const char *variable)
{
    const char *text = getenv(variable);
    char *end;

    if (!text || !*text)
        return -1;
    errno = 0;
    long n = strtol(text, &end, 10);
    return errno || *end || n < 0 ? -1 : n;
}

const char *job_node_name(char *name, size_t size)
{
    const char *slurms = getenv("SLURM_JOB_ID") ? getenv("SLURMD_NODENAME") : NULL;

    name[0] = '\0';
    if (slurms && *slurms)
        snprintf(name, size, "%s", slurms);
    else if (gethostname(name, size) != 0)
        snprintf(name, size, "unknown");
    name[size - 1] = '\0';
    return name;
}

static void copy(char *to, size_t size, const char *variable)
{
    const char *text = getenv(variable);

    snprintf(to, size, "%s", text ? text : "");
}

/* Slurm has its own words for two step numbers. */
static void step_name(char *to, size_t size)
{
    long step = job_number("SLURM_STEP_ID");

    if (step < 0)
        step = job_number("SLURM_STEPID");
    if (step == 0xfffffffbL || step < 0)
        snprintf(to, size, "batch");
    else if (step == 0xfffffffaL)
        snprintf(to, size, "interactive");
    else
        snprintf(to, size, "%u", (unsigned)step);
}

static void user_name(char *to, size_t size)
{
    copy(to, size, "SLURM_JOB_USER");
    if (to[0])
        return;
    struct passwd *pw = getpwuid(getuid());
    if (pw)
        snprintf(to, size, "%s", pw->pw_name);
    else
        snprintf(to, size, "%ld", (long)getuid());
}

void job_read(struct record_job *job)
{
    long restart = job_number("SLURM_RESTART_COUNT");

    *job = (struct record_job){
        .job_id = job_number("SLURM_JOB_ID"),
        .array_job_id = job_number("SLURM_ARRAY_JOB_ID"),
        .array_task_id = job_number("SLURM_ARRAY_TASK_ID"),
        .het_job_id = job_number("SLURM_HET_JOB_ID"),
        .het_offset = job_number("SLURM_HET_JOB_OFFSET"),
        .restart = restart < 0 ? 0 : (int)restart,
        .uid = (long)getuid(),
        .exclusive = -1,
    };
    job->present = job->job_id >= 0;
    /* A component of a heterogeneous job has a number of its own; the
     * record is filed under the job's. */
    if (job->het_job_id >= 0 && job->het_offset < 0)
        job->het_job_id = -1;
    copy(job->cluster, sizeof job->cluster, "SLURM_CLUSTER_NAME");
    copy(job->account, sizeof job->account, "SLURM_JOB_ACCOUNT");
    copy(job->partition, sizeof job->partition, "SLURM_JOB_PARTITION");
    step_name(job->step_id, sizeof job->step_id);
    user_name(job->user, sizeof job->user);
}

/* The sum of Slurm's list of processors per node, "2(x3),1"; -1 when it is
 * none. */
static long sum_processors(const char *text)
{
    long sum = 0;

    while (text && *text) {
        char *end;
        long n = strtol(text, &end, 10), times = 1;
        if (end == text || n < 1 || n > INT_MAX)
            return -1;
        if (end[0] == '(' && end[1] == 'x') {
            times = strtol(end + 2, &end, 10);
            if (times < 1 || times > INT_MAX || *end++ != ')')
                return -1;
        }
        if ((*end && *end != ',') || n > INT_MAX / times)
            return -1;
        sum += n * times;
        text = *end ? end + 1 : end;
    }
    return sum > 0 ? sum : -1;
}

/* -1: one of the nodes does not say. */
static long sum_inventory(const struct record_node *nodes, int n, enum record_inventory_id id)
{
    double sum = 0;

    for (int i = 0; i < n; i++) {
        if (nodes[i].inventory[id].state != FACT_NUMBER)
            return -1;
        sum += nodes[i].inventory[id].number;
    }
    return (long)sum;
}

int job_exclusive(const struct record_node *nodes, int n)
{
    long had = sum_processors(getenv("SLURM_JOB_CPUS_PER_NODE"));
    long threads = sum_inventory(nodes, n, INVENTORY_hardware_threads);
    long cores = sum_inventory(nodes, n, INVENTORY_cores);

    if (had < 0 || job_number("SLURM_JOB_NUM_NODES") != n)
        return -1;
    if (threads > 0 && had >= threads)
        return 1;
    return cores > 0 && had < cores ? 0 : -1;
}

double job_seconds_left(void)
{
    long end = job_number("SLURM_JOB_END_TIME");
    struct timespec t;

    if (end <= 0)
        return NAN;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)end - (double)t.tv_sec;
}
