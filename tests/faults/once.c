/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * once WHAT DIR: one write of one kind, by the product's own functions, so
 * that faults.py can break it at every system call.
 *
 *   record   a record with its per-rank file
 *   run      what rank 0 does in a run: journal, record, journal away
 *   archive  the second version of a record that may stand in DIR/archive
 *   history  the same, filed in DIR/history.sqlite, and accounting to be told
 *   first    the archive's first version
 *
 * Exit code 0, or 3 and one sentence.
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef WITH_HISTORY
#include <cjson/cJSON.h>
#endif

#include "reports/record/journal.h"
#include "reports/record/record.h"
#ifdef WITH_HISTORY
#include "reports/history/archive.h"
#include "reports/history/history.h"
#endif
#include "tests/reports/record/sample.h"

static int record(const char *dir, struct err *e)
{
    struct record r;
    char path[PATH_MAX];

    sample_record(&r, 2, 1, 3);
    record_judge(&r);
    int rc = record_write(&r, dir, path, e);
    record_fini(&r);
    return rc;
}

/* Says once that the journal stops, as the agent does, and runs on. */
static int run(const char *dir, struct err *e)
{
    struct record r;
    struct err why = ERR_INIT;
    char id[RECORD_ID_SIZE], path[PATH_MAX];
    double seconds[PHASE_COUNT] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

    sample_record(&r, 2, 1, 3);
    record_id(&r, id);
    struct workload_result *w = &r.workloads[0].result;
    struct journal *j = journal_open(dir, id, 0, &why);
    int rc = j ? journal_start(j, &r, 0, 2, &r.nodes[0], &why) : -1;
    if (rc == 0)
        rc = journal_workload(j, 0, w, &why) | journal_epoch(j, 0, &w->epochs[0], &why) |
             journal_phases(j, 0, 9, seconds, &why) | journal_result(j, 0, w, &why) |
             journal_end(j, RUN_COMPLETE, &why);
    if (rc < 0)
        fprintf(stderr, "once: %s\n", why.text);
    record_judge(&r);
    rc = record_write(&r, dir, path, e);
    if (rc == 0)
        journal_remove(j);
    else
        journal_close(j);
    record_fini(&r);
    return rc;
}

#ifdef WITH_HISTORY
/* The text of the record; version 2 has one epoch more. free() it. */
static char *text_of(int version, struct err *e)
{
    struct record r;

    sample_record(&r, 2, 1, 1 + version);
    record_judge(&r);
    char *text = record_to_json(&r, NULL, e);
    record_fini(&r);
    return text;
}

static struct archive *archive_in(const char *dir, struct err *e)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/archive", dir);
    return archive_open(path, e);
}

static int put(const char *dir, int version, struct err *e)
{
    struct archive *a = archive_in(dir, e);
    char *text = a ? text_of(version, e) : NULL, place[ARCHIVE_PLACE_SIZE];

    archive_place("lab-4711.0.3", 1795374177, place);
    const struct archive_item item = {text,
                                      text ? strlen(text) : 0,
                                      version == 1 ? "MUNGE:one:\n" : "MUNGE:two:\n",
                                      {version == 1 ? "ranks one" : "ranks two", 9},
                                      {version == 1 ? "steps one" : "steps two", 9}};
    int rc = text ? archive_put(a, place, &item, e) : -1;
    free(text);
    archive_close(a);
    return rc;
}

static int archive(const char *dir, struct err *e)
{
    return put(dir, 2, e);
}

static int first(const char *dir, struct err *e)
{
    return put(dir, 1, e);
}

static int history(const char *dir, struct err *e)
{
    char path[PATH_MAX];
    struct history_run claim = {.nodes = NULL};
    enum history_outcome outcome;
    struct archive *a = archive_in(dir, e);

    snprintf(path, sizeof path, "%s/history.sqlite", dir);
    struct history *h = a ? history_open_writer(path, a, e) : NULL;
    char *text = h ? text_of(2, e) : NULL;
    cJSON *doc = text ? record_parse(text, strlen(text), "sample", e) : NULL;
    int rc = doc ? history_claim(doc, &claim, e) : -1;
    if (rc == 0) {
        struct history_record what = {
            .doc = doc, .text = text, .size = strlen(text), .witness = "MUNGE:two:\n"};
        claim.witnessed = true;
        rc = history_file(h, &claim, &what, "H5:once;", &outcome, e);
    }
    free((void *)(uintptr_t)claim.nodes);
    cJSON_Delete(doc);
    free(text);
    history_close(h);
    archive_close(a);
    return rc;
}
#endif

static const struct {
    const char *name;
    int (*run)(const char *dir, struct err *e);
} verbs[] = {
    {"record", record},   {"run", run},
#ifdef WITH_HISTORY
    {"archive", archive}, {"first", first}, {"history", history},
#endif
};

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;

    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; argc == 3 && i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        if (verbs[i].run(argv[2], &e) == 0)
            return 0;
        fprintf(stderr, "once: %s\n", e.text);
        return 3;
    }
    fputs("usage: once WHAT DIR\n", stderr);
    return 2;
}
