/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 forget: a user's or a job's runs leave history and archive. */
#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/history/history.h"
#include "reports/history/history_words.h"

struct options {
    struct history_filter filter;
    char key[HISTORY_KEY_SIZE];
    const char *history, *archive;
    bool dry_run;
};

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 forget --user=U | --job=J[_TASK|+OFFSET]|RUN [--cluster=C]\n"
               "                       [--dry-run] [--history=FILE --archive=DIR]\n"
               "Removes what history and archive know of a user or a job, for good.\n");
    return f == stdout ? 0 : 2;
}

/* 0, 1 help, 2 usage, -1 and a sentence. */
static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {
        {"user", required_argument, NULL, 'u'},    {"job", required_argument, NULL, 'j'},
        {"cluster", required_argument, NULL, 'c'}, {"history", required_argument, NULL, 'f'},
        {"archive", required_argument, NULL, 'a'}, {"dry-run", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int c;

    *o = (struct options){.filter = HISTORY_FILTER_INIT};
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'u':
            o->filter.user = optarg;
            break;
        case 'c':
            o->filter.cluster = optarg;
            break;
        case 'f':
            o->history = optarg;
            break;
        case 'a':
            o->archive = optarg;
            break;
        case 'n':
            o->dry_run = true;
            break;
        case 'j':
            if (words_job(optarg, &o->filter, o->key, e) < 0)
                return -1;
            break;
        case 'h':
            return 1;
        default:
            return option_refuse(argv, longs, e);
        }
    }
    bool job = o->filter.job > 0 || o->filter.key;
    return optind < argc || (!o->filter.user && !job) || !o->history != !o->archive ? 2 : 0;
}

/* How many runs the filter names. */
static long count(const char *path, const struct history_filter *f, struct err *e)
{
    struct history *h = history_open_reader(path, e);
    struct history_query *q = h ? history_ask(h, f, e) : NULL;
    struct history_row row;
    char last[HISTORY_KEY_SIZE] = "";
    long n = 0;
    int rc = q ? 0 : -1;

    while (q && (rc = history_next(q, &row, e)) > 0) {
        n += strcmp(row.key, last) != 0;
        snprintf(last, sizeof last, "%s", row.key);
    }
    history_done(q);
    history_close(h);
    return rc < 0 ? -1 : n;
}

static long forget(const char *path, const char *dir, const struct history_filter *f, struct err *e)
{
    struct archive *a = archive_open(dir, e);
    struct history *h = NULL;
    long n = count(path, f, e); /* there is a history: none is made by forgetting */

    if (a && n >= 0 && (h = history_open_writer(path, a, e)))
        n = history_forget(h, f, e);
    else
        n = -1;
    history_close(h);
    archive_close(a);
    return n;
}

int main(int argc, char **argv)
{
    static struct conf site;
    struct options o;
    struct err e = ERR_INIT;
    int rc = parse(&o, argc, argv, &e);

    out_guard("hpcai500 forget");
    if (rc > 0)
        return usage(rc == 1 ? stdout : stderr);
    if (rc < 0) {
        fprintf(stderr, "hpcai500 forget: %s\n", e.text);
        return 2;
    }
    if (!o.history && conf_load(&site, NULL, CONF_PRIVILEGED, &e) < 0)
        goto failed;
    const char *path = o.history ? o.history : site.history;
    long n = o.dry_run ? count(path, &o.filter, &e)
                       : forget(path, o.archive ? o.archive : site.archive, &o.filter, &e);
    if (n >= 0) {
        printf("%s%ld run%s\n", o.dry_run ? "would forget " : "forgot ", n, n == 1 ? "" : "s");
        return fflush(stdout) ? 3 : 0;
    }
failed:
    fprintf(stderr, "hpcai500 forget: %s\n", e.text);
    return 3;
}
