/* SPDX-License-Identifier: BSD-3-Clause */
/* What was asked, and whether the site allows it: the same on all sides. */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int request_parse(struct request *r, const char *text, struct err *e)
{
    if (site_parse(&r->site, r->site_argc, r->site_argv, e) || runspec_parse(&r->spec, text, e))
        return -1;
    if (runspec_format(&r->spec, r->run, sizeof r->run) < 0)
        return err_set(e, "the run text has no canonical form");
    return 0;
}

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
