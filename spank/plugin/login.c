/* SPDX-License-Identifier: BSD-3-Clause */
/* What srun, sbatch and salloc share, and what sbatch and salloc do: they
 * check the run text before the job exists; the rest happens in the job. */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spank/plugin/cmdline.h"

bool is_agent(int argc, char *const argv[])
{
    if (argc < 1 || !argv || !argv[0])
        return false;
    const char *slash = strrchr(argv[0], '/');
    return strcmp(slash ? slash + 1 : argv[0], AGENT_NAME) == 0;
}

/* "; the nearest is 'time=...'" for what the cap leaves, "" for nothing. */
static void nearest_time(double seconds, char *buf, size_t size)
{
    buf[0] = '\0';
    if (seconds >= 60)
        snprintf(buf, size, "; the nearest is 'time=%.0fm'", floor(seconds / 60));
    else if (seconds >= 1)
        snprintf(buf, size, "; the nearest is 'time=%.0fs'", floor(seconds));
}

const char *node_hours(double hours, char *buf, size_t size)
{
    snprintf(buf, size, "%.3g node-hours", hours);
    if (strcmp(buf, "1 node-hours") == 0)
        buf[strlen(buf) - 1] = '\0';
    return buf;
}

int site_allows(const struct request *r, unsigned nodes, const char *partition, uid_t uid,
                struct err *e)
{
    double hours = runspec_node_hours(&r->spec, nodes);
    double cap = r->site.max_node_hours;
    char nearest[64], cost[64];

    if (uid == 0)
        return 0;
    if (partition && !site_has_partition(&r->site, partition))
        return err_set(e, "this site does not run hpcai500 in the partition '%s', only in %s",
                       partition, r->site.partitions);
    if (cap <= 0 || hours <= cap)
        return 0;
    nearest_time(cap * 3600 / nodes, nearest, sizeof nearest);
    return err_set(e, "%s may cost %s on %u node%s and this site allows %.3g%s", r->run,
                   node_hours(hours, cost, sizeof cost), nodes, nodes == 1 ? "" : "s", cap,
                   nearest);
}

static void answer(const char *text)
{
    if (runspec_answer(text, stdout))
        exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

void login_option(struct request *r, const char *text)
{
    struct err e = ERR_INIT;

    answer(text);
    if (request_parse(r, text, &e) || site_allows(r, 1, NULL, getuid(), &e)) {
        slurm_error("hpcai500: %s", e.text);
        exit(EXIT_FAILURE);
    }
}

/* sbatch reads the script, perhaps from the terminal, before its options. */
static void allocator_init(void)
{
    struct cmdline_option o;
    struct cmdline c;

    if (cmdline_init(&c))
        return;
    for (int at = 1; cmdline_next(&c, &at, c.argc, false, &o);)
        if (o.name && strcmp(o.name, "hpcai500") == 0 && o.value)
            answer(o.value);
    cmdline_fini(&c);
}

static int allocator_option(struct request *r, const char *text)
{
    login_option(r, text);
    return 0;
}

/* The number of nodes is not known to a plugin in sbatch and salloc. */
static int allocator_init_post_opt(spank_t sp, struct request *r)
{
    char cost[64];

    (void)sp;
    slurm_info("hpcai500: %s may cost %s per node of the job", r->run,
               node_hours(runspec_node_hours(&r->spec, 1), cost, sizeof cost));
    return 0;
}

const struct context context_allocator = {
    .init = allocator_init,
    .option = allocator_option,
    .init_post_opt = allocator_init_post_opt,
};
