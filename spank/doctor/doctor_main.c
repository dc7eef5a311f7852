/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 doctor: the table of checks, the options, the main. */
#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/out.h"
#include "reports/core/nearest.h"
#include "reports/core/option.h"
#include "spank/doctor/doctor.h"

enum { ONCE = 1, EACH_NODE = 2 }; /* where a check runs when nodes are asked too */

static const struct check {
    const char *name;
    void (*run)(struct doctor *d);
    unsigned where;
    const char *help;
} checks[] = {
    {"config", doctor_config, ONCE | EACH_NODE, "hpcai500.conf is there for root, and right"},
    {"plugin", doctor_plugin, ONCE | EACH_NODE, "the plugin's file, of this Slurm's release"},
    {"option", doctor_option, ONCE, "srun --hpcai500=list answers: the plugin loads"},
    {"pmix", doctor_pmix, ONCE, "srun supports PMIx"},
    {"agent", doctor_agent, ONCE | EACH_NODE,
     "the agent starts, with all its libraries (HDF5, MPI)"},
    {"munge", doctor_munge, ONCE | EACH_NODE, "a credential is encoded and decoded"},
    {"spool", doctor_spool, EACH_NODE, "root's folder, and in a job one for the job"},
    {"name", doctor_name, EACH_NODE, "the host name is Slurm's name of the node"},
    {"counters", doctor_counters, EACH_NODE, "the kernel lets users count"},
    {"clock", doctor_clock, EACH_NODE, "the time is synchronised"},
    {"disk", doctor_disk, ONCE | EACH_NODE, "space and inodes where we write"},
    {"history", doctor_history, ONCE, "the database is whole, accounting is told"},
    {"queues", doctor_queues, ONCE | EACH_NODE, "spool and quarantine are far from their bounds"},
    {"collector", doctor_collector, ONCE, "it answers, or takes what lies in the spool"},
};

enum { N_CHECKS = sizeof checks / sizeof *checks };

struct options {
    bool json, as_node, nodes;
    const char *list;
};

static int usage(FILE *f)
{
    fprintf(
        f,
        "usage: hpcai500 doctor [--nodes[=LIST]] [--json] [--timeout=S] [CHECK...]\n\nChecks:\n");
    for (int i = 0; i < N_CHECKS; i++)
        fprintf(f, "  %-10s %s\n", checks[i].name, checks[i].help);
    return f == stdout ? DOCTOR_OK : DOCTOR_UNKNOWN;
}

static const struct check *find_check(const char *name)
{
    for (int i = 0; i < N_CHECKS; i++)
        if (strcmp(checks[i].name, name) == 0)
            return &checks[i];
    return NULL;
}

static int unknown(const char *word)
{
    const char *names[N_CHECKS];

    for (int i = 0; i < N_CHECKS; i++)
        names[i] = checks[i].name;
    const char *near = nearest(word, names, N_CHECKS);
    fprintf(stderr, "hpcai500 doctor: there is no check '%.32s'%s%s%s\n", word,
            near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
    return DOCTOR_UNKNOWN;
}

static int refuse(int opt, char **argv, const struct option *longs)
{
    struct err e = ERR_INIT;

    if (opt == 't')
        err_set(&e, "--timeout='%s' is not a number of seconds", optarg);
    else
        option_refuse(argv, longs, &e);
    fprintf(stderr, "hpcai500 doctor: %s\n", e.text);
    return DOCTOR_UNKNOWN;
}

static bool is_wanted(const struct check *c, char **names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], c->name) == 0)
            return true;
    return n == 0;
}

static void name_machine(struct doctor *d)
{
    const char *slurms = getenv("SLURMD_NODENAME");

    if (slurms && *slurms) {
        snprintf(d->node, sizeof d->node, "%s", slurms);
        return;
    }
    if (gethostname(d->node, sizeof d->node - 1))
        snprintf(d->node, sizeof d->node, "this machine");
    d->node[strcspn(d->node, ".")] = '\0';
}

static void load_config(struct doctor *d)
{
    const char *said = getenv("HPCAI500_CONF");

    d->conf_good = !conf_load(&d->config,
                              said && *said ? said
                              : d->conf[0]  ? d->conf
                                            : NULL,
                              0, NULL);
    if (!d->conf_good)
        conf_defaults(&d->config);
}

static void examine(struct doctor *d, const struct options *o, char **names, int n)
{
    unsigned here = o->as_node ? EACH_NODE : o->nodes ? ONCE : ONCE | EACH_NODE;

    d->as_node = o->as_node;
    name_machine(d);
    doctor_find_plugin(d);
    load_config(d);
    for (int i = 0; i < N_CHECKS; i++) {
        d->check = checks[i].name;
        if ((checks[i].where & here) && is_wanted(&checks[i], names, n))
            checks[i].run(d);
    }
    d->check = "nodes";
    if (o->nodes)
        doctor_nodes(d, o->list, names, n);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"nodes", optional_argument, NULL, 'n'},   {"json", no_argument, NULL, 'j'},
        {"timeout", required_argument, NULL, 't'}, {"as-node", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    static struct doctor d = {.seconds = 30};
    struct options o = {0};
    int opt;

    out_guard("hpcai500 doctor");
    opterr = 0;
    while ((opt = getopt_long(argc, argv, "jh", longs, NULL)) != -1) {
        if (opt == 'n') {
            o.nodes = true;
            o.list = optarg;
        } else if (opt == 'j') {
            o.json = true;
        } else if (opt == 'a') {
            o.as_node = true;
        } else if (opt == 't' && atoi(optarg) > 0) {
            d.seconds = atoi(optarg);
        } else if (opt == 'h') {
            return usage(stdout);
        } else {
            return refuse(opt, argv, longs);
        }
    }
    for (int i = optind; i < argc; i++)
        if (!find_check(argv[i]))
            return unknown(argv[i]);
    examine(&d, &o, argv + optind, argc - optind);
    if (o.as_node)
        doctor_tell(&d);
    else
        doctor_print(&d, o.json);
    enum doctor_status rc = fflush(stdout) ? DOCTOR_UNKNOWN : doctor_verdict(&d);
    free(d.findings);
    return o.as_node ? 0 : (int)rc;
}
