/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-node: the tests of one node (workloads/node), and one line of JSON on standard
 * output. It knows nothing of MPI or Slurm, so that a node that fails stops nobody.
 */
#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/memory.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/validate/node_line.h"
#include "workloads/node/node.h"

enum { NODE_USAGE = 2, NODE_FAILED = 3 };

/* Of what may be used; the whole of it with deep. Others may be on the node in a first
 * look, and the page cache too. */
static const double memory_part = 0.25, deep_part = 0.8;

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500-node [--profile=quick|standard|deep] [--budget=SECONDS]\n"
               "                     [--only=TEST,...] [--calls=N] [--samples=N] [--round=N]\n"
               "                     [--folder=FOLDER] [--seed=N] [--priors=CAUSE:P,...] "
               "[--dry-run] [-q]\n"
               "Tests this node alone and prints one line of JSON.\n");
    return f == stdout ? 0 : NODE_USAGE;
}

static int number(const char *option, const char *text, long least, long most, long *n,
                  struct err *e)
{
    char *end;

    *n = strtol(text, &end, 10);
    if (*text && !*end && *n >= least && *n <= most)
        return 0;
    return err_set(e, "%s='%.32s' is not a number from %ld to %ld", option, text, least, most);
}

/* Words with commas between. */
static int set_only(struct node_options *o, const char *text, struct err *e)
{
    char word[32];

    for (const char *p = text; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        int test = node_test_parse(word);
        if (test < 0)
            return err_set(e, "'%s' is not a test; --dry-run lists them", word);
        o->only |= 1U << test;
        p += n;
    }
    return 0;
}

struct command {
    struct node_options o;
    double priors[NODE_CAUSES];
    int round;
    bool dry_run, quiet;
};

static int set_option(struct command *c, int option, const char *text, struct err *e)
{
    struct node_options *o = &c->o;
    long n = 0;
    int rc = 0;

    switch (option) {
    case 'p':
        n = node_profile_parse(text);
        o->profile = n < 0 ? PROFILE_QUICK : (enum node_profile)n;
        return n < 0 ? err_set(e, "--profile='%.32s' is not quick, standard or deep", text) : 0;
    case 'b':
        rc = number("--budget", text, 1, 86400, &n, e);
        o->budget_seconds = (double)n;
        return rc;
    case 'O':
        return set_only(o, text, e);
    case 'c':
        return number("--calls", text, 1, 100000000, &o->calls, e);
    case 'N':
        rc = number("--samples", text, 1, NODE_SAMPLES, &n, e);
        o->samples = (int)n;
        return rc;
    case 'r':
        rc = number("--round", text, 0, 1000, &n, e);
        c->round = (int)n;
        return rc;
    case 's':
        rc = number("--seed", text, 0, 2000000000, &n, e);
        o->seed = (uint64_t)n;
        return rc;
    case 'f':
        o->folder = text;
        return 0;
    case 'P':
        o->priors = c->priors;
        return node_priors_parse(text, c->priors, e);
    case 'd':
        c->dry_run = true;
        return 0;
    default:
        c->quiet = true;
        return 0;
    }
}

/* 0, 1 help, -1 and a sentence. */
static int parse(struct command *c, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"profile", required_argument, NULL, 'p'},
                                          {"budget", required_argument, NULL, 'b'},
                                          {"only", required_argument, NULL, 'O'},
                                          {"calls", required_argument, NULL, 'c'},
                                          {"samples", required_argument, NULL, 'N'},
                                          {"round", required_argument, NULL, 'r'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"folder", required_argument, NULL, 'f'},
                                          {"priors", required_argument, NULL, 'P'},
                                          {"dry-run", no_argument, NULL, 'd'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;

    *c = (struct command){
        .o = {.profile = PROFILE_STANDARD, .seed = 1, .folder = "/tmp", .root = ""}};
    opterr = 0;
    while ((option = getopt_long(argc, argv, "hq", longs, NULL)) != -1)
        if (option == 'h' || option == '?' || set_option(c, option, optarg, e) < 0)
            return option == 'h' ? 1 : option == '?' ? option_refuse(argv, longs, e) : -1;
    return optind < argc ? err_set(e, "'%.32s' is one word too many", argv[optind]) : 0;
}

static void dry_run(const struct node_options *o)
{
    double seconds;
    unsigned tests = node_choose_by(o->profile, o->budget_seconds, o->priors, &seconds);

    tests = o->only ? o->only : tests;
    printf("TEST        SECONDS  FINDS\n");
    for (int t = 0; t < NODE_TESTS; t++)
        printf("%-10s %8.0f  %s%s\n", node_test_word((enum node_test)t),
               tests & 1U << t ? node_test_seconds((enum node_test)t, o->profile) : 0,
               tests & 1U << t ? "" : "(not run) ", node_test_finds((enum node_test)t));
    if (!o->only)
        printf("%-10s %8.0f\n", "sum", seconds);
}

static void said(const char *test)
{
    fprintf(stderr, "hpcai500-node: %s\n", test);
}

int main(int argc, char **argv)
{
    static struct node_result r;
    struct command c;
    char line[NODE_LINE_SIZE];
    struct err e = ERR_INIT;
    int rc = parse(&c, argc, argv, &e);

    out_guard("hpcai500-node");
    if (rc > 0)
        return usage(stdout);
    if (rc == 0 && c.dry_run) {
        dry_run(&c.o);
        return fflush(stdout) ? NODE_FAILED : 0;
    }
    if (rc == 0) {
        double part = c.o.profile == PROFILE_DEEP ? deep_part : memory_part;
        c.o.memory_bytes = (uint64_t)(part * memory_of_node("").bytes);
        c.o.said = c.quiet ? NULL : said;
        rc = node_measure(&c.o, &r, &e) < 0 ? -2 : 0;
        r.round = c.round;
    }
    if (rc == 0 && node_line_print(&r, line)) {
        fputs(line, stdout);
        return fflush(stdout) ? NODE_FAILED : 0;
    }
    fprintf(stderr, "hpcai500-node: %s\n", rc == 0 ? "its line is too long" : e.text);
    return rc == -1 ? NODE_USAGE : NODE_FAILED;
}
