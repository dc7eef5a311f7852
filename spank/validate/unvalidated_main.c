/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 validate unvalidated: nodes in service that nobody has validated since they booted. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/core/atomic.h"
#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/validate/verdicts.h"
#include "spank/validate/look.h"
#include "spank/validate/slurmctl.h"
#include "spank/validate/state.h"
#include "spank/validate/validate.h"

enum { NAMES_SHOWN = 20 };

struct options {
    const char *conf, *prometheus;
};

struct count {
    int in_service, unvalidated;
};

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 validate unvalidated [--prometheus=FILE] [--conf=FILE]\n"
               "Nodes in service that have no verdict since they booted.\n");
    return f == stdout ? 0 : VALIDATE_USAGE;
}

/* 0, 1 help, -1 and a sentence. */
static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"prometheus", required_argument, NULL, 'p'},
                                          {"conf", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h' || c == '?')
            return c == 'h' ? 1 : option_refuse(argv, longs, e);
        *(c == 'p' ? &o->prometheus : &o->conf) = optarg;
    }
    return optind < argc ? err_set(e, "'%.64s' is one word too many", argv[optind]) : 0;
}

/* Slurm's boot time differs by some seconds from registration to registration. */
static bool is_validated(const struct node *n, const struct verdict_line *v, int n_v)
{
    const struct verdict_line *newest = verdicts_newest(v, n_v, n->name);

    return newest && newest->time + STATE_BOOT_TOLERANCE >= n->boot_time;
}

static struct count count_nodes(const struct look *l, const struct verdict_line *v, int n)
{
    struct count c = {0};

    for (int i = 0; i < l->n; i++) {
        const struct node *is = &l->nodes[i].node;
        if (node_is_out(is) || is->boot_time <= 0)
            continue;
        c.in_service++;
        if (is_validated(is, v, n))
            continue;
        if (c.unvalidated++ < NAMES_SHOWN)
            printf("%s\n", is->name);
    }
    if (c.unvalidated > NAMES_SHOWN)
        printf("... and %d more\n", c.unvalidated - NAMES_SHOWN);
    return c;
}

/* For node_exporter's textfile collector. */
static int write_metrics(const char *path, const struct count *c, struct err *e)
{
    char text[1024];
    const int n =
        snprintf(text, sizeof text,
                 "# HELP hpcai500_nodes_in_service Nodes that Slurm gives to jobs.\n"
                 "# TYPE hpcai500_nodes_in_service gauge\n"
                 "hpcai500_nodes_in_service %d\n"
                 "# HELP hpcai500_nodes_unvalidated Of them without a verdict since they booted.\n"
                 "# TYPE hpcai500_nodes_unvalidated gauge\n"
                 "hpcai500_nodes_unvalidated %d\n",
                 c->in_service, c->unvalidated);

    if (atomic_write(AT_FDCWD, path, 0644, ATOMIC_VOLATILE, text, (size_t)n) < 0)
        return err_set(e, "the metrics %s cannot be written: %s", path, strerror(errno));
    return 0;
}

static int say(const struct options *o, struct count *c, struct err *e)
{
    static struct conf conf;
    struct verdict_line *v = NULL;
    char path[PATH_MAX];
    struct look l;
    int n;

    if (conf_load(&conf, o->conf, 0, e) < 0 ||
        verdicts_path(conf.history, path, sizeof path, e) < 0 ||
        look_ask(NULL, "", &l, e) != SLURMCTL_DONE)
        return -1;
    int rc = verdicts_read(path, &v, &n, e);
    if (rc == 0)
        *c = count_nodes(&l, v, n);
    if (rc == 0 && o->prometheus)
        rc = write_metrics(o->prometheus, c, e);
    look_fini(&l);
    free(v);
    return rc;
}

int validate_unvalidated(int argc, char **argv)
{
    struct options o = {.conf = NULL};
    struct err e = ERR_INIT;
    struct count c = {0};
    const int rc = parse(&o, argc, argv, &e);

    if (rc > 0)
        return usage(stdout);
    if (rc < 0 || say(&o, &c, &e) < 0) {
        fprintf(stderr, "hpcai500 validate unvalidated: %s\n", e.text);
        return ALARM_UNKNOWN;
    }
    printf("%s: %d of %d nodes in service have been unvalidated since their boot\n",
           c.unvalidated ? "WARN" : "OK", c.unvalidated, c.in_service);
    return fflush(stdout) ? (int)ALARM_UNKNOWN : c.unvalidated ? ALARM_WARN : ALARM_OK;
}
