/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 export: records in the formats of other programs.
 */
#include <config.h>

#include "reports/export/export.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "reports/core/conf.h"
#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "reports/record/redact.h"
#include "reports/core/utf8.h"
#include "reports/core/nearest.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/tools/find.h"
#if defined HAVE_SQLITE && defined HAVE_ZLIB
#define WITH_HISTORY 1
#include "reports/history/history_words.h"
#endif

static const struct export_sink *const sinks[] = {&export_prometheus,
                                                  &export_ndjson,
                                                  &export_csv,
                                                  &export_mllog,
                                                  &export_junit,
                                                  &export_xdmod,
                                                  &export_clustercockpit,
                                                  &export_clustercockpit_data,
                                                  &export_steps};

enum { N_SINKS = sizeof sinks / sizeof *sinks };

/* ---- a record on its way ---- */

struct run {
    const struct export_sink *sink;
    struct export x;
    struct redact redact;
    struct conf config;
#ifdef WITH_HISTORY
    bool asked; /* by an option of the filter */
    struct history_filter filter;
    char key[HISTORY_KEY_SIZE];
#endif
};

/* Takes doc. */
static int export_document(void *run, cJSON *doc, struct err *e)
{
    struct run *r = run;
    int rc = redact_record(&r->redact, doc, e);

    if (rc == 0) {
        json_clean(doc);
        r->x.n_records++;
        rc = r->sink->record(&r->x, doc, e);
    }
    cJSON_Delete(doc);
    return rc;
}

static bool takes_steps(const struct run *r)
{
    return r->sink == &export_steps;
}

/* What was found, with its steps where the sink takes them. Their file is as the agent
 * wrote it: a site that redacts the record does not give it away. */
static int export_found(struct run *r, struct found *f, struct err *e)
{
    void *steps = NULL;

    if (takes_steps(r) && redact_touches(&r->redact, f->doc))
        return err_set(e, "the site redacts this record, and a steps file cannot be redacted");
    if (takes_steps(r) && !(steps = find_steps(&r->config, f, &r->x.steps_size, e)))
        return -1;
    r->x.steps = steps;
    cJSON *doc = f->doc;
    f->doc = NULL;
    int rc = export_document(r, doc, e);
    free(steps);
    return rc;
}

static int export_files(struct run *r, char **paths, int n, struct err *e)
{
    if (n == 0 && takes_steps(r))
        return err_set(e, "--%s is of runs that are named: give FILE or JOB", r->sink->name);
#ifdef WITH_HISTORY
    if (n == 0)
        return export_history(&r->config, &r->filter, export_document, r, e);
#endif
    for (int i = 0; i < n; i++) {
        struct found f = FOUND_INIT;
        if (find_record(&r->config, paths[i], NULL, &f, e) < 0) {
            found_fini(&f);
            return -1;
        }
        const int rc = export_found(r, &f, e);
        found_fini(&f);
        if (rc)
            return err_prefix(e, "%s", paths[i]);
    }
    return 0;
}

/* ---- where it goes ---- */

static int run_sink(struct run *r, char **paths, int n, struct err *e)
{
    int rc = r->sink->begin ? r->sink->begin(&r->x, e) : 0;

    if (rc == 0)
        rc = export_files(r, paths, n, e);
    if (r->sink->end && r->sink->end(&r->x, rc == 0, rc == 0 ? e : NULL))
        rc = -1;
    if (rc == 0 && (fflush(r->x.f) || ferror(r->x.f)))
        rc = err_set(e, "cannot write: %s", strerror(errno));
    return rc;
}

/* All of it or nothing, as in a file: no head of a table stands alone when its
 * records cannot be had. */
static int export_to_stdout(struct run *r, char **paths, int n, struct err *e)
{
    char bytes[1 << 16];
    size_t got;

    r->x.f = tmpfile();
    if (!r->x.f)
        return err_set(e, "cannot make a temporary file: %s", strerror(errno));
    int rc = run_sink(r, paths, n, e);
    rewind(r->x.f);
    while (rc == 0 && (got = fread(bytes, 1, sizeof bytes, r->x.f)) > 0)
        if (fwrite(bytes, 1, got, stdout) != got)
            rc = err_set(e, "cannot write: %s", strerror(errno));
    if (rc == 0 && ferror(r->x.f))
        rc = err_set(e, "cannot read the temporary file: %s", strerror(errno));
    if (rc == 0 && fflush(stdout))
        rc = err_set(e, "cannot write: %s", strerror(errno));
    fclose(r->x.f);
    return rc;
}

static int export_to(struct run *r, const char *path, char **paths, int n, struct err *e)
{
    struct atomic a;

    if (!path)
        return export_to_stdout(r, paths, n, e);
    /* what another program reads must not hang on the umask of who writes it */
    if (atomic_open(&a, AT_FDCWD, path, NULL, 0644, r->sink->takes_file ? 0 : ATOMIC_UMASK) < 0)
        return err_set(e, "cannot make a file beside %s: %s", path, strerror(errno));
    r->x.f = atomic_stream(&a);
    int rc = r->x.f ? run_sink(r, paths, n, e) : err_set(e, "out of memory");
    if (rc == 0 && atomic_publish(&a, NULL) < 0)
        rc = err_set(e, "cannot write %s: %s", path, strerror(errno));
    atomic_discard(&a);
    return rc;
}

/* ---- main ---- */

static int usage(FILE *f)
{
    fprintf(
        f, "usage: hpcai500 export FORMAT [--output=FILE] [--workload=NAME] [--org=NAME] "
           "FILE|JOB...\n"
           "       hpcai500 export FORMAT [--since=T] [--until=T] [--user=U] [--node=N] [--job=J]\n"
           "                       [--cluster=C] [--workload=NAME] [--output=FILE]\n\nFormats:\n");
    for (int i = 0; i < N_SINKS; i++)
        fprintf(f, "  --%s%-*s %s\n", sinks[i]->name, 20 - (int)strlen(sinks[i]->name),
                sinks[i]->takes_file ? "=FILE" : "", sinks[i]->help);
    return f == stdout ? 0 : 2;
}

enum { OUTPUT = 256, WORKLOAD, ORG, HELP, SINCE, UNTIL, USER, NODE, JOB, CLUSTER, FIRST_SINK };

static const struct option words[] = {
    {"output", required_argument, NULL, OUTPUT}, {"workload", required_argument, NULL, WORKLOAD},
    {"org", required_argument, NULL, ORG},       {"help", no_argument, NULL, HELP},
    {"since", required_argument, NULL, SINCE},   {"until", required_argument, NULL, UNTIL},
    {"user", required_argument, NULL, USER},     {"node", required_argument, NULL, NODE},
    {"job", required_argument, NULL, JOB},       {"cluster", required_argument, NULL, CLUSTER}};

enum { N_WORDS = sizeof words / sizeof *words };

#ifdef WITH_HISTORY
static int filter(struct run *r, int opt, const char *value, struct err *e)
{
    struct history_filter *f = &r->filter;

    r->asked = true;
    switch (opt) {
    case SINCE:
        return words_time(value, time(NULL), &f->since, e);
    case UNTIL:
        return words_time(value, time(NULL), &f->until, e);
    case JOB:
        return words_job(value, f, r->key, e);
    case USER:
        f->user = value;
        return 0;
    case NODE:
        f->node = value;
        return 0;
    default:
        f->cluster = value;
        return 0;
    }
}
#else
static int filter(struct run *r, int opt, const char *value, struct err *e)
{
    (void)r, (void)opt, (void)value;
    return err_set(e, "this build has no history");
}
#endif

/* Records that are named, or what the history is asked for, not both. */
static bool has_source(const struct run *r, int n)
{
#ifdef WITH_HISTORY
    return n > 0 ? !r->asked : true;
#else
    (void)r;
    return n > 0;
#endif
}

static int parse_one(struct run *r, const char **path, int opt, struct err *e)
{
    if (opt == 'o' || opt == OUTPUT)
        *path = optarg;
    else if (opt == WORKLOAD)
        r->x.workload = optarg;
    else if (opt == ORG)
        r->x.org = optarg;
    else if (opt >= SINCE && opt < FIRST_SINK)
        return filter(r, opt, optarg, e);
    else if (opt < FIRST_SINK || r->sink)
        return -1;
    else if ((r->sink = sinks[opt - FIRST_SINK])->takes_file)
        *path = optarg;
    return 0;
}

/* No format among the options; the first word may be meant as one. */
static int refuse_format(const char *word, struct err *e)
{
    const char *names[N_SINKS];

    for (int i = 0; i < N_SINKS; i++)
        names[i] = sinks[i]->name;
    const char *near = strpbrk(word, "./") ? NULL : nearest(word, names, N_SINKS);
    if (near)
        return err_set(e, "'%.32s' is not an option; the format is --%s", word, near);
    return err_set(e, "give a format; --help lists them");
}

/* 1: help was asked for; -1: wrong, with a sentence or, when it is empty, the usage. */
static int parse(struct run *r, const char **path, int argc, char **argv, struct err *e)
{
    struct option longs[N_WORDS + N_SINKS + 1] = {{NULL, 0, NULL, 0}};
    int opt;

    memcpy(longs, words, sizeof words);
    for (int i = 0; i < N_SINKS; i++)
        longs[N_WORDS + i] =
            (struct option){sinks[i]->name, sinks[i]->takes_file ? required_argument : no_argument,
                            NULL, FIRST_SINK + i};
    opterr = 0;
    while ((opt = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
        if (opt == 'h' || opt == HELP)
            return 1;
        if (opt == '?')
            return option_refuse(argv, longs, e);
        if (parse_one(r, path, opt, e))
            return -1;
    }
    if (!r->sink && optind < argc)
        return refuse_format(argv[optind], e);
#ifdef WITH_HISTORY
    r->filter.workload = r->x.workload;
#endif
    return r->sink && has_source(r, argc - optind) ? 0 : -1;
}

int main(int argc, char **argv)
{
    static struct run r;
    struct err e = ERR_INIT;
    const char *path = NULL;

    out_guard("hpcai500 export");
#ifdef WITH_HISTORY
    r.filter = (struct history_filter)HISTORY_FILTER_INIT;
#endif
    int rc = parse(&r, &path, argc, argv, &e);
    if (rc && !e.text[0])
        return usage(rc > 0 ? stdout : stderr);
    if (rc) {
        fprintf(stderr, "hpcai500 export: %s\n", e.text);
        return 2;
    }
    if (rc == 0 && (conf_load(&r.config, NULL, 0, &e) || redact_open(&r.redact, &r.config, &e) ||
                    export_to(&r, path, argv + optind, argc - optind, &e)))
        rc = -1;
    if (rc == 0)
        return 0;
    fprintf(stderr, "hpcai500 export: %s\n", e.text);
    return 3;
}
